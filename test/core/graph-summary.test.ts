// The table of costs: closed forms for work, and the tape itself as the oracle of what backward keeps.

import {
  add,
  cat,
  conv2d,
  convTranspose2d,
  expand,
  grad,
  matmul,
  mul,
  noGrad,
  relu,
  reshape,
  softmax,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '@adjoint/core';
import { type Summary, trace } from '@adjoint/core/graph';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mask, programs, runProgram, shape, values } from './graph-programs.ts';

const only = ({ rows }: Summary, op: string) => rows.filter((row) => row.op === op);
const extent = fc.integer({ min: 1, max: 5 });

describe('FLOPs', () => {
  it('of a matrix product are 2mnk per matrix of the stack', () => {
    fc.assert(
      fc.property(extent, extent, extent, extent, (batch, m, k, n) => {
        const graph = trace((a, b) => matmul(a, b), { shape: [batch, m, k] }, { shape: [k, n] });
        expect(graph.summary().totals.flops).toBe(2 * batch * m * n * k);
      }),
    );
  });

  it('of a convolution are two per term of the trilinear form, whichever of the three is computed', () => {
    const sizes = fc.record({
      n: extent,
      groups: fc.integer({ min: 1, max: 3 }),
      c: extent,
      k: extent,
      side: fc.integer({ min: 4, max: 9 }),
      kernel: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(sizes, ({ n, groups, c, k, side, kernel, stride }) => {
        const x = { shape: [n, c * groups, side, side], requiresGrad: true };
        const w = { shape: [k * groups, c, kernel, kernel], requiresGrad: true };
        const out = Math.floor((side - kernel) / stride) + 1;
        // N · K · C/g · taps · outputs, a multiplication and an addition each.
        const flops = 2 * n * k * groups * c * kernel * kernel * out * out;
        const step = trace((a, b) => grad(sum(conv2d(a, b, { stride, groups })), [a, b]), x, w).summary();
        for (const op of ['conv', 'convInputGrad', 'convWeightGrad']) {
          expect(only(step, op).map((row) => row.flops)).toEqual([flops]);
        }
        const transposed = trace(
          (a, b) => convTranspose2d(a, b, { stride, groups }),
          {
            shape: [n, k * groups, out, out],
          },
          w,
        );
        expect(transposed.summary().totals.flops).toBe(flops);
      }),
    );
  });

  it('of a reduction are its elements, of a view or a copy none, of a map one per element', () => {
    const graph = trace(
      (x) => {
        const y = mul(relu(x), 2);
        return [sum(y), reshape(y, [12]), expand(sum(y, { axes: 0 }), [5, 4]), cat([y, y])];
      },
      { shape: [3, 4] },
    );
    const flops = Object.fromEntries(graph.summary().rows.map((row) => [row.op, row.flops]));
    expect(flops).toEqual({ relu: 12, mul: 12, sum: 12, reshape: 0, expand: 0, cat: 0 });
  });
});

describe('bytes', () => {
  it('are those of the operands, each once, and of the result', () => {
    const graph = trace(
      (x) => {
        const wide = x.to('float64');
        return [mul(wide, wide), add(x, 1), x.transpose()];
      },
      { shape: [10, 100], dtype: 'float16' },
    );
    const traffic = graph
      .summary()
      .rows.map(({ op, bytesRead, bytesWritten }) => [op, bytesRead, bytesWritten]);
    // The number is held in float32, in which 16-bit floats are computed.
    expect(traffic).toEqual([
      ['cast', 2000, 8000],
      ['mul', 8000, 8000],
      ['add', 2004, 2000],
      ['permute', 0, 0],
    ]);
  });

  it('saved for backward are those that the tape of the same program holds', () => {
    fc.assert(
      fc.property(programs, values, values, (program, x, w) => {
        const input = tensor(x, { dtype: 'float64' });
        const weight = tensor(w, { dtype: 'float64', requiresGrad: true });
        const fn = (given: Tensor) => runProgram(program, [given, weight]);
        const { totals } = trace(fn, { shape, dtype: 'float64' }).summary();

        const nodes = new Set(fn(input).flatMap(({ node }) => (node === null ? [] : [node])));
        for (const { parents } of nodes) for (const parent of parents) if (parent !== null) nodes.add(parent);
        const saved = [...nodes].flatMap(({ savedTensors }) => savedTensors);
        const arrays = new Set(saved.filter(({ isNumber }) => !isNumber).map(({ data }) => data));
        // What the caller holds anyway.
        for (const held of [weight, mask]) arrays.delete(held.data);
        expect(totals.bytesSaved).toBe([...arrays].reduce((total, { byteLength }) => total + byteLength, 0));
      }),
      { numRuns: 300 },
    );
  });

  it('saved are none without gradients', () => {
    const fn = (x: Tensor) => softmax(square(x));
    const like = { shape: [4, 8] };
    const saved = (graph: { summary(): Summary }) => graph.summary().totals.bytesSaved;
    expect(saved(trace(fn, like))).toBe(0);
    expect(saved(trace((x) => noGrad(() => fn(x)), { ...like, requiresGrad: true }))).toBe(0);
    expect(saved(trace(fn, { ...like, requiresGrad: true }))).toBe(2 * 4 * 8 * 4);
  });
});

describe('a summary', () => {
  it('counts each parameter once, where it is read first, and adds up', () => {
    const w = zeros([4, 4], { requiresGrad: true });
    const b = zeros([4], { requiresGrad: true });
    const fixed = zeros([4]);
    const { rows, totals } = trace(
      (x) => {
        const layer = (t: Tensor) => add(matmul(t, w), b);
        return mul(layer(relu(layer(x))), fixed);
      },
      { shape: [2, 4] },
    ).summary();
    expect(rows.map(({ op, parameters }) => [op, parameters])).toEqual([
      ['matmul', 16],
      ['add', 4],
      ['relu', 0],
      ['matmul', 0],
      ['add', 0],
      ['mul', 0],
    ]);
    expect(totals.parameters).toBe(20);
    expect(totals.ops).toBe(6);
    for (const key of ['flops', 'bytesRead', 'bytesWritten', 'bytesSaved'] as const) {
      expect(totals[key]).toBe(rows.reduce((total, row) => total + row[key], 0));
    }
  });

  it('prints as a table', () => {
    const w = zeros([784, 10], { requiresGrad: true });
    const graph = trace((x) => softmax(matmul(x, w)), { shape: [64, 784], name: 'x' });
    expect(`\n${graph.summary()}\n`).toBe(`
       op       operands             result            parameters  FLOPs       read  written      saved
-------------------------------------------------------------------------------------------------------
%0     matmul   (64, 784) (784, 10)  float32 (64, 10)       7.8 k  1.0 M  226.6 KiB  2.5 KiB  196.0 KiB
%1     softmax  (64, 10)             float32 (64, 10)           0    640    2.5 KiB  2.5 KiB    2.5 KiB
-------------------------------------------------------------------------------------------------------
total  2 ops                                                7.8 k  1.0 M  229.1 KiB  5.0 KiB  198.5 KiB
`);
  });
});
