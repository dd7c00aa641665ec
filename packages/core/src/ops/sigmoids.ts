// Smooth activations: the sigmoid and what is built from it, and the functions of the normal distribution (erf, gelu).

import { kernels } from '@adjoint/kernels-cpu';
import { requireOneOf } from '../arguments.ts';
import { ArgumentError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { hardtanh } from './bounds.ts';
import { ge, isfinite } from './compare.ts';
import { derivativeOp } from './derivative.ts';
import { exp } from './exponential.ts';
import { inferFloat } from './infer.ts';
import { square } from './powers.ts';
import { abs, where } from './select.ts';
import { floatUnary } from './unary.ts';

/** `1 / (1 + e^-x)`. */
export const sigmoidOp = floatUnary(
  'sigmoid',
  (x, out) => kernels.sigmoid(x, out),
  vjpRule('output', (g, y) => apply(sigmoidGradOp, [g, y], undefined)),
);

/** The gradient of sigmoid from its result: `g · y · (1 - y)`. */
export const sigmoidGradOp = derivativeOp({
  name: 'sigmoidGrad',
  of: 'y',
  run: (g, y, out, _, shape) => kernels.sigmoidGrad(g, y, out, shape),
  bend: (gh, y) => mul(gh, sub(1, mul(y, 2))),
});

// What the second derivatives below have in common. `1 - sigmoid(x)` is written `sigmoid(-x)`, which does not cancel, so that they have their
// digits in both tails.

/** The slope of the sigmoid, `sigmoid(x) · sigmoid(-x)`. */
const bell = (x: Tensor): Tensor => mul(sigmoid(x), sigmoid(neg(x)));

/**
 * `x`, cut off where what is multiplied with it is 0 to the last bit anyway: powers of it would overflow, and 0 times infinity is NaN, here or in
 * the next derivative. Infinite x become NaN, as they do in the first derivative.
 */
const within = (bound: number, x: Tensor): Tensor =>
  where(isfinite(x), hardtanh(x, { minVal: -bound, maxVal: bound }), Number.NaN);

/** `log(1 / (1 + e^-x))`, without overflow. */
export const logSigmoidOp = floatUnary(
  'logSigmoid',
  (x, out) => kernels.logSigmoid(x, out),
  vjpRule('x', (g, x) => apply(logSigmoidGradOp, [g, x], undefined)),
);

/** The gradient of logSigmoid: `g · sigmoid(-x)`. */
export const logSigmoidGradOp = derivativeOp({
  name: 'logSigmoidGrad',
  of: 'x',
  run: (g, x, out, _, shape) => kernels.logSigmoidGrad(g, x, out, shape),
  bend: (gh, x) => neg(mul(gh, bell(x))),
});

interface SoftplusAttrs {
  readonly beta: number;
  readonly threshold: number;
}

/** `log(1 + e^(beta·x)) / beta`, and x itself where `beta·x > threshold`. */
export const softplusOp = defineOp<readonly ['x'], SoftplusAttrs>({
  name: 'softplus',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { beta, threshold }) => kernels.softplus(x, out, beta, threshold),
  layout: 'strided',
  vjps: [vjpRule('x', (g, x, { attrs }) => apply(softplusGradOp, [g, x], attrs))],
  recycles: true,
  forwardMode: 'elementwise',
});

/**
 * The gradient of softplus: `g` where `beta·x > threshold`, `g · sigmoid(beta·x)` elsewhere. At the threshold itself the slope is still the
 * sigmoid's, but it no longer bends.
 */
export const softplusGradOp = derivativeOp<SoftplusAttrs>({
  name: 'softplusGrad',
  of: 'x',
  run: (g, x, out, { beta, threshold }, shape) => kernels.softplusGrad(g, x, out, shape, beta, threshold),
  bend: (gh, x, { beta, threshold }) => {
    const scaled = mul(x, beta);
    return where(ge(scaled, threshold), 0, mul(gh, mul(bell(scaled), beta)));
  },
});

/** `x · sigmoid(x)`. */
export const siluOp = floatUnary(
  'silu',
  (x, out) => kernels.silu(x, out),
  vjpRule('x', (g, x) => apply(siluGradOp, [g, x], undefined)),
);

/** The gradient of silu: `g · s · (1 + x · (1 - s))` with `s = sigmoid(x)`. */
export const siluGradOp = derivativeOp({
  name: 'siluGrad',
  of: 'x',
  run: (g, x, out, _, shape) => kernels.siluGrad(g, x, out, shape),
  // s s' (2 + x (s' - s)) with s' = sigmoid(-x).
  bend: (gh, x) => {
    const near = within(800, x);
    const [on, off] = [sigmoid(near), sigmoid(neg(near))];
    return mul(gh, mul(mul(on, off), add(mul(near, sub(off, on)), 2)));
  },
});

/** `x · tanh(softplus(x))`. */
export const mishOp = floatUnary(
  'mish',
  (x, out) => kernels.mish(x, out),
  vjpRule('x', (g, x) => apply(mishGradOp, [g, x], undefined)),
);

/** The gradient of mish: `g · (t + x · sigmoid(x) · (1 - t²))` with `t = tanh(softplus(x))`. */
export const mishGradOp = derivativeOp({
  name: 'mishGrad',
  of: 'x',
  run: (g, x, out, _, shape) => kernels.mishGrad(g, x, out, shape),
  // r s (2 + x (s' - 2 t s)) with s' = sigmoid(-x) and r = 1 - t². As e^softplus(x) is 1 / s', both t and r are quotients of sigmoids:
  // t = s (1 + s') / (1 + s'²), and the root of r is 2 s' / (1 + s'²).
  bend: (gh, x) => {
    const near = within(800, x);
    const [on, off] = [sigmoid(near), sigmoid(neg(near))];
    const divisor = add(square(off), 1);
    const t = div(mul(on, add(off, 1)), divisor);
    const r = square(div(mul(off, 2), divisor));
    return mul(gh, mul(mul(r, on), add(mul(near, sub(off, mul(mul(t, on), 2))), 2)));
  },
});

/** The error function, `2/√π ∫₀ˣ e^(-t²) dt`. */
export const erfOp = floatUnary(
  'erf',
  (x, out) => kernels.erf(x, out),
  vjpRule('x', (g, x) => mul(g, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))),
);

/** `1 - erf(x)`, accurate where erf is near 1. */
export const erfcOp = floatUnary(
  'erfc',
  (x, out) => kernels.erfc(x, out),
  vjpRule('x', (g, x) => mul(g, mul(exp(neg(square(x))), -2 / Math.sqrt(Math.PI)))),
);

/** `x · Φ(x)` with Φ the distribution function of the normal distribution; derivative `Φ(x) + x · φ(x)`. */
export const geluOp = floatUnary(
  'gelu',
  (x, out) => kernels.gelu(x, out),
  vjpRule('x', (g, x) => apply(geluGradOp, [g, x], undefined)),
);

/** The gradient of gelu: `g · (Φ(x) + x · φ(x))` with φ the density of the normal distribution. */
export const geluGradOp = derivativeOp({
  name: 'geluGrad',
  of: 'x',
  run: (g, x, out, _, shape) => kernels.geluGrad(g, x, out, shape),
  // φ(x) (2 - x²).
  bend: (gh, x) => {
    const squared = square(within(40, x));
    const density = mul(exp(mul(squared, -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return mul(gh, mul(density, sub(2, squared)));
  },
});

/** `x · sigmoid(2u)` with `u = √(2/π) (x + 0.044715 x³)`, which is the approximation of gelu by tanh. */
export const geluTanhOp = floatUnary(
  'geluTanh',
  (x, out) => kernels.geluTanh(x, out),
  vjpRule('x', (g, x) => apply(geluTanhGradOp, [g, x], undefined)),
);

/** The gradient of geluTanh: `g · s · (1 + x · (1 - s) · v')` with `s = sigmoid(v)` and `v = 2u`. */
export const geluTanhGradOp = derivativeOp({
  name: 'geluTanhGrad',
  of: 'x',
  run: (g, x, out, _, shape) => kernels.geluTanhGrad(g, x, out, shape),
  // s s' v' (2 + x v' (s' - s)) + s s' x v'' with s' = sigmoid(-v).
  bend: (gh, x) => {
    const [scale, cubic] = [2 * Math.sqrt(2 / Math.PI), 0.044715];
    const near = within(25, x);
    const squared = square(near);
    const v = mul(mul(near, add(mul(squared, cubic), 1)), scale);
    const slope = mul(add(mul(squared, 3 * cubic), 1), scale);
    const [on, off] = [sigmoid(v), sigmoid(neg(v))];
    const peak = mul(on, off);
    const steep = mul(mul(peak, slope), add(mul(mul(near, slope), sub(off, on)), 2));
    return mul(gh, add(steep, mul(peak, mul(squared, 6 * cubic * scale))));
  },
});

/**
 * `1 / (1 + e^-x)` of each element; integers and bool give float32. PyTorch's `torch.sigmoid`.
 *
 * @example
 * sigmoid(tensor([0, 100])).toArray(); // [0.5, 1]
 */
export function sigmoid(x: Tensor): Tensor {
  return apply(sigmoidOp, [x], undefined);
}

/** `log(sigmoid(x))` of each element, without overflow. Integers give float32. PyTorch's `F.logsigmoid`. */
export function logSigmoid(x: Tensor): Tensor {
  return apply(logSigmoidOp, [x], undefined);
}

/** Options of {@link softplus}. */
export interface SoftplusOptions {
  /** How sharp the bend is. Default 1. */
  readonly beta?: number | undefined;
  /** Where `beta · x` is above, the result is x itself. Default 20. */
  readonly threshold?: number | undefined;
}

/**
 * `log(1 + e^(beta·x)) / beta` of each element, a smooth relu, without overflow. Integers give float32. PyTorch's
 * `F.softplus`.
 *
 * @throws ArgumentError if `beta` is 0.
 * @example
 * softplus(tensor([0, 30])).toArray(); // [0.6931471824645996, 30]
 */
export function softplus(x: Tensor, options: SoftplusOptions = noOptions): Tensor {
  requireOptions('softplus', options, { beta: 'number', threshold: 'number' });
  const { beta = 1, threshold = 20 } = options;
  if (beta === 0) {
    throw new ArgumentError('beta is 0, and the result is divided by it; give a number other than 0.', {
      op: 'softplus',
      operand: 'beta',
      actual: beta,
      expected: 'not 0',
    });
  }
  return apply(softplusOp, [x], { beta, threshold });
}

/** `x · sigmoid(x)` of each element (also called swish). Integers give float32. PyTorch's `F.silu`. */
export function silu(x: Tensor): Tensor {
  return apply(siluOp, [x], undefined);
}

/** `x · tanh(softplus(x))` of each element. Integers give float32. PyTorch's `F.mish`. */
export function mish(x: Tensor): Tensor {
  return apply(mishOp, [x], undefined);
}

/** Options of {@link gelu}. */
export interface GeluOptions {
  /** 'none' (default): the exact function; 'tanh': the approximation of Hendrycks and Gimpel (arXiv:1606.08415). */
  readonly approximate?: 'none' | 'tanh' | undefined;
}

/**
 * `x · Φ(x)` of each element, Φ the distribution function of the normal distribution. Integers give float32. PyTorch's
 * `F.gelu`, but exact in the left tail, where PyTorch's `1 + erf` cancels.
 *
 * @throws ArgumentError for another `approximate`.
 * @example
 * gelu(tensor([-1, 0, 1])).toArray(); // [-0.15865525603294373, 0, 0.8413447141647339]
 */
export function gelu(x: Tensor, options: GeluOptions = noOptions): Tensor {
  requireOptions('gelu', options, { approximate: 'string' });
  const { approximate = 'none' } = options;
  requireOneOf('gelu', 'approximate', approximate, ['none', 'tanh']);
  return apply(approximate === 'tanh' ? geluTanhOp : geluOp, [x], undefined);
}

/**
 * The error function of each element, to full accuracy of its dtype; integers give float32. PyTorch's `torch.erf`.
 *
 * @example
 * erf(tensor([0, 1], { dtype: 'float64' })).toArray(); // [0, 0.8427007929497149]
 */
export function erf(x: Tensor): Tensor {
  return apply(erfOp, [x], undefined);
}

/** `1 - erf(x)` of each element, without cancellation; integers give float32. PyTorch's `torch.erfc`. */
export function erfc(x: Tensor): Tensor {
  return apply(erfcOp, [x], undefined);
}

/** `x / (1 + |x|)` of each element. Integers give float32. PyTorch's `F.softsign`. */
export function softsign(x: Tensor): Tensor {
  return div(x, add(abs(x), 1));
}
