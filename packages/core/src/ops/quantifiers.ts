// Whether any of the elements are true, or all of them, and how many.

import { kernels, type NumericArray, type Strided } from '@adjoint/kernels-cpu';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, noGradient, type Op } from '../registry.ts';
import { reducedShape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { ne } from './compare.ts';
import { type ReduceAttrs, type ReduceOptions, reduceAttrs, sumOp } from './expand-sum.ts';
import { flopsPerElement } from './infer.ts';

const constant = noGradient('its result is bool, constant but for jumps.');

function quantifier(
  name: string,
  run: (x: Strided, axes: readonly number[], out: NumericArray) => void,
): Op<ReduceAttrs> {
  return defineOp({
    name,
    operands: ['x'],
    infer: ([x], { axes, keepdim }) => ({ shape: reducedShape(x.shape, axes, keepdim), dtype: 'bool' }),
    forward: ([x], out, { axes }) => run(x, axes, out),
    layout: 'strided',
    flops: flopsPerElement,
    vjps: [constant],
    forwardMode: constant,
  });
}

/** Whether some element is not 0; NaN is not 0. False of no elements. */
export const anyOp = quantifier('any', (x, axes, out) => kernels.any(x, axes, out));
/** Whether no element is 0; NaN is not 0. True of no elements. */
export const allOp = quantifier('all', (x, axes, out) => kernels.all(x, axes, out));

/**
 * Whether some element is true over axes, all by default, as bool; numbers other than 0, NaN included, count as true. False
 * of no elements. PyTorch's `torch.any`, whose result for uint8 is uint8.
 *
 * @throws ArgumentError for axes out of range or named twice.
 * @example
 * any(tensor([[0, 1], [0, 0]]), { axes: 1 }).toArray(); // [1, 0]
 */
export function any(x: Tensor, options: ReduceOptions = noOptions): Tensor {
  requireOptions('any', options, { axes: 'own', keepdim: 'boolean' });
  return apply(anyOp, [x], reduceAttrs(x, options, 'any'));
}

/**
 * Whether every element is true over axes, all by default, as bool. True of no elements. PyTorch's `torch.all`. Numbers,
 * errors as {@link any}.
 *
 * @example
 * all(tensor([[2, 1], [0, 1]]), { axes: 1 }).toArray(); // [1, 0]
 */
export function all(x: Tensor, options: ReduceOptions = noOptions): Tensor {
  requireOptions('all', options, { axes: 'own', keepdim: 'boolean' });
  return apply(allOp, [x], reduceAttrs(x, options, 'all'));
}

/**
 * The number of elements that are not 0 over axes, all by default, as int32; NaN is not 0. PyTorch's `torch.count_nonzero`.
 *
 * @throws ArgumentError for axes out of range or named twice.
 * @example
 * countNonzero(tensor([[0, 1], [2, 3]]), { axes: 1 }).toArray(); // [1, 2]
 */
export function countNonzero(x: Tensor, options: ReduceOptions = noOptions): Tensor {
  requireOptions('countNonzero', options, { axes: 'own', keepdim: 'boolean' });
  requireTensor('countNonzero', 'x', x);
  return apply(sumOp, [ne(x, 0)], reduceAttrs(x, options, 'countNonzero'));
}
