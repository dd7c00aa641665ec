// Step functions: sign and the roundings, constant but for their jumps, so that their derivative is 0 as in PyTorch.

import { kernels } from '@adjoint/kernels-cpu';
import { vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { zerosLike } from './create.ts';
import { sameUnary } from './unary.ts';

const flat = vjpRule<undefined>((g) => zerosLike(g));

/** -1, 0 or 1. */
export const signOp = sameUnary('sign', (x, out) => kernels.sign(x, out), flat);
/** The largest integer that is not above. */
export const floorOp = sameUnary('floor', (x, out) => kernels.floor(x, out), flat);
/** The smallest integer that is not below. */
export const ceilOp = sameUnary('ceil', (x, out) => kernels.ceil(x, out), flat);
/** The nearest integer, halves to the even one. */
export const roundOp = sameUnary('round', (x, out) => kernels.round(x, out), flat);
/** The integer part, towards 0. */
export const truncOp = sameUnary('trunc', (x, out) => kernels.trunc(x, out), flat);

/**
 * The sign of each element: -1, 0 or 1. Its gradient is 0. PyTorch's `torch.sign`.
 *
 * @throws DTypeError for bool.
 * @example
 * sign(tensor([-3, 0, 2])).toArray(); // [-1, 0, 1]
 */
export function sign(x: Tensor): Tensor {
  return apply(signOp, [x], undefined);
}

/**
 * The largest integer not above each element, in its dtype; integers stay. Its gradient is 0. PyTorch's `torch.floor`.
 *
 * @throws DTypeError for bool.
 * @example
 * floor(tensor([1.5, -1.5])).toArray(); // [1, -2]
 */
export function floor(x: Tensor): Tensor {
  return apply(floorOp, [x], undefined);
}

/** The smallest integer not below each element. PyTorch's `torch.ceil`. Types, gradient, errors as {@link floor}. */
export function ceil(x: Tensor): Tensor {
  return apply(ceilOp, [x], undefined);
}

/**
 * The nearest integer, halves to the even one. PyTorch's `torch.round`. Types, gradient, errors as {@link floor}.
 *
 * @example
 * round(tensor([0.5, 1.5, -2.5])).toArray(); // [0, 2, -2]
 */
export function round(x: Tensor): Tensor {
  return apply(roundOp, [x], undefined);
}

/** The integer part, towards 0. PyTorch's `torch.trunc`. Types, gradient, errors as {@link floor}. */
export function trunc(x: Tensor): Tensor {
  return apply(truncOp, [x], undefined);
}
