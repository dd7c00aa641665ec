// Tensors as plain numbers.

import type { Tensor } from '../tensor.ts';

/** The elements in row-major order, whatever their type. */
export function numbersOf(tensor: Tensor): Float64Array {
  return Float64Array.from(tensor.toTypedArray());
}
