// Elements repeated: the whole along an axis, or each in its place.

import { ArgumentError, formatShape, quote, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { checkAxis, checkShape, requireList, type Shape } from '../shape.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { tensor } from './create.ts';
import { expand } from './expand-sum.ts';
import { reshape } from './layout.ts';
import { selectAlong } from './lookup.ts';

/**
 * Repeats the whole tensor along each axis. PyTorch's `Tensor.repeat`; see also `expand`, which repeats without a copy.
 *
 * @param repeats one count per axis of the result, of which there are at least as many as the operand has.
 * @throws ShapeError if there are fewer repeats than axes, or a repeat is not a non-negative integer.
 * @example
 * repeat(tensor([1, 2]), [2, 2]).toArray(); // [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function repeat(x: Tensor, repeats: readonly number[]): Tensor {
  requireTensor('repeat', 'x', x);
  return repeatWhole('repeat', x, repeats);
}

/**
 * Repeats the whole tensor, the last repeat along the last axis; missing ones in front count as 1. PyTorch's `torch.tile`.
 *
 * @throws ShapeError if a repeat is not a non-negative integer.
 * @example
 * tile(tensor([[1, 2], [3, 4]]), [2]).toArray(); // [[1, 2, 1, 2], [3, 4, 3, 4]]
 */
export function tile(x: Tensor, repeats: readonly number[]): Tensor {
  requireTensor('tile', 'x', x);
  requireList(repeats, 'tile', 'repeats');
  const missing = Math.max(0, x.ndim - repeats.length);
  return repeatWhole('tile', x, [...new Array<number>(missing).fill(1), ...repeats]);
}

function repeatWhole(op: string, x: Tensor, repeats: readonly number[]): Tensor {
  requireList(repeats, op, 'repeats');
  const lead = repeats.length - x.ndim;
  if (lead < 0 || !repeats.every((count) => Number.isInteger(count) && count >= 0)) {
    throw new ShapeError(
      `repeats are [${repeats.join(', ')}]; shape ${formatShape(x.shape)} takes at least ${x.ndim} non-negative integers, one per axis of the result.`,
      { op, operand: 'repeats', actual: repeats, expected: `at least ${x.ndim} non-negative integers` },
    );
  }
  const sizes: Shape = [...new Array<number>(lead).fill(1), ...x.shape];
  // Each axis becomes (repeat, size): expanded along the first of the two, then both are merged.
  const spread = expand(
    reshape(
      x,
      sizes.flatMap((size) => [1, size]),
    ),
    sizes.flatMap((size, i) => [repeats[i], size]),
  );
  return reshape(
    spread,
    sizes.map((size, i) => size * repeats[i]),
  );
}

/** Options of {@link repeatInterleave}. */
export interface RepeatInterleaveOptions {
  /** The axis along which elements are repeated. Default: the tensor is seen as one axis. */
  readonly axis?: number | undefined;
}

/**
 * Repeats each element in its place, where {@link repeat} repeats the whole. PyTorch's `torch.repeat_interleave`.
 *
 * @param repeats one count for all elements along the axis, or one for each.
 * @throws ArgumentError for an axis out of range, or counts that are not as many non-negative integers as there are elements.
 * @example
 * repeatInterleave(tensor([1, 2]), 2).toArray(); // [1, 1, 2, 2]
 * repeatInterleave(tensor([[1, 2], [3, 4]]), [0, 3], { axis: 0 }).toArray(); // [[3, 4], [3, 4], [3, 4]]
 */
export function repeatInterleave(
  x: Tensor,
  repeats: number | readonly number[],
  options: RepeatInterleaveOptions = noOptions,
): Tensor {
  const op = 'repeatInterleave';
  requireOptions(op, options, { axis: 'number' });
  requireTensor(op, 'x', x);
  const rows = options.axis === undefined || x.ndim === 0 ? reshape(x, [x.size]) : x;
  const axis = options.axis === undefined ? 0 : checkAxis(options.axis, x.ndim, op);
  const size = rows.shape[axis];
  if (typeof repeats !== 'number') requireList(repeats, op, 'repeats');
  const counts = typeof repeats === 'number' ? [repeats] : repeats;
  if (
    (typeof repeats !== 'number' && counts.length !== size) ||
    !counts.every((count) => Number.isInteger(count) && count >= 0)
  ) {
    throw new ArgumentError(
      `repeats is ${quote(repeats)}; give one non-negative integer, or one for each of the ${size} elements along axis ${axis}.`,
      { op, operand: 'repeats', actual: repeats, expected: `1 or ${size} non-negative integers` },
    );
  }
  if (typeof repeats === 'number') {
    // Each element becomes (element, repeat), of which the second is expanded, then both are merged.
    const { shape } = rows;
    const [before, after] = [shape.slice(0, axis + 1), shape.slice(axis + 1)];
    const spread = expand(reshape(rows, [...before, 1, ...after]), [...before, repeats, ...after]);
    return reshape(spread, [...shape.slice(0, axis), size * repeats, ...after]);
  }
  checkShape([counts.reduce((total, count) => total + count, 0)], op);
  const places = Int32Array.from(counts.flatMap((count, i) => new Array<number>(count).fill(i)));
  return selectAlong(rows, tensor(places), { axis, op });
}
