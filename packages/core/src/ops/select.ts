// Choosing between values: where, maximum, minimum, and what follows from them. Piecewise linear, with kinks.

import { kernels } from '@adjoint/kernels-cpu';
import { resultType } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import { defineOp, noGradient, vjpRule } from '../registry.ts';
import { broadcastShapes } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { mul } from './arithmetic.ts';
import { eq, lt } from './compare.ts';
import { inferCommon } from './infer.ts';
import { type Operand, toOperand } from './operand.ts';
import { sign } from './steps.ts';
import { sameUnary } from './unary.ts';

/**
 * `condition ? a : b`. The branch not taken gets a gradient of exactly 0, not 0 times its derivative: a NaN there does not
 * spread.
 */
export const whereOp = defineOp({
  name: 'where',
  operands: ['condition', 'a', 'b'],
  infer: ([condition, a, b]) => {
    if (condition.dtype !== 'bool') {
      throw new DTypeError(
        `condition is ${condition.dtype}; give a bool tensor, such as ne(condition, 0) or condition.to('bool').`,
        { op: 'where', operand: 'condition', actual: condition.dtype, expected: 'bool' },
      );
    }
    const dtype = resultType(a, b);
    const shape = broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape, 'where'), 'where');
    return { shape, dtype, compute: dtype };
  },
  forward: ([condition, a, b], out, _, shape) => kernels.where(condition, a, b, out, shape),
  layout: 'strided',
  promotes: ['a', 'b'],
  broadcasts: true,
  vjps: [
    noGradient('it selects and is not differentiable; let gradients flow through a and b.'),
    vjpRule('condition', (g, condition) => where(condition, g, 0)),
    vjpRule('condition', (g, condition) => where(condition, 0, g)),
  ],
  recycles: true,
  forwardMode: 'linear',
});

/** The larger of two; NaN if either is. At ties each gets half of the gradient; where one is NaN each gets all of it. */
export const maximumOp = defineOp({
  name: 'maximum',
  operands: ['a', 'b'],
  infer: inferCommon('maximum'),
  forward: ([a, b], out, _, shape) => kernels.maximum(a, b, out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [
    vjpRule('a', 'b', (g, a, b) => share(g, eq(a, b), lt(a, b))),
    vjpRule('a', 'b', (g, a, b) => share(g, eq(a, b), lt(b, a))),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

/** The smaller of two; NaN and ties as `maximum`. */
export const minimumOp = defineOp({
  name: 'minimum',
  operands: ['a', 'b'],
  infer: inferCommon('minimum'),
  forward: ([a, b], out, _, shape) => kernels.minimum(a, b, out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [
    vjpRule('a', 'b', (g, a, b) => share(g, eq(a, b), lt(b, a))),
    vjpRule('a', 'b', (g, a, b) => share(g, eq(a, b), lt(a, b))),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

function share(g: Tensor, tied: Tensor, lost: Tensor): Tensor {
  return where(lost, 0, where(tied, mul(g, 0.5), g));
}

/** `|x|`; its derivative at 0 is 0. */
export const absOp = sameUnary(
  'abs',
  (x, out) => kernels.abs(x, out),
  vjpRule('x', (g, x) => mul(g, sign(x))),
);

/**
 * Takes elements of `a` where `condition` holds and of `b` elsewhere, with broadcasting and type promotion. PyTorch's
 * `torch.where`.
 *
 * @param condition bool.
 * @throws DTypeError if `condition` is not bool; ShapeError if the shapes do not broadcast.
 * @example
 * where(tensor([true, false]), tensor([1, 2]), 0).toArray(); // [1, 0]
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  return apply(whereOp, [condition, toOperand(a, b), toOperand(b, a)], undefined);
}

/**
 * The larger of two, element by element, with broadcasting; NaN if either is. At ties each operand gets half of the
 * gradient. PyTorch's `torch.maximum`.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * maximum(tensor([1, 5]), tensor([3, 2])).toArray(); // [3, 5]
 */
export function maximum(a: Operand, b: Operand): Tensor {
  return apply(maximumOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/**
 * The smaller of two, element by element, with broadcasting. PyTorch's `torch.minimum`. NaN, ties, errors as
 * {@link maximum}.
 *
 * @example
 * minimum(tensor([1, 5]), tensor([3, 2])).toArray(); // [1, 2]
 */
export function minimum(a: Operand, b: Operand): Tensor {
  return apply(minimumOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/**
 * The absolute value of each element; its derivative at 0 is 0. PyTorch's `torch.abs`.
 *
 * @throws DTypeError for bool.
 * @example
 * abs(tensor([-1, 2])).toArray(); // [1, 2]
 */
export function abs(x: Tensor): Tensor {
  return apply(absOp, [x], undefined);
}
