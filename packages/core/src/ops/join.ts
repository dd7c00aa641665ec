// Tensors laid side by side along an axis.

import { kernels } from '@adjoint/kernels-cpu';
import { promoteTypes } from '../dtype.ts';
import { ArgumentError, formatShape, quote, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import type { OperandSpec } from '../record.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { checkAxis, rowMajorStrides, type Shape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { noFlops } from './infer.ts';
import { reshape } from './layout.ts';
import { narrow } from './slice.ts';
import type { AxisOptions } from './split.ts';

/** What the record of `cat` knows: the axis, and where each operand begins on it. */
export interface CatAttrs {
  readonly axis: number;
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
}

/** Operands one after another along an axis; the type is the common one. The adjoint cuts them apart again. */
export const catOp = defineOp<readonly ['...tensors'], CatAttrs>({
  name: 'cat',
  operands: ['...tensors'],
  infer: (tensors, { axis }) => {
    const [first] = tensors;
    tensors.forEach((tensor, i) => {
      if (!fits(tensor.shape, first.shape, axis)) throw misfitError(tensor, i, first, axis);
    });
    const dtype = tensors.reduce((common, { dtype }) => promoteTypes(common, dtype), first.dtype);
    const along = tensors.reduce((total, { shape }) => total + shape[axis], 0);
    return {
      shape: first.shape.map((size, i) => (i === axis ? along : size)),
      dtype,
      compute: dtype,
    };
  },
  forward: (tensors, out, { axis, starts }, shape) => {
    const strides = rowMajorStrides(shape);
    tensors.forEach((tensor, i) => {
      kernels.assign(tensor, { data: out, shape: tensor.shape, strides, offset: starts[i] * strides[axis] });
    });
  },
  layout: 'strided',
  vjps: [vjpRule((g, { attrs }, i) => narrow(g, attrs.axis, attrs.starts[i], attrs.sizes[i]))],
  recycles: true,
  forwardMode: 'linear',
  flops: noFlops,
});

function fits(shape: Shape, first: Shape, axis: number): boolean {
  return shape.length === first.length && shape.every((size, i) => i === axis || size === first[i]);
}

function misfitError(tensor: OperandSpec, index: number, first: OperandSpec, axis: number): ShapeError {
  return new ShapeError(
    `tensors[${index}] has shape ${formatShape(tensor.shape)} and tensors[0] ${formatShape(first.shape)}; all sizes but that of axis ${axis} must be equal.`,
    {
      op: 'cat',
      operand: `tensors[${index}]`,
      actual: tensor.shape,
      expected: `${formatShape(first.shape)} but for axis ${axis}`,
    },
  );
}

/**
 * Lays tensors one after another along an axis, in their common type. PyTorch's `torch.cat`.
 *
 * Tensors of shape (0,) are left out, whatever the shape of the others.
 *
 * @throws ArgumentError for an empty list or an axis out of range; ShapeError if sizes off the axis differ, or for a 0-d tensor.
 * @example
 * cat([tensor([1, 2]), tensor([3])]).toArray(); // [1, 2, 3]
 */
export function cat(tensors: readonly Tensor[], options: AxisOptions = noOptions): Tensor {
  requireOptions('cat', options, { axis: 'number' });
  const { axis = 0 } = options;
  requireSome('cat', tensors);
  requireTensors('cat', tensors);
  const scalar = tensors.findIndex((tensor) => tensor.ndim === 0);
  if (scalar >= 0) {
    throw new ShapeError(`tensors[${scalar}] has no axes to join along; use stack, which makes one.`, {
      op: 'cat',
      operand: `tensors[${scalar}]`,
      actual: [],
      expected: 'at least one axis',
    });
  }
  const filled = tensors.filter((tensor) => tensor.ndim !== 1 || tensor.size > 0);
  const parts = filled.length === 0 ? tensors : filled;
  const along = checkAxis(axis, parts[0].ndim, 'cat');
  const sizes = parts.map(({ shape }) => shape[along] ?? 0);
  let next = 0;
  const starts = sizes.map((size) => {
    next += size;
    return next - size;
  });
  return apply(catOp, parts, { axis: along, starts, sizes });
}

/**
 * Lays tensors of one shape along a new axis. PyTorch's `torch.stack`.
 *
 * @param options.axis the place of the new axis in the result. Default 0.
 * @throws ArgumentError for an empty list or an axis out of range; ShapeError if shapes differ.
 * @example
 * stack([tensor([1, 2]), tensor([3, 4])], { axis: 1 }).toArray(); // [[1, 3], [2, 4]]
 */
export function stack(tensors: readonly Tensor[], options: AxisOptions = noOptions): Tensor {
  requireOptions('stack', options, { axis: 'number' });
  const { axis = 0 } = options;
  requireSome('stack', tensors);
  requireTensors('stack', tensors);
  const [{ shape }] = tensors;
  const at = checkAxis(axis, shape.length + 1, 'stack');
  const rows = tensors.map((tensor, i) => {
    if (tensor.ndim === shape.length && tensor.shape.every((size, k) => size === shape[k]))
      return reshape(tensor, [...shape.slice(0, at), 1, ...shape.slice(at)]);
    throw new ShapeError(
      `tensors[${i}] has shape ${formatShape(tensor.shape)} and tensors[0] ${formatShape(shape)}; stacked tensors have one shape.`,
      { op: 'stack', operand: `tensors[${i}]`, actual: tensor.shape, expected: formatShape(shape) },
    );
  });
  return cat(rows, { axis: at });
}

function requireSome(op: string, tensors: readonly Tensor[]): void {
  if (!Array.isArray(tensors)) {
    throw new ArgumentError(`tensors is ${quote(tensors)}; give a list of tensors: ${op}([a, b]).`, {
      op,
      operand: 'tensors',
      actual: tensors,
      expected: 'a list of tensors',
    });
  }
  if (tensors.length > 0) return;
  throw new ArgumentError('the list of tensors is empty; give at least one.', {
    op,
    operand: 'tensors',
    actual: tensors,
    expected: 'at least one tensor',
  });
}

function requireTensors(op: string, tensors: readonly unknown[]): void {
  for (const [i, tensor] of tensors.entries()) requireTensor(op, `tensors[${i}]`, tensor);
}
