// Whole quotients and remainders, both rounding towards -Infinity, so that `a = b · floorDivide(a, b) + remainder(a, b)`.

import { kernels } from '@adjoint/kernels-cpu';
import { defineOp, vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { mul, neg } from './arithmetic.ts';
import { zerosLike } from './create.ts';
import { inferArithmetic } from './infer.ts';
import { type Operand, toOperand } from './operand.ts';

/** `floor(a / b)`; its derivatives are 0. Float division by 0 follows IEEE; integer division by 0 is an error. */
export const floorDivideOp = defineOp({
  name: 'floorDivide',
  operands: ['a', 'b'],
  infer: inferArithmetic('floorDivide'),
  forward: ([a, b], out, _, shape) => kernels.floorDivide(a, b, out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [vjpRule((g) => zerosLike(g)), vjpRule((g) => zerosLike(g))],
  recycles: true,
  forwardMode: 'elementwise',
});

/** `a - b · floor(a / b)`, with the sign of `b`; NaN for a float divisor 0, an error for an integer one. */
export const remainderOp = defineOp({
  name: 'remainder',
  operands: ['a', 'b'],
  infer: inferArithmetic('remainder'),
  forward: ([a, b], out, _, shape) => kernels.remainder(a, b, out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [vjpRule((g) => g), vjpRule('a', 'b', (g, a, b) => neg(mul(g, floorDivide(a, b))))],
  recycles: true,
  forwardMode: 'elementwise',
});

/**
 * `floor(a / b)`, element by element, with broadcasting and type promotion; integers stay integers. Its gradient is 0.
 * PyTorch's `torch.floor_divide`.
 *
 * @throws ShapeError if the shapes do not broadcast; DTypeError for two bools; IntegerDivisionError if an integer divisor has
 *   a 0.
 * @example
 * floorDivide(tensor([7, -7]), 2).toArray(); // [3, -4]
 */
export function floorDivide(a: Operand, b: Operand): Tensor {
  return apply(floorDivideOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/**
 * `a - b · floor(a / b)`, element by element: the remainder with the sign of `b`, as Python's `%`. PyTorch's
 * `torch.remainder`. Types and errors as {@link floorDivide}.
 *
 * @example
 * remainder(tensor([7, -7]), 4).toArray(); // [3, 1]
 */
export function remainder(a: Operand, b: Operand): Tensor {
  return apply(remainderOp, [toOperand(a, b), toOperand(b, a)], undefined);
}
