// Kernels of multiply-adds: matrix products, and the three convolutions of one trilinear form.

import type { FloatArray } from '../arrays.ts';
import type { ConvGeometry } from '../geometry.ts';
import type { BinaryKernel } from './elementwise.ts';

/** Kernels of matrix products and convolutions. */
export interface ProductKernels {
  /** `out[...batch, i, j] = Σk a[...batch, i, k] · b[...batch, k, j]`; the batch axes of both broadcast to those of `shape`. */
  readonly matmul: BinaryKernel;

  /** The trilinear convolution family of ../geometry.ts. All arrays are contiguous; `out` comes last. */
  readonly convForward: (g: ConvGeometry, x: FloatArray, w: FloatArray, y: FloatArray) => void;
  readonly convInputGrad: (g: ConvGeometry, w: FloatArray, y: FloatArray, x: FloatArray) => void;
  readonly convWeightGrad: (g: ConvGeometry, x: FloatArray, y: FloatArray, w: FloatArray) => void;
}
