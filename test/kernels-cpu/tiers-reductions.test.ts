// Reductions and softmax of every fast tier and instruction set, against the reference.

import { type FloatArray, openTier } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { floatTypes, pairArbitrary, samples, ulp, worstUlp } from './samples.ts';
import { differentBits, fastTiers } from './tiers-available.ts';
import { view } from './views.ts';

const reference = openTier('reference').kernels;

describe.each(fastTiers)('%s', (_name, { kernels, setThreads }) => {
  afterAll(() => {
    setThreads(4);
  });

  describe.each(floatTypes)('%o', (Type) => {
    test.each([1, 7, 16, 27, 64, 130, 300])('runs of %i that do not follow one another', (n) => {
      // Whole numbers small enough for exact sums; products of 1 and -1.
      for (const [shape, axes] of [
        [
          [11, 5, n],
          [0, 2],
        ],
        [
          [3, 4, 2, n],
          [0, 1, 3],
        ],
        [
          [2, 3, 40, n],
          [0, 2, 3],
        ],
      ]) {
        const size = shape.reduce((p, q) => p * q, 1);
        const whole = new Type(size).map((_, i) => ((i * 7919) % 17) - 8);
        const signs = whole.map((x) => (x < 0 ? -1 : 1));
        const kept = shape.reduce((p, q, axis) => (axes.includes(axis) ? p : p * q), 1);
        for (const name of ['sum', 'sumOfSquares', 'max', 'min', 'prod'] as const) {
          const a = view(name === 'prod' ? signs : whole, shape);
          const expected = new Type(kept);
          reference[name](a, axes, expected);
          for (const threads of [1, 3]) {
            setThreads(threads);
            const got = new Type(kept).fill(7);
            kernels[name](a, axes, got);
            expect([name, got]).toEqual([name, expected]);
          }
        }
      }
    });

    test('columns over two axes that do not follow one another, in chunks that end within a run', () => {
      const shape = [131, 11, 300];
      const data = new Type(131 * 12 * 301).map((_, i) => ((i * 7919) % 17) - 8);
      const a = { data, shape, strides: [12 * 301, 301, 1], offset: 1 };
      for (const name of ['sum', 'sumOfSquares', 'max', 'min'] as const) {
        const expected = new Type(300);
        reference[name](a, [0, 1], expected);
        for (const threads of [1, 4]) {
          setThreads(threads);
          const got = new Type(300).fill(7);
          kernels[name](a, [0, 1], got);
          expect([name, got]).toEqual([name, expected]);
        }
      }
    });

    test('sums of any axes are as good as the reference, whose sums are compensated', () => {
      fc.assert(
        fc.property(pairArbitrary(Type), fc.nat(15), fc.nat(4), ([, , a], mask, which) => {
          const axes = a.shape.map((_, axis) => axis).filter((axis) => (mask >> axis) & 1);
          const length = a.shape.reduce((p, q, axis) => (axes.includes(axis) ? p : p * q), 1);
          const name = (['sum', 'max', 'min', 'prod', 'sumOfSquares'] as const)[which];
          const expected = new Type(length);
          reference[name](a, axes, expected);
          const results = [1, 2, 3, 4].map((threads) => {
            setThreads(threads);
            const got = new Type(length).fill(7);
            kernels[name](a, axes, got);
            return got;
          });
          for (const got of results) expect(differentBits(got, results[0])).toEqual([]);
          if (name === 'prod') {
            // Of each factor one rounding, in any order; past the ends of the range the order shows.
            const factors = a.shape.reduce((p, q, axis) => (axes.includes(axis) ? p * q : p), 1);
            for (let i = 0; i < length; i++) {
              const [got, size] = [results[0][i], Math.abs(expected[i])];
              if (!(size > 1e-30 && size < 1e30) || !Number.isFinite(got)) continue;
              const bound = (factors + 1) * 2 ** -52 + (Type === Float32Array ? 2 ** -23 : 0);
              if (!(Math.abs(got - expected[i]) <= bound * size))
                expect.fail(`prod ${got}, reference ${expected[i]}`);
            }
            return;
          }
          if (name === 'max' || name === 'min') {
            expect(
              differentBits(
                results[0].map((x) => x + 0),
                expected.map((x) => x + 0),
              ),
            ).toEqual([]);
            return;
          }
          const size = new Type(length);
          reference.sum({ ...a, data: (a.data as Float32Array).map(Math.abs) as FloatArray }, axes, size);
          for (let i = 0; i < length; i++) {
            const got = results[0][i];
            if (Object.is(got, expected[i]) || (got === 0 && expected[i] === 0)) continue;
            const bound = 2 * ulp(Type, expected[i]) + size[i] * 2 ** (Type === Float32Array ? -40 : -100);
            if (!(Math.abs(got - expected[i]) <= bound)) expect.fail(`sum ${got}, reference ${expected[i]}`);
          }
        }),
        { numRuns: 120 },
      );
    });

    test('the largest and the smallest of rows and columns among infinities, with a NaN in some', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 700 }),
          fc.integer({ min: 1, max: 13 }),
          fc.constantFrom(0, 1, 2, 3, 7),
          fc.nat(99),
          (n, rows, nans, seed) => {
            const data = samples(Type, n * rows, 30, seed).map((x, i) =>
              Number.isNaN(x) ? (i % 2 ? Infinity : -Infinity) : x,
            );
            for (let k = 0; k < nans; k++) data[(k * 7919 + seed * 31) % data.length] = Number.NaN;
            for (const [shape, axis] of [
              [[rows, n], 1],
              [[n, rows], 0],
            ] as const) {
              for (const name of ['max', 'min'] as const) {
                const [got, expected] = [new Type(rows), new Type(rows)];
                kernels[name](view(data, [...shape]), [axis], got);
                reference[name](view(data, [...shape]), [axis], expected);
                // Of zeros of both signs any is the largest.
                expect(
                  differentBits(
                    got.map((x) => x + 0),
                    expected.map((x) => x + 0),
                  ),
                ).toEqual([]);
              }
            }
          },
        ),
        { numRuns: 100 },
      );
    });

    test('a row has the same sum, largest and smallest to the bit, whatever rows stand beside it', () => {
      for (const n of [5, 17, 100, 1000, 4099]) {
        const row = samples(Type, n, 100, 3).map((x) => (Math.abs(x) < 1e6 ? x : 1));
        const rows = new Type(11 * n);
        for (let r = 0; r < 11; r++) rows.set(row, r * n);
        for (const name of ['sum', 'sumOfSquares', 'max', 'min'] as const) {
          const got = new Type(11);
          kernels[name](view(rows, [11, n]), [1], got);
          expect([name, n, [...got]]).toEqual([name, n, new Array(11).fill(got[0])]);
        }
      }
    });

    test('products of whole numbers are exact, of rows and of columns; a NaN stays', () => {
      const [rows, columns] = [67, 613];
      const data = new Type(rows * columns).fill(1);
      for (let i = 0; i < data.length; i += 13) data[i] = -2;
      for (let i = 1; i < data.length; i += 57) data[i] = 3;
      data[5 * columns + 11] = Number.NaN;
      for (const [shape, axis] of [
        [[rows, columns], 0],
        [[rows, columns], 1],
        [[columns, rows], 0],
      ] as const) {
        const length = shape[1 - axis];
        // Powers of two times a dozen threes at most.
        const [got, expected] = [new Type(length), new Type(length)];
        kernels.prod(view(data, [...shape]), [axis], got);
        reference.prod(view(data, [...shape]), [axis], expected);
        expect(differentBits(got, expected)).toEqual([]);
      }
    });

    test('long sums: one number, rows and columns of a large array, the same bits on 1 to 4 threads', () => {
      const data = samples(Type, 701 * 997, 100, 9).map((x) => (Math.abs(x) < 1e6 ? x : 1));
      const a = view(data, [701, 997]);
      for (const axes of [[0], [1], [0, 1]]) {
        const length = axes.length === 2 ? 1 : axes[0] === 0 ? 997 : 701;
        const expected = new Type(length);
        reference.sum(a, axes, expected);
        for (const threads of [1, 2, 3, 4]) {
          setThreads(threads);
          const got = new Type(length);
          kernels.sum(a, axes, got);
          expect(worstUlp(Type, got, expected, 1).ulps).toBeLessThanOrEqual(1);
        }
      }
    });

    test.each(['softmax', 'logSoftmax'] as const)('%s of rows of any length', (name) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 300 }),
          fc.integer({ min: 1, max: 40 }),
          fc.nat(99),
          (n, rows, seed) => {
            const data = samples(Type, n * rows, 30, seed);
            const a = view(data, [rows, n]);
            const [got, expected] = [new Type(n * rows).fill(7), new Type(n * rows)];
            kernels[name](a, 1, got);
            reference[name](a, 1, expected);
            const largest = Array.from({ length: rows }, (_, r) =>
              Math.max(...data.subarray(r * n, (r + 1) * n)),
            );
            for (let i = 0; i < got.length; i++) {
              if (Object.is(got[i], expected[i])) continue;
              // The exponent x − max is rounded once, which magnifies by its size. The reference's own sum is a plain one
              // in double: it is off by up to n units.
              const exponent = Math.abs(data[i] - largest[(i / n) | 0]);
              const bound =
                (4 + exponent + (Type === Float64Array ? n : 0)) *
                ulp(Type, name === 'softmax' ? expected[i] : Math.max(1, exponent));
              if (!(Math.abs(got[i] - expected[i]) <= bound))
                expect.fail(`${name} ${got[i]}, reference ${expected[i]}`);
            }
          },
        ),
        { numRuns: 100 },
      );
    });
  });
});
