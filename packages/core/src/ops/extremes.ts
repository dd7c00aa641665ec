// The largest and the smallest: amax, amin over axes, argmax, argmin, and max, min, which give values with their places.

import { kernels, type NumericArray, type Strided } from '@adjoint/kernels-cpu';
import { ArgumentError, formatShape } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, noGradient, type Op, vjpRule } from '../registry.ts';
import { checkAxis, reducedShape, type Shape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { div, mul } from './arithmetic.ts';
import { cast } from './cast.ts';
import { eq, isnan } from './compare.ts';
import { type ReduceAttrs, type ReduceOptions, reduceAttrs, sum, unreduce } from './expand-sum.ts';
import { gatherAlong } from './gather.ts';
import { flopsPerElement } from './infer.ts';
import { reshape } from './layout.ts';
import { logicalOr } from './logic.ts';

interface ExtremeAttrs extends ReduceAttrs {
  /** The function that the user called. */
  readonly op: string;
}

function extreme(
  name: string,
  run: (x: Strided, axes: readonly number[], out: NumericArray) => void,
): Op<ExtremeAttrs> {
  return defineOp({
    name,
    operands: ['x'],
    infer: ([x], { axes, keepdim, op }) => {
      for (const axis of axes) requireElements(op, x.shape, axis);
      return { shape: reducedShape(x.shape, axes, keepdim), dtype: x.dtype };
    },
    forward: ([x], out, { axes }) => run(x, axes, out),
    layout: 'strided',
    flops: flopsPerElement,
    vjps: [vjpRule('x', 'output', (g, x, y, { attrs }) => mul(shares(x, y, attrs), unreduce(g, attrs)))],
    recycles: true,
    forwardMode: ([tangent], [x], y, { attrs }) =>
      sum(mul(shares(x, y, attrs), tangent!), { axes: attrs.axes, keepdim: attrs.keepdim }),
  });
}

/** How much each element has in a result that is one of them: ties, or several NaN, share alike. Constant but for jumps. */
export function shares(x: Tensor, y: Tensor, attrs: ReduceAttrs): Tensor {
  // Counted in floating point, which reductions are made for; 16 bits would not hold many.
  const winners = cast(
    logicalOr(eq(x, unreduce(y, attrs)), isnan(x)),
    y.dtype === 'float64' ? 'float64' : 'float32',
  );
  return cast(div(winners, sum(winners, { axes: attrs.axes, keepdim: true })), y.dtype);
}

/** The largest element over axes; NaN if there is one. Ties share the gradient alike. */
export const amaxOp = extreme('amax', (x, axes, out) => kernels.max(x, axes, out));
/** The smallest element over axes; NaN if there is one. Ties share the gradient alike. */
export const aminOp = extreme('amin', (x, axes, out) => kernels.min(x, axes, out));

interface PlaceAttrs {
  readonly axis: number;
  /** The function that the user called. */
  readonly op: string;
}

const places = noGradient(
  'its result is a place, which does not change continuously; the values there have a gradient: max, min, or gather.',
);

function placeOf(name: string, run: (x: Strided, axis: number, out: Int32Array) => void): Op<PlaceAttrs> {
  return defineOp({
    name,
    operands: ['x'],
    infer: ([x], { axis, op }) => {
      requireElements(op, x.shape, axis);
      return { shape: reducedShape(x.shape, [axis], true), dtype: 'int32' };
    },
    forward: ([x], out, { axis }) => run(x, axis, out as Int32Array),
    layout: 'strided',
    flops: flopsPerElement,
    vjps: [places],
    forwardMode: places,
  });
}

/** The place of the largest element along an axis, which stays with size 1: the first of equals, or of NaN. */
export const argmaxOp = placeOf('argmax', (x, axis, out) => kernels.argmax(x, axis, out));
/** The place of the smallest element along an axis, which stays with size 1: the first of equals, or of NaN. */
export const argminOp = placeOf('argmin', (x, axis, out) => kernels.argmin(x, axis, out));

/** @throws ArgumentError if the axis has no elements. */
export function requireElements(op: string, shape: Shape, axis: number): void {
  if (shape[axis] > 0) return;
  throw new ArgumentError(
    `axis ${axis} of shape ${formatShape(shape)} has no elements, and of nothing there is no extreme; reduce axes of size 1 at least.`,
    { op, operand: 'axes', actual: shape, expected: 'axes that have elements' },
  );
}

/**
 * The largest element over axes, all by default; NaN if there is one. Equal ones share the gradient alike. PyTorch's
 * `torch.amax`.
 *
 * @throws ArgumentError for axes out of range, named twice, or without elements.
 * @example
 * amax(tensor([[1, 5], [7, 2]]), { axes: 1 }).toArray(); // [5, 7]
 */
export function amax(x: Tensor, options: ReduceOptions = noOptions): Tensor {
  requireOptions('amax', options, { axes: 'own', keepdim: 'boolean' });
  return apply(amaxOp, [x], { ...reduceAttrs(x, options, 'amax'), op: 'amax' });
}

/** The smallest element over axes, all by default. PyTorch's `torch.amin`. NaN, ties, errors as {@link amax}. */
export function amin(x: Tensor, options: ReduceOptions = noOptions): Tensor {
  requireOptions('amin', options, { axes: 'own', keepdim: 'boolean' });
  return apply(aminOp, [x], { ...reduceAttrs(x, options, 'amin'), op: 'amin' });
}

/** Options of reductions along one axis. */
export interface AlongOptions {
  /** The axis; a negative one counts from the end. */
  readonly axis: number;
  /** Keep the axis with size 1. Default false. */
  readonly keepdim?: boolean | undefined;
}

/** Values chosen along an axis, and where they stand on it. */
export interface ValuesAndIndices {
  /** The elements that were found. */
  readonly values: Tensor;
  /** Where they stand along the axis: int32, of the shape of `values`. */
  readonly indices: Tensor;
}

/**
 * The largest element of all, or, with an axis, the largest ones along it and their places. NaN counts as largest. PyTorch's
 * `torch.max`: of all elements, equal ones share the gradient alike; along an axis the first of equals gets all of it.
 *
 * @throws ArgumentError for an axis out of range or without elements.
 * @example
 * max(tensor([[1, 5], [7, 2]])).item(); // 7
 * max(tensor([[1, 5], [7, 2]]), { axis: 1 }).values.toArray(); // [5, 7]
 * max(tensor([[1, 5], [7, 2]]), { axis: 1 }).indices.toArray(); // [1, 0]
 */
export function max(x: Tensor): Tensor;
export function max(x: Tensor, options: AlongOptions): ValuesAndIndices;
export function max(x: Tensor, options?: AlongOptions): Tensor | ValuesAndIndices {
  if (options === undefined) return apply(amaxOp, [x], { ...reduceAttrs(x, {}, 'max'), op: 'max' });
  return valuesAt(argmaxOp, x, options, 'max');
}

/**
 * The smallest element of all, or, with an axis, the smallest ones along it and their places. NaN counts as smallest.
 * PyTorch's `torch.min`. Ties and errors as {@link max}.
 *
 * @example
 * min(tensor([[1, 5], [7, 2]])).item(); // 1
 * min(tensor([[1, 5], [7, 2]]), { axis: 1 }).values.toArray(); // [1, 2]
 * min(tensor([[1, 5], [7, 2]]), { axis: 1 }).indices.toArray(); // [0, 1]
 */
export function min(x: Tensor): Tensor;
export function min(x: Tensor, options: AlongOptions): ValuesAndIndices;
export function min(x: Tensor, options?: AlongOptions): Tensor | ValuesAndIndices {
  if (options === undefined) return apply(aminOp, [x], { ...reduceAttrs(x, {}, 'min'), op: 'min' });
  return valuesAt(argminOp, x, options, 'min');
}

function valuesAt(op: Op<PlaceAttrs>, x: Tensor, options: AlongOptions, name: string): ValuesAndIndices {
  requireOptions(name, options, { axis: 'number', keepdim: 'boolean' });
  requireTensor(name, 'x', x);
  const line = x.ndim === 0 ? reshape(x, [1]) : x;
  const axis = checkAxis(options.axis, x.ndim, name);
  const indices = apply(op, [line], { axis, op: name });
  const values = gatherAlong(line, indices, { axis, op: name });
  const shape = reducedShape(x.shape, [axis], options.keepdim ?? false);
  return { values: reshape(values, shape), indices: reshape(indices, shape) };
}

/** Options of {@link argmax} and {@link argmin}. */
export interface ArgOptions {
  /** The axis; a negative one counts from the end. Default: the place among all elements in row-major order. */
  readonly axis?: number | undefined;
  /** Keep the reduced axes with size 1. Default false. */
  readonly keepdim?: boolean | undefined;
}

/**
 * The place of the largest element, as int32: the first of equals; NaN counts as largest. PyTorch's `torch.argmax`.
 *
 * @throws ArgumentError for an axis out of range or without elements.
 * @example
 * argmax(tensor([[1, 5], [7, 2]])).item(); // 2
 * argmax(tensor([[1, 5], [7, 2]]), { axis: 1 }).toArray(); // [1, 0]
 */
export function argmax(x: Tensor, options: ArgOptions = noOptions): Tensor {
  requireTensor('argmax', 'x', x);
  requireOptions('argmax', options, { axis: 'number', keepdim: 'boolean' });
  return place(argmaxOp, x, options, 'argmax');
}

/** The place of the smallest element, as int32: the first of equals; NaN counts as smallest. PyTorch's `torch.argmin`. Errors as {@link argmax}. */
export function argmin(x: Tensor, options: ArgOptions = noOptions): Tensor {
  requireTensor('argmin', 'x', x);
  requireOptions('argmin', options, { axis: 'number', keepdim: 'boolean' });
  return place(argminOp, x, options, 'argmin');
}

function place(op: Op<PlaceAttrs>, x: Tensor, { axis, keepdim = false }: ArgOptions, name: string): Tensor {
  const along = axis === undefined ? 0 : checkAxis(axis, x.ndim, name);
  const line = axis === undefined || x.ndim === 0 ? reshape(x, [x.size]) : x;
  const found = apply(op, [line], { axis: along, op: name });
  const reduced = axis === undefined ? x.shape.map((_, i) => i) : [along];
  return reshape(found, reducedShape(x.shape, reduced, keepdim));
}
