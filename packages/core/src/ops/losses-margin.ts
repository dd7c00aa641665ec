// Losses of scores against signs: which of two should be higher, and on which side of zero one should lie.

import { noOptions, requireOptions } from '../options.ts';
import type { Tensor } from '../tensor.ts';
import { add, mul, neg, sub } from './arithmetic.ts';
import { clamp } from './bounds.ts';
import { type LossOptions, reduceLosses, requireAlike, requireReduction } from './loss-reduction.ts';
import { logSigmoid } from './sigmoids.ts';

/** Options of {@link marginRankingLoss}. */
export interface MarginRankingLossOptions extends LossOptions {
  /** By how much the one should be higher. Default 0. */
  readonly margin?: number | undefined;
}

/**
 * `max(0, -target · (a - b) + margin)`: `a` should be higher where the target is 1, and `b` where it is -1. PyTorch's
 * `torch.nn.functional.margin_ranking_loss`.
 *
 * @param a, b scores, floating-point, of one shape; `target`, of 1 and -1 and floating-point, has the same.
 * @returns a 0-d tensor, or one loss per pair for reduction 'none'.
 * @throws ShapeError if shapes differ; DTypeError for integers; ArgumentError for an unknown reduction.
 * @example
 * marginRankingLoss(tensor([3, 1]), tensor([2, 2]), tensor([1, 1]), { reduction: 'none' }).toArray(); // [0, 1]
 */
export function marginRankingLoss(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  options: MarginRankingLossOptions = noOptions,
): Tensor {
  const op = 'marginRankingLoss';
  requireOptions(op, options, { margin: 'number', reduction: 'string' });
  const { margin = 0, reduction = 'mean' } = options;
  requireReduction(op, reduction);
  requireAlike(op, a, 'a', b, 'b');
  requireAlike(op, a, 'a', target, 'target');
  return reduceLosses(clamp(add(mul(neg(target), sub(a, b)), margin), { min: 0 }), reduction);
}

/**
 * `log(1 + exp(-target · input))`, without overflow: logistic regression with classes 1 and -1. PyTorch's
 * `torch.nn.functional.soft_margin_loss`. For classes 1 and 0 there is `bceWithLogits`.
 *
 * @param input scores, floating-point, of any shape; `target`, of 1 and -1 and floating-point, has the same.
 * @returns a 0-d tensor, or one loss per element for reduction 'none'.
 * @throws ShapeError if shapes differ; DTypeError for integers; ArgumentError for an unknown reduction.
 * @example
 * softMarginLoss(tensor([0, 1000]), tensor([1, -1]), { reduction: 'none' }).toArray(); // [0.6931471825, 1000]
 */
export function softMarginLoss(input: Tensor, target: Tensor, options: LossOptions = noOptions): Tensor {
  const op = 'softMarginLoss';
  requireOptions(op, options, { reduction: 'string' });
  const { reduction = 'mean' } = options;
  requireReduction(op, reduction);
  requireAlike(op, input, 'input', target, 'target');
  return reduceLosses(neg(logSigmoid(mul(target, input))), reduction);
}
