// The arrays that kernels read and write, and views of them.

/** An array of real numbers that kernels compute with in floating point. */
export type FloatArray = Float32Array | Float64Array;

/** Every element type that kernels read and write; `Uint16Array` holds the bits of 16-bit floats, which are moved but never computed with. */
export type NumericArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array;

/**
 * A read-only view of an array: element `(i0, i1, …)` is `data[offset + i0 * strides[0] + i1 * strides[1] + …]`.
 * Strides count elements and may be 0 (broadcast) or negative (reversed).
 */
export interface Strided<A extends NumericArray = NumericArray> {
  readonly data: A;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}
