// Powers and roots: pow with a number or a tensor as exponent, square, sqrt, rsqrt, reciprocal.

import { type FloatArray, kernels } from '@adjoint/kernels-cpu';
import { isFloat, isFloatArray, toFloatDType } from '../dtype.ts';
import { ArgumentError } from '../errors.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { div, mul, neg, sub } from './arithmetic.ts';
import { eq, ge, isnan } from './compare.ts';
import { zerosLike } from './create.ts';
import { log } from './exponential.ts';
import { inferArithmetic, inferSame } from './infer.ts';
import { logicalAnd, logicalOr } from './logic.ts';
import { type Operand, toOperand } from './operand.ts';
import { where } from './select.ts';
import { floatUnary, sameUnary } from './unary.ts';

/** `√x`; NaN below 0. Its derivative at 0 is Infinity. */
export const sqrtOp = floatUnary(
  'sqrt',
  (x, out) => kernels.sqrt(x, out),
  vjpRule('output', (g, y) => div(g, mul(y, 2))),
);

/** `1 / √x`; Infinity at 0, NaN below. */
export const rsqrtOp = floatUnary(
  'rsqrt',
  (x, out) => kernels.rsqrt(x, out),
  vjpRule('output', (g, y) => mul(mul(g, -0.5), mul(y, square(y)))),
);

/** `1 / x`; an infinity with the sign of x at 0. */
export const reciprocalOp = floatUnary(
  'reciprocal',
  (x, out) => kernels.reciprocal(x, out),
  vjpRule('output', (g, y) => neg(mul(g, square(y)))),
);

/** `x · x`. */
export const squareOp = sameUnary(
  'square',
  (x, out) => kernels.square(x, out),
  vjpRule('x', (g, x) => mul(g, mul(x, 2))),
);

/** An exponent in the smallest type that holds it: beside float32 a power of float64 would be computed with more bits than are kept. */
function exponentArray(exponent: number): FloatArray {
  return Object.is(Math.fround(exponent), exponent) ? Float32Array.of(exponent) : Float64Array.of(exponent);
}

/**
 * `x` to the power of a number. The powers 1/2 and -1/2 are the root and its reciprocal, NaN at -Infinity, as in PyTorch.
 * The derivative is 0 for the exponent 0 (also at 0, where a formula would say 0 · Infinity), so that whole exponents are
 * polynomials to any order.
 */
export const powNumberOp = defineOp<readonly ['x'], { readonly exponent: number }>({
  name: 'powNumber',
  operands: ['x'],
  infer: ([x], { exponent }) => {
    const { shape, dtype } = inferSame('pow')([x]);
    if (isFloat(dtype)) return { shape, dtype };
    if (exponent < 0 && Number.isInteger(exponent)) {
      throw new ArgumentError(
        `the exponent of ${dtype} is ${exponent}; a negative power of integers is not an integer, convert with to('float32') first.`,
        { op: 'pow', operand: 'exponent', actual: exponent, expected: 'a non-negative exponent' },
      );
    }
    const result = Number.isInteger(exponent) ? dtype : toFloatDType(dtype);
    return { shape, dtype: result, compute: result };
  },
  forward: ([x], out, { exponent }, shape) => {
    if (exponent === 1) kernels.copy(x, out);
    else if (exponent === 2) kernels.square(x, out);
    else if (exponent === 3 && isFloatArray(out)) kernels.cube(x, out);
    else if (exponent === 0.5) kernels.sqrt(x, out);
    else if (exponent === -0.5) kernels.rsqrt(x, out);
    else if (exponent === -1) kernels.reciprocal(x, out);
    else kernels.pow(x, { data: exponentArray(exponent), shape: [], strides: [], offset: 0 }, out, shape);
  },
  layout: 'strided',
  vjps: [
    vjpRule('x', (g, x, { attrs: { exponent } }) => {
      if (exponent === 0) return zerosLike(g);
      return mul(g, mul(pow(x, exponent - 1), exponent));
    }),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

/**
 * `a` to the power `b`. Conventions of PyTorch: `pow(x, 0)` is 1 for every x, NaN included, and its derivative in x is
 * then 0; the derivative in `b` is 0 where `a` is 0 and `b >= 0`. Where a is 0 or NaN beside b = 0, the rule reads other
 * numbers in their place, so that no 0 · Infinity arises at higher orders.
 */
export const powOp = defineOp({
  name: 'pow',
  operands: ['a', 'b'],
  infer: inferArithmetic('pow'),
  forward: ([a, b], out, _, shape) => kernels.pow(a, b, out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [
    vjpRule('a', 'b', (g, a, b) => {
      const flat = logicalAnd(eq(b, 0), logicalOr(eq(a, 0), isnan(a)));
      return mul(g, mul(b, pow(a, sub(where(flat, 1, b), 1))));
    }),
    vjpRule('a', 'b', 'output', (g, a, b, y) => {
      const flat = logicalAnd(eq(a, 0), ge(b, 0));
      return mul(g, mul(y, log(where(flat, 1, a))));
    }),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

/**
 * Raises to a power, element by element, with broadcasting and type promotion. PyTorch's `torch.pow`: `pow(x, 0)` is 1, a
 * negative base to a broken power is NaN, and integers stay integers (wrapping around at 2^31).
 *
 * @throws ShapeError if the shapes do not broadcast; DTypeError for bool; ArgumentError for integers to a negative number.
 * @example
 * pow(tensor([1, 2, 3]), 2).toArray(); // [1, 4, 9]
 * pow(2, tensor([1, 2, 3])).toArray(); // [2, 4, 8]
 */
export function pow(base: Operand, exponent: Operand): Tensor {
  if (typeof exponent === 'number' && typeof base !== 'number')
    return apply(powNumberOp, [base], { exponent });
  return apply(powOp, [toOperand(base, exponent), toOperand(exponent, base)], undefined);
}

/**
 * The square of each element, in its dtype. PyTorch's `torch.square`.
 *
 * @throws DTypeError for bool.
 * @example
 * square(tensor([-2, 3])).toArray(); // [4, 9]
 */
export function square(x: Tensor): Tensor {
  return apply(squareOp, [x], undefined);
}

/**
 * The square root of each element: NaN below 0, gradient Infinity at 0; integers and bool give float32. PyTorch's
 * `torch.sqrt`.
 *
 * @example
 * sqrt(tensor([4, 9])).toArray(); // [2, 3]
 */
export function sqrt(x: Tensor): Tensor {
  return apply(sqrtOp, [x], undefined);
}

/** `1 / √x` of each element: Infinity at 0, NaN below; integers and bool give float32. PyTorch's `torch.rsqrt`. */
export function rsqrt(x: Tensor): Tensor {
  return apply(rsqrtOp, [x], undefined);
}

/** `1 / x` of each element; integers and bool give float32. PyTorch's `torch.reciprocal`. */
export function reciprocal(x: Tensor): Tensor {
  return apply(reciprocalOp, [x], undefined);
}
