// Elements chosen by a mask: filled, or picked.

import { type DType, isFloat } from '../dtype.ts';
import { ArgumentError, DTypeError, formatShape, ShapeError } from '../errors.ts';
import { broadcastShapes } from '../shape.ts';
import { fromArray, requireTensor, type Tensor } from '../tensor.ts';
import { cast } from './cast.ts';
import { expand } from './expand-sum.ts';
import { reshape } from './layout.ts';
import { selectAlong } from './lookup.ts';
import { type Operand, toOperand } from './operand.ts';
import { where } from './select.ts';

/** @throws DTypeError unless the mask is bool. */
export function requireMask(op: string, mask: Tensor): void {
  requireTensor(op, 'mask', mask);
  if (mask.dtype === 'bool') return;
  throw new DTypeError(`mask is ${mask.dtype}; give bool, such as ne(mask, 0) or mask.to('bool').`, {
    op,
    operand: 'mask',
    actual: mask.dtype,
    expected: 'bool',
  });
}

/**
 * Puts `value` where `mask` is true and keeps `x` elsewhere; what is filled passes no gradient to `x`. PyTorch's
 * `Tensor.masked_fill`.
 *
 * @param mask bool, of a shape that broadcasts with that of `x`.
 * @param value a number or a 0-d tensor, put in the dtype of `x`.
 * @throws DTypeError for a mask that is not bool, or a fraction for a tensor of integers; ShapeError for a mask that does not
 *   broadcast, or a value that is not 0-d.
 * @example
 * maskedFill(tensor([1, 2, 3]), tensor([true, false, true]), 0).toArray(); // [0, 2, 0]
 */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  requireTensor('maskedFill', 'x', x);
  const op = 'maskedFill';
  requireMask(op, mask);
  broadcastShapes(x.shape, mask.shape, op);
  if (typeof value === 'number') {
    requireRepresentable(op, 'value', value, x.dtype);
    return where(mask, cast(toOperand(value, x), x.dtype), x);
  }
  requireTensor(op, 'value', value);
  if (value.ndim > 0) {
    throw new ShapeError(
      `value has shape ${formatShape(value.shape)}; it is one number. To fill with a tensor use where(mask, value, x).`,
      { op, operand: 'value', actual: value.shape, expected: 'a 0-d tensor or a number' },
    );
  }
  return where(mask, cast(value, x.dtype), x);
}

/** @throws ArgumentError for a number that integers or booleans of a type do not hold. */
export function requireRepresentable(op: string, operand: string, value: number, dtype: DType): void {
  if (isFloat(dtype)) return;
  const [least, most] = { bool: [0, 1], uint8: [0, 255], int32: [-(2 ** 31), 2 ** 31 - 1] }[dtype];
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new ArgumentError(
    `${operand} is ${value}, and a tensor of ${dtype} holds integers from ${least} to ${most}; convert it first, e.g. with to('float32').`,
    { op, operand, actual: value, expected: `an integer in [${least}, ${most}]` },
  );
}

/**
 * The elements where `mask` is true, in row-major order, on one axis. Both broadcast. PyTorch's `torch.masked_select`.
 *
 * @param mask bool, of a shape that broadcasts with that of `x`.
 * @throws DTypeError for a mask that is not bool; ShapeError if the shapes do not broadcast.
 * @example
 * maskedSelect(tensor([1, 2, 3]), tensor([true, false, true])).toArray(); // [1, 3]
 */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  requireTensor('maskedSelect', 'x', x);
  const op = 'maskedSelect';
  requireMask(op, mask);
  const shape = broadcastShapes(x.shape, mask.shape, op);
  const chosen = positionsOf(expand(mask, shape));
  const flat = reshape(expand(x, shape), [-1]);
  return selectAlong(flat, fromArray(chosen, [chosen.length], 'int32'), { axis: 0, op });
}

/** Row-major numbers of the elements that are true. */
export function positionsOf(mask: Tensor): Int32Array {
  const values = mask.toTypedArray();
  const positions = new Int32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) positions[count++] = i;
  return positions.slice(0, count);
}
