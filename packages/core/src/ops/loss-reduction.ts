// How losses end: one loss per element becomes what `reduction` asks for. And what their operands have in common.

import { requireOneOf } from '../arguments.ts';
import { ArgumentError, DTypeError, formatShape, ShapeError } from '../errors.ts';
import { broadcastsTo, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { mean, sum } from './expand-sum.ts';
import { requireFloat } from './infer.ts';

/** What becomes of the losses of a batch: `'none'` gives one per element, `'mean'` and `'sum'` a 0-d tensor. */
export type Reduction = 'none' | 'mean' | 'sum';

/** Options that all losses take. */
export interface LossOptions {
  /** Default 'mean'. */
  readonly reduction?: Reduction | undefined;
}

/** @throws ArgumentError unless `reduction` is one of `legal`. */
export function requireReduction(
  op: string,
  reduction: string,
  legal: readonly string[] = ['none', 'mean', 'sum'],
): void {
  requireOneOf(op, 'reduction', reduction, legal);
}

/** Reduces losses of equal weight. The mean of no losses is NaN. */
export function reduceLosses(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? sum(losses) : mean(losses);
}

/**
 * Checks that both operands are floating-point and of one shape. PyTorch lets some losses broadcast, with a warning that the
 * result is likely wrong: here it is an error.
 */
export function requireAlike(op: string, a: Tensor, nameA: string, b: Tensor, nameB: string): void {
  requireFloat(op, nameA, a);
  requireFloat(op, nameB, b);
  if (sameShape(a.shape, b.shape)) return;
  throw new ShapeError(
    `${nameA} has shape ${formatShape(a.shape)} and ${nameB} ${formatShape(b.shape)}; they must be the same. Use reshape or expand to make them so.`,
    { op, operand: nameB, actual: b.shape, expected: formatShape(a.shape) },
  );
}

/** Checks an optional weight: floating-point, and broadcasting to the shape of what it weighs. */
export function requireWeight(op: string, name: string, weight: Tensor | undefined, target: Tensor): void {
  if (weight === undefined) return;
  requireFloat(op, name, weight);
  if (broadcastsTo(weight.shape, target.shape)) return;
  throw new ShapeError(
    `${name} has shape ${formatShape(weight.shape)}, which does not broadcast to ${formatShape(target.shape)}, the shape of the losses.`,
    {
      op,
      operand: name,
      actual: weight.shape,
      expected: `a shape that broadcasts to ${formatShape(target.shape)}`,
    },
  );
}

/** Checks an option that is a number of an interval. */
export function requireNumber(
  op: string,
  option: string,
  value: number,
  legal: (value: number) => boolean,
  expected: string,
): void {
  if (typeof value === 'number' && legal(value)) return;
  throw new ArgumentError(`${option} is ${value}; it takes ${expected}.`, {
    op,
    operand: option,
    actual: value,
    expected,
  });
}

/** @throws DTypeError unless `b` has the dtype of `a`. */
export function requireSameDType(op: string, a: Tensor, b: Tensor, nameB: string): void {
  if (a.dtype === b.dtype) return;
  throw new DTypeError(`${nameB} is ${b.dtype} beside ${a.dtype}; convert it with to('${a.dtype}').`, {
    op,
    operand: nameB,
    actual: b.dtype,
    expected: a.dtype,
  });
}
