// Lines of elements along some axes of a view, as machines take them: row-major.

import type { Kernels, NumericArray, ScanKernel, Strided } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { contiguousStrides, elementCount } from '../reference/strided.ts';
import type { Machine, UnitKernel } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, writes } from './units.ts';

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

/** A call of a kernel along the lines of one operand. */
export interface LineCall {
  readonly a: Strided;
  /** A line lies along the axes from the first to the last. */
  readonly first: number;
  readonly last: number;
  readonly out: NumericArray;
  /** Elements of the result per line. */
  readonly perLine: number;
  /** The kernel's own numbers, after those of the elements of a line and of the lines side by side. */
  readonly own?: readonly number[];
}

const none: readonly number[] = [];

/** Runs a kernel along lines, and says whether it was done, as `runUnits` does. There is at least one element. */
export function runLines(
  machine: Machine,
  copy: Kernels['copy'],
  kernel: UnitKernel,
  { a, first, last, out, perLine, own = none }: LineCall,
): boolean {
  const count = elementCount(a.shape);
  const { data, offset } = contiguousOf(a, count, copy);
  const { inner, unit } = linesAlong(a.shape, first, last);
  const arrays = [reads(data, unit, offset), writes(out, perLine * inner)];
  return runUnits(machine, kernel, count / unit, [unit / inner, inner, ...own], arrays);
}

/** A kernel whose result has the operand's shape, made along one axis; that of the reference for fewer than `least` elements. */
export function scanOf(
  machine: Machine,
  copy: Kernels['copy'],
  name: 'softmax' | 'logSoftmax' | 'cumsum' | 'cumprod',
  least: number,
): ScanKernel {
  return (a, axis, out) => {
    const fits = out.length >= least && sameFloats(a.data, a.data, out);
    if (fits && runLines(machine, copy, name, { a, first: axis, last: axis, out, perLine: a.shape[axis] }))
      return;
    reference[name](a, axis, out);
  };
}
