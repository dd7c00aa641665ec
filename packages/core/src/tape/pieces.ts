// The arrays of results; small ones are pieces of larger buffers, cut one after the other.
//
// An array of up to 64 bytes lies in V8's own heap. A larger one asks the C library for memory and has the garbage collector
// keep account of it, which takes 0.4 to 1.3 µs: more than most ops on so few elements. Each stretch of a buffer is handed out
// once, so a piece starts as zeros, as any array does. A buffer lives as long as one of its pieces, so that a piece that is kept
// holds up to 1 KB: less than twice what an array of its own and its tensor take.

import type { NumericArray } from '@adjoint/kernels-cpu';
import { allocate, arrayOver, byteLengthOf, type DType } from '../dtype.ts';
import { allocateUnfilled } from '../unfilled.ts';

/** Which results are pieces. */
export const pieces = {
  /** The most bytes of one. */
  most: 2 ** 8,
};

// What V8 keeps in its own heap is as cheap as a piece.
const IN_HEAP = 64;
const BUFFER_BYTES = 2 ** 10;
// What V8 takes for an array and its buffer beside the elements.
const OBJECT_BYTES = 200;

// Pieces start at multiples of this, as what the C library allocates does.
const ALIGNMENT = 16;

let buffer = new ArrayBuffer(0);
let used = 0;

/** Bytes that an array takes while somebody holds it: its own, or for a piece all of its buffer; and its object. */
export function keptBytes(dtype: DType, length: number): number {
  const bytes = byteLengthOf(dtype, length);
  return OBJECT_BYTES + (bytes > IN_HEAP && bytes <= pieces.most ? BUFFER_BYTES : bytes);
}

/** A zeroed array for a result. */
export function allocateZeroed(dtype: DType, length: number): NumericArray {
  const bytes = byteLengthOf(dtype, length);
  return bytes > IN_HEAP && bytes <= pieces.most ? cutPiece(dtype, length, bytes) : allocate(dtype, length);
}

/** An array for a result that is overwritten as a whole. */
export function allocateOverwritten(dtype: DType, length: number): NumericArray {
  const bytes = byteLengthOf(dtype, length);
  if (bytes <= IN_HEAP) return allocate(dtype, length);
  return bytes <= pieces.most ? cutPiece(dtype, length, bytes) : allocateUnfilled(dtype, length);
}

function cutPiece(dtype: DType, length: number, bytes: number): NumericArray {
  if (used + bytes > buffer.byteLength) {
    buffer = new ArrayBuffer(BUFFER_BYTES);
    used = 0;
  }
  const start = used;
  used += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  return arrayOver(dtype, buffer, start, length);
}
