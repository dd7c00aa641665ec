// Order: the places of elements in order, all of them or the first few; what is sorted or chosen is gathered from there.

import { kernels } from '@adjoint/kernels-cpu';
import { ArgumentError, formatShape, quote } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, noGradient } from '../registry.ts';
import { checkAxis } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import type { ValuesAndIndices } from './extremes.ts';
import { gatherAlong } from './gather.ts';
import { reshape } from './layout.ts';

const order = noGradient(
  'its result is an order, which does not change continuously; the values in that order have a gradient: sort, topk, or gather.',
);

interface OrderAttrs {
  readonly axis: number;
  readonly direction: 'ascending' | 'descending';
}

/** The places of the elements along an axis in ascending or descending order; equal ones keep theirs, NaN is the largest. */
export const argsortOp = defineOp<readonly ['x'], OrderAttrs>({
  name: 'argsort',
  operands: ['x'],
  infer: ([x]) => ({ shape: x.shape, dtype: 'int32' }),
  forward: ([x], out, { axis, direction }) => kernels.argsort(x, axis, direction, out as Int32Array),
  layout: 'strided',
  vjps: [order],
  recycles: true,
  forwardMode: order,
});

/** The first `k` of the places that `argsort` gives, found without the order of the others. */
export const argtopkOp = defineOp<readonly ['x'], OrderAttrs & { readonly k: number }>({
  name: 'argtopk',
  operands: ['x'],
  infer: ([x], { axis, k }) => ({
    shape: x.shape.map((size, other) => (other === axis ? k : size)),
    dtype: 'int32',
  }),
  forward: ([x], out, { axis, k, direction }) => kernels.argtopk(x, axis, k, direction, out as Int32Array),
  layout: 'strided',
  vjps: [order],
  recycles: true,
  forwardMode: order,
});

/** Options of {@link sort} and {@link argsort}. */
export interface SortOptions {
  /** The axis to sort along; a negative one counts from the end. Default -1. */
  readonly axis?: number | undefined;
  /** Largest first. Default false. */
  readonly descending?: boolean | undefined;
}

/**
 * The places of the elements along an axis in sorted order, as int32. Equal elements keep their order; NaN is the largest.
 * PyTorch's `torch.argsort` with `stable=True`.
 *
 * @throws ArgumentError for an axis out of range.
 * @example
 * argsort(tensor([3, 1, 2])).toArray(); // [1, 2, 0]
 */
export function argsort(x: Tensor, options: SortOptions = noOptions): Tensor {
  requireOptions('argsort', options, { axis: 'number', descending: 'boolean' });
  const { axis = -1, descending = false } = options;
  return reshape(orderOf('argsort', x, axis, descending).indices, x.shape);
}

/**
 * The elements along an axis in sorted order, and their places. Equal elements keep their order; NaN is the largest. PyTorch's
 * `torch.sort` with `stable=True`.
 *
 * @throws ArgumentError for an axis out of range.
 * @example
 * sort(tensor([3, 1, 2])).values.toArray(); // [1, 2, 3]
 */
export function sort(x: Tensor, options: SortOptions = noOptions): ValuesAndIndices {
  requireOptions('sort', options, { axis: 'number', descending: 'boolean' });
  const { axis = -1, descending = false } = options;
  return sorted('sort', x, axis, descending);
}

/** Options of {@link topk}. */
export interface TopkOptions {
  /** The axis to choose along; a negative one counts from the end. Default -1. */
  readonly axis?: number | undefined;
  /** The largest ones rather than the smallest. Default true. */
  readonly largest?: boolean | undefined;
}

/**
 * The k largest (or smallest) elements along an axis, the most extreme first, and their places; of equals the first are taken.
 * PyTorch's `torch.topk`.
 *
 * @throws ArgumentError for an axis out of range, or a k that is no integer from 0 to the size of the axis.
 * @example
 * topk(tensor([3, 1, 2]), 2).values.toArray(); // [3, 2]
 */
export function topk(x: Tensor, k: number, options: TopkOptions = noOptions): ValuesAndIndices {
  requireOptions('topk', options, { axis: 'number', largest: 'boolean' });
  requireTensor('topk', 'x', x);
  const { axis = -1, largest = true } = options;
  const along = checkAxis(axis, x.ndim, 'topk');
  const size = x.shape[along] ?? 1;
  if (!Number.isInteger(k) || k < 0 || k > size) {
    throw new ArgumentError(
      `k is ${quote(k)}; axis ${along} of shape ${formatShape(x.shape)} has ${size} elements, so give an integer from 0 to ${size}.`,
      { op: 'topk', operand: 'k', actual: k, expected: `integer in [0, ${size}]` },
    );
  }
  const line = x.ndim === 0 ? reshape(x, [1]) : x;
  const direction = largest ? 'descending' : 'ascending';
  const indices = apply(argtopkOp, [line], { axis: along, direction, k });
  const values = gatherAlong(line, indices, { axis: along, op: 'topk' });
  // PyTorch's one element of no axes stays one.
  return x.ndim === 0 && k === 1
    ? { values: reshape(values, []), indices: reshape(indices, []) }
    : { values, indices };
}

function sorted(op: string, x: Tensor, axis: number, descending: boolean): ValuesAndIndices {
  const { line, along, indices } = orderOf(op, x, axis, descending);
  const values = gatherAlong(line, indices, { axis: along, op });
  return { values: reshape(values, x.shape), indices: reshape(indices, x.shape) };
}

interface OrderedLine {
  /** The operand, which has one axis at least. */
  readonly line: Tensor;
  readonly along: number;
  readonly indices: Tensor;
}

function orderOf(op: string, x: Tensor, axis: number, descending: boolean): OrderedLine {
  requireTensor(op, 'x', x);
  const along = checkAxis(axis, x.ndim, op);
  const line = x.ndim === 0 ? reshape(x, [1]) : x;
  const direction = descending ? 'descending' : 'ascending';
  return { line, along, indices: apply(argsortOp, [line], { axis: along, direction }) };
}
