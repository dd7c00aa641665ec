// Exponentials and logarithms. Rules use PyTorch's formulas, so that they agree where a formula cancels.

import { kernels } from '@adjoint/kernels-cpu';
import { vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul } from './arithmetic.ts';
import { floatUnary } from './unary.ts';

/** `e^x`. */
export const expOp = floatUnary(
  'exp',
  (x, out) => kernels.exp(x, out),
  vjpRule('output', (g, y) => mul(g, y)),
);

/** `2^x`. */
export const exp2Op = floatUnary(
  'exp2',
  (x, out) => kernels.exp2(x, out),
  vjpRule('output', (g, y) => mul(mul(g, y), Math.LN2)),
);

/** `e^x - 1`, accurate near 0. */
export const expm1Op = floatUnary(
  'expm1',
  (x, out) => kernels.expm1(x, out),
  vjpRule('output', (g, y) => mul(g, add(y, 1))),
);

/** The natural logarithm; -Infinity at 0, NaN below. */
export const logOp = floatUnary(
  'log',
  (x, out) => kernels.log(x, out),
  vjpRule('x', (g, x) => div(g, x)),
);

/** The logarithm to base 2; -Infinity at 0, NaN below. */
export const log2Op = floatUnary(
  'log2',
  (x, out) => kernels.log2(x, out),
  vjpRule('x', (g, x) => div(g, mul(x, Math.LN2))),
);

/** The logarithm to base 10; -Infinity at 0, NaN below. */
export const log10Op = floatUnary(
  'log10',
  (x, out) => kernels.log10(x, out),
  vjpRule('x', (g, x) => div(g, mul(x, Math.LN10))),
);

/** `log(1 + x)`, accurate near 0; -Infinity at -1, NaN below. */
export const log1pOp = floatUnary(
  'log1p',
  (x, out) => kernels.log1p(x, out),
  vjpRule('x', (g, x) => div(g, add(x, 1))),
);

/**
 * `e^x` of each element; integers and bool give float32. PyTorch's `torch.exp`.
 *
 * @example
 * exp(tensor([0, 1])).toArray(); // [1, 2.7182817459106445]
 */
export function exp(x: Tensor): Tensor {
  return apply(expOp, [x], undefined);
}

/**
 * `2^x` of each element; integers and bool give float32. PyTorch's `torch.exp2`.
 *
 * @example
 * exp2(tensor([-1, 3])).toArray(); // [0.5, 8]
 */
export function exp2(x: Tensor): Tensor {
  return apply(exp2Op, [x], undefined);
}

/**
 * `e^x - 1` of each element, accurate near 0; integers and bool give float32. PyTorch's `torch.expm1`.
 *
 * @example
 * expm1(tensor(1e-20, { dtype: 'float64' })).item(); // 1e-20, where exp(x) - 1 is 0
 */
export function expm1(x: Tensor): Tensor {
  return apply(expm1Op, [x], undefined);
}

/**
 * The natural logarithm of each element: -Infinity at 0, NaN below; integers and bool give float32. PyTorch's `torch.log`.
 *
 * @example
 * log(tensor([1, 0])).toArray(); // [0, -Infinity]
 */
export function log(x: Tensor): Tensor {
  return apply(logOp, [x], undefined);
}

/**
 * The logarithm to base 2 of each element, corners as {@link log}. PyTorch's `torch.log2`.
 *
 * @example
 * log2(tensor([8, 0.5])).toArray(); // [3, -1]
 */
export function log2(x: Tensor): Tensor {
  return apply(log2Op, [x], undefined);
}

/**
 * The logarithm to base 10 of each element, corners as {@link log}. PyTorch's `torch.log10`.
 *
 * @example
 * log10(tensor([1000, 0.1])).toArray(); // [3, -1]
 */
export function log10(x: Tensor): Tensor {
  return apply(log10Op, [x], undefined);
}

/**
 * `log(1 + x)` of each element, accurate near 0: -Infinity at -1, NaN below. PyTorch's `torch.log1p`.
 *
 * @example
 * log1p(tensor(1e-20, { dtype: 'float64' })).item(); // 1e-20, where log(1 + x) is 0
 */
export function log1p(x: Tensor): Tensor {
  return apply(log1pOp, [x], undefined);
}
