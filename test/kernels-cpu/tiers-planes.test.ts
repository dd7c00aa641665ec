// Pooling, lookups and sparse products of every fast tier and instruction set, against the reference.

import type { FloatArray, Kernels, SparseMatrix } from '@adjoint/kernels-cpu';
import { OperandError, openTier, poolGeometry } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { poolGeometries } from './arbitraries.ts';
import { differentBits, fastTiers } from './tiers-available.ts';
import { view } from './views.ts';

const reference = openTier('reference').kernels;
const types = [Float32Array, Float64Array] as const;

/** Rows of any length: some are worked on in whole registers, some end in the middle of one. */
const geometryArbitrary = poolGeometries({ widest: 150 })
  // Enough channels for a call to be worth it, whatever the plane.
  .map((g) => ({ ...g, channels: 33 }));

const count = (extents: readonly number[]) => extents.reduce((p, q) => p * q, 1);

/** Numbers with ties, zeros of both signs, and now and then what is not finite. */
function numbers(Type: (typeof types)[number], length: number, seed: number): FloatArray {
  const specials = [Number.NaN, Infinity, -Infinity, -0];
  return new Type(length).map((_, i) => {
    const draw = Math.imul(i + 1, 2654435761) + Math.imul(seed, 40503);
    return (draw >>> 8) % 97 === 0 ? specials[(draw >>> 16) % 4] : ((draw >>> 10) % 41) / 8 - 2;
  });
}

/** Whole numbers: sums are exact in any order. */
function whole(Type: (typeof types)[number], length: number, seed: number): FloatArray {
  return new Type(length).map((_, i) => (((Math.imul(i + 1, 2654435761) + seed) >>> 9) % 19) - 9);
}

describe.each(fastTiers)('%s', (_name, { kernels, setThreads }) => {
  afterAll(() => {
    setThreads(4);
  });

  describe.each(types)('%o', (Type) => {
    test('maxima and their places are those of the reference, to the bit', () => {
      fc.assert(
        fc.property(geometryArbitrary, fc.nat(999), (g, seed) => {
          const x = numbers(Type, g.batch * g.channels * count(g.inputSize), seed);
          const length = g.batch * g.channels * count(g.outputSize);
          const [got, expected] = [kernels, reference].map((tier) => {
            const [y, places] = [new Type(length), new Int32Array(length)];
            tier.maxPool(g, x, y, places);
            // Who wants no places gets the same bits.
            const alone = new Type(length);
            tier.maxPool(g, x, alone, null);
            expect(differentBits(alone, y)).toEqual([]);
            return { y, places };
          });
          expect(differentBits(got.places, expected.places)).toEqual([]);
          expect(differentBits(got.y, expected.y)).toEqual([]);
        }),
        { numRuns: 60 },
      );
    });

    test.each([
      { inputSize: [100, 60], kernelSize: 3, stride: 1, padding: [1, 0] },
      { inputSize: [70, 140], kernelSize: 2 },
      { inputSize: [301, 38], kernelSize: [5, 2], stride: [3, 2], ceilMode: true },
      { inputSize: [90, 90], kernelSize: [40, 3], stride: [1, 4], dilation: [1, 2] },
      { inputSize: [64, 64], kernelSize: 64 },
    ])('maxima of planes that are worked on part by part: %o', (options) => {
      const g = poolGeometry({ batch: 1, channels: 3, ...options });
      const x = numbers(Type, 3 * count(g.inputSize), 3);
      const length = 3 * count(g.outputSize);
      const [y, yExpected] = [new Type(length), new Type(length)];
      const [places, placesExpected] = [new Int32Array(length), new Int32Array(length)];
      kernels.maxPool(g, x, y, places);
      reference.maxPool(g, x, yExpected, placesExpected);
      expect(differentBits(places, placesExpected)).toEqual([]);
      expect(differentBits(y, yExpected)).toEqual([]);
      kernels.maxPool(g, x, y.fill(7), null);
      expect(differentBits(y, yExpected)).toEqual([]);
    });

    test('what is added at places is what the reference adds', () => {
      fc.assert(
        fc.property(geometryArbitrary, fc.nat(999), (g, seed) => {
          const [inputs, outputs] = [g.inputSize, g.outputSize].map(
            (size) => g.batch * g.channels * count(size),
          );
          const y = numbers(Type, outputs, seed);
          const places = new Int32Array(outputs);
          reference.maxPool(g, numbers(Type, inputs, seed + 1), new Type(outputs), places);
          const [x, expected] = [new Type(inputs).fill(7), new Type(inputs).fill(8)];
          kernels.maxPoolInputGrad(g, y, places, x);
          reference.maxPoolInputGrad(g, y, places, expected);
          expect(differentBits(x, expected)).toEqual([]);
        }),
        { numRuns: 60 },
      );
    });

    test.each([
      { kernelSize: 2, stride: 2 },
      { kernelSize: 3, stride: 1 },
    ])('−0 is added to 0, which gives 0: %o', (options) => {
      const g = poolGeometry({ batch: 1, channels: 2, inputSize: [17, 35], ...options });
      const length = 2 * count(g.outputSize);
      const places = new Int32Array(length);
      const x = new Type(2 * 17 * 35).fill(7);
      reference.maxPool(g, whole(Type, x.length, 1), new Type(length), places);
      kernels.maxPoolInputGrad(g, new Type(length).fill(-0), places, x);
      expect(differentBits(x, new Type(x.length))).toEqual([]);
    });

    test.each([
      { kernelSize: 2, stride: 2, width: 32 },
      { kernelSize: 2, stride: 2, width: 35 },
      { kernelSize: [2, 2], stride: [3, 2], width: 70 },
      { kernelSize: 3, stride: 1, width: 35 },
    ])('whatever places are, nothing outside of their plane is written: %o', ({ width, ...options }) => {
      const g = poolGeometry({ batch: 1, channels: 1, inputSize: [17, width], ...options });
      const length = count(g.outputSize);
      const wild = [-1, 17 * width, 2 ** 30, -(2 ** 31), 5];
      const places = Int32Array.from({ length }, (_, i) => wild[i % wild.length]);
      const margin = 64;
      const space = new Type(17 * width + 2 * margin).fill(7);
      const x = space.subarray(margin, margin + 17 * width);
      kernels.maxPoolInputGrad(g, new Type(length).fill(1), places, x);
      expect(x.every((value, i) => value === 0 || i === 5)).toBe(true);
      expect([...space.subarray(0, margin), ...space.subarray(-margin)].every((v) => v === 7)).toBe(true);
    });

    test('means, and the adjoint of means, are those of the reference', () => {
      fc.assert(
        fc.property(geometryArbitrary, fc.nat(999), (geometry, seed) => {
          // With a divisor that is a power of two, sums of whole numbers are exact and comparable to the bit.
          const g = {
            ...geometry,
            divisorOverride: geometry.divisorOverride === undefined ? undefined : 4,
          };
          const [inputs, outputs] = [g.inputSize, g.outputSize].map(
            (size) => g.batch * g.channels * count(size),
          );
          const x = whole(Type, inputs, seed);
          const [y, yExpected] = [new Type(outputs), new Type(outputs)];
          kernels.avgPool(g, x, y);
          reference.avgPool(g, x, yExpected);
          expect(differentBits(y, yExpected)).toEqual([]);
          const [back, backExpected] = [new Type(inputs).fill(7), new Type(inputs)];
          kernels.avgPoolInputGrad(g, y, back);
          reference.avgPoolInputGrad(g, y, backExpected);
          let most = 0;
          for (const value of backExpected) most = Math.max(most, Math.abs(value));
          const bound =
            g.divisorOverride === 4
              ? 0
              : count(g.kernelSize) * (Type === Float32Array ? 2 ** -23 : 2 ** -52) * most;
          backExpected.forEach((value, i) => {
            if (!(Math.abs(back[i] - value) <= bound)) expect(`${back[i]} at ${i}`).toBe(`${value}`);
          });
        }),
        { numRuns: 60 },
      );
    });

    const axisCase = fc.record({
      kernel: fc.integer({ min: 1, max: 4 }),
      out: fc.integer({ min: 1, max: 40 }),
      stride: fc.integer({ min: 1, max: 3 }),
      dilation: fc.integer({ min: 1, max: 3 }),
      rest: fc.nat(2),
    });

    test('windows that overlap are added up in the same order, to the bit', () => {
      fc.assert(
        fc.property(
          fc.array(axisCase, { minLength: 1, maxLength: 2 }),
          fc.integer({ min: 1, max: 40 }),
          fc.integer({ min: 1, max: 4 }),
          fc.nat(999),
          (axes, planes, threads, seed) => {
            setThreads(threads);
            const g = {
              planes,
              inputSize: axes.map((a) => (a.out - 1) * a.stride + (a.kernel - 1) * a.dilation + 1 + a.rest),
              kernelSize: axes.map((a) => a.kernel),
              outputSize: axes.map((a) => a.out),
              stride: axes.map((a) => a.stride),
              dilation: axes.map((a) => a.dilation),
            };
            const windows = numbers(Type, planes * count(g.kernelSize) * count(g.outputSize), seed);
            const [got, expected] = [kernels, reference].map((tier) => {
              const out = new Type(planes * count(g.inputSize)).fill(7);
              tier.overlap(g, windows, out);
              return out;
            });
            expect(differentBits(got, expected)).toEqual([]);
          },
        ),
        { numRuns: 60 },
      );
    });

    test('places of the largest of adaptive windows', () => {
      const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 50 })), {
        minLength: 1,
        maxLength: 3,
      });
      fc.assert(
        fc.property(
          sizes,
          fc.integer({ min: 1, max: 20 }),
          fc.integer({ min: 1, max: 4 }),
          fc.nat(999),
          (axes, planes, threads, seed) => {
            setThreads(threads);
            // Three axes of full size take the reference long.
            const [inputSize, outputSize] = [0, 1].map((i) =>
              axes.map((pair) => (axes.length === 3 ? Math.ceil(pair[i] / 4) : pair[i])),
            );
            const x = numbers(Type, planes * count(inputSize), seed);
            const [got, expected] = [kernels, reference].map((tier) => {
              const places = new Int32Array(planes * count(outputSize)).fill(-7);
              tier.adaptiveMaxPool(planes, inputSize, outputSize, x, places);
              return places;
            });
            expect(differentBits(got, expected)).toEqual([]);
          },
        ),
        { numRuns: 40 },
      );
    });

    const rowCase = fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 0, maxLength: 2 }),
      n: fc.integer({ min: 1, max: 50 }),
      m: fc.integer({ min: 1, max: 400 }),
      offset: fc.nat(3),
      seed: fc.nat(999),
    });

    test('gather and scatterAdd along the last axis', () => {
      fc.assert(
        fc.property(rowCase, ({ shape, n, m, offset, seed }) => {
          const lines = count(shape);
          const a = { ...view(numbers(Type, lines * n + offset, seed), [...shape, n]), offset };
          const index = view(
            Int32Array.from({ length: lines * m }, (_, i) => (i * 7 + seed) % n),
            [...shape, m],
          );
          const [out, expected] = [new Type(lines * m), new Type(lines * m)];
          kernels.gather(a, shape.length, index, out);
          reference.gather(a, shape.length, index, expected);
          expect(differentBits(out, expected)).toEqual([]);
          const source = { ...view(numbers(Type, lines * m + offset, seed + 1), [...shape, m]), offset };
          const start = numbers(Type, lines * n, seed + 2);
          const [target, targetExpected] = [start.slice(), start.slice()];
          kernels.scatterAdd(source, shape.length, index, target, [...shape, n]);
          reference.scatterAdd(source, shape.length, index, targetExpected, [...shape, n]);
          expect(differentBits(target, targetExpected)).toEqual([]);
        }),
        { numRuns: 60 },
      );
    });

    const sliceCase = fc.record({
      slices: fc.integer({ min: 1, max: 20 }),
      slice: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 0, maxLength: 2 }),
      m: fc.integer({ min: 1, max: 60 }),
      offset: fc.nat(3),
      seed: fc.nat(999),
    });

    test('whole slices, read and added to', () => {
      fc.assert(
        fc.property(sliceCase, ({ slices, slice, m, offset, seed }) => {
          const n = count(slice);
          const a = { ...view(numbers(Type, slices * n + offset, seed), [slices, ...slice]), offset };
          const index = Int32Array.from({ length: m }, (_, i) => (i * i + seed) % slices);
          const [out, expected] = [new Type(m * n), new Type(m * n)];
          kernels.indexSelect(a, 0, index, out);
          reference.indexSelect(a, 0, index, expected);
          expect(differentBits(out, expected)).toEqual([]);
          const source = { ...view(numbers(Type, m * n + offset, seed + 1), [m, ...slice]), offset };
          const start = numbers(Type, slices * n, seed + 2);
          const [target, targetExpected] = [start.slice(), start.slice()];
          kernels.indexAdd(source, 0, index, target, [slices, ...slice]);
          reference.indexAdd(source, 0, index, targetExpected, [slices, ...slice]);
          expect(differentBits(target, targetExpected)).toEqual([]);
        }),
        { numRuns: 60 },
      );
    });

    test('a sparse matrix along any axis', () => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
          fc.nat(2),
          fc.integer({ min: 1, max: 30 }),
          fc.nat(999),
          (shape, where, rows, seed) => {
            const axis = where % shape.length;
            const a = view(whole(Type, count(shape), seed), shape);
            const matrix: SparseMatrix = {
              starts: Int32Array.from({ length: rows + 1 }, (_, r) => 2 * r),
              columns: Int32Array.from({ length: 2 * rows }, (_, k) => (k * 5 + seed) % shape[axis]),
              values: Float64Array.from({ length: 2 * rows }, (_, k) => (k % 7) / 4),
            };
            const length = (count(shape) / shape[axis]) * rows;
            const [out, expected] = [new Type(length), new Type(length)];
            kernels.sparseAlong(matrix, a, axis, out);
            reference.sparseAlong(matrix, a, axis, expected);
            expect(differentBits(out, expected)).toEqual([]);
          },
        ),
        { numRuns: 60 },
      );
    });

    test('an index that names nothing reads and writes nothing outside', () => {
      const index = view(new Int32Array(512).fill(2 ** 30));
      const a = view(new Type(512).fill(1));
      const out = new Type(512);
      kernels.gather(a, 0, index, out);
      expect(out.every(Number.isNaN)).toBe(true);
      kernels.scatterAdd(a, 0, index, out.fill(0), [512]);
      expect(out.every((value) => value === 0)).toBe(true);
      kernels.indexSelect(a, 0, index.data, out);
      expect(out.every(Number.isNaN)).toBe(true);
      kernels.indexAdd(a, 0, index.data, out.fill(0), [512]);
      expect(out.every((value) => value === 0)).toBe(true);
    });

    test('one index that names nothing leaves the others as they are, and nothing is added twice', () => {
      const index = new Int32Array(4096 * 16).fill(3);
      index[index.length - 1] = 99;
      const target = new Type(4096 * 16);
      kernels.scatterAdd(
        view(new Type(4096 * 16).fill(1), [4096, 16]),
        1,
        view(index, [4096, 16]),
        target,
        [4096, 16],
      );
      expect([target[3], target[2], target.at(-13)]).toEqual([16, 0, 15]);
    });

    test('indices of another type, or in a plain array, are read as the reference reads them', () => {
      const a = view(numbers(Type, 600, 1), [3, 200]);
      for (const index of [Uint8Array.of(2, 0), [2, 0]] as unknown as Int32Array[]) {
        const [out, expected] = [new Type(400), new Type(400)];
        kernels.indexSelect(a, 0, index, out);
        reference.indexSelect(a, 0, index, expected);
        expect(differentBits(out, expected)).toEqual([]);
      }
    });

    test('a sparse matrix that names what is not there is refused', () => {
      const a = view(new Type(600), [3, 200]);
      const matrix = {
        starts: Int32Array.of(0, 1, 2),
        columns: Int32Array.of(0, 1),
        values: Float64Array.of(1, 1),
      };
      const apply = (change: Partial<SparseMatrix>) => () =>
        kernels.sparseAlong({ ...matrix, ...change }, a, 0, new Type(400));
      expect(apply({})).not.toThrow();
      expect(apply({ columns: Int32Array.of(0, 2e9) })).toThrow(OperandError);
      expect(apply({ columns: Int32Array.of(-1, 0) })).toThrow(OperandError);
      expect(apply({ starts: Int32Array.of(0, 2, 1) })).toThrow(OperandError);
      expect(apply({ starts: Int32Array.of(-1, 1, 2) })).toThrow(OperandError);
    });

    test('a dilation beyond all bounds, of one tap', () => {
      const g = {
        ...poolGeometry({ batch: 1, channels: 4, inputSize: [90], kernelSize: 1 }),
        dilation: [2 ** 31 - 1],
      };
      const x = whole(Type, 360, 1);
      const y = new Type(360);
      kernels.avgPool(g, x, y);
      expect(differentBits(y, x)).toEqual([]);
    });

    test.each([2 ** 29, 8e8, 2 ** 30, 1e9, 2 ** 31 - 1])('a stride of %i, of one window', (stride) => {
      // Some windows further on, its multiples are numbers of 32 bits no longer.
      const g = {
        ...poolGeometry({ batch: 1, channels: 4, inputSize: [90], kernelSize: 2 }),
        stride: [stride],
        outputSize: [1],
      };
      const x = numbers(Type, 360, 1);
      const [got, expected] = [kernels, reference].map((tier) => {
        const [y, mean, back, places] = [new Type(4), new Type(4), new Type(360), new Int32Array(4)];
        tier.maxPool(g, x, y, places);
        tier.maxPoolInputGrad(g, y, places, back);
        tier.avgPool(g, x, mean);
        return [...y, ...places, ...back, ...mean];
      });
      expect(differentBits(got, expected)).toEqual([]);
    });

    test('the same bits on any number of threads', () => {
      const g = {
        ...fc.sample(geometryArbitrary, { numRuns: 1, seed: 5 })[0],
        batch: 3,
        channels: 200,
        inputSize: [40, 30],
      };
      const geometry = {
        ...g,
        kernelSize: [3, 3],
        stride: [2, 2],
        padding: [1, 1],
        dilation: [1, 1],
        outputSize: [20, 15],
      };
      const x = numbers(Type, 3 * 200 * 1200, 1);
      const y = numbers(Type, 3 * 200 * 300, 2);
      const slices = Int32Array.from({ length: 4000 }, (_, i) => (i * i) % 50);
      const run = (tier: Kernels) => {
        const lengths = [y.length, y.length, x.length, 50 * 150, x.length];
        const results = lengths.map((length) => new Type(length));
        const places = new Int32Array(y.length);
        tier.maxPool(geometry, x, results[0], places);
        tier.maxPoolInputGrad(geometry, y, places, results[4]);
        tier.avgPool(geometry, x, results[1]);
        tier.avgPoolInputGrad(geometry, y, results[2]);
        tier.indexAdd(view(x.subarray(0, 4000 * 150), [4000, 150]), 0, slices, results[3], [50, 150]);
        return results;
      };
      setThreads(1);
      const alone = run(kernels);
      for (const threads of [2, 3, 4]) {
        setThreads(threads);
        run(kernels).forEach((result, i) => {
          expect(differentBits(result, alone[i])).toEqual([]);
        });
      }
    });
  });
});
