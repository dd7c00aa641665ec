// What batch and instance normalisation share: a scale and a shift per channel, and running statistics for evaluation.

import {
  add_,
  copy_,
  type FloatDType,
  formatShape,
  noGrad,
  ones,
  requireOptions,
  requireTensor,
  ShapeError,
  type Tensor,
  zeros,
} from '@adjoint/core';
import { Module } from '../module/module.ts';
import { Buffer, Parameter } from '../module/parameter.ts';
import { requireInteger, requireNumber } from './options.ts';

/** Options of layers that normalise channels. */
export interface RunningNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined;
  /** Weight of the newest batch in the running statistics; null makes them plain means over all batches. Default 0.1. */
  readonly momentum?: number | null | undefined;
  /** Whether a scale and a shift per channel are learned. Default true for batch norm, false for instance norm. */
  readonly affine?: boolean | undefined;
  /**
   * Whether running statistics are kept and used in evaluation; without, those of the input are used there too. Default true for
   * batch norm, false for instance norm.
   */
  readonly trackRunningStats?: boolean | undefined;
  /** Element type of parameters and statistics. Default float32. */
  readonly dtype?: FloatDType | undefined;
}

/** Which layer it is: its name, the numbers of axes that it takes, and what its options are by default. */
export interface RunningNormKind {
  readonly op: string;
  readonly ranks: readonly number[];
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
}

/** A call of the function that normalises. */
export interface NormCall {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  readonly runningMean: Tensor | undefined;
  readonly runningVar: Tensor | undefined;
  readonly eps: number;
  readonly momentum: number;
  /** Whether to normalise by the statistics of the input. */
  readonly ownStatistics: boolean;
}

/** The base of `BatchNorm1d` … `InstanceNorm3d`. */
export abstract class RunningNorm extends Module {
  /** Number of channels. */
  readonly numFeatures: number;
  /** Added to the variance. */
  readonly eps: number;
  /** Weight of the newest batch in the running statistics; null for plain means over all batches. */
  readonly momentum: number | null;
  /** Scale per channel, of shape (channels), or null. It starts as 1. */
  readonly weight: Parameter | null;
  /** Shift per channel, of shape (channels), or null. It starts as 0. */
  readonly bias: Parameter | null;
  /** Means for evaluation, of shape (channels), or null. They start as 0. */
  readonly runningMean: Buffer | null;
  /** Variances for evaluation, of shape (channels), or null. They start as 1. */
  readonly runningVar: Buffer | null;
  /** Number of batches seen in training, int32, or null. */
  readonly numBatchesTracked: Buffer | null;
  readonly #kind: RunningNormKind;

  constructor(kind: RunningNormKind, numFeatures: number, options: RunningNormOptions) {
    super();
    const { op } = kind;
    requireOptions(op, options, {
      eps: 'number',
      momentum: 'own',
      affine: 'boolean',
      trackRunningStats: 'boolean',
      dtype: 'dtype',
    });
    const { eps = 1e-5, momentum = 0.1, dtype = 'float32' } = options;
    const { affine = kind.affine, trackRunningStats = kind.trackRunningStats } = options;
    this.numFeatures = requireInteger(op, 'numFeatures', numFeatures, 1);
    this.eps = requireNumber(op, 'eps', eps, 0, Infinity);
    this.momentum = momentum === null ? null : requireNumber(op, 'momentum', momentum, 0, 1);
    this.weight = affine ? new Parameter(ones([numFeatures], { dtype })) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures], { dtype })) : null;
    this.runningMean = trackRunningStats ? new Buffer(zeros([numFeatures], { dtype })) : null;
    this.runningVar = trackRunningStats ? new Buffer(ones([numFeatures], { dtype })) : null;
    this.numBatchesTracked = trackRunningStats ? new Buffer(zeros([], { dtype: 'int32' })) : null;
    this.#kind = kind;
  }

  /** Number of values that one mean is taken over. */
  protected abstract valuesPerMean(x: Tensor): number;

  /** Normalises, and gives the running statistics that follow. */
  protected abstract normalise(
    x: Tensor,
    call: NormCall,
  ): {
    readonly output: Tensor;
    readonly runningMean: Tensor | undefined;
    readonly runningVar: Tensor | undefined;
  };

  /**
   * Normalises each channel, by the statistics of the input in training and by the running ones, if kept, in evaluation.
   *
   * @throws ShapeError if the input has other axes or channels, or too few values to have a variance.
   */
  forward(x: Tensor): Tensor {
    const { runningMean, runningVar, numBatchesTracked } = this;
    const ownStatistics = this.training || runningMean === null;
    this.#check(x, ownStatistics);
    const tracks = this.training && numBatchesTracked !== null;
    const batches = tracks && this.momentum === null ? numBatchesTracked.item() + 1 : 1;
    const after = this.normalise(x, {
      weight: this.weight ?? undefined,
      bias: this.bias ?? undefined,
      runningMean: runningMean ?? undefined,
      runningVar: runningVar ?? undefined,
      eps: this.eps,
      momentum: this.momentum ?? 1 / batches,
      ownStatistics,
    });
    if (tracks) {
      noGrad(() => {
        add_(numBatchesTracked, 1);
        copy_(runningMean!, after.runningMean!);
        copy_(runningVar!, after.runningVar!);
      });
    }
    return after.output;
  }

  #check(x: Tensor, ownStatistics: boolean): void {
    const { op, ranks } = this.#kind;
    requireTensor(op, 'x', x);
    if (!ranks.includes(x.ndim) || x.shape[1] !== this.numFeatures) {
      const expected = `${ranks.join(' or ')} axes, and ${this.numFeatures} channels on axis 1`;
      throw new ShapeError(`the input has shape ${formatShape(x.shape)}; it takes ${expected}.`, {
        op,
        operand: 'x',
        actual: x.shape,
        expected,
      });
    }
    const count = this.valuesPerMean(x);
    if (ownStatistics && count < 2) {
      throw new ShapeError(
        `the input of shape ${formatShape(x.shape)} has ${count} ${count === 1 ? 'value' : 'values'} per mean, and a variance needs 2; use more, or running statistics and eval().`,
        { op, operand: 'x', actual: x.shape, expected: 'at least 2 values per mean' },
      );
    }
  }

  override extraRepr(): string {
    const { numFeatures, eps, momentum, weight, runningMean } = this;
    const kind = this.#kind;
    const parts = [String(numFeatures)];
    if (eps !== 1e-5) parts.push(`eps=${eps}`);
    if (momentum !== 0.1) parts.push(`momentum=${momentum}`);
    if ((weight !== null) !== kind.affine) parts.push(`affine=${weight !== null}`);
    if ((runningMean !== null) !== kind.trackRunningStats)
      parts.push(`trackRunningStats=${runningMean !== null}`);
    return parts.join(', ');
  }
}
