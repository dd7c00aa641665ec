// Running sums and products, recurrences, order and the first of it, places of extremes, any and all, of every fast tier and instruction set, against the reference.

import { type FloatArray, type NumericArray, openTier, type Strided } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { fastTiers } from './tiers-available.ts';
import { differences, view } from './views.ts';

const reference = openTier('reference').kernels;
const floats = [Float32Array, Float64Array] as const;
type Float = (typeof floats)[number];

/** Outer, along and inner: around the sizes of registers, blocks of columns and pieces of long lines. */
const shapes: fc.Arbitrary<readonly [number, number, number]> = fc.oneof(
  fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 150 }), fc.constant(1)),
  fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 300 })),
  fc.constantFrom<(readonly [number, number, number])[]>(
    [1, 70_001, 1],
    [2, 40_000, 1],
    [1, 65_536, 1],
    [3, 700, 33],
  ),
);
const threads = fc.integer({ min: 1, max: 4 });

/** Numbers of a few values, so that there are equal ones, in the places that a seed says. */
function drawn(Type: Float, length: number, seed: number, make: (r: number) => number): FloatArray {
  const values = new Type(length);
  let state = seed * 2 + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = make((state >>> 8) / 2 ** 24);
  }
  return values;
}

const special = fc.array(fc.tuple(fc.nat(), fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0, 50)), {
  maxLength: 4,
});
function put(values: FloatArray, places: readonly (readonly [number, number])[]): void {
  for (const [place, value] of places) if (values.length > 0) values[place % values.length] = value;
}

/** The same elements, laid out row-major or with the first axis along memory. */
function laidOut(data: FloatArray, shape: readonly number[], turned: boolean): Strided<FloatArray> {
  if (!turned) return view(data, shape);
  const [outer, , inner] = shape;
  return { data, shape, strides: [1, inner * outer, outer], offset: 0 };
}

describe.each(fastTiers)('%s', (_name, { kernels, setThreads }) => {
  afterAll(() => {
    setThreads(4);
  });

  describe.each(floats)('%o', (Type) => {
    test('running sums and products along any axis', () => {
      fc.assert(
        fc.property(
          shapes,
          fc.boolean(),
          fc.nat(999),
          special,
          threads,
          (shape, turned, seed, places, count) => {
            setThreads(count);
            const length = shape[0] * shape[1] * shape[2];
            const x = drawn(Type, length, seed, (r) => 2 * r - 1);
            const factors = drawn(Type, length, seed, (r) => (r < 0.5 ? -1 : 1) * (1 + (r - 0.5) / 16));
            put(x, places);
            put(factors, places);
            const [sums, expected] = [kernels, reference].map((k) => {
              const out = new Type(length).fill(7);
              k.cumsum(laidOut(x, shape, turned), 1, out);
              return out;
            });
            // Doubles hold a sum of float32 to 2^-53 per step, before it is rounded; in float64 errors are summed beside.
            for (let i = 0; i < length; i++) {
              if (Object.is(sums[i], expected[i])) continue;
              const bound = Type === Float32Array ? 2 ** -23 : 2 ** -52;
              const rounding =
                bound * Math.abs(expected[i]) + (Type === Float32Array ? shape[1] ** 2 * 51 * 2 ** -53 : 0);
              if (!(Math.abs(sums[i] - expected[i]) <= rounding))
                expect.fail(`cumsum[${i}] = ${sums[i]}, reference ${expected[i]}`);
            }
            const [products, factorial] = [kernels, reference].map((k) => {
              const out = new Type(length).fill(7);
              k.cumprod(laidOut(factors, shape, turned), 1, out);
              return out;
            });
            expect(differences(products, factorial)).toEqual([]);
          },
        ),
        { numRuns: 60 },
      );
    });

    test('recurrences along any axis: a step is rounded as often as in the reference, or once less', () => {
      fc.assert(
        fc.property(
          shapes,
          fc.boolean(),
          fc.boolean(),
          fc.nat(999),
          threads,
          (shape, turned, other, seed, count) => {
            setThreads(count);
            const length = shape[0] * shape[1] * shape[2];
            const a = drawn(Type, length, seed, (r) => 1.6 * r - 0.8);
            const b = drawn(Type, length, seed + 1, (r) => 2 * r - 1);
            // The first factor of a line is not read.
            if (length > 0) a[0] = Number.NaN;
            const [got, expected] = [kernels, reference].map((k) => {
              const out = new Type(length).fill(7);
              k.recurrence(laidOut(a, shape, turned), laidOut(b, shape, other), 1, out);
              return out;
            });
            // Errors fade: a step multiplies what came before by 0.8 at most, so numbers stay below 5, and the sum of errors below 5 of those
            // of a step. A float32 below 8 is the next one at most.
            const bound = Type === Float32Array ? 2 ** -21 : 2 ** -47;
            for (let i = 0; i < length; i++)
              if (!(Math.abs(got[i] - expected[i]) <= bound))
                expect.fail(`recurrence[${i}] = ${got[i]}, reference ${expected[i]}`);
          },
        ),
        { numRuns: 60 },
      );
    });

    test('what is not finite, and zeros, go through a recurrence as in the reference', () => {
      const [a, b] = [new Type(4 * 300).fill(0.5), new Type(4 * 300).fill(1)];
      a.set([0, Infinity, -0, Number.NaN], 40);
      b.set([Infinity, -1, 0, 3], 700);
      for (const shape of [
        [4, 300],
        [300, 4],
      ]) {
        const [got, expected] = [kernels, reference].map((k) => {
          const out = new Type(1200);
          k.recurrence(view(a, shape), view(b, shape), shape[0] === 4 ? 1 : 0, out);
          return out;
        });
        expect(differences(got, expected)).toEqual([]);
      }
    });

    test('long running sums are rounded once: hardly an element is another than that of the reference', () => {
      const n = 70_001;
      const x = drawn(Type, n, 3, (r) => 2 * r - 1);
      const [sums, expected] = [kernels, reference].map((k) => {
        const out = new Type(n).fill(7);
        k.cumsum(view(x, [1, n, 1]), 1, out);
        return out;
      });
      // Doubles of which the last bits differ are rounded to one float32 but for one in thousands.
      expect(sums.filter((sum, i) => sum !== expected[i]).length).toBeLessThan(n / 100);
    });

    test('the same bits on any number of threads', () => {
      for (const shape of [
        [1, 100_001, 1],
        [7, 30_000, 1],
        [3, 500, 401],
      ] as const) {
        const x = drawn(Type, shape[0] * shape[1] * shape[2], 5, (r) => r - 0.3);
        const of = (count: number): FloatArray => {
          setThreads(count);
          const out = new Type(x.length);
          kernels.cumsum(view(x, shape), 1, out);
          return out;
        };
        const one = of(1);
        for (const count of [2, 3, 4]) expect(differences(of(count), one)).toEqual([]);
      }
    });

    test('the order of lines of any length: equal ones, and all NaN, as they stood', () => {
      const lines = fc.oneof(
        shapes,
        fc.constantFrom<(readonly [number, number, number])[]>([1, 90_001, 1], [40, 25, 3], [40, 24, 3]),
      );
      fc.assert(
        fc.property(
          lines,
          fc.boolean(),
          fc.constantFrom(6, 1e3, 1e300),
          fc.nat(999),
          special,
          threads,
          (shape, turned, range, seed, places, count) => {
            setThreads(count);
            // Few values, many, and of all sizes that there are.
            const x = drawn(Type, shape[0] * shape[1] * shape[2], seed, (r) =>
              range === 1e300
                ? (r < 0.5 ? -1 : 1) * 10 ** (600 * (r % 0.5) - 150)
                : Math.round(r * range) - range / 2,
            );
            put(x, places);
            for (const direction of ['ascending', 'descending'] as const) {
              const [got, expected] = [kernels, reference].map((k) => {
                const out = new Int32Array(x.length).fill(-7);
                k.argsort(laidOut(x, shape, turned), 1, direction, out);
                return out;
              });
              expect(differences(got, expected)).toEqual([]);
            }
          },
        ),
        { numRuns: 60 },
      );
    });

    test('the first few in order, of lines long and short: few, many and all, of equal, ordered and undefined ones', () => {
      fc.assert(
        fc.property(
          shapes,
          fc.boolean(),
          fc.nat(999),
          special,
          fc.oneof(fc.nat(30), fc.integer({ min: 20, max: 6000 }), fc.constant(2 ** 31)),
          fc.constantFrom('any', 'few values', 'ascending', 'descending', 'NaN'),
          threads,
          (shape, turned, seed, places, most, kind, count) => {
            setThreads(count);
            const [outer, n, inner] = shape;
            const k = Math.min(most, n);
            const levels = kind === 'few values' ? 5 : 2 ** 20;
            const x = drawn(Type, outer * n * inner, seed, (r) => Math.round(r * levels) - levels / 2);
            if (kind === 'ascending') x.sort();
            if (kind === 'descending') x.sort().reverse();
            if (kind === 'NaN') for (let i = 0; i < x.length; i += i % 3 ? 2 : 1) x[i] = Number.NaN;
            put(x, places);
            for (const direction of ['ascending', 'descending'] as const) {
              const [got, expected] = [kernels, reference].map((kernelsOf) => {
                const out = new Int32Array(outer * k * inner).fill(-7);
                kernelsOf.argtopk(laidOut(x, shape, turned), 1, k, direction, out);
                return out;
              });
              expect(differences(got, expected)).toEqual([]);
            }
          },
        ),
        { numRuns: 100 },
      );
    });

    test('places of the largest and the smallest: the first of equals, and of NaN', () => {
      fc.assert(
        fc.property(
          shapes,
          fc.boolean(),
          fc.nat(999),
          special,
          threads,
          (shape, turned, seed, places, count) => {
            setThreads(count);
            const x = drawn(Type, shape[0] * shape[1] * shape[2], seed, (r) => Math.round(r * 40) - 20);
            put(x, places);
            for (const name of ['argmax', 'argmin'] as const) {
              const [got, expected] = [kernels, reference].map((k) => {
                const out = new Int32Array(shape[0] * shape[2]).fill(-7);
                k[name](laidOut(x, shape, turned), 1, out);
                return out;
              });
              expect(differences(got, expected)).toEqual([]);
            }
          },
        ),
        { numRuns: 60 },
      );
    });
  });

  test('any and all, of every type that there is', () => {
    const types = [Float32Array, Float64Array, Int32Array, Uint8Array] as const;
    const counts = fc.nat(3);
    fc.assert(
      fc.property(
        shapes,
        fc.constantFrom(...types),
        fc.constantFrom(0, 1, Number.NaN, -0, 200),
        fc.array(fc.nat(), { maxLength: 4 }),
        counts,
        fc.boolean(),
        (shape, Type, odd, places, more, turned) => {
          setThreads(more + 1);
          const length = shape[0] * shape[1] * shape[2];
          for (const most of [0, 1]) {
            const x: NumericArray = new Type(length).fill(most);
            for (const place of places) if (length > 0) x[place % length] = odd;
            for (const [axes, size] of [
              [[1], shape[0] * shape[2]],
              [[0, 1, 2], 1],
              [[0, 1], shape[2]],
            ] as const) {
              const a = laidOut(x as FloatArray, shape, turned);
              for (const name of ['any', 'all'] as const) {
                const [got, expected] = [kernels, reference].map((k) => {
                  const out = new Uint8Array(size).fill(7);
                  k[name](a, axes, out);
                  return out;
                });
                expect(differences(got, expected)).toEqual([]);
              }
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
