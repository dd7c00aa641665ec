// Softmax, logsumexp, variance and the linear recurrence over any view, against their definitions and at their ends.

import { kernels, type Strided } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { indices } from './trilinear.ts';
import {
  at,
  doubles,
  elements,
  moved,
  shapeArbitrary,
  stridedArbitrary,
  view,
  wholeDoubles,
} from './views.ts';

/** A view with at least one axis, and one of its axes. */
const withAxis = shapeArbitrary
  .filter((shape) => shape.length > 0)
  .chain((shape) => fc.tuple(stridedArbitrary(shape, doubles), fc.nat(shape.length - 1)));

/** For each element in row-major order, its line along the axis and its place there. */
function lines(a: Strided, axis: number): { readonly line: number[]; readonly place: number }[] {
  return [...indices(a.shape)].map((index) => ({
    line: Array.from({ length: a.shape[axis] }, (_, i) => at(a, moved(index, axis, i))),
    place: index[axis],
  }));
}

const close = (actual: number, expected: number): boolean =>
  Math.abs(actual - expected) <= 1e-14 * Math.max(1, Math.abs(expected));

const total = (values: readonly number[]): number => values.reduce((p, q) => p + q, 0);

function ran(run: (out: Float64Array) => void, length: number): number[] {
  const out = new Float64Array(length).fill(Number.NaN);
  run(out);
  return [...out];
}

describe('along an axis of any view', () => {
  test('softmax and its logarithm are what the quotient of exponentials says', () => {
    fc.assert(
      fc.property(withAxis, ([a, axis]) => {
        const expected = lines(a, axis).map(
          ({ line, place }) => Math.exp(line[place]) / total(line.map((x) => Math.exp(x))),
        );
        const shares = ran((out) => kernels.softmax(a, axis, out), expected.length);
        const logs = ran((out) => kernels.logSoftmax(a, axis, out), expected.length);
        expected.forEach((share, i) => {
          expect(close(shares[i] / share, 1)).toBe(true);
          expect(close(logs[i], Math.log(share))).toBe(true);
        });
      }),
    );
  });

  test('softmax does not change when all elements are shifted, however far', () => {
    const a = Float64Array.of(3, 1, -2, 0);
    const shares = ran((out) => kernels.softmax(view(a), 0, out), 4);
    for (const shift of [1000, -1000, 2 ** 40]) {
      const shifted = view(a.map((x) => x + shift));
      expect(ran((out) => kernels.softmax(shifted, 0, out), 4)).toEqual(shares);
      expect(ran((out) => kernels.logsumexp(shifted, [0], out), 1)[0]).toBeCloseTo(
        shift - Math.log(shares[3]),
        shift === 2 ** 40 ? 3 : 10,
      );
    }
  });

  test('infinities: -Infinity has no share; Infinity, NaN, and -Infinity alone make NaN', () => {
    const line = (...values: number[]): number[] =>
      ran((out) => kernels.softmax(view(Float64Array.from(values)), 0, out), values.length);
    expect(line(-Infinity, 5)).toEqual([0, 1]);
    expect(line(-Infinity, -Infinity)).toEqual([Number.NaN, Number.NaN]);
    expect(line(Number.NaN, 1)).toEqual([Number.NaN, Number.NaN]);
    expect(line(Infinity, 1)[0]).toBeNaN();
    const logs = ran((out) => kernels.logSoftmax(view(Float64Array.of(-Infinity, 5)), 0, out), 2);
    expect(logs).toEqual([-Infinity, 0]);
  });

  test('the recurrence is the sum of all products that its unrolling has, exactly', () => {
    const pairs = shapeArbitrary
      .filter((shape) => shape.length > 0)
      .chain((shape) =>
        fc.tuple(
          stridedArbitrary(shape, wholeDoubles),
          stridedArbitrary(shape, wholeDoubles),
          fc.nat(shape.length - 1),
        ),
      );
    fc.assert(
      fc.property(pairs, ([a, b, axis]) => {
        const factors = lines(a, axis);
        const terms = lines(b, axis);
        const expected = terms.map(({ line, place }, i) =>
          total(
            line
              .slice(0, place + 1)
              .map((term, j) => factors[i].line.slice(j + 1, place + 1).reduce((p, q) => p * q, term)),
          ),
        );
        const actual = ran((out) => kernels.recurrence(a, b, axis, out), expected.length);
        expect(actual.map((x) => x + 0)).toEqual(expected.map((x) => x + 0));
      }),
    );
  });

  test('the recurrence does not read the first factor', () => {
    const a = view(Float64Array.of(Number.NaN, 2));
    const b = view(Float64Array.of(3, 1));
    expect(ran((out) => kernels.recurrence(a, b, 0, out), 2)).toEqual([3, 7]);
  });
});

describe('over any axes of any view', () => {
  const withAxes = shapeArbitrary.chain((shape) =>
    fc.tuple(
      stridedArbitrary(shape, wholeDoubles),
      fc.subarray([...shape.keys()]),
      fc.integer({ min: 0, max: 3 }),
    ),
  );

  function groups(a: Strided, axes: readonly number[]): number[][] {
    const kept = a.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    const spread = a.shape.map((extent, axis) => (axes.includes(axis) ? extent : 1));
    return [...indices(kept)].map((outer) =>
      [...indices(spread)].map((inner) =>
        at(
          a,
          outer.map((i, axis) => i + inner[axis]),
        ),
      ),
    );
  }

  test('the variance of whole numbers is (n Σx² − (Σx)²) / (n (n − correction)), a quotient of whole numbers', () => {
    fc.assert(
      fc.property(withAxes, ([a, axes, correction]) => {
        const expected = groups(a, axes).map((values) => {
          const n = values.length;
          const squares = n * total(values.map((x) => x * x)) - total(values) ** 2;
          return squares / (n * Math.max(0, n - correction));
        });
        const actual = ran((out) => kernels.variance(a, axes, correction, out), expected.length);
        expected.forEach((value, i) => {
          if (Number.isFinite(value)) expect(close(actual[i], value)).toBe(true);
          // n <= correction: 0 / 0, or something / 0 where rounding has not left exactly 0.
          else expect(Number.isFinite(actual[i])).toBe(false);
        });
      }),
    );
  });

  test('the variance keeps its digits under a mean that dwarfs it', () => {
    const base = [4, 7, 13, 16];
    for (const shift of [0, 1e6, 1e9, 1e15]) {
      const a = view(Float64Array.from(base, (x) => x + shift));
      expect(ran((out) => kernels.variance(a, [0], 1, out), 1)).toEqual([30]);
    }
    // The mean, 10^15 + 2/3, lies between two doubles.
    const between = view(Float64Array.of(1e15, 1e15 + 1, 1e15 + 1));
    expect(close(ran((out) => kernels.variance(between, [0], 1, out), 1)[0], 1 / 3)).toBe(true);
  });

  test('logsumexp is the logarithm of the sum of exponentials', () => {
    const views = shapeArbitrary.chain((shape) =>
      fc.tuple(stridedArbitrary(shape, doubles), fc.subarray([...shape.keys()])),
    );
    fc.assert(
      fc.property(views, ([a, axes]) => {
        const expected = groups(a, axes).map((values) => Math.log(total(values.map((x) => Math.exp(x)))));
        const actual = ran((out) => kernels.logsumexp(a, axes, out), expected.length);
        expected.forEach((value, i) => {
          expect(value === actual[i] || close(actual[i], value)).toBe(true);
        });
      }),
    );
  });

  test('logsumexp at its ends', () => {
    const of = (...values: number[]): number =>
      ran((out) => kernels.logsumexp(view(Float64Array.from(values)), [0], out), 1)[0];
    expect(of()).toBe(-Infinity);
    expect(of(-Infinity, -Infinity)).toBe(-Infinity);
    expect(of(-Infinity, Infinity)).toBe(Infinity);
    expect(of(Number.NaN, 1)).toBeNaN();
    expect(of(-800, -800)).toBe(-800 + Math.LN2);
  });
});

test('hardsigmoid and hardswish are straight lines and a parabola between -3 and 3', () => {
  const x = Float64Array.of(-Infinity, -3, -1.5, 0, 1.5, 3, Infinity, Number.NaN);
  expect(ran((out) => kernels.hardsigmoid(view(x), out), 8)).toEqual([
    0,
    0,
    0.25,
    0.5,
    0.75,
    1,
    1,
    Number.NaN,
  ]);
  expect(ran((out) => kernels.hardswish(view(x), out), 8).slice(1)).toEqual([
    -0,
    -0.375,
    0,
    1.125,
    3,
    Infinity,
    Number.NaN,
  ]);
});

test('a view that is not contiguous gives what its elements give', () => {
  fc.assert(
    fc.property(withAxis, ([a, axis]) => {
      const plain = view(Float64Array.from(elements(a)), a.shape);
      for (const name of ['softmax', 'logSoftmax'] as const) {
        const length = plain.data.length;
        expect(ran((out) => kernels[name](a, axis, out), length)).toEqual(
          ran((out) => kernels[name](plain, axis, out), length),
        );
      }
    }),
  );
});
