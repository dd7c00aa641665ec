// Steps of optimisers as kernels: the numbers that each takes, and what it does to one parameter.

import type { FloatArray } from '../arrays.ts';

/** Numbers of {@link DescentKernels.sgdStep}, by the names of PyTorch's `optim.SGD`. */
export interface SgdNumbers {
  readonly lr: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
  readonly maximize: boolean;
}

/** Numbers of {@link DescentKernels.adamStep}. */
export interface AdamNumbers {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  /** Multiple of the value that is added to the gradient: Adam's weight decay. */
  readonly coupled: number;
  /** Share of the value that is kept: 1 less AdamW's weight decay. */
  readonly kept: number;
  readonly maximize: boolean;
  /** The number of this step, from 1. */
  readonly step: number;
}

/** Numbers of {@link DescentKernels.rmspropStep}, by the names of PyTorch's `optim.RMSprop`. */
export interface RmspropNumbers {
  readonly lr: number;
  readonly alpha: number;
  readonly eps: number;
  readonly weightDecay: number;
  readonly momentum: number;
  readonly maximize: boolean;
}

/**
 * Steps of optimisers. They overwrite `values` and what is kept between steps; all arrays are of one type and length, and different
 * ones. The reference computes in double precision and rounds what it stores; fast tiers compute in the type of the arrays, as PyTorch does, and
 * give what the reference gives for numbers that differ by a few units in the last place.
 */
export interface DescentKernels {
  /** `velocity` is null without momentum; `'first'` says that it holds nothing yet. */
  readonly sgdStep: (
    values: FloatArray,
    gradient: FloatArray,
    velocity: FloatArray | null,
    which: 'first' | 'later',
    numbers: SgdNumbers,
  ) => void;
  /** `largest` (of the mean squares so far) is null unless it is AMSGrad. */
  readonly adamStep: (
    values: FloatArray,
    gradient: FloatArray,
    mean: FloatArray,
    square: FloatArray,
    largest: FloatArray | null,
    numbers: AdamNumbers,
  ) => void;
  /** `mean` is null unless the step is divided by the deviation from it; `velocity` is null without momentum. */
  readonly rmspropStep: (
    values: FloatArray,
    gradient: FloatArray,
    square: FloatArray,
    mean: FloatArray | null,
    velocity: FloatArray | null,
    numbers: RmspropNumbers,
  ) => void;
}
