// Making and reshaping tensors: whose the shape is, what the type is, and what is said of data that will not do.

import {
  type DType,
  fullLike,
  ones,
  reshape,
  ShapeError,
  tensor,
  view,
  zeros,
  zerosLike,
} from '@adjoint/core';
import { describe, expect, test } from 'vitest';

describe('the shape of a tensor', () => {
  test('is its own: the array that it was given may change', () => {
    const shape = [2, 2];
    const made = [
      tensor(new Float32Array(4), { shape }),
      reshape(zeros([4]), shape),
      view(zeros([4]), shape),
    ];
    shape[0] = 9;
    for (const x of made) expect(x.shape).toEqual([2, 2]);
  });

  test('has one unknown size at the most', () => {
    expect(() => reshape(zeros([4]), [-1, -1])).toThrow(/\(-1, -1\).*one size at most may be -1/);
    expect(() => view(zeros([4]), [-1, 2, -1])).toThrow(ShapeError);
  });
});

test('a dtype that is left undefined is that of the tensor imitated', () => {
  const x = zeros([2], { dtype: 'float64' });
  const given: { dtype?: DType } = {};
  const options = { dtype: given.dtype } as { dtype: DType };
  expect(zerosLike(x, options).dtype).toBe('float64');
  expect(fullLike(x, 1, { dtype: 'int32' }).dtype).toBe('int32');
});

test('errors name the function that was called', () => {
  expect(() => zeros([2, -1])).toThrow(/^zeros: shape \(2, -1\) has -1 on axis 1/);
  expect(() => ones([2 ** 16, 2 ** 16])).toThrow(/^ones: .* at most 2\^31 - 1/);
  expect(() => zeros([1], { dtype: 'int64' as DType })).toThrow(
    /^zeros: dtype is "int64"; use one of bool, /,
  );
});

describe('data that is no number', () => {
  test.each([
    [new Uint16Array(2), /at depth 0 .* Uint16Array; convert it/],
    [undefined, /at depth 0 .* undefined; give numbers/],
    [[[1, '2']], /at depth 2 .* "2"; give numbers/],
    [zeros([1]), /there is a Tensor;/],
    [[[1, 2], [3]], /ragged: at depth 1 there is an array of 1/],
    [[[1], 2], /ragged: at depth 1 there is 2, where the first element says an array of 1/],
  ])('is named, with its place: %s', (data, message) => {
    expect(() => tensor(data as number[])).toThrow(message);
  });
});
