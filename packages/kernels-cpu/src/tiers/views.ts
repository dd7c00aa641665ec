// Views as a machine takes them: axes merged where all operands can walk them in one stride, written into its numbers.

import type { Strided } from '../kernels.ts';
import { MOST_AXES } from './machine.ts';

/** The stride of an operand along axis `axis` of `shape`, to which it broadcasts. */
function strideAt(a: Strided, rank: number, axis: number): number {
  const own = axis - rank + a.shape.length;
  return own < 0 || a.shape[own] === 1 ? 0 : a.strides[own];
}

// The last axis of each run of merged ones, by the run; scratch of one call.
const lastOf = new Int32Array(MOST_AXES);

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
  let merged = 0;
  for (let axis = 0; axis < rank; axis++) {
    const extent = shape[axis];
    if (extent === 1) continue;
    if (merged > 0 && merges(operands, rank, lastOf[merged - 1], axis, extent)) {
      numbers[at + merged] *= extent;
    } else {
      if (merged === MOST_AXES) return false;
      numbers[at + ++merged] = extent;
    }
    lastOf[merged - 1] = axis;
  }
  if (merged === 0) {
    numbers[at + ++merged] = 1;
    // No operand has an axis there, so that all step by 0.
    lastOf[0] = -1;
  }
  numbers[at] = merged;
  let next = at + 1 + merged;
  for (let p = 0; p < operands.length; p++) {
    numbers[next++] = operands[p].offset;
    for (let m = 0; m < merged; m++) numbers[next++] = strideAt(operands[p], rank, lastOf[m]);
  }
  return true;
}

/** Whether every operand walks `axis`, of this extent, and the axis `before` it in one stride. */
function merges(
  operands: readonly Strided[],
  rank: number,
  before: number,
  axis: number,
  extent: number,
): boolean {
  for (let p = 0; p < operands.length; p++) {
    const stride = strideAt(operands[p], rank, axis);
    if (strideAt(operands[p], rank, before) !== stride * extent) return false;
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
