// Softmax, cross entropy, normalisations, their gradients, and variances, of every fast tier and instruction set, against the reference.

import type { ClassGeometry, FloatArray, Kernels, NormGeometry } from '@adjoint/kernels-cpu';
import { openTier } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { differentBits, fastTiers } from './tiers-available.ts';
import { view } from './views.ts';

const reference = openTier('reference').kernels;
const types = [Float32Array, Float64Array] as const;
type Float = (typeof types)[number];

const epsilonOf = (Type: Float): number => (Type === Float32Array ? 2 ** -24 : 2 ** -53);

/** Numbers around `centre`, of about the size of `spread`. */
function draw(Type: Float, length: number, seed: number, centre = 0, spread = 1): FloatArray {
  const values = new Type(length);
  let state = seed * 2 + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = centre + (spread * state) / 2 ** 31;
  }
  return values;
}

function expectWithin(
  got: FloatArray,
  expected: FloatArray,
  bound: (i: number) => number,
  what: string,
): void {
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(got[i], expected[i]) || got[i] === expected[i]) continue;
    if (!(Math.abs(got[i] - expected[i]) <= bound(i)))
      expect.fail(`${what}[${i}] = ${got[i]}, reference ${expected[i]}, may be ${bound(i)} off`);
  }
}

const seed = fc.nat(999);
/** Lines of all lengths, alone and side by side; and rows of few elements, of which many are taken together. */
const sizes = fc.oneof(
  fc.record({
    outer: fc.integer({ min: 1, max: 12 }),
    n: fc.integer({ min: 1, max: 200 }),
    inner: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 300 })),
    seed,
  }),
  fc.record({
    outer: fc.integer({ min: 60, max: 140 }),
    n: fc.integer({ min: 1, max: 40 }),
    inner: fc.constant(1),
    seed,
  }),
);

const geometries = fc
  .record({
    batch: fc.integer({ min: 1, max: 20 }),
    groups: fc.integer({ min: 1, max: 5 }),
    channels: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 300 })),
    places: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
    over: fc.constantFrom('sample' as const, 'batch' as const),
    centred: fc.boolean(),
    eps: fc.constant(1e-5),
  })
  .filter((g) => g.channels * g.places * (g.over === 'batch' ? g.batch : 1) > 1);

/** Two that are long enough for many tasks, and for more than one piece on WebAssembly. */
const long: readonly NormGeometry[] = [
  { batch: 40, groups: 70, channels: 1, places: 57, over: 'batch', centred: true, eps: 1e-5 },
  { batch: 700, groups: 211, channels: 1, places: 1, over: 'batch', centred: true, eps: 1e-5 },
  { batch: 300, groups: 1, channels: 531, places: 1, over: 'sample', centred: true, eps: 1e-5 },
  { batch: 9, groups: 3, channels: 5, places: 1213, over: 'sample', centred: true, eps: 1e-5 },
  // Single sets that threads share, on edges of pieces and of channels.
  { batch: 2, groups: 1, channels: 70_003, places: 1, over: 'sample', centred: true, eps: 1e-5 },
  { batch: 1, groups: 2, channels: 3, places: 30_011, over: 'sample', centred: false, eps: 1e-5 },
  { batch: 1, groups: 2, channels: 1, places: 70_001, over: 'batch', centred: true, eps: 1e-5 },
  // Results that are written past the caches, from any place in a line of them on.
  { batch: 601, groups: 1, channels: 1003, places: 1, over: 'sample', centred: true, eps: 1e-5 },
  { batch: 601, groups: 1003, channels: 1, places: 1, over: 'batch', centred: true, eps: 1e-5 },
  { batch: 31, groups: 5, channels: 4, places: 1009, over: 'sample', centred: true, eps: 1e-5 },
  { batch: 31, groups: 20, channels: 1, places: 1009, over: 'batch', centred: true, eps: 1e-5 },
];

/** Everything that the kernels make of one geometry. */
function allOf(kernels: Kernels, Type: Float, g: NormGeometry, seed: number): Record<string, FloatArray> {
  const parameters = g.groups * g.channels;
  const size = g.batch * parameters * g.places;
  const sets = g.groups * (g.over === 'sample' ? g.batch : 1);
  const x = draw(Type, size, seed, 3, 2);
  const cotangent = draw(Type, size, seed + 1, 0.3);
  const [weight, bias] = [draw(Type, parameters, seed + 2, 0.5), draw(Type, parameters, seed + 3)];
  const [mean, rstd, variance] = [1, 2, 3].map(() => new Type(sets).fill(7));
  const [y, again, slope] = [1, 2, 3].map(() => new Type(size).fill(7));
  const weightGrad = new Type(parameters).fill(7);
  kernels.normalise(g, x, { weight, bias }, y, { mean, rstd, variance });
  // Who wants no moments gets the same bits.
  const alone = new Type(size).fill(7);
  kernels.normalise(g, x, { weight, bias }, alone, null);
  expect(differentBits(alone, y)).toEqual([]);
  // From the same statistics on, so that errors do not add up.
  const given = { mean: draw(Type, sets, seed + 4, 3, 0.1), rstd: draw(Type, sets, seed + 5, 1, 0.2) };
  kernels.normaliseBy(g, x, { weight, bias }, given, again);
  kernels.normaliseGrad(g, cotangent, x, weight, given, { x: slope, weight: null });
  kernels.normaliseWeightGrad(g, cotangent, x, given, weightGrad);
  // Who wants both at once gets the same bits of each.
  const [slopeBeside, weightGradBeside] = [new Type(size).fill(7), new Type(parameters).fill(7)];
  kernels.normaliseGrad(g, cotangent, x, weight, given, { x: slopeBeside, weight: weightGradBeside });
  expect(differentBits(slopeBeside, slope)).toEqual([]);
  expect(differentBits(weightGradBeside, weightGrad)).toEqual([]);
  return { y, mean, rstd, variance, again, slope, weightGrad };
}

const LONG_SEED = 5;
// What the reference makes of them, which takes longer than each of the tiers: once for all.
const ofLong = new Map<Float, Map<NormGeometry, Record<string, FloatArray>>>(
  types.map((Type) => [Type, new Map()]),
);

function expectedOfLong(Type: Float, g: NormGeometry): Record<string, FloatArray> {
  const known = ofLong.get(Type)?.get(g);
  if (known) return known;
  const made = allOf(reference, Type, g, LONG_SEED);
  ofLong.get(Type)?.set(g, made);
  return made;
}

describe.each(fastTiers)('%s', (_name, { kernels, setThreads }) => {
  afterAll(() => {
    setThreads(4);
  });

  describe.each(types)('%o', (Type) => {
    const eps = epsilonOf(Type);

    test('softmax, its logarithm, logsumexp and gradients along any axis', () => {
      fc.assert(
        fc.property(sizes, fc.integer({ min: 1, max: 4 }), ({ outer, n, inner, seed }, threads) => {
          setThreads(threads);
          const shape = [outer, n, inner];
          const size = outer * n * inner;
          const x = draw(Type, size, seed, 0, 12);
          if (seed % 7 === 0) x[seed % size] = [Infinity, -Infinity, Number.NaN][seed % 3];
          const g = draw(Type, size, seed + 1);
          const run = (k: Kernels): FloatArray[] => {
            const results = [1, 2, 3, 4].map(() => new Type(size).fill(7));
            const sums = new Type(outer * inner).fill(7);
            k.softmax(view(x, shape), 1, results[0]);
            k.logSoftmax(view(x, shape), 1, results[1]);
            k.logsumexp(view(x, shape), [1], sums);
            return [...results.slice(0, 2), sums];
          };
          const [got, expected] = [run(kernels), run(reference)];
          // The rounding of x - largest, which is at most 24, becomes a relative one.
          expectWithin(got[0], expected[0], (i) => 30 * eps * expected[0][i] + 2 ** -149, 'softmax');
          expectWithin(got[1], expected[1], (i) => 4 * eps * (12 + Math.abs(expected[1][i])), 'logSoftmax');
          expectWithin(got[2], expected[2], (i) => 4 * eps * (12 + Math.abs(expected[2][i])), 'logsumexp');
          for (const [name, y] of [
            ['softmaxGrad', expected[0]],
            ['logSoftmaxGrad', expected[1]],
          ] as const) {
            const [one, two] = [new Type(size).fill(7), new Type(size)];
            kernels[name](g, y, shape, 1, one);
            reference[name](g, y, shape, 1, two);
            // A line's sum is of n terms of at most 1, in double precision; float32 rounds each before.
            const factor = name === 'softmaxGrad' ? 1 : n;
            expectWithin(one, two, (i) => 6 * eps * (Math.abs(g[i]) + factor), name);
          }
        }),
        { numRuns: 80 },
      );
    });

    test.each([
      { what: 'rows that threads share', outer: 2, n: 70_003 },
      { what: 'results that are written past the caches', outer: 601, n: 1003 },
    ])('$what: the same bits on any number of threads, and every number counts', ({ outer, n }) => {
      const size = outer * n;
      const run = (k: Kernels, x: FloatArray, g: FloatArray): Record<string, FloatArray> => {
        const [y, log, slope, logSlope] = [1, 2, 3, 4].map(() => new Type(size).fill(7));
        const sums = new Type(outer).fill(7);
        k.softmax(view(x, [outer, n]), 1, y);
        k.logSoftmax(view(x, [outer, n]), 1, log);
        k.logsumexp(view(x, [outer, n]), [1], sums);
        k.softmaxGrad(g, y, [outer, n], 1, slope);
        k.logSoftmaxGrad(g, log, [outer, n], 1, logSlope);
        return { y, log, sums, slope, logSlope };
      };
      const g = draw(Type, size, 2);
      const check = (x: FloatArray, counts: readonly number[]): void => {
        const expected = run(reference, x, g);
        const results = counts.map((threads) => {
          setThreads(threads);
          return run(kernels, x, g);
        });
        for (const result of results)
          for (const name of Object.keys(expected))
            expect(differentBits(result[name], results[0][name]), name).toEqual([]);
        const [got] = results;
        // The reference adds up one by one, in double precision.
        const share = 40 * eps + 2 * Math.sqrt(n) * 2 ** -53;
        expectWithin(got.y, expected.y, (i) => share * expected.y[i] + 2 ** -149, 'softmax');
        expectWithin(got.log, expected.log, (i) => 4 * eps * (12 + Math.abs(expected.log[i])), 'logSoftmax');
        expectWithin(
          got.sums,
          expected.sums,
          (i) => 4 * eps * (12 + Math.abs(expected.sums[i])),
          'logsumexp',
        );
        // Shares are below a hundredth here, so that the sum of n products is as good as one of them.
        expectWithin(got.slope, expected.slope, (i) => 1.5 * share * expected.y[i], 'softmaxGrad');
        expectWithin(
          got.logSlope,
          expected.logSlope,
          (i) => 6 * eps * (Math.abs(g[i]) + 400 * expected.y[i]),
          'logs',
        );
      };
      const plain = (): FloatArray => draw(Type, size, 1, 0, 6);
      check(plain(), [1, 2, 3, 4]);
      // A piece of nothing but -Infinity, a row of it, and single numbers that make all of a row NaN.
      if (n > 40_000) check(plain().fill(-Infinity, 20_000, 40_000), [1, 3]);
      check(plain().fill(-Infinity, n, 2 * n), [1, 4]);
      for (const value of [Infinity, Number.NaN]) {
        const x = plain();
        x[n + (n >> 1)] = value;
        check(x, [1, 2]);
      }
    });

    test('cross entropy of rows and of places, smoothed and not, and its gradient', () => {
      fc.assert(
        fc.property(
          sizes,
          fc.constantFrom(0, 0.1, 1),
          fc.integer({ min: 1, max: 4 }),
          ({ outer: batch, n: classes, inner: places, seed }, smoothing, threads) => {
            const g: ClassGeometry = { batch, classes, places, smoothing };
            const count = batch * places;
            // Far from 0: what counts are differences.
            const x = draw(Type, count * classes, seed, seed % 2 ? 1000 : 0, 12);
            const target = Int32Array.from({ length: count }, (_, i) => ((i * 7 + seed) % (classes + 1)) - 1);
            const cotangent = draw(Type, count, seed + 1);
            const run = (k: Kernels) => {
              const [losses, out] = [new Type(count).fill(7), new Type(x.length).fill(7)];
              const logs = new Float64Array(count).fill(7);
              k.crossEntropy(g, x, target, losses, logs);
              k.crossEntropyGrad(g, cotangent, x, target, logs, out);
              return { losses, logs, out };
            };
            const expected = run(reference);
            setThreads(threads);
            const got = run(kernels);
            setThreads(1);
            for (const [name, array] of Object.entries(run(kernels)))
              expect(differentBits(array, got[name as 'logs']), name).toEqual([]);
            expectWithin(got.losses, expected.losses, () => 64 * eps, 'losses');
            // float32 adds up float32 exponentials; the offset of float64 logarithms is rounded.
            expectWithin(got.logs, expected.logs, () => 8 * eps + 2 ** -42, 'logs');
            expectWithin(got.out, expected.out, () => 40 * eps + 2 ** -42, 'gradient');
          },
        ),
        { numRuns: 60 },
      );
    });

    test('targets of no class have neither loss nor gradient, whatever their logits; what is not a number stays so', () => {
      for (const places of [1, 3]) {
        const g: ClassGeometry = { batch: 64, classes: 5, places, smoothing: 0 };
        const count = 64 * places;
        const x = draw(Type, count * 5, 1);
        // All places of samples 0 and 1.
        x.fill(Number.NaN, 0, 10 * places);
        const target = new Int32Array(count).fill(2).fill(-1, 0, places);
        const [losses, out] = [new Type(count).fill(7), new Type(x.length).fill(7)];
        const logs = new Float64Array(count);
        kernels.crossEntropy(g, x, target, losses, logs);
        kernels.crossEntropyGrad(g, new Type(count).fill(1), x, target, logs, out);
        expect([...losses.subarray(0, places)]).toEqual(new Array(places).fill(0));
        expect([...out.subarray(0, 5 * places)]).toEqual(new Array(5 * places).fill(0));
        expect(
          [...losses.subarray(places, 2 * places), ...out.subarray(5 * places, 10 * places)].every(
            Number.isNaN,
          ),
        ).toBe(true);
        expect([...losses.subarray(2 * places), ...out.subarray(10 * places)].some(Number.isNaN)).toBe(false);
      }
    });

    test('logsumexp over axes that are apart', () => {
      const shape = [3, 5, 4, 7, 2];
      const x = draw(Type, 840, 4, 0, 9);
      for (const axes of [
        [0, 2],
        [1, 3],
        [0, 4],
        [0, 2, 4],
        [1, 2, 4],
        [0, 1, 2, 3, 4],
      ]) {
        const length = shape.reduce((p, extent, axis) => (axes.includes(axis) ? p : p * extent), 1);
        const [got, expected] = [new Type(length).fill(7), new Type(length)];
        kernels.logsumexp(view(x, shape), axes, got);
        reference.logsumexp(view(x, shape), axes, expected);
        expectWithin(got, expected, () => 64 * eps, `logsumexp over ${axes}`);
      }
    });

    test.each(['any', 'long'] as const)('normalisations of %s geometry and their gradients', (which) => {
      const check = (g: NormGeometry, seed: number): void => {
        const expected = which === 'long' ? expectedOfLong(Type, g) : allOf(reference, Type, g, seed);
        const results = [1, 2, 3, 4].map((threads) => {
          setThreads(threads);
          return allOf(kernels, Type, g, seed);
        });
        for (const result of results) {
          for (const name of Object.keys(expected))
            expect(differentBits(result[name], results[0][name]), name).toEqual([]);
        }
        const [got] = results;
        const count = g.channels * g.places * (g.over === 'batch' ? g.batch : 1);
        // Both add up in double precision, the reference one by one.
        const added = (16 + 2 * Math.sqrt(count)) * 2 ** -53;
        const steepest = Math.max(1, ...expected.rstd);
        // Elements and mean are at most 5, weights 1.5: their rounding, magnified as the deviation is small.
        // Means of chunks are joined, a rounding or two of a number near 3 each time.
        expectWithin(got.mean, expected.mean, () => 256 * eps, 'mean');
        expectWithin(got.rstd, expected.rstd, (i) => 32 * eps * expected.rstd[i] ** 3 * 25, 'rstd');
        // Squares are at most 25.
        expectWithin(got.variance, expected.variance, () => 25 * (4 * eps + added), 'variance');
        expectWithin(got.y, expected.y, () => 400 * eps * steepest ** 3, 'y');
        expectWithin(got.again, expected.again, () => 64 * eps, 'by');
        expectWithin(got.slope, expected.slope, () => 200 * eps + added, 'grad');
        const terms = g.batch * g.places;
        expectWithin(got.weightGrad, expected.weightGrad, () => 16 * eps * (1 + terms), 'weight');
        expect(count).toBeGreaterThan(1);
      };
      if (which === 'long') {
        for (const g of long) check(g, LONG_SEED);
        return;
      }
      fc.assert(fc.property(geometries, fc.nat(999), check), { numRuns: 60 });
    });

    test('sums and squares that overflow in float32 are those of double precision', () => {
      const huge = Type === Float32Array ? 1e38 : 1e300;
      for (const [n, places] of [
        [260, 1],
        [65, 1],
        [4, 67],
      ]) {
        const g: NormGeometry = {
          batch: 9,
          groups: 1,
          channels: n,
          places,
          over: 'sample',
          centred: true,
          eps: 1e-5,
        };
        const size = 9 * n * places;
        const [weight, bias] = [new Type(n).fill(1), new Type(n)];
        const given = { mean: new Type(9).fill(0.25), rstd: new Type(9).fill(2) };
        const [x, cotangent] = [draw(Type, size, 3, 1, 0.25), new Type(size).fill(huge)];
        const run = (k: Kernels): FloatArray[] => {
          const [slope, weightGrad] = [new Type(size).fill(7), new Type(n).fill(7)];
          k.normaliseGrad(g, cotangent, x, weight, given, { x: slope, weight: null });
          k.normaliseWeightGrad(g, cotangent.map((c) => c / 100) as FloatArray, x, given, weightGrad);
          return [slope, weightGrad];
        };
        const [got, expected] = [run(kernels), run(reference)];
        expectWithin(got[0], expected[0], () => 400 * eps * huge, 'grad');
        expectWithin(got[1], expected[1], () => 400 * eps * huge, 'weight');
        // Far from 0, where mean · rstd overflows but no deviation does.
        const far = new Type(size).fill(huge / 50);
        const flat = { mean: new Type(9).fill(huge / 50), rstd: new Type(9).fill(316) };
        const slope = new Type(size).fill(7);
        kernels.normaliseGrad(g, x, far, weight, flat, { x: slope, weight: null });
        expect(slope.every(Number.isFinite)).toBe(true);
        const y = new Type(size).fill(7);
        const [mean, rstd, variance] = [1, 2, 3].map(() => new Type(9));
        const large = new Type(size).fill(Math.sqrt(huge) * 2);
        kernels.normalise({ ...g, centred: false }, large, { weight, bias }, y, { mean, rstd, variance });
        expectWithin(y, new Type(size).fill(1), () => 4 * eps, 'y');
      }
    });

    // As PyTorch's native_batch_norm gives them: running means stay what they are the means of.
    test.each(['sample', 'batch'] as const)('the mean of infinite elements is infinite over a %s', (over) => {
      const [batch, groups, places] = [6, 3, 17];
      const g: NormGeometry = { batch, groups, channels: 1, places, over, centred: true, eps: 1e-5 };
      const x = draw(Type, batch * groups * places, 3, 0, 1);
      x[4] = Infinity;
      x[places + 4] = -Infinity;
      x[2 * places + 4] = Infinity;
      x[2 * places + 9] = -Infinity;
      const affine = { weight: new Type(groups).fill(1), bias: new Type(groups) };
      for (const k of [kernels, reference]) {
        const sets = over === 'sample' ? batch * groups : groups;
        const [mean, rstd, variance] = [1, 2, 3].map(() => new Type(sets));
        k.normalise(g, x, affine, new Type(x.length), { mean, rstd, variance });
        expect([...mean.subarray(0, 3)]).toEqual([Infinity, -Infinity, Number.NaN]);
        expect(variance.subarray(0, 3).every(Number.isNaN)).toBe(true);
      }
    });

    test('variances over any axes, far from 0 too', () => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
          fc.nat(15),
          fc.nat(999),
          (shape, mask, seed) => {
            const axes = shape.map((_, axis) => axis).filter((axis) => (mask >> axis) & 1);
            const size = shape.reduce((p, q) => p * q, 1);
            const length = shape.reduce((p, q, axis) => (axes.includes(axis) ? p : p * q), 1);
            const [got, expected] = [new Type(length).fill(7), new Type(length)];
            const x = draw(Type, size, seed, 100, 1);
            kernels.variance(view(x, shape), axes, 1, got);
            reference.variance(view(x, shape), axes, 1, expected);
            expectWithin(got, expected, (i) => 4 * eps * expected[i] + 2 ** -44, 'variance');
          },
        ),
        { numRuns: 100 },
      );
    });

    test('the variance of a long array, by rows, by columns and of it all: nothing is lost far from 0', () => {
      const [rows, columns] = [1003, 517];
      // Means of chunks have the rounding of numbers near 1000; their differences enter squared. A hundredth of 1e-10 is asked for.
      const joined = 1e-12;
      for (const centre of [0, 1000]) {
        const x = draw(Type, rows * columns, 3, centre, 1);
        for (const axes of [[0], [1], [0, 1]]) {
          const length = axes.length === 2 ? 1 : axes[0] === 0 ? columns : rows;
          const expected = new Type(length);
          reference.variance(view(x, [rows, columns]), axes, 1, expected);
          for (const threads of [1, 3]) {
            setThreads(threads);
            const got = new Type(length);
            kernels.variance(view(x, [rows, columns]), axes, 1, got);
            expectWithin(got, expected, (i) => (2 * eps + joined) * expected[i], 'variance');
          }
        }
      }
    });
  });
});
