// Instance normalisation, one body for any number of spatial axes.

import { instanceNorm, type NormalisedBatch, reshape, Tensor } from '@adjoint/core';
import { type NormCall, RunningNorm, type RunningNormOptions } from './running-norm.ts';

/** What `InstanceNorm1d`, `InstanceNorm2d` and `InstanceNorm3d` share. */
abstract class InstanceNorm extends RunningNorm {
  readonly #dims: number;

  constructor(op: string, dims: number, numFeatures: number, options: RunningNormOptions) {
    super({ op, ranks: [dims + 2], affine: false, trackRunningStats: false }, numFeatures, options);
    this.#dims = dims;
  }

  override forward(x: Tensor): Tensor {
    if (!(x instanceof Tensor) || x.ndim !== this.#dims + 1) return super.forward(x);
    return reshape(super.forward(reshape(x, [1, ...x.shape])), x.shape);
  }

  protected override valuesPerMean(x: Tensor): number {
    return x.shape.slice(2).reduce((product, size) => product * size, 1);
  }

  protected override normalise(x: Tensor, { ownStatistics, ...call }: NormCall): NormalisedBatch {
    return instanceNorm(x, { ...call, useInputStats: ownStatistics });
  }
}

/**
 * Instance normalisation of (N, C, L) or (C, L). PyTorch's `nn.InstanceNorm1d`; see {@link InstanceNorm2d}.
 *
 * @example
 * new InstanceNorm1d(3).forward(randn([2, 3, 10])).shape; // [2, 3, 10]
 */
export class InstanceNorm1d extends InstanceNorm {
  constructor(numFeatures: number, options: RunningNormOptions = {}) {
    super('InstanceNorm1d', 1, numFeatures, options);
  }
}

/**
 * Instance normalisation of (N, C, H, W) or (C, H, W): each channel of each image by its own mean and variance. PyTorch's
 * `nn.InstanceNorm2d`; Ulyanov et al. 2016. By default nothing is learned and nothing tracked.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new InstanceNorm2d(3, { affine: true }).forward(randn([2, 3, 4, 4])).shape; // [2, 3, 4, 4]
 */
export class InstanceNorm2d extends InstanceNorm {
  constructor(numFeatures: number, options: RunningNormOptions = {}) {
    super('InstanceNorm2d', 2, numFeatures, options);
  }
}

/**
 * Instance normalisation of (N, C, D, H, W) or (C, D, H, W). PyTorch's `nn.InstanceNorm3d`; see {@link InstanceNorm2d}.
 *
 * @example
 * new InstanceNorm3d(3).forward(randn([2, 3, 2, 2, 2])).shape; // [2, 3, 2, 2, 2]
 */
export class InstanceNorm3d extends InstanceNorm {
  constructor(numFeatures: number, options: RunningNormOptions = {}) {
    super('InstanceNorm3d', 3, numFeatures, options);
  }
}
