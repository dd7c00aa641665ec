// Binary cross entropy, of probabilities and of logits.

import { kernels } from '@adjoint/kernels-cpu';
import { ArgumentError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import { Tensor } from '../tensor.ts';
import { div, mul, neg, sub } from './arithmetic.ts';
import { clamp } from './bounds.ts';
import { log, log1p } from './exponential.ts';
import { inferArithmetic } from './infer.ts';
import {
  type LossOptions,
  reduceLosses,
  requireAlike,
  requireReduction,
  requireWeight,
} from './loss-reduction.ts';
import { logSigmoid, sigmoid } from './sigmoids.ts';

// PyTorch's 1e-12, which is a number of single precision.
const leastSlope = Math.fround(1e-12);

/**
 * `-(target · log input + (1 - target) · log(1 - input))`, both logarithms at least -100. As in PyTorch the derivative is not
 * that of the cut logarithms: it goes on as `(input - target) / (input · (1 - input))`, the divisor at least 1e-12.
 */
export const binaryCrossEntropyOp = defineOp({
  name: 'binaryCrossEntropy',
  operands: ['input', 'target'],
  infer: inferArithmetic('binaryCrossEntropy'),
  forward: ([input, target], out, _, shape) => {
    requireProbabilities(input.data);
    kernels.binaryCrossEntropy(input, target, out, shape);
  },
  vjps: [
    vjpRule('input', 'target', (g, x, t) =>
      mul(g, div(sub(x, t), clamp(mul(x, sub(1, x)), { min: leastSlope }))),
    ),
    vjpRule('input', (g, x) => mul(g, sub(log1p(neg(x)), log(x)))),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

function requireProbabilities(input: ArrayLike<number>): void {
  for (let i = 0; i < input.length; i++) {
    if (input[i] >= 0 && input[i] <= 1) continue;
    throw new ArgumentError(
      `element ${i} of input (in row-major order) is ${input[i]}, which is no probability; for logits use bceWithLogits.`,
      { op: 'binaryCrossEntropy', operand: 'input', actual: input[i], expected: 'numbers in [0, 1]' },
    );
  }
}

/** `-(target · log σ(x) + (1 - target) · log σ(-x))`. */
export const logisticLossOp = defineOp({
  name: 'logisticLoss',
  operands: ['x', 'target'],
  infer: inferArithmetic('logisticLoss'),
  forward: ([x, target], out, _, shape) => kernels.logisticLoss(x, target, out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [
    vjpRule('x', 'target', (g, x, target) => mul(g, sub(sigmoid(x), target))),
    vjpRule('x', (g, x) => neg(mul(g, x))),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

/** Options of {@link binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Multiplies the losses; broadcasts to their shape. Default: none. */
  readonly weight?: Tensor | undefined;
}

/**
 * Binary cross entropy of probabilities: `-(t · log x + (1 - t) · log(1 - x))`, where logarithms stop at -100. PyTorch's
 * `torch.nn.functional.binary_cross_entropy`. For logits {@link bceWithLogits} is more accurate.
 *
 * @param input probabilities in [0, 1], of any shape.
 * @param target probabilities of the same shape.
 * @returns a 0-d tensor, or one loss per element for reduction 'none'. The mean is over the elements, not over the weights.
 * @throws ArgumentError for an input outside [0, 1] or an unknown reduction; ShapeError if shapes differ or the weight does not
 *   broadcast; DTypeError for integers.
 * @example
 * binaryCrossEntropy(tensor([0.5]), tensor([1])).item(); // 0.6931472
 */
export function binaryCrossEntropy(
  input: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = noOptions,
): Tensor {
  requireOptions('binaryCrossEntropy', options, { weight: Tensor, reduction: 'string' });
  const { weight, reduction = 'mean' } = options;
  const op = 'binaryCrossEntropy';
  requireReduction(op, reduction);
  requireAlike(op, input, 'input', target, 'target');
  requireWeight(op, 'weight', weight, input);
  const losses = apply(binaryCrossEntropyOp, [input, target], undefined);
  return reduceLosses(weight === undefined ? losses : mul(losses, weight), reduction);
}

/** Options of {@link bceWithLogits}. */
export interface BceWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** Multiplies the losses of positive targets; broadcasts to the shape of `input`. Default: none. */
  readonly posWeight?: Tensor | undefined;
}

/**
 * Binary cross entropy of logits: `-(posWeight · t · log σ(x) + (1 - t) · log σ(-x))`, accurate at any x. PyTorch's
 * `torch.nn.functional.binary_cross_entropy_with_logits`.
 *
 * @param input logits, of any shape.
 * @param target probabilities of the same shape.
 * @returns a 0-d tensor, or one loss per element for reduction 'none'.
 * @throws ArgumentError for an unknown reduction; ShapeError if shapes differ or a weight does not broadcast; DTypeError for
 *   integers.
 * @example
 * bceWithLogits(tensor([0]), tensor([1])).item(); // 0.6931472
 */
export function bceWithLogits(
  input: Tensor,
  target: Tensor,
  options: BceWithLogitsOptions = noOptions,
): Tensor {
  requireOptions('bceWithLogits', options, { posWeight: Tensor, weight: Tensor, reduction: 'string' });
  const { weight, posWeight, reduction = 'mean' } = options;
  const op = 'bceWithLogits';
  requireReduction(op, reduction);
  requireAlike(op, input, 'input', target, 'target');
  requireWeight(op, 'weight', weight, input);
  requireWeight(op, 'posWeight', posWeight, input);
  let losses = apply(logisticLossOp, [input, target], undefined);
  // The part of positive targets once more, for what its weight is above 1.
  if (posWeight !== undefined) losses = sub(losses, mul(mul(sub(posWeight, 1), target), logSigmoid(input)));
  return reduceLosses(weight === undefined ? losses : mul(losses, weight), reduction);
}
