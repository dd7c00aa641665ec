// Arrays that only the engine ever saw, used again: cotangents between two ops, and what a rule computes on its way.
//
// A fresh megabyte costs page faults and a collection, several times what it takes to fill it; one that was used before costs
// nothing. Whose an array is, is known only while backward runs the rules of an op that promises to keep nothing (`recycles`
// in its record): what ops make meanwhile belongs to the engine, until somebody else gets to see it (`share`).

import type { NumericArray } from '@adjoint/kernels-cpu';
import { type DType, isHalf } from '../dtype.ts';
import { isRowMajor } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { allocateOverwritten, keptBytes } from './pieces.ts';

/** What lies ready. */
export const limits = {
  /** Most bytes. */
  capacity: 64 * 2 ** 20,
};

/** Every so many passes, arrays of a length that nobody asked for in as many are given up. */
const PATIENCE = 16;

/** Arrays of one type and length that lie ready. */
interface Shelf {
  /** Bytes that each keeps. */
  readonly bytes: number;
  readonly arrays: NumericArray[];
  /** The pass in which one was last asked for. */
  used: number;
}

// Shelves by length, for each type of array.
const shelves = {
  floats: new Map<number, Shelf>(),
  doubles: new Map<number, Shelf>(),
  integers: new Map<number, Shelf>(),
  bytes: new Map<number, Shelf>(),
  halves: new Map<number, Shelf>(),
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

/** The array of a tensor that an op just made within a scope, from an array that was taken, is the engine's. */
export function own(tensor: Tensor): void {
  tensor.storage.holders = 0;
  made.push(tensor);
}

/** An array for a result that is overwritten as a whole: one that lies ready, with whatever it holds, or a new one. */
export function take(dtype: DType, length: number): NumericArray {
  const shelf = shelvesOf(dtype).get(length);
  if (shelf !== undefined) {
    shelf.used = pass;
    const array = shelf.arrays.pop();
    if (array !== undefined) {
      stored -= shelf.bytes;
      return array;
    }
  }
  return allocateOverwritten(dtype, length);
}

function put({ dtype, storage }: Tensor): void {
  storage.holders = -1;
  const array = storage.data;
  const ofType = shelvesOf(dtype);
  let shelf = ofType.get(array.length);
  if (shelf === undefined) {
    shelf = { bytes: keptBytes(dtype, array.length), arrays: [], used: pass };
    ofType.set(array.length, shelf);
  }
  if (stored + shelf.bytes > limits.capacity) return;
  stored += shelf.bytes;
  shelf.arrays.push(array);
}

// By comparisons, as in `byteLengthOf`.
function shelvesOf(dtype: DType): Map<number, Shelf> {
  switch (dtype) {
    case 'float32':
      return shelves.floats;
    case 'float64':
      return shelves.doubles;
    case 'int32':
      return shelves.integers;
    case 'float16':
    case 'bfloat16':
      return shelves.halves;
    default:
      return shelves.bytes;
  }
}

function clearOut(): void {
  for (const ofType of Object.values(shelves)) {
    for (const [length, { arrays, bytes, used }] of ofType) {
      if (pass - used <= PATIENCE) continue;
      stored -= bytes * arrays.length;
      ofType.delete(length);
    }
  }
}

/** The arrays that lie ready. */
export function stock(): NumericArray[] {
  return Object.values(shelves).flatMap((ofType) => [...ofType.values()].flatMap(({ arrays }) => arrays));
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
