// Views and copies: the same elements under another shape or in another order, or a slice of them. All are linear.

import { kernels, type Strided } from '@adjoint/kernels-cpu';
import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { defineOp, vjpRule } from '../registry.ts';
import {
  checkAxis,
  checkShape,
  isRowMajor,
  requireList,
  rowMajorStrides,
  type Shape,
  sameShape,
  sizeOf,
  viewStrides,
} from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { noFlops } from './infer.ts';

/** A contiguous copy. */
export const cloneOp = defineOp({
  name: 'clone',
  operands: ['x'],
  infer: (operands) => ({ shape: operands[0].shape, dtype: operands[0].dtype }),
  forward: (inputs, out) => kernels.copy(inputs[0], out),
  layout: 'strided',
  vjps: [vjpRule((g) => g)],
  recycles: true,
  forwardMode: 'linear',
  flops: noFlops,
});

/** The same elements seen under another shape, where the operand's strides allow it without a copy. */
export const reshapeOp = defineOp<readonly ['x'], { readonly to: Shape; readonly from: Shape }>({
  name: 'reshape',
  operands: ['x'],
  infer: (operands, { to }) => ({ shape: to, dtype: operands[0].dtype }),
  view: (x, _, shape) => {
    const strides = viewStrides(x.shape, x.strides, shape);
    if (strides === null) throw notAView('reshape', x, shape);
    return { strides, offset: x.offset };
  },
  vjps: [vjpRule((g, { attrs }) => reshape(g, attrs.from))],
  recycles: true,
  forwardMode: 'linear',
});

/** Axes in another order. */
export const permuteOp = defineOp<readonly ['x'], { readonly axes: readonly number[] }>({
  name: 'permute',
  operands: ['x'],
  infer: (operands, { axes }) => ({
    shape: permuted(operands[0].shape, axes),
    dtype: operands[0].dtype,
  }),
  view: (x, { axes }) => ({ strides: permuted(x.strides, axes), offset: x.offset }),
  vjps: [vjpRule((g, { attrs }) => permute(g, inversePermutation(attrs.axes)))],
  recycles: true,
  forwardMode: 'linear',
});

function permuted(perAxis: readonly number[], axes: readonly number[]): number[] {
  const result = new Array<number>(axes.length);
  for (let i = 0; i < axes.length; i++) result[i] = perAxis[axes[i]];
  return result;
}

function inversePermutation(axes: readonly number[]): number[] {
  const inverse = new Array<number>(axes.length);
  axes.forEach((axis, i) => {
    inverse[axis] = i;
  });
  return inverse;
}

/** Where a strided slice starts and how it steps, per axis of the whole, whose shape it keeps for the adjoint. */
export interface SliceAttrs {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly sizes: readonly number[];
  readonly whole: Shape;
}

/** Every step-th element from a start, per axis; steps may be negative. */
export const sliceOp = defineOp<readonly ['x'], SliceAttrs>({
  name: 'slice',
  operands: ['x'],
  infer: (operands, { sizes }) => ({ shape: sizes, dtype: operands[0].dtype }),
  view: sliceOf,
  cuts: true,
  vjps: [vjpRule((g, { attrs }) => unslice(g, attrs))],
  recycles: true,
  forwardMode: 'linear',
});

/** The adjoint of `slice`: the operand in its place in a tensor of zeros. */
export const unsliceOp = defineOp<readonly ['x'], SliceAttrs>({
  name: 'unslice',
  operands: ['x'],
  infer: (operands, { whole }) => ({ shape: whole, dtype: operands[0].dtype }),
  forward: (inputs, out, attrs) => {
    out.fill(0);
    const whole = { data: out, shape: attrs.whole, strides: rowMajorStrides(attrs.whole), offset: 0 };
    const { strides, offset } = sliceOf(whole, attrs);
    kernels.assign(inputs[0], { data: out, shape: attrs.sizes, strides, offset });
  },
  layout: 'strided',
  vjps: [vjpRule((g, { attrs }) => sliceView(g, attrs))],
  forwardMode: 'linear',
  recycles: true,
  flops: noFlops,
});

/** The view that `attrs` describe; the public functions on top of it check them. */
export function sliceView(x: Tensor, attrs: SliceAttrs): Tensor {
  return apply(sliceOp, [x], attrs);
}

/** The operand in its place in a tensor of zeros: the adjoint of `slice`. */
export function unslice(x: Tensor, attrs: SliceAttrs): Tensor {
  return apply(unsliceOp, [x], attrs);
}

function sliceOf(x: Strided, { starts, steps, sizes }: SliceAttrs): { strides: number[]; offset: number } {
  const strides = x.strides.slice();
  let { offset } = x;
  // A slice without elements has no first one; its start may lie past the end.
  const first = sizeOf(sizes) > 0 ? 1 : 0;
  for (let i = 0; i < starts.length; i++) {
    offset += first * starts[i] * strides[i];
    strides[i] *= steps[i];
  }
  return { strides, offset };
}

/**
 * A contiguous copy with its own array. PyTorch's `Tensor.clone`.
 *
 * @example
 * const a = tensor([1, 2]);
 * clone(a).data === a.data; // false
 */
export function clone(x: Tensor): Tensor {
  return apply(cloneOp, [x], undefined);
}

/** The tensor itself if it is contiguous, else a contiguous copy. PyTorch's `Tensor.contiguous`. */
export function contiguous(x: Tensor): Tensor {
  requireTensor('contiguous', 'x', x);
  return isRowMajor(x.shape, x.strides) ? x : clone(x);
}

/**
 * The same elements in row-major order under another shape; one size may be -1 and is worked out. A view where the
 * operand's strides allow it, else a copy. PyTorch's `torch.reshape`.
 *
 * @throws ShapeError if the number of elements differs or cannot be worked out.
 * @example
 * reshape(tensor([1, 2, 3, 4]), [2, -1]).shape; // [2, 2]
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  requireTensor('reshape', 'x', x);
  requireList(shape, 'reshape', 'shape');
  if (sameShape(shape, x.shape)) return x;
  const to = resolveShape(x, shape, 'reshape');
  if (sameShape(to, x.shape)) return x;
  const source = viewStrides(x.shape, x.strides, to) === null ? clone(x) : x;
  return apply(reshapeOp, [source], { to, from: x.shape });
}

/**
 * The same elements under another shape, without a copy; one size may be -1 and is worked out. PyTorch's `Tensor.view`.
 *
 * @throws ShapeError if the number of elements differs, or if the strides do not allow a view (`reshape` copies then).
 * @example
 * view(zeros([2, 3, 4]), [6, -1]).shape; // [6, 4]
 */
export function view(x: Tensor, shape: Shape): Tensor {
  requireTensor('view', 'x', x);
  const to = resolveShape(x, shape, 'view');
  if (viewStrides(x.shape, x.strides, to) === null) throw notAView('view', x, to);
  return sameShape(to, x.shape) ? x : apply(reshapeOp, [x], { to, from: x.shape });
}

function notAView(op: string, x: Pick<Strided, 'shape' | 'strides'>, shape: Shape): ShapeError {
  return new ShapeError(
    `shape ${formatShape(x.shape)} with strides [${x.strides.join(', ')}] cannot be seen as ${formatShape(shape)} without a copy; use reshape, or contiguous() first.`,
    { op, operand: 'shape', actual: shape, expected: 'a shape that the strides allow' },
  );
}

function resolveShape(x: Tensor, shape: Shape, op: string): Shape {
  requireList(shape, op, 'shape');
  const unknown = shape.indexOf(-1);
  // A copy, which the caller cannot change under the tensor.
  let to = shape.slice();
  if (unknown >= 0) {
    if (shape.includes(-1, unknown + 1)) throw reshapeError(x, shape, op);
    const known = shape.reduce((product, size, i) => (i === unknown ? product : product * size), 1);
    to = shape.map((size, i) => (i === unknown ? x.size / known : size));
    if (known === 0 || !Number.isInteger(to[unknown])) throw reshapeError(x, shape, op);
  }
  checkShape(to, op);
  if (sizeOf(to) !== x.size) throw reshapeError(x, shape, op);
  return to;
}

function reshapeError(x: Tensor, shape: Shape, op: string): ShapeError {
  return new ShapeError(
    `a tensor of shape ${formatShape(x.shape)} has ${x.size} elements, which ${formatShape(shape)} does not hold; the product of the sizes must be ${x.size}, and one size at most may be -1.`,
    { op, operand: 'shape', actual: shape, expected: `${x.size} elements` },
  );
}

/**
 * A view with its axes in another order. PyTorch's `torch.permute`.
 *
 * @param axes each axis once, by number; negative numbers count from the end.
 * @throws ArgumentError unless `axes` names each axis once.
 * @example
 * permute(zeros([2, 3, 4]), [2, 0, 1]).shape; // [4, 2, 3]
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  requireTensor('permute', 'x', x);
  requireList(axes, 'permute', 'axes');
  const order = axes.map((axis) => checkAxis(axis, x.ndim, 'permute'));
  if (order.length !== x.ndim || new Set(order).size !== x.ndim) {
    throw new ArgumentError(
      `axes [${axes.join(', ')}] do not name each of the ${x.ndim} axes of shape ${formatShape(x.shape)} once.`,
      { op: 'permute', operand: 'axes', actual: axes, expected: `a permutation of ${x.ndim} axes` },
    );
  }
  return apply(permuteOp, [x], { axes: order });
}

/**
 * A view with two axes swapped; by default the last two. PyTorch's `torch.transpose`.
 *
 * @throws ArgumentError for an axis out of range.
 * @example
 * transpose(tensor([[1, 2, 3]])).shape; // [3, 1]
 */
export function transpose(x: Tensor, first = -2, second = -1): Tensor {
  requireTensor('transpose', 'x', x);
  const a = checkAxis(first, x.ndim, 'transpose');
  const b = checkAxis(second, x.ndim, 'transpose');
  if (a === b) return x;
  const axes = x.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  return apply(permuteOp, [x], { axes });
}
