// Losses of angles and distances between vectors, and the similarities that they are made of.

import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { broadcastShapes, checkAxis, sameShape } from '../shape.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { unsqueeze } from './axes.ts';
import { clamp } from './bounds.ts';
import { eq, ne } from './compare.ts';
import { sum } from './expand-sum.ts';
import { requireFloat } from './infer.ts';
import {
  type LossOptions,
  reduceLosses,
  requireAlike,
  requireNumber,
  requireReduction,
} from './loss-reduction.ts';
import { sqrt, square } from './powers.ts';
import { minimum, where } from './select.ts';
import { norm } from './statistics.ts';

/** Options of {@link cosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** The axis along which the vectors lie. Default 1. */
  readonly axis?: number | undefined;
  /** The least length that a vector counts with. Default 1e-8. */
  readonly eps?: number | undefined;
}

/**
 * The cosine of the angle between vectors. PyTorch's `torch.nn.functional.cosine_similarity`.
 *
 * @param a, b floating-point, of shapes that broadcast.
 * @returns the broadcast shape without `axis`.
 * @throws ArgumentError for an axis out of range; ShapeError if shapes do not broadcast; DTypeError for integers.
 * @example
 * cosineSimilarity(tensor([[3, 4]]), tensor([[3, 0]])).toArray(); // [0.6]
 */
export function cosineSimilarity(a: Tensor, b: Tensor, options: CosineSimilarityOptions = noOptions): Tensor {
  requireOptions('cosineSimilarity', options, { axis: 'number', eps: 'number' });
  const { axis = 1, eps = 1e-8 } = options;
  const op = 'cosineSimilarity';
  requireFloat(op, 'a', a);
  requireFloat(op, 'b', b);
  const products = mul(a, b);
  const along = { axes: checkAxis(axis, products.ndim, op) - products.ndim, keepdim: true };
  const unit = (x: Tensor): Tensor => div(x, sqrt(clamp(sum(square(x), along), { min: eps * eps })));
  return sum(mul(unit(a), unit(b)), { axes: along.axes });
}

/** Options of {@link normalize}. */
export interface NormalizeOptions {
  /** The exponent of the norm. Default 2. */
  readonly p?: number | undefined;
  /** The axis along which the vectors lie. Default 1. */
  readonly axis?: number | undefined;
  /** The least norm that a vector is divided by. Default 1e-12. */
  readonly eps?: number | undefined;
}

/**
 * Divides vectors by their p-norm, but at least by `eps`. PyTorch's `torch.nn.functional.normalize`.
 *
 * @throws ArgumentError for an axis out of range; DTypeError for integers.
 * @example
 * normalize(tensor([[3, 4]])).toArray(); // [[0.6, 0.8]]
 */
export function normalize(x: Tensor, options: NormalizeOptions = noOptions): Tensor {
  requireOptions('normalize', options, { p: 'number', axis: 'number', eps: 'number' });
  const { p = 2, axis = 1, eps = 1e-12 } = options;
  requireFloat('normalize', 'x', x);
  const along = checkAxis(axis, x.ndim, 'normalize');
  return div(x, clamp(norm(x, { p, axes: along, keepdim: true }), { min: eps }));
}

/** Options of {@link pairwiseDistance}. */
export interface PairwiseDistanceOptions {
  /** The exponent of the norm. Default 2. */
  readonly p?: number | undefined;
  /** Added to every difference, so that the distance has a derivative where the vectors are equal. Default 1e-6. */
  readonly eps?: number | undefined;
  /** Keep the last axis with size 1. Default false. */
  readonly keepdim?: boolean | undefined;
}

/**
 * The p-norm of `a - b + eps` along the last axis. PyTorch's `torch.nn.functional.pairwise_distance`.
 *
 * @param a, b floating-point, of shapes that broadcast.
 * @throws ShapeError if shapes do not broadcast or have no axes; DTypeError for integers.
 * @example
 * pairwiseDistance(tensor([[3, 4]]), tensor([[0, 0]]), { eps: 0 }).toArray(); // [5]
 */
export function pairwiseDistance(a: Tensor, b: Tensor, options: PairwiseDistanceOptions = noOptions): Tensor {
  requireOptions('pairwiseDistance', options, { p: 'number', eps: 'number', keepdim: 'boolean' });
  const { p = 2, eps = 1e-6, keepdim = false } = options;
  const op = 'pairwiseDistance';
  requireFloat(op, 'a', a);
  requireFloat(op, 'b', b);
  const difference = sub(a, b);
  if (difference.ndim === 0) {
    throw new ShapeError('the operands have no axes; a distance is between vectors, for numbers use abs.', {
      op,
      operand: 'a',
      actual: [],
      expected: 'at least one axis',
    });
  }
  return norm(add(difference, eps), { p, axes: -1, keepdim });
}

/** Options of {@link cdist}. */
export interface CdistOptions {
  /** The exponent of the norm, at least 0; Infinity for the largest difference. Default 2. */
  readonly p?: number | undefined;
}

/**
 * The p-norm distance of each row of `a` from each row of `b`. PyTorch's `torch.cdist`; like it, with a gradient of 0 where rows are equal.
 *
 * Differences are taken one by one, so that near rows keep their digits; they take P · R · M numbers of memory meanwhile.
 *
 * @param a floating-point, shape (…, P, M).
 * @param b shape (…, R, M); leading axes broadcast.
 * @returns shape (…, P, R).
 * @throws ShapeError if shapes do not fit; DTypeError for integers; ArgumentError for a negative p.
 * @example
 * cdist(tensor([[0, 0], [3, 0]]), tensor([[3, 4]])).toArray(); // [[5], [4]]
 */
export function cdist(a: Tensor, b: Tensor, options: CdistOptions = noOptions): Tensor {
  const op = 'cdist';
  requireOptions(op, options, { p: 'number' });
  const { p = 2 } = options;
  requireFloat(op, 'a', a);
  requireFloat(op, 'b', b);
  requireNumber(op, 'p', p, (value) => value >= 0, 'a number of at least 0');
  for (const [operand, { shape }] of Object.entries({ a, b })) {
    if (shape.length >= 2 && shape[shape.length - 1] === a.shape[a.ndim - 1]) continue;
    throw new ShapeError(
      `${operand} has shape ${formatShape(shape)}; distances are between rows of equal length: give a (…, P, M) and b (…, R, M).`,
      { op, operand, actual: shape, expected: '(…, rows, M)' },
    );
  }
  broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), op);
  // The largest of no differences is 0, as their sum is; `norm` knows of no largest there.
  const exponent = a.shape[a.ndim - 1] === 0 ? 1 : p;
  return norm(sub(unsqueeze(a, -2), unsqueeze(b, -3)), { p: exponent, axes: -1 });
}

/** Options of {@link hingeEmbeddingLoss}. */
export interface HingeEmbeddingLossOptions extends LossOptions {
  /** The distance that dissimilar pairs should have. Default 1. */
  readonly margin?: number | undefined;
}

/**
 * `input` where the target is 1 (similar pairs), `max(0, margin - input)` where it is -1. PyTorch's
 * `torch.nn.functional.hinge_embedding_loss`.
 *
 * @param input distances, of any shape; `target`, of 1 and -1, has the same.
 * @returns a 0-d tensor, or one loss per element for reduction 'none'.
 * @throws ShapeError if shapes differ; DTypeError for an input of integers; ArgumentError for an unknown reduction.
 * @example
 * hingeEmbeddingLoss(tensor([0.5, 0.25]), tensor([1, -1]), { reduction: 'none' }).toArray(); // [0.5, 0.75]
 */
export function hingeEmbeddingLoss(
  input: Tensor,
  target: Tensor,
  options: HingeEmbeddingLossOptions = noOptions,
): Tensor {
  requireOptions('hingeEmbeddingLoss', options, { margin: 'number', reduction: 'string' });
  const { margin = 1, reduction = 'mean' } = options;
  const op = 'hingeEmbeddingLoss';
  requireReduction(op, reduction);
  requireFloat(op, 'input', input);
  requireTarget(op, target, input.shape);
  // As in PyTorch a target that is neither counts as both.
  const far = where(ne(target, 1), clamp(sub(margin, input), { min: 0 }), 0);
  const near = where(ne(target, -1), input, 0);
  return reduceLosses(add(near, far), reduction);
}

/** Options of {@link cosineEmbeddingLoss}. */
export interface CosineEmbeddingLossOptions extends LossOptions {
  /** The cosine below which dissimilar pairs have no loss. Default 0. */
  readonly margin?: number | undefined;
}

/**
 * `1 - cos(a, b)` where the target is 1 (similar pairs), `max(0, cos(a, b) - margin)` where it is -1. PyTorch's
 * `torch.nn.functional.cosine_embedding_loss`.
 *
 * @param a, b floating-point, shape (N, features) or (features,).
 * @param target 1 or -1, shape (N,) or ().
 * @returns a 0-d tensor, or one loss per pair for reduction 'none'.
 * @throws ShapeError if shapes do not fit; DTypeError for integers; ArgumentError for an unknown reduction.
 * @example
 * cosineEmbeddingLoss(tensor([[3, 4]]), tensor([[3, 0]]), tensor([1])).item(); // 0.4
 */
export function cosineEmbeddingLoss(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  options: CosineEmbeddingLossOptions = noOptions,
): Tensor {
  requireOptions('cosineEmbeddingLoss', options, { margin: 'number', reduction: 'string' });
  const { margin = 0, reduction = 'mean' } = options;
  const op = 'cosineEmbeddingLoss';
  requireReduction(op, reduction);
  requireAlike(op, a, 'a', b, 'b');
  if (a.ndim !== 1 && a.ndim !== 2) {
    throw new ShapeError(`a has shape ${formatShape(a.shape)}; it takes (N, features) or (features,).`, {
      op,
      operand: 'a',
      actual: a.shape,
      expected: '(N, features) or (features,)',
    });
  }
  requireTarget(op, target, a.shape.slice(0, -1));
  const dot = (x: Tensor, y: Tensor): Tensor => sum(mul(x, y), { axes: -1 });
  // PyTorch's guard against vectors of length 0.
  const lengths = sqrt(mul(add(dot(a, a), 1e-12), add(dot(b, b), 1e-12)));
  const cosine = div(dot(a, b), lengths);
  const near = where(eq(target, 1), sub(1, cosine), 0);
  const far = where(eq(target, -1), clamp(sub(cosine, margin), { min: 0 }), 0);
  return reduceLosses(add(near, far), reduction);
}

/** Options of {@link tripletMarginLoss}. */
export interface TripletMarginLossOptions extends LossOptions {
  /** How much farther the negative should be than the positive; above 0. Default 1. */
  readonly margin?: number | undefined;
  /** The exponent of the distance. Default 2. */
  readonly p?: number | undefined;
  /** Added to every difference. Default 1e-6. */
  readonly eps?: number | undefined;
  /** Take the distance from the positive to the negative if it is the smaller one. Default false. */
  readonly swap?: boolean | undefined;
}

/**
 * `max(0, distance(anchor, positive) - distance(anchor, negative) + margin)`. PyTorch's
 * `torch.nn.functional.triplet_margin_loss`.
 *
 * @param anchor, positive, negative floating-point, of one shape (N, features) or (features,).
 * @returns a 0-d tensor, or one loss per triplet for reduction 'none'.
 * @throws ShapeError if shapes differ; DTypeError for integers; ArgumentError for an unknown reduction or a margin not above 0.
 * @example
 * tripletMarginLoss(tensor([[0, 0]]), tensor([[3, 4]]), tensor([[0, 2]])).item(); // 4
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginLossOptions = noOptions,
): Tensor {
  requireOptions('tripletMarginLoss', options, {
    margin: 'number',
    p: 'number',
    eps: 'number',
    swap: 'boolean',
    reduction: 'string',
  });
  const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction = 'mean' } = options;
  const op = 'tripletMarginLoss';
  requireReduction(op, reduction);
  requireAlike(op, anchor, 'anchor', positive, 'positive');
  requireAlike(op, anchor, 'anchor', negative, 'negative');
  if (!(margin > 0)) {
    throw new ArgumentError(`margin is ${margin}; it takes a number above 0.`, {
      op,
      operand: 'margin',
      actual: margin,
      expected: 'a number above 0',
    });
  }
  const distance = (x: Tensor, y: Tensor): Tensor => pairwiseDistance(x, y, { p, eps });
  const near = distance(anchor, positive);
  const straight = distance(anchor, negative);
  const far = swap ? minimum(straight, distance(positive, negative)) : straight;
  return reduceLosses(clamp(add(sub(near, far), margin), { min: 0 }), reduction);
}

function requireTarget(op: string, target: Tensor, shape: readonly number[]): void {
  requireTensor(op, 'target', target);
  if (sameShape(target.shape, shape)) return;
  throw new ShapeError(
    `target has shape ${formatShape(target.shape)}; there is one for each loss, so give ${formatShape(shape)}.`,
    { op, operand: 'target', actual: target.shape, expected: formatShape(shape) },
  );
}
