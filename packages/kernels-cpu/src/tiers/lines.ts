// Lines of elements along some axes of a view, as machines take them: row-major.

import type { Kernels, NumericArray, Strided } from '../kernels.ts';
import { contiguousStrides, elementCount } from '../reference/strided.ts';

/** How many lines along these axes lie side by side, and how many elements those have. */
export function linesAlong(
  shape: readonly number[],
  first: number,
  last: number,
): { inner: number; unit: number } {
  const inner = elementCount(shape.slice(last + 1));
  return { inner, unit: inner * elementCount(shape.slice(first, last + 1)) };
}

/** The same elements row-major, copied by `copy` if need be: the same elements give the same bits, however they lie. */
export function contiguousOf<A extends NumericArray>(
  a: Strided<A>,
  length: number,
  copy: Kernels['copy'],
): { data: A; offset: number } {
  const expected = contiguousStrides(a.shape);
  if (a.shape.every((extent, axis) => extent === 1 || a.strides[axis] === expected[axis]))
    return { data: a.data, offset: a.offset };
  const data = new (a.data.constructor as new (length: number) => A)(length);
  copy(a, data);
  return { data, offset: 0 };
}
