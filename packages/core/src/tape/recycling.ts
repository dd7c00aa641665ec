// Arrays that only the engine ever saw, used again: cotangents between two ops, and what a rule computes on its way.
//
// A fresh megabyte costs page faults and a collection, several times what it takes to fill it; one that was used before costs
// nothing. Whose an array is, is known only while backward runs the rules of an op that promises to keep nothing (`recycles`
// in its record): what ops make meanwhile belongs to the engine, until somebody else gets to see it (`share`).

import type { NumericArray } from '@adjoint/kernels-cpu';
import { byteLengthOf, type DType, isHalf } from '../dtype.ts';
import { isRowMajor } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { allocateOverwritten, isPiece } from './pieces.ts';

/** What is worth using again. */
export const limits = {
  /** Most bytes that lie ready. */
  capacity: 64 * 2 ** 20,
  /** Arrays of no more bytes lie in V8's own heap, where a new one costs next to nothing. */
  small: 64,
};

/** Every so many passes, arrays of a length that nobody asked for in as many are given up. */
const PATIENCE = 16;

/** Arrays of one type and length that lie ready. */
interface Shelf {
  readonly arrays: NumericArray[];
  /** The pass in which one was last asked for. */
  used: number;
}

// Shelves by type of array, then by length.
const bytes = new Map<number, Shelf>();
const halves = new Map<number, Shelf>();
const shelves: Readonly<Record<DType, Map<number, Shelf>>> = {
  float32: new Map(),
  float64: new Map(),
  int32: new Map(),
  uint8: bytes,
  bool: bytes,
  float16: halves,
  bfloat16: halves,
};
let stored = 0;
let pass = 0;

/** Whether what ops make now belongs to the engine; the tape looks here once per op. */
export const scope = { open: false };
// What was made in the open scopes, the innermost last.
const made: Tensor[] = [];

/** Begins a scope: what ops make from now on is the engine's. Returns what {@link closeScope} takes. */
export function openScope(): number {
  scope.open = true;
  return made.length;
}

/** Ends a scope: what was made in it and is held by no cotangent is used again. */
export function closeScope(start: number): void {
  scope.open = false;
  for (let i = made.length - 1; i >= start; i--) {
    const tensor = made.pop()!;
    if (tensor.storage.holders === 0) put(tensor);
  }
}

/** A pass begins, perhaps within a rule of another: its hooks are anybody's code. Returns what {@link endPass} takes. */
export function beginPass(): number {
  const outer = scope.open ? made.length : ~made.length;
  scope.open = false;
  return outer;
}

/** The pass is over, or an error broke it off: what its scopes left behind then is left to the garbage collector. */
export function endPass(outer: number): void {
  scope.open = outer >= 0;
  made.length = outer >= 0 ? outer : ~outer;
  if (++pass % PATIENCE === 0) clearOut();
}

/** Whether an array is large enough to be used again. */
export function isWorthwhile(dtype: DType, length: number): boolean {
  return byteLengthOf(dtype, length) > limits.small;
}

/** The array of a tensor that an op just made within a scope, from an array that was taken, is the engine's. */
export function own(tensor: Tensor): void {
  tensor.storage.holders = 0;
  made.push(tensor);
}

/** An array for a result that is overwritten as a whole: one that lies ready, with whatever it holds, or a new one. */
export function take(dtype: DType, length: number): NumericArray {
  const shelf = shelves[dtype].get(length);
  if (shelf !== undefined) {
    shelf.used = pass;
    const array = shelf.arrays.pop();
    if (array !== undefined) {
      stored -= array.byteLength;
      return array;
    }
  }
  return allocateOverwritten(dtype, length);
}

function put({ dtype, storage }: Tensor): void {
  const array = storage.data;
  storage.holders = -1;
  if (isPiece(dtype, array.length) || stored + array.byteLength > limits.capacity) return;
  const ofType = shelves[dtype];
  let shelf = ofType.get(array.length);
  if (shelf === undefined) {
    shelf = { arrays: [], used: pass };
    ofType.set(array.length, shelf);
  }
  stored += array.byteLength;
  shelf.arrays.push(array);
}

function clearOut(): void {
  for (const ofType of new Set(Object.values(shelves))) {
    for (const [length, { arrays, used }] of ofType) {
      if (pass - used <= PATIENCE) continue;
      for (const array of arrays) stored -= array.byteLength;
      ofType.delete(length);
    }
  }
}

/** The arrays that lie ready. */
export function stock(): NumericArray[] {
  return [...new Set(Object.values(shelves))].flatMap((ofType) =>
    [...ofType.values()].flatMap(({ arrays }) => arrays),
  );
}

/** Somebody besides the engine may hold the tensor's array from now on: it is never used again. */
export function share({ storage }: Tensor): void {
  storage.holders = -1;
}

/** One cotangent more lies in the tensor's array. */
export function hold({ storage }: Tensor): void {
  if (storage.holders >= 0) storage.holders++;
}

/** A cotangent is done with; its array is used again if it was the last one. */
export function drop(tensor: Tensor): void {
  const { storage } = tensor;
  if (storage.holders > 0 && --storage.holders === 0) put(tensor);
}

/**
 * Whether the engine may do with the tensor's array what it likes: it is the engine's, `holders` cotangents lie in it, and the
 * tensor is all of it.
 */
export function isOwn({ storage, size, shape, strides, offset }: Tensor, holders: number): boolean {
  return (
    storage.holders === holders && offset === 0 && storage.data.length === size && isRowMajor(shape, strides)
  );
}

/** Whether, besides, a sum can be computed in place: 16-bit floats are not stored as they are computed. */
export function isOwnSum(tensor: Tensor, holders: number): boolean {
  return isOwn(tensor, holders) && !isHalf(tensor.dtype);
}
