// Changes in place: what the target's type can hold, what is refused, and that a refusal changes nothing.

import {
  add_,
  canCast,
  copy_,
  type DType,
  DTypeError,
  dtypes,
  fill_,
  full,
  mul_,
  ShapeError,
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
    expect(() => add_(target, 1.5)).toThrow("convert the source with to('int32')");
    expect(() => add_(target, tensor([1, 1], { dtype: 'int32' }), { alpha: 0.5 })).toThrow(DTypeError);
    expect(add_(target, 3).toArray()).toEqual([4, 5]);
  });

  test('with a source that does not broadcast names the op that was called', () => {
    const target = zeros([2]);
    expect(() => add_(target, zeros([3]))).toThrow(ShapeError);
    expect(() => add_(target, zeros([3]))).toThrow(/^add_: a value of shape \(3,\)/);
    expect(() => copy_(target, zeros([2, 2]))).toThrow(/^copy_: a value of shape \(2, 2\)/);
  });
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
