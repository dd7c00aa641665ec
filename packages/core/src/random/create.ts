// Random fractions: uniform and normal numbers, each from a generator.

import { type FloatArray, kernels, normalQuantile } from '@adjoint/kernels-cpu';
import { checkDType, computeDType, type FloatDType, isFloat, isHalf } from '../dtype.ts';
import { ArgumentError, DTypeError, quote } from '../errors.ts';
import { encodeHalf } from '../half.ts';
import { noOptions, requireOptions } from '../options.ts';
import { checkShape, type Shape, sizeOf } from '../shape.ts';
import { makeTensor } from '../tape/tracing.ts';
import { fromArray, requireTensor, type Tensor } from '../tensor.ts';
import { allocateUnfilled } from '../unfilled.ts';
import { defaultGenerator, Generator } from './generator.ts';
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

const randomOptions = { dtype: 'dtype', generator: Generator, requiresGrad: 'boolean' } as const;

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
  requireOptions('rand', options, randomOptions);
  return floats('rand', shape, options, (generator, values, dtype) => {
    kernels.randomUniform(generator.pass(wordCount(values)), fractionBits[dtype], values);
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
const wordCount = (values: FloatArray): number =>
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
  requireOptions('randn', options, randomOptions);
  return floats('randn', shape, options, (generator, values) => {
    kernels.randomNormal(generator.pass(wordCount(values)), values);
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
  requireOptions('randLike', options, randomOptions);
  requireTensor('randLike', 'x', x);
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
  requireOptions('randnLike', options, randomOptions);
  requireTensor('randnLike', 'x', x);
  return randn(x.shape, like('randnLike', x, options));
}

function like(op: string, x: Tensor, options: RandomOptions): RandomOptions {
  const dtype = options.dtype ?? x.dtype;
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
  requireOptions('truncatedNormal', options, {
    dtype: 'dtype',
    generator: Generator,
    requiresGrad: 'boolean',
  });
  const op = 'truncatedNormal';
  if (typeof lower !== 'number' || typeof upper !== 'number' || !(lower < upper)) {
    throw new ArgumentError(`the interval is ${quote([lower, upper])}; give numbers with lower < upper.`, {
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
