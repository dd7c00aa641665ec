// Kernels on planes: pooling, windows that overlap, and resampling, which is a product with a sparse matrix along each axis.

import type { FloatArray, NumericArray, Strided } from '../arrays.ts';
import type { PoolGeometry } from '../pool-geometry.ts';

/** A sparse matrix by rows: row `i` has `values[n]` in column `columns[n]`, for n from `starts[i]` up to `starts[i + 1]`. */
export interface SparseMatrix {
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/**
 * Windows that slide over the 1 to 3 spatial axes of planes: element `q` of the one at place `o` is at `o · stride + q · dilation`. All
 * lie within the plane, of the size `inputSize`.
 */
export interface WindowGeometry {
  readonly planes: number;
  readonly inputSize: readonly number[];
  readonly kernelSize: readonly number[];
  readonly outputSize: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
}

/** Kernels of pooling, windows and resampling. */
export interface PlaneKernels {
  /**
   * Largest element per window and its flat index within its (channel's) plane, null for who wants the elements alone; padding never wins.
   * NaN wins.
   */
  readonly maxPool: (g: PoolGeometry, x: FloatArray, y: FloatArray, indices: Int32Array | null) => void;
  /**
   * The adjoint of reading x at the `indices` that `maxPool` gave for the same geometry: adds each element of y to the one of x that it was. What
   * other indices do is not said, but that nothing outside of their plane is touched.
   */
  readonly maxPoolInputGrad: (g: PoolGeometry, y: FloatArray, indices: Int32Array, x: FloatArray) => void;
  /** Mean per window, divided by `divisor(window)` as the geometry says. */
  readonly avgPool: (g: PoolGeometry, x: FloatArray, y: FloatArray) => void;
  /** The adjoint of `avgPool`. */
  readonly avgPoolInputGrad: (g: PoolGeometry, y: FloatArray, x: FloatArray) => void;
  /**
   * For each of `planes` contiguous planes, the flat index of the largest element of every window of adaptive pooling: along an
   * axis window `o` covers `floor(o · in / out)` up to, but not with, `ceil((o + 1) · in / out)`. NaN wins.
   */
  readonly adaptiveMaxPool: (
    planes: number,
    inputSize: readonly number[],
    outputSize: readonly number[],
    x: FloatArray,
    indices: Int32Array,
  ) => void;
  /**
   * Adds windows up where they overlap: `out` is 0 but for `out[p, o · stride + q · dilation] += windows[p, q, o]`, for each plane `p`,
   * element `q` of the kernel and place `o`, in this order. Both arrays are row-major.
   */
  readonly overlap: (g: WindowGeometry, windows: NumericArray, out: NumericArray) => void;
  /** `out[…, i, …] = Σk matrix[i, k] · a[…, k, …]` along `axis`, summed in double precision. */
  readonly sparseAlong: (matrix: SparseMatrix, a: Strided, axis: number, out: NumericArray) => void;
}
