// Kernels of normalisations: what is normalised by which statistics, and the gradients.

import type { FloatArray } from '../arrays.ts';

/**
 * What is normalised: contiguous arrays of `batch` × `groups` × `channels` × `places` elements, with a weight and a bias per group and
 * channel, and one mean and one `rstd` (the reciprocal of the deviation) per set of elements that are normalised together.
 */
export interface NormGeometry {
  readonly batch: number;
  readonly groups: number;
  readonly channels: number;
  readonly places: number;
  /** The sets: `'sample'`, each group of each sample; `'batch'`, each group of all samples. Statistics lie in that order. */
  readonly over: 'sample' | 'batch';
  /** Whether the mean is taken off; if not, it counts as 0, and the mean square as the variance. */
  readonly centred: boolean;
  /** Added to the variance before its root is taken. */
  readonly eps: number;
}

/** One of each per group and channel. */
export interface NormParameters {
  readonly weight: FloatArray;
  readonly bias: FloatArray;
}

/** One of each per set. */
export interface NormStatistics {
  readonly mean: FloatArray;
  readonly rstd: FloatArray;
}

/** What a normalisation finds out: statistics by which it can be repeated, and the mean square deviation. One of each per set. */
export interface NormMoments extends NormStatistics {
  readonly variance: FloatArray;
}

/** Where gradients go: of x, and per group and channel that of the weight, or null for who does not want it. */
export interface NormGradients {
  readonly x: FloatArray;
  readonly weight: FloatArray | null;
}

/** Kernels of normalisations. */
export interface NormKernels {
  /**
   * `y = (x - mean) · rstd · weight + bias` with the mean and `rstd = 1 / √(variance + eps)` of each set, which are written too, as is
   * the variance, which is the mean square deviation; null for who wants `y` alone.
   */
  readonly normalise: (
    g: NormGeometry,
    x: FloatArray,
    affine: NormParameters,
    y: FloatArray,
    moments: NormMoments | null,
  ) => void;
  /** As `normalise`, with statistics that are given. */
  readonly normaliseBy: (
    g: NormGeometry,
    x: FloatArray,
    affine: NormParameters,
    statistics: NormStatistics,
    y: FloatArray,
  ) => void;
  /**
   * The gradient of `normalise` in x, from the cotangent: `rstd · (c - mean(c) - x̂ mean(c x̂))` with c = cotangent · weight; without mean(c)
   * unless centred. Besides, for who wants it, what `normaliseWeightGrad` gives, of the same bits: for sums over a batch it has no need to
   * look at the elements again.
   */
  readonly normaliseGrad: (
    g: NormGeometry,
    cotangent: FloatArray,
    x: FloatArray,
    weight: FloatArray,
    statistics: NormStatistics,
    gradients: NormGradients,
  ) => void;
  /** The gradient of `normalise` in the weight: `Σ cotangent · (x - mean) · rstd` over samples and places. */
  readonly normaliseWeightGrad: (
    g: NormGeometry,
    cotangent: FloatArray,
    x: FloatArray,
    statistics: NormStatistics,
    out: FloatArray,
  ) => void;
}
