// Initialisers: fill a tensor in place with constants or random numbers, each drawn from a generator that can be named.

import {
  ArgumentError,
  add,
  clamp,
  copy_,
  type FloatDType,
  fill_,
  formatShape,
  Generator,
  isFloat,
  mul,
  noGrad,
  type RandomOptions,
  rand,
  randn,
  requireArgument,
  requireOptions,
  ShapeError,
  Tensor,
  tensor,
  truncatedNormal,
} from '@adjoint/core';
import { requireNumber, requireOneOf } from '../layers/options.ts';
import { type Fans, fansOf, gainOf, type Nonlinearity } from './scale.ts';

/** Options of random initialisers. */
export interface InitOptions {
  /** Where the numbers come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

/** Options of initialisers that scale with the size of a layer. */
export interface FanOptions extends InitOptions {
  /**
   * The layer's fans; default those of {@link fansOf}, which are wrong for grouped convolution weights with an axis of
   * groups: pass `layer.fans` there.
   */
  readonly fans?: Fans | undefined;
}

/** Fills with `value`. PyTorch's `constant_`. */
export function constant_(target: Tensor, value: number): Tensor {
  return noGrad(() => fill_(target, value));
}

/** Fills with 0. PyTorch's `zeros_`. */
export function zeros_(target: Tensor): Tensor {
  return constant_(target, 0);
}

/** Fills with 1. PyTorch's `ones_`. */
export function ones_(target: Tensor): Tensor {
  return constant_(target, 1);
}

/**
 * Fills with numbers drawn uniformly from [low, high). PyTorch's `uniform_`.
 *
 * @example
 * init.uniform_(zeros([3, 4]), { low: -0.1, high: 0.1, generator: new Generator(1) });
 */
export function uniform_(
  target: Tensor,
  options: InitOptions & { readonly low?: number | undefined; readonly high?: number | undefined } = {},
): Tensor {
  requireOptions('uniform_', options, { low: 'number', high: 'number', generator: Generator });
  requireArgument('uniform_', 'target', target, Tensor);
  const { low = 0, high = 1, generator } = options;
  return draw(target, rand, (u) => add(mul(u, high - low), low), generator);
}

/** Fills with numbers drawn from the normal distribution. PyTorch's `normal_`. Defaults: mean 0, std 1. */
export function normal_(
  target: Tensor,
  options: InitOptions & { readonly mean?: number | undefined; readonly std?: number | undefined } = {},
): Tensor {
  requireOptions('normal_', options, { mean: 'number', std: 'number', generator: Generator });
  requireArgument('normal_', 'target', target, Tensor);
  const { mean = 0, std = 1, generator } = options;
  requireNumber('normal_', 'std', std, 0, Infinity);
  return draw(target, randn, (z) => add(mul(z, std), mean), generator);
}

/** Options of {@link truncNormal_}. */
export interface TruncNormalOptions extends InitOptions {
  /** Mean of the normal distribution before it is cut. Default 0. */
  readonly mean?: number | undefined;
  /** Its standard deviation. Default 1. */
  readonly std?: number | undefined;
  /** The smallest value, not in units of `std`. Default −2. */
  readonly a?: number | undefined;
  /** The largest value, not in units of `std`. Default 2. */
  readonly b?: number | undefined;
}

/** Fills from the normal distribution, restricted to [a, b]. PyTorch's `trunc_normal_`. */
export function truncNormal_(target: Tensor, options: TruncNormalOptions = {}): Tensor {
  requireOptions('truncNormal_', options, {
    mean: 'number',
    std: 'number',
    a: 'number',
    b: 'number',
    generator: Generator,
  });
  requireArgument('truncNormal_', 'target', target, Tensor);
  const { mean = 0, std = 1, a = -2, b = 2, generator } = options;
  if (!(std > 0 && a < b)) {
    throw new ArgumentError(`std is ${std} and the interval [${a}, ${b}]; give std > 0 and a < b.`, {
      op: 'truncNormal_',
      operand: std > 0 ? 'b' : 'std',
      actual: std > 0 ? [a, b] : std,
      expected: 'std > 0 and a < b',
    });
  }
  const sample = (shape: readonly number[], options: RandomOptions): Tensor =>
    truncatedNormal((a - mean) / std, (b - mean) / std, shape, options);
  // Scaling rounds, and may round past a bound.
  return draw(target, sample, (z) => clamp(add(mul(z, std), mean), { min: a, max: b }), generator);
}

/**
 * Uniform in ±gain·sqrt(6 / (fanIn + fanOut)). PyTorch's `xavier_uniform_`; Glorot and Bengio 2010.
 *
 * @throws ShapeError for a tensor of fewer than two axes, where no fans are given.
 */
export function xavierUniform_(
  target: Tensor,
  options: FanOptions & { readonly gain?: number | undefined } = {},
): Tensor {
  requireOptions('xavierUniform_', options, { fans: 'own', gain: 'number', generator: Generator });
  requireArgument('xavierUniform_', 'target', target, Tensor);
  const { fanIn, fanOut } = options.fans ?? fansOf(target.shape, 'xavierUniform_');
  const bound = (options.gain ?? 1) * Math.sqrt(6 / (fanIn + fanOut));
  return uniform_(target, { low: -bound, high: bound, generator: options.generator });
}

/** Normal with std gain·sqrt(2 / (fanIn + fanOut)). PyTorch's `xavier_normal_`; Glorot and Bengio 2010. */
export function xavierNormal_(
  target: Tensor,
  options: FanOptions & { readonly gain?: number | undefined } = {},
): Tensor {
  requireOptions('xavierNormal_', options, { fans: 'own', gain: 'number', generator: Generator });
  requireArgument('xavierNormal_', 'target', target, Tensor);
  const { fanIn, fanOut } = options.fans ?? fansOf(target.shape, 'xavierNormal_');
  return normal_(target, {
    std: (options.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut)),
    generator: options.generator,
  });
}

/** Options of Kaiming initialisers. */
export interface KaimingOptions extends FanOptions {
  /** Negative slope of the leaky ReLU that follows. Default 0, which is ReLU. */
  readonly a?: number | undefined;
  /** Whether signals ('fanIn', default) or gradients ('fanOut') keep their size. */
  readonly mode?: 'fanIn' | 'fanOut' | undefined;
  /** What follows the layer. Default 'leakyRelu'. */
  readonly nonlinearity?: Nonlinearity | undefined;
}

/** Uniform in ±gain·sqrt(3 / fan). PyTorch's `kaiming_uniform_`; He et al. 2015. */
export function kaimingUniform_(target: Tensor, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * kaimingStd('kaimingUniform_', target, options);
  return uniform_(target, { low: -bound, high: bound, generator: options.generator });
}

/** Normal with std gain / sqrt(fan). PyTorch's `kaiming_normal_`; He et al. 2015. */
export function kaimingNormal_(target: Tensor, options: KaimingOptions = {}): Tensor {
  return normal_(target, {
    std: kaimingStd('kaimingNormal_', target, options),
    generator: options.generator,
  });
}

function kaimingStd(op: string, target: Tensor, options: KaimingOptions): number {
  requireOptions(op, options, {
    a: 'number',
    mode: 'string',
    nonlinearity: 'string',
    fans: 'own',
    generator: Generator,
  });
  requireArgument(op, 'target', target, Tensor);
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu', fans } = options;
  requireOneOf(op, 'mode', mode, ['fanIn', 'fanOut']);
  return gainOf(nonlinearity, a) / Math.sqrt((fans ?? fansOf(target.shape, op))[mode]);
}

/** Fills with the identity matrix. PyTorch's `eye_`. */
export function eye_(target: Tensor): Tensor {
  requireArgument('eye_', 'target', target, Tensor);
  if (target.ndim !== 2) {
    throw new ShapeError(`the tensor has shape ${formatShape(target.shape)}; an identity has two axes.`, {
      op: 'eye_',
      operand: 'target',
      actual: target.shape,
      expected: 'two axes',
    });
  }
  const [rows, columns] = target.shape;
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * (columns + 1)] = 1;
  return noGrad(() => copy_(target, tensor(values, { shape: target.shape })));
}

function draw(
  target: Tensor,
  sample: (shape: readonly number[], options: RandomOptions) => Tensor,
  shape: (drawn: Tensor) => Tensor,
  generator: Generator | undefined,
): Tensor {
  const dtype: FloatDType = isFloat(target.dtype) ? target.dtype : 'float32';
  return noGrad(() => copy_(target, shape(sample(target.shape, { dtype, generator }))));
}
