// Expansion and sum, each the adjoint of the other, and the mean that follows.

import { kernels, type Strided } from '@adjoint/kernels-cpu';
import { type DType, isFloat, toFloatDType } from '../dtype.ts';
import { formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, vjpRule } from '../registry.ts';
import {
  broadcastsTo,
  checkAxes,
  checkShape,
  reducedShape,
  requireList,
  type Shape,
  sameShape,
} from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { div } from './arithmetic.ts';
import { cast, inFloat32 } from './cast.ts';
import { flopsPerElement } from './infer.ts';
import { reshape } from './layout.ts';

/** Options of reductions. */
export interface ReduceOptions {
  /** Axes to reduce; negative ones count from the end. Default: all. */
  readonly axes?: number | readonly number[] | undefined;
  /** Keep reduced axes with size 1. Default false. */
  readonly keepdim?: boolean | undefined;
}

/** What the record of a reduction knows: the axes, sorted and distinct, and the operand's shape. */
export interface ReduceAttrs {
  readonly axes: readonly number[];
  readonly keepdim: boolean;
  readonly from: Shape;
}

/** Works out the attributes of a reduction from its options. */
export function reduceAttrs(x: Tensor, { axes, keepdim = false }: ReduceOptions, op: string): ReduceAttrs {
  requireTensor(op, 'x', x);
  return { axes: checkAxes(axes, x.ndim, op), keepdim, from: x.shape };
}

/** Repeats a reduced tensor over the axes that were reduced. */
export function unreduce(reduced: Tensor, { axes, from }: ReduceAttrs): Tensor {
  return expand(reshape(reduced, reducedShape(from, axes, true)), from);
}

/** Axes of size 1 repeated without a copy, and new leading axes. Its adjoint is the sum over what was repeated. */
export const expandOp = defineOp<readonly ['x'], { readonly to: Shape; readonly from: Shape }>({
  name: 'expand',
  operands: ['x'],
  infer: ([x], { to }) => {
    if (!broadcastsTo(x.shape, to)) {
      throw new ShapeError(
        `shape ${formatShape(x.shape)} does not expand to ${formatShape(to)}; each axis, aligned at the right, must be equal or 1 in the operand.`,
        { op: 'expand', operand: 'x', actual: x.shape, expected: formatShape(to) },
      );
    }
    return { shape: to, dtype: x.dtype };
  },
  view: (x, _, shape) => ({ strides: broadcastStrides(x, shape), offset: x.offset }),
  vjps: [vjpRule((g, { attrs }) => sumTo(g, attrs.from))],
  recycles: true,
  forwardMode: 'linear',
});

function broadcastStrides(x: Strided, shape: Shape): number[] {
  const lead = shape.length - x.shape.length;
  return shape.map((size, i) =>
    i < lead || (x.shape[i - lead] === 1 && size !== 1) ? 0 : x.strides[i - lead],
  );
}

const sumDType = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'int32');

/** Sum over axes. Integers and bool are summed in int32. */
export const sumOp = defineOp<readonly ['x'], ReduceAttrs>({
  name: 'sum',
  operands: ['x'],
  infer: (operands, { axes, keepdim }) => {
    const x = operands[0];
    const dtype = sumDType(x.dtype);
    return { shape: reducedShape(x.shape, axes, keepdim), dtype, compute: dtype };
  },
  forward: (inputs, out, { axes }) => kernels.sum(inputs[0], axes, out),
  layout: 'strided',
  flops: flopsPerElement,
  vjps: [vjpRule((g, { attrs }) => unreduce(g, attrs))],
  recycles: true,
  forwardMode: 'linear',
});

/**
 * Sums over axes, all by default; the sum of no elements is 0. PyTorch's `torch.sum` (integers sum in int32).
 *
 * @throws ArgumentError for axes out of range or named twice.
 * @example
 * sum(tensor([[1, 2], [3, 4]]), { axes: 0 }).toArray(); // [4, 6]
 */
export function sum(x: Tensor, options: ReduceOptions = noOptions): Tensor {
  requireOptions('sum', options, { axes: 'own', keepdim: 'boolean' });
  return apply(sumOp, [x], reduceAttrs(x, options, 'sum'));
}

/**
 * The mean over axes, all by default; of no elements it is NaN. Integers give float32. PyTorch's `torch.mean`.
 *
 * @throws ArgumentError for axes out of range or named twice.
 * @example
 * mean(tensor([[1, 2], [3, 4]]), { axes: 1, keepdim: true }).toArray(); // [[1.5], [3.5]]
 */
export function mean(x: Tensor, options: ReduceOptions = noOptions): Tensor {
  requireTensor('mean', 'x', x);
  requireOptions('mean', options, { axes: 'own', keepdim: 'boolean' });
  // Checked here as well, so that a wrong axis is reported under the name that was called.
  const axes = checkAxes(options.axes, x.ndim, 'mean');
  const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
  // A sum that the operand's type cannot hold may have a mean that it can.
  return inFloat32(cast(x, toFloatDType(x.dtype)), (wide) => div(sum(wide, options), count));
}

/**
 * A view in which axes of size 1 are repeated to `shape`, without a copy. PyTorch's `Tensor.expand`.
 *
 * @param shape sizes aligned at the right; -1 keeps the operand's size.
 * @throws ShapeError if an axis is neither 1 nor of the wanted size.
 * @example
 * expand(tensor([[1], [2]]), [2, 3]).toArray(); // [[1, 1, 1], [2, 2, 2]]
 */
export function expand(x: Tensor, shape: Shape): Tensor {
  requireTensor('expand', 'x', x);
  requireList(shape, 'expand', 'shape');
  const lead = shape.length - x.ndim;
  const to = shape.map((size, i) => (size === -1 && i >= lead ? x.shape[i - lead] : size));
  checkShape(to, 'expand');
  return sameShape(to, x.shape) ? x : apply(expandOp, [x], { to, from: x.shape });
}

/** Sums a broadcast tensor back to `shape`, which broadcasts to its shape: the adjoint of `expand`. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const lead = x.ndim - shape.length;
  const axes: number[] = [];
  for (let i = 0; i < x.ndim; i++) if (i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1)) axes.push(i);
  return reshape(axes.length === 0 ? x : apply(sumOp, [x], { axes, keepdim: false, from: x.shape }), shape);
}
