// Random integers and permutations, each from a generator.

import { type FloatArray, kernels } from '@adjoint/kernels-cpu';
import { allocate, checkDType, computeDType, type DType, isHalf } from '../dtype.ts';
import { ArgumentError, DTypeError, quote } from '../errors.ts';
import { encodeHalf } from '../half.ts';
import { noOptions, requireOptions } from '../options.ts';
import { checkShape, type Shape, sizeOf } from '../shape.ts';
import { makeTensor } from '../tape/tracing.ts';
import { fromArray, type Tensor } from '../tensor.ts';
import { allocateUnfilled } from '../unfilled.ts';
import { defaultGenerator, Generator } from './generator.ts';

/** Options of functions that make random integers. */
export interface RandomIntegerOptions {
  /** Any type but bool that holds the numbers. Default int32. */
  readonly dtype?: Exclude<DType, 'bool'> | undefined;
  /** Where the numbers come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

/**
 * Integers drawn uniformly from [low, high). PyTorch's `torch.randint`.
 *
 * @param low smallest integer that may occur.
 * @param high one more than the largest; at most `low + 2^32`.
 * @throws ArgumentError unless both are integers and low < high; DTypeError if the type does not hold both ends.
 * @example
 * randint(0, 10, [4]).dtype; // 'int32'
 */
export function randint(
  low: number,
  high: number,
  shape: Shape,
  options: RandomIntegerOptions = noOptions,
): Tensor {
  requireOptions('randint', options, { dtype: 'dtype', generator: Generator });
  const { dtype: wanted = 'int32', generator = defaultGenerator } = options;
  const op = 'randint';
  checkShape(shape, op);
  const dtype = checkDType(wanted, op);
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || low >= high || high - low > 2 ** 32) {
    throw new ArgumentError(
      `the interval is [${quote(low)}, ${quote(high)}); give integers with low < high and at most 2^32 apart.`,
      { op, operand: 'high', actual: [low, high], expected: 'integers, low < high <= low + 2^32' },
    );
  }
  requireHolds(op, dtype, low, high - 1);
  return makeTensor(op, [], { shape: shape.slice(), dtype }, () => {
    const values = allocateUnfilled(computeDType(dtype), sizeOf(shape)) as
      | FloatArray
      | Int32Array
      | Uint8Array;
    drawBelow(generator, low, high - low, values);
    const stored = isHalf(dtype) ? encodeHalf(dtype, values as FloatArray) : values;
    return fromArray(stored, shape.slice(), dtype);
  });
}

// All at once where no word has to be skipped, else again, one by one. A word is skipped with a chance of (2^32 mod limit) / 2^32: where
// one of them most likely is, nothing is tried.
function drawBelow(
  generator: Generator,
  low: number,
  limit: number,
  values: FloatArray | Int32Array | Uint8Array,
): void {
  if (values.length * (2 ** 32 % limit) < 2 ** 32) {
    const before = generator.getState();
    if (kernels.randomBelow(generator.pass(values.length), limit, low, values)) return;
    generator.setState(before);
  }
  for (let i = 0; i < values.length; i++) values[i] = low + generator.nextBelow(limit);
}

/**
 * The integers from 0 to count − 1 in random order, each order equally likely. PyTorch's `torch.randperm`.
 *
 * @throws ArgumentError unless `count` is a non-negative integer; DTypeError if the type does not hold count − 1.
 * @example
 * randperm(5, { generator: new Generator(7) }).shape; // [5]
 */
export function randperm(count: number, options: RandomIntegerOptions = noOptions): Tensor {
  requireOptions('randperm', options, { dtype: 'dtype', generator: Generator });
  const { dtype: wanted = 'int32', generator = defaultGenerator } = options;
  const op = 'randperm';
  const dtype = checkDType(wanted, op);
  if (!Number.isInteger(count) || count < 0 || count > 2 ** 31 - 1) {
    throw new ArgumentError(`count is ${quote(count)}; give an integer from 0 to 2^31 - 1.`, {
      op,
      operand: 'count',
      actual: count,
      expected: 'an integer in [0, 2147483647]',
    });
  }
  requireHolds(op, dtype, 0, Math.max(count - 1, 0));
  return makeTensor(op, [], { shape: [count], dtype }, () => {
    const order = new Float64Array(count);
    // Fisher and Yates' shuffle, built from the front.
    for (let i = 0; i < count; i++) {
      const j = generator.nextBelow(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return fromArray(integersAs(order, dtype), [count], dtype);
  });
}

function integersAs(values: Float64Array, dtype: DType) {
  if (isHalf(dtype)) return encodeHalf(dtype, values);
  const array = allocate(dtype, values.length);
  array.set(values);
  return array;
}

// Bounds up to which each type holds every integer.
const largest: Readonly<Record<DType, number>> = {
  bool: -1,
  uint8: 2 ** 8 - 1,
  int32: 2 ** 31 - 1,
  float16: 2 ** 11,
  bfloat16: 2 ** 8,
  float32: 2 ** 24,
  float64: 2 ** 53,
};

function requireHolds(op: string, dtype: DType, low: number, high: number): void {
  const smallest = dtype === 'uint8' ? 0 : dtype === 'int32' ? -(2 ** 31) : -largest[dtype];
  if (low >= smallest && high <= largest[dtype]) return;
  throw new DTypeError(
    `integers from ${low} to ${high} do not all fit into ${dtype}; use another dtype or a smaller interval.`,
    {
      op,
      operand: 'dtype',
      actual: dtype,
      expected: `a type that holds ${low} and ${high}`,
    },
  );
}
