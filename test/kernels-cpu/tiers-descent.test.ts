// Steps of optimisers of every fast tier and instruction set, against the reference: values, and all that is kept.

import { type DescentKernels, type FloatArray, openTier, setNumThreads } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { differentBits, fastTiers } from './tiers-available.ts';

const reference = openTier('reference').kernels;
const types = [Float32Array, Float64Array] as const;
type Float = (typeof types)[number];

/** Numbers of many sizes; never negative where they are mean squares. */
function numbers(Type: Float, length: number, seed: number, sign: 'any' | 'positive'): FloatArray {
  let state = seed * 2 + 1;
  const values = new Type(length);
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const unit = (state / 2 ** 31) * 2 ** (((state >>> 8) % 20) - 10);
    values[i] = sign === 'any' ? unit : Math.abs(unit);
  }
  return values;
}

type Step = (kernels: DescentKernels, arrays: readonly FloatArray[]) => void;

const share = fc.double({ min: 0.01, max: 0.999, noNaN: true });
const rate = fc.double({ min: 1e-6, max: 1, noNaN: true });

/** How many arrays a step takes beside values and gradient, which of them are mean squares, and the step. */
interface StepCase {
  readonly kept: readonly ('any' | 'positive')[];
  readonly run: Step;
}

const sgd: fc.Arbitrary<StepCase> = fc
  .record({
    lr: rate,
    momentum: share,
    dampening: fc.constantFrom(0, 0.3),
    weightDecay: fc.constantFrom(0, 0.01),
    nesterov: fc.boolean(),
    maximize: fc.boolean(),
    has: fc.boolean(),
    which: fc.constantFrom('first' as const, 'later' as const),
  })
  .map(({ has, which, ...own }) => ({
    kept: has ? ['any'] : [],
    run: (kernels, [values, gradient, velocity = null]) =>
      kernels.sgdStep(values, gradient, velocity, which, own),
  }));

const adam: fc.Arbitrary<StepCase> = fc
  .record({
    lr: rate,
    betas: fc.tuple(share, share),
    eps: fc.constantFrom(1e-8, 1e-3),
    coupled: fc.constantFrom(0, 0.01),
    kept: fc.constantFrom(1, 0.99),
    maximize: fc.boolean(),
    step: fc.integer({ min: 1, max: 1000 }),
    has: fc.boolean(),
  })
  .map(({ has, ...own }) => ({
    kept: has ? ['any', 'positive', 'positive'] : ['any', 'positive'],
    run: (kernels, [values, gradient, mean, square, largest = null]) =>
      kernels.adamStep(values, gradient, mean, square, largest, own),
  }));

const rmsprop: fc.Arbitrary<StepCase> = fc
  .record({
    lr: rate,
    alpha: share,
    eps: fc.constantFrom(1e-8, 1e-3),
    weightDecay: fc.constantFrom(0, 0.01),
    momentum: share,
    maximize: fc.boolean(),
    has: fc.boolean(),
  })
  .map(({ has, ...own }) => ({
    kept: has ? ['positive', 'any'] : ['positive'],
    run: (kernels, [values, gradient, square, velocity = null]) =>
      kernels.rmspropStep(values, gradient, square, null, velocity, own),
  }));

// With a mean near the root of the mean square the spread is a small difference: it is compared where it is large.
const centred: fc.Arbitrary<StepCase> = fc.boolean().map((has) => ({
  kept: has ? ['positive', 'any', 'any'] : ['positive', 'any'],
  run: (kernels, [values, gradient, square, mean, velocity = null]) => {
    for (let i = 0; i < square.length; i++) square[i] += 10 + 4 * mean[i] ** 2 + gradient[i] ** 2;
    const own = { lr: 0.1, alpha: 0.9, eps: 1e-8, weightDecay: 0.1, momentum: 0.8, maximize: false };
    kernels.rmspropStep(values, gradient, square, mean, velocity, own);
  },
}));

const steps = { sgd, adam, rmsprop, 'centred rmsprop': centred };

function arraysOf(Type: Float, length: number, seed: number, { kept }: StepCase): FloatArray[] {
  return (['any', 'any', ...kept] as const).map((sign, k) => numbers(Type, length, seed + 7 * k, sign));
}

describe.each(fastTiers)('%s', (_, { kernels, setThreads }) => {
  afterAll(() => void setThreads(setNumThreads(4)));

  describe.each(types)('%o', (Type) => {
    test.each(Object.entries(steps))(
      '%s gives the numbers that the reference gives within a few units of what goes in',
      (_name, cases) => {
        const [length, seed] = [fc.integer({ min: 0, max: 500 }), fc.nat(999)];
        const unit = Type === Float32Array ? 2 ** -23 : 2 ** -52;
        fc.assert(
          fc.property(cases, length, seed, (step, n, s) => {
            const got = arraysOf(Type, n, s, step);
            step.run(kernels, got);
            /** What comes out in double precision if one of the arrays that go in is `units` units larger. */
            const reached = (larger: number, units: number): FloatArray[] => {
              const arrays = arraysOf(Type, n, s, step).map((array, k) =>
                Float64Array.from(array, (value) => (k === larger ? value * (1 + units * unit) : value)),
              );
              step.run(reference, arrays);
              return arrays;
            };
            const expected = reached(0, 0);
            const moved = expected.map((_, k) => reached(k, 8));
            for (const [k, values] of expected.entries()) {
              for (let i = 0; i < n; i++) {
                const bound = moved.reduce(
                  (total, arrays) => total + Math.abs(arrays[k][i] - values[i]),
                  4 * unit * Math.abs(values[i]) + Number.MIN_VALUE,
                );
                if (!(Math.abs(got[k][i] - values[i]) <= bound))
                  expect.fail(`array ${k}, element ${i}: ${got[k][i]}, reference ${values[i]} ± ${bound}`);
              }
            }
          }),
          { numRuns: 40 },
        );
      },
    );

    test.each(Object.entries(steps))('%s has the same bits on any number of threads', (_name, cases) => {
      const [step] = fc.sample(cases, { numRuns: 1, seed: 5 });
      const run = (threads: number): FloatArray[] => {
        setThreads(threads);
        const arrays = arraysOf(Type, 50_001, 3, step);
        step.run(kernels, arrays);
        return arrays;
      };
      const alone = run(1);
      for (const threads of [2, 3, 4]) {
        for (const [k, array] of run(threads).entries()) expect(differentBits(array, alone[k])).toEqual([]);
      }
    });
  });

  test('NaN and infinity go where the reference lets them go', () => {
    const values = numbers(Float32Array, 500, 1, 'any');
    const strange = [Number.NaN, Infinity, -Infinity, 0, -0];
    const own = {
      lr: 0.1,
      betas: [0.9, 0.99],
      eps: 1e-8,
      coupled: 0,
      kept: 1,
      maximize: false,
      step: 2,
    } as const;
    const run = (tier: DescentKernels): FloatArray[] => {
      const [value, gradient, mean] = [values.slice(), values.slice(), values.slice()];
      const [square, largest] = [values.map(Math.abs), values.map(Math.abs)];
      for (let i = 0; i < 25; i++) {
        gradient[i] = strange[i % 5];
        square[i] = Math.abs(strange[(i / 5) | 0]);
        largest[499 - i] = Math.abs(strange[i % 5]);
      }
      tier.adamStep(value, gradient, mean, square, largest, own);
      return [value, mean, square, largest];
    };
    const [got, expected] = [run(kernels), run(reference)];
    for (const [k, array] of expected.entries())
      for (const [i, wanted] of array.entries()) {
        if (!Number.isFinite(wanted)) expect(got[k][i], `array ${k}, element ${i}`).toBe(wanted);
      }
  });
});
