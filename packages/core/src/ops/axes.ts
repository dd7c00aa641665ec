// Axes added, dropped, merged, reversed and rotated. All are views or joins of views.

import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { checkAxes, checkAxis, requireList, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from './create.ts';
import { expand } from './expand-sum.ts';
import { cat } from './join.ts';
import { permute, reshape, sliceView } from './layout.ts';
import { selectAlong } from './lookup.ts';
import { requireTensor } from './operand.ts';
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
  requireOptions('flatten', options, ['startAxis', 'endAxis']);
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
  requireOptions(op, options, ['axis']);
  requireTensor(op, 'x', x);
  const rows = options.axis === undefined || x.ndim === 0 ? reshape(x, [x.size]) : x;
  const axis = options.axis === undefined ? 0 : checkAxis(options.axis, x.ndim, op);
  const size = rows.shape[axis];
  if (typeof repeats !== 'number') requireList(repeats, op, 'repeats');
  const counts = typeof repeats === 'number' ? new Array<number>(size).fill(repeats) : repeats;
  if (counts.length !== size || !counts.every((count) => Number.isInteger(count) && count >= 0)) {
    throw new ArgumentError(
      `repeats is ${typeof repeats === 'number' ? repeats : `[${counts.join(', ')}]`}; give one non-negative integer, or one for each of the ${size} elements along axis ${axis}.`,
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
  const places = Int32Array.from(counts.flatMap((count, i) => new Array<number>(count).fill(i)));
  return selectAlong(rows, tensor(places), { axis, op });
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
  requireOptions('squeeze', options, ['axes']);
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
  const from = axisList(source, x.ndim, 'movedim', 'source');
  const to = axisList(destination, x.ndim, 'movedim', 'destination');
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
function axisList(axes: number | readonly number[], rank: number, op: string, operand: string): number[] {
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => checkAxis(axis, rank, op));
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
  requireOptions('roll', options, ['axes']);
  const { axes } = options;
  const steps = typeof shifts === 'number' ? [shifts] : shifts;
  const wrong = steps.find((step) => !Number.isInteger(step));
  if (wrong !== undefined) {
    throw new ArgumentError(`shifts holds ${wrong}; elements move by whole places.`, {
      op: 'roll',
      operand: 'shifts',
      actual: shifts,
      expected: 'integers',
    });
  }
  const along = axes === undefined ? [0] : typeof axes === 'number' ? [axes] : axes;
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

/**
 * Repeats the whole tensor along each axis. PyTorch's `Tensor.repeat`; see also `expand`, which repeats without a copy.
 *
 * @param repeats one count per axis of the result, of which there are at least as many as the operand has.
 * @throws ShapeError if there are fewer repeats than axes, or a repeat is not a non-negative integer.
 * @example
 * repeat(tensor([1, 2]), [2, 2]).toArray(); // [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function repeat(x: Tensor, repeats: readonly number[]): Tensor {
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
  const missing = Math.max(0, x.ndim - repeats.length);
  return repeatWhole('tile', x, [...new Array<number>(missing).fill(1), ...repeats]);
}

function repeatWhole(op: string, x: Tensor, repeats: readonly number[]): Tensor {
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
