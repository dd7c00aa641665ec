// Shapes, strides and axes: the arithmetic of views, and the checks that name what does not fit.

import { ArgumentError, formatShape, quote, ShapeError } from './errors.ts';

/** Sizes of a tensor's axes, outermost first. */
export type Shape = readonly number[];

/** Number of elements of a shape; 1 for a 0-d tensor. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i];
  return size;
}

/** Strides of the contiguous row-major layout of a shape. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/** Whether elements lie one after another in row-major order (axes of size 1 may have any stride). */
export function isRowMajor(shape: Shape, strides: readonly number[]): boolean {
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 0) return true;
    if (shape[i] !== 1 && strides[i] !== stride) return false;
    stride *= shape[i];
  }
  return true;
}

/**
 * The strides with which a view has the shape `to`, of the same size and order of elements; null if no strides do and the
 * elements must be copied. Axes can be split at will, and merged where one steps over exactly what the next spans.
 */
export function viewStrides(shape: Shape, strides: readonly number[], to: Shape): number[] | null {
  if (sameShape(shape, to)) return strides.slice();
  if (shape.length === 0 || sizeOf(shape) === 0) return rowMajorStrides(to);
  const result = new Array<number>(to.length);
  let axis = to.length - 1;
  // A run of axes that can be merged: how many elements it has so far, in the old shape and in the new one.
  let step = strides[strides.length - 1];
  let elements = 1;
  let taken = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    elements *= shape[i];
    if (i > 0 && (shape[i - 1] === 1 || strides[i - 1] === elements * step)) continue;
    while (axis >= 0 && (taken < elements || to[axis] === 1)) {
      result[axis] = taken * step;
      taken *= to[axis--];
    }
    if (taken !== elements) return null;
    if (i > 0) step = strides[i - 1];
    elements = 1;
    taken = 1;
  }
  return result;
}

/** Whether two shapes are the same, axis by axis. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** @throws ShapeError unless `list` is an array; numbers in a row are what other libraries take. */
export function requireList(list: unknown, op: string, operand: string): void {
  if (Array.isArray(list)) return;
  throw new ShapeError(`${operand} is ${quote(list)}; give an array of numbers, such as [2, 3].`, {
    op,
    operand,
    actual: list,
    expected: 'an array of numbers',
  });
}

/** Checks that sizes are non-negative integers and that their product can be indexed. */
export function checkShape(shape: Shape, op: string): void {
  requireList(shape, op, 'shape');
  for (let i = 0; i < shape.length; i++) {
    if (!Number.isInteger(shape[i]) || shape[i] < 0) {
      throw new ShapeError(
        `shape ${formatShape(shape)} has ${quote(shape[i])} on axis ${i}; sizes are non-negative integers.`,
        { op, operand: 'shape', actual: shape, expected: 'non-negative integers' },
      );
    }
  }
  if (sizeOf(shape) > 2 ** 31 - 1) {
    throw new ShapeError(
      `shape ${formatShape(shape)} has ${sizeOf(shape)} elements; a tensor holds at most 2^31 - 1.`,
      { op, operand: 'shape', actual: shape, expected: 'at most 2147483647 elements' },
    );
  }
}

/** The shape that two shapes broadcast to (NumPy's rule: aligned at the right, sizes equal or 1). */
export function broadcastShapes(a: Shape, b: Shape, op: string): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const sizeA = i <= a.length ? a[a.length - i] : 1;
    const sizeB = i <= b.length ? b[b.length - i] : 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw new ShapeError(
        `shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: axis ${-i} is ${sizeA} in one and ${sizeB} in ` +
          'the other; sizes must be equal, or one of them 1.',
        { op, actual: [a, b], expected: 'sizes equal or 1, aligned at the right' },
      );
    }
    shape[rank - i] = sizeA === 1 ? sizeB : sizeA;
  }
  return shape;
}

/** Whether `from` broadcasts to exactly `to`. */
export function broadcastsTo(from: Shape, to: Shape): boolean {
  const lead = to.length - from.length;
  if (lead < 0) return false;
  for (let i = 0; i < from.length; i++) if (from[i] !== 1 && from[i] !== to[lead + i]) return false;
  return true;
}

/** Turns an axis that may count from the end into an index; a 0-d tensor accepts 0 and -1, as in PyTorch. */
export function checkAxis(axis: number, rank: number, op: string): number {
  const limit = Math.max(rank, 1);
  if (!Number.isInteger(axis) || axis < -limit || axis >= limit) {
    throw new ArgumentError(
      `axis is ${quote(axis)}; a tensor of ${rank} axes takes integers from ${-limit} to ${limit - 1}.`,
      { op, operand: 'axis', actual: axis, expected: `integer in [${-limit}, ${limit - 1}]` },
    );
  }
  return axis < 0 ? axis + limit : axis;
}

function allAxes(rank: number): number[] {
  const axes = new Array<number>(rank);
  for (let axis = 0; axis < rank; axis++) axes[axis] = axis;
  return axes;
}

/** One axis or several as a list. @throws ArgumentError for what is neither. */
export function axisList(axes: number | readonly number[], op: string, operand: string): readonly number[] {
  if (typeof axes === 'number') return [axes];
  // Copied, since a sparse one would keep its holes in what is made of it.
  if (Array.isArray(axes)) return Array.from(axes);
  throw new ArgumentError(`${operand} is ${quote(axes)}; give an axis or an array of them, such as [0, 1].`, {
    op,
    operand,
    actual: axes,
    expected: 'an axis or several',
  });
}

/** Turns a choice of axes into sorted distinct indices; `undefined` means all of them. */
export function checkAxes(axes: number | readonly number[] | undefined, rank: number, op: string): number[] {
  if (axes === undefined) return allAxes(rank);
  const list = axisList(axes, op, 'axes');
  const indices = list.map((axis) => checkAxis(axis, rank, op)).sort((a, b) => a - b);
  for (let i = 1; i < indices.length; i++) {
    if (indices[i] === indices[i - 1]) {
      throw new ArgumentError(
        `axes [${list.join(', ')}] name axis ${indices[i]} twice; name each axis once.`,
        {
          op,
          operand: 'axes',
          actual: list,
          expected: 'distinct axes',
        },
      );
    }
  }
  return rank === 0 ? [] : indices;
}

/** The shape left after reducing `axes` (sorted, distinct), dropped or kept with size 1. */
export function reducedShape(shape: Shape, axes: readonly number[], keepdim: boolean): number[] {
  const reduced: number[] = [];
  for (let axis = 0, next = 0; axis < shape.length; axis++) {
    if (axes[next] !== axis) {
      reduced.push(shape[axis]);
      continue;
    }
    next++;
    if (keepdim) reduced.push(1);
  }
  return reduced;
}

/** The index of an element by its row-major number. */
export function indexOf(element: number, shape: Shape): number[] {
  const index = new Array<number>(shape.length);
  let rest = element;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return index;
}
