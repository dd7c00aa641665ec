// Arrays for results that are overwritten as a whole: their memory need not be zeroed first.
//
// Zeroing is done by one thread, and takes as long as an addition on one. Node hands out memory as it is, owned by the garbage
// collector like any other; browsers do not, and there arrays are zeroed.

import type { NumericArray } from '@adjoint/kernels-cpu';
import { allocate, arrayOver, byteLengthOf, type DType } from './dtype.ts';

interface Platform {
  readonly Buffer?: { allocUnsafeSlow(bytes: number): Uint8Array };
}

/** What is worth asking for memory that is not zeroed, in bytes. */
export const unfilled = {
  /** Less is zeroed in no time. */
  least: 2 ** 15,
  /** More is refused. */
  most: 2 ** 31,
};

/** A new array whose elements are whatever its memory held, or 0: for whoever overwrites all of it before anybody looks. */
export function allocateUnfilled(dtype: DType, length: number): NumericArray {
  const byteLength = byteLengthOf(dtype, length);
  if (byteLength < unfilled.least || byteLength > unfilled.most) return allocate(dtype, length);
  const { Buffer } = globalThis as Platform;
  if (Buffer === undefined) return allocate(dtype, length);
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(byteLength);
  return arrayOver(dtype, buffer as ArrayBuffer, byteOffset, length);
}
