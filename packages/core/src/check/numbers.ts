// Tensors as plain numbers, and elements by number and by index.

import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** The elements in row-major order, whatever their type. */
export function numbersOf(tensor: Tensor): Float64Array {
  return Float64Array.from(tensor.toTypedArray());
}

/** The index of an element by its row-major number. */
export function unravel(element: number, shape: Shape): number[] {
  const index = new Array<number>(shape.length);
  let rest = element;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return index;
}
