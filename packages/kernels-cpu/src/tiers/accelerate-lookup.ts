// Reading and writing where an index says, on a machine: along the last axis row by row, along the first in whole slices.
// Other layouts, and few elements, are the reference's.

import type { Kernels, NumericArray, Strided } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { elementCount, flatStep } from '../reference/strided.ts';
import type { Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, updates, writes } from './units.ts';

/** Elements from which a call is worth it. */
const LEAST = 256;

type LookupName = 'gather' | 'scatterAdd' | 'indexSelect' | 'indexAdd' | 'sparseAlong';

export function lookup(machine: Machine): Pick<Kernels, LookupName> {
  return {
    gather(a, axis, index, out) {
      const [n, m] = [a.shape[axis], index.shape[axis]];
      const fits = suits(out.length, a, index.data, out) && sharesRows(a, index.shape, axis) && isRun(index);
      const isDone =
        fits &&
        runUnits(
          machine,
          'gather',
          out.length / m,
          [n, m],
          [reads(a.data, n, a.offset), reads(index.data, m, index.offset), writes(out, m)],
        );
      if (!isDone) reference.gather(a, axis, index, out);
    },
    scatterAdd(a, axis, index, target, targetShape) {
      const [n, m] = [targetShape[axis], index.shape[axis]];
      const count = elementCount(index.shape);
      const fits =
        suits(count, a, index.data, target) &&
        sharesRows(a, index.shape, axis) &&
        a.shape[axis] === m &&
        sharesRows(index, targetShape, axis) &&
        isRun(index);
      const isDone =
        fits &&
        runUnits(
          machine,
          'scatterAdd',
          count / m,
          [n, m],
          [reads(a.data, m, a.offset), reads(index.data, m, index.offset), updates(target, n)],
        );
      if (!isDone) reference.scatterAdd(a, axis, index, target, targetShape);
    },
    indexSelect(a, axis, index, out) {
      const slice = elementCount(a.shape) / a.shape[axis];
      const fits = suits(out.length, a, index, out) && axis === 0;
      const isDone =
        fits &&
        runUnits(
          machine,
          'indexSelect',
          index.length,
          [a.shape[0], slice],
          [reads(a.data, 0, a.offset), reads(index, 1), writes(out, slice)],
        );
      if (!isDone) reference.indexSelect(a, axis, index, out);
    },
    indexAdd(a, axis, index, target, targetShape) {
      const slice = elementCount(a.shape) / a.shape[axis];
      const count = elementCount(a.shape);
      const fits = suits(count, a, index, target) && axis === 0;
      const isDone =
        fits &&
        runUnits(
          machine,
          'indexAdd',
          index.length,
          [targetShape[0], slice],
          [reads(a.data, slice, a.offset), reads(index, 1), updates(target, 0)],
        );
      if (!isDone) reference.indexAdd(a, axis, index, target, targetShape);
    },
    sparseAlong(matrix, a, axis, out) {
      const { starts, columns, values } = matrix;
      const [n, rows] = [a.shape[axis], starts.length - 1];
      const inner = elementCount(a.shape.slice(axis + 1));
      const outer = elementCount(a.shape.slice(0, axis));
      const fits =
        suits(out.length, a, columns, out) && starts instanceof Int32Array && values instanceof Float64Array;
      const isDone =
        fits &&
        runUnits(
          machine,
          'sparseAlong',
          outer,
          [n, rows, inner],
          [
            reads(a.data, n * inner, a.offset),
            writes(out, rows * inner),
            reads(starts, 0),
            reads(columns, 0),
            reads(values, 0),
          ],
        );
      if (!isDone) reference.sparseAlong(matrix, a, axis, out);
    },
  };
}

/** Whether machines look things up so: enough elements, in one run, to or from floats of their own type, at places that are int32. */
function suits(count: number, a: Strided, places: NumericArray, other: NumericArray): boolean {
  return count >= LEAST && places instanceof Int32Array && sameFloats(a.data, a.data, other) && isRun(a);
}

/** Whether the view is one run of its array. */
function isRun(a: Strided): boolean {
  return flatStep(a, a.shape) === 1;
}

/** Whether `axis` is the last, and the rows along it are as many as in `shape`, in the same places. */
function sharesRows(a: Strided, shape: readonly number[], axis: number): boolean {
  return (
    axis === shape.length - 1 &&
    a.shape.length === shape.length &&
    a.shape.every((extent, other) => other === axis || extent === shape[other])
  );
}
