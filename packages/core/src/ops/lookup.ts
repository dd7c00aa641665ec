// Whole slices picked by a list of positions: indexSelect, embedding, take, and oneHot, which marks positions.

import { kernels } from '@adjoint/kernels-cpu';
import { requireInteger } from '../arguments.ts';
import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import type { OperandSpec } from '../record.ts';
import { defineOp, noGradient, vjpRule } from '../registry.ts';
import { checkAxis, type Shape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { eq } from './compare.ts';
import { type IndexRule, readIndices, readWrappedIndices, requireIndex } from './index-values.ts';
import { flopsPerElement, inferSame, noFlops } from './infer.ts';
import { reshape } from './layout.ts';
import { where } from './select.ts';

const indexHasNone = noGradient(
  'it chooses positions, which do not change continuously; detach what it was computed from.',
);

/** The axis that positions name, and the function that the user called. */
export interface SelectAttrs {
  readonly axis: number;
  readonly op: string;
}

/** `out[…, j, …] = x[…, index[j], …]`. */
export const indexSelectOp = defineOp<readonly ['x', 'index'], SelectAttrs & { readonly from: Shape }>({
  name: 'indexSelect',
  operands: ['x', 'index'],
  infer: ([x, index], { axis, op }) => {
    requirePositions(op, index);
    return { shape: withSize(x.shape, axis, index.shape[0]), dtype: x.dtype };
  },
  forward: ([x, index], out, { axis, op }) => {
    kernels.indexSelect(x, axis, readIndices(index, rule(op, x.shape[axis])), out);
  },
  layout: 'strided',
  vjps: [
    vjpRule('index', (g, index, { attrs: { axis, op, from } }) =>
      indexSum(g, index, { axis, op, shape: from }),
    ),
    indexHasNone,
  ],
  recycles: true,
  forwardMode: 'linear',
  flops: noFlops,
});

/** `out[…, index[j], …] += source[…, j, …]` on zeros of a given shape: the adjoint of `indexSelect`. */
export const indexSumOp = defineOp<readonly ['source', 'index'], SelectAttrs & { readonly shape: Shape }>({
  name: 'indexSum',
  operands: ['source', 'index'],
  infer: ([source, index], { axis, op, shape }) => {
    requirePositions(op, index);
    const expected = withSize(shape, axis, index.shape[0]);
    if (source.shape.length !== shape.length || source.shape.some((size, i) => size !== expected[i])) {
      throw new ShapeError(
        `source has shape ${formatShape(source.shape)}; ${index.shape[0]} positions on axis ${axis} of ${formatShape(shape)} take ${formatShape(expected)}.`,
        { op, operand: 'source', actual: source.shape, expected: formatShape(expected) },
      );
    }
    return { shape, dtype: inferSame(op)([source]).dtype };
  },
  forward: ([source, index], out, { axis, op, shape }) => {
    kernels.indexAdd(source, axis, readIndices(index, rule(op, shape[axis])), out, shape);
  },
  layout: 'strided',
  vjps: [
    vjpRule('index', (g, index, { attrs: { axis, op } }) => selectAlong(g, index, { axis, op })),
    indexHasNone,
  ],
  forwardMode: 'linear',
  flops: flopsPerElement,
});

/** Positions with those that count from the end brought to the front: `index < 0 ? index + size : index`. */
export const wrapIndexOp = defineOp<readonly ['index'], { readonly size: number; readonly op: string }>({
  name: 'wrapIndex',
  operands: ['index'],
  infer: ([index], { op }) => {
    requireIndex(op, 'index', index);
    return { shape: index.shape, dtype: 'int32' };
  },
  forward: ([index], out, { size, op }) => out.set(readWrappedIndices(index, rule(op, size))),
  layout: 'strided',
  vjps: [indexHasNone],
  recycles: true,
  forwardMode: indexHasNone,
  flops: noFlops,
});

/** 1 at the position that the index names along a new last axis, 0 elsewhere. */
export const oneHotOp = defineOp<readonly ['index'], { readonly classes: number }>({
  name: 'oneHot',
  operands: ['index'],
  infer: ([index], { classes }) => {
    requireIndex('oneHot', 'index', index);
    return { shape: [...index.shape, classes], dtype: 'int32' };
  },
  forward: ([index], out, { classes }) => {
    const values = readIndices(index, rule('oneHot', classes));
    for (let i = 0; i < values.length; i++) out[i * classes + values[i]] = 1;
  },
  layout: 'strided',
  vjps: [indexHasNone],
  forwardMode: indexHasNone,
  flops: noFlops,
});

function rule(op: string, size: number): IndexRule {
  return { op, operand: 'index', size };
}

function withSize(shape: Shape, axis: number, size: number): number[] {
  return shape.map((old, i) => (i === axis ? size : old));
}

function requirePositions(op: string, index: OperandSpec): void {
  requireIndex(op, 'index', index);
  if (index.shape.length === 1) return;
  throw new ShapeError(
    `index has shape ${formatShape(index.shape)}; a list of positions has one axis, use reshape, gather or take.`,
    { op, operand: 'index', actual: index.shape, expected: 'one axis' },
  );
}

/** The adjoint of {@link selectAlong}: adds the slices of `source` at their places in zeros of `shape`. */
export function indexSum(
  source: Tensor,
  index: Tensor,
  attrs: SelectAttrs & { readonly shape: Shape },
): Tensor {
  return apply(indexSumOp, [source, index], attrs);
}

/** `indexSelect` on behalf of the function `attrs.op`, whose name errors will carry. */
export function selectAlong(x: Tensor, index: Tensor, { axis, op }: SelectAttrs): Tensor {
  return apply(indexSelectOp, [x, index], { axis, op, from: x.shape });
}

/** Checks positions that may count from the end, on behalf of the function `op`, and brings them to 0 … size - 1. */
export function wrapIndex(index: Tensor, size: number, op: string): Tensor {
  return apply(wrapIndexOp, [index], { size, op });
}

/**
 * Picks whole slices along an axis, in the order of `index`, which may repeat. PyTorch's `torch.index_select`.
 *
 * @param index int32, of shape (n,) or (): 0 to size - 1.
 * @returns the shape of `x` with n on `axis`.
 * @throws ArgumentError for an axis or an index out of range; ShapeError for an index of more axes; DTypeError for an index
 *   that is not int32.
 * @example
 * indexSelect(tensor([[1, 2], [3, 4]]), 0, tensor([1, 1], { dtype: 'int32' })).toArray(); // [[3, 4], [3, 4]]
 */
export function indexSelect(x: Tensor, axis: number, index: Tensor): Tensor {
  requireTensor('indexSelect', 'x', x);
  requireTensor('indexSelect', 'index', index);
  const along = checkAxis(axis, x.ndim, 'indexSelect');
  const positions = index.ndim === 0 ? reshape(index, [1]) : index;
  const attrs = { axis: along, op: 'indexSelect' };
  if (x.ndim > 0) return selectAlong(x, positions, attrs);
  return reshape(selectAlong(reshape(x, [1]), positions, attrs), positions.size === 1 ? [] : positions.shape);
}

/**
 * Picks elements by their number in row-major order; negative numbers count from the end. PyTorch's `torch.take`.
 *
 * @param index int32, of any shape, which the result has.
 * @throws ArgumentError for an index out of range; DTypeError for an index that is not int32.
 * @example
 * take(tensor([[1, 2], [3, 4]]), tensor([0, -1], { dtype: 'int32' })).toArray(); // [1, 4]
 */
export function take(x: Tensor, index: Tensor): Tensor {
  requireTensor('take', 'x', x);
  requireTensor('take', 'index', index);
  const positions = reshape(wrapIndex(index, x.size, 'take'), [index.size]);
  return reshape(selectAlong(reshape(x, [x.size]), positions, { axis: 0, op: 'take' }), index.shape);
}

/** Options of {@link embedding}. */
export interface EmbeddingOptions {
  /** A row that gets no gradient from here; negative counts from the end. Default: none. */
  readonly paddingIdx?: number | undefined;
}

/**
 * Looks up rows of a table. PyTorch's `torch.nn.functional.embedding`.
 *
 * @param indices int32, of any shape: 0 to rows - 1.
 * @param weight of shape (rows, features).
 * @returns shape (...indices.shape, features), of the dtype of `weight`.
 * @throws ArgumentError for an index or a `paddingIdx` out of range; ShapeError unless `weight` has two axes; DTypeError for
 *   indices that are not int32.
 * @example
 * embedding(tensor([1, 0], { dtype: 'int32' }), tensor([[1, 2], [3, 4]])).toArray(); // [[3, 4], [1, 2]]
 */
export function embedding(indices: Tensor, weight: Tensor, options: EmbeddingOptions = noOptions): Tensor {
  requireTensor('embedding', 'indices', indices);
  requireTensor('embedding', 'weight', weight);
  requireOptions('embedding', options, { paddingIdx: 'number' });
  const { paddingIdx } = options;
  const op = 'embedding';
  if (weight.ndim !== 2) {
    throw new ShapeError(
      `weight has shape ${formatShape(weight.shape)}; a table of embeddings has two axes (rows, features).`,
      { op, operand: 'weight', actual: weight.shape, expected: '(rows, features)' },
    );
  }
  requireIndex(op, 'indices', indices);
  const [rows, features] = weight.shape;
  const positions = reshape(indices, [indices.size]);
  let found = selectAlong(weight, positions, { axis: 0, op });
  if (paddingIdx !== undefined) {
    const padding = checkRow(paddingIdx, rows);
    found = where(reshape(eq(positions, padding), [indices.size, 1]), found.detach(), found);
  }
  return reshape(found, [...indices.shape, features]);
}

function checkRow(row: number, rows: number): number {
  if (Number.isInteger(row) && row >= -rows && row < rows) return row < 0 ? row + rows : row;
  throw new ArgumentError(`paddingIdx is ${row}; the table has rows ${-rows} to ${rows - 1}.`, {
    op: 'embedding',
    operand: 'paddingIdx',
    actual: row,
    expected: `integer in [${-rows}, ${rows - 1}]`,
  });
}

/** Options of {@link oneHot}. */
export interface OneHotOptions {
  /** Length of the new axis. Default: the largest index + 1. */
  readonly numClasses?: number | undefined;
}

/**
 * Vectors with a 1 where the index says and 0 elsewhere, along a new last axis. PyTorch's `torch.nn.functional.one_hot`.
 *
 * @param indices int32, of any shape: 0 to numClasses - 1.
 * @returns int32, of shape (...indices.shape, numClasses).
 * @throws ArgumentError for an index out of range, a `numClasses` below 1, or no index to work `numClasses` out of;
 *   DTypeError for indices that are not int32.
 * @example
 * oneHot(tensor([2, 0], { dtype: 'int32' })).toArray(); // [[0, 0, 1], [1, 0, 0]]
 */
export function oneHot(indices: Tensor, options: OneHotOptions = noOptions): Tensor {
  requireOptions('oneHot', options, { numClasses: 'number' });
  const { numClasses } = options;
  requireIndex('oneHot', 'index', indices);
  if (numClasses === undefined && indices.size === 0) {
    throw new ArgumentError(
      'numClasses is undefined, and there is no index to work it out of; give an integer of at least 1.',
      { op: 'oneHot', operand: 'numClasses', actual: numClasses, expected: 'an integer >= 1' },
    );
  }
  const classes = numClasses ?? largest(indices) + 1;
  requireInteger('oneHot', 'numClasses', classes, 1);
  return apply(oneHotOp, [indices], { classes });
}

function largest(indices: Tensor): number {
  let most = 0;
  for (const index of indices.toTypedArray()) most = Math.max(most, index);
  return most;
}
