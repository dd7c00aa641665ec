// Running sums and products along an axis, and the product of all elements.
//
// The derivative of a product is a product of the other factors. Quotients of the whole by each factor would fail at zeros;
// here it is built from running products of both sides and from a linear recurrence, whose derivatives are recurrences
// again. So the rules hold to any order, at any number of zeros.

import { kernels } from '@adjoint/kernels-cpu';
import { type DType, isFloat } from '../dtype.ts';
import { noOptions, requireOptions } from '../options.ts';
import type { OperandSpec, ResultSpec } from '../record.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { checkAxis, reducedShape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { add, mul } from './arithmetic.ts';
import { flip } from './axes.ts';
import { zerosLike } from './create.ts';
import { expand, type ReduceAttrs, type ReduceOptions, reduceAttrs, sum, unreduce } from './expand-sum.ts';
import { flopsPerElement, inferSame } from './infer.ts';
import { cat } from './join.ts';
import { permute, reshape } from './layout.ts';
import { scalar } from './operand.ts';
import { narrow } from './slice.ts';

interface AxisAttrs {
  readonly axis: number;
}

const accumulated = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'int32');

function inferScan([x]: readonly OperandSpec[]): ResultSpec {
  const dtype = accumulated(x.dtype);
  return { shape: x.shape, dtype, compute: dtype };
}

/** `y[i] = x[0] + … + x[i]` along an axis; integers and bool in int32. */
export const cumsumOp = defineOp<readonly ['x'], AxisAttrs>({
  name: 'cumsum',
  operands: ['x'],
  infer: inferScan,
  forward: ([x], out, { axis }) => kernels.cumsum(x, axis, out),
  layout: 'strided',
  vjps: [vjpRule((g, { attrs: { axis } }) => flip(runningSum(flip(g, axis), axis), axis))],
  recycles: true,
  forwardMode: 'linear',
});

/** `y[i] = a[i] · y[i - 1] + b[i]` along an axis, from `y[-1] = 0`. Its adjoint is such a recurrence, run backwards. */
export const recurrenceOp = defineOp<readonly ['a', 'b'], AxisAttrs>({
  name: 'recurrence',
  operands: ['a', 'b'],
  infer: ([, b]) => inferSame('recurrence')([b]),
  forward: ([a, b], out, { axis }) => kernels.recurrence(a, b, axis, out),
  layout: 'strided',
  vjps: [
    vjpRule('a', 'output', (g, a, y, { attrs: { axis } }) => mul(backwards(a, g, axis), delayed(y, axis, 0))),
    vjpRule('a', (g, a, { attrs: { axis } }) => backwards(a, g, axis)),
  ],
  recycles: true,
  forwardMode: ([ta, tb], [a], y, { attrs: { axis } }) => {
    const drive = ta === null ? null : mul(ta, delayed(y, axis, 0));
    return recurrence(a, drive === null ? tb! : tb === null ? drive : add(tb, drive), axis);
  },
});

function recurrence(a: Tensor, b: Tensor, axis: number): Tensor {
  return apply(recurrenceOp, [a, b], { axis });
}

// `u[i] = g[i] + a[i + 1] · u[i + 1]`.
function backwards(a: Tensor, g: Tensor, axis: number): Tensor {
  return flip(recurrence(delayed(flip(a, axis), axis, 0), flip(g, axis), axis), axis);
}

// `out[i] = x[i - 1]`, and `first` at the start.
function delayed(x: Tensor, axis: number, first: number): Tensor {
  if (x.shape[axis] === 0) return x;
  const start = expand(
    scalar(first, x.dtype),
    x.shape.map((size, i) => (i === axis ? 1 : size)),
  );
  return cat([start, narrow(x, axis, 0, x.shape[axis] - 1)], { axis });
}

/** `y[i] = x[0] · … · x[i]` along an axis; integers and bool in int32. */
export const cumprodOp = defineOp<readonly ['x'], AxisAttrs>({
  name: 'cumprod',
  operands: ['x'],
  infer: inferScan,
  forward: ([x], out, { axis }) => kernels.cumprod(x, axis, out),
  layout: 'strided',
  vjps: [
    vjpRule('x', 'output', (g, x, y, { attrs: { axis } }) => mul(backwards(x, g, axis), delayed(y, axis, 1))),
  ],
  recycles: true,
  forwardMode: ([tangent], [x], y, { attrs: { axis } }) =>
    recurrence(x, mul(tangent!, delayed(y, axis, 1)), axis),
});

/** The product over axes; integers and bool in int32. */
export const prodOp = defineOp<readonly ['x'], ReduceAttrs>({
  name: 'prod',
  operands: ['x'],
  infer: ([x], { axes, keepdim }) => {
    const dtype = accumulated(x.dtype);
    return { shape: reducedShape(x.shape, axes, keepdim), dtype, compute: dtype };
  },
  forward: ([x], out, { axes }) => kernels.prod(x, axes, out),
  layout: 'strided',
  flops: flopsPerElement,
  vjps: [vjpRule('x', (g, x, { attrs }) => mul(unreduce(g, attrs), productOfOthers(x, attrs.axes)))],
  recycles: true,
  forwardMode: ([tangent], [x], _, { attrs }) =>
    sum(mul(tangent!, productOfOthers(x, attrs.axes)), { axes: attrs.axes, keepdim: attrs.keepdim }),
});

// For each element the product of all others over the axes: those before it times those after it.
function productOfOthers(x: Tensor, axes: readonly number[]): Tensor {
  if (x.size === 0) return zerosLike(x);
  const order = [...x.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  const moved = permute(x, order);
  const last = x.ndim - axes.length;
  const lines = reshape(moved, [...moved.shape.slice(0, last), -1]);
  const before = delayed(runningProduct(lines, last), last, 1);
  const after = flip(delayed(runningProduct(flip(lines, last), last), last, 1), last);
  const others = reshape(mul(before, after), moved.shape);
  return permute(
    others,
    order.map((_, axis) => order.indexOf(axis)),
  );
}

function runningProduct(x: Tensor, axis: number): Tensor {
  return apply(cumprodOp, [x], { axis });
}

function runningSum(x: Tensor, axis: number): Tensor {
  return apply(cumsumOp, [x], { axis });
}

/** Options of {@link cumsum} and {@link cumprod}. */
export interface ScanOptions {
  /** The axis to run along; a negative one counts from the end. */
  readonly axis: number;
}

/**
 * The running sum along an axis; integers and bool give int32. PyTorch's `torch.cumsum`.
 *
 * @throws ArgumentError for an axis out of range.
 * @example
 * cumsum(tensor([1, 2, 3]), { axis: 0 }).toArray(); // [1, 3, 6]
 */
export function cumsum(x: Tensor, options: ScanOptions): Tensor {
  requireOptions('cumsum', options, { axis: 'number' });
  requireTensor('cumsum', 'x', x);
  const { axis } = options;
  return x.ndim === 0
    ? reshape(cumsum(reshape(x, [1]), { axis }), [])
    : runningSum(x, checkAxis(axis, x.ndim, 'cumsum'));
}

/**
 * The running product along an axis; integers and bool give int32. Its gradients hold at zeros too. PyTorch's
 * `torch.cumprod`.
 *
 * @throws ArgumentError for an axis out of range.
 * @example
 * cumprod(tensor([1, 2, 3]), { axis: 0 }).toArray(); // [1, 2, 6]
 */
export function cumprod(x: Tensor, options: ScanOptions): Tensor {
  requireOptions('cumprod', options, { axis: 'number' });
  requireTensor('cumprod', 'x', x);
  const { axis } = options;
  return x.ndim === 0
    ? reshape(cumprod(reshape(x, [1]), { axis }), [])
    : runningProduct(x, checkAxis(axis, x.ndim, 'cumprod'));
}

/**
 * The product over axes, all by default; 1 of no elements; integers and bool give int32. Its gradients hold at zeros too.
 * PyTorch's `torch.prod`, which takes one axis at most.
 *
 * @throws ArgumentError for axes out of range or named twice.
 * @example
 * prod(tensor([[1, 2], [3, 4]]), { axes: 0 }).toArray(); // [3, 8]
 */
export function prod(x: Tensor, options: ReduceOptions = noOptions): Tensor {
  requireOptions('prod', options, { axes: 'own', keepdim: 'boolean' });
  return apply(prodOp, [x], reduceAttrs(x, options, 'prod'));
}
