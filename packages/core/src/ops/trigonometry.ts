// Trigonometric functions and their inverses, in radians. Rules use PyTorch's formulas, so that they agree where a
// formula cancels (near the ends of a domain).

import { kernels } from '@adjoint/kernels-cpu';
import { defineOp, vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { inferFloatBinary } from './infer.ts';
import { type Operand, toOperand } from './operand.ts';
import { reciprocal, rsqrt, square } from './powers.ts';
import { floatUnary } from './unary.ts';

/** `sin x`. */
export const sinOp = floatUnary(
  'sin',
  (x, out) => kernels.sin(x, out),
  vjpRule('x', (g, x) => mul(g, cos(x))),
);

/** `cos x`. */
export const cosOp = floatUnary(
  'cos',
  (x, out) => kernels.cos(x, out),
  vjpRule('x', (g, x) => neg(mul(g, sin(x)))),
);

/** `tan x`. */
export const tanOp = floatUnary(
  'tan',
  (x, out) => kernels.tan(x, out),
  vjpRule('output', (g, y) => mul(g, add(square(y), 1))),
);

/** `arcsin x`; NaN outside [-1, 1], where the derivative at the ends is Infinity. */
export const asinOp = floatUnary(
  'asin',
  (x, out) => kernels.asin(x, out),
  vjpRule('x', (g, x) => mul(g, rsqrt(sub(1, square(x))))),
);

/** `arccos x`; NaN outside [-1, 1], where the derivative at the ends is -Infinity. */
export const acosOp = floatUnary(
  'acos',
  (x, out) => kernels.acos(x, out),
  vjpRule('x', (g, x) => neg(mul(g, rsqrt(sub(1, square(x)))))),
);

/** `arctan x`, in (-π/2, π/2). */
export const atanOp = floatUnary(
  'atan',
  (x, out) => kernels.atan(x, out),
  vjpRule('x', (g, x) => div(g, add(square(x), 1))),
);

/** The angle of the point (x, y), in [-π, π], with the signs of zeros told apart. Its gradient at the origin is NaN. */
export const atan2Op = defineOp({
  name: 'atan2',
  operands: ['y', 'x'],
  infer: inferFloatBinary('atan2'),
  forward: ([y, x], out, _, shape) => kernels.atan2(y, x, out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [
    vjpRule('y', 'x', (g, y, x) => mul(g, mul(x, inverseSquaredRadius(y, x)))),
    vjpRule('y', 'x', (g, y, x) => mul(g, mul(neg(y), inverseSquaredRadius(y, x)))),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

function inverseSquaredRadius(y: Tensor, x: Tensor): Tensor {
  return reciprocal(add(square(y), square(x)));
}

/**
 * The sine of each element; integers and bool give float32. PyTorch's `torch.sin`.
 *
 * @param x in radians.
 * @example
 * sin(tensor([0, Math.PI / 2])).toArray(); // [0, 1]
 */
export function sin(x: Tensor): Tensor {
  return apply(sinOp, [x], undefined);
}

/** The cosine of each element, in radians; integers and bool give float32. PyTorch's `torch.cos`. */
export function cos(x: Tensor): Tensor {
  return apply(cosOp, [x], undefined);
}

/** The tangent of each element, in radians; integers and bool give float32. PyTorch's `torch.tan`. */
export function tan(x: Tensor): Tensor {
  return apply(tanOp, [x], undefined);
}

/** The angle in [-π/2, π/2] whose sine is each element; NaN outside [-1, 1]. PyTorch's `torch.asin`. */
export function asin(x: Tensor): Tensor {
  return apply(asinOp, [x], undefined);
}

/** The angle in [0, π] whose cosine is each element; NaN outside [-1, 1]. PyTorch's `torch.acos`. */
export function acos(x: Tensor): Tensor {
  return apply(acosOp, [x], undefined);
}

/** The angle in [-π/2, π/2] whose tangent is each element. PyTorch's `torch.atan`. */
export function atan(x: Tensor): Tensor {
  return apply(atanOp, [x], undefined);
}

/**
 * The angle in [-π, π] of the point with the given ordinate and abscissa, with broadcasting. Integers give float32.
 * PyTorch's `torch.atan2`.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * atan2(tensor([1, -1]), tensor([-1, -1])).toArray(); // [2.356194, -2.356194]: 3π/4 and -3π/4
 */
export function atan2(y: Operand, x: Operand): Tensor {
  return apply(atan2Op, [toOperand(y, x), toOperand(x, y)], undefined);
}
