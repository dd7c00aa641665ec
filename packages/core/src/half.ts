// 16-bit floats: from the bits that are stored to the numbers that are computed with, and back.

import { type FloatArray, kernels } from '@adjoint/kernels-cpu';
import { allocateUnfilled } from './unfilled.ts';

/** The types that are stored as 16 bits. */
export type HalfDType = 'float16' | 'bfloat16';

/** The numbers that the bits stand for; exact. */
export function decodeHalf(dtype: HalfDType, bits: Uint16Array): Float32Array {
  const values = allocateUnfilled('float32', bits.length) as Float32Array;
  if (dtype === 'float16') kernels.decodeFloat16(bits, values);
  else kernels.decodeBfloat16(bits, values);
  return values;
}

/** The bits of the numbers, each rounded once to nearest even. */
export function encodeHalf(dtype: HalfDType, values: FloatArray): Uint16Array {
  const bits = allocateUnfilled(dtype, values.length) as Uint16Array;
  if (dtype === 'float16') kernels.encodeFloat16(values, bits);
  else kernels.encodeBfloat16(values, bits);
  return bits;
}
