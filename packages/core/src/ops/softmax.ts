// Softmax, its logarithm, and the logarithm of a sum of exponentials: none overflows, whatever the size of the operand.

import { type FloatArray, kernels } from '@adjoint/kernels-cpu';
import { resultType, toFloatDType } from '../dtype.ts';
import { noOptions, requireOptions } from '../options.ts';
import type { OperandSpec, ResultSpec } from '../record.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { broadcastShapes, checkAxis, reducedShape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { add, mul, neg, sub } from './arithmetic.ts';
import { cast } from './cast.ts';
import { expand, type ReduceAttrs, type ReduceOptions, reduceAttrs, sum, unreduce } from './expand-sum.ts';
import { exp } from './exponential.ts';
import { flopsPerElement, inferFloat, requireFloat, requireOperand } from './infer.ts';
import { stack } from './join.ts';
import { reshape } from './layout.ts';
import { type Operand, toOperand } from './operand.ts';

interface AxisAttrs {
  readonly axis: number;
}

/** The gradient has the shape of the result, which it is made from. */
const inferGrad =
  (op: string) =>
  ([g, y]: readonly OperandSpec[]): ResultSpec => {
    requireFloat(op, 'y', y);
    requireOperand(op, 'g', g, y.shape);
    return { shape: y.shape, dtype: y.dtype, compute: y.dtype };
  };

/**
 * `e^x / Σ e^x` along an axis. Its Jacobian `diag(y) - y yᵀ` is symmetric, so one op serves both modes. A line with NaN or
 * Infinity, or of -Infinity alone, is NaN.
 */
export const softmaxOp = defineOp<readonly ['x'], AxisAttrs>({
  name: 'softmax',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { axis }) => kernels.softmax(x, axis, out),
  layout: 'strided',
  vjps: [vjpRule('output', (g, y, { attrs }) => softmaxGrad(g, y, attrs))],
  recycles: true,
  forwardMode: ([tangent], _, y, { attrs }) => softmaxGrad(tangent!, y, attrs),
});

const along = (x: Tensor, { axis }: AxisAttrs): Tensor => sum(x, { axes: axis, keepdim: true });

/** The gradient of softmax from its result: `y · (g - Σ g y)` along an axis. */
export const softmaxGradOp = defineOp<readonly ['g', 'y'], AxisAttrs>({
  name: 'softmaxGrad',
  operands: ['g', 'y'],
  infer: inferGrad('softmaxGrad'),
  forward: ([g, y], out, { axis }, shape) =>
    kernels.softmaxGrad(g.data as FloatArray, y.data as FloatArray, shape, axis, out as FloatArray),
  flops: flopsPerElement,
  recycles: true,
  vjps: [
    vjpRule('y', (h, y, { attrs }) => softmaxGrad(h, y, attrs)),
    vjpRule('g', 'y', (h, g, y, { attrs }) =>
      sub(mul(h, sub(g, along(mul(g, y), attrs))), mul(g, along(mul(h, y), attrs))),
    ),
  ],
  forwardMode: ([tg, ty], [g, y], _, { attrs }) => {
    const parts: Tensor[] = [];
    if (tg) parts.push(softmaxGrad(tg, y, attrs));
    if (ty) parts.push(sub(mul(ty, sub(g, along(mul(g, y), attrs))), mul(y, along(mul(g, ty), attrs))));
    return parts.reduce(add);
  },
});

/** The gradient of softmax along an axis, from its result. */
export function softmaxGrad(g: Tensor, y: Tensor, attrs: AxisAttrs): Tensor {
  return apply(softmaxGradOp, [g, y], attrs);
}

/** `x - log(Σ e^x)` along an axis. NaN as `softmax`. */
export const logSoftmaxOp = defineOp<readonly ['x'], AxisAttrs>({
  name: 'logSoftmax',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { axis }) => kernels.logSoftmax(x, axis, out),
  layout: 'strided',
  vjps: [vjpRule('output', (g, y, { attrs }) => logSoftmaxGrad(g, y, attrs))],
  recycles: true,
  forwardMode: ([tangent], _, y, { attrs }) => sub(tangent!, along(mul(exp(y), tangent!), attrs)),
});

/** The gradient of logSoftmax from its result: `g - e^y · Σ g` along an axis. */
export const logSoftmaxGradOp = defineOp<readonly ['g', 'y'], AxisAttrs>({
  name: 'logSoftmaxGrad',
  operands: ['g', 'y'],
  infer: inferGrad('logSoftmaxGrad'),
  forward: ([g, y], out, { axis }, shape) =>
    kernels.logSoftmaxGrad(g.data as FloatArray, y.data as FloatArray, shape, axis, out as FloatArray),
  flops: flopsPerElement,
  recycles: true,
  vjps: [
    vjpRule('y', (h, y, { attrs }) => sub(h, along(mul(exp(y), h), attrs))),
    vjpRule('g', 'y', (h, g, y, { attrs }) => neg(mul(mul(h, exp(y)), along(g, attrs)))),
  ],
  forwardMode: ([tg, ty], [g, y], _, { attrs }) => {
    const parts: Tensor[] = [];
    if (tg) parts.push(logSoftmaxGrad(tg, y, attrs));
    if (ty) parts.push(neg(mul(mul(ty, exp(y)), along(g, attrs))));
    return parts.reduce(add);
  },
});

function logSoftmaxGrad(g: Tensor, y: Tensor, attrs: AxisAttrs): Tensor {
  return apply(logSoftmaxGradOp, [g, y], attrs);
}

/** `log(Σ e^x)` over axes; -Infinity of no elements. Its derivative is the softmax. */
export const logsumexpOp = defineOp<readonly ['x'], ReduceAttrs>({
  name: 'logsumexp',
  operands: ['x'],
  infer: ([x], { axes, keepdim }) => {
    const { dtype } = inferFloat([x]);
    return { shape: reducedShape(x.shape, axes, keepdim), dtype, compute: dtype };
  },
  forward: ([x], out, { axes }) => kernels.logsumexp(x, axes, out),
  layout: 'strided',
  flops: flopsPerElement,
  vjps: [
    vjpRule('x', 'output', (g, x, y, { attrs }) => mul(unreduce(g, attrs), exp(sub(x, unreduce(y, attrs))))),
  ],
  recycles: true,
  forwardMode: ([tangent], [x], y, { attrs }) =>
    sum(mul(tangent!, exp(sub(x, unreduce(y, attrs)))), { axes: attrs.axes, keepdim: attrs.keepdim }),
});

/** Options of {@link softmax} and {@link logSoftmax}. */
export interface SoftmaxOptions {
  /** The axis whose elements compete; a negative one counts from the end. Default -1. */
  readonly axis?: number | undefined;
}

/**
 * `e^x / Σ e^x` along an axis: positive numbers that sum to 1. Integers give float32. PyTorch's `torch.softmax`, but that the
 * axis may be left out.
 *
 * @throws ArgumentError for an axis out of range.
 * @example
 * softmax(tensor([1000, 1000])).toArray(); // [0.5, 0.5]
 */
export function softmax(x: Tensor, options: SoftmaxOptions = noOptions): Tensor {
  requireOptions('softmax', options, { axis: 'number' });
  requireTensor('softmax', 'x', x);
  const { axis = -1 } = options;
  const attrs = { axis: checkAxis(axis, x.ndim, 'softmax') };
  if (x.ndim === 0) return reshape(apply(softmaxOp, [reshape(x, [1])], attrs), []);
  return apply(softmaxOp, [x], attrs);
}

/**
 * The logarithm of {@link softmax}, accurate where that is near 0. Integers give float32. PyTorch's `torch.log_softmax`, but
 * that the axis may be left out.
 *
 * @throws ArgumentError for an axis out of range.
 * @example
 * logSoftmax(tensor([0, -1000])).toArray(); // [0, -1000]
 */
export function logSoftmax(x: Tensor, options: SoftmaxOptions = noOptions): Tensor {
  requireOptions('logSoftmax', options, { axis: 'number' });
  requireTensor('logSoftmax', 'x', x);
  const { axis = -1 } = options;
  const attrs = { axis: checkAxis(axis, x.ndim, 'logSoftmax') };
  if (x.ndim === 0) return reshape(apply(logSoftmaxOp, [reshape(x, [1])], attrs), []);
  return apply(logSoftmaxOp, [x], attrs);
}

/**
 * `log(Σ e^x)` over axes, all by default, without overflow; -Infinity of no elements. Integers give float32. PyTorch's
 * `torch.logsumexp`.
 *
 * @throws ArgumentError for axes out of range or named twice.
 * @example
 * logsumexp(tensor([1000, 1000])).item(); // 1000.6931471805599
 */
export function logsumexp(x: Tensor, options: ReduceOptions = noOptions): Tensor {
  requireOptions('logsumexp', options, { axes: 'own', keepdim: 'boolean' });
  return apply(logsumexpOp, [x], reduceAttrs(x, options, 'logsumexp'));
}

/**
 * `log(e^a + e^b)`, element by element, with broadcasting, without overflow: the sum of two probabilities that are held as logarithms.
 * Integers give float32. PyTorch's `torch.logaddexp`.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * logaddexp(tensor([1000, -Infinity]), tensor([1000, 2])).toArray(); // [1000.693115234375, 2]
 */
export function logaddexp(a: Tensor, b: Operand): Tensor {
  requireTensor('logaddexp', 'a', a);
  const other = toOperand(b, a);
  requireTensor('logaddexp', 'b', other);
  const shape = broadcastShapes(a.shape, other.shape, 'logaddexp');
  // A list of tensors takes the widest of their types; beside a tensor a number yields.
  const dtype = toFloatDType(resultType(a, other));
  return cast(logsumexp(stack([expand(a, shape), expand(other, shape)]), { axes: 0 }), dtype);
}
