// Scaled dot-product attention.

import { type DType, isFloat } from '../dtype.ts';
import { DTypeError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { broadcastShapes, type Shape, sameShape, sizeOf } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { Tensor } from '../tensor.ts';
import { attentionOp } from './attention-records.ts';
import { zeros } from './create.ts';
import { expand } from './expand-sum.ts';
import { requireFloat } from './infer.ts';
import { permute, reshape } from './layout.ts';
import { logicalNot } from './logic.ts';
import { maskedFill } from './masked.ts';

/** Options of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /**
   * Which keys a query may look at: bool, true where it may; or floating-point, added to the scores. Broadcasts to (…, queries,
   * keys). Default: all.
   */
  readonly attnMask?: Tensor | undefined;
  /** Let query i look at keys 0 to i only. Default false. */
  readonly isCausal?: boolean | undefined;
  /** Multiplies the scores. Default 1 / √features, and 1 where there are none. */
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
  const op = 'scaledDotProductAttention';
  requireOptions(op, options, attentionOptions);
  const { attnMask, isCausal = false, scale } = options;
  requireRows(op, 'query', query);
  requireRows(op, 'key', key);
  requireRows(op, 'value', value);
  const queries = query.shape[query.ndim - 2];
  const features = query.shape[query.ndim - 1];
  const keys = key.shape[key.ndim - 2];
  if (key.shape[key.ndim - 1] !== features)
    throw shapeError(op, 'key', key, `${features} features on its last axis, as the query has`);
  if (value.shape[value.ndim - 2] !== keys)
    throw shapeError(op, 'value', value, `${keys} rows on its second axis from the end, one per key`);
  const lead = broadcastShapes(broadcastShapes(leadOf(query), leadOf(key), op), leadOf(value), op);
  const mask = attnMask === undefined ? null : addedMask(op, attnMask, [...lead, queries, keys], query.dtype);
  const all = mask === null ? lead : broadcastShapes(lead, mask.shape.slice(0, -2), op);
  const attended = apply(
    attentionOp,
    [
      headsBehind(query, all),
      headsBehind(key, all),
      headsBehind(value, all),
      mask === null ? zeros([1, 1, 1, 1], { dtype: query.dtype }) : inFourAxes(maskOver(mask, all)),
    ],
    // Scores of no features are 0, of which Infinity would make NaN.
    { scale: scale ?? 1 / Math.sqrt(Math.max(1, features)), causal: isCausal },
  );
  const turned = permute(attended, headsAndLength);
  return all.length === 2 ? turned : reshape(turned, [...all, queries, value.shape[value.ndim - 1]]);
}

const attentionOptions = { attnMask: Tensor, isCausal: 'boolean', scale: 'number' } as const;

const leadOf = ({ shape }: Tensor): Shape => shape.slice(0, -2);

/** From (samples, heads, length, columns) to (samples, length, heads, columns), and back. */
const headsAndLength = [0, 2, 1, 3];

/** An operand as the record takes it, of which `lead` are the leading axes. */
function headsBehind(x: Tensor, lead: Shape): Tensor {
  const full = sameShape(leadOf(x), lead) ? x : expand(x, [...lead, ...x.shape.slice(-2)]);
  return permute(inFourAxes(full), headsAndLength);
}

function requireRows(op: string, name: string, operand: Tensor): void {
  requireFloat(op, name, operand);
  if (operand.ndim < 2) throw shapeError(op, name, operand, 'at least two axes (…, length, features)');
}

/** (…, rows, columns) as (samples, heads, rows, columns): of more axes all but the last three are joined. */
function inFourAxes(x: Tensor): Tensor {
  if (x.ndim === 4) return x;
  if (x.ndim < 4) return reshape(x, [...[1, 1, 1, 1].slice(x.ndim), ...x.shape]);
  return reshape(x, [sizeOf(x.shape.slice(0, -3)), ...x.shape.slice(-3)]);
}

/** A mask whose axes can be joined as those of the scores are: what it has of them stays as it is while there are four or fewer. */
function maskOver(mask: Tensor, lead: Shape): Tensor {
  return lead.length <= 2 || mask.ndim <= 3 ? mask : expand(mask, [...lead, ...mask.shape.slice(-2)]);
}

/** A mask as numbers to add to scores. */
function addedMask(op: string, mask: Tensor, scores: Shape, dtype: DType): Tensor {
  const [queries, keys] = scores.slice(-2);
  broadcastShapes(mask.shape, scores, op);
  const full = mask.ndim < 2 ? reshape(mask, [1, mask.size]) : mask;
  const [rows, columns] = full.shape.slice(-2);
  if ((rows !== 1 && rows !== queries) || (columns !== 1 && columns !== keys))
    throw shapeError(
      op,
      'attnMask',
      mask,
      `${queries} queries (or 1) and ${keys} keys (or 1) on its last axes`,
    );
  if (full.dtype === 'bool')
    return maskedFill(zeros(full.shape, { dtype }), logicalNot(full), Number.NEGATIVE_INFINITY);
  if (isFloat(full.dtype)) return full;
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

function shapeError(op: string, name: string, operand: Tensor, expected: string): ShapeError {
  return new ShapeError(`${name} has shape ${formatShape(operand.shape)}; it needs ${expected}.`, {
    op,
    operand: name,
    actual: operand.shape,
    expected,
  });
}
