// Searching: where values would stand among sorted ones, which elements are not 0, and which values there are. Results are
// places and counts, without gradient; but for searchsorted their shapes depend on values.

import type { NumericArray } from '@adjoint/kernels-cpu';
import { resultType } from '../dtype.ts';
import { formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, noGradient } from '../registry.ts';
import { indexOf, sameShape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { fromArray, requireTensor, type Tensor } from '../tensor.ts';
import { cast } from './cast.ts';
import { ne } from './compare.ts';
import { reshape } from './layout.ts';
import { positionsOf } from './masked.ts';
import { type Operand, toOperand } from './operand.ts';
import { argsort } from './sort.ts';

const places = noGradient(
  'its result is a place, which does not change continuously; use gather to get at what stands there.',
);

/** The number of elements of a sorted row that are below each value (or not above it, with `right`). */
export const searchsortedOp = defineOp<readonly ['sorted', 'values'], { readonly right: boolean }>({
  name: 'searchsorted',
  operands: ['sorted', 'values'],
  infer: ([sorted, values]) => {
    const rows = sorted.shape.slice(0, -1);
    const fits = sorted.shape.length === 1 || sameShape(rows, values.shape.slice(0, -1));
    if (!fits || sorted.shape.length === 0) {
      throw new ShapeError(
        `sorted has shape ${formatShape(sorted.shape)} and values ${formatShape(values.shape)}; sorted has one axis, or a row for each row of the values.`,
        {
          op: 'searchsorted',
          operand: 'sorted',
          actual: sorted.shape,
          expected: 'one axis, or the rows of values',
        },
      );
    }
    return { shape: values.shape, dtype: 'int32', compute: resultType(sorted, values) };
  },
  forward: ([sorted, values], out, { right }) => {
    const length = sorted.shape[sorted.shape.length - 1];
    const rows = sorted.shape.length === 1 ? 1 : sorted.data.length / length;
    const perRow = out.length / rows;
    for (let i = 0; i < out.length; i++) {
      const row = Math.floor(i / perRow) * length;
      out[i] = countBefore(sorted.data, row, length, values.data[i], right);
    }
  },
  vjps: [places, places],
  recycles: true,
  forwardMode: places,
});

// By bisection. NaN stands above all, as in sort.
function countBefore(
  sorted: NumericArray,
  start: number,
  length: number,
  value: number,
  right: boolean,
): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const element = sorted[start + middle];
    const before = right ? !(element > value) : !(element >= value);
    if (Number.isNaN(value) ? right || !Number.isNaN(element) : before && !Number.isNaN(element))
      low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Options of {@link searchsorted}. */
export interface SearchsortedOptions {
  /** Stand after equal elements rather than before them. Default false. */
  readonly right?: boolean | undefined;
}

/**
 * Where values would have to be put into sorted ones to keep the order, as int32. PyTorch's `torch.searchsorted`.
 *
 * @param sorted ascending along its last axis: shape (n,) for all values, or (…, n) with the leading axes of the values.
 * @returns the shape of `values`.
 * @throws ShapeError if there is neither one row nor one for each row of the values.
 * @example
 * searchsorted(tensor([1, 3, 5]), tensor([3, 4])).toArray(); // [1, 2]
 */
export function searchsorted(
  sorted: Tensor,
  values: Operand,
  options: SearchsortedOptions = noOptions,
): Tensor {
  requireOptions('searchsorted', options, { right: 'boolean' });
  const { right = false } = options;
  return apply(searchsortedOp, [sorted, toOperand(values, sorted)], { right });
}

/**
 * The places of the elements that are not 0, in row-major order: one row of coordinates each, as int32. NaN is not 0. PyTorch's
 * `torch.nonzero`.
 *
 * @returns shape (count, ndim).
 * @example
 * nonzero(tensor([[0, 5], [7, 0]])).toArray(); // [[0, 1], [1, 0]]
 */
export function nonzero(x: Tensor): Tensor {
  requireTensor('nonzero', 'x', x);
  const positions = positionsOf(ne(x, 0));
  const rank = x.ndim;
  const places = new Int32Array(positions.length * rank);
  positions.forEach((position, row) => {
    places.set(indexOf(position, x.shape), row * rank);
  });
  return fromArray(places, [positions.length, rank], 'int32');
}

/** The different values of a tensor. */
export interface UniqueValues {
  /** Ascending, without gradient, of the dtype of the operand. */
  readonly values: Tensor;
  /** For each element of the operand its place among the values, int32, of the operand's shape. */
  readonly inverse: Tensor;
  /** How often each value occurs, int32. */
  readonly counts: Tensor;
}

/**
 * The different values of a tensor in ascending order, where each element went, and how often each occurs. Every NaN is a value of
 * its own. PyTorch's `torch.unique` (sorted, over all elements).
 *
 * @example
 * unique(tensor([3, 1, 3])).values.toArray(); // [1, 3]
 */
export function unique(x: Tensor): UniqueValues {
  requireTensor('unique', 'x', x);
  const flat = reshape(x.detach(), [x.size]);
  const elements = flat.toTypedArray();
  const order = argsort(flat).toTypedArray();
  const first: number[] = [];
  const counts: number[] = [];
  const inverse = new Int32Array(x.size);
  for (const place of order) {
    const known = first.length > 0 && elements[place] === elements[first[first.length - 1]];
    if (!known) {
      first.push(place);
      counts.push(0);
    }
    counts[counts.length - 1]++;
    inverse[place] = first.length - 1;
  }
  const values = elements.slice(0, first.length);
  first.forEach((place, i) => {
    values[i] = elements[place];
  });
  const { dtype } = x;
  const held = fromArray(
    values,
    [values.length],
    dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : dtype,
  );
  return {
    values: cast(held, dtype),
    inverse: fromArray(inverse, x.shape, 'int32'),
    counts: fromArray(Int32Array.from(counts), [counts.length], 'int32'),
  };
}
