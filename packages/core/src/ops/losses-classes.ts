// Losses over classes: the negative log-likelihood, and the cross entropy of logits.

import { isFloat } from '../dtype.ts';
import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp } from '../registry.ts';
import { sameShape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, Tensor } from '../tensor.ts';
import { add, div, mul, neg } from './arithmetic.ts';
import { cast, inFloat32 } from './cast.ts';
import { crossEntropyOp, targetHasNone } from './class-records.ts';
import { ne } from './compare.ts';
import { mean, sum } from './expand-sum.ts';
import { gatherAlong } from './gather.ts';
import { readIndices, requireIndex } from './index-values.ts';
import { requireFloat } from './infer.ts';
import { reshape } from './layout.ts';
import { selectAlong } from './lookup.ts';
import {
  type LossOptions,
  type Reduction,
  requireNumber,
  requireReduction,
  requireSameDType,
} from './loss-reduction.ts';
import { where } from './select.ts';
import { logSoftmax } from './softmax.ts';

interface ClassIndexAttrs {
  readonly op: string;
  readonly classes: number;
  readonly ignoreIndex: number;
}

/** Class numbers, checked, with class 0 in the place of those to be ignored. */
export const classIndexOp = defineOp<readonly ['target'], ClassIndexAttrs>({
  name: 'classIndex',
  operands: ['target'],
  infer: ([target], { op }) => {
    requireIndex(op, 'target', target);
    return { shape: target.shape, dtype: 'int32' };
  },
  forward: ([target], out, { op, classes, ignoreIndex }) => {
    const values = readIndices(target, { op, operand: 'target', size: classes, ignore: ignoreIndex });
    for (let i = 0; i < values.length; i++) out[i] = values[i] === ignoreIndex ? 0 : values[i];
  },
  layout: 'strided',
  vjps: [targetHasNone],
  recycles: true,
  forwardMode: targetHasNone,
});

/** Options of {@link nllLoss}. */
export interface NllLossOptions extends LossOptions {
  /** One weight per class, shape (C,). Default: none. */
  readonly weight?: Tensor | undefined;
  /** Targets of this number have no loss and do not count in the mean; it need not be a class. Default -100. */
  readonly ignoreIndex?: number | undefined;
}

/** A call with a batch axis: logProbs (N, C, …), and target (N, …) where it holds class numbers. */
interface Call {
  readonly op: string;
  readonly input: Tensor;
  readonly target: Tensor;
  readonly weight: Tensor | undefined;
  readonly batched: boolean;
}

/**
 * The negative log-likelihood of the target classes, each weighted by `weight[class]`; the mean is divided by the sum of those
 * weights. PyTorch's `torch.nn.functional.nll_loss`.
 *
 * @param input logarithms of probabilities, shape (N, C), (N, C, d1, …) or (C,).
 * @param target int32 class numbers, shape (N,), (N, d1, …) or ().
 * @returns a 0-d tensor, or losses of the shape of `target` for reduction 'none'. The mean is NaN if every target is ignored.
 * @throws ArgumentError for a class out of range or an unknown reduction; ShapeError if shapes do not fit; DTypeError for a target
 *   that is not int32.
 * @example
 * nllLoss(tensor([[-0.5, -1.5]]), tensor([0], { dtype: 'int32' })).item(); // 0.5
 */
export function nllLoss(input: Tensor, target: Tensor, options: NllLossOptions = noOptions): Tensor {
  requireOptions('nllLoss', options, { weight: Tensor, ignoreIndex: 'number', reduction: 'string' });
  const { weight, ignoreIndex = -100, reduction = 'mean' } = options;
  requireReduction('nllLoss', reduction);
  const call = readCall('nllLoss', input, target, weight);
  requireClassShapes(call);
  const classes = pickClasses(call, ignoreIndex);
  return reduceWeighted(call, ownLosses(call.input, classes), classes, reduction);
}

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends NllLossOptions {
  /** How much of each target is spread evenly over all classes, in [0, 1]. Default 0. */
  readonly labelSmoothing?: number | undefined;
}

/**
 * The cross entropy between softmax of logits and a target: class numbers or probabilities. PyTorch's
 * `torch.nn.functional.cross_entropy`.
 *
 * For class numbers the mean is divided by the weights of the targets; for probabilities by the number of samples.
 *
 * @param input logits, shape (N, C), (N, C, d1, …) or (C,).
 * @param target int32 class numbers, shape (N,), (N, d1, …) or (); or probabilities of the shape of `input`.
 * @returns a 0-d tensor, or one loss per sample for reduction 'none'.
 * @throws ArgumentError for a class out of range, a smoothing outside [0, 1], an `ignoreIndex` beside probabilities, or an unknown
 *   reduction; ShapeError if shapes do not fit; DTypeError for a target of another dtype.
 * @example
 * crossEntropy(tensor([[0, 0]]), tensor([1], { dtype: 'int32' })).item(); // 0.6931472
 */
export function crossEntropy(
  input: Tensor,
  target: Tensor,
  options: CrossEntropyOptions = noOptions,
): Tensor {
  requireOptions('crossEntropy', options, {
    labelSmoothing: 'number',
    weight: Tensor,
    ignoreIndex: 'number',
    reduction: 'string',
  });
  const { weight, ignoreIndex, labelSmoothing = 0, reduction = 'mean' } = options;
  const op = 'crossEntropy';
  requireReduction(op, reduction);
  requireNumber(op, 'labelSmoothing', labelSmoothing, (s) => s >= 0 && s <= 1, 'a number from 0 to 1');
  const call = readCall(op, input, target, weight);
  if (!isFloat(target.dtype)) {
    requireClassShapes(call);
    return crossEntropyOfClasses(call, ignoreIndex ?? -100, labelSmoothing, reduction);
  }
  requireProbabilityShape(call);
  if (ignoreIndex !== undefined) {
    throw new ArgumentError(
      `ignoreIndex is ${ignoreIndex} and the target holds probabilities, which have no class number; leave it out, or give class numbers.`,
      { op, operand: 'ignoreIndex', actual: ignoreIndex, expected: 'no ignoreIndex beside probabilities' },
    );
  }
  return crossEntropyOfProbabilities(call, labelSmoothing, reduction);
}

function crossEntropyOfClasses(
  call: Call,
  ignoreIndex: number,
  smoothing: number,
  reduction: Reduction,
): Tensor {
  const { input, target, weight, batched } = call;
  if (weight === undefined) {
    const reduced = apply(crossEntropyOp, [input, target], { ignoreIndex, smoothing, reduction });
    return batched || reduction !== 'none' ? reduced : reshape(reduced, []);
  }
  const classes = pickClasses(call, ignoreIndex);
  const own = apply(crossEntropyOp, [input, target], { ignoreIndex, smoothing: 0, reduction: 'none' });
  let weighted = mul(classes.weights!, own);
  if (smoothing > 0) {
    const all = mul(logSoftmax(input, { axis: 1 }), perClass(weight, input));
    const spread = where(classes.counts, neg(sum(all, { axes: 1 })), 0);
    weighted = add(mul(weighted, 1 - smoothing), mul(spread, smoothing / input.shape[1]));
  }
  return reduceWeighted(call, weighted, classes, reduction);
}

function crossEntropyOfProbabilities(call: Call, smoothing: number, reduction: Reduction): Tensor {
  const { input, weight, target } = call;
  const classes = input.shape[1];
  const smoothed = smoothing === 0 ? target : add(mul(target, 1 - smoothing), smoothing / classes);
  const terms = mul(smoothed, logSoftmax(input, { axis: 1 }));
  const losses = neg(sum(weight === undefined ? terms : mul(terms, perClass(weight, input)), { axes: 1 }));
  if (reduction === 'none') return call.batched ? losses : reshape(losses, []);
  return reduction === 'sum' ? sum(losses) : mean(losses);
}

/** What belongs to the target class of each sample. */
interface TargetClasses {
  /** Whether the sample counts, as bool. */
  readonly counts: Tensor;
  /** The weight of the sample's class, 0 where it is ignored; undefined where all weigh the same. */
  readonly weights: Tensor | undefined;
  /** Minus element [n, class, …] of logarithms (N, C, …); 0 where it is ignored. */
  readonly losses: (logProbs: Tensor) => Tensor;
}

function pickClasses({ op, input, target, weight }: Call, ignoreIndex: number): TargetClasses {
  const classes = input.shape[1];
  // Checks the target, so it stands before all else.
  const safe = apply(classIndexOp, [target], { op, classes, ignoreIndex });
  const counts = ne(target, ignoreIndex);
  const [batch, ...spatial] = target.shape;
  const index = reshape(safe, [batch, 1, ...spatial]);
  const weights =
    weight === undefined
      ? undefined
      : where(counts, reshape(selectAlong(weight, reshape(safe, [-1]), { axis: 0, op }), target.shape), 0);
  const losses = (logProbs: Tensor): Tensor =>
    where(counts, neg(reshape(gatherAlong(logProbs, index, { axis: 1, op }), target.shape)), 0);
  return { counts, weights, losses };
}

// The loss of each sample in its own class.
function ownLosses(logProbs: Tensor, { weights, losses }: TargetClasses): Tensor {
  const unweighted = losses(logProbs);
  return weights === undefined ? unweighted : mul(weights, unweighted);
}

// In float32 at least: a sum of many 16-bit losses, or a count of them, may be too large for their type.
function meanLoss(losses: Tensor, weights: Tensor): Tensor {
  return inFloat32(losses, (wide) => div(sum(wide), sum(cast(weights, wide.dtype))));
}

function reduceWeighted(
  { batched }: Call,
  losses: Tensor,
  { weights, counts }: TargetClasses,
  reduction: Reduction,
): Tensor {
  if (reduction === 'none') return batched ? losses : reshape(losses, []);
  return reduction === 'sum' ? sum(losses) : meanLoss(losses, weights ?? counts);
}

function readCall(op: string, input: Tensor, target: Tensor, weight: Tensor | undefined): Call {
  requireFloat(op, 'input', input);
  requireTensor(op, 'target', target);
  if (input.ndim === 0) {
    throw new ShapeError('input has no axes; it takes (C,), (N, C) or (N, C, d1, …).', {
      op,
      operand: 'input',
      actual: [],
      expected: '(C,), (N, C) or (N, C, d1, …)',
    });
  }
  const classes = input.shape[input.ndim === 1 ? 0 : 1];
  if (weight !== undefined) {
    requireSameDType(op, input, weight, 'weight');
    if (!sameShape(weight.shape, [classes])) {
      throw new ShapeError(
        `weight has shape ${formatShape(weight.shape)}; there are ${classes} classes, so give (${classes},).`,
        { op, operand: 'weight', actual: weight.shape, expected: `(${classes},)` },
      );
    }
  }
  if (input.ndim > 1) return { op, input, target, weight, batched: true };
  const lone = { op, input: reshape(input, [1, classes]), weight, batched: false };
  return { ...lone, target: reshape(target, [1, ...target.shape]) };
}

function requireClassShapes({ op, input, target, batched }: Call): void {
  const expected = input.shape.filter((_, axis) => axis !== 1);
  if (sameShape(target.shape, expected)) return;
  const [actual, wanted] = batched ? [target.shape, expected] : [target.shape.slice(1), []];
  throw new ShapeError(
    `target has shape ${formatShape(actual)}; class numbers for an input of shape ${formatShape(batched ? input.shape : input.shape.slice(1))} have ${formatShape(wanted)}, which is that without the axis of classes.`,
    { op, operand: 'target', actual, expected: formatShape(wanted) },
  );
}

function requireProbabilityShape({ op, input, target }: Call): void {
  requireSameDType(op, input, target, 'target');
  if (sameShape(target.shape, input.shape)) return;
  throw new ShapeError(
    `target has shape ${formatShape(target.shape)}, and probabilities have that of the input, ${formatShape(input.shape)}; for class numbers convert it with to('int32').`,
    { op, operand: 'target', actual: target.shape, expected: formatShape(input.shape) },
  );
}

// A weight per class beside a tensor (N, C, …).
function perClass(weight: Tensor, x: Tensor): Tensor {
  return reshape(weight, [weight.size, ...new Array<number>(x.ndim - 2).fill(1)]);
}
