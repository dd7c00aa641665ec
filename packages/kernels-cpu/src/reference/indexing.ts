// Reading and writing where an index says. Indices are trusted: 0 <= index < extent is for the caller to check.

import type { Kernels, NumericArray } from '../kernels.ts';
import { contiguous, elementCount, type Layout, Rows, withoutAxis } from './strided.ts';

export const gather: Kernels['gather'] = (a, axis, index, out) => {
  if (out.length === 0) return;
  const stride = a.strides[axis];
  const rows = new Rows(index.shape, [pinned(a, axis, index.shape), index]);
  let k = 0;
  do {
    let i = rows.at(0);
    let j = rows.at(1);
    const di = rows.step(0);
    const dj = rows.step(1);
    for (const end = k + rows.length; k < end; k++, i += di, j += dj) {
      out[k] = a.data[i + index.data[j] * stride];
    }
  } while (rows.next());
};

/** Writes `n` elements of `a` to where the index says; `stride` is the target's along the axis. */
type ScatterRow = (
  n: number,
  a: NumericArray,
  i: number,
  di: number,
  index: NumericArray,
  j: number,
  dj: number,
  target: NumericArray,
  k: number,
  dk: number,
  stride: number,
) => void;

function scatterBy(row: ScatterRow): Kernels['scatter'] {
  return (a, axis, index, target, targetShape) => {
    if (elementCount(index.shape) === 0) return;
    const whole = contiguous(targetShape);
    const stride = whole.strides[axis];
    const from = { ...a, shape: index.shape };
    const rows = new Rows(index.shape, [from, index, pinned(whole, axis, index.shape)]);
    do {
      row(
        rows.length,
        a.data,
        rows.at(0),
        rows.step(0),
        index.data,
        rows.at(1),
        rows.step(1),
        target,
        rows.at(2),
        rows.step(2),
        stride,
      );
    } while (rows.next());
  };
}

export const scatter: Kernels['scatter'] = scatterBy((n, a, i, di, index, j, dj, target, k, dk, stride) => {
  for (let t = 0; t < n; t++, i += di, j += dj, k += dk) target[k + index[j] * stride] = a[i];
});

export const scatterAdd: Kernels['scatterAdd'] = scatterBy(
  (n, a, i, di, index, j, dj, target, k, dk, stride) => {
    for (let t = 0; t < n; t++, i += di, j += dj, k += dk) target[k + index[j] * stride] += a[i];
  },
);

export const indexSelect: Kernels['indexSelect'] = (a, axis, index, out) => {
  if (out.length === 0) return;
  const shape = [...a.shape];
  shape[axis] = index.length;
  const whole = contiguous(shape);
  const slice = withoutAxis(a, axis);
  const rows = new Rows(slice.shape, [slice, withoutAxis(whole, axis)]);
  for (let j = 0; j < index.length; j++) {
    do {
      let i = rows.at(0) + index[j] * a.strides[axis];
      let k = rows.at(1) + j * whole.strides[axis];
      const di = rows.step(0);
      const dk = rows.step(1);
      for (let t = 0; t < rows.length; t++, i += di, k += dk) out[k] = a.data[i];
    } while (rows.next());
  }
};

export const indexAdd: Kernels['indexAdd'] = (a, axis, index, target, targetShape) => {
  if (elementCount(a.shape) === 0) return;
  const whole = contiguous(targetShape);
  const slice = withoutAxis(a, axis);
  const rows = new Rows(slice.shape, [slice, withoutAxis(whole, axis)]);
  for (let j = 0; j < index.length; j++) {
    do {
      let i = rows.at(0) + j * a.strides[axis];
      let k = rows.at(1) + index[j] * whole.strides[axis];
      const di = rows.step(0);
      const dk = rows.step(1);
      for (let t = 0; t < rows.length; t++, i += di, k += dk) target[k] += a.data[i];
    } while (rows.next());
  }
};

/** The layout of `a` cut to `shape`, standing still along `axis`: the index moves it there. */
function pinned(a: Layout, axis: number, shape: readonly number[]): Layout {
  const strides = [...a.strides];
  strides[axis] = 0;
  return { shape, strides, offset: a.offset };
}
