// Scaled dot-product attention.

import { isFloat } from '../dtype.ts';
import { DTypeError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { broadcastShapes } from '../shape.ts';
import { makeTensor } from '../tape/tracing.ts';
import { fromArray, Tensor } from '../tensor.ts';
import { add, mul } from './arithmetic.ts';
import { requireFloat } from './infer.ts';
import { transpose } from './layout.ts';
import { logicalNot } from './logic.ts';
import { maskedFill } from './masked.ts';
import { matmul } from './matmul.ts';
import { softmax } from './softmax.ts';

/** Options of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /**
   * Which keys a query may look at: bool, true where it may; or floating-point, added to the scores. Broadcasts to (…, queries,
   * keys). Default: all.
   */
  readonly attnMask?: Tensor | undefined;
  /** Let query i look at keys 0 to i only. Default false. */
  readonly isCausal?: boolean | undefined;
  /** Multiplies the scores. Default 1 / √features. */
  readonly scale?: number | undefined;
}

/**
 * `softmax(query · keyᵀ · scale + mask) · value`. PyTorch's `torch.nn.functional.scaled_dot_product_attention` (Vaswani et al.
 * 2017), without dropout.
 *
 * A query that may look at no key gives NaN.
 *
 * @param query shape (…, queries, features), floating-point.
 * @param key shape (…, keys, features).
 * @param value shape (…, keys, outputs); leading axes broadcast.
 * @returns shape (…, queries, outputs).
 * @throws ShapeError if shapes do not fit; DTypeError for integers, or a mask that is neither bool nor floating-point.
 * @example
 * scaledDotProductAttention(ones([1, 2, 4]), ones([1, 3, 4]), ones([1, 3, 5])).shape; // [1, 2, 5]
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = noOptions,
): Tensor {
  requireOptions('scaledDotProductAttention', options, {
    attnMask: Tensor,
    isCausal: 'boolean',
    scale: 'number',
  });
  const { attnMask, isCausal = false, scale } = options;
  const op = 'scaledDotProductAttention';
  for (const [name, operand] of Object.entries({ query, key, value })) {
    requireFloat(op, name, operand);
    if (operand.ndim < 2) throw shapeError(op, name, operand, 'at least two axes (…, length, features)');
  }
  const features = query.shape[query.ndim - 1];
  const keys = key.shape[key.ndim - 2];
  if (key.shape[key.ndim - 1] !== features)
    throw shapeError(op, 'key', key, `${features} features on its last axis, as the query has`);
  if (value.shape[value.ndim - 2] !== keys)
    throw shapeError(op, 'value', value, `${keys} rows on its second axis from the end, one per key`);
  broadcastShapes(query.shape.slice(0, -2), key.shape.slice(0, -2), op);
  let scores = mul(matmul(query, transpose(key)), scale ?? 1 / Math.sqrt(features));
  if (isCausal)
    scores = maskedFill(scores, later(query.shape[query.ndim - 2], keys), Number.NEGATIVE_INFINITY);
  if (attnMask !== undefined) scores = masked(op, scores, attnMask);
  return matmul(softmax(scores, { axis: -1 }), value);
}

function masked(op: string, scores: Tensor, mask: Tensor): Tensor {
  broadcastShapes(mask.shape, scores.shape, op);
  if (mask.dtype === 'bool') return maskedFill(scores, logicalNot(mask), Number.NEGATIVE_INFINITY);
  if (isFloat(mask.dtype)) return add(scores, mask);
  throw new DTypeError(
    `attnMask is ${mask.dtype}; give bool (true where a query may look), or numbers to add.`,
    {
      op,
      operand: 'attnMask',
      actual: mask.dtype,
      expected: 'bool or floating-point',
    },
  );
}

// True above the diagonal: the keys that come after a query.
function later(queries: number, keys: number): Tensor {
  return makeTensor('causalMask', [], { shape: [queries, keys], dtype: 'bool' }, () => {
    const mask = new Uint8Array(queries * keys);
    for (let i = 0; i < queries; i++) {
      mask.fill(1, Math.min(i * keys + i + 1, (i + 1) * keys), (i + 1) * keys);
    }
    return fromArray(mask, [queries, keys], 'bool');
  });
}

function shapeError(op: string, name: string, operand: Tensor, expected: string): ShapeError {
  return new ShapeError(`${name} has shape ${formatShape(operand.shape)}; it needs ${expected}.`, {
    op,
    operand: name,
    actual: operand.shape,
    expected,
  });
}
