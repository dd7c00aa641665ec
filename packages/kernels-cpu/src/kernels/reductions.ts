// Kernels that reduce axes to one number each: sums and their like, extremes and their places, logarithms of sums, variances.

import type { NumericArray, Strided } from '../arrays.ts';

/** Reduces `axes` (sorted, distinct, non-negative) of `a`; `out` has the shape of the axes that stay. */
export type ReduceKernel = (a: Strided, axes: readonly number[], out: NumericArray) => void;

/** Names of the kernels that reduce any set of axes; `sumOfSquares` is of floats. */
export type ReduceName = 'sum' | 'sumOfSquares' | 'prod' | 'max' | 'min' | 'any' | 'all';

/** Kernels that reduce axes. */
export interface ReductionKernels extends Readonly<Record<ReduceName, ReduceKernel>> {
  /** Index of the largest element along `axis`, the first of equals; NaN counts as largest. `out` lacks the axis. */
  readonly argmax: (a: Strided, axis: number, out: Int32Array) => void;
  /** Index of the smallest element along `axis`, the first of equals; NaN counts as smallest. `out` lacks the axis. */
  readonly argmin: (a: Strided, axis: number, out: Int32Array) => void;
  /** `log(Σ exp(a[i]))`, without overflow; -Infinity of no elements. */
  readonly logsumexp: ReduceKernel;
  /** `Σ (a[i] - mean)² / max(0, n - correction)`, in two passes; NaN where that is 0 / 0. */
  readonly variance: (a: Strided, axes: readonly number[], correction: number, out: NumericArray) => void;
}
