// Moving and adding elements between views of the same shape.

import type { Kernels, NumericArray } from '../kernels.ts';
import { elementCount, flatStep, Rows } from './strided.ts';

/** Runs longer than this are copied by `TypedArray.set`, which costs two objects and then moves memory. */
const LONG = 64;

export const copy: Kernels['copy'] = (a, out) => {
  const n = out.length;
  if (n === 0) return;
  const step = flatStep(a, a.shape);
  if (step >= 0) {
    moveRow(n, a.data, a.offset, step, out, 0, 1);
    return;
  }
  const rows = new Rows(a.shape, [a]);
  let k = 0;
  do {
    moveRow(rows.length, a.data, rows.at(0), rows.step(0), out, k, 1);
    k += rows.length;
  } while (rows.next());
};

export const assign: Kernels['assign'] = (a, target) => {
  if (elementCount(target.shape) === 0) return;
  const rows = new Rows(target.shape, [a, target]);
  do moveRow(rows.length, a.data, rows.at(0), rows.step(0), target.data, rows.at(1), rows.step(1));
  while (rows.next());
};

export const addTo: Kernels['addTo'] = (a, target) => {
  if (elementCount(target.shape) === 0) return;
  const rows = new Rows(target.shape, [a, target]);
  do addRow(rows.length, a.data, rows.at(0), rows.step(0), target.data, rows.at(1), rows.step(1));
  while (rows.next());
};

function addRow(
  n: number,
  a: NumericArray,
  i: number,
  di: number,
  out: NumericArray,
  k: number,
  dk: number,
): void {
  for (let t = 0; t < n; t++, i += di, k += dk) out[k] += a[i];
}

function moveRow(
  n: number,
  a: NumericArray,
  i: number,
  di: number,
  out: NumericArray,
  k: number,
  dk: number,
): void {
  if (n >= LONG && di === 1 && dk === 1) {
    out.set(a.subarray(i, i + n), k);
    return;
  }
  for (let t = 0; t < n; t++, i += di, k += dk) out[k] = a[i];
}
