// Sums into the places that positions name: rows of messages into their nodes, ones into the bins of a histogram.

import { requireInteger } from '../arguments.ts';
import { isFloat } from '../dtype.ts';
import { ArgumentError, DTypeError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { checkAxis, checkShape, sameShape } from '../shape.ts';
import { requireTensor, Tensor } from '../tensor.ts';
import { add } from './arithmetic.ts';
import { ones } from './create.ts';
import { amax, amin } from './extremes.ts';
import { requireIndex } from './index-values.ts';
import { requireSomeAxis } from './infer.ts';
import { indexSum } from './lookup.ts';

/**
 * Adds whole slices along an axis: `out[index[i]] += source[i]` for axis 0, starting from `x`; positions may repeat. PyTorch's
 * `torch.index_add`. In a graph network it is how messages along edges reach their nodes.
 *
 * @param index int32 of one axis, as long as `source` on `axis`, of positions from 0 to size - 1.
 * @param source of the dtype of `x`, and of its shape but for `axis`.
 * @throws ArgumentError for an axis or a position out of range; ShapeError for other shapes, and for an `x` without axes; DTypeError for an index that is not int32,
 *   a source of another type, or bools.
 * @example
 * const into = tensor([0, 2, 0], { dtype: 'int32' });
 * indexAdd(zeros([3, 2]), 0, into, tensor([[1, 2], [3, 4], [5, 6]])).toArray(); // [[6, 8], [0, 0], [3, 4]]
 */
export function indexAdd(x: Tensor, axis: number, index: Tensor, source: Tensor): Tensor {
  const op = 'indexAdd';
  requireTensor(op, 'x', x);
  requireTensor(op, 'index', index);
  requireTensor(op, 'source', source);
  const along = checkAxis(axis, x.ndim, op);
  requireSomeAxis(op, 'x', x);
  if (source.dtype !== x.dtype || x.dtype === 'bool') {
    throw new DTypeError(
      x.dtype === 'bool'
        ? "x is bool, which is not added up; convert it with to('int32')."
        : `source is ${source.dtype} and x is ${x.dtype}; convert it with to('${x.dtype}').`,
      { op, operand: x.dtype === 'bool' ? 'x' : 'source', actual: source.dtype, expected: x.dtype },
    );
  }
  return add(x, indexSum(source, index, { axis: along, op, shape: x.shape }));
}

/** Options of {@link bincount}. */
export interface BincountOptions {
  /** What each number counts for; floating-point, of the shape of the numbers. Default: 1 each. */
  readonly weights?: Tensor | undefined;
  /** The least number of bins. Default 0. */
  readonly minLength?: number | undefined;
}

/**
 * How often each of 0, 1, 2 … occurs, or how much weight falls on it. PyTorch's `torch.bincount`.
 *
 * @param x int32 of one axis, not negative.
 * @returns shape (largest + 1), or (minLength) where that is more: int32 counts, or sums of the weights, with their dtype and gradient.
 * @throws ShapeError for more axes or none, weights of another shape, or more than 2^31 - 1 bins; DTypeError for what is not int32; ArgumentError for a negative
 *   number or an illegal minLength; TraceError in a traced function, which cannot read values.
 * @example
 * bincount(tensor([1, 3, 1], { dtype: 'int32' })).toArray(); // [0, 2, 0, 1]
 */
export function bincount(x: Tensor, options: BincountOptions = noOptions): Tensor {
  const op = 'bincount';
  requireOptions(op, options, { weights: Tensor, minLength: 'number' });
  const { minLength = 0, weights } = options;
  requireTensor(op, 'x', x);
  requireIndex(op, 'x', x);
  requireInteger(op, 'minLength', minLength, 0);
  if (x.ndim !== 1) {
    throw new ShapeError(
      `x has shape ${formatShape(x.shape)}; it takes one axis, use flatten({ startAxis: 0 }).`,
      {
        op,
        operand: 'x',
        actual: x.shape,
        expected: 'one axis',
      },
    );
  }
  if (weights !== undefined && !sameShape(weights.shape, x.shape)) {
    throw new ShapeError(
      `weights has shape ${formatShape(weights.shape)} and x ${formatShape(x.shape)}; give a weight for each number.`,
      { op, operand: 'weights', actual: weights.shape, expected: formatShape(x.shape) },
    );
  }
  if (weights !== undefined && !isFloat(weights.dtype)) {
    throw new DTypeError(`weights is ${weights.dtype}; convert it to a floating-point type.`, {
      op,
      operand: 'weights',
      actual: weights.dtype,
      expected: 'a floating-point type',
    });
  }
  const least = x.size === 0 ? 0 : amin(x).item();
  if (least < 0) {
    throw new ArgumentError(`x holds ${least}; it counts 0, 1, 2 …: take the least away first.`, {
      op,
      operand: 'x',
      actual: least,
      expected: 'integers >= 0',
    });
  }
  const bins = Math.max(minLength, x.size === 0 ? 0 : amax(x).item() + 1);
  checkShape([bins], op);
  const counted = weights ?? ones(x.shape, { dtype: 'int32' });
  return indexSum(counted, x, { axis: 0, op, shape: [bins] });
}
