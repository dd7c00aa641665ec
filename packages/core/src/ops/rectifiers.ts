// Rectifiers: activations that differ left and right of 0, and those that are cut off at two bounds.
//
// What their derivatives are at a kink is PyTorch's choice, and said at each record.

import { kernels } from '@adjoint/kernels-cpu';
import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { div, mul } from './arithmetic.ts';
import { hardtanh } from './bounds.ts';
import { gt, lt } from './compare.ts';
import { derivativeOp } from './derivative.ts';
import { exp } from './exponential.ts';
import { inferFloat } from './infer.ts';
import { reshape } from './layout.ts';
import { logicalAnd } from './logic.ts';
import { where } from './select.ts';
import { floatUnary, sameUnary } from './unary.ts';

/** `max(x, 0)`; its derivative at 0 is 0. */
export const reluOp = sameUnary(
  'relu',
  (x, out) => kernels.relu(x, out),
  // Where it is a straight line, the derivative says of y only where g is let through: its graph would give nothing but zeros.
  vjpRule('output', (g, y) => apply(reluGradOp, [g, y.detach()], undefined)),
);

/** The gradient of relu from its result: `g` where `y` is above 0 or NaN, 0 elsewhere. Its derivative in `y` is 0. */
export const reluGradOp = derivativeOp({
  name: 'reluGrad',
  of: 'y',
  run: (g, y, out, _, shape) => kernels.reluGrad(g, y, out, shape),
});

/** `x` above 0, `slope · x` elsewhere; its derivative at 0 is the slope. */
export const leakyReluOp = defineOp<readonly ['x'], { readonly slope: number }>({
  name: 'leakyRelu',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { slope }) => kernels.leakyRelu(x, out, slope),
  layout: 'strided',
  vjps: [vjpRule('x', (g, x, { attrs }) => apply(leakyReluGradOp, [g, x.detach()], attrs))],
  recycles: true,
  forwardMode: 'elementwise',
});

/** The gradient of leakyRelu: `g` where `x` is above 0, `slope · g` elsewhere. Its derivative in `x` is 0. */
export const leakyReluGradOp = derivativeOp<{ readonly slope: number }>({
  name: 'leakyReluGrad',
  of: 'x',
  run: (g, x, out, { slope }, shape) => kernels.leakyReluGrad(g, x, out, shape, slope),
});

/** `scale · x` above 0, `scale · alpha · (e^x - 1)` elsewhere; its derivative at 0 is the lower one, its second derivative there 0. */
export const eluOp = defineOp<readonly ['x'], { readonly alpha: number; readonly scale: number }>({
  name: 'elu',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { alpha, scale }) => kernels.elu(x, out, alpha, scale),
  layout: 'strided',
  vjps: [vjpRule('x', (g, x, { attrs }) => apply(eluGradOp, [g, x], attrs))],
  recycles: true,
  forwardMode: 'elementwise',
});

/** The gradient of elu: `scale · g` where `x` is above 0 or NaN, `scale · alpha · e^x · g` elsewhere. */
export const eluGradOp = derivativeOp<{ readonly alpha: number; readonly scale: number }>({
  name: 'eluGrad',
  of: 'x',
  run: (g, x, out, { alpha, scale }, shape) => kernels.eluGrad(g, x, out, shape, alpha, scale),
  bend: (gh, x, { alpha, scale }) => where(lt(x, 0), mul(gh, mul(exp(negativePart(x)), alpha * scale)), 0),
});

/** `x` below 0, and 0 elsewhere: of large numbers the exponential would overflow, and 0 times its infinite derivative is NaN. */
const negativePart = (x: Tensor): Tensor => where(lt(x, 0), x, 0);

/** `x` above 0, `alpha · (e^(x/alpha) - 1)` elsewhere; its derivative at 0 is 1, its second derivative there 0. */
export const celuOp = defineOp<readonly ['x'], { readonly alpha: number }>({
  name: 'celu',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { alpha }) => kernels.celu(x, out, alpha),
  layout: 'strided',
  vjps: [vjpRule('x', (g, x, { attrs }) => apply(celuGradOp, [g, x], attrs))],
  recycles: true,
  forwardMode: 'elementwise',
});

/** The gradient of celu: `g` where `x` is above 0 or NaN, `e^(x/alpha) · g` elsewhere. */
export const celuGradOp = derivativeOp<{ readonly alpha: number }>({
  name: 'celuGrad',
  of: 'x',
  run: (g, x, out, { alpha }, shape) => kernels.celuGrad(g, x, out, shape, alpha),
  bend: (gh, x, { alpha }) => where(lt(x, 0), mul(gh, div(exp(div(negativePart(x), alpha)), alpha)), 0),
});

/**
 * `max(x, 0)` of each element; NaN stays, the derivative at 0 is 0. PyTorch's `F.relu`.
 *
 * @throws DTypeError for bool.
 * @example
 * relu(tensor([-1, 2])).toArray(); // [0, 2]
 */
export function relu(x: Tensor): Tensor {
  return apply(reluOp, [x], undefined);
}

/** Options of {@link leakyRelu}. */
export interface LeakyReluOptions {
  /** Slope left of 0. Default 0.01. */
  readonly negativeSlope?: number | undefined;
}

/**
 * `x` above 0, `negativeSlope · x` elsewhere. Integers give float32. PyTorch's `F.leaky_relu`.
 *
 * @example
 * leakyRelu(tensor([-1, 2]), { negativeSlope: 0.25 }).toArray(); // [-0.25, 2]
 */
export function leakyRelu(x: Tensor, options: LeakyReluOptions = noOptions): Tensor {
  requireOptions('leakyRelu', options, { negativeSlope: 'number' });
  const { negativeSlope = 0.01 } = options;
  return apply(leakyReluOp, [x], { slope: negativeSlope });
}

/**
 * `x` above 0, `weight · x` elsewhere, with a weight that is learnt. PyTorch's `F.prelu`.
 *
 * @param x of shape (N, C, ...) or any shape beside a single weight.
 * @param weight of one element, or of shape (C,).
 * @throws ShapeError if `weight` has neither one element nor as many as `x` has channels.
 * @example
 * prelu(tensor([[-1, -1]]), tensor([0.5, 0.25])).toArray(); // [[-0.5, -0.25]]
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  requireTensor('prelu', 'x', x);
  requireTensor('prelu', 'weight', weight);
  const channels = x.ndim > 1 ? x.shape[1] : 1;
  if (weight.size !== 1 && (weight.ndim !== 1 || weight.size !== channels)) {
    throw new ShapeError(
      `weight has shape ${formatShape(weight.shape)} and x ${formatShape(x.shape)}; give one weight, or one for each of the ${channels} channels on axis 1.`,
      { op: 'prelu', operand: 'weight', actual: weight.shape, expected: `(1,) or (${channels},)` },
    );
  }
  const slopes = weight.size === 1 ? [] : [weight.size, ...x.shape.slice(2).map(() => 1)];
  const positive = gt(x, 0);
  // The product is taken of the negative part only: 0 times an infinite x would be NaN in the weight's gradient.
  return where(positive, x, mul(where(positive, 0, x), reshape(weight, slopes)));
}

/** Options of {@link elu} and {@link celu}. */
export interface EluOptions {
  /** The limit at -Infinity is -alpha. Default 1. */
  readonly alpha?: number | undefined;
}

/**
 * `x` above 0, `alpha · (e^x - 1)` elsewhere. Integers give float32. PyTorch's `F.elu`.
 *
 * @example
 * elu(tensor([-100, 2]), { alpha: 1.5 }).toArray(); // [-1.5, 2]
 */
export function elu(x: Tensor, options: EluOptions = noOptions): Tensor {
  requireOptions('elu', options, { alpha: 'number' });
  const { alpha = 1 } = options;
  return apply(eluOp, [x], { alpha, scale: 1 });
}

/**
 * `x` above 0, `alpha · (e^(x/alpha) - 1)` elsewhere: smooth at 0 for every alpha. Integers give float32. PyTorch's `F.celu`.
 *
 * @throws ArgumentError if `alpha` is 0.
 * @example
 * celu(tensor([-100, 2]), { alpha: 1.5 }).toArray(); // [-1.5, 2]
 */
export function celu(x: Tensor, options: EluOptions = noOptions): Tensor {
  requireOptions('celu', options, { alpha: 'number' });
  const { alpha = 1 } = options;
  if (alpha === 0) {
    throw new ArgumentError('alpha is 0, and x is divided by it; give a number other than 0.', {
      op: 'celu',
      operand: 'alpha',
      actual: alpha,
      expected: 'not 0',
    });
  }
  return apply(celuOp, [x], { alpha });
}

const seluAlpha = 1.6732632423543772;
const seluScale = 1.0507009873554805;

/**
 * `scale · elu(x, alpha)` with the constants under which activations keep mean 0 and variance 1 (arXiv:1706.02515). Integers
 * give float32. PyTorch's `F.selu`.
 */
export function selu(x: Tensor): Tensor {
  return apply(eluOp, [x], { alpha: seluAlpha, scale: seluScale });
}

/** `x` cut off at 0 and 6; its derivative at both is 0. PyTorch's `F.relu6`. Errors as {@link hardtanh}. */
export function relu6(x: Tensor): Tensor {
  return hardtanh(x, { minVal: 0, maxVal: 6 });
}

/** `relu6(x + 3) / 6`; its derivative is 1/6 between -3 and 3, both excluded, and 0 for NaN. */
export const hardsigmoidOp = floatUnary(
  'hardsigmoid',
  (x, out) => kernels.hardsigmoid(x, out),
  vjpRule('x', (g, x) => apply(hardsigmoidGradOp, [g, x.detach()], undefined)),
);

/** The gradient of hardsigmoid: `g / 6` where `x` is between -3 and 3, 0 elsewhere. Its derivative in `x` is 0. */
export const hardsigmoidGradOp = derivativeOp({
  name: 'hardsigmoidGrad',
  of: 'x',
  run: (g, x, out, _, shape) => kernels.hardsigmoidGrad(g, x, out, shape),
});

/** `x · relu6(x + 3) / 6`. Its derivative is 0 below -3, 1 above 3 and `x/3 + 1/2` between, at both ends included. */
export const hardswishOp = floatUnary(
  'hardswish',
  (x, out) => kernels.hardswish(x, out),
  vjpRule('x', (g, x) => apply(hardswishGradOp, [g, x], undefined)),
);

/**
 * The gradient of hardswish: 0 where `x` is below -3, `(x/3 + 1/2) · g` up to 3, `g` above and for NaN. Its derivative in `x` is `g/3` between
 * the two, both excluded, and 0 elsewhere.
 */
export const hardswishGradOp = derivativeOp({
  name: 'hardswishGrad',
  of: 'x',
  run: (g, x, out, _, shape) => kernels.hardswishGrad(g, x, out, shape),
  bend: (gh, x) => where(logicalAnd(gt(x, -3), lt(x, 3)), div(gh, 3), 0),
});

/** `relu6(x + 3) / 6` of each element, a cheap sigmoid. Integers give float32. PyTorch's `F.hardsigmoid`. */
export function hardsigmoid(x: Tensor): Tensor {
  return apply(hardsigmoidOp, [x], undefined);
}

/** `x · relu6(x + 3) / 6` of each element, a cheap silu. Integers give float32. PyTorch's `F.hardswish`. */
export function hardswish(x: Tensor): Tensor {
  return apply(hardswishOp, [x], undefined);
}
