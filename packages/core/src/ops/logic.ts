// Logic, and the form of all records whose result is bool, which carries no gradient.

import { kernels, type NumericArray, type Strided } from '@adjoint/kernels-cpu';
import { defineOp, noGradient, type Op } from '../registry.ts';
import type { Shape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { inferComparison } from './infer.ts';
import { type Operand, toOperand } from './operand.ts';

const constant = noGradient(
  'its result is bool, constant but for jumps; select with where(condition, a, b) to let a gradient through.',
);

type RunPair = (a: Strided, b: Strided, out: NumericArray, shape: Shape) => void;

/** A record of two operands that are broadcast and compared in their common type. */
export function comparison(name: string, run: RunPair): Op<undefined> {
  return defineOp({
    name,
    operands: ['a', 'b'],
    infer: inferComparison(name),
    forward: ([a, b], out, _, shape) => run(a, b, out, shape),
    layout: 'strided',
    broadcasts: true,
    vjps: [constant, constant],
    forwardMode: constant,
    recycles: true,
  });
}

/** A record of one operand, any type of it. */
export function predicate(name: string, run: (x: Strided, out: NumericArray) => void): Op<undefined> {
  return defineOp({
    name,
    operands: ['x'],
    infer: ([x]) => ({ shape: x.shape, dtype: 'bool' }),
    forward: ([x], out) => run(x, out),
    layout: 'strided',
    vjps: [constant],
    forwardMode: constant,
    recycles: true,
  });
}

/** Both are not 0; NaN is not 0. */
export const logicalAndOp = comparison('logicalAnd', (a, b, out, s) => kernels.logicalAnd(a, b, out, s));
/** One at least is not 0; NaN is not 0. */
export const logicalOrOp = comparison('logicalOr', (a, b, out, shape) => kernels.logicalOr(a, b, out, shape));
/** Exactly one is not 0; NaN is not 0. */
export const logicalXorOp = comparison('logicalXor', (a, b, out, s) => kernels.logicalXor(a, b, out, s));
/** Is 0. */
export const logicalNotOp = predicate('logicalNot', (x, out) => kernels.logicalNot(x, out));

/**
 * Where both are true, as bool; numbers other than 0, NaN included, count as true. PyTorch's `torch.logical_and`.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * logicalAnd(tensor([true, true, false]), tensor([true, false, false])).toArray(); // [1, 0, 0]
 */
export function logicalAnd(a: Operand, b: Operand): Tensor {
  return apply(logicalAndOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/** Where one at least is true, as bool. PyTorch's `torch.logical_or`. Numbers, errors as {@link logicalAnd}. */
export function logicalOr(a: Operand, b: Operand): Tensor {
  return apply(logicalOrOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/** Where exactly one is true, as bool. PyTorch's `torch.logical_xor`. Numbers, errors as {@link logicalAnd}. */
export function logicalXor(a: Operand, b: Operand): Tensor {
  return apply(logicalXorOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/** Where the element is 0 or false, as bool. PyTorch's `torch.logical_not`. */
export function logicalNot(x: Tensor): Tensor {
  return apply(logicalNotOp, [x], undefined);
}
