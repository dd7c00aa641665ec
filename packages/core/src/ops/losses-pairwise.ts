// Losses of the difference between a prediction and its target, and the divergence between two distributions.

import { noOptions, requireOptions } from '../options.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { inFloat32 } from './cast.ts';
import { eq, lt } from './compare.ts';
import { reduceAttrs, sum } from './expand-sum.ts';
import { exp, log } from './exponential.ts';
import {
  type LossOptions,
  type Reduction,
  reduceLosses,
  requireAlike,
  requireNumber,
  requireReduction,
} from './loss-reduction.ts';
import { square } from './powers.ts';
import { abs, where } from './select.ts';
import { sumOfSquaresOp } from './statistics.ts';

/**
 * The squared error, `(input - target)²`. PyTorch's `torch.nn.functional.mse_loss`.
 *
 * @param input floating-point, of any shape; `target` has the same.
 * @returns a 0-d tensor, or one loss per element for reduction 'none'.
 * @throws ShapeError if shapes differ (they do not broadcast); DTypeError for integers; ArgumentError for an unknown reduction.
 * @example
 * mseLoss(tensor([1, 2]), tensor([1, 4])).item(); // 2
 */
export function mseLoss(input: Tensor, target: Tensor, options: LossOptions = noOptions): Tensor {
  requireOptions('mseLoss', options, { reduction: 'string' });
  const { reduction = 'mean' } = options;
  requirePair('mseLoss', input, target, reduction);
  const difference = sub(input, target);
  if (reduction === 'none') return square(difference);
  return inFloat32(difference, (wide) => {
    const total = apply(sumOfSquaresOp, [wide], reduceAttrs(wide, noOptions, 'mseLoss'));
    return reduction === 'sum' ? total : div(total, wide.size);
  });
}

/**
 * The absolute error, `|input - target|`; its derivative where they are equal is 0. PyTorch's
 * `torch.nn.functional.l1_loss`. Shapes, errors as {@link mseLoss}.
 *
 * @example
 * l1Loss(tensor([1, 2]), tensor([1, 4])).item(); // 1
 */
export function l1Loss(input: Tensor, target: Tensor, options: LossOptions = noOptions): Tensor {
  requireOptions('l1Loss', options, { reduction: 'string' });
  const { reduction = 'mean' } = options;
  requirePair('l1Loss', input, target, reduction);
  return reduceLosses(abs(sub(input, target)), reduction);
}

/** Options of {@link smoothL1Loss}. */
export interface SmoothL1LossOptions extends LossOptions {
  /** Distance below which the loss is quadratic; at least 0, where it is the absolute error throughout. Default 1. */
  readonly beta?: number | undefined;
}

/**
 * With `d = |input - target|`: `d² / (2·beta)` where `d < beta`, else `d - beta / 2`. PyTorch's
 * `torch.nn.functional.smooth_l1_loss`. Shapes, errors as {@link mseLoss}.
 *
 * @throws ArgumentError also for a negative beta.
 * @example
 * smoothL1Loss(tensor([0.5, 3]), tensor([0, 0]), { reduction: 'none' }).toArray(); // [0.125, 2.5]
 */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  options: SmoothL1LossOptions = noOptions,
): Tensor {
  requireOptions('smoothL1Loss', options, { beta: 'number', reduction: 'string' });
  const { reduction = 'mean', beta = 1 } = options;
  const op = 'smoothL1Loss';
  requirePair(op, input, target, reduction);
  requireNumber(op, 'beta', beta, (value) => value >= 0, 'a number of at least 0');
  const difference = sub(input, target);
  const distance = abs(difference);
  if (beta === 0) return reduceLosses(distance, reduction);
  const near = mul(square(difference), 0.5 / beta);
  return reduceLosses(where(lt(distance, beta), near, sub(distance, 0.5 * beta)), reduction);
}

/** Options of {@link huberLoss}. */
export interface HuberLossOptions extends LossOptions {
  /** Distance below which the loss is quadratic; above 0. Default 1. */
  readonly delta?: number | undefined;
}

/**
 * With `d = |input - target|`: `d² / 2` where `d < delta`, else `delta · (d - delta / 2)`. PyTorch's
 * `torch.nn.functional.huber_loss`. Shapes, errors as {@link mseLoss}.
 *
 * @throws ArgumentError also unless delta is above 0.
 * @example
 * huberLoss(tensor([0.5, 3]), tensor([0, 0]), { reduction: 'none' }).toArray(); // [0.125, 2.5]
 */
export function huberLoss(input: Tensor, target: Tensor, options: HuberLossOptions = noOptions): Tensor {
  requireOptions('huberLoss', options, { delta: 'number', reduction: 'string' });
  const { reduction = 'mean', delta = 1 } = options;
  const op = 'huberLoss';
  requirePair(op, input, target, reduction);
  requireNumber(op, 'delta', delta, (value) => value > 0, 'a number above 0');
  const difference = sub(input, target);
  const distance = abs(difference);
  const near = mul(square(difference), 0.5);
  const far = mul(sub(distance, 0.5 * delta), delta);
  return reduceLosses(where(lt(distance, delta), near, far), reduction);
}

/** Options of {@link klDiv}. */
export interface KlDivOptions {
  /** `'batchmean'` is the sum divided by the size of the first axis: the divergence of a mean sample. Default 'mean'. */
  readonly reduction?: Reduction | 'batchmean' | undefined;
  /** Whether the target holds logarithms of probabilities too. Default false. */
  readonly logTarget?: boolean | undefined;
}

/**
 * The Kullback-Leibler divergence of `target` from `input`: `target · (log target - input)`, 0 where the target is 0.
 * PyTorch's `torch.nn.functional.kl_div`.
 *
 * @param input logarithms of probabilities.
 * @param target probabilities, or their logarithms with `logTarget`; of the shape of `input`.
 * @throws ShapeError if shapes differ; DTypeError for integers; ArgumentError for an unknown reduction.
 * @example
 * klDiv(log(tensor([0.5, 0.5])), tensor([1, 0]), { reduction: 'sum' }).item(); // 0.6931472
 */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = noOptions): Tensor {
  requireOptions('klDiv', options, { reduction: 'string', logTarget: 'boolean' });
  const { reduction = 'mean', logTarget = false } = options;
  const op = 'klDiv';
  requireReduction(op, reduction, ['none', 'mean', 'sum', 'batchmean']);
  requireAlike(op, input, 'input', target, 'target');
  const losses = logTarget
    ? mul(exp(target), sub(target, input))
    : sub(timesLogarithm(target), mul(target, input));
  if (reduction !== 'batchmean') return reduceLosses(losses, reduction);
  return inFloat32(losses, (wide) => div(sum(wide), input.shape[0] ?? 1));
}

// x·log x, which tends to 0 at 0.
function timesLogarithm(x: Tensor): Tensor {
  const zero = eq(x, 0);
  return where(zero, 0, mul(x, log(add(x, where(zero, 1, 0)))));
}

function requirePair(op: string, input: Tensor, target: Tensor, reduction: string): void {
  requireReduction(op, reduction);
  requireAlike(op, input, 'input', target, 'target');
}
