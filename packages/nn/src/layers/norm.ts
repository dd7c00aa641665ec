// Normalisations that look at one sample at a time, in training and evaluation alike.

import {
  ArgumentError,
  type FloatDType,
  groupNorm,
  type LocalResponseNormOptions,
  layerNorm,
  localResponseNorm,
  ones,
  quote,
  requireOptions,
  requireTensor,
  rmsNorm,
  type Tensor,
  zeros,
} from '@adjoint/core';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { requireInteger, requireNumber } from './options.ts';

/** Options of {@link LayerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined;
  /** Whether a scale and a shift per element are learned. Default true. */
  readonly elementwiseAffine?: boolean | undefined;
  /** Whether the shift is learned beside the scale. Default true. */
  readonly bias?: boolean | undefined;
  /** Default float32. */
  readonly dtype?: FloatDType | undefined;
}

/**
 * Normalises over the last axes: {@link layerNorm} with learned scale and shift. PyTorch's `nn.LayerNorm`; Ba et al. 2016.
 *
 * @param normalizedShape the last sizes of the input; a number stands for one axis. Weight and bias have this shape.
 * @throws ArgumentError for an illegal size or eps.
 * @example
 * new LayerNorm([5, 10]).forward(randn([20, 5, 10])).shape; // [20, 5, 10]
 */
export class LayerNorm extends Module {
  /** The last sizes of the input. */
  readonly normalizedShape: readonly number[];
  /** Added to the variance. */
  readonly eps: number;
  /** Scale per element, of the normalised shape, or null. It starts as 1. */
  readonly weight: Parameter | null;
  /** Shift per element, of the normalised shape, or null. It starts as 0. */
  readonly bias: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    super();
    requireOptions('LayerNorm', options, {
      eps: 'number',
      elementwiseAffine: 'boolean',
      bias: 'boolean',
      dtype: 'dtype',
    });
    const bias = options.bias ?? true;
    const { eps = 1e-5, elementwiseAffine = true, dtype = 'float32' } = options;
    this.normalizedShape = readShape('LayerNorm', normalizedShape);
    this.eps = requireNumber('LayerNorm', 'eps', eps, 0, Infinity);
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape, { dtype })) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros(this.normalizedShape, { dtype })) : null;
  }

  forward(x: Tensor): Tensor {
    requireTensor('LayerNorm', 'x', x);
    const { weight, bias, eps } = this;
    return layerNorm(x, this.normalizedShape, { weight: weight ?? undefined, bias: bias ?? undefined, eps });
  }

  override extraRepr(): string {
    return `[${this.normalizedShape.join(', ')}]${this.eps === 1e-5 ? '' : `, eps=${this.eps}`}`;
  }
}

/** Options of {@link RMSNorm}. */
export interface RMSNormOptions {
  /** Added to the mean square. Default: the distance from 1 to the next number of the input's dtype. */
  readonly eps?: number | undefined;
  /** Whether a scale per element is learned. Default true. */
  readonly elementwiseAffine?: boolean | undefined;
  /** Default float32. */
  readonly dtype?: FloatDType | undefined;
}

/**
 * Divides by the root of the mean square over the last axes: {@link rmsNorm} with a learned scale. PyTorch's `nn.RMSNorm`; Zhang and
 * Sennrich 2019.
 *
 * @throws ArgumentError for an illegal size or eps.
 * @example
 * new RMSNorm(10).forward(randn([20, 10])).shape; // [20, 10]
 */
export class RMSNorm extends Module {
  /** The last sizes of the input. */
  readonly normalizedShape: readonly number[];
  /** Added to the mean square; undefined for the distance from 1 to the next number of the input's dtype. */
  readonly eps: number | undefined;
  /** Scale per element, of the normalised shape, or null. It starts as 1. */
  readonly weight: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: RMSNormOptions = {}) {
    super();
    requireOptions('RMSNorm', options, { eps: 'number', elementwiseAffine: 'boolean', dtype: 'dtype' });
    const { eps, elementwiseAffine = true, dtype = 'float32' } = options;
    this.normalizedShape = readShape('RMSNorm', normalizedShape);
    this.eps = eps === undefined ? undefined : requireNumber('RMSNorm', 'eps', eps, 0, Infinity);
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape, { dtype })) : null;
  }

  forward(x: Tensor): Tensor {
    requireTensor('RMSNorm', 'x', x);
    return rmsNorm(x, this.normalizedShape, { weight: this.weight ?? undefined, eps: this.eps });
  }

  override extraRepr(): string {
    return `[${this.normalizedShape.join(', ')}]${this.eps === undefined ? '' : `, eps=${this.eps}`}`;
  }
}

/** Options of {@link GroupNorm}. */
export interface GroupNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined;
  /** Whether a scale and a shift per channel are learned. Default true. */
  readonly affine?: boolean | undefined;
  /** Default float32. */
  readonly dtype?: FloatDType | undefined;
}

/**
 * Normalises groups of channels of each sample: {@link groupNorm} with learned scale and shift. PyTorch's `nn.GroupNorm`; Wu and He
 * 2018.
 *
 * @throws ArgumentError if `numGroups` does not divide `numChannels`, or for an illegal eps.
 * @example
 * new GroupNorm(3, 6).forward(randn([20, 6, 10, 10])).shape; // [20, 6, 10, 10]
 */
export class GroupNorm extends Module {
  /** Groups of channels that are normalised together. */
  readonly numGroups: number;
  /** Channels of the input. */
  readonly numChannels: number;
  /** Added to the variance. */
  readonly eps: number;
  /** Scale per channel, of shape (channels), or null. It starts as 1. */
  readonly weight: Parameter | null;
  /** Shift per channel, of shape (channels), or null. It starts as 0. */
  readonly bias: Parameter | null;

  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}) {
    super();
    requireOptions('GroupNorm', options, { eps: 'number', affine: 'boolean', dtype: 'dtype' });
    const { eps = 1e-5, affine = true, dtype = 'float32' } = options;
    this.numGroups = requireInteger('GroupNorm', 'numGroups', numGroups, 1);
    this.numChannels = requireInteger('GroupNorm', 'numChannels', numChannels, 1);
    if (numChannels % numGroups !== 0) {
      throw new ArgumentError(
        `numGroups is ${numGroups} and numChannels ${numChannels}; the first must divide the second.`,
        {
          op: 'GroupNorm',
          operand: 'numGroups',
          actual: numGroups,
          expected: `a divisor of ${numChannels}`,
        },
      );
    }
    this.eps = requireNumber('GroupNorm', 'eps', eps, 0, Infinity);
    this.weight = affine ? new Parameter(ones([numChannels], { dtype })) : null;
    this.bias = affine ? new Parameter(zeros([numChannels], { dtype })) : null;
  }

  forward(x: Tensor): Tensor {
    requireTensor('GroupNorm', 'x', x);
    const { numGroups, weight, bias, eps } = this;
    return groupNorm(x, numGroups, { weight: weight ?? undefined, bias: bias ?? undefined, eps });
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}${this.eps === 1e-5 ? '' : `, eps=${this.eps}`}`;
  }
}

/**
 * Divides by a mean square over neighbouring channels: {@link localResponseNorm} as a module. PyTorch's `nn.LocalResponseNorm`.
 *
 * @param size number of channels in the mean.
 * @example
 * new LocalResponseNorm(2).forward(randn([2, 4, 3, 3])).shape; // [2, 4, 3, 3]
 */
export class LocalResponseNorm extends Module {
  /** Channels in the mean. */
  readonly size: number;
  /** The options of {@link localResponseNorm}, as they were given. */
  readonly options: LocalResponseNormOptions;

  constructor(size: number, options: LocalResponseNormOptions = {}) {
    super();
    requireOptions('LocalResponseNorm', options, { alpha: 'number', beta: 'number', k: 'number' });
    this.size = requireInteger('LocalResponseNorm', 'size', size, 1);
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return localResponseNorm(x, this.size, this.options);
  }

  override extraRepr(): string {
    return [this.size, ...Object.entries(this.options).map(([name, value]) => `${name}=${value}`)].join(', ');
  }
}

function readShape(op: string, shape: number | readonly number[]): readonly number[] {
  if (typeof shape !== 'number' && !Array.isArray(shape)) {
    throw new ArgumentError(
      `normalizedShape is ${quote(shape)}; give a size, or an array of the last sizes.`,
      {
        op,
        operand: 'normalizedShape',
        actual: shape,
        expected: 'a size, or an array of sizes',
      },
    );
  }
  const sizes: readonly number[] = typeof shape === 'number' ? [shape] : Array.from(shape);
  sizes.forEach((size, i) => {
    requireInteger(op, `normalizedShape[${i}]`, size, 1);
  });
  return requireAny(op, sizes);
}

function requireAny(op: string, sizes: readonly number[]): readonly number[] {
  if (sizes.length > 0) return sizes;
  throw new ArgumentError('normalizedShape is empty; name the sizes of the last axes, one at least.', {
    op,
    operand: 'normalizedShape',
    actual: sizes,
    expected: 'at least one size',
  });
}
