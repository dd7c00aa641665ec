// Rectifiers: activations that differ left and right of 0, and those that are cut off at two bounds.
//
// What their derivatives are at a kink is PyTorch's choice, and said at each record.

import { kernels } from '@adjoint/kernels-cpu';
import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul } from './arithmetic.ts';
import { hardtanh } from './bounds.ts';
import { gt, le, lt } from './compare.ts';
import { zerosLike } from './create.ts';
import { derivativeRule } from './derivative.ts';
import { exp } from './exponential.ts';
import { inferFloat, requireFloat, requireOperand } from './infer.ts';
import { reshape } from './layout.ts';
import { logicalAnd } from './logic.ts';
import { where } from './select.ts';
import { floatUnary, sameUnary } from './unary.ts';

/** `max(x, 0)`; its derivative at 0 is 0. */
export const reluOp = sameUnary(
  'relu',
  (x, out) => kernels.relu(x, out),
  vjpRule('output', (g, y) => reluGrad(g, y.detach())),
);

/** The gradient of relu from its result: `g` where `y` is above 0 or NaN, 0 elsewhere. */
export const reluGradOp = defineOp({
  name: 'reluGrad',
  operands: ['g', 'y'],
  infer: (operands) => {
    const g = operands[0];
    const y = operands[1];
    requireFloat('reluGrad', 'y', y);
    requireOperand('reluGrad', 'g', g, y.shape);
    return { shape: y.shape, dtype: g.dtype, compute: g.dtype };
  },
  forward: (inputs, out, _, shape) => kernels.reluGrad(inputs[0], inputs[1], out, shape),
  layout: 'strided',
  promotes: ['g'],
  vjps: [
    vjpRule('y', (h, y) => reluGrad(h, y)),
    // It only says where g is let through.
    vjpRule((h) => zerosLike(h)),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

function reluGrad(g: Tensor, y: Tensor): Tensor {
  return apply(reluGradOp, [g, y], undefined);
}

/** `x` above 0, `slope · x` elsewhere; its derivative at 0 is the slope. */
export const leakyReluOp = defineOp<readonly ['x'], { readonly slope: number }>({
  name: 'leakyRelu',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { slope }) => kernels.leakyRelu(x, out, slope),
  layout: 'strided',
  vjps: [
    derivativeRule(
      'leakyRelu',
      'x',
      (g, x, { attrs: { slope } }) => where(gt(x, 0), g, mul(g, slope)),
      ({ slope }) => [slope, 0],
    ),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

/** `scale · x` above 0, `scale · alpha · (e^x - 1)` elsewhere; its derivative at 0 is the lower one, its second derivative there 0. */
export const eluOp = defineOp<readonly ['x'], { readonly alpha: number; readonly scale: number }>({
  name: 'elu',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { alpha, scale }) => kernels.elu(x, out, alpha, scale),
  layout: 'strided',
  vjps: [
    derivativeRule(
      'elu',
      'x',
      (g, x, { attrs: { alpha, scale } }) => {
        // Above 0 the exponential is not taken: it would overflow, and 0 times its infinite derivative is NaN.
        const exponential = exp(where(lt(x, 0), x, 0));
        return mul(where(le(x, 0), mul(g, mul(exponential, alpha)), g), scale);
      },
      ({ alpha, scale }) => [alpha, scale],
    ),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

/** `x` above 0, `alpha · (e^(x/alpha) - 1)` elsewhere; its derivative at 0 is 1, its second derivative there 0. */
export const celuOp = defineOp<readonly ['x'], { readonly alpha: number }>({
  name: 'celu',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { alpha }) => kernels.celu(x, out, alpha),
  layout: 'strided',
  vjps: [
    derivativeRule(
      'celu',
      'x',
      (g, x, { attrs: { alpha } }) => where(le(x, 0), mul(g, exp(div(where(lt(x, 0), x, 0), alpha))), g),
      ({ alpha }) => [alpha, 0],
    ),
  ],
  recycles: true,
  forwardMode: 'elementwise',
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
  readonly negativeSlope?: number;
}

/**
 * `x` above 0, `negativeSlope · x` elsewhere. Integers give float32. PyTorch's `F.leaky_relu`.
 *
 * @example
 * leakyRelu(tensor([-1, 2]), { negativeSlope: 0.25 }).toArray(); // [-0.25, 2]
 */
export function leakyRelu(x: Tensor, options: LeakyReluOptions = noOptions): Tensor {
  requireOptions('leakyRelu', options, ['negativeSlope']);
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
  readonly alpha?: number;
}

/**
 * `x` above 0, `alpha · (e^x - 1)` elsewhere. Integers give float32. PyTorch's `F.elu`.
 *
 * @example
 * elu(tensor([-100, 2]), { alpha: 1.5 }).toArray(); // [-1.5, 2]
 */
export function elu(x: Tensor, options: EluOptions = noOptions): Tensor {
  requireOptions('elu', options, ['alpha']);
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
  requireOptions('celu', options, ['alpha']);
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
  derivativeRule('hardsigmoid', 'x', (g, x) => where(logicalAnd(gt(x, -3), lt(x, 3)), div(g, 6), 0)),
);

/** `x · relu6(x + 3) / 6`. Its derivative is 0 below -3, 1 above 3 and `x/3 + 1/2` between, at both ends included. */
export const hardswishOp = floatUnary(
  'hardswish',
  (x, out) => kernels.hardswish(x, out),
  derivativeRule('hardswish', 'x', (g, x) => {
    // The bend of the slope at both ends is that of hardtanh: the second derivative is 0 there.
    const slope = add(div(hardtanh(x, { minVal: -3, maxVal: 3 }), 3), 0.5);
    return where(lt(x, -3), 0, where(le(x, 3), mul(g, slope), g));
  }),
);

/** `relu6(x + 3) / 6` of each element, a cheap sigmoid. Integers give float32. PyTorch's `F.hardsigmoid`. */
export function hardsigmoid(x: Tensor): Tensor {
  return apply(hardsigmoidOp, [x], undefined);
}

/** `x · relu6(x + 3) / 6` of each element, a cheap silu. Integers give float32. PyTorch's `F.hardswish`. */
export function hardswish(x: Tensor): Tensor {
  return apply(hardswishOp, [x], undefined);
}
