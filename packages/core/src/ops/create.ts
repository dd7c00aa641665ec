// Making tensors from numbers, arrays and constants.

import type { NumericArray } from '@adjoint/kernels-cpu';
import { allocate, checkDType, type DType, isHalf } from '../dtype.ts';
import { ArgumentError, describeValue, formatShape, quote, ShapeError } from '../errors.ts';
import { encodeHalf } from '../half.ts';
import { noOptions, requireOptions } from '../options.ts';
import { checkShape, type Shape, sizeOf } from '../shape.ts';
import { makeTensor } from '../tape/tracing.ts';
import { fromArray, type NestedArray, requireTensor, Tensor } from '../tensor.ts';
import { allocateUnfilled } from '../unfilled.ts';

/** Options of functions that make tensors. */
export interface TensorOptions {
  /** Element type. Default float32, or that of the typed array given. */
  readonly dtype?: DType | undefined;
  /** Whether the tensor collects gradients. Default false. */
  readonly requiresGrad?: boolean | undefined;
}

type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint8ClampedArray;

/** Values to make a tensor of: numbers or booleans, nested as deep as there are axes, or typed arrays (the last axis). */
export type TensorData = number | boolean | readonly TensorData[] | TypedArray;

/**
 * Makes a tensor of nested arrays, or of a typed array, whose values are copied. PyTorch's `torch.tensor`.
 *
 * A typed array gives one axis, or `shape`; a list of them gives a row for each. Typed arrays give their own type (the pixels of a
 * canvas, a `Uint8ClampedArray`, uint8), booleans bool, and numbers float32, unless `dtype` says otherwise.
 *
 * @throws ShapeError if the nesting is ragged or `shape` does not hold the values; DTypeError for an unknown dtype.
 * @example
 * tensor([[1, 2], [3, 4]], { dtype: 'float64' }).shape; // [2, 2]
 * tensor(new Float32Array([1, 2, 3, 4]), { shape: [2, 2] }).toArray(); // [[1, 2], [3, 4]]
 * tensor([new Float64Array(3), new Float64Array(3)]).dtype; // 'float64'
 */
export function tensor(
  data: TensorData | NestedArray,
  options: TensorOptions & {
    /** The sizes to read the values into, row by row. Default: as the data are nested. */
    readonly shape?: Shape | undefined;
  } = noOptions,
): Tensor {
  requireOptions('tensor', options, { dtype: 'dtype', requiresGrad: 'boolean', shape: 'list' });
  const { values, shape: natural, dtype: naturalDType } = flatten(data);
  const shape = options.shape ?? natural;
  const dtype = options.dtype === undefined ? naturalDType : checkDType(options.dtype, 'tensor');
  checkShape(shape, 'tensor');
  if (sizeOf(shape) !== values.length) {
    throw new ShapeError(
      `there are ${values.length} values, and shape ${formatShape(shape)} holds ${sizeOf(shape)}; give as many values as the shape holds.`,
      { op: 'tensor', operand: 'shape', actual: shape, expected: `${values.length} elements` },
    );
  }
  return withOptions(fromArray(store(values, dtype), shape.slice(), dtype), options);
}

function store(values: ArrayLike<number>, dtype: DType): NumericArray {
  if (isHalf(dtype)) return encodeHalf(dtype, Float64Array.from(values));
  const stored = allocateUnfilled(dtype, values.length);
  if (dtype === 'bool') {
    for (let i = 0; i < values.length; i++) stored[i] = values[i] !== 0 ? 1 : 0;
  } else {
    stored.set(values);
  }
  return stored;
}

interface Flat {
  readonly values: ArrayLike<number>;
  readonly shape: Shape;
  readonly dtype: DType;
}

function flatten(data: TensorData | NestedArray): Flat {
  const whole = typeOf(data);
  if (whole !== null)
    return { values: data as TypedArray, shape: [(data as TypedArray).length], dtype: whole };
  const shape: number[] = [];
  for (let level: unknown = data; isList(level); level = level[0]) shape.push(level.length);
  const values: number[] = [];
  // The types of the parts; a number beside others makes it float32.
  const found = new Set<DType>();
  const visit = (item: unknown, axis: number): void => {
    if (axis < shape.length) {
      if (!isList(item) || item.length !== shape[axis]) throw raggedError(shape, axis, item);
      const type = typeOf(item);
      if (type !== null && axis === shape.length - 1) {
        for (let i = 0; i < item.length; i++) values.push(item[i] as number);
        found.add(type);
      } else {
        for (let i = 0; i < item.length; i++) visit(item[i], axis + 1);
      }
    } else if (typeof item === 'number') {
      values.push(item);
      found.add('float32');
    } else if (typeof item === 'boolean') {
      values.push(item ? 1 : 0);
      found.add('bool');
    } else {
      throw raggedError(shape, axis, item);
    }
  };
  visit(data, 0);
  const [dtype] = found.size === 1 ? found : ['float32' as const];
  return { values, shape, dtype };
}

function typeOf(data: unknown): DType | null {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int32Array) return 'int32';
  return data instanceof Uint8Array || data instanceof Uint8ClampedArray ? 'uint8' : null;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || typeOf(value) !== null;
}

function raggedError(shape: Shape, axis: number, item: unknown): ShapeError {
  const found = isList(item) ? `an array of ${item.length}` : describeValue(item);
  const expected = axis < shape.length ? `an array of ${shape[axis]}` : 'a number or boolean';
  if (axis === shape.length && !isList(item)) {
    return new ShapeError(`at depth ${axis} of the data there is ${found}; ${remedyFor(item)}.`, {
      op: 'tensor',
      operand: 'data',
      actual: found,
      expected,
    });
  }
  return new ShapeError(
    `the nested arrays are ragged: at depth ${axis} there is ${found}, where the first element says ${expected}; give arrays of equal length.`,
    { op: 'tensor', operand: 'data', actual: found, expected },
  );
}

function remedyFor(item: unknown): string {
  if (item instanceof Tensor) return 'stack or cat makes one tensor of several, clone a copy of one';
  if (ArrayBuffer.isView(item) || typeof item === 'bigint')
    return 'convert it, e.g. with Int32Array.from(data, Number)';
  return 'give numbers or booleans in nested arrays, or Float32Array, Float64Array, Int32Array or Uint8Array';
}

function withOptions(made: Tensor, { requiresGrad = false }: TensorOptions): Tensor {
  if (requiresGrad) made.requiresGrad = true;
  return made;
}

const tensorOptions = { dtype: 'dtype', requiresGrad: 'boolean' } as const;

/**
 * A tensor of one value throughout. PyTorch's `torch.full`.
 *
 * @throws ShapeError for sizes that are not non-negative integers.
 * @example
 * full([2, 2], 7).toArray(); // [[7, 7], [7, 7]]
 */
export function full(shape: Shape, value: number, options: TensorOptions = noOptions): Tensor {
  requireOptions('full', options, tensorOptions);
  return filled('full', shape, value, options);
}

// Under the name that was called, which is what errors are about; of type `natural` unless told otherwise.
function filled(
  op: string,
  shape: Shape,
  value: number,
  options: TensorOptions,
  natural: DType = 'float32',
): Tensor {
  checkShape(shape, op);
  if (typeof value !== 'number') {
    throw new ArgumentError(`value is ${quote(value)}; give a number.`, {
      op,
      operand: 'value',
      actual: value,
    });
  }
  const dtype = options.dtype === undefined ? natural : checkDType(options.dtype, op);
  const own = shape.slice();
  const made = makeTensor('full', [], { shape: own, dtype }, () => {
    const size = sizeOf(own);
    if (value === 0) return fromArray(allocate(dtype, size), own, dtype);
    const stored = isHalf(dtype) || dtype === 'bool' ? store([value], dtype)[0] : value;
    return fromArray(allocateUnfilled(dtype, size).fill(stored), own, dtype);
  });
  return withOptions(made, options);
}

/** A tensor of zeros. PyTorch's `torch.zeros`. Options, errors as `full`. */
export function zeros(shape: Shape, options: TensorOptions = noOptions): Tensor {
  requireOptions('zeros', options, tensorOptions);
  return filled('zeros', shape, 0, options);
}

/** A tensor of ones. PyTorch's `torch.ones`. Options, errors as `full`. */
export function ones(shape: Shape, options: TensorOptions = noOptions): Tensor {
  requireOptions('ones', options, tensorOptions);
  return filled('ones', shape, 1, options);
}

/** One value throughout, in the shape and (unless told otherwise) dtype of `x`. PyTorch's `torch.full_like`. */
export function fullLike(x: Tensor, value: number, options: TensorOptions = noOptions): Tensor {
  requireOptions('fullLike', options, tensorOptions);
  requireTensor('fullLike', 'x', x);
  return filled('fullLike', x.shape, value, options, x.dtype);
}

/** Zeros in the shape and dtype of `x`. PyTorch's `torch.zeros_like`. */
export function zerosLike(x: Tensor, options: TensorOptions = noOptions): Tensor {
  requireOptions('zerosLike', options, tensorOptions);
  requireTensor('zerosLike', 'x', x);
  return filled('zerosLike', x.shape, 0, options, x.dtype);
}

/** Ones in the shape and dtype of `x`. PyTorch's `torch.ones_like`. */
export function onesLike(x: Tensor, options: TensorOptions = noOptions): Tensor {
  requireOptions('onesLike', options, tensorOptions);
  requireTensor('onesLike', 'x', x);
  return filled('onesLike', x.shape, 1, options, x.dtype);
}
