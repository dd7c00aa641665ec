// Smooth activations: the sigmoid and what is built from it, and the functions of the normal distribution (erf, gelu).

import { kernels } from '@adjoint/kernels-cpu';
import { ArgumentError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { ge, gt } from './compare.ts';
import { derivativeRule } from './derivative.ts';
import { exp } from './exponential.ts';
import { tanh } from './hyperbolic.ts';
import { inferFloat } from './infer.ts';
import { square } from './powers.ts';
import { abs, where } from './select.ts';
import { floatUnary } from './unary.ts';

/** `1 / (1 + e^-x)`. */
export const sigmoidOp = floatUnary(
  'sigmoid',
  (x, out) => kernels.sigmoid(x, out),
  derivativeRule('sigmoid', 'output', (g, y) => mul(g, mul(y, sub(1, y)))),
);

/** `log(1 / (1 + e^-x))`, without overflow. */
export const logSigmoidOp = floatUnary(
  'logSigmoid',
  (x, out) => kernels.logSigmoid(x, out),
  derivativeRule('logSigmoid', 'x', (g, x) => mul(g, sigmoid(neg(x)))),
);

/** `log(1 + e^(beta·x)) / beta`, and x itself where `beta·x > threshold`. */
export const softplusOp = defineOp<readonly ['x'], { readonly beta: number; readonly threshold: number }>({
  name: 'softplus',
  operands: ['x'],
  infer: inferFloat,
  forward: ([x], out, { beta, threshold }) => kernels.softplus(x, out, beta, threshold),
  layout: 'strided',
  vjps: [
    derivativeRule(
      'softplus',
      'x',
      (g, x, { attrs: { beta, threshold } }) => {
        const scaled = mul(x, beta);
        // At the threshold itself the slope is still the sigmoid's, but it no longer bends.
        const bend = sigmoid(where(ge(scaled, threshold), threshold, scaled));
        return where(gt(scaled, threshold), g, mul(g, bend));
      },
      ({ beta, threshold }) => [beta, threshold],
    ),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

/** `x · sigmoid(x)`. */
export const siluOp = floatUnary(
  'silu',
  (x, out) => kernels.silu(x, out),
  derivativeRule('silu', 'x', (g, x) => {
    const s = sigmoid(x);
    return mul(g, mul(s, add(mul(x, sub(1, s)), 1)));
  }),
);

/** `x · tanh(softplus(x))`. */
export const mishOp = floatUnary(
  'mish',
  (x, out) => kernels.mish(x, out),
  derivativeRule('mish', 'x', (g, x) => {
    const t = tanh(softplus(x));
    return mul(g, add(t, mul(mul(x, sigmoid(x)), sub(1, square(t)))));
  }),
);

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
  derivativeRule('gelu', 'x', (g, x) => {
    const distribution = mul(erfc(mul(x, -Math.SQRT1_2)), 0.5);
    const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return mul(g, add(distribution, mul(x, density)));
  }),
);

/** `x · sigmoid(2u)` with `u = √(2/π) (x + 0.044715 x³)`, which is the approximation of gelu by tanh. */
export const geluTanhOp = floatUnary(
  'geluTanh',
  (x, out) => kernels.geluTanh(x, out),
  derivativeRule('geluTanh', 'x', (g, x) => {
    const [scale, cubic] = [2 * Math.sqrt(2 / Math.PI), 0.044715];
    const twice = mul(mul(x, add(mul(square(x), cubic), 1)), scale);
    const slope = mul(add(mul(square(x), 3 * cubic), 1), scale);
    const s = sigmoid(twice);
    return mul(g, mul(s, add(mul(mul(x, sigmoid(neg(twice))), slope), 1)));
  }),
);

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
  readonly beta?: number;
  /** Where `beta · x` is above, the result is x itself. Default 20. */
  readonly threshold?: number;
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
  requireOptions('softplus', options, ['beta', 'threshold']);
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
  readonly approximate?: 'none' | 'tanh';
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
  requireOptions('gelu', options, ['approximate']);
  const { approximate = 'none' } = options;
  if (approximate !== 'none' && approximate !== 'tanh') {
    throw new ArgumentError(`approximate is ${JSON.stringify(approximate)}; use 'none' or 'tanh'.`, {
      op: 'gelu',
      operand: 'approximate',
      actual: approximate,
      expected: "'none' | 'tanh'",
    });
  }
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
