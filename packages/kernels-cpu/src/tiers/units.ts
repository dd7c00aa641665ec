// Kernels that work unit by unit (rows, planes, flat pieces of their arrays): how a call is written down for any machine.
// ARCHITECTURE.md says how to add such a kernel.

import type { NumericArray } from '../kernels.ts';
import { type Machine, UNIT_KERNELS, type UnitKernel } from './machine.ts';
import { done } from './status.ts';

/** What a kernel does with an array. */
export type Access = 'reads' | 'writes' | 'updates';

/** An array of a call. What is not split is shared: seen whole by every unit; if written, then added to (`'updates'`). */
export interface UnitArray {
  readonly data: NumericArray;
  /** Its first element. */
  readonly offset: number;
  /** Elements of each unit, one unit after the other; 0 if it is shared. */
  readonly perUnit: number;
  readonly access: Access;
}

// The layout of a machine's numbers: kernel, first unit, units, arrays, 1 for float64; then per array its start, elements per
// unit, and access; then the kernel's own numbers. As in simd/arguments.h.
export const FIRST_UNIT = 1;
export const UNIT_COUNT = 2;
const ARRAY_COUNT = 3;
const IS_DOUBLE = 4;
const MOST_ARRAYS = 12;
const FIELDS = 3;
const HEAD = 5;
const OWN_NUMBERS = HEAD + FIELDS * MOST_ARRAYS;
const accesses: readonly Access[] = ['reads', 'writes', 'updates'];
const READ = 0;
const WRITTEN = 1;

/** Where the numbers of array `index` are: start, elements per unit, access. */
export const startOf = (index: number): number => HEAD + FIELDS * index;
export const perUnitOf = (index: number): number => HEAD + FIELDS * index + 1;
const accessOf = (index: number): number => HEAD + FIELDS * index + 2;

/** Whether array `index` holds something that the kernel reads, or may be handed to it as it comes. */
export const isRead = (numbers: Float64Array, index: number): boolean => numbers[accessOf(index)] !== WRITTEN;
export const isWritten = (numbers: Float64Array, index: number): boolean => numbers[accessOf(index)] !== READ;

/** An array that is read, `perUnit` elements by each unit; whole by all if 0. */
export function reads(data: NumericArray, perUnit: number, offset = 0): UnitArray {
  return { data, offset, perUnit, access: 'reads' };
}

/** An array of which each unit writes its `perUnit` elements, all of them. */
export function writes(data: NumericArray, perUnit: number, offset = 0): UnitArray {
  return { data, offset, perUnit, access: 'writes' };
}

/** An array that is read and written: each unit its `perUnit` elements; if 0, all units add to the whole of it. */
export function updates(data: NumericArray, perUnit: number, offset = 0): UnitArray {
  return { data, offset, perUnit, access: 'updates' };
}

/**
 * Runs a kernel on `units` units.
 *
 * @param own - the kernel's own numbers
 * @param op - what was called, if that has another name
 * @returns whether it was done; false if the reference must do it: there is no such kernel for these numbers, or an array is too
 *   short for its units
 * @throws KernelMemoryError if there is no memory for the workspace
 */
export function runUnits(
  machine: Machine,
  kernel: UnitKernel,
  units: number,
  own: readonly number[],
  arrays: readonly UnitArray[],
  op: string = kernel,
): boolean {
  const { numbers } = machine;
  if (arrays.length > MOST_ARRAYS || OWN_NUMBERS + own.length > numbers.length) return false;
  numbers[0] = UNIT_KERNELS.indexOf(kernel);
  numbers[FIRST_UNIT] = 0;
  numbers[UNIT_COUNT] = units;
  numbers[ARRAY_COUNT] = arrays.length;
  const data = new Array<NumericArray>(arrays.length);
  for (let p = 0; p < arrays.length; p++) {
    const { offset, perUnit, access } = arrays[p];
    data[p] = arrays[p].data;
    if (offset < 0 || offset + units * perUnit > data[p].length) return false;
    numbers[startOf(p)] = offset;
    numbers[perUnitOf(p)] = perUnit;
    numbers[accessOf(p)] = accesses.indexOf(access);
  }
  numbers[IS_DOUBLE] = areDouble(data) ? 1 : 0;
  for (let i = 0; i < own.length; i++) numbers[OWN_NUMBERS + i] = own[i];
  return done(machine.units(...data), op);
}

/** The element type is that of the first array of floats. */
function areDouble(arrays: readonly NumericArray[]): boolean {
  for (let p = 0; p < arrays.length; p++) {
    if (arrays[p] instanceof Float64Array) return true;
    if (arrays[p] instanceof Float32Array) return false;
  }
  return false;
}
