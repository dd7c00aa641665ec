// 16-bit floats: from the bits that are stored to the numbers that are computed with, and back.

import { type FloatArray, kernels, type NumericArray, type Strided } from '@adjoint/kernels-cpu';
import { type DType, isFloatArray, isHalf } from './dtype.ts';
import { isRowMajor } from './shape.ts';
import { allocateUnfilled } from './unfilled.ts';

/** The types that are stored as 16 bits. */
export type HalfDType = 'float16' | 'bfloat16';

/** The numbers that the bits stand for; exact. */
export function decodeHalf(dtype: HalfDType, bits: Uint16Array): Float32Array {
  const values = allocateUnfilled('float32', bits.length) as Float32Array;
  decodeInto(dtype, bits, values);
  return values;
}

/** The bits of the numbers, each rounded once to nearest even. */
export function encodeHalf(dtype: HalfDType, values: FloatArray): Uint16Array {
  const bits = allocateUnfilled(dtype, values.length) as Uint16Array;
  encodeInto(dtype, values, bits);
  return bits;
}

function decodeInto(dtype: HalfDType, bits: Uint16Array, values: FloatArray): void {
  if (dtype === 'float16') kernels.decodeFloat16(bits, values);
  else kernels.decodeBfloat16(bits, values);
}

function encodeInto(dtype: HalfDType, values: FloatArray, bits: Uint16Array): void {
  if (dtype === 'float16') kernels.encodeFloat16(values, bits);
  else kernels.encodeBfloat16(values, bits);
}

/** Writes the elements of `x`, which is stored as `from`, into `out` as `to` stores them; between other types than bool. */
export function convertInto(x: Strided, from: DType, out: NumericArray, to: DType): void {
  if (!isHalf(from) && !isHalf(to)) {
    kernels.copy(x, out);
    return;
  }
  const size = out.length;
  let data = x.data;
  if (x.offset !== 0 || data.length !== size || !isRowMajor(x.shape, x.strides)) {
    data = allocateUnfilled(from, size);
    kernels.copy(x, data);
  }
  if (isHalf(from) && isFloatArray(out)) {
    decodeInto(from, data as Uint16Array, out);
  } else if (isHalf(to) && isFloatArray(data)) {
    encodeInto(to, data, out as Uint16Array);
  } else {
    const values = allocateUnfilled('float32', size) as Float32Array;
    convertInto({ data, shape: [size], strides: [1], offset: 0 }, from, values, 'float32');
    convertInto({ data: values, shape: [size], strides: [1], offset: 0 }, 'float32', out, to);
  }
}
