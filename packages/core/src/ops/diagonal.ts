// Diagonals and triangles of matrices: diagonal and its adjoint, trace, triu, tril. All are linear.

import { kernels, type Strided } from '@adjoint/kernels-cpu';
import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import type { ViewSpec } from '../record.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { checkAxis, rowMajorStrides, type Shape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { makeTensor } from '../tape/tracing.ts';
import { fromArray, requireTensor, type Tensor } from '../tensor.ts';
import { sum } from './expand-sum.ts';
import { noFlops } from './infer.ts';
import { scalar } from './operand.ts';
import { where } from './select.ts';

interface DiagonalAttrs {
  readonly offset: number;
  readonly axis1: number;
  readonly axis2: number;
  /** The shape of the whole. */
  readonly from: Shape;
}

function lengthOf({ offset, axis1, axis2, from }: DiagonalAttrs): number {
  const [rows, columns] = [from[axis1] + Math.min(offset, 0), from[axis2] - Math.max(offset, 0)];
  return Math.max(0, Math.min(rows, columns));
}

function shapeOf(attrs: DiagonalAttrs): number[] {
  const others = attrs.from.filter((_, axis) => axis !== attrs.axis1 && axis !== attrs.axis2);
  return [...others, lengthOf(attrs)];
}

function viewOf(x: Strided, attrs: DiagonalAttrs): ViewSpec {
  const { offset, axis1, axis2 } = attrs;
  const strides = x.strides.filter((_, axis) => axis !== axis1 && axis !== axis2);
  const start = offset >= 0 ? offset * x.strides[axis2] : -offset * x.strides[axis1];
  return {
    strides: [...strides, x.strides[axis1] + x.strides[axis2]],
    // A diagonal without elements has no first one.
    offset: lengthOf(attrs) === 0 ? x.offset : x.offset + start,
  };
}

/** The diagonal of two axes, which becomes the last axis. A view. */
export const diagonalOp = defineOp<readonly ['x'], DiagonalAttrs>({
  name: 'diagonal',
  operands: ['x'],
  infer: ([x], attrs) => ({ shape: shapeOf(attrs), dtype: x.dtype }),
  view: (x, attrs) => viewOf(x, attrs),
  cuts: true,
  vjps: [vjpRule((g, { attrs }) => undiagonal(g, attrs))],
  recycles: true,
  forwardMode: 'linear',
});

/** The adjoint of `diagonal`: the operand as a diagonal in a tensor of zeros. */
export const undiagonalOp = defineOp<readonly ['x'], DiagonalAttrs>({
  name: 'undiagonal',
  operands: ['x'],
  infer: ([x], { from }) => ({ shape: from, dtype: x.dtype }),
  forward: ([x], out, attrs) => {
    out.fill(0);
    const whole = { data: out, shape: attrs.from, strides: rowMajorStrides(attrs.from), offset: 0 };
    kernels.assign(x, { data: out, shape: x.shape, ...viewOf(whole, attrs) });
  },
  layout: 'strided',
  vjps: [vjpRule((g, { attrs }) => apply(diagonalOp, [g], attrs))],
  recycles: true,
  forwardMode: 'linear',
  flops: noFlops,
});

function undiagonal(x: Tensor, attrs: DiagonalAttrs): Tensor {
  return apply(undiagonalOp, [x], attrs);
}

/** Options of {@link diagonal}. */
export interface DiagonalOptions {
  /** Which diagonal: 0 (default) the main one, positive ones above it, negative ones below. */
  readonly offset?: number | undefined;
  /** The axis of rows. Default 0. */
  readonly axis1?: number | undefined;
  /** The axis of columns. Default 1. */
  readonly axis2?: number | undefined;
}

/**
 * A diagonal of two axes, as the last axis of a view. PyTorch's `torch.diagonal`.
 *
 * @throws ArgumentError for axes out of range or equal, or an offset that is no integer.
 * @example
 * diagonal(tensor([[1, 2], [3, 4]])).toArray(); // [1, 4]
 */
export function diagonal(x: Tensor, options: DiagonalOptions = noOptions): Tensor {
  requireOptions('diagonal', options, { offset: 'number', axis1: 'number', axis2: 'number' });
  requireTensor('diagonal', 'x', x);
  const { offset = 0, axis1 = 0, axis2 = 1 } = options;
  const first = checkAxis(axis1, x.ndim, 'diagonal');
  const second = checkAxis(axis2, x.ndim, 'diagonal');
  if (first === second) {
    throw new ArgumentError(
      `axis1 and axis2 are both axis ${first} of shape ${formatShape(x.shape)}; name two axes.`,
      { op: 'diagonal', operand: 'axis2', actual: axis2, expected: `other than ${axis1}` },
    );
  }
  requireWhole('diagonal', 'offset', offset);
  return apply(diagonalOp, [x], { offset, axis1: first, axis2: second, from: x.shape });
}

/**
 * The sum of the diagonal of a matrix. PyTorch's `torch.trace`; integers sum in int32.
 *
 * @throws ShapeError unless `x` has two axes.
 * @example
 * trace(tensor([[1, 2], [3, 4]])).item(); // 5
 */
export function trace(x: Tensor): Tensor {
  requireTensor('trace', 'x', x);
  if (x.ndim !== 2) {
    throw new ShapeError(
      `x has shape ${formatShape(x.shape)}; the trace is that of a matrix (sum diagonal(x) over its last axis for a stack).`,
      { op: 'trace', operand: 'x', actual: x.shape, expected: 'two axes' },
    );
  }
  return sum(diagonal(x));
}

/** Options of {@link triu} and {@link tril}. */
export interface TriangleOptions {
  /** The diagonal that bounds the triangle, and belongs to it: 0 (default) the main one, positive ones above it. */
  readonly diagonal?: number | undefined;
}

/**
 * The upper triangle of each matrix of the last two axes, zeros below it. PyTorch's `torch.triu`.
 *
 * @throws ShapeError for less than two axes; ArgumentError for a diagonal that is no integer.
 * @example
 * triu(tensor([[1, 2], [3, 4]])).toArray(); // [[1, 2], [0, 4]]
 */
export function triu(x: Tensor, options: TriangleOptions = noOptions): Tensor {
  requireTensor('triu', 'x', x);
  requireOptions('triu', options, { diagonal: 'number' });
  return where(
    triangle('triu', x, options, (offset, bound) => offset >= bound),
    x,
    scalar(0, x.dtype),
  );
}

/** The lower triangle of each matrix of the last two axes, zeros above it. PyTorch's `torch.tril`. Errors as {@link triu}. */
export function tril(x: Tensor, options: TriangleOptions = noOptions): Tensor {
  requireTensor('tril', 'x', x);
  requireOptions('tril', options, { diagonal: 'number' });
  return where(
    triangle('tril', x, options, (offset, bound) => offset <= bound),
    x,
    scalar(0, x.dtype),
  );
}

// Which elements of a matrix lie in the triangle.
function triangle(
  op: string,
  x: Tensor,
  { diagonal: bound = 0 }: TriangleOptions,
  inside: (offset: number, bound: number) => boolean,
): Tensor {
  requireWhole(op, 'diagonal', bound);
  if (x.ndim < 2) {
    throw new ShapeError(`x has shape ${formatShape(x.shape)}; a triangle is that of a matrix.`, {
      op,
      operand: 'x',
      actual: x.shape,
      expected: 'at least two axes',
    });
  }
  return diagonalsMask(`${op}Mask`, x.shape.slice(-2), (offset) => inside(offset, bound));
}

/** A bool matrix, true on the diagonals that `inside` names by how far they lie right of the main one. A trace records it as `name`. */
export function diagonalsMask(
  name: string,
  [rows, columns]: Shape,
  inside: (offset: number) => boolean,
): Tensor {
  return makeTensor(name, [], { shape: [rows, columns], dtype: 'bool' }, () => {
    const mask = new Uint8Array(rows * columns);
    for (let i = 0, k = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, k++) mask[k] = inside(j - i) ? 1 : 0;
    }
    return fromArray(mask, [rows, columns], 'bool');
  });
}

function requireWhole(op: string, operand: string, value: number): void {
  if (Number.isInteger(value)) return;
  throw new ArgumentError(`${operand} is ${value}; diagonals are counted in whole numbers.`, {
    op,
    operand,
    actual: value,
    expected: 'an integer',
  });
}
