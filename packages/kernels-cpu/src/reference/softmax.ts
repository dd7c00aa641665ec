// Softmax and its logarithm along one axis, from the largest element on so that nothing overflows.

import type { NumericArray, ScanKernel, SoftmaxGradKernel } from '../kernels.ts';
import { contiguous, eachLine, elementCount } from './strided.ts';

/** Writes one line of `n` elements, given the largest of them. */
type Line = (
  n: number,
  largest: number,
  a: NumericArray,
  i: number,
  di: number,
  out: NumericArray,
  k: number,
  dk: number,
) => void;

function alongLines(line: Line): ScanKernel {
  return (a, axis, out) => {
    if (out.length === 0) return;
    const target = contiguous(a.shape);
    const [extent, di, dk] = [a.shape[axis], a.strides[axis], target.strides[axis]];
    eachLine(a, target, axis, (start, k) => {
      let largest = -Infinity;
      for (let s = 0, i = start; s < extent; s++, i += di) largest = Math.max(largest, a.data[i]);
      line(extent, largest, a.data, start, di, out, k, dk);
    });
  };
}

/** NaN throughout a line that holds NaN or Infinity, or nothing but -Infinity. */
export const softmax = alongLines((n, largest, a, i, di, out, k, dk) => {
  let total = 0;
  for (let t = 0, from = i, to = k; t < n; t++, from += di, to += dk) {
    const e = Math.exp(a[from] - largest);
    total += e;
    out[to] = e;
  }
  for (let t = 0; t < n; t++, k += dk) out[k] /= total;
});

/** NaN as {@link softmax}. */
export const logSoftmax = alongLines((n, largest, a, i, di, out, k, dk) => {
  let total = 0;
  for (let t = 0, from = i; t < n; t++, from += di) total += Math.exp(a[from] - largest);
  const log = Math.log(total);
  for (let t = 0; t < n; t++, i += di, k += dk) out[k] = a[i] - largest - log;
});

/** A gradient from the sum of `term` along each line, and `slope` of each element and that sum. */
function gradient(
  term: (g: number, y: number) => number,
  slope: (g: number, y: number, total: number) => number,
): SoftmaxGradKernel {
  return (g, y, shape, axis, out) => {
    const inner = elementCount(shape.slice(axis + 1));
    const reach = shape[axis] * inner;
    for (let line = 0; line < out.length / shape[axis]; line++) {
      const start = Math.floor(line / inner) * reach + (line % inner);
      let total = 0;
      for (let i = start; i < start + reach; i += inner) total += term(g[i], y[i]);
      for (let i = start; i < start + reach; i += inner) out[i] = slope(g[i], y[i], total);
    }
  };
}

export const softmaxGrad = gradient(
  (g, y) => g * y,
  (g, y, total) => y * (g - total),
);
export const logSoftmaxGrad = gradient(
  (g) => g,
  (g, y, total) => g - Math.exp(y) * total,
);
