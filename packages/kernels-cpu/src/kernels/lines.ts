// Kernels along one axis, whose results have an element for each of the operand: running sums, recurrences, softmax, order (or the first of it).

import type { FloatArray, NumericArray, Strided } from '../arrays.ts';

/** Runs along one axis; `out` has the shape of `a`. */
export type ScanKernel = (a: Strided, axis: number, out: NumericArray) => void;

/** `g` and `y` are contiguous and of `shape`, as is `out`; sums run along `axis`. */
export type SoftmaxGradKernel = (
  g: FloatArray,
  y: FloatArray,
  shape: readonly number[],
  axis: number,
  out: FloatArray,
) => void;

/** Kernels along one axis. */
export interface LineKernels {
  readonly cumsum: ScanKernel;
  readonly cumprod: ScanKernel;
  /** `out[i] = a[i] * out[i - 1] + b[i]` along `axis`, from `out[-1] = 0`; `a`, `b` and `out` share a shape. */
  readonly recurrence: (a: Strided, b: Strided, axis: number, out: NumericArray) => void;
  /** `exp(a[i]) / Σ exp(a[j])` along `axis`, without overflow. */
  readonly softmax: ScanKernel;
  /** `a[i] - log(Σ exp(a[j]))` along `axis`, without overflow. */
  readonly logSoftmax: ScanKernel;
  /** The gradient of `softmax` that gave `y`: `y · (g - Σ g y)` along `axis`. All are contiguous, of `shape`. */
  readonly softmaxGrad: SoftmaxGradKernel;
  /** The gradient of `logSoftmax` that gave `y`: `g - exp(y) Σ g`. */
  readonly logSoftmaxGrad: SoftmaxGradKernel;
  /** Stable order of the elements along `axis`; NaN sorts as largest. `out` has the shape of `a`. */
  readonly argsort: (
    a: Strided,
    axis: number,
    direction: 'ascending' | 'descending',
    out: Int32Array,
  ) => void;
  /** The first `k` of the places that `argsort` gives, from 0 to all of them; `out` has the shape of `a` but for `k` on the axis. */
  readonly argtopk: (
    a: Strided,
    axis: number,
    k: number,
    direction: 'ascending' | 'descending',
    out: Int32Array,
  ) => void;
}
