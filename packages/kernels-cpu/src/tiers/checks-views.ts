// What checks of operands are made of: views that lie within their arrays, shapes that fit each other, lengths that fit shapes.

import { OperandError } from '../errors.ts';
import type { Strided } from '../kernels.ts';

export type Sized = { readonly length: number };

export function fail(
  op: string,
  operand: string,
  property: string,
  actual: unknown,
  expected: string,
): never {
  throw new OperandError({ op, operand, property, actual, expected });
}

/** Elements of a shape whose extents are checked here. */
function countOf(op: string, operand: string, shape: readonly number[]): number {
  let count = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis];
    // Not the cheaper `>>> 0`: beside an extent of 0 any other is legal.
    if (!(Number.isInteger(extent) && extent >= 0))
      fail(op, operand, 'shape', shape, 'whole numbers of at least 0');
    count *= extent;
  }
  return count;
}

/** Throws for an array in the place of a view of it. */
export function isView(op: string, operand: string, a: Strided): void {
  if (a?.shape !== undefined && a.strides !== undefined && a.data !== undefined) return;
  const actual = a === undefined || a === null ? a : a.constructor.name;
  fail(
    op,
    operand,
    'kind',
    actual,
    'a view { data, shape, strides, offset }; strides [columns, 1] read a matrix row by row',
  );
}

/** Throws unless every element of the view is in its array; returns how many there are. */
export function inside(op: string, operand: string, a: Strided): number {
  isView(op, operand, a);
  const count = countOf(op, operand, a.shape);
  if (!isAll(a, a.shape, count)) reaches(op, operand, a, count);
  return count;
}

/** Throws unless the elements, of which there are `count` if not 0, are in the array. Extents are whole numbers. */
function reaches(op: string, operand: string, a: Strided, count: number): void {
  const { shape, strides, offset } = a;
  const rank = shape.length;
  if (strides.length !== rank) fail(op, operand, 'strides', strides, `${rank} of them, one per axis`);
  let low = offset;
  let high = offset;
  for (let axis = 0; axis < rank; axis++) {
    const stride = strides[axis];
    if (!Number.isInteger(stride)) fail(op, operand, 'strides', strides, 'whole numbers');
    const reach = (shape[axis] - 1) * stride;
    if (reach < 0) low += reach;
    else high += reach;
  }
  if (!Number.isInteger(offset)) fail(op, operand, 'offset', offset, 'a whole number');
  if (count > 0 && (low < 0 || high >= a.data.length)) {
    const elements = low === high ? `element ${high}` : `elements ${low} to ${high}`;
    const layout = `shape [${shape.join(', ')}], strides [${strides.join(', ')}] and offset ${offset}`;
    fail(op, operand, 'length', a.data.length, `one that holds ${elements}, as ${layout} say`);
  }
}

export function lengthIs(op: string, operand: string, array: Sized, count: number, why: string): void {
  if (array.length !== count) fail(op, operand, 'length', array.length, `${count}, ${why}`);
}

/** Arrays by the names of the operands; null is none. */
export function lengthsAre(
  op: string,
  arrays: Readonly<Record<string, Sized | null>>,
  count: number,
  why: string,
): void {
  for (const operand in arrays) {
    const array = arrays[operand];
    if (array !== null) lengthIs(op, operand, array, count, why);
  }
}

export function resultOf(op: string, out: Sized, shape: readonly number[], operand = 'out'): number {
  const count = countOf(op, 'shape', shape);
  if (out.length !== count) lengthIs(op, operand, out, count, `the elements of shape [${shape.join(', ')}]`);
  return count;
}

/** Whether the view is just its array, row by row, in this shape, which has `count` elements: most are, and need no further check. */
function isAll({ shape, strides, offset, data }: Strided, wanted: readonly number[], count: number): boolean {
  const rank = wanted.length;
  if (offset !== 0 || data.length !== count || shape.length !== rank || strides.length !== rank) return false;
  let stride = 1;
  for (let axis = rank - 1; axis >= 0; axis--) {
    if (shape[axis] !== wanted[axis] || strides[axis] !== stride) return false;
    stride *= wanted[axis];
  }
  return true;
}

/** The view is inside its array and broadcasts to `shape`, which has `count` elements. */
export function broadcasts(
  op: string,
  operand: string,
  a: Strided,
  shape: readonly number[],
  count: number,
): void {
  isView(op, operand, a);
  const own = a.shape;
  if (isAll(a, shape, count)) return;
  const missing = shape.length - own.length;
  let fits = missing >= 0;
  if (own !== shape)
    for (let axis = 0; axis < own.length; axis++)
      if (own[axis] !== shape[axis + missing] && own[axis] !== 1) fits = false;
  if (!fits) fail(op, operand, 'shape', own, `one that broadcasts to [${shape.join(', ')}]`);
  reaches(op, operand, a, count);
}

/** The axes before the last two broadcast to those of `shape`. */
export function leads(op: string, operand: string, own: readonly number[], shape: readonly number[]): void {
  const missing = shape.length - own.length;
  let fits = missing >= 0;
  for (let axis = 0; axis < own.length - 2; axis++)
    if (own[axis] !== shape[axis + missing] && own[axis] !== 1) fits = false;
  if (!fits) fail(op, operand, 'shape', own, `matrices that broadcast to those of [${shape.join(', ')}]`);
}

export function axisIn(op: string, axis: number, rank: number): void {
  if (axis >>> 0 !== axis || axis >= rank)
    fail(op, 'axis', 'number', axis, `a whole number from 0 to ${rank - 1}`);
}

/** The sizes of `a` with another extent on one axis. */
export function resized(shape: readonly number[], axis: number, extent: number): number[] {
  const sizes = shape.slice();
  sizes[axis] = extent;
  return sizes;
}

export function sameShape(op: string, operand: string, a: Strided, shape: readonly number[]): void {
  const same = a.shape.length === shape.length && a.shape.every((extent, axis) => extent === shape[axis]);
  if (!same) fail(op, operand, 'shape', a.shape, `[${shape.join(', ')}]`);
}

/** The extents of `a` are at most those of `shape`, but for one axis (gather and scatter read parts of what they are given). */
export function withinShape(
  op: string,
  operand: string,
  a: readonly number[],
  shape: readonly number[],
  but: number,
): void {
  const fits = a.length === shape.length && a.every((extent, axis) => axis === but || extent <= shape[axis]);
  if (!fits)
    fail(
      op,
      operand,
      'shape',
      a,
      `at most [${shape.join(', ')}]${but < 0 ? '' : ` on axes other than ${but}`}`,
    );
}
