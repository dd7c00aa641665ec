// Indexing with everything that may stand in brackets: positions, ranges, and tensors of positions or of truth values.

import { formatShape, ShapeError } from '../errors.ts';
import { broadcastShapes, rowMajorStrides, type Shape, sameShape, sizeOf } from '../shape.ts';
import { requireTensor, Tensor } from '../tensor.ts';
import { add, mul } from './arithmetic.ts';
import { movedim } from './axes.ts';
import { requireIndex } from './index-values.ts';
import { reshape } from './layout.ts';
import { selectAlong, wrapIndex } from './lookup.ts';
import { nonzero } from './search.ts';
import { requireEntries, type SliceIndex, slice, withoutEllipsis } from './slice.ts';
import { unbind } from './split.ts';

/** What may stand for an axis in {@link index}; a bool tensor stands for as many axes as it has. */
export type IndexEntry = SliceIndex | Tensor;

/** An entry that stands for an axis of its own. */
type AxisEntry = Exclude<IndexEntry, '...'>;

/**
 * Picks parts of a tensor by positions, ranges and index tensors. PyTorch's `x[i, 1:3, index, mask]`.
 *
 * An int32 tensor picks positions of its axis, negative ones counted from the end; several such tensors broadcast and are read
 * side by side. A bool tensor of n axes stands for n axes and picks the elements where it is true. The axes that index tensors
 * stand for become those of the (broadcast) tensors: in their place if they are next to each other, else in front, as in NumPy.
 *
 * Without tensors the result is a view, as {@link slice} gives it.
 *
 * @param indices one entry per axis, from the first on: an integer, a range, null for all of it, or a tensor; axes that are not
 *   mentioned stay whole. What comes after `'...'`, which may stand once, is for the last axes.
 * @throws ArgumentError for a position out of range; ShapeError for more entries than axes, index tensors that do not broadcast,
 *   or a mask of another size; DTypeError for tensors that are neither int32 nor bool.
 * @example
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * index(x, [tensor([2, 0], { dtype: 'int32' }), 1]).toArray(); // [6, 2]
 * index(x, [tensor([true, false, true])]).toArray(); // [[1, 2], [5, 6]]
 */
export function index(x: Tensor, indices: readonly IndexEntry[]): Tensor {
  requireTensor('index', 'x', x);
  requireEntries('index', indices);
  const entries = expandMasks(x, withoutEllipsis('index', indices, x.ndim - furtherAxes(indices)));
  if (entries.length > x.ndim) {
    throw new ShapeError(
      `there are indices for ${entries.length} axes, and shape ${formatShape(x.shape)} has ${x.ndim}; give one per axis at most.`,
      { op: 'index', operand: 'indices', actual: entries.length, expected: `at most ${x.ndim} indices` },
    );
  }
  // Integers and ranges come first, as in PyTorch: an integer does not decide where the picked axes go.
  const part = slice(
    x,
    entries.map((entry) => (entry instanceof Tensor ? null : entry)),
  );
  const picks = entries.filter((entry) => typeof entry !== 'number');
  const axes = picks.flatMap((entry, axis) => (entry instanceof Tensor ? [axis] : []));
  return axes.length === 0
    ? part
    : pick(
        part,
        axes,
        picks.filter((entry) => entry instanceof Tensor),
      );
}

// How many axes masks stand for beyond one each.
function furtherAxes(indices: readonly IndexEntry[]): number {
  return indices.reduce<number>(
    (count, entry) => (entry instanceof Tensor && entry.dtype === 'bool' ? count + entry.ndim - 1 : count),
    0,
  );
}

// One entry per axis: a mask becomes the positions where it is true, a list of them for each of its axes.
function expandMasks(x: Tensor, indices: readonly AxisEntry[]): readonly AxisEntry[] {
  const entries: AxisEntry[] = [];
  for (const entry of indices) {
    if (!(entry instanceof Tensor)) {
      entries.push(entry);
      continue;
    }
    if (entry.dtype !== 'bool') {
      requireIndex('index', `indices[${entries.length}]`, entry);
      entries.push(entry);
      continue;
    }
    requireMaskSize(x, entry, entries.length);
    entries.push(...unbind(nonzero(entry), { axis: 1 }));
  }
  return entries;
}

function requireMaskSize(x: Tensor, mask: Tensor, axis: number): void {
  const covered = x.shape.slice(axis, axis + mask.ndim);
  if (mask.ndim > 0 && sameShape(mask.shape, covered)) return;
  throw new ShapeError(
    `the mask has shape ${formatShape(mask.shape)}, and the axes that it stands for, from ${axis} on, are ${formatShape(covered)} of ${formatShape(x.shape)}; they must be the same.`,
    { op: 'index', operand: 'mask', actual: mask.shape, expected: formatShape(covered) },
  );
}

function pick(x: Tensor, axes: readonly number[], tensors: readonly Tensor[]): Tensor {
  const op = 'index';
  const adjacent = axes.every((axis, i) => axis === axes[0] + i);
  const source = adjacent
    ? x
    : movedim(
        x,
        axes,
        axes.map((_, i) => i),
      );
  const at = adjacent ? axes[0] : 0;
  const sizes = source.shape.slice(at, at + axes.length);
  const strides = rowMajorStrides(sizes);
  // The picked axes seen as one, and on it the number of each picked element.
  const merged = reshape(source, [
    ...source.shape.slice(0, at),
    sizeOf(sizes),
    ...source.shape.slice(at + axes.length),
  ]);
  const shape = tensors.reduce<Shape>((common, tensor) => broadcastShapes(common, tensor.shape, op), []);
  const numbers = tensors
    .map((tensor, i) => mul(wrapIndex(tensor, sizes[i], op), strides[i]))
    .reduce((total, part) => add(total, part));
  const picked = selectAlong(merged, reshape(numbers, [-1]), { axis: at, op });
  return reshape(picked, [...merged.shape.slice(0, at), ...shape, ...merged.shape.slice(at + 1)]);
}
