// Reductions and scans: against their definitions on any layout, exact derivatives of products, and the corners.

import * as core from '@adjoint/core';
import {
  add,
  amax,
  argmax,
  argmin,
  cumprod,
  cumsum,
  grad,
  logSoftmax,
  logsumexp,
  max,
  mean,
  median,
  min,
  mul,
  norm,
  prod,
  type ReduceOptions,
  softmax,
  std,
  sub,
  sum,
  type Tensor,
  tensor,
  variance,
} from '@adjoint/core';
import { assertGradcheck, assertGradgradcheck, assertJvpcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutArbitrary } from './layouts.ts';

const float64 = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'float64' });
const values = (x: Tensor): number[] => [...x.toTypedArray()];
const whole = fc.integer({ min: -6, max: 6 });
const distinct = float64([
  [
    [0.3, -1.2],
    [2.1, 0.9],
    [-0.4, 1.7],
  ],
  [
    [1.1, 0.2],
    [-2.3, 0.7],
    [1.9, -0.8],
  ],
]);

describe('derivatives agree with differences, over some axes and over all', () => {
  const reductions: Record<string, (x: Tensor, options: ReduceOptions) => Tensor> = {
    amax,
    amin: core.amin,
    prod,
    logsumexp,
    variance,
    std,
    mean,
    norm2: (x, options) => norm(x, options),
    norm1: (x, options) => norm(x, { ...options, p: 1 }),
    norm3: (x, options) => norm(x, { ...options, p: 3 }),
    norm4: (x, options) => norm(x, { ...options, p: 4 }),
    normHalf: (x, options) => norm(x, { ...options, p: 0.5 }),
    normNegative: (x, options) => norm(x, { ...options, p: -1 }),
    normLargest: (x, options) => norm(x, { ...options, p: Infinity }),
  };
  test.each(Object.entries(reductions))('%s', (_, op) => {
    for (const options of [{}, { axes: [0, 2], keepdim: true }, { axes: -2 }] as const) {
      assertGradcheck((x) => op(x, options), [distinct]);
      assertJvpcheck((x) => op(x, options), [distinct]);
      assertGradgradcheck((x) => op(x, options), [distinct]);
    }
  });

  const along: Record<string, (x: Tensor, axis: number) => Tensor> = {
    softmax: (x, axis) => softmax(x, { axis }),
    logSoftmax: (x, axis) => logSoftmax(x, { axis }),
    cumsum: (x, axis) => cumsum(x, { axis }),
    cumprod: (x, axis) => cumprod(x, { axis }),
    max: (x, axis) => max(x, { axis }).values,
    median: (x, axis) => median(x, { axis }).values,
    min: (x, axis) => min(x, { axis, keepdim: true }).values,
  };
  test.each(Object.entries(along))('%s', (_, op) => {
    for (const axis of [0, 1, -1]) {
      assertGradcheck((x) => op(x, axis), [distinct]);
      assertJvpcheck((x) => op(x, axis), [distinct]);
      assertGradgradcheck((x) => op(x, axis), [distinct]);
    }
  });
});

describe('on any layout', () => {
  const lines = layoutArbitrary(whole).filter((x) => x.ndim > 0);
  /** The op on a view is what it is on a contiguous copy. */
  const same = (op: (x: Tensor) => Tensor): void => {
    fc.assert(
      fc.property(layoutArbitrary(whole), (x) => {
        expect(values(op(x))).toEqual(values(op(core.clone(x))));
      }),
      { numRuns: 60 },
    );
  };

  test('reductions of views, expanded, empty and 0-d tensors', () => {
    same(prod);
    same(logsumexp);
    same(variance);
    same((x) => norm(x, { p: 3 }));
    same((x) => core.any(x));
    same((x) => core.all(x));
    same((x) => (x.size > 0 ? max(x) : sum(x)));
    same((x) => (x.size > 0 ? argmax(x) : sum(x)));
  });

  test('logaddexp promotes as an element-wise op, and countNonzero names itself', () => {
    const half = core.tensor([1, 2], { dtype: 'float16' });
    for (const other of [0.5, core.tensor(0.5), core.tensor(0.5, { dtype: 'float64' }), half])
      expect(core.logaddexp(half, other).dtype).toBe(core.add(half, other).dtype);
    expect(core.logaddexp(core.tensor([1, 2], { dtype: 'int32' }), 1).dtype).toBe('float32');
    expect(() => core.countNonzero(half, { axes: 1 })).toThrow(/^countNonzero: axis is 1/);
  });

  test('cumsum ends with the sum, cumprod with the product, along every axis', () => {
    fc.assert(
      fc.property(lines, (x) => {
        x.shape.forEach((size, axis) => {
          if (size === 0) return;
          const last = (y: Tensor): number[] => values(core.narrow(y, axis, size - 1, 1)).map((v) => v + 0);
          const options = { axes: axis, keepdim: true };
          expect(last(cumsum(x, { axis }))).toEqual(values(sum(x, options)).map((v) => v + 0));
          expect(last(cumprod(x, { axis }))).toEqual(values(prod(x, options)).map((v) => v + 0));
        });
      }),
    );
  });

  test('max and min give the values at the places that argmax and argmin name', () => {
    fc.assert(
      fc.property(
        lines.filter((x) => x.size > 0),
        (x) => {
          x.shape.forEach((_, axis) => {
            const { values: largest, indices } = max(x, { axis, keepdim: true });
            expect(values(indices)).toEqual(values(argmax(x, { axis, keepdim: true })));
            expect(values(largest)).toEqual(values(amax(x, { axes: axis, keepdim: true })));
            expect(values(core.gather(x, axis, indices))).toEqual(values(largest));
            expect(values(argmin(x, { axis }))).toEqual(values(argmax(core.neg(x), { axis })));
          });
        },
      ),
    );
  });

  test('shares of softmax sum to 1, and their logarithms are those of logSoftmax', () => {
    fc.assert(
      fc.property(lines, (x) => {
        x.shape.forEach((_, axis) => {
          const shares = softmax(x, { axis });
          for (const total of values(sum(shares, { axes: axis }))) {
            if (x.shape[axis] > 0) expect(total).toBeCloseTo(1, 13);
          }
          const logs = values(logSoftmax(x, { axis }));
          values(core.log(shares)).forEach((log, i) => {
            expect(log).toBeCloseTo(logs[i], 12);
          });
        });
      }),
    );
  });
});

describe('products', () => {
  /** The product of all elements but those at the given places; what a derivative of a product is. */
  const others = (factors: readonly number[], places: readonly number[]): number =>
    factors.reduce((product, factor, i) => (places.includes(i) ? product : product * factor), 1);

  test('the derivatives of first, second and third order are products of the others, exactly, zeros and all', () => {
    const factors = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 3, maxLength: 6 });
    fc.assert(
      fc.property(factors, (numbers) => {
        const x = float64(numbers).requiresGrad_();
        const first = grad(prod(x), x, { createGraph: true });
        expect(values(first).map((v) => v + 0)).toEqual(numbers.map((_, i) => others(numbers, [i]) + 0));
        const second = grad(core.narrow(first, 0, 0, 1).sum(), x, { createGraph: true });
        expect(values(second).map((v) => v + 0)).toEqual(
          numbers.map((_, i) => (i === 0 ? 0 : others(numbers, [0, i]) + 0)),
        );
        const third = grad(core.narrow(second, 0, 1, 1).sum(), x);
        expect(values(third).map((v) => v + 0)).toEqual(
          numbers.map((_, i) => (i < 2 ? 0 : others(numbers, [0, 1, i]) + 0)),
        );
      }),
    );
  });

  test('over several axes each element has the product of the others of its group', () => {
    const x = float64([
      [
        [2, 3],
        [0, 5],
      ],
      [
        [7, 1],
        [2, -1],
      ],
    ]).requiresGrad_();
    expect(values(grad(sum(prod(x, { axes: [0, 2] })), x)).map((v) => v + 0)).toEqual([
      21, 14, -10, 0, 6, 42, 0, 0,
    ]);
  });

  test('the derivatives of a running product, exactly, zeros and all', () => {
    const factors = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(factors, (numbers) => {
        const n = numbers.length;
        const weights = numbers.map((_, i) => i + 1);
        const x = float64(numbers).requiresGrad_();
        const loss = sum(mul(cumprod(x, { axis: 0 }), float64(weights)));
        const first = grad(loss, x, { createGraph: true });
        const expected = (places: readonly number[]): number => {
          if (new Set(places).size < places.length) return 0;
          return weights.reduce(
            (total, weight, end) =>
              end < Math.max(...places) ? total : total + weight * others(numbers.slice(0, end + 1), places),
            0,
          );
        };
        expect(values(first).map((v) => v + 0)).toEqual(numbers.map((_, i) => expected([i]) + 0));
        const second = grad(core.narrow(first, 0, n - 1, 1).sum(), x, { createGraph: true });
        expect(values(second).map((v) => v + 0)).toEqual(numbers.map((_, i) => expected([n - 1, i]) + 0));
      }),
    );
  });
});

describe('median', () => {
  test('half of the elements at least are not above it, and half not below', () => {
    fc.assert(
      fc.property(
        layoutArbitrary(whole).filter((x) => x.size > 0),
        (x) => {
          const [y, n] = [median(x).item(), x.size];
          const numbers = values(x);
          expect(numbers).toContain(y);
          expect(numbers.filter((v) => v <= y).length).toBeGreaterThanOrEqual(n / 2);
          // The lower of two in the middle: more than half are not below it.
          expect(numbers.filter((v) => v >= y).length).toBeGreaterThan(n / 2);
          x.shape.forEach((_, axis) => {
            const { values: along, indices } = median(x, { axis, keepdim: true });
            expect(values(core.gather(x, axis, indices))).toEqual(values(along));
            if (x.ndim === 1) expect(along.item()).toBe(y);
          });
        },
      ),
    );
  });

  test('equal elements share its gradient, NaN is the median wherever it is, and integers of nothing have none', () => {
    const x = float64([1, 2, 2, 2, 5]).requiresGrad_();
    expect(values(grad(median(x), x))).toEqual([0, 1 / 3, 1 / 3, 1 / 3, 0]);
    const spoilt = float64([[1, Number.NaN, 0, Number.NaN]]);
    expect(median(spoilt).item()).toBeNaN();
    expect(values(median(spoilt, { axis: 1 }).indices)).toEqual([1]);
    expect(median(float64([])).item()).toBeNaN();
    expect(() => median(tensor([], { dtype: 'int32' }))).toThrow(core.ArgumentError);
    expect(() => median(core.zeros([0, 2]), { axis: 0 })).toThrow(expect.objectContaining({ op: 'median' }));
  });
});

describe('sizes that 16 bits do not hold', () => {
  test('the mean, deviation and norm of float16 are finite where their sums are not', () => {
    const x = core.full([40_000], 300, { dtype: 'float16' });
    expect(mean(x).item()).toBe(300);
    expect(norm(x).item()).toBe(60_000);
    const spread = tensor([-1000, 1000], { dtype: 'float16' });
    expect(std(spread, { correction: 0 }).item()).toBe(1000);
    expect(variance(spread).item()).toBe(Infinity);
  });

  test('more equal elements than float16 counts share the gradient alike', () => {
    const x = core.full([70_000], 3, { dtype: 'float16', requiresGrad: true });
    const share = tensor(1 / 70_000, { dtype: 'float16' }).item();
    expect(share).toBeGreaterThan(0);
    expect(values(grad(max(x), x)).every((slope) => slope === share)).toBe(true);
  });

  test('the mean of int32 does not wrap around', () => {
    expect(mean(tensor([2 ** 31 - 1, 2 ** 31 - 1], { dtype: 'int32' })).item()).toBe(2 ** 31);
  });
});

describe('corners', () => {
  const slope = (op: (x: Tensor) => Tensor, at: readonly number[]): number[] => {
    const x = float64([...at]).requiresGrad_();
    return values(grad(sum(op(x)), x));
  };

  test('ties: amax and max share alike, max along an axis gives all to the first', () => {
    expect(slope((x) => amax(x), [3, 1, 3])).toEqual([0.5, 0, 0.5]);
    expect(slope((x) => max(x), [3, 1, 3])).toEqual([0.5, 0, 0.5]);
    expect(slope((x) => max(x, { axis: 0 }).values, [3, 1, 3])).toEqual([1, 0, 0]);
    expect(slope((x) => norm(x, { p: Infinity }), [3, 1, -3])).toEqual([0.5, 0, -0.5]);
  });

  test('NaN is the largest, the smallest, and gets the gradient', () => {
    const x = float64([1, Number.NaN, 5]);
    expect([max(x).item(), min(x).item()]).toEqual([Number.NaN, Number.NaN]);
    expect([argmax(x).item(), argmin(x).item()]).toEqual([1, 1]);
    expect(slope((t) => max(t), [1, Number.NaN, 5])).toEqual([0, 1, 0]);
  });

  test('where a norm or a deviation is 0, so are its gradient and its second gradient', () => {
    for (const op of [
      (x: Tensor) => norm(x),
      (x: Tensor) => norm(x, { p: 1.5 }),
      (x: Tensor) => norm(x, { p: 0.5 }),
    ]) {
      expect(op(float64([0, 0])).item()).toBe(0);
      expect(slope(op, [0, 0])).toEqual([0, 0]);
    }
    const x = float64([2, 2, 2]).requiresGrad_();
    expect(std(x).item()).toBe(0);
    const first = grad(std(x), x, { createGraph: true });
    expect(values(first)).toEqual([0, 0, 0]);
    expect(values(grad(sum(mul(first, float64([1, 2, 3]))), x))).toEqual([0, 0, 0]);
  });

  test('the norms: p = 0 counts, ±Infinity are the extremes, fro is 2', () => {
    const x = float64([3, 0, -4]);
    expect([0, 1, 2, Infinity, -Infinity, 'fro' as const].map((p) => norm(x, { p }).item())).toEqual([
      2, 7, 5, 4, 0, 5,
    ]);
    expect(norm(x, { p: -1 }).item()).toBe(0);
    expect(slope((t) => norm(t, { p: 0 }), [3, 0, -4])).toEqual([0, 0, 0]);
  });

  test('the variance is that of two values, whatever their mean', () => {
    expect(variance(float64([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])).item()).toBe(30);
    expect(variance(float64([5])).item()).toBeNaN();
    expect(variance(float64([5]), { correction: 0 }).item()).toBe(0);
  });

  test('nothing reduced: sums 0, products 1, no extreme', () => {
    const empty = core.zeros([0, 3], { dtype: 'float64' });
    expect(prod(empty).item()).toBe(1);
    expect(logsumexp(empty).item()).toBe(-Infinity);
    expect([core.any(empty).item(), core.all(empty).item()]).toEqual([0, 1]);
    expect(amax(empty, { axes: 1 }).shape).toEqual([0]);
    for (const op of [max, min, argmax, argmin] as const) {
      expect(() => op(empty)).toThrow(core.ArgumentError);
      expect(() => op(empty, { axis: 0 })).toThrow(core.ArgumentError);
    }
    for (const p of [Infinity, -Infinity, -1, -0.5]) {
      expect(() => norm(empty, { p }), String(p)).toThrow(expect.objectContaining({ op: 'norm' }));
    }
  });

  test('0-d tensors take axis 0 and -1', () => {
    const x = float64(3);
    for (const y of [
      softmax(x),
      cumsum(x, { axis: 0 }),
      cumprod(x, { axis: -1 }),
      max(x, { axis: 0 }).values,
      prod(x),
    ]) {
      expect(y.shape).toEqual([]);
    }
    expect(argmax(x, { axis: -1, keepdim: true }).shape).toEqual([]);
  });

  test('bad axes and powers are refused by the op that was called', () => {
    const x = float64([[1, 2]]);
    const called = (op: string) => expect.objectContaining({ op });
    expect(() => std(x, { axes: 2 })).toThrow(called('std'));
    expect(() => max(x, { axis: 2 })).toThrow(called('max'));
    expect(() => cumprod(x, { axis: -3 })).toThrow(called('cumprod'));
    expect(() => norm(x, { p: 'nuc' as 'fro' })).toThrow(called('norm'));
    expect(() => norm(x, { p: Number.NaN })).toThrow(called('norm'));
  });

  test('var is there under its own name, as a function and as a method', () => {
    const x = float64([1, 2, 4]);
    expect(core.var(x).item()).toBe(variance(x).item());
    expect(x.var({ correction: 0 }).item()).toBe(variance(x, { correction: 0 }).item());
    expect(values(sub(x, add(mean(x), 0)))).toHaveLength(3);
  });
});
