// Element types: their storage, their categories, and the one table that says what a mix of them gives.

import type { FloatArray, NumericArray } from '@adjoint/kernels-cpu';
import { DTypeError, quote } from './errors.ts';

/**
 * The element type of a tensor. `float16` and `bfloat16` are stored as their 16 bits, computed in float32 and rounded
 * once when stored; `bool` is stored as a byte, 0 or 1.
 */
export type DType = 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int32' | 'uint8' | 'bool';

/** Element types that can carry a gradient. */
export type FloatDType = 'float32' | 'float64' | 'float16' | 'bfloat16';

/** Every element type, lowest in the order of promotion first within its category. */
export const dtypes: readonly DType[] = [
  'bool',
  'uint8',
  'int32',
  'float16',
  'bfloat16',
  'float32',
  'float64',
];

/** Whether the type is one of the four floating-point types. */
export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';
}

/** Whether the type is stored as 16 bits that arithmetic cannot read directly. */
export function isHalf(dtype: DType): dtype is 'float16' | 'bfloat16' {
  return dtype === 'float16' || dtype === 'bfloat16';
}

/** The type that kernels compute `dtype` in: itself, or float32 for the 16-bit floats. */
export function computeDType(dtype: DType): DType {
  return isHalf(dtype) ? 'float32' : dtype;
}

/** Allocates a zeroed array that stores `length` elements of `dtype`. */
export function allocate(dtype: DType, length: number): NumericArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(length);
    case 'float64':
      return new Float64Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(length);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(length);
  }
}

/** An array of `length` elements of `dtype` that lies in a buffer from byte `start` on. */
export function arrayOver(dtype: DType, buffer: ArrayBuffer, start: number, length: number): NumericArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, start, length);
    case 'float64':
      return new Float64Array(buffer, start, length);
    case 'int32':
      return new Int32Array(buffer, start, length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer, start, length);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer, start, length);
  }
}

/** Whether the array holds floats that arithmetic reads directly. */
export function isFloatArray(array: NumericArray): array is FloatArray {
  return array instanceof Float32Array || array instanceof Float64Array;
}

/** Bytes that one element takes in memory. */
export const bytesPerElement: Readonly<Record<DType, number>> = {
  bool: 1,
  uint8: 1,
  int32: 4,
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
};

/** Bytes that an array of `length` elements takes; for what is asked once per op, where a look into the table would be felt. */
export function byteLengthOf(dtype: DType, length: number): number {
  switch (dtype) {
    case 'float32':
    case 'int32':
      return 4 * length;
    case 'float64':
      return 8 * length;
    case 'float16':
    case 'bfloat16':
      return 2 * length;
    default:
      return length;
  }
}

// PyTorch's promotion lattice over the types we have. Row and column in the order of `dtypes`.
const b = 'bool';
const u8 = 'uint8';
const i32 = 'int32';
const f16 = 'float16';
const bf16 = 'bfloat16';
const f32 = 'float32';
const f64 = 'float64';
const promotionTable: Readonly<Record<DType, Readonly<Record<DType, DType>>>> = {
  bool: { bool: b, uint8: u8, int32: i32, float16: f16, bfloat16: bf16, float32: f32, float64: f64 },
  uint8: { bool: u8, uint8: u8, int32: i32, float16: f16, bfloat16: bf16, float32: f32, float64: f64 },
  int32: { bool: i32, uint8: i32, int32: i32, float16: f16, bfloat16: bf16, float32: f32, float64: f64 },
  float16: { bool: f16, uint8: f16, int32: f16, float16: f16, bfloat16: f32, float32: f32, float64: f64 },
  bfloat16: {
    bool: bf16,
    uint8: bf16,
    int32: bf16,
    float16: f32,
    bfloat16: bf16,
    float32: f32,
    float64: f64,
  },
  float32: { bool: f32, uint8: f32, int32: f32, float16: f32, bfloat16: f32, float32: f32, float64: f64 },
  float64: { bool: f64, uint8: f64, int32: f64, float16: f64, bfloat16: f64, float32: f64, float64: f64 },
};

/** The type that holds values of both: PyTorch's `torch.promote_types`. */
export function promoteTypes(a: DType, b: DType): DType {
  return promotionTable[checkDType(a, 'promoteTypes')][checkDType(b, 'promoteTypes')];
}

/** What promotion needs to know of an operand. */
export interface Promotable {
  /** Its dtype. */
  readonly dtype: DType;
  /** Its shape: the dtype of a tensor without axes counts less than that of one with axes. */
  readonly shape: readonly number[];
  /** Made from a JavaScript number that the user wrote beside a tensor: its type yields to any tensor's. */
  readonly isNumber: boolean;
}

function category(dtype: DType): number {
  return isFloat(dtype) ? 2 : dtype === 'bool' ? 0 : 1;
}

// Operands with axes outrank 0-d tensors, which outrank plain numbers; a lower rank decides only by its category.
function rank(operand: Promotable): number {
  return operand.isNumber ? 0 : operand.shape.length === 0 ? 1 : 2;
}

/**
 * The result type of an op on two operands: PyTorch's `torch.result_type`. A plain number or a 0-d tensor beside a
 * tensor with axes changes the type only if its category (bool < integer < float) is higher.
 */
export function resultType(a: Promotable, b: Promotable): DType {
  if (a.dtype === b.dtype) return a.dtype;
  const rankA = rank(a);
  const rankB = rank(b);
  if (rankA === rankB) return promoteTypes(a.dtype, b.dtype);
  const strong = rankA > rankB ? a : b;
  const weak = rankA > rankB ? b : a;
  if (category(weak.dtype) <= category(strong.dtype)) return strong.dtype;
  // A number that brings a new category brings the default type of it, not the type it happens to be held in.
  return weak.isNumber && isFloat(weak.dtype) ? 'float32' : weak.dtype;
}

/**
 * Whether values of `from` may be stored as `to` without loss of their category (bool < integer < float): PyTorch's
 * `torch.can_cast`.
 */
export function canCast(from: DType, to: DType): boolean {
  return category(from) <= category(to);
}

/** The float type in which a result that need not be an integer is given: integers and booleans become float32. */
export function toFloatDType(dtype: DType): FloatDType {
  return isFloat(dtype) ? dtype : 'float32';
}

const noDevices = 'Tensors live on the CPU, and there is nothing to move.';

// What other libraries call a type, or say in its place.
const elsewhere: Readonly<Record<string, string>> = {
  float: "PyTorch's float is 'float32'.",
  double: "PyTorch's double is 'float64'.",
  half: "PyTorch's half is 'float16'.",
  int: "PyTorch's int is 'int32'.",
  long: "There is no 64-bit integer; use 'int32'.",
  int64: "There is no 64-bit integer; use 'int32'.",
  cpu: noDevices,
  cuda: noDevices,
  gpu: noDevices,
  mps: noDevices,
};

/** Checks a type that came from outside TypeScript's sight (a file, an option). */
export function checkDType(value: unknown, op: string): DType {
  if (typeof value === 'string' && (dtypes as readonly string[]).includes(value)) return value as DType;
  const meant = typeof value === 'string' && Object.hasOwn(elsewhere, value) ? elsewhere[value] : undefined;
  const remedy = meant === undefined ? '' : ` ${meant}`;
  throw new DTypeError(`dtype is ${quote(value)}; use one of ${dtypes.join(', ')}.${remedy}`, {
    op,
    operand: 'dtype',
    actual: value,
    expected: dtypes.join(' | '),
  });
}
