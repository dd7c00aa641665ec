// Random tensors: uniform, normal and integer numbers, and permutations, each from a generator.

import { type FloatArray, kernels, normalQuantile } from '@adjoint/kernels-cpu';
import {
  allocate,
  checkDType,
  computeDType,
  type DType,
  type FloatDType,
  isFloat,
  isHalf,
} from '../dtype.ts';
import { ArgumentError, DTypeError } from '../errors.ts';
import { encodeHalf } from '../half.ts';
import { noOptions, requireOptions } from '../options.ts';
import { checkShape, type Shape, sizeOf } from '../shape.ts';
import { makeTensor } from '../tape/tracing.ts';
import { fromArray, type Tensor } from '../tensor.ts';
import { allocateUnfilled } from '../unfilled.ts';
import { defaultGenerator, type Generator } from './generator.ts';
import { normalProbability } from './normal.ts';

/** Options of functions that make random floating-point tensors. */
export interface RandomOptions {
  /** A floating-point type. Default float32. */
  readonly dtype?: FloatDType | undefined;
  /** Where the numbers come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
  /** Whether the tensor collects gradients. Default false. */
  readonly requiresGrad?: boolean | undefined;
}

/** Options of functions that make random integers. */
export interface RandomIntegerOptions {
  /** Any type but bool that holds the numbers. Default int32. */
  readonly dtype?: Exclude<DType, 'bool'> | undefined;
  /** Where the numbers come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

/**
 * Numbers drawn uniformly from [0, 1): multiples of 2^-53 in float64, 2^-24 in float32, 2^-11 in float16 and 2^-8 in
 * bfloat16, all equally likely. PyTorch's `torch.rand`.
 *
 * The numbers are the same on every platform, and not those of PyTorch for the same seed.
 *
 * @throws ShapeError for sizes that are not non-negative integers; DTypeError for a type that is not floating-point.
 * @example
 * rand([2, 3], { generator: new Generator(1) }).shape; // [2, 3]
 */
export function rand(shape: Shape, options: RandomOptions = noOptions): Tensor {
  requireOptions('rand', options, ['dtype', 'generator', 'requiresGrad']);
  return floats('rand', shape, options, (generator, values, dtype) => {
    kernels.randomUniform(generator.pass(wordsOf(values)), fractionBits[dtype], values);
  });
}

/** Bits of a uniform number. */
const fractionBits: Readonly<Record<FloatDType, number>> = {
  float64: 53,
  float32: 24,
  float16: 11,
  bfloat16: 8,
};

/** Words that the elements of an array take: two each in float64, else one. */
const wordsOf = (values: FloatArray): number =>
  values instanceof Float64Array ? 2 * values.length : values.length;

/** A multiple of 2^-53 in [0, 1), of two words. */
export function uniform53(generator: Generator): number {
  const high = generator.nextWord() >>> 5;
  const low = generator.nextWord() >>> 6;
  return (high * 2 ** 26 + low) * 2 ** -53;
}

/**
 * Numbers drawn from the standard normal distribution, by inversion of its distribution function. PyTorch's `torch.randn`.
 *
 * Computed without the engine's logarithm and cosine, whose last bits differ between engines: the numbers are the same
 * on every platform. They are not those of PyTorch for the same seed. A float64 number takes 53 random bits, others 32.
 *
 * @throws ShapeError for sizes that are not non-negative integers; DTypeError for a type that is not floating-point.
 * @example
 * manualSeed(0);
 * randn([2, 3], { dtype: 'float64', requiresGrad: true });
 */
export function randn(shape: Shape, options: RandomOptions = noOptions): Tensor {
  requireOptions('randn', options, ['dtype', 'generator', 'requiresGrad']);
  return floats('randn', shape, options, (generator, values) => {
    kernels.randomNormal(generator.pass(wordsOf(values)), values);
  });
}

/**
 * Numbers as of {@link rand}, in the shape and dtype of `x`. PyTorch's `torch.rand_like`.
 *
 * @throws DTypeError if `x` is not floating-point and no dtype is given.
 * @example
 * randLike(zeros([2, 3]), { generator: new Generator(1) }).shape; // [2, 3]
 */
export function randLike(x: Tensor, options: RandomOptions = noOptions): Tensor {
  requireOptions('randLike', options, ['dtype', 'generator', 'requiresGrad']);
  return rand(x.shape, like('randLike', x, options));
}

/**
 * Numbers as of {@link randn}, in the shape and dtype of `x`: the noise of a variational autoencoder. PyTorch's `torch.randn_like`.
 *
 * @throws DTypeError if `x` is not floating-point and no dtype is given.
 * @example
 * const std = tensor([0.5, 2]);
 * std.mul(randnLike(std, { generator: new Generator(1) })).shape; // [2]
 */
export function randnLike(x: Tensor, options: RandomOptions = noOptions): Tensor {
  requireOptions('randnLike', options, ['dtype', 'generator', 'requiresGrad']);
  return randn(x.shape, like('randnLike', x, options));
}

function like(op: string, { dtype: own }: Tensor, options: RandomOptions): RandomOptions {
  const dtype = options.dtype ?? own;
  if (isFloat(dtype)) return { ...options, dtype };
  throw new DTypeError(`x is ${dtype}; random numbers are floating-point, so say which with { dtype }.`, {
    op,
    operand: 'dtype',
    actual: dtype,
    expected: 'a floating-point dtype',
  });
}

/**
 * Numbers drawn from the standard normal distribution, restricted to [lower, upper]. JAX's `random.truncated_normal`.
 *
 * @throws ArgumentError unless lower < upper (either may be infinite) and the interval reaches within 37 of 0; ShapeError and DTypeError as {@link randn}.
 * @example
 * truncatedNormal(-2, 2, [100], { generator: new Generator(1) });
 */
export function truncatedNormal(
  lower: number,
  upper: number,
  shape: Shape,
  options: RandomOptions = noOptions,
): Tensor {
  requireOptions('truncatedNormal', options, ['dtype', 'generator', 'requiresGrad']);
  const op = 'truncatedNormal';
  if (!(lower < upper)) {
    throw new ArgumentError(`the interval is [${lower}, ${upper}]; give numbers with lower < upper.`, {
      op,
      operand: 'upper',
      actual: [lower, upper],
      expected: 'lower < upper',
    });
  }
  // Probabilities are precise below 0: an interval above it is drawn as its mirror image.
  const mirror = lower > 0;
  const [from, to] = mirror ? [-upper, -lower] : [lower, upper];
  const start = normalProbability(from);
  const width = normalProbability(to) - start;
  if (start + width === 0) {
    throw new ArgumentError(
      `the interval is [${lower}, ${upper}]; it lies so far out that its probability is below 1e-301. Shift it towards 0.`,
      { op, operand: 'upper', actual: [lower, upper], expected: 'an interval that reaches within 37 of 0' },
    );
  }
  return floats(op, shape, options, (generator, values) => {
    for (let i = 0; i < values.length; i++) {
      const p = start + width * (uniform53(generator) + 2 ** -54);
      const z = normalQuantile(Math.min(p, 1 - 2 ** -53));
      const inside = Math.min(Math.max(z, from), to);
      values[i] = mirror ? -inside : inside;
    }
  });
}

function floats(
  op: string,
  shape: Shape,
  { dtype: wanted, generator = defaultGenerator, requiresGrad = false }: RandomOptions,
  fill: (generator: Generator, values: FloatArray, dtype: FloatDType) => void,
): Tensor {
  checkShape(shape, op);
  const dtype = wanted === undefined ? 'float32' : checkDType(wanted, op);
  if (!isFloat(dtype)) {
    throw new DTypeError(
      `dtype is ${dtype}; random fractions need a floating-point type (randint gives integers).`,
      {
        op,
        operand: 'dtype',
        actual: dtype,
        expected: 'a floating-point dtype',
      },
    );
  }
  const made = makeTensor(op, [], { shape: shape.slice(), dtype }, () => {
    const values = allocateUnfilled(computeDType(dtype), sizeOf(shape)) as FloatArray;
    fill(generator, values, dtype);
    return fromArray(stored(values, dtype), shape.slice(), dtype);
  });
  if (requiresGrad) made.requiresGrad = true;
  return made;
}

function stored(values: Float32Array | Float64Array, dtype: FloatDType) {
  return isHalf(dtype) ? encodeHalf(dtype, values) : values;
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
  requireOptions('randint', options, ['dtype', 'generator']);
  const { dtype: wanted = 'int32', generator = defaultGenerator } = options;
  const op = 'randint';
  checkShape(shape, op);
  const dtype = checkDType(wanted, op);
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || low >= high || high - low > 2 ** 32) {
    throw new ArgumentError(
      `the interval is [${low}, ${high}); give integers with low < high and at most 2^32 apart.`,
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
  requireOptions('randperm', options, ['dtype', 'generator']);
  const { dtype: wanted = 'int32', generator = defaultGenerator } = options;
  const op = 'randperm';
  const dtype = checkDType(wanted, op);
  if (!Number.isInteger(count) || count < 0 || count > 2 ** 31 - 1) {
    throw new ArgumentError(`count is ${count}; give an integer from 0 to 2^31 - 1.`, {
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
  if (isHalf(dtype)) return stored(values, dtype);
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
