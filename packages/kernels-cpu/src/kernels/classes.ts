// Kernels of losses of class numbers: what logits are worth at the places where a class is the target.

import type { FloatArray } from '../arrays.ts';

/** Logits: a contiguous array of `batch` × `classes` × `places` elements, with a target class at each place of each sample. */
export interface ClassGeometry {
  readonly batch: number;
  readonly classes: number;
  readonly places: number;
  /** How much of each target is spread evenly over all classes, from 0 to 1. */
  readonly smoothing: number;
}

/** Kernels of losses of class numbers. */
export interface ClassKernels {
  /**
   * The cross entropy between softmax of logits and target distributions (1 - smoothing in the target class, and its share of smoothing in
   * each); `logs`, log(Σ exp(logit)), is written too. All but the logits are of `batch` × `places`. A target below 0 has no loss.
   */
  readonly crossEntropy: (
    g: ClassGeometry,
    logits: FloatArray,
    target: Int32Array,
    losses: FloatArray,
    logs: Float64Array,
  ) => void;
  /** The gradient of `crossEntropy` in the logits: `cotangent · (softmax - target distribution)`, with the `logs` that it wrote. */
  readonly crossEntropyGrad: (
    g: ClassGeometry,
    cotangent: FloatArray,
    logits: FloatArray,
    target: Int32Array,
    logs: Float64Array,
    out: FloatArray,
  ) => void;
}
