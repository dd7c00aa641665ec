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
  const rank = shape.length - 1;
  const others = { shape: new Array<number>(rank), strides: new Array<number>(rank), offset };
  for (let other = 0; other < rank; other++) {
    const from = other < axis ? other : other + 1;
    others.shape[other] = shape[from];
    others.strides[other] = strides[from];
  }
  return others;
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
 * Made for `do visit(rows.length, rows.at(0), rows.step(0), …); while (rows.next());`. A shape without elements has no
 * row: check for that first.
 */
export class Rows {
  /** Elements per row. */
  readonly length: number;
  /** How many rows there are. */
  readonly count: number;
  readonly #operands: number;
  readonly #positions: number[];
  /** How many axes are left after merging; the last is the row. */
  readonly #axes: number;
  readonly #extents: number[];
  /** Strides of the merged axes, axis by axis: operand `p` on axis `x` is at `x * operands + p`. */
  readonly #strides: number[];
  readonly #counters: number[];

  constructor(shape: readonly number[], operands: readonly Layout[]) {
    const width = operands.length;
    const rank = Math.max(1, shape.length);
    const extents = new Array<number>(rank);
    const counters = new Array<number>(rank);
    const strides = new Array<number>(rank * width);
    const positions = new Array<number>(width);
    let count = 1;
    let axes = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      const extent = shape[axis];
      if (extent === 1) continue;
      count *= extent;
      let merges = axes > 0;
      for (let p = 0; p < width; p++) {
        const stride = broadcastStride(operands[p], axis - shape.length);
        strides[axes * width + p] = stride;
        if (merges && strides[(axes - 1) * width + p] !== stride * extent) merges = false;
      }
      if (merges) {
        for (let p = 0; p < width; p++) strides[(axes - 1) * width + p] = strides[axes * width + p];
        extents[axes - 1] *= extent;
      } else {
        extents[axes] = extent;
        counters[axes] = 0;
        axes++;
      }
    }
    if (axes === 0) {
      for (let p = 0; p < width; p++) strides[p] = 0;
      extents[0] = 1;
      axes = 1;
    }
    for (let p = 0; p < width; p++) positions[p] = operands[p].offset;
    this.#operands = width;
    this.#axes = axes;
    this.#extents = extents;
    this.#counters = counters;
    this.#strides = strides;
    this.#positions = positions;
    this.length = extents[axes - 1];
    this.count = count / this.length;
  }

  /** Where operand `p` starts in the current row. */
  at(p: number): number {
    return this.#positions[p];
  }

  /** The distance between neighbours of operand `p` along a row. */
  step(p: number): number {
    return this.#strides[(this.#axes - 1) * this.#operands + p];
  }

  /** Goes on to the next row; after the last it is back at the first and returns false. */
  next(): boolean {
    const operands = this.#operands;
    const positions = this.#positions;
    const strides = this.#strides;
    for (let axis = this.#axes - 2; axis >= 0; axis--) {
      const extent = this.#extents[axis];
      const counter = this.#counters[axis] + 1;
      if (counter < extent) {
        this.#counters[axis] = counter;
        for (let p = 0; p < operands; p++) positions[p] += strides[axis * operands + p];
        return true;
      }
      this.#counters[axis] = 0;
      for (let p = 0; p < operands; p++) positions[p] -= (extent - 1) * strides[axis * operands + p];
    }
    return false;
  }
}

/** Calls `visit` with the starts, in operand 0 and operand 1, of the lines along `axis`; their other axes have the same extents, all above 0. */
export function eachLine(
  first: Layout,
  second: Layout,
  axis: number,
  visit: (start: number, otherStart: number) => void,
): void {
  const others = withoutAxis(first, axis);
  const lines = new Rows(others.shape, [others, withoutAxis(second, axis)]);
  do {
    for (let t = 0; t < lines.length; t++)
      visit(lines.at(0) + t * lines.step(0), lines.at(1) + t * lines.step(1));
  } while (lines.next());
}

/** The stride of an operand on the axis that is `fromEnd` (negative) from its end: 0 where it is broadcast. */
function broadcastStride({ shape, strides }: Layout, fromEnd: number): number {
  const axis = shape.length + fromEnd;
  return axis < 0 || shape[axis] === 1 ? 0 : strides[axis];
}
