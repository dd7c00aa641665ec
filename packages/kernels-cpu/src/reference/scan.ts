// Running sums and products along one axis. They run in double precision; each stored value is rounded once.

import type { NumericArray, ScanKernel } from '../kernels.ts';
import { contiguous, eachLine } from './strided.ts';

/** Scans one line of `n` elements. */
type ScanLine = (
  n: number,
  a: NumericArray,
  i: number,
  di: number,
  out: NumericArray,
  k: number,
  dk: number,
) => void;

function scan(line: ScanLine): ScanKernel {
  return (a, axis, out) => {
    if (out.length === 0) return;
    const target = contiguous(a.shape);
    const extent = a.shape[axis];
    const stride = a.strides[axis];
    const targetStride = target.strides[axis];
    eachLine(a, target, axis, (start, k) => line(extent, a.data, start, stride, out, k, targetStride));
  };
}

export const cumsum = scan((n, a, i, di, out, k, dk) => {
  const isInteger = out instanceof Int32Array || out instanceof Uint8Array;
  let total = 0;
  let error = 0;
  for (let t = 0; t < n; t++, i += di, k += dk) {
    const x = a[i];
    const next = total + x;
    if (isInteger) {
      total = next | 0;
      out[k] = total;
      continue;
    }
    // Compensated as in ./reduce.ts; an infinite total has no error term.
    const part = next - total;
    error += total - (next - part) + (x - part);
    total = next;
    out[k] = Number.isFinite(total) ? total + error : total;
  }
});

export const cumprod = scan((n, a, i, di, out, k, dk) => {
  const isInteger = out instanceof Int32Array || out instanceof Uint8Array;
  let product = 1;
  for (let t = 0; t < n; t++, i += di, k += dk) {
    product = isInteger ? Math.imul(product, a[i]) : product * a[i];
    out[k] = product;
  }
});
