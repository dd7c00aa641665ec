// Masks of attention: which keys a query may not look at.

import {
  add,
  cat,
  type DType,
  DTypeError,
  formatShape,
  isFloat,
  maskedFill,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from '@adjoint/core';
import { requireInteger, requireRoom } from './options.ts';

/**
 * A bool mask of shape (queries, keys), true where the key comes after the query: what a query may not look at in a sequence that is
 * generated from left to right. PyTorch's `generate_square_subsequent_mask`, as bool.
 *
 * @example
 * causalMask(2).toArray(); // [[0, 1], [0, 0]]
 */
export function causalMask(queries: number, keys = queries): Tensor {
  requireInteger('causalMask', 'queries', queries, 0);
  requireInteger('causalMask', 'keys', keys, 0);
  requireRoom('causalMask', 'the mask', [queries, keys]);
  const later = new Uint8Array(queries * keys);
  for (let i = 0; i < queries; i++) for (let j = i + 1; j < keys; j++) later[i * keys + j] = 1;
  return tensor(later, { shape: [queries, keys], dtype: 'bool' });
}

/** Hides keys in scores: those that a bool mask names, or by adding numbers. Keys that were added at the end are hidden from nobody. */
export function hide(scores: Tensor, mask: Tensor, added: number): Tensor {
  const full =
    added === 0
      ? mask
      : cat([mask, zeros([...mask.shape.slice(0, -1), added], { dtype: mask.dtype })], { axis: -1 });
  if (full.dtype === 'bool') return maskedFill(scores, full, Number.NEGATIVE_INFINITY);
  return add(scores, full);
}

/** Masks as one of numbers to add to scores; undefined if there are none. */
export function together(masks: readonly Tensor[], added: number, dtype: DType): Tensor | undefined {
  if (masks.length === 0) return undefined;
  const rank = Math.max(...masks.map(({ ndim }) => ndim));
  const shape = Array.from({ length: rank }, (_, i) =>
    masks.map((mask) => mask.shape[i - rank + mask.ndim] ?? 1).reduce((a, b) => (b === 1 ? a : b), 1),
  );
  const none = zeros([...shape.slice(0, -1), shape[rank - 1] + added], { dtype });
  return masks.reduce((all, mask) => hide(all, mask, added), none);
}

/** Throws unless a mask is bool or floating-point and has one of the shapes. */
export function requireMask(operand: string, mask: Tensor, shapes: readonly (readonly number[])[]): void {
  const op = 'MultiheadAttention';
  if (mask.dtype !== 'bool' && !isFloat(mask.dtype)) {
    throw new DTypeError(
      `${operand} is ${mask.dtype}; give bool (true hides a key), or numbers to add to the scores.`,
      {
        op,
        operand,
        actual: mask.dtype,
        expected: 'bool or floating-point',
      },
    );
  }
  if (shapes.some((shape) => String(shape) === String(mask.shape))) return;
  const expected = shapes.map(formatShape).join(' or ');
  throw new ShapeError(`${operand} has shape ${formatShape(mask.shape)}; it takes ${expected}.`, {
    op,
    operand,
    actual: mask.shape,
    expected,
  });
}
