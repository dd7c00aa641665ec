// Views as a machine takes them: axes merged where all operands can walk them in one stride, written into its numbers.

import type { Strided } from '../kernels.ts';
import { MOST_AXES } from './machine.ts';

/** Whether a view lies within its array; a machine must never read past it. */
export function isInside({ data, shape, strides, offset }: Strided): boolean {
  let low = offset;
  let high = offset;
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 0) return true;
    const reach = (shape[axis] - 1) * strides[axis];
    if (reach < 0) low += reach;
    else high += reach;
  }
  return low >= 0 && high < data.length;
}

/** The stride of an operand along axis `axis` of `shape`, to which it broadcasts. */
function strideAt(a: Strided, rank: number, axis: number): number {
  const own = axis - rank + a.shape.length;
  return own < 0 || a.shape[own] === 1 ? 0 : a.strides[own];
}

/**
 * Writes rank, extents, and offset and strides per operand, from `at`. False if there are more axes than a machine takes.
 * A shape without extents other than 1 has one axis of extent 1.
 */
export function putLayout(
  numbers: Float64Array,
  at: number,
  shape: readonly number[],
  operands: readonly Strided[],
): boolean {
  const rank = shape.length;
  const starts: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    if (shape[axis] === 1) continue;
    const last = starts.length - 1;
    if (last >= 0 && merges(shape, operands, axis)) continue;
    starts.push(axis);
  }
  if (starts.length > MOST_AXES) return false;
  if (starts.length === 0) starts.push(rank);
  const merged = starts.length;
  numbers[at] = merged;
  for (let m = 0; m < merged; m++) {
    let extent = 1;
    for (let axis = starts[m]; axis < (starts[m + 1] ?? rank); axis++) extent *= shape[axis];
    numbers[at + 1 + m] = extent;
  }
  let next = at + 1 + merged;
  for (const operand of operands) {
    numbers[next++] = operand.offset;
    for (let m = 0; m < merged; m++) {
      // The last axis of the run (its ones aside) is the one that steps.
      let stride = 0;
      for (let axis = (starts[m + 1] ?? rank) - 1; axis >= starts[m]; axis--) {
        if (shape[axis] === 1) continue;
        stride = strideAt(operand, rank, axis);
        break;
      }
      numbers[next++] = stride;
    }
  }
  return true;
}

/** Whether every operand walks `axis` and the last axis before it that is not of extent 1 in one stride. */
function merges(shape: readonly number[], operands: readonly Strided[], axis: number): boolean {
  let before = axis - 1;
  while (shape[before] === 1) before--;
  for (const operand of operands) {
    if (strideAt(operand, shape.length, before) !== strideAt(operand, shape.length, axis) * shape[axis])
      return false;
  }
  return true;
}

/** Writes offset, then rank, extents and strides of the axes that stay and of those that are reduced. */
export function putReduction(
  numbers: Float64Array,
  at: number,
  a: Strided,
  axes: readonly number[],
): boolean {
  numbers[at] = a.offset;
  const next = putAxes(numbers, at + 1, a, axes, false);
  return next > 0 && putAxes(numbers, next, a, axes, true) > 0;
}

/** Returns where the next number goes; 0 if there are too many axes. Reduced axes are never none. */
function putAxes(
  numbers: Float64Array,
  at: number,
  a: Strided,
  axes: readonly number[],
  reduced: boolean,
): number {
  const extents: number[] = [];
  const strides: number[] = [];
  for (let axis = 0; axis < a.shape.length; axis++) {
    if (axes.includes(axis) !== reduced || a.shape[axis] === 1) continue;
    const last = extents.length - 1;
    if (last >= 0 && strides[last] === a.strides[axis] * a.shape[axis]) {
      extents[last] *= a.shape[axis];
      strides[last] = a.strides[axis];
    } else {
      extents.push(a.shape[axis]);
      strides.push(a.strides[axis]);
    }
  }
  if (reduced && extents.length === 0) {
    extents.push(1);
    strides.push(1);
  }
  if (extents.length > MOST_AXES) return 0;
  numbers[at] = extents.length;
  for (let i = 0; i < extents.length; i++) {
    numbers[at + 1 + i] = extents[i];
    numbers[at + 1 + extents.length + i] = strides[i];
  }
  return at + 1 + 2 * extents.length;
}
