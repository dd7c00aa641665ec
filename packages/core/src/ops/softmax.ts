// Softmax, its logarithm, and the logarithm of a sum of exponentials: none overflows, whatever the size of the operand.

import { kernels } from '@adjoint/kernels-cpu';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { checkAxis, reducedShape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { mul, sub } from './arithmetic.ts';
import { type ReduceAttrs, type ReduceOptions, reduceAttrs, sum, unreduce } from './expand-sum.ts';
import { exp } from './exponential.ts';
import { flopsPerElement, inferFloat } from './infer.ts';
import { reshape } from './layout.ts';

interface AxisAttrs {
  readonly axis: number;
}

/**
 * `e^x / Σ e^x` along an axis. Its Jacobian `diag(y) - y yᵀ` is symmetric, so one rule serves both modes. A line with NaN or
 * Infinity, or of -Infinity alone, is NaN.
 */
export const softmaxOp = defineOp<readonly ['x'], AxisAttrs>({
  name: 'softmax',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { axis }) => kernels.softmax(x, axis, out),
  layout: 'strided',
  vjps: [vjpRule('output', (g, y, { attrs }) => softmaxSlope(g, y, attrs))],
  recycles: true,
  forwardMode: ([tangent], _, y, { attrs }) => softmaxSlope(tangent!, y, attrs),
});

function softmaxSlope(t: Tensor, y: Tensor, { axis }: AxisAttrs): Tensor {
  return mul(y, sub(t, sum(mul(t, y), { axes: axis, keepdim: true })));
}

/** `x - log(Σ e^x)` along an axis. NaN as `softmax`. */
export const logSoftmaxOp = defineOp<readonly ['x'], AxisAttrs>({
  name: 'logSoftmax',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { axis }) => kernels.logSoftmax(x, axis, out),
  layout: 'strided',
  vjps: [
    vjpRule('output', (g, y, { attrs: { axis } }) =>
      sub(g, mul(exp(y), sum(g, { axes: axis, keepdim: true }))),
    ),
  ],
  recycles: true,
  forwardMode: ([tangent], _, y, { attrs: { axis } }) =>
    sub(tangent!, sum(mul(exp(y), tangent!), { axes: axis, keepdim: true })),
});

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
  readonly axis?: number;
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
  requireOptions('softmax', options, ['axis']);
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
  requireOptions('logSoftmax', options, ['axis']);
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
  requireOptions('logsumexp', options, ['axes', 'keepdim']);
  return apply(logsumexpOp, [x], reduceAttrs(x, options, 'logsumexp'));
}
