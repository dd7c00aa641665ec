// The median: of an even number of elements the lower of the two in the middle, as in PyTorch.

import { kernels } from '@adjoint/kernels-cpu';
import { isFloat } from '../dtype.ts';
import { requireOptions } from '../options.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { checkAxis, reducedShape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { mul } from './arithmetic.ts';
import { isnan } from './compare.ts';
import { type ReduceAttrs, reduceAttrs, sum, unreduce } from './expand-sum.ts';
import { type AlongOptions, argmax, requireElements, shares, type ValuesAndIndices } from './extremes.ts';
import { gatherAlong } from './gather.ts';
import { reshape } from './layout.ts';
import { any } from './quantifiers.ts';
import { where } from './select.ts';
import { narrow } from './slice.ts';
import { argsortOp } from './sort.ts';

/** The median of all elements; NaN if there is one, or no element. Elements equal to it share the gradient alike. */
export const medianOp = defineOp<readonly ['x'], ReduceAttrs>({
  name: 'median',
  operands: ['x'],
  infer: ([x], { axes }) => {
    // Integers have no NaN for the median of nothing.
    if (!isFloat(x.dtype)) for (const axis of axes) requireElements('median', x.shape, axis);
    return { shape: [], dtype: x.dtype };
  },
  forward: ([x], out) => {
    const count = x.data.length;
    const order = new Int32Array(count);
    kernels.argsort({ data: x.data, shape: [count], strides: [1], offset: 0 }, 0, 'ascending', order);
    // NaN stands last.
    const last = count === 0 ? Number.NaN : x.data[order[count - 1]];
    out[0] = Number.isNaN(last) ? Number.NaN : x.data[order[(count - 1) >> 1]];
  },
  vjps: [vjpRule('x', 'output', (g, x, y, { attrs }) => mul(shares(x, y, attrs), unreduce(g, attrs)))],
  recycles: true,
  forwardMode: ([tangent], [x], y, { attrs }) => sum(mul(shares(x, y, attrs), tangent!)),
});

/**
 * The median of all elements, or, with an axis, the medians along it and their places. Of an even number of elements it is
 * the lower of the two in the middle; if there is a NaN, it is NaN. PyTorch's `torch.median`: of all elements, those equal to
 * the median share the gradient alike; along an axis the one at the place given gets all of it.
 *
 * @throws ArgumentError for an axis out of range or without elements.
 * @example
 * median(tensor([[1, 5], [7, 2]])).item(); // 2
 * median(tensor([[1, 5], [7, 2]]), { axis: 1 }).indices.toArray(); // [0, 1]
 */
export function median(x: Tensor): Tensor;
export function median(x: Tensor, options: AlongOptions): ValuesAndIndices;
export function median(x: Tensor, options?: AlongOptions): Tensor | ValuesAndIndices {
  requireTensor('median', 'x', x);
  if (options === undefined) return apply(medianOp, [x], reduceAttrs(x, {}, 'median'));
  requireOptions('median', options, { axis: 'number', keepdim: 'boolean' });
  const line = x.ndim === 0 ? reshape(x, [1]) : x;
  const axis = checkAxis(options.axis, x.ndim, 'median');
  requireElements('median', line.shape, axis);
  const sorted = apply(argsortOp, [line], { axis, direction: 'ascending' });
  const middle = narrow(sorted, axis, (line.shape[axis] - 1) >> 1, 1);
  // NaN counts as largest, so that argmax finds the first.
  const spoilt = any(isnan(line), { axes: axis, keepdim: true });
  const indices = where(spoilt, argmax(line, { axis, keepdim: true }), middle);
  const values = gatherAlong(line, indices, { axis, op: 'median' });
  const shape = reducedShape(x.shape, [axis], options.keepdim ?? false);
  return { values: reshape(values, shape), indices: reshape(indices, shape) };
}
