// Parts of a tensor by position: integers and ranges with steps. All are views.

import { ArgumentError, formatShape, quote, ShapeError } from '../errors.ts';
import { requireOptions } from '../options.ts';
import { checkAxis } from '../shape.ts';
import { requireTensor, Tensor } from '../tensor.ts';
import { reshape, sliceView } from './layout.ts';

/** A range of positions on an axis, as Python's `start:stop:step`. Negative numbers count from the end; what lies outside is cut. */
export interface Range {
  /** First position. Default 0. */
  readonly start?: number | undefined;
  /** Position after the last. Default the size of the axis. */
  readonly stop?: number | undefined;
  /** Distance between positions, at least 1 (`flip` reverses). Default 1. */
  readonly step?: number | undefined;
}

/**
 * What to take of an axis: a position, which drops the axis; a range; or null for all of it. `'...'` stands for all axes that no other
 * entry is for.
 */
export type SliceIndex = number | Range | null | '...';

/** A range as a first position, a step and a count, all known to lie inside the axis. */
interface Span {
  readonly start: number;
  readonly step: number;
  readonly size: number;
}

/**
 * Takes a position, a range or all of each axis; axes that are not mentioned stay whole. A view. Basic indexing of
 * PyTorch, `x[1, 2:8:2, :]` and `x[..., -1]`.
 *
 * @param indices one entry per leading axis: an integer (negative counts from the end), a {@link Range}, or null for all. What comes after
 *   `'...'`, which may stand once, is for the last axes.
 * @throws ArgumentError for a position out of range, for a start, stop or step that is no integer, for a step below 1, and for what is
 *   no list of such entries; ShapeError for more entries than axes.
 * @example
 * const x = tensor([[1, 2, 3, 4], [5, 6, 7, 8]]);
 * slice(x, [1]).toArray(); // [5, 6, 7, 8]
 * slice(x, [null, { start: 1, step: 2 }]).toArray(); // [[2, 4], [6, 8]]
 * slice(x, ['...', -1]).toArray(); // [4, 8]
 */
export function slice(x: Tensor, indices: readonly SliceIndex[]): Tensor {
  requireTensor('slice', 'x', x);
  requireEntries('slice', indices);
  const entries = withoutEllipsis('slice', indices, x.ndim);
  if (entries.length > x.ndim) {
    throw new ShapeError(
      `there are ${entries.length} indices for the ${x.ndim} axes of shape ${formatShape(x.shape)}; give one per axis at most.`,
      { op: 'slice', operand: 'indices', actual: entries.length, expected: `at most ${x.ndim} indices` },
    );
  }
  const spans = x.shape.map((size, axis) => spanOf(entries[axis] ?? null, size, axis));
  const part = takeSpans(x, spans);
  const kept = part.shape.filter((_, axis) => typeof entries[axis] !== 'number');
  return reshape(part, kept);
}

/** The entries with a null in the place of `'...'` for each axis that no other entry is for. */
export function withoutEllipsis<Entry>(
  op: string,
  entries: readonly (Entry | null | '...')[],
  ndim: number,
): readonly (Entry | null)[] {
  const place = entries.indexOf('...');
  // Every slice comes through here, and few have one.
  if (place < 0) return entries as readonly (Entry | null)[];
  if (entries.includes('...', place + 1)) {
    const count = entries.filter((entry) => entry === '...').length;
    throw new ArgumentError(
      `'...' stands ${count} times among the indices; once is for all axes that are left.`,
      { op, operand: 'indices', actual: count, expected: "'...' at most once" },
    );
  }
  const rest = new Array<null>(Math.max(0, ndim + 1 - entries.length)).fill(null);
  return [...entries.slice(0, place), ...rest, ...entries.slice(place + 1)] as (Entry | null)[];
}

function spanOf(index: number | Range | null, size: number, axis: number): Span {
  if (index === null) return { start: 0, step: 1, size };
  if (typeof index === 'number')
    return { start: checkPosition('slice', index, size, axis), step: 1, size: 1 };
  requireRange(index, axis);
  const { start = 0, stop = size, step = 1 } = index;
  for (const [name, value] of Object.entries({ start, stop, step })) {
    if (Number.isInteger(value) && (name !== 'step' || value > 0)) continue;
    throw new ArgumentError(
      `${name} of the range on axis ${axis} is ${value}; it takes ${name === 'step' ? 'a positive integer (flip reverses an axis)' : 'an integer'}.`,
      {
        op: 'slice',
        operand: `indices[${axis}].${name}`,
        actual: value,
        expected: name === 'step' ? 'an integer >= 1' : 'an integer',
      },
    );
  }
  const first = clip(start, size);
  return { start: first, step, size: Math.max(0, Math.ceil((clip(stop, size) - first) / step)) };
}

/** Throws for positions in a row, as `Array.prototype.slice` and Python take them: they would be passed over in silence. */
export function requireEntries(op: string, indices: readonly unknown[]): void {
  if (Array.isArray(indices)) return;
  throw new ArgumentError(
    `indices is ${quote(indices)}; give a list with an entry per axis, such as [0], [{ start: 1, stop: 3 }] or [null, 0].`,
    { op, operand: 'indices', actual: indices, expected: 'a list of positions, ranges and nulls' },
  );
}

function requireRange(range: Range, axis: number): void {
  if (typeof range === 'object' && !Array.isArray(range) && !(range instanceof Tensor)) {
    requireOptions('slice', range, { start: 'number', stop: 'number', step: 'number' });
    return;
  }
  throw new ArgumentError(
    `indices[${axis}] is ${showEntry(range)}; give a position, a range { start, stop, step }, null, or '...' for all axes that are left. For a list of positions, give index() an int32 tensor of them.`,
    {
      op: 'slice',
      operand: `indices[${axis}]`,
      actual: range,
      expected: "an integer, a range, null or '...'",
    },
  );
}

function showEntry(entry: unknown): string {
  if (entry instanceof Tensor) return 'a tensor';
  if (Array.isArray(entry)) return 'an array';
  return typeof entry === 'string' ? JSON.stringify(entry) : String(entry);
}

// Counts a negative position from the end and brings what lies outside to the nearest end.
function clip(position: number, size: number): number {
  return Math.min(size, Math.max(0, position < 0 ? position + size : position));
}

function checkPosition(op: string, index: number, size: number, axis: number): number {
  if (Number.isInteger(index) && index >= -size && index < size) return index < 0 ? index + size : index;
  const legal = size === 0 ? 'no index, as it is empty' : `integers from ${-size} to ${size - 1}`;
  throw new ArgumentError(
    `index ${quote(index)} is outside axis ${axis} of size ${size}, which takes ${legal}.`,
    {
      op,
      operand: 'index',
      actual: index,
      expected: legal,
    },
  );
}

function takeSpans(x: Tensor, spans: readonly Span[]): Tensor {
  if (spans.every(({ start, step, size }, axis) => start === 0 && step === 1 && size === x.shape[axis]))
    return x;
  return sliceView(x, {
    starts: spans.map(({ start }) => start),
    steps: spans.map(({ step }) => step),
    sizes: spans.map(({ size }) => size),
    whole: x.shape,
  });
}

/** Every `step`-th position of one axis from `start` on, `size` of them; the caller knows that they lie inside. */
export function sliceAxis(x: Tensor, axis: number, span: Span): Tensor {
  return takeSpans(
    x,
    x.shape.map((size, i) => (i === axis ? span : { start: 0, step: 1, size })),
  );
}

/**
 * One position of an axis, which is dropped. A view. PyTorch's `torch.select`.
 *
 * @throws ArgumentError for an axis or an index out of range; ShapeError for a 0-d tensor.
 * @example
 * select(tensor([[1, 2], [3, 4]]), 1, -1).toArray(); // [2, 4]
 */
export function select(x: Tensor, axis: number, index: number): Tensor {
  requireAxes('select', x);
  const at = checkAxis(axis, x.ndim, 'select');
  const start = checkPosition('select', index, x.shape[at], at);
  return dropAxis(sliceAxis(x, at, { start, step: 1, size: 1 }), at);
}

/**
 * `length` positions of an axis from `start` on. A view. PyTorch's `torch.narrow`.
 *
 * @param start may count from the end if negative.
 * @throws ArgumentError for an axis out of range, or a start and length that do not lie inside it; ShapeError for a 0-d tensor.
 * @example
 * narrow(tensor([1, 2, 3, 4]), 0, 1, 2).toArray(); // [2, 3]
 */
export function narrow(x: Tensor, axis: number, start: number, length: number): Tensor {
  requireAxes('narrow', x);
  const at = checkAxis(axis, x.ndim, 'narrow');
  const size = x.shape[at];
  const first = typeof start === 'number' && start < 0 ? start + size : start;
  if (
    !Number.isInteger(first) ||
    !Number.isInteger(length) ||
    first < 0 ||
    length < 0 ||
    first + length > size
  ) {
    throw new ArgumentError(
      `start ${quote(start)} and length ${quote(length)} do not lie inside axis ${at} of size ${size}; start + length may be at most ${size}.`,
      { op: 'narrow', operand: 'length', actual: [start, length], expected: `start + length <= ${size}` },
    );
  }
  return sliceAxis(x, at, { start: first, step: 1, size: length });
}

/** The tensor without an axis of one position. */
export function dropAxis(x: Tensor, axis: number): Tensor {
  return reshape(
    x,
    x.shape.filter((_, i) => i !== axis),
  );
}

/** @throws ShapeError for a 0-d tensor. */
export function requireAxes(op: string, x: Tensor): void {
  requireTensor(op, 'x', x);
  if (x.ndim > 0) return;
  throw new ShapeError('the tensor has no axes to take a part of; reshape it to [1] first.', {
    op,
    operand: 'x',
    actual: [],
    expected: 'at least one axis',
  });
}
