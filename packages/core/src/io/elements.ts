// The elements of a tensor as the bytes of a file, in the file's order of bytes and in types that tensors may not have.

import type { NumericArray } from '@adjoint/kernels-cpu';
import { kernels } from '@adjoint/kernels-cpu';
import { allocate, type DType } from '../dtype.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { fromArray, type Tensor } from '../tensor.ts';

/** Which byte of a number comes first: the least significant one, or the most. */
export type ByteOrder = 'little' | 'big';

const platformOrder: ByteOrder = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'little' : 'big';

/** Integer types of files that int32 stands in for, where every value fits. */
export type WideInteger = 'int8' | 'int16' | 'uint16' | 'uint32' | 'int64' | 'uint64';

/** Bytes that one element of such a type takes. */
export const wideIntegerBytes: Readonly<Record<WideInteger, number>> = {
  int8: 1,
  int16: 2,
  uint16: 2,
  uint32: 4,
  int64: 8,
  uint64: 8,
};

/** Writes the elements of `x`, in row-major order and least significant byte first, over `target`. */
export function writeElements(x: Tensor, target: Uint8Array): void {
  const { data, shape, strides, offset, size } = x;
  const width = data.BYTES_PER_ELEMENT;
  if (x.isContiguous) {
    target.set(bytesOf(data.subarray(offset, offset + size)));
  } else if (width < 4) {
    const stored = allocate(x.dtype, size);
    kernels.copy(x, stored);
    target.set(bytesOf(stored));
  } else {
    // As integers: a NaN that is read and written as a number may come out with other bits.
    const words = width / 4;
    const stored = new Int32Array(size * words);
    const view = {
      data: new Int32Array(data.buffer, data.byteOffset, data.length * words),
      shape: [...shape, words],
      strides: [...strides.map((stride) => stride * words), 1],
      offset: offset * words,
    };
    kernels.copy(view, stored);
    target.set(bytesOf(stored));
  }
  if (platformOrder === 'big') reverseEach(target, width);
}

/** A tensor of the elements that `bytes` are, exactly; the bytes are copied. */
export function readElements(bytes: Uint8Array, dtype: DType, shape: Shape, order: ByteOrder): Tensor {
  const data = allocate(dtype, sizeOf(shape));
  const target = bytesOf(data);
  target.set(bytes);
  if (platformOrder !== order) reverseEach(target, data.BYTES_PER_ELEMENT);
  return fromArray(data, shape, dtype);
}

/** The index of the first byte that is neither 0 nor 1, as those of a bool tensor are; -1 if there is none. */
export function findNonBoolean(bytes: Uint8Array): number {
  let index = 0;
  while (index < bytes.length && bytes[index] <= 1) index++;
  return index < bytes.length ? index : -1;
}

/** A number that int32 does not hold, and where it stands among the elements. */
export interface Misfit {
  readonly index: number;
  readonly value: string;
}

/** An int32 tensor of the integers that `bytes` are, or the first of them that it cannot hold. */
export function readIntegers(
  bytes: Uint8Array,
  type: WideInteger,
  shape: Shape,
  order: ByteOrder,
): Tensor | Misfit {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = wideIntegerBytes[type];
  const little = order === 'little';
  const data = new Int32Array(bytes.length / width);
  for (let index = 0; index < data.length; index++) {
    const value = readInteger(view, type, index * width, little);
    // What Number rounds lies far outside of int32: a value that fits survives both conversions.
    data[index] = Number(value);
    if (data[index] !== Number(value)) return { index, value: String(value) };
  }
  return fromArray(data, shape, 'int32');
}

function readInteger(view: DataView, type: WideInteger, at: number, little: boolean): number | bigint {
  switch (type) {
    case 'int8':
      return view.getInt8(at);
    case 'int16':
      return view.getInt16(at, little);
    case 'uint16':
      return view.getUint16(at, little);
    case 'uint32':
      return view.getUint32(at, little);
    case 'int64':
      return view.getBigInt64(at, little);
    case 'uint64':
      return view.getBigUint64(at, little);
  }
}

function bytesOf(data: NumericArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function reverseEach(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}
