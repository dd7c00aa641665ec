// Changes in place: what the target's type can hold, what is refused, and that a refusal changes nothing.

import {
  ArgumentError,
  add_,
  canCast,
  clamp_,
  copy_,
  type DType,
  DTypeError,
  div_,
  dtypes,
  fill_,
  full,
  GradientError,
  isFloat,
  mul_,
  noGrad,
  ShapeError,
  sub_,
  tensor,
  zeros,
} from '@adjoint/core';
import { describe, expect, test } from 'vitest';

describe('a number put into a tensor', () => {
  test.each(dtypes)('is what full makes of it: %s', (dtype) => {
    // 1 + 2^-11 + 2^-30 lies just above the middle of two float16 values: by way of float32 it would be rounded down.
    for (const value of [0, 2, 0.5, -1.75, 1 + 2 ** -11 + 2 ** -30]) {
      const expected = full([2], value, { dtype }).toArray();
      expect(fill_(zeros([2], { dtype }), value).toArray()).toEqual(expected);
      expect(copy_(zeros([2], { dtype }), value).toArray()).toEqual(expected);
    }
  });
});

describe('arithmetic in place', () => {
  const pairs = dtypes.flatMap((target) => dtypes.map((source): [DType, DType] => [target, source]));

  test.each(pairs)(
    'of %s with %s works where the result can be cast back, and else changes nothing',
    (to, from) => {
      const target = full([2], 1, { dtype: to });
      const source = full([2], 1, { dtype: from });
      if (canCast(from, to)) {
        expect(add_(target, source).dtype).toBe(to);
        return;
      }
      expect(() => add_(target, source)).toThrow(DTypeError);
      expect(() => mul_(target, source)).toThrow(`mul_: the result is ${from}`);
      expect(target.toArray()).toEqual(full([2], 1, { dtype: to }).toArray());
      expect(target.storage.version).toBe(0);
    },
  );

  test('with a number that the type cannot hold is refused, as is a fractional alpha', () => {
    const target = tensor([1, 2], { dtype: 'int32' });
    expect(() => add_(target, 1.5)).toThrow('compute a new tensor, or round the source.');
    expect(() => add_(target, tensor([1.5]))).toThrow("or convert the source with to('int32').");
    // No other source would do: the quotient of integers is none.
    expect(() => div_(target, 2)).toThrow('compute a new tensor.');
    expect(() => div_(target, tensor([2, 1], { dtype: 'int32' }))).toThrow('compute a new tensor.');
    expect(() => add_(target, tensor([1, 1], { dtype: 'int32' }), { alpha: 0.5 })).toThrow(DTypeError);
    expect(add_(target, 3).toArray()).toEqual([4, 5]);
  });

  test('with a bound that requires a gradient is refused, as with any source: it would be lost', () => {
    const target = tensor([0, 2]);
    const bound = tensor([1, 1], { requiresGrad: true });
    for (const options of [{ min: bound }, { min: 0, max: bound }]) {
      expect(() => clamp_(target, options)).toThrow(GradientError);
      expect(() => clamp_(target, options)).toThrow(/pass m(in|ax)\.detach\(\)/);
    }
    expect(target.toArray()).toEqual([0, 2]);
    expect(target.storage.version).toBe(0);
    expect(noGrad(() => clamp_(target, { min: bound })).toArray()).toEqual([1, 2]);
  });

  test('with a source that does not broadcast names the op that was called', () => {
    const target = zeros([2]);
    expect(() => add_(target, zeros([3]))).toThrow(ShapeError);
    expect(() => add_(target, zeros([3]))).toThrow(/^add_: a value of shape \(3,\)/);
    expect(() => copy_(target, zeros([2, 2]))).toThrow(/^copy_: a value of shape \(2, 2\)/);
  });
});

describe('what is computed in place is what is computed', () => {
  test.each(dtypes.filter((dtype) => dtype !== 'bool'))('in %s', (dtype) => {
    const make = () => tensor([1, 6, 4], { dtype });
    const other = tensor([1, 2, 4], { dtype });
    expect(sub_(make(), other)).toEqual(expect.objectContaining({ dtype }));
    expect(sub_(make(), 1).toArray()).toEqual([0, 5, 3]);
    expect(sub_(make(), other, { alpha: 1 }).toArray()).toEqual([0, 4, 0]);
    expect(clamp_(make(), { min: 2, max: 5 }).toArray()).toEqual([2, 5, 4]);
    if (isFloat(dtype)) {
      expect(sub_(make(), other, { alpha: 0.5 }).toArray()).toEqual([0.5, 5, 2]);
      expect(div_(make(), other).toArray()).toEqual([1, 3, 1]);
      expect(clamp_(make(), { max: other }).toArray()).toEqual([1, 2, 4]);
    } else {
      expect(() => div_(make(), other)).toThrow('div_: the result is float32');
    }
  });

  test('under the same rules', () => {
    const leaf = tensor([1, 2], { requiresGrad: true });
    for (const change of [() => sub_(leaf, 1), () => div_(leaf, 2), () => clamp_(leaf, { min: 0 })])
      expect(change).toThrow(GradientError);
    expect(() => sub_(zeros([2], { dtype: 'bool' }), zeros([2], { dtype: 'bool' }))).toThrow(DTypeError);
    expect(() => clamp_(zeros([2]), { min: zeros([3]) })).toThrow(/^clamp_: a value of shape \(3,\)/);
    expect(() => clamp_(zeros([2]), {})).toThrow(ArgumentError);
    expect(noGrad(() => leaf.sub_(leaf.mul(0.5)).clamp_({ max: 0.75 })).toArray()).toEqual([0.5, 0.75]);
    expect(leaf.storage.version).toBe(2);
  });
});

test('a part of a leaf that requires a gradient is changed where noGrad is around both, as the error says', () => {
  const leaf = zeros([2, 2], { requiresGrad: true });
  expect(() => leaf.slice([0]).fill_(1)).toThrow(/result of 'reshape' .* inside noGrad\(\(\) => …\), too\.$/);
  noGrad(() => leaf.slice([0]).fill_(1));
  expect(leaf.toArray()).toEqual([
    [1, 1],
    [0, 0],
  ]);
  expect(leaf.isLeaf && leaf.requiresGrad).toBe(true);
});

describe('overlapping views', () => {
  test('are read before they are written', () => {
    const shift = tensor([1, 2, 3, 4, 5]);
    copy_(shift.narrow(0, 1, 4), shift.narrow(0, 0, 4));
    expect(shift.toArray()).toEqual([1, 1, 2, 3, 4]);
    const sums = tensor([1, 2, 3, 4, 5]);
    add_(sums.narrow(0, 1, 4), sums.narrow(0, 0, 4));
    expect(sums.toArray()).toEqual([1, 3, 5, 7, 9]);
  });
});
