// Draws of categories that derivatives pass through.

import { computeDType, type FloatDType } from '../dtype.ts';
import { ArgumentError, quote } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { Generator, rand } from '../random/index.ts';
import { checkAxis } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, neg, sub } from './arithmetic.ts';
import { movedim } from './axes.ts';
import { clamp } from './bounds.ts';
import { cast } from './cast.ts';
import { log } from './exponential.ts';
import { argmax } from './extremes.ts';
import { requireFloat, requireSomeAxis } from './infer.ts';
import { oneHot } from './lookup.ts';
import { softmax } from './softmax.ts';

/** Options of {@link gumbelSoftmax}. */
export interface GumbelSoftmaxOptions {
  /** Temperature, above 0: the lower, the nearer a draw is to one category alone. Default 1. */
  readonly tau?: number | undefined;
  /** Give exactly 1 for the category drawn and 0 for the others, with the gradient of the soft draw. Default false. */
  readonly hard?: boolean | undefined;
  /** The axis of the categories. Default -1. */
  readonly axis?: number | undefined;
  /** Where the draws come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

/**
 * A soft draw from categories with the odds `softmax(logits)`: the softmax of logits with Gumbel noise, which sums to 1 and has a
 * gradient. PyTorch's `torch.nn.functional.gumbel_softmax` (Jang et al. 2017; Maddison et al. 2017).
 *
 * @param logits floating-point, of one axis at least.
 * @returns the shape and dtype of `logits`.
 * @throws ArgumentError for a tau that is not above 0 or an axis out of range; ShapeError for logits without axes; DTypeError
 *   for integers.
 * @example
 * const logits = tensor([0, 5, -Infinity], { requiresGrad: true });
 * const draw = gumbelSoftmax(logits, { hard: true }); // mostly [0, 1, 0], never [0, 0, 1]
 * draw.sum().item(); // 1
 */
export function gumbelSoftmax(logits: Tensor, options: GumbelSoftmaxOptions = noOptions): Tensor {
  const op = 'gumbelSoftmax';
  requireOptions(op, options, { tau: 'number', hard: 'boolean', axis: 'number', generator: Generator });
  const { tau = 1, hard = false, axis = -1, generator } = options;
  requireFloat(op, 'logits', logits);
  requireSomeAxis(op, 'logits', logits);
  if (!(tau > 0 && tau < Infinity)) {
    throw new ArgumentError(`tau is ${quote(tau)}; give a finite number above 0.`, {
      op,
      operand: 'tau',
      actual: tau,
      expected: 'a finite number above 0',
    });
  }
  const along = checkAxis(axis, logits.ndim, op);
  const dtype = computeDType(logits.dtype) as FloatDType;
  // A uniform number that is 0 would make an infinite one of it.
  const uniform = clamp(rand(logits.shape, { dtype, generator }), { min: 2 ** -32 });
  const noise = neg(log(neg(log(uniform))));
  const soft = softmax(div(add(logits, noise), tau), { axis: along });
  const draw = hard ? add(sub(soft, soft.detach()), chosen(soft, along)) : soft;
  return cast(draw, logits.dtype);
}

// 1 at the largest, 0 elsewhere.
function chosen(soft: Tensor, axis: number): Tensor {
  const hot = oneHot(argmax(soft, { axis }), { numClasses: soft.shape[axis] });
  return cast(movedim(hot, -1, axis), soft.dtype);
}
