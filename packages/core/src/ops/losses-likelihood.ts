// Negative log-likelihoods of numbers: under a normal distribution whose variance is predicted too, and of counts under Poisson's.

import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { broadcastsTo, sameShape } from '../shape.ts';
import { tracing } from '../tape/tracing.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { unsqueeze } from './axes.ts';
import { gt, lt } from './compare.ts';
import { exp, log } from './exponential.ts';
import { requireFloat } from './infer.ts';
import {
  type LossOptions,
  reduceLosses,
  requireAlike,
  requireNumber,
  requireReduction,
} from './loss-reduction.ts';
import { square } from './powers.ts';
import { any } from './quantifiers.ts';
import { where } from './select.ts';

/** Options of {@link gaussianNllLoss} and {@link poissonNllLoss}. */
export interface LikelihoodLossOptions extends LossOptions {
  /** Add the terms that no prediction changes, so that the loss is the likelihood itself. Default false. */
  readonly full?: boolean | undefined;
  /** What keeps logarithms and quotients finite: the least variance, or what is added to a rate. Default 1e-6, and 1e-8 of rates. */
  readonly eps?: number | undefined;
}

/**
 * `(log variance + (input - target)² / variance) / 2`: for a network that predicts how far off it may be. PyTorch's
 * `torch.nn.functional.gaussian_nll_loss`.
 *
 * A variance below `eps` counts as `eps`; its gradient is then what it would be there, as in PyTorch.
 *
 * @param input the means, floating-point, of any shape; `target` has the same.
 * @param variance at least 0; of that shape, or one with axes of size 1, which broadcasts: (…, 1) for one variance per row, for which
 *   (…) will do, too; or () for one in all.
 * @returns a 0-d tensor, or one loss per element for reduction 'none'.
 * @throws ShapeError if shapes do not fit; DTypeError for integers; ArgumentError for a negative variance (which a traced function
 *   cannot see), an `eps` that is not above 0, or an unknown reduction.
 * @example
 * gaussianNllLoss(tensor([1, 2]), tensor([1, 4]), tensor([1, 2])).item(); // 0.6732867951
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor,
  options: LikelihoodLossOptions = noOptions,
): Tensor {
  const op = 'gaussianNllLoss';
  requireOptions(op, options, { full: 'boolean', eps: 'number', reduction: 'string' });
  const { full = false, eps = 1e-6, reduction = 'mean' } = options;
  requireReduction(op, reduction);
  requireNumber(op, 'eps', eps, (value) => value > 0, 'a number above 0');
  requireAlike(op, input, 'input', target, 'target');
  const own = varianceOf(op, variance, input);
  // Raised to eps without losing its gradient.
  const raised = add(sub(own, own.detach()), eps);
  const spread = where(lt(own, eps), raised, own);
  const losses = mul(add(log(spread), div(square(sub(input, target)), spread)), 0.5);
  return reduceLosses(full ? add(losses, 0.5 * Math.log(2 * Math.PI)) : losses, reduction);
}

// The variance in a shape that broadcasts. One without the last axis is of rows, as in PyTorch, and never of columns as broadcasting would
// have it where there are as many.
function varianceOf(op: string, variance: Tensor, input: Tensor): Tensor {
  requireFloat(op, 'variance', variance);
  const perRow = input.ndim > 0 && sameShape(variance.shape, input.shape.slice(0, -1));
  const own = perRow ? unsqueeze(variance, -1) : variance;
  if ((own.ndim > 0 && own.ndim !== input.ndim) || !broadcastsTo(own.shape, input.shape)) {
    throw new ShapeError(
      `variance has shape ${formatShape(variance.shape)}, and the means ${formatShape(input.shape)}; give as many axes, of equal sizes or 1, or leave out the last for one variance per row.`,
      { op, operand: 'variance', actual: variance.shape, expected: formatShape(input.shape) },
    );
  }
  if (tracing.current !== null || any(lt(own.detach(), 0)).item() === 0) return own;
  throw new ArgumentError(
    'variance has negative elements; predict its logarithm and give exp of that, or softplus of what the network predicts.',
    { op, operand: 'variance', actual: variance, expected: 'numbers of at least 0' },
  );
}

/** Options of {@link poissonNllLoss}. */
export interface PoissonNllLossOptions extends LikelihoodLossOptions {
  /** Whether the input is the logarithm of the rate. Default true. */
  readonly logInput?: boolean | undefined;
}

/**
 * The negative log-likelihood of counts: `exp(input) - target · input` of the logarithms of rates, or
 * `input - target · log(input + eps)` of the rates themselves. PyTorch's `torch.nn.functional.poisson_nll_loss`.
 *
 * With `full`, Stirling's approximation of `log(target!)` is added for targets above 1.
 *
 * @param input floating-point, of any shape; `target`, floating-point too, has the same.
 * @returns a 0-d tensor, or one loss per element for reduction 'none'.
 * @throws ShapeError if shapes differ; DTypeError for integers; ArgumentError for an `eps` below 0 or an unknown reduction.
 * @example
 * poissonNllLoss(tensor([0, 1]), tensor([2, 1]), { reduction: 'none' }).toArray(); // [1, 1.7182817459]
 */
export function poissonNllLoss(
  input: Tensor,
  target: Tensor,
  options: PoissonNllLossOptions = noOptions,
): Tensor {
  const op = 'poissonNllLoss';
  requireOptions(op, options, { logInput: 'boolean', full: 'boolean', eps: 'number', reduction: 'string' });
  const { logInput = true, full = false, eps = 1e-8, reduction = 'mean' } = options;
  requireReduction(op, reduction);
  requireNumber(op, 'eps', eps, (value) => value >= 0, 'a number of at least 0');
  requireAlike(op, input, 'input', target, 'target');
  const losses = logInput
    ? sub(exp(input), mul(target, input))
    : sub(input, mul(target, log(add(input, eps))));
  return reduceLosses(full ? add(losses, logFactorial(target)) : losses, reduction);
}

// Stirling's approximation above 1, and 0 up to there.
function logFactorial(x: Tensor): Tensor {
  const large = gt(x, 1);
  // Where the result is not used, a number whose logarithm has derivatives.
  const safe = where(large, x, 1);
  const stirling = add(sub(mul(safe, log(safe)), safe), mul(log(mul(safe, 2 * Math.PI)), 0.5));
  return where(large, stirling, 0);
}
