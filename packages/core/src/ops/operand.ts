// What ops take beside tensors: plain numbers, which become 0-d tensors whose dtype yields to the tensor's.

import { allocate, computeDType, type DType, isFloat, isHalf } from '../dtype.ts';
import { fromArray, Storage, Tensor } from '../tensor.ts';
import { cast } from './cast.ts';

/** An operand of an element-wise op: a tensor, or a number that is broadcast. */
export type Operand = Tensor | number;

/** Makes a tensor of an operand; `beside` is the other operand, in whose type a number is held if it can be. */
export function toOperand(value: Operand, beside: Operand): Tensor {
  if (typeof value !== 'number') return value;
  const dtype = numberDType(value, beside instanceof Tensor ? beside.dtype : 'float32');
  const data = allocate(dtype, 1);
  data[0] = value;
  return new Tensor(new Storage(data), [], [], 0, dtype, true);
}

function numberDType(value: number, beside: DType): DType {
  if (isFloat(beside)) return computeDType(beside);
  return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? 'int32' : 'float32';
}

/** A 0-d constant of exactly the given type: rounded once for the 16-bit floats, and `value != 0` for bool. */
export function scalar(value: number, dtype: DType): Tensor {
  if (isHalf(dtype) || dtype === 'bool') return cast(scalar(value, 'float64'), dtype);
  const data = allocate(dtype, 1);
  data[0] = value;
  return fromArray(data, [], dtype);
}
