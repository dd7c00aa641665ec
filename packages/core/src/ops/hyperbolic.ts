// Hyperbolic functions and their inverses, and the length of a vector of two. Rules use PyTorch's formulas, so that they
// agree where a formula cancels (near the ends of a domain).

import { kernels } from '@adjoint/kernels-cpu';
import { defineOp, vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { derivativeOp } from './derivative.ts';
import { inferFloatBinary } from './infer.ts';
import { type Operand, toOperand } from './operand.ts';
import { rsqrt, square } from './powers.ts';
import { floatUnary } from './unary.ts';

/** `sinh x`. */
export const sinhOp = floatUnary(
  'sinh',
  (x, out) => kernels.sinh(x, out),
  vjpRule('x', (g, x) => mul(g, cosh(x))),
);

/** `cosh x`. */
export const coshOp = floatUnary(
  'cosh',
  (x, out) => kernels.cosh(x, out),
  vjpRule('x', (g, x) => mul(g, sinh(x))),
);

/** `tanh x`. */
export const tanhOp = floatUnary(
  'tanh',
  (x, out) => kernels.tanh(x, out),
  vjpRule('output', (g, y) => apply(tanhGradOp, [g, y], undefined)),
);

/** The gradient of tanh from its result: `g · (1 - y²)`. */
export const tanhGradOp = derivativeOp({
  name: 'tanhGrad',
  of: 'y',
  run: (g, y, out, _, shape) => kernels.tanhGrad(g, y, out, shape),
  bend: (gh, y) => mul(gh, mul(y, -2)),
});

/** `arsinh x`. */
export const asinhOp = floatUnary(
  'asinh',
  (x, out) => kernels.asinh(x, out),
  vjpRule('x', (g, x) => mul(g, rsqrt(add(square(x), 1)))),
);

/** `arcosh x`; NaN below 1, where the derivative is Infinity. */
export const acoshOp = floatUnary(
  'acosh',
  (x, out) => kernels.acosh(x, out),
  vjpRule('x', (g, x) => mul(g, rsqrt(sub(square(x), 1)))),
);

/** `artanh x`; infinite at -1 and 1, NaN outside. */
export const atanhOp = floatUnary(
  'atanh',
  (x, out) => kernels.atanh(x, out),
  vjpRule('x', (g, x) => div(g, sub(1, square(x)))),
);

/** `√(a² + b²)` without overflow on the way. Its gradient at the origin is NaN, as in PyTorch. */
export const hypotOp = defineOp({
  name: 'hypot',
  operands: ['a', 'b'],
  infer: inferFloatBinary('hypot'),
  forward: ([a, b], out, _, shape) => kernels.hypot(a, b, out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [
    vjpRule('a', 'output', (g, a, y) => mul(g, div(a, y))),
    vjpRule('b', 'output', (g, b, y) => mul(g, div(b, y))),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

/**
 * The hyperbolic sine of each element; integers and bool give float32. PyTorch's `torch.sinh`.
 *
 * @example
 * sinh(tensor([0, 1])).toArray(); // [0, 1.175201177597046]
 */
export function sinh(x: Tensor): Tensor {
  return apply(sinhOp, [x], undefined);
}

/** The hyperbolic cosine of each element; integers and bool give float32. PyTorch's `torch.cosh`. */
export function cosh(x: Tensor): Tensor {
  return apply(coshOp, [x], undefined);
}

/** The hyperbolic tangent of each element; integers and bool give float32. PyTorch's `torch.tanh`. */
export function tanh(x: Tensor): Tensor {
  return apply(tanhOp, [x], undefined);
}

/** The inverse of sinh for each element; integers and bool give float32. PyTorch's `torch.asinh`. */
export function asinh(x: Tensor): Tensor {
  return apply(asinhOp, [x], undefined);
}

/** The inverse of cosh for each element; NaN below 1. Integers and bool give float32. PyTorch's `torch.acosh`. */
export function acosh(x: Tensor): Tensor {
  return apply(acoshOp, [x], undefined);
}

/** The inverse of tanh for each element; infinite at -1 and 1, NaN outside. PyTorch's `torch.atanh`. */
export function atanh(x: Tensor): Tensor {
  return apply(atanhOp, [x], undefined);
}

/**
 * `√(a² + b²)` of each pair, without overflow on the way, with broadcasting; integers give float32. PyTorch's
 * `torch.hypot`.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * hypot(tensor([3, 5]), tensor([4, 12])).toArray(); // [5, 13]
 */
export function hypot(a: Operand, b: Operand): Tensor {
  return apply(hypotOp, [toOperand(a, b), toOperand(b, a)], undefined);
}
