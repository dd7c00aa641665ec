// indexAdd and bincount: against loops and each other, adjoints, refusals. And other small functions that are written with ops.

import {
  bincount,
  cdist,
  cumsum,
  DTypeError,
  diff,
  eye,
  Generator,
  grad,
  gumbelSoftmax,
  indexAdd,
  indexSelect,
  logSoftmax,
  nanToNum,
  padSequence,
  randint,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from '@adjoint/core';
import { assertAdjoint, assertGradcheck, assertGradgradcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const float64 = { dtype: 'float64' } as const;
const ints = (values: readonly number[]): Tensor =>
  tensor(values, { dtype: 'int32', shape: [values.length] });

describe('indexAdd', () => {
  test('is the adjoint of indexSelect, and adds to what is there', () => {
    const index = ints([2, 0, 2, 1]);
    assertAdjoint(
      (x) => indexSelect(x, 1, index),
      (y) => indexAdd(zeros([2, 3], float64), 1, index, y),
      [2, 3],
    );
    assertGradcheck(
      (x, source) => indexAdd(x, 1, index, source),
      [randn([2, 3], float64), randn([2, 4], float64)],
    );
    assertGradgradcheck(
      (x, source) => indexAdd(x, 1, index, source).pow(3),
      [randn([2, 3], float64), randn([2, 4], float64)],
    );
  });

  test('refuses what does not fit, and names it', () => {
    const x = zeros([3, 2]);
    expect(() => indexAdd(x, 0, ints([3]), zeros([1, 2]))).toThrow(/^indexAdd: index at \[0\] is 3/);
    expect(() => indexAdd(x, 0, ints([0]), zeros([2, 2]))).toThrow(ShapeError);
    expect(() => indexAdd(x, 0, tensor([0]), zeros([1, 2]))).toThrow(DTypeError);
    expect(() => indexAdd(x, 0, ints([0]), zeros([1, 2], float64))).toThrow(
      /source is float64 and x is float32/,
    );
    expect(() => indexAdd(x.to('bool'), 0, ints([0]), zeros([1, 2]).to('bool'))).toThrow(/x is bool/);
    expect(() => indexAdd(tensor(1), 0, ints([0]), tensor([1]))).toThrow(/x has no axes/);
  });
});

describe('bincount', () => {
  test('counts what a loop counts; weights are added up, with their gradient', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(6), { maxLength: 12 }), fc.nat(9), (numbers, minLength) => {
        const counts = new Array<number>(Math.max(minLength, ...numbers.map((n) => n + 1), 0)).fill(0);
        for (const n of numbers) counts[n]++;
        const counted = bincount(ints(numbers), { minLength });
        expect(counted.dtype).toBe('int32');
        expect(counted.toArray()).toEqual(counts);
        const weights = tensor(
          numbers.map((_, i) => i + 1),
          { ...float64, shape: [numbers.length], requiresGrad: true },
        );
        const weighed = bincount(ints(numbers), { weights, minLength });
        const bins = randn(weighed.shape, float64);
        if (numbers.length > 0)
          expect(grad(weighed, weights, { gradOutput: bins }).toArray()).toEqual(
            numbers.map((n) => bins.toTypedArray()[n]),
          );
      }),
    );
  });

  test('is a method too', () => {
    expect(ints([1, 3, 1]).bincount({ minLength: 5 }).toArray()).toEqual([0, 2, 0, 1, 0]);
  });

  test('refuses negative numbers, several axes, weights that do not fit', () => {
    expect(() => bincount(ints([1, -1]))).toThrow(/^bincount: x holds -1/);
    expect(() => bincount(ints([-3]))).toThrow(/^bincount: x holds -3/);
    expect(() => bincount(ints([1]), { minLength: 2 ** 40 })).toThrow(ShapeError);
    expect(() => bincount(randint(0, 3, [2, 2]))).toThrow(/one axis/);
    expect(() => bincount(ints([1]), { weights: tensor([1, 2]) })).toThrow(/a weight for each number/);
    expect(() => bincount(ints([1]), { weights: ints([1]) })).toThrow(DTypeError);
    expect(() => bincount(ints([1]), { minLength: -1 })).toThrow(
      /minLength is -1; it takes an integer of at least 0/,
    );
    expect(() => bincount(tensor([1]))).toThrow(DTypeError);
  });
});

describe('gumbelSoftmax', () => {
  test('draws categories with the odds of softmax', () => {
    const logits = tensor([0.5, -1, 2, -Infinity], float64);
    const draws = gumbelSoftmax(logits.expand([20000, 4]), { hard: true, generator: new Generator(7) });
    const odds = logSoftmax(logits, { axis: 0 }).exp().toTypedArray();
    draws
      .mean({ axes: 0 })
      .toTypedArray()
      .forEach((share, i) => {
        // Five standard deviations.
        const deviation = Math.sqrt((odds[i] * (1 - odds[i])) / 20000);
        expect(Math.abs(share - odds[i])).toBeLessThanOrEqual(5 * deviation);
      });
  });

  test('a hard draw is one-hot to the bit, in any type and along any axis, with the gradient of the soft one', () => {
    for (const dtype of ['float64', 'float32', 'float16', 'bfloat16'] as const) {
      const logits = randn([3, 5, 2]).to(dtype).requiresGrad_();
      const draw = (hard: boolean): Tensor =>
        gumbelSoftmax(logits, { hard, axis: 1, tau: 0.7, generator: new Generator(3) });
      const [soft, hot] = [draw(false), draw(true)];
      expect(hot.dtype).toBe(dtype);
      expect(hot.toTypedArray().every((value) => value === 0 || value === 1)).toBe(true);
      expect(
        hot
          .sum({ axes: 1 })
          .toTypedArray()
          .every((value) => value === 1),
      ).toBe(true);
      expect(hot.argmax({ axis: 1 }).toArray()).toEqual(soft.argmax({ axis: 1 }).toArray());
      const cotangent = randn([3, 5, 2]).to(dtype);
      expect(grad(hot, logits, { gradOutput: cotangent }).toArray()).toEqual(
        grad(soft, logits, { gradOutput: cotangent }).toArray(),
      );
    }
  });

  test('refuses a temperature that is none', () => {
    for (const tau of [0, -1, Infinity, Number.NaN])
      expect(() => gumbelSoftmax(randn([2]), { tau })).toThrow(/tau is .*; give a finite number above 0/);
    expect(() => gumbelSoftmax(tensor(1))).toThrow(/logits has no axes/);
  });
});

test('diff undoes cumsum', () => {
  const x = randint(-9, 9, [3, 6, 2]);
  const sums = cumsum(x, { axis: 1 });
  expect(diff(sums, { axis: 1 }).toArray()).toEqual(x.slice([null, { start: 1 }]).toArray());
  expect(() => diff(x, { n: -1 })).toThrow(/n is -1/);
  expect(() => diff(x.to('bool'))).toThrow(/x is bool/);
  expect(() => diff(tensor(1))).toThrow(/x has no axes/);
});

test('cdist is the norm of each difference, and keeps the digits of rows that are near', () => {
  const far = tensor([[1e8, 1e8]], float64);
  expect(cdist(far, far.add(tensor([3, 4], float64))).item()).toBe(5);
  expect(() => cdist(zeros([2, 3]), zeros([2, 4]))).toThrow(/^cdist: b has shape \(2, 4\)/);
  expect(() => cdist(zeros([3]), zeros([2, 3]))).toThrow(/^cdist: a has shape \(3,\)/);
  expect(() => cdist(zeros([2, 3]), zeros([2, 3]), { p: -1 })).toThrow(/p is -1/);
  expect(() => cdist(zeros([2, 3, 4]), zeros([3, 3, 4]))).toThrow(/^cdist: shapes \(2,\) and \(3,\)/);
  for (const p of [0, 1, 2, Infinity])
    expect(cdist(zeros([2, 0]), zeros([1, 0]), { p }).toArray()).toEqual([[0], [0]]);
  assertGradgradcheck((a, b) => cdist(a, b), [randn([2, 3, 2], float64), randn([4, 2], float64)]);
});

test('nanToNum takes the largest number of each type, and leaves integers alone', () => {
  for (const dtype of ['float64', 'float32', 'float16', 'bfloat16'] as const) {
    const [largest] = nanToNum(tensor([Infinity], { dtype })).toTypedArray();
    expect(Number.isFinite(largest)).toBe(true);
    // The next number of the type, which is half a unit in the last place away from overflow, is infinite.
    expect(
      tensor([largest * (1 + 2 ** -7)], { dtype })
        .isfinite()
        .item(),
    ).toBe(0);
  }
  const whole = ints([1, 2]);
  expect(nanToNum(whole)).toBe(whole);
});

test('padSequence refuses what is no list of like sequences', () => {
  expect(() => padSequence([])).toThrow(/there are no sequences/);
  expect(() => padSequence([tensor(1)])).toThrow(/sequences\[0\] has shape \(\)/);
  expect(() => padSequence([zeros([2, 3]), zeros([2, 4])])).toThrow(/sequences\[1\] has shape \(2, 4\)/);
  expect(() => padSequence([ints([1]), ints([2])], { paddingValue: 0.5 })).toThrow(
    /^padSequence: paddingValue is 0.5, and a tensor of int32/,
  );
  const mixed = padSequence([ints([1]), tensor([1, 2])], { paddingValue: 0.5, batchFirst: true });
  expect(mixed.dtype).toBe('float32');
  expect(mixed.toArray()).toEqual([
    [1, 0.5],
    [1, 2],
  ]);
  assertGradcheck((a, b) => padSequence([a, b]), [randn([3], float64), randn([1], float64)]);
});

test('eye takes its options without the number of columns', () => {
  expect(eye(2, { dtype: 'int32' }).dtype).toBe('int32');
  expect(eye(2, { dtype: 'int32' }).toArray()).toEqual(eye(2, 2).toArray());
  expect(() => eye(2, { dtyp: 'int32' } as never)).toThrow(/^eye: there is no option 'dtyp'/);
});
