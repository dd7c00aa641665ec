// Comparisons and predicates: bool results, which carry no gradient.

import { kernels } from '@adjoint/kernels-cpu';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { comparison, predicate } from './logic.ts';
import { type Operand, toOperand } from './operand.ts';

/** `a == b`; NaN equals nothing, -0 equals 0. */
export const eqOp = comparison('eq', (a, b, out, shape) => kernels.equal(a, b, out, shape));
/** `a != b`; NaN differs from everything. */
export const neOp = comparison('ne', (a, b, out, shape) => kernels.notEqual(a, b, out, shape));
/** `a < b`; false if either is NaN. */
export const ltOp = comparison('lt', (a, b, out, shape) => kernels.less(a, b, out, shape));
/** `a <= b`; false if either is NaN. */
export const leOp = comparison('le', (a, b, out, shape) => kernels.lessEqual(a, b, out, shape));
/** `a > b`; false if either is NaN. */
export const gtOp = comparison('gt', (a, b, out, shape) => kernels.greater(a, b, out, shape));
/** `a >= b`; false if either is NaN. */
export const geOp = comparison('ge', (a, b, out, shape) => kernels.greaterEqual(a, b, out, shape));
/** Is NaN; false for integers. */
export const isnanOp = predicate('isnan', (x, out) => kernels.isNaN(x, out));
/** Is infinite, of either sign; false for integers. */
export const isinfOp = predicate('isinf', (x, out) => kernels.isInf(x, out));
/** Is neither infinite nor NaN; true for integers. */
export const isfiniteOp = predicate('isfinite', (x, out) => kernels.isFinite(x, out));

/**
 * Where `a` equals `b`, as bool, with broadcasting. NaN equals nothing, -0 equals 0. PyTorch's `torch.eq`.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * eq(tensor([1, 2, 3]), 2).toArray(); // [0, 1, 0]
 */
export function eq(a: Operand, b: Operand): Tensor {
  return apply(eqOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/** Where `a` differs from `b`, as bool. PyTorch's `torch.ne`. Broadcasting, errors as {@link eq}. */
export function ne(a: Operand, b: Operand): Tensor {
  return apply(neOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/** Where `a < b`, as bool; false beside NaN. PyTorch's `torch.lt`. Broadcasting, errors as {@link eq}. */
export function lt(a: Operand, b: Operand): Tensor {
  return apply(ltOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/** Where `a <= b`, as bool; false beside NaN. PyTorch's `torch.le`. Broadcasting, errors as {@link eq}. */
export function le(a: Operand, b: Operand): Tensor {
  return apply(leOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/** Where `a > b`, as bool; false beside NaN. PyTorch's `torch.gt`. Broadcasting, errors as {@link eq}. */
export function gt(a: Operand, b: Operand): Tensor {
  return apply(gtOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/** Where `a >= b`, as bool; false beside NaN. PyTorch's `torch.ge`. Broadcasting, errors as {@link eq}. */
export function ge(a: Operand, b: Operand): Tensor {
  return apply(geOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/**
 * Where the element is NaN, as bool; nowhere for integers. PyTorch's `torch.isnan`.
 *
 * @example
 * isnan(tensor([1, NaN])).toArray(); // [0, 1]
 */
export function isnan(x: Tensor): Tensor {
  return apply(isnanOp, [x], undefined);
}

/** Where the element is Infinity or -Infinity, as bool; nowhere for integers. PyTorch's `torch.isinf`. */
export function isinf(x: Tensor): Tensor {
  return apply(isinfOp, [x], undefined);
}

/** Where the element is neither infinite nor NaN, as bool; everywhere for integers. PyTorch's `torch.isfinite`. */
export function isfinite(x: Tensor): Tensor {
  return apply(isfiniteOp, [x], undefined);
}
