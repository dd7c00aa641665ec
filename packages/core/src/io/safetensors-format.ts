// What readers and writers of safetensors share: the limits and names of the format.

import type { DType } from '../dtype.ts';

/** The longest header that is read, in bytes, where no other bound is given: that of the reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The name that stands for strings by name beside the tensors. */
export const METADATA = '__metadata__';
/** The file begins with the length of its header. */
export const LENGTH_BYTES = 8;

/** Names of types, in the order in which tensors are written: by descending alignment, as in the reference implementation's enum. */
export const tagOf = {
  float64: 'F64',
  float32: 'F32',
  int32: 'I32',
  bfloat16: 'BF16',
  float16: 'F16',
  uint8: 'U8',
  bool: 'BOOL',
} as const satisfies Record<DType, string>;

/** Types, in that order. */
export const writeOrder = Object.keys(tagOf) as DType[];
