// Kernels of multiply-adds: matrix products, and the three convolutions of one trilinear form.

import type { FloatArray, NumericArray, Strided } from '../arrays.ts';
import type { ConvGeometry } from '../geometry.ts';

/** Kernels of matrix products and convolutions. */
export interface ProductKernels {
  /**
   * `out[...batch, i, j] = Σk a[...batch, i, k] · b[...batch, k, j]`; the batch axes of both broadcast to those of `shape`. With a bias, of
   * one axis, `bias[j]` is added to each sum.
   */
  readonly matmul: (
    a: Strided,
    b: Strided,
    out: NumericArray,
    shape: readonly number[],
    bias?: Strided | null,
  ) => void;

  /** The trilinear convolution family of ../geometry.ts. All arrays are contiguous; `out` comes last. */
  readonly convForward: (g: ConvGeometry, x: FloatArray, w: FloatArray, y: FloatArray) => void;
  readonly convInputGrad: (g: ConvGeometry, w: FloatArray, y: FloatArray, x: FloatArray) => void;
  readonly convWeightGrad: (g: ConvGeometry, x: FloatArray, y: FloatArray, w: FloatArray) => void;
}
