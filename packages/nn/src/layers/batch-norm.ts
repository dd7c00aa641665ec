// Batch normalisation, one body for any number of spatial axes.

import { batchNorm, type NormalisedBatch, type Tensor } from '@adjoint/core';
import { type NormCall, RunningNorm, type RunningNormOptions } from './running-norm.ts';

/** What `BatchNorm1d`, `BatchNorm2d` and `BatchNorm3d` share. */
abstract class BatchNorm extends RunningNorm {
  constructor(op: string, ranks: readonly number[], numFeatures: number, options: RunningNormOptions) {
    super({ op, ranks, affine: true, trackRunningStats: true }, numFeatures, options);
  }

  protected override valuesPerMean(x: Tensor): number {
    return x.size / this.numFeatures;
  }

  protected override normalise(x: Tensor, { ownStatistics, ...call }: NormCall): NormalisedBatch {
    return batchNorm(x, { ...call, training: ownStatistics });
  }
}

/**
 * Batch normalisation of (N, C) or (N, C, L). PyTorch's `nn.BatchNorm1d`; see {@link BatchNorm2d}.
 *
 * @example
 * new BatchNorm1d(100).forward(randn([20, 100])).shape; // [20, 100]
 */
export class BatchNorm1d extends BatchNorm {
  constructor(numFeatures: number, options: RunningNormOptions = {}) {
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
 * norm.eval().forward(randn([1, 64, 8, 8])).shape; // [1, 64, 8, 8]
 */
export class BatchNorm2d extends BatchNorm {
  constructor(numFeatures: number, options: RunningNormOptions = {}) {
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
  constructor(numFeatures: number, options: RunningNormOptions = {}) {
    super('BatchNorm3d', [5], numFeatures, options);
  }
}
