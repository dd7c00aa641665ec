// Axes added, dropped, merged, reversed and rotated. All are views or joins of views.

import { ArgumentError, formatShape, quote, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { axisList, checkAxes, checkAxis, requireList, type Shape } from '../shape.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { cat } from './join.ts';
import { permute, reshape, sliceView } from './layout.ts';
import { narrow } from './slice.ts';

/** Options of {@link flatten}. */
export interface FlattenOptions {
  /** First axis to merge. Default 0. */
  readonly startAxis?: number | undefined;
  /** Last axis to merge, inclusive. Default -1, the last one. */
  readonly endAxis?: number | undefined;
}

/**
 * Merges a run of axes into one, all by default; a 0-d tensor gets one axis. PyTorch's `torch.flatten`.
 *
 * @throws ArgumentError for axes out of range, or an `endAxis` before the `startAxis`.
 * @example
 * flatten(zeros([2, 3, 4]), { startAxis: 1 }).shape; // [2, 12]
 */
export function flatten(x: Tensor, options: FlattenOptions = noOptions): Tensor {
  requireTensor('flatten', 'x', x);
  requireOptions('flatten', options, { startAxis: 'number', endAxis: 'number' });
  const { startAxis = 0, endAxis = -1 } = options;
  const start = checkAxis(startAxis, x.ndim, 'flatten');
  const end = checkAxis(endAxis, x.ndim, 'flatten');
  if (end < start) {
    throw new ArgumentError(
      `startAxis ${startAxis} comes after endAxis ${endAxis} in shape ${formatShape(x.shape)}; name the first axis first.`,
      { op: 'flatten', operand: 'startAxis', actual: startAxis, expected: `at most axis ${end}` },
    );
  }
  if (x.ndim === 0) return reshape(x, [1]);
  const merged = x.shape.slice(start, end + 1).reduce((product, size) => product * size, 1);
  return reshape(x, [...x.shape.slice(0, start), merged, ...x.shape.slice(end + 1)]);
}

/**
 * Splits an axis into several, the inverse of {@link flatten}. A view where the operand's layout has one. PyTorch's `torch.unflatten`.
 *
 * @param sizes what the axis becomes; one of them may be -1, which is then worked out.
 * @throws ArgumentError for an axis out of range; ShapeError if the sizes do not make up the axis.
 * @example
 * unflatten(zeros([2, 12]), 1, [3, -1]).shape; // [2, 3, 4]
 */
export function unflatten(x: Tensor, axis: number, sizes: Shape): Tensor {
  const op = 'unflatten';
  requireTensor(op, 'x', x);
  const at = checkAxis(axis, x.ndim, op);
  requireList(sizes, op, 'sizes');
  if (x.ndim === 0) {
    throw new ShapeError('the tensor has no axes to make several of; reshape it instead.', {
      op,
      operand: 'x',
      actual: [],
      expected: 'at least one axis',
    });
  }
  const known = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const open = sizes.filter((size) => size === -1).length;
  const whole = x.shape[at];
  const missing = whole / known;
  const fits = sizes.length > 0 && (open === 0 ? known === whole : open === 1 && Number.isInteger(missing));
  if (!fits || !sizes.every((size) => Number.isInteger(size) && size >= -1)) {
    throw new ShapeError(
      `sizes are [${sizes.join(', ')}] and axis ${at} of shape ${formatShape(x.shape)} is ${whole}; their product must be ${whole}, and one of them at most may be -1.`,
      { op, operand: 'sizes', actual: sizes, expected: `sizes whose product is ${whole}` },
    );
  }
  const split = sizes.map((size) => (size === -1 ? missing : size));
  return reshape(x, [...x.shape.slice(0, at), ...split, ...x.shape.slice(at + 1)]);
}

/** Options of {@link squeeze}. */
export interface SqueezeOptions {
  /** Axes to drop where their size is 1; negative ones count from the end. Default: all axes of size 1. */
  readonly axes?: number | readonly number[] | undefined;
}

/**
 * Drops axes of size 1; named axes of another size stay. A view. PyTorch's `torch.squeeze`.
 *
 * @throws ArgumentError for axes out of range or named twice.
 * @example
 * squeeze(zeros([1, 3, 1])).shape; // [3]
 */
export function squeeze(x: Tensor, options: SqueezeOptions = noOptions): Tensor {
  requireTensor('squeeze', 'x', x);
  requireOptions('squeeze', options, { axes: 'own' });
  const { axes } = options;
  const chosen = checkAxes(axes, x.ndim, 'squeeze');
  return reshape(
    x,
    x.shape.filter((size, i) => size !== 1 || !chosen.includes(i)),
  );
}

/**
 * Adds an axis of size 1 in front of `axis`; a negative one counts from the end of the result. A view. PyTorch's
 * `torch.unsqueeze`.
 *
 * @throws ArgumentError for an axis outside [-(ndim + 1), ndim].
 * @example
 * unsqueeze(zeros([2, 3]), -1).shape; // [2, 3, 1]
 */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  requireTensor('unsqueeze', 'x', x);
  const at = checkAxis(axis, x.ndim + 1, 'unsqueeze');
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/**
 * Moves axes to other places and keeps the rest in order. A view. PyTorch's `torch.movedim`.
 *
 * @throws ArgumentError for axes out of range or named twice, or if there are not as many places as axes.
 * @example
 * movedim(zeros([2, 3, 4]), 0, -1).shape; // [3, 4, 2]
 */
export function movedim(
  x: Tensor,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  requireTensor('movedim', 'x', x);
  const from = axesInOrder(source, x.ndim, 'movedim', 'source');
  const to = axesInOrder(destination, x.ndim, 'movedim', 'destination');
  if (from.length !== to.length) {
    throw new ArgumentError(
      `there are ${from.length} axes to move and ${to.length} places; give as many of one as of the other.`,
      { op: 'movedim', operand: 'destination', actual: to, expected: `${from.length} axes` },
    );
  }
  const rest = x.shape.map((_, i) => i).filter((axis) => !from.includes(axis));
  const order = x.shape.map((_, i) => (to.includes(i) ? from[to.indexOf(i)] : rest.shift()!));
  return permute(x, order);
}

// Axes in the order given, which unlike that of `checkAxes` matters here.
function axesInOrder(axes: number | readonly number[], rank: number, op: string, operand: string): number[] {
  const list = axisList(axes, op, operand).map((axis) => checkAxis(axis, rank, op));
  if (new Set(list).size === list.length) return list;
  throw new ArgumentError(`${operand} [${list.join(', ')}] names an axis twice; name each axis once.`, {
    op,
    operand,
    actual: list,
    expected: 'distinct axes',
  });
}

/**
 * Reverses the order of elements along axes. A view with negative strides, where PyTorch's `torch.flip` copies.
 *
 * @throws ArgumentError for axes out of range or named twice.
 * @example
 * flip(tensor([[1, 2], [3, 4]]), 1).toArray(); // [[2, 1], [4, 3]]
 */
export function flip(x: Tensor, axes: number | readonly number[]): Tensor {
  requireTensor('flip', 'x', x);
  const flipped = checkAxes(axes, x.ndim, 'flip');
  if (flipped.length === 0) return x;
  return sliceView(x, {
    starts: x.shape.map((size, i) => (flipped.includes(i) ? size - 1 : 0)),
    steps: x.shape.map((_, i) => (flipped.includes(i) ? -1 : 1)),
    sizes: x.shape,
    whole: x.shape,
  });
}

/** Options of {@link roll}. */
export interface RollOptions {
  /** The axis of each shift. Default: the tensor is rolled as one row of all its elements. */
  readonly axes?: number | readonly number[] | undefined;
}

/**
 * Shifts elements along axes; what leaves at one end comes back at the other. PyTorch's `torch.roll`.
 *
 * @throws ArgumentError for axes out of range, for shifts that are not integers, or if there are not as many shifts as axes.
 * @example
 * roll(tensor([1, 2, 3, 4]), 1).toArray(); // [4, 1, 2, 3]
 */
export function roll(
  x: Tensor,
  shifts: number | readonly number[],
  options: RollOptions = noOptions,
): Tensor {
  requireTensor('roll', 'x', x);
  requireOptions('roll', options, { axes: 'own' });
  const { axes } = options;
  if (typeof shifts !== 'number') requireList(shifts, 'roll', 'shifts');
  const steps = typeof shifts === 'number' ? [shifts] : Array.from(shifts);
  if (!steps.every(Number.isInteger)) {
    throw new ArgumentError(`shifts is ${quote(shifts)}; elements move by whole places.`, {
      op: 'roll',
      operand: 'shifts',
      actual: shifts,
      expected: 'integers',
    });
  }
  const along = axes === undefined ? [0] : axisList(axes, 'roll', 'axes');
  if (along.length !== steps.length || steps.length === 0) {
    throw new ArgumentError(
      `there are ${steps.length} shifts and ${along.length} axes; give one shift per axis.`,
      { op: 'roll', operand: 'shifts', actual: shifts, expected: `${along.length} shifts` },
    );
  }
  if (axes === undefined) return reshape(rollAxis(reshape(x, [x.size]), 0, steps[0]), x.shape);
  const order = along.map((axis) => checkAxis(axis, x.ndim, 'roll'));
  return steps.reduce((rolled, step, i) => rollAxis(rolled, order[i], step), x);
}

function rollAxis(x: Tensor, axis: number, shift: number): Tensor {
  const size = x.shape[axis] ?? 1;
  const tail = size === 0 ? 0 : ((shift % size) + size) % size;
  if (tail === 0) return x;
  return cat([narrow(x, axis, size - tail, tail), narrow(x, axis, 0, size - tail)], { axis });
}
