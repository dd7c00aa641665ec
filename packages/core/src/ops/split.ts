// An axis taken apart: into pieces of one size, of given sizes, or position by position. All are views.

import { requireInteger } from '../arguments.ts';
import { ArgumentError, quote } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { checkAxis, checkShape, requireList } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { dropAxis, requireAxes, sliceAxis } from './slice.ts';

/** Options of functions that join or part tensors along one axis. */
export interface AxisOptions {
  /** The axis; a negative one counts from the end. Default 0. */
  readonly axis?: number | undefined;
}

/**
 * Cuts an axis into pieces of a size, the last of which may be shorter, or into pieces of the given sizes. Views.
 * PyTorch's `torch.split`.
 *
 * @throws ArgumentError for an axis out of range, a size below 1, or sizes that do not add up; ShapeError for a 0-d tensor.
 * @example
 * split(tensor([1, 2, 3, 4, 5]), 2).map((piece) => piece.toArray()); // [[1, 2], [3, 4], [5]]
 */
export function split(
  x: Tensor,
  size: number | readonly number[],
  options: AxisOptions = noOptions,
): Tensor[] {
  requireOptions('split', options, { axis: 'number' });
  const { axis = 0 } = options;
  requireAxes('split', x);
  const at = checkAxis(axis, x.ndim, 'split');
  return cut(x, at, typeof size === 'number' ? evenSizes('split', 'size', size, x.shape[at]) : size);
}

/**
 * Cuts an axis into `chunks` pieces of equal size but for the last; fewer where the size does not allow as many. Views.
 * PyTorch's `torch.chunk`.
 *
 * @throws ArgumentError for an axis out of range or fewer than one chunk; ShapeError for a 0-d tensor.
 * @example
 * chunk(tensor([1, 2, 3, 4, 5]), 2).map((piece) => piece.toArray()); // [[1, 2, 3], [4, 5]]
 */
export function chunk(x: Tensor, chunks: number, options: AxisOptions = noOptions): Tensor[] {
  requireOptions('chunk', options, { axis: 'number' });
  const { axis = 0 } = options;
  requireAxes('chunk', x);
  const at = checkAxis(axis, x.ndim, 'chunk');
  requireInteger('chunk', 'chunks', chunks, 1);
  // An empty axis gives as many empty pieces as were asked for.
  if (x.shape[at] === 0) {
    checkShape([chunks], 'chunk');
    return cut(x, at, new Array<number>(chunks).fill(0));
  }
  return cut(x, at, evenSizes('chunk', 'chunks', Math.ceil(x.shape[at] / chunks), x.shape[at]));
}

function evenSizes(op: string, operand: string, size: number, whole: number): number[] {
  requireInteger(op, operand, size, 1);
  const sizes = [Math.min(size, whole)];
  for (let start = size; start < whole; start += size) sizes.push(Math.min(size, whole - start));
  return sizes;
}

function cut(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  requireList(sizes, 'split', 'size');
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== x.shape[axis] || !sizes.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new ArgumentError(
      `sizes ${quote(sizes)} add up to ${total}, and axis ${axis} has ${x.shape[axis]}; give non-negative integers that add up to it.`,
      { op: 'split', operand: 'size', actual: sizes, expected: `sizes that add up to ${x.shape[axis]}` },
    );
  }
  let next = 0;
  return sizes.map((size) => {
    next += size;
    return sliceAxis(x, axis, { start: next - size, step: 1, size });
  });
}

/**
 * Every position of an axis as a tensor of its own, without the axis. Views. PyTorch's `torch.unbind`.
 *
 * @throws ArgumentError for an axis out of range; ShapeError for a 0-d tensor.
 * @example
 * unbind(tensor([[1, 2], [3, 4]])).map((row) => row.toArray()); // [[1, 2], [3, 4]]
 */
export function unbind(x: Tensor, options: AxisOptions = noOptions): Tensor[] {
  requireOptions('unbind', options, { axis: 'number' });
  const { axis = 0 } = options;
  requireAxes('unbind', x);
  const at = checkAxis(axis, x.ndim, 'unbind');
  return Array.from({ length: x.shape[at] }, (_, start) =>
    dropAxis(sliceAxis(x, at, { start, step: 1, size: 1 }), at),
  );
}
