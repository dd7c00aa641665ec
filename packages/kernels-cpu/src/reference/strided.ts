// Walking strided views: which of them are flat, and how to visit those that are not, row by row.

import type { Strided } from '../kernels.ts';

/** The layout of a view without its data. */
export type Layout = Pick<Strided, 'shape' | 'strides' | 'offset'>;

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (let axis = 0; axis < shape.length; axis++) count *= shape[axis];
  return count;
}

/** Row-major strides of a contiguous array. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** The layout of a contiguous array of this shape. */
export function contiguous(shape: readonly number[]): Layout {
  return { shape, strides: contiguousStrides(shape), offset: 0 };
}

/** The same layout without one of its axes. */
export function withoutAxis({ shape, strides, offset }: Layout, axis: number): Layout {
  const others = (_: number, other: number) => other !== axis;
  return { shape: shape.filter(others), strides: strides.filter(others), offset };
}

/**
 * The distance between neighbours if the view, broadcast to `shape`, is one run in row-major order: 1 if it is contiguous
 * and of that shape, 0 if it is a single element. -1 if it is neither: then use {@link Rows}.
 */
export function flatStep(a: Layout, shape: readonly number[]): number {
  const own = a.shape;
  const rank = own.length;
  let count = 1;
  let solid = rank === shape.length;
  for (let axis = rank - 1; axis >= 0; axis--) {
    const extent = own[axis];
    if (extent !== 1 && a.strides[axis] !== count) solid = false;
    if (extent !== shape[axis]) solid = false;
    count *= extent;
  }
  if (solid) return 1;
  return count === 1 ? 0 : -1;
}

/**
 * Visits the elements of `shape` in row-major order as rows, with the position of each operand (broadcast to `shape`) at
 * the start of every row. Axes that all operands can walk in one stride are merged, so rows are as long as can be.
 *
 * @example
 * ```ts
 * const rows = new Rows([4, 3], [matrix, column]);
 * do visit(rows.length, rows.at(0), rows.step(0), rows.at(1), rows.step(1)); while (rows.next());
 * ```
 * A shape without elements has no row: check for that first.
 */
export class Rows {
  /** Elements per row. */
  readonly length: number;
  /** How many rows there are. */
  readonly count: number;
  readonly #operands: number;
  readonly #positions: number[] = [];
  /** Extents of the merged axes, the last of which is the row. */
  readonly #extents: number[] = [];
  /** Strides of the merged axes, axis by axis: operand `p` on axis `x` is at `x * operands + p`. */
  readonly #strides: number[] = [];
  readonly #counters: number[] = [];

  constructor(shape: readonly number[], operands: readonly Layout[]) {
    this.#operands = operands.length;
    for (const operand of operands) this.#positions.push(operand.offset);
    let count = 1;
    for (let axis = 0; axis < shape.length; axis++) {
      if (shape[axis] === 1) continue;
      count *= shape[axis];
      this.#push(shape[axis], axis - shape.length, operands);
    }
    if (this.#extents.length === 0) this.#push(1, 0, operands);
    this.length = this.#extents[this.#extents.length - 1];
    this.count = count / this.length;
  }

  /** Where operand `p` starts in the current row. */
  at(p: number): number {
    return this.#positions[p];
  }

  /** The distance between neighbours of operand `p` along a row. */
  step(p: number): number {
    return this.#strides[this.#strides.length - this.#operands + p];
  }

  /** Goes on to the next row; after the last it is back at the first and returns false. */
  next(): boolean {
    const operands = this.#operands;
    const positions = this.#positions;
    for (let axis = this.#extents.length - 2; axis >= 0; axis--) {
      const strides = axis * operands;
      const extent = this.#extents[axis];
      const counter = this.#counters[axis] + 1;
      if (counter < extent) {
        this.#counters[axis] = counter;
        for (let p = 0; p < operands; p++) positions[p] += this.#strides[strides + p];
        return true;
      }
      this.#counters[axis] = 0;
      for (let p = 0; p < operands; p++) positions[p] -= (extent - 1) * this.#strides[strides + p];
    }
    return false;
  }

  /** Adds the axis that is `fromEnd` (negative) from the end of every operand, or merges it with the one before. */
  #push(extent: number, fromEnd: number, operands: readonly Layout[]): void {
    const last = this.#strides.length - this.#operands;
    let merges = this.#extents.length > 0;
    for (let p = 0; p < operands.length; p++) {
      const { shape, strides } = operands[p];
      const axis = shape.length + fromEnd;
      const stride = axis < 0 || axis >= shape.length || shape[axis] === 1 ? 0 : strides[axis];
      if (merges && this.#strides[last + p] !== stride * extent) merges = false;
      this.#strides.push(stride);
    }
    if (merges) {
      this.#extents[this.#extents.length - 1] *= extent;
      this.#strides.splice(last, this.#operands);
    } else {
      this.#extents.push(extent);
      this.#counters.push(0);
    }
  }
}
