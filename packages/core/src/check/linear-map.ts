// Maps that are said to be linear: what they give, whether they are, and whether what they give is exact.

import type { DType } from '../dtype.ts';
import { ArgumentError, requireFunction } from '../errors.ts';
import { tensor, zeros } from '../ops/create.ts';
import { Tensor } from '../tensor.ts';
import { numbersOf } from './numbers.ts';

/** A map from one tensor to one tensor. */
export type LinearMap = (x: Tensor) => Tensor;

/** What the map gives, which is a tensor. */
export function resultOf(map: LinearMap, x: Tensor): Tensor {
  requireFunction('adjointCheck', 'forward, transpose', map);
  const result = map(x);
  if (result instanceof Tensor) return result;
  throw new ArgumentError('a map must return a tensor.', {
    op: 'adjointCheck',
    operand: 'forward, transpose',
    actual: result,
    expected: 'a tensor',
  });
}

// Integers up to here are exact in the type.
const exactBelow: Readonly<Record<DType, number>> = {
  float64: 2 ** 53,
  float32: 2 ** 24,
  float16: 2 ** 11,
  bfloat16: 2 ** 8,
  int32: 2 ** 31,
  uint8: 2 ** 8,
  bool: 2,
};

/** Why equality of these numbers would prove nothing; null if they are exact integers. */
export function inexactness(result: Tensor): string | null {
  const limit = exactBelow[result.dtype];
  for (const value of result.toTypedArray()) {
    if (!Number.isInteger(value)) {
      return `is ${value}, not an integer, so equality would prove nothing; give the map integer coefficients, or inputs a scale that they divide`;
    }
    if (Math.abs(value) >= limit) {
      return `is ${value}, where ${result.dtype} rounds; use a smaller shape, range or scale`;
    }
  }
  return null;
}

/** Whether A 0 = 0 and A(x + x2) = A x + A x2, but for the rounding of a map whose coefficients are not integers. */
export function isLinear(map: LinearMap, x: Tensor, x2: Tensor): boolean {
  const values = numbersOf(x2);
  const sum = tensor(
    numbersOf(x).map((value, k) => value + values[k]),
    { shape: x.shape, dtype: x.dtype },
  );
  const none = zeros(x.shape, { dtype: x.dtype });
  const [whole, first, second, zero] = [sum, x, x2, none].map((each) => numbersOf(resultOf(map, each)));
  const slack = [...first, ...second].reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 64;
  return (
    zero.every((value) => value === 0) &&
    whole.every((value, k) => Math.abs(value - (first[k] + second[k])) <= slack)
  );
}
