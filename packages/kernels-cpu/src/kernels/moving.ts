// Kernels that move elements and compute nothing: copies, lookups by index and their adjoints, conversions of 16-bit floats.

import type { FloatArray, NumericArray, Strided } from '../arrays.ts';

/** Kernels that move elements. */
export interface MovingKernels {
  /** Writes the elements of `a` into `out`, row-major; converts as a JavaScript assignment between the arrays does. */
  readonly copy: (a: Strided, out: NumericArray) => void;
  /** Writes the elements of `a` into the view `target` of the same shape. */
  readonly assign: (a: Strided, target: Strided) => void;
  /** Adds the elements of `a` to those of the view `target` of the same shape; sums are rounded as an assignment rounds them. */
  readonly addTo: (a: Strided, target: Strided) => void;
  /** `out[..., i, ...] = a[..., index[..., i, ...], ...]` along `axis`; `index` and `out` share a shape (PyTorch `gather`). */
  readonly gather: (a: Strided, axis: number, index: Strided, out: NumericArray) => void;
  /** `target[..., index[..., i, ...], ...] = a[..., i, ...]` along `axis`; `target` is contiguous with shape `targetShape`. */
  readonly scatter: (
    a: Strided,
    axis: number,
    index: Strided,
    target: NumericArray,
    targetShape: readonly number[],
  ) => void;
  /** As `scatter`, but adds: the adjoint of `gather`. */
  readonly scatterAdd: (
    a: Strided,
    axis: number,
    index: Strided,
    target: NumericArray,
    targetShape: readonly number[],
  ) => void;
  /** Picks whole slices: `out[..., j, ...] = a[..., index[j], ...]` along `axis`; `index` has one axis (or is a flat run). */
  readonly indexSelect: (a: Strided, axis: number, index: Int32Array, out: NumericArray) => void;
  /** As the adjoint of `indexSelect`: `target[..., index[j], ...] += a[..., j, ...]`. */
  readonly indexAdd: (
    a: Strided,
    axis: number,
    index: Int32Array,
    target: NumericArray,
    targetShape: readonly number[],
  ) => void;

  /** IEEE binary16 bits to numbers, exact. */
  readonly decodeFloat16: (bits: Uint16Array, out: FloatArray) => void;
  /** Numbers to IEEE binary16 bits, rounded once to nearest even (from float64 too: no double rounding). */
  readonly encodeFloat16: (a: FloatArray, bits: Uint16Array) => void;
  /** bfloat16 bits to numbers, exact. */
  readonly decodeBfloat16: (bits: Uint16Array, out: FloatArray) => void;
  /** Numbers to bfloat16 bits, rounded once to nearest even. */
  readonly encodeBfloat16: (a: FloatArray, bits: Uint16Array) => void;
}
