// Reductions that go over their elements twice: first for a centre (the mean, the largest), then around it.

import type { Kernels, NumericArray, ReduceKernel, Strided } from '../kernels.ts';
import { reduceKernels, splitAxes } from './reduce.ts';
import { elementCount, Rows } from './strided.ts';

/** The result of the elements at `data[start + …]` that `inner` visits, given their centre. */
type Around = (data: NumericArray, start: number, inner: Rows, centre: number) => number;

/** Fills `out` by going around `centres[k]` for its k-th element; there is one element at least to each. */
function around(
  a: Strided,
  axes: readonly number[],
  centres: Float64Array,
  out: NumericArray,
  f: Around,
): void {
  const { kept, reduced } = splitAxes(a, axes);
  const outer = new Rows(kept.shape, [kept]);
  const inner = new Rows(reduced.shape, [reduced]);
  let k = 0;
  do {
    let start = a.offset + outer.at(0);
    for (let t = 0; t < outer.length; t++, start += outer.step(0), k++) {
      out[k] = f(a.data, start, inner, centres[k]);
    }
  } while (outer.next());
}

const sumOfSquares: Around = (data, start, inner, mean) => {
  let [total, drift] = [0, 0];
  do {
    const step = inner.step(0);
    let i = start + inner.at(0);
    for (let t = 0; t < inner.length; t++, i += step) {
      const difference = data[i] - mean;
      total += difference * difference;
      drift += difference;
    }
  } while (inner.next());
  // The rounded mean is off by drift / n (Chan, Golub and LeVeque 1983); infinite elements make NaN either way.
  return total - (drift * drift) / (inner.length * inner.count);
};

export const variance: Kernels['variance'] = (a, axes, correction, out) => {
  const count = axes.reduce((product, axis) => product * a.shape[axis], 1);
  if (out.length === 0) return;
  if (count === 0) {
    out.fill(Number.NaN);
    return;
  }
  const means = new Float64Array(out.length);
  reduceKernels.sum(a, axes, means);
  for (let k = 0; k < means.length; k++) means[k] /= count;
  const freedom = Math.max(0, count - correction);
  around(a, axes, means, out, (data, start, inner, mean) => sumOfSquares(data, start, inner, mean) / freedom);
};

const sumOfExponentials: Around = (data, start, inner, largest) => {
  let total = 0;
  do {
    const step = inner.step(0);
    let i = start + inner.at(0);
    for (let t = 0; t < inner.length; t++, i += step) total += Math.exp(data[i] - largest);
  } while (inner.next());
  return Math.log(total) + largest;
};

export const logsumexp: ReduceKernel = (a, axes, out) => {
  if (out.length === 0) return;
  if (elementCount(a.shape) === 0) {
    out.fill(-Infinity);
    return;
  }
  const largest = new Float64Array(out.length);
  reduceKernels.max(a, axes, largest);
  // Around an infinity the differences would be NaN; from 0 the exponentials are 0 or Infinity, as they should be.
  for (let k = 0; k < largest.length; k++) if (Math.abs(largest[k]) === Infinity) largest[k] = 0;
  around(a, axes, largest, out, sumOfExponentials);
};
