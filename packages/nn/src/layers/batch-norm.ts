// Batch normalisation, one class body for any number of spatial axes.

import {
  add,
  add_,
  copy_,
  type FloatDType,
  formatShape,
  mean,
  mul,
  noGrad,
  ones,
  reshape,
  rsqrt,
  ShapeError,
  square,
  sub,
  type Tensor,
  zeros,
} from '@adjoint/core';
import { Module } from '../module/module.ts';
import { Buffer, Parameter } from '../module/parameter.ts';
import { requireInteger, requireNumber } from './options.ts';

/** Options of batch norm layers. */
export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined;
  /** Weight of the newest batch in the running statistics; null makes them plain means over all batches. Default 0.1. */
  readonly momentum?: number | null | undefined;
  /** Whether a scale and a shift per channel are learned. Default true. */
  readonly affine?: boolean | undefined;
  /** Whether running statistics are kept, for evaluation. Default true; without, batch statistics are used there too. */
  readonly trackRunningStats?: boolean | undefined;
  /** Element type of parameters and statistics. Default float32. */
  readonly dtype?: FloatDType | undefined;
}

/** What `BatchNorm1d`, `BatchNorm2d` and `BatchNorm3d` share. */
abstract class BatchNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  /** Scale and shift per channel, of shape (channels), or null. They start as 1 and 0. */
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  /** Statistics for evaluation, of shape (channels), or null. They start as 0 and 1. */
  readonly runningMean: Buffer | null;
  readonly runningVar: Buffer | null;
  /** Number of batches seen in training, int32, or null. */
  readonly numBatchesTracked: Buffer | null;
  readonly #op: string;
  readonly #ranks: readonly number[];

  constructor(op: string, ranks: readonly number[], numFeatures: number, options: BatchNormOptions) {
    super();
    const {
      eps = 1e-5,
      momentum = 0.1,
      affine = true,
      trackRunningStats = true,
      dtype = 'float32',
    } = options;
    this.numFeatures = requireInteger(op, 'numFeatures', numFeatures, 1);
    this.eps = requireNumber(op, 'eps', eps, 0, Infinity);
    this.momentum = momentum === null ? null : requireNumber(op, 'momentum', momentum, 0, 1);
    this.weight = affine ? new Parameter(ones([numFeatures], { dtype })) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures], { dtype })) : null;
    this.runningMean = trackRunningStats ? new Buffer(zeros([numFeatures], { dtype })) : null;
    this.runningVar = trackRunningStats ? new Buffer(ones([numFeatures], { dtype })) : null;
    this.numBatchesTracked = trackRunningStats ? new Buffer(zeros([], { dtype: 'int32' })) : null;
    this.#op = op;
    this.#ranks = ranks;
  }

  /**
   * Normalises each channel, by the statistics of the batch in training and by the running ones in evaluation.
   *
   * @throws ShapeError if the input has other axes or channels, or, in training, one value per channel only.
   */
  forward(x: Tensor): Tensor {
    this.#check(x);
    const perChannel = x.shape.map((size, axis) => (axis === 1 ? size : 1));
    const { runningMean, runningVar } = this;
    let centred: Tensor;
    let variance: Tensor;
    if (this.training || runningMean === null || runningVar === null) {
      const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
      const average = mean(x, { axes, keepdim: true });
      centred = sub(x, average);
      variance = mean(square(centred), { axes, keepdim: true });
      if (this.training) this.#track(average, variance, x.size / this.numFeatures);
    } else {
      centred = sub(x, reshape(runningMean, perChannel));
      variance = reshape(runningVar, perChannel);
    }
    const scale = rsqrt(add(variance, this.eps));
    const { weight, bias } = this;
    const normalised = mul(centred, weight === null ? scale : mul(scale, reshape(weight, perChannel)));
    return bias === null ? normalised : add(normalised, reshape(bias, perChannel));
  }

  // The running variance is the unbiased one, as in PyTorch, while the batch itself is divided by the biased one.
  #track(average: Tensor, variance: Tensor, count: number): void {
    const { runningMean, runningVar, numBatchesTracked } = this;
    if (runningMean === null || runningVar === null || numBatchesTracked === null) return;
    noGrad(() => {
      add_(numBatchesTracked, 1);
      const share = this.momentum ?? 1 / numBatchesTracked.item();
      const unbiased = mul(variance, count / (count - 1));
      for (const [running, seen] of [
        [runningMean, average],
        [runningVar, unbiased],
      ] as const)
        copy_(running, add(mul(running, 1 - share), mul(reshape(seen, running.shape), share)));
    });
  }

  #check(x: Tensor): void {
    if (!this.#ranks.includes(x.ndim) || x.shape[1] !== this.numFeatures) {
      const expected = `${this.#ranks.join(' or ')} axes, ${this.numFeatures} channels on axis 1`;
      throw new ShapeError(`the input has shape ${formatShape(x.shape)}; it takes ${expected}.`, {
        op: this.#op,
        operand: 'x',
        actual: x.shape,
        expected,
      });
    }
    if ((this.training || this.runningMean === null) && x.size / this.numFeatures <= 1) {
      throw new ShapeError(
        `the input of shape ${formatShape(x.shape)} has ${x.size / this.numFeatures} values per channel, and a batch needs at least 2 to have a variance; use a larger batch, or running statistics and eval().`,
        { op: this.#op, operand: 'x', actual: x.shape, expected: 'at least 2 values per channel' },
      );
    }
  }

  override extraRepr(): string {
    const { numFeatures, eps, momentum, weight, runningMean } = this;
    const parts = [String(numFeatures)];
    if (eps !== 1e-5) parts.push(`eps=${eps}`);
    if (momentum !== 0.1) parts.push(`momentum=${momentum}`);
    if (weight === null) parts.push('affine=false');
    if (runningMean === null) parts.push('trackRunningStats=false');
    return parts.join(', ');
  }
}

/**
 * Batch normalisation of (N, C) or (N, C, L). PyTorch's `nn.BatchNorm1d`; see {@link BatchNorm2d}.
 *
 * @example
 * new BatchNorm1d(100).forward(randn([20, 100])).shape; // [20, 100]
 */
export class BatchNorm1d extends BatchNorm {
  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super('BatchNorm1d', [2, 3], numFeatures, options);
  }
}

/**
 * Batch normalisation of (N, C, H, W): `(x − mean) / sqrt(variance + eps) · weight + bias` per channel. PyTorch's
 * `nn.BatchNorm2d`; Ioffe and Szegedy 2015.
 *
 * In training, mean and variance (biased) are those of the batch, over N, H and W, and the running statistics move towards
 * them: `running = (1 − momentum)·running + momentum·batch`, with the unbiased variance. In evaluation the running ones are used.
 *
 * @param numFeatures number of channels.
 * @throws ArgumentError for an illegal option.
 * @example
 * const norm = new BatchNorm2d(64);
 * norm.forward(randn([16, 64, 8, 8])); // trains and tracks
 * norm.eval().forward(randn([1, 64, 8, 8])); // uses the running statistics
 */
export class BatchNorm2d extends BatchNorm {
  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super('BatchNorm2d', [4], numFeatures, options);
  }
}

/**
 * Batch normalisation of (N, C, D, H, W). PyTorch's `nn.BatchNorm3d`; see {@link BatchNorm2d}.
 *
 * @example
 * new BatchNorm3d(4).forward(randn([2, 4, 3, 3, 3])).shape; // [2, 4, 3, 3, 3]
 */
export class BatchNorm3d extends BatchNorm {
  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super('BatchNorm3d', [5], numFeatures, options);
  }
}
