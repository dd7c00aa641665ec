// A constant sparse matrix applied along one axis. Resizing, area averages and adaptive means are such maps; the adjoint of
// each is the same op with the matrix transposed.

import { kernels, type SparseMatrix } from '@adjoint/kernels-cpu';
import { formatShape, ShapeError } from '../errors.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { sizeOf } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { requireFloat } from './infer.ts';

/** A matrix of `size` columns, to be applied along an axis of that size. */
export interface Resampling extends SparseMatrix {
  readonly axis: number;
  readonly size: number;
}

/** `out[…, i, …] = Σk matrix[i, k] · x[…, k, …]`. */
export const resampleOp = defineOp<readonly ['x'], Resampling>({
  name: 'resample',
  operands: ['x'],
  infer: ([x], { axis, size, starts }) => {
    requireFloat('resample', 'x', x);
    if (x.shape[axis] !== size) {
      throw new ShapeError(
        `x has shape ${formatShape(x.shape)}; the matrix has ${size} columns and is applied along axis ${axis}, which must be as long.`,
        { op: 'resample', operand: 'x', actual: x.shape, expected: `${size} on axis ${axis}` },
      );
    }
    return {
      shape: x.shape.map((extent, i) => (i === axis ? starts.length - 1 : extent)),
      dtype: x.dtype,
    };
  },
  forward: ([x], out, matrix) => kernels.sparseAlong(matrix, x, matrix.axis, out),
  layout: 'strided',
  vjps: [vjpRule((g, { attrs }) => resample(g, transposed(attrs)))],
  recycles: true,
  forwardMode: 'linear',
  flops: ([x], { axis, starts }) =>
    2 * starts[starts.length - 1] * sizeOf(x.shape.filter((_, i) => i !== axis)),
});

/** Applies a sparse matrix along one axis. */
export function resample(x: Tensor, matrix: Resampling): Tensor {
  return apply(resampleOp, [x], matrix);
}

/** Makes a matrix of its rows, each a list of (column, value). */
export function resampling(
  axis: number,
  size: number,
  rows: readonly (readonly (readonly [column: number, value: number])[])[],
): Resampling {
  const starts = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => {
    starts[i + 1] = starts[i] + row.length;
  });
  const entries = rows.flat();
  return {
    axis,
    size,
    starts,
    columns: Int32Array.from(entries, ([column]) => column),
    values: Float64Array.from(entries, ([, value]) => value),
  };
}

function transposed({ axis, size, starts, columns, values }: Resampling): Resampling {
  const rows: [number, number][][] = Array.from({ length: size }, () => []);
  for (let i = 0; i + 1 < starts.length; i++) {
    for (let n = starts[i]; n < starts[i + 1]; n++) rows[columns[n]].push([i, values[n]]);
  }
  return resampling(axis, starts.length - 1, rows);
}
