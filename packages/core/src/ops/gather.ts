// Reading and writing where an index tensor says, element by element along one axis. `gather` and `scatterSum` are each
// other's adjoints.

import { kernels } from '@adjoint/kernels-cpu';
import { DTypeError, formatShape, ShapeError } from '../errors.ts';
import type { OperandSpec } from '../record.ts';
import { defineOp, noGradient, vjpRule } from '../registry.ts';
import { checkAxis, type Shape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { makeTensor } from '../tape/tracing.ts';
import { fromArray, requireTensor, type Tensor } from '../tensor.ts';
import { add } from './arithmetic.ts';
import { cast } from './cast.ts';
import { eq } from './compare.ts';
import { expand } from './expand-sum.ts';
import { asStrided, readIndices, requireIndex } from './index-values.ts';
import { flopsPerElement, inferSame, noFlops } from './infer.ts';
import { reshape, sliceView } from './layout.ts';
import { logicalOr } from './logic.ts';
import { type Operand, toOperand } from './operand.ts';
import { where } from './select.ts';

const indexHasNone = noGradient(
  'it chooses positions, which do not change continuously; detach what it was computed from.',
);

/** The axis that an index runs along, and the function that the user called. */
export interface GatherAttrs {
  readonly axis: number;
  readonly op: string;
}

/** `out[…, i, …] = x[…, index[…, i, …], …]`. */
export const gatherOp = defineOp<readonly ['x', 'index'], GatherAttrs & { readonly from: Shape }>({
  name: 'gather',
  operands: ['x', 'index'],
  infer: ([x, index], { axis, op }) => {
    requireIndex(op, 'index', index);
    requireInside(op, index, x, axis);
    return { shape: index.shape, dtype: x.dtype };
  },
  forward: ([x, index], out, { axis, op }) => {
    const values = readIndices(index, { op, operand: 'index', size: x.shape[axis] });
    kernels.gather(x, axis, asStrided(values, index.shape), out);
  },
  layout: 'strided',
  vjps: [
    vjpRule('index', (g, index, { attrs: { axis, op, from } }) =>
      scatterSum(g, index, { axis, op, shape: from }),
    ),
    indexHasNone,
  ],
  recycles: true,
  forwardMode: 'linear',
  flops: noFlops,
});

/** `out[…, index[…, i, …], …] += source[…, i, …]` on zeros of a given shape: the adjoint of `gather`. */
export const scatterSumOp = defineOp<readonly ['source', 'index'], GatherAttrs & { readonly shape: Shape }>({
  name: 'scatterSum',
  operands: ['source', 'index'],
  infer: ([source, index], { axis, op, shape }) => {
    requireIndex(op, 'index', index);
    requireInside(op, index, { ...index, shape }, axis);
    requireSourceShape(op, source, index);
    return { shape, dtype: inferSame(op)([source]).dtype };
  },
  forward: ([source, index], out, { axis, op, shape }) => {
    const values = readIndices(index, { op, operand: 'index', size: shape[axis] });
    kernels.scatterAdd(source, axis, asStrided(values, index.shape), out, shape);
  },
  layout: 'strided',
  vjps: [
    vjpRule('index', (g, index, { attrs: { axis, op } }) => gatherAlong(g, index, { axis, op })),
    indexHasNone,
  ],
  forwardMode: 'linear',
  flops: flopsPerElement,
});

/** As {@link scatterSum}, but the last of several elements for one place stands alone, and the rest of `x` stays. */
export const scatterOp = defineOp<readonly ['x', 'index', 'source'], GatherAttrs>({
  name: 'scatter',
  operands: ['x', 'index', 'source'],
  infer: ([x, index, source], { axis, op }) => {
    requireIndex(op, 'index', index);
    requireInside(op, index, x, axis);
    requireSourceShape(op, source, index);
    requireSameType(op, source, x);
    return { shape: x.shape, dtype: x.dtype };
  },
  forward: ([x, index, source], out, { axis, op }) => {
    const values = readIndices(index, { op, operand: 'index', size: x.shape[axis] });
    kernels.copy(x, out);
    kernels.scatter(source, axis, asStrided(values, index.shape), out, x.shape);
  },
  layout: 'strided',
  vjps: [
    vjpRule('index', (g, index, { attrs }) => write(g, index, filled(0, g, index.shape), attrs)),
    indexHasNone,
    vjpRule('index', (g, index, { attrs }) => {
      const { numbers, writers } = lastWriters(index, g.shape, attrs);
      return where(eq(numbers, writers), gatherAlong(g, index, attrs), 0);
    }),
  ],
  recycles: true,
  forwardMode: 'linear',
  flops: noFlops,
});

function write(x: Tensor, index: Tensor, source: Tensor, attrs: GatherAttrs): Tensor {
  return apply(scatterOp, [x, index, source], attrs);
}

// Elements that were written over have no influence. Which those are shows a scatter of their numbers: each place keeps
// the number of whoever wrote it last.
function lastWriters(
  index: Tensor,
  shape: Shape,
  attrs: GatherAttrs,
): { readonly numbers: Tensor; readonly writers: Tensor } {
  const numbers = makeTensor('numbers', [], { shape: index.shape, dtype: 'int32' }, () =>
    fromArray(
      Int32Array.from({ length: index.size }, (_, i) => i),
      index.shape,
      'int32',
    ),
  );
  const places = write(filled(-1, numbers, shape), index, numbers, attrs);
  return { numbers, writers: gatherAlong(places, index, attrs) };
}

// A number as a tensor of a shape, in the type of another tensor.
function filled(value: number, like: Tensor, shape: Shape): Tensor {
  return expand(toOperand(value, like), shape);
}

function requireInside(op: string, index: OperandSpec, x: OperandSpec, axis: number): void {
  const fits =
    index.shape.length === x.shape.length && index.shape.every((size, i) => i === axis || size <= x.shape[i]);
  if (fits) return;
  throw new ShapeError(
    `index has shape ${formatShape(index.shape)}, which does not lie inside ${formatShape(x.shape)}: it needs as many axes, none of them longer but axis ${axis}.`,
    {
      op,
      operand: 'index',
      actual: index.shape,
      expected: `at most ${formatShape(x.shape)} off axis ${axis}`,
    },
  );
}

function requireSourceShape(op: string, source: OperandSpec, index: OperandSpec): void {
  const { shape } = source;
  if (shape.length === index.shape.length && shape.every((size, i) => size === index.shape[i])) return;
  throw sourceError(op, source, index);
}

function sourceError(op: string, source: OperandSpec, index: OperandSpec): ShapeError {
  return new ShapeError(
    `source has shape ${formatShape(source.shape)} and index ${formatShape(index.shape)}; there must be a source element for every index.`,
    { op, operand: 'source', actual: source.shape, expected: `at least ${formatShape(index.shape)}` },
  );
}

function requireSameType(op: string, source: OperandSpec, x: OperandSpec): void {
  if (source.dtype === x.dtype) return;
  throw new DTypeError(`source is ${source.dtype} and x is ${x.dtype}; convert it with to('${x.dtype}').`, {
    op,
    operand: 'source',
    actual: source.dtype,
    expected: x.dtype,
  });
}

/** The adjoint of {@link gatherAlong}: adds the elements of `source` at their places in zeros of `shape`. */
export function scatterSum(
  source: Tensor,
  index: Tensor,
  attrs: GatherAttrs & { readonly shape: Shape },
): Tensor {
  return apply(scatterSumOp, [source, index], attrs);
}

/** `gather` on behalf of the function `attrs.op`, whose name errors will carry. */
export function gatherAlong(x: Tensor, index: Tensor, { axis, op }: GatherAttrs): Tensor {
  return apply(gatherOp, [x, index], { axis, op, from: x.shape });
}

/**
 * Picks elements along an axis: `out[i][j] = x[index[i][j]][j]` for axis 0 of a matrix. PyTorch's `torch.gather`.
 *
 * @param index int32, of the rank of `x`, no longer than it on any other axis; the result has its shape.
 * @throws ArgumentError for an axis or an index out of range (negative ones are); ShapeError for an index of another rank or
 *   too long; DTypeError for an index that is not int32.
 * @example
 * gather(tensor([[1, 2], [3, 4]]), 1, tensor([[1], [0]], { dtype: 'int32' })).toArray(); // [[2], [3]]
 */
export function gather(x: Tensor, axis: number, index: Tensor): Tensor {
  requireTensor('gather', 'x', x);
  requireTensor('gather', 'index', index);
  const along = checkAxis(axis, x.ndim, 'gather');
  const attrs = { axis: along, op: 'gather' };
  if (x.ndim > 0 || index.ndim > 0) return gatherAlong(x, index, attrs);
  return reshape(gatherAlong(reshape(x, [1]), reshape(index, [1]), attrs), []);
}

/**
 * Writes elements along an axis: `out[index[i][j]][j] = source[i][j]` for axis 0 of a matrix, and `x` elsewhere. Of several
 * elements for one place the last in row-major order stands. PyTorch's `torch.scatter`.
 *
 * @param index int32, of the rank of `x`, no longer than it on any other axis.
 * @param source a number, or a tensor of the dtype of `x`, at least as long as `index` on every axis; the rest is not read.
 * @throws ArgumentError, ShapeError, DTypeError as {@link gather}, also for a source that does not fit.
 * @example
 * scatter(zeros([3]), 0, tensor([2, 0], { dtype: 'int32' }), tensor([5, 7])).toArray(); // [7, 0, 5]
 */
export function scatter(x: Tensor, axis: number, index: Tensor, source: Operand): Tensor {
  requireTensor('scatter', 'x', x);
  requireTensor('scatter', 'index', index);
  if (typeof source !== 'number') requireTensor('scatter', 'source', source);
  const along = checkAxis(axis, x.ndim, 'scatter');
  const values =
    typeof source === 'number' ? filled(source, x, index.shape) : cutTo('scatter', source, index);
  return write(x, index, values, { axis: along, op: 'scatter' });
}

/**
 * Adds elements along an axis: `out[index[i][j]][j] += source[i][j]` for axis 0 of a matrix, starting from `x`. PyTorch's
 * `torch.scatter_add`.
 *
 * @param index int32, of the rank of `x`, no longer than it on any other axis.
 * @param source of the dtype of `x`, at least as long as `index` on every axis; the rest is not read.
 * @throws ArgumentError, ShapeError, DTypeError as {@link scatter}.
 * @example
 * scatterAdd(zeros([2]), 0, tensor([1, 1], { dtype: 'int32' }), tensor([5, 7])).toArray(); // [0, 12]
 */
export function scatterAdd(x: Tensor, axis: number, index: Tensor, source: Tensor): Tensor {
  requireTensor('scatterAdd', 'x', x);
  requireTensor('scatterAdd', 'index', index);
  requireTensor('scatterAdd', 'source', source);
  const op = 'scatterAdd';
  const along = checkAxis(axis, x.ndim, op);
  requireSameType(op, source, x);
  const added = cutTo(op, source, index);
  const attrs = { axis: along, op, shape: x.shape };
  // Bools are counted, for a byte would overflow.
  if (x.dtype !== 'bool') return add(x, scatterSum(added, index, attrs));
  return logicalOr(x, scatterSum(cast(added, 'int32'), index, attrs));
}

// The corner of the source that the index covers.
function cutTo(op: string, source: Tensor, index: Tensor): Tensor {
  const covers = source.ndim === index.ndim && source.shape.every((size, i) => size >= index.shape[i]);
  if (!covers) throw sourceError(op, source, index);
  if (source.shape.every((size, i) => size === index.shape[i])) return source;
  return sliceView(source, {
    starts: source.shape.map(() => 0),
    steps: source.shape.map(() => 1),
    sizes: index.shape,
    whole: source.shape,
  });
}
