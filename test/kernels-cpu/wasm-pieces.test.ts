// Calls that go through WebAssembly's memory in pieces, which are copied while threads compute others: each piece is computed on its own
// numbers, whoever copies when.

import { convGeometry, openTier } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { DONE, NOT_HERE } from '../../packages/kernels-cpu/src/tiers/machine.ts';
import { loadWasm, type WasmTier } from '../../packages/kernels-cpu/src/tiers/wasm.ts';
import type { WasmMemory } from '../../packages/kernels-cpu/src/tiers/wasm-memory.ts';
import { inPieces } from '../../packages/kernels-cpu/src/tiers/wasm-pieces.ts';
import { differentBits } from './tiers-available.ts';
import { sizes } from './trilinear.ts';

const reference = openTier('reference').kernels;
const { kernels, setThreads } = loadWasm() as WasmTier;
afterAll(() => void setThreads(1));

/** Fills an array, with other numbers for another seed; whole ones have sums that are exact. */
type Fill = (array: Float32Array, seed: number) => Float32Array;
const whole: Fill = (array, seed) =>
  array.map((_, i) => ((i * 7919 + seed * 104729 + ((i * i) % 13)) % 9) - 4);
const real: Fill = (array, seed) => array.map((_, i) => Math.sin(i * 1.3 + seed) * 2 ** (i % 5));

const common = { kernelSize: 3, padding: 1 };
const geometries = {
  'of few channels': convGeometry({
    ...common,
    batch: 11,
    inChannels: 5,
    outChannels: 10,
    inputSize: [41, 39],
    kernelSize: 5,
  }),
  'with a stride': convGeometry({
    ...common,
    batch: 9,
    inChannels: 16,
    outChannels: 24,
    inputSize: [45, 43],
    stride: 2,
  }),
  'of one tap': convGeometry({
    batch: 7,
    inChannels: 24,
    outChannels: 24,
    inputSize: [31, 31],
    kernelSize: 1,
  }),
  'by channel': convGeometry({
    ...common,
    batch: 5,
    inChannels: 64,
    outChannels: 64,
    inputSize: [40, 37],
    groups: 64,
  }),
  'of tiles that are transformed': convGeometry({
    ...common,
    batch: 10,
    inChannels: 32,
    outChannels: 16,
    inputSize: [30, 30],
  }),
};

/** A call on operands that depend on a seed; its results. */
type Call = (on: typeof reference, fill: Fill, seed: number) => Float32Array[];

const calls: [string, Call][] = Object.entries(geometries).map(([name, g]) => {
  const { x, w, y } = sizes(g);
  return [
    `a convolution ${name} and its input gradient`,
    (on, fill, seed) => {
      const [input, weight, gradient] = [x, w, y].map((size, k) => fill(new Float32Array(size), seed + k));
      const results = [new Float32Array(y), new Float32Array(x)];
      on.convForward(g, input, weight, results[0]);
      on.convInputGrad(g, weight, gradient, results[1]);
      return results;
    },
  ];
});
for (const [m, depth, n, gap] of [
  [67, 1100, 131, 0],
  [130, 513, 260, 2],
])
  calls.push([
    `a product of ${m} × ${depth} × ${n}${gap > 0 ? `, with ${gap} elements between two rows` : ''}`,
    (on, fill, seed) => {
      const operand = (rows: number, columns: number, k: number) => ({
        data: fill(new Float32Array(gap + rows * (columns + gap)), seed + k),
        shape: [rows, columns],
        strides: [columns + gap, 1],
        offset: gap,
      });
      const out = new Float32Array(m * n);
      on.matmul(operand(m, depth, 1), operand(depth, n, 2), out, [m, n]);
      return [out];
    },
  ]);

describe.each(calls)('%s', (_name, call) => {
  test('on whole numbers is exact on any number of threads', () => {
    const right = call(reference, whole, 1);
    for (const threads of [1, 2, 3, 4]) {
      setThreads(threads);
      for (const [k, result] of call(kernels, whole, 1).entries())
        expect(differentBits(result, right[k])).toEqual([]);
    }
  });

  test('has the same bits on any number of threads, time after time', () => {
    // Other numbers each time: what a slot or a result still holds of the last time, or of another piece, is not right now.
    for (let seed = 0; seed < 3; seed++) {
      setThreads(1);
      const alone = call(kernels, real, seed);
      for (const threads of [2, 3, 4]) {
        setThreads(threads);
        for (const [k, result] of call(kernels, real, seed).entries())
          expect(differentBits(result, alone[k])).toEqual([]);
      }
    }
  });
});

test('a bias whose elements lie far apart takes room for its elements alone', () => {
  // A gigabyte between two of them is all the memory that there can be.
  const step = 2 ** 28;
  const data = new Float32Array(step + 1);
  [data[0], data[step]] = [5, -7];
  const matrix = (rows: number, columns: number) => ({
    data: whole(new Float32Array(rows * columns), rows),
    shape: [rows, columns],
    strides: [columns, 1],
    offset: 0,
  });
  const [a, b] = [matrix(9, 40), matrix(40, 2)];
  for (const [offset, stride] of [
    [0, step],
    [step, -step],
  ]) {
    const [got, right] = [new Float32Array(18), new Float32Array(18)];
    const bias = { data, shape: [2], strides: [stride], offset };
    kernels.matmul(a, b, got, [9, 2], bias);
    reference.matmul(a, b, right, [9, 2], bias);
    expect(differentBits(got, right)).toEqual([]);
  }
});

// A memory of two rows of slots, whose copies are made as late as they may be, or as early.
test('a piece runs on what it asked for, and what it gave is copied before its slot has another', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 7 }),
      fc.integer({ min: 1, max: 2 }),
      fc.infiniteStream(fc.boolean()),
      fc.option(fc.integer({ min: 0, max: 6 }), { nil: -1 }),
      (count, slots, early, fails) => {
        const [inputs, outputs] = [new Array<number>(slots), new Array<number>(slots)];
        const results = new Array<number>(count);
        const pending: (() => void)[] = [];
        const memory = {
          settle: () => {
            for (const copy of pending.splice(0)) copy();
          },
          mark: () => 0,
          release() {},
        } as unknown as WasmMemory;
        const status = inPieces(memory, slots, {
          count,
          enter: (piece, slot) => void pending.push(() => inputs.fill(piece, slot, slot + 1)),
          run: (piece, slot) => {
            // Some copies are made while it runs, and whatever they bring is not this piece's.
            while (pending.length > 0 && early.next().value) pending.shift()?.();
            outputs[slot] = inputs[slot];
            while (pending.length > 0 && early.next().value) pending.shift()?.();
            return piece === fails ? NOT_HERE : DONE;
          },
          leave: (piece, slot) => void pending.push(() => results.splice(piece, 1, outputs[slot])),
        });
        if (fails >= 0 && fails < count) expect(status).toBe(NOT_HERE);
        else expect([status, results]).toEqual([DONE, Array.from({ length: count }, (_, piece) => piece)]);
      },
    ),
  );
});
