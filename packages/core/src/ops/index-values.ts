// Reading index operands: their values are checked here, once, before any kernel trusts them.

import { kernels, type Strided } from '@adjoint/kernels-cpu';
import { ArgumentError, DTypeError, noTensor } from '../errors.ts';
import type { OperandSpec } from '../record.ts';
import { indexOf, isRowMajor, rowMajorStrides, type Shape, sizeOf } from '../shape.ts';

/** @throws DTypeError unless the operand is int32, the one type of indices. */
export function requireIndex(op: string, operand: string, spec: OperandSpec): void {
  if (spec?.dtype === 'int32') return;
  if (spec?.dtype === undefined) throw noTensor(op, operand, spec);
  throw new DTypeError(`${operand} is ${spec.dtype}; indices are int32, convert with to('int32').`, {
    op,
    operand,
    actual: spec.dtype,
    expected: 'int32',
  });
}

/** Which indices are legal, and what to call them in an error. */
export interface IndexRule {
  readonly op: string;
  readonly operand: string;
  /** Number of positions that can be named: legal are 0 to size - 1. */
  readonly size: number;
  /** An index that means «none» and is legal too. */
  readonly ignore?: number | undefined;
}

/**
 * The values of an index operand in row-major order, all of them legal.
 *
 * @throws ArgumentError that names the first illegal one, where it stands, and the legal interval.
 */
export function readIndices(index: Strided, rule: IndexRule): Int32Array {
  const values = flat(index);
  const { size, ignore } = rule;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if ((value < 0 || value >= size) && value !== ignore) throw outOfRange(rule, index.shape, i, value, 0);
  }
  return values;
}

/** As {@link readIndices}, but negative indices down to -size count from the end. */
export function readWrappedIndices(index: Strided, rule: IndexRule): Int32Array {
  const values = flat(index);
  const { size } = rule;
  return values.map((value, i) => {
    if (value < -size || value >= size) throw outOfRange(rule, index.shape, i, value, -size);
    return value < 0 ? value + size : value;
  });
}

/** Index values as kernels take them: contiguous, of the operand's shape. */
export function asStrided(values: Int32Array, shape: Shape): Strided<Int32Array> {
  return { data: values, shape, strides: rowMajorStrides(shape), offset: 0 };
}

/** The array itself where the index is one run of it: it is only read. */
function flat(index: Strided): Int32Array {
  const { data, shape, offset } = index;
  if (data instanceof Int32Array && isRowMajor(shape, index.strides)) {
    const size = sizeOf(shape);
    return offset === 0 && data.length === size ? data : data.subarray(offset, offset + size);
  }
  const values = new Int32Array(sizeOf(index.shape));
  kernels.copy(index, values);
  return values;
}

function outOfRange(
  { op, operand, size, ignore }: IndexRule,
  shape: Shape,
  at: number,
  value: number,
  least: number,
): ArgumentError {
  const where = shape.length === 0 ? '' : ` at [${indexOf(at, shape).join(', ')}]`;
  const interval =
    size === 0
      ? 'no index is legal, as there is nothing to choose from'
      : `legal are ${least} to ${size - 1}`;
  const none = ignore === undefined ? '' : ` (and ${ignore}, which is ignored)`;
  return new ArgumentError(`${operand}${where} is ${value}; ${interval}${none}.`, {
    op,
    operand,
    actual: value,
    expected: size === 0 ? 'no index' : `integer in [${least}, ${size - 1}]`,
  });
}
