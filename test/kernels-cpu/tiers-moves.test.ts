// Moving elements into views, of every fast tier and instruction set, against the reference: nothing beside the target is touched.

import { type NumericArray, openTier, type Strided } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { fastTiers } from './tiers-available.ts';
import { differences } from './views.ts';

const reference = openTier('reference').kernels;
const types = [Float32Array, Float64Array, Int32Array, Uint8Array, Uint16Array] as const;

/** A view of `shape` whose axes lie in memory in some order, each with gaps or backwards; its array has room on both sides. */
function viewOf(
  Type: (typeof types)[number],
  shape: readonly number[],
  order: readonly number[],
  kinds: readonly string[],
): Strided {
  const strides = new Array<number>(shape.length).fill(0);
  let size = 1;
  let offset = 3;
  for (const axis of order) {
    const step = kinds[axis] === 'gapped' ? size + 1 : size;
    strides[axis] = kinds[axis] === 'reversed' ? -step : step;
    if (kinds[axis] === 'still') strides[axis] = 0;
    else {
      if (kinds[axis] === 'reversed') offset += step * Math.max(0, shape[axis] - 1);
      size = step * Math.max(1, shape[axis]);
    }
  }
  return { data: new Type(size + 6), shape, strides, offset };
}

const extents = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 4 });
const shapes = fc.oneof(
  extents,
  fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 140 }),
    fc.integer({ min: 1, max: 140 }),
  ),
  fc.tuple(fc.integer({ min: 1, max: 140 }), fc.integer({ min: 1, max: 140 })),
  fc.constantFrom([40_000], [300, 257], [2, 3, 65, 130]),
);
const cases = shapes.chain((shape) => {
  const rank = shape.length;
  const order = fc.shuffledSubarray([...shape.keys()], { minLength: rank, maxLength: rank });
  const kindsOf = (...kinds: string[]) =>
    fc.array(fc.constantFrom(...kinds), { minLength: rank, maxLength: rank });
  return fc.record({
    shape: fc.constant(shape as readonly number[]),
    orders: fc.tuple(order, order),
    kinds: fc.tuple(
      kindsOf('plain', 'plain', 'plain', 'gapped', 'reversed', 'still'),
      kindsOf('plain', 'plain', 'plain', 'gapped', 'reversed'),
    ),
    Type: fc.constantFrom(...types),
    threads: fc.integer({ min: 1, max: 4 }),
  });
});

describe.each(fastTiers)('%s', (_name, { kernels, setThreads }) => {
  afterAll(() => {
    setThreads(4);
  });

  test('assign and copy, any strides and types', () => {
    fc.assert(
      fc.property(cases, ({ shape, orders, kinds, Type, threads }) => {
        setThreads(threads);
        const a = viewOf(Type, shape, orders[0], kinds[0]);
        for (let i = 0; i < a.data.length; i++) a.data[i] = i % 251;
        const [got, expected] = [kernels, reference].map((k) => {
          const target = viewOf(Type, shape, orders[1], kinds[1]);
          (target.data as Uint8Array).fill(255);
          k.assign(a, target);
          return target.data;
        });
        expect(differences(got, expected)).toEqual([]);
        const [copied, row] = [kernels, reference].map((k) => {
          const out: NumericArray = new Type(shape.reduce((p, q) => p * q, 1)).fill(99);
          k.copy(a, out);
          return out;
        });
        expect(differences(copied, row)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test.each([
    { what: 'rows with gaps', shape: [701, 1009], strides: [1010, 1] },
    { what: 'rows of about a register', shape: [61_001, 9], strides: [10, 1] },
    { what: 'columns', shape: [1009, 701], strides: [1, 1010] },
    { what: 'every second element', shape: [600_011], strides: [2] },
    { what: 'a row again and again', shape: [601, 1003], strides: [0, 1] },
  ])('$what, more than the caches hold: all of it arrives, and nothing beside it is touched', (given) => {
    const { shape, strides } = given;
    const length = shape.reduce((p, q) => p * q, 1);
    const reach = shape.reduce((p, extent, axis) => p + (extent - 1) * strides[axis], 4);
    for (const [From, To] of [
      [Float32Array, Float32Array],
      [Float64Array, Float64Array],
      [Int32Array, Float32Array],
      [Float64Array, Float32Array],
    ] as const) {
      const a = { data: new From(reach).map((_, i) => (i * 7919) % 65_521), shape, strides, offset: 3 };
      // The result begins anywhere in a line of memory, as pieces of larger arrays do.
      for (const [start, threads] of [
        [0, 4],
        [5, 1],
        [13, 3],
      ]) {
        setThreads(threads);
        const [got, expected] = [kernels, reference].map((k) => {
          const whole = new To(start + length + 16).fill(99);
          k.copy(a, whole.subarray(start, start + length));
          return whole;
        });
        expect(differences(got, expected)).toEqual([]);
      }
    }
  });

  test('addTo, any strides and types, as often as there are threads', () => {
    fc.assert(
      fc.property(cases, ({ shape, orders, kinds, Type, threads }) => {
        setThreads(threads);
        const a = viewOf(Type, shape, orders[0], kinds[0]);
        // Neither exact in any type nor without NaN, infinities and negative zeros.
        const special = [Number.NaN, Number.POSITIVE_INFINITY, -0, Number.NEGATIVE_INFINITY];
        for (let i = 0; i < a.data.length; i++) a.data[i] = special[i % 97] ?? Math.sin(i) * 300;
        const [got, expected] = [kernels, reference].map((k) => {
          const target = viewOf(Type, shape, orders[1], kinds[1]);
          for (let i = 0; i < target.data.length; i++) target.data[i] = Math.cos(3 * i) * 100;
          k.addTo(a, target);
          return target.data;
        });
        expect(differences(got, expected)).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  test('types that differ, targets that repeat, and views in one array are as the reference has them', () => {
    const run = (k: typeof kernels): NumericArray[] => {
      const from = Float64Array.from({ length: 5000 }, (_, i) => i * 1.5 - 700);
      const flat = (data: NumericArray): Strided => ({
        data,
        shape: [50, 100],
        strides: [100, 1],
        offset: 0,
      });
      const [whole, repeated, shifted] = [new Uint8Array(5000), new Float64Array(5000), from.slice()];
      const [wholeSum, repeatedSum, shiftedSum] = [whole.slice(), repeated.slice(), shifted.slice()];
      k.assign(flat(from), flat(whole));
      k.assign(flat(from), { ...flat(repeated), strides: [0, 1] });
      k.assign({ ...flat(shifted), shape: [49, 100] }, { ...flat(shifted), shape: [49, 100], offset: 100 });
      k.addTo(flat(from), flat(wholeSum));
      k.addTo(flat(from), { ...flat(repeatedSum), strides: [0, 1] });
      const [top, below] = [0, 100].map((offset) => ({ ...flat(shiftedSum), shape: [49, 100], offset }));
      k.addTo(top, below);
      return [whole, repeated, shifted, wholeSum, repeatedSum, shiftedSum];
    };
    const expected = run(reference);
    run(kernels).forEach((array, i) => {
      expect(differences(array, expected[i])).toEqual([]);
    });
  });

  test('bits that mean NaN are moved as they are', () => {
    const bits = Uint32Array.from({ length: 4096 }, (_, i) => 0x7fc00001 + i);
    const a: Strided = { data: new Float32Array(bits.buffer), shape: [64, 64], strides: [1, 64], offset: 0 };
    const target = new Float32Array(64 * 65);
    kernels.assign(a, { data: target, shape: [64, 64], strides: [65, 1], offset: 0 });
    const moved = new Uint32Array(target.buffer);
    for (let i = 0; i < 64; i++)
      for (let j = 0; j < 64; j++) expect(moved[i * 65 + j]).toBe(bits[j * 64 + i]);
  });
});
