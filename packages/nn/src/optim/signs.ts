// Rprop and Lion: only the sign of a gradient, or of its mean, says where to go.

import { ArgumentError } from '@adjoint/core';
import { requireBetas, requireOption } from './checks.ts';
import { type BaseOptions, Optimizer, type ParamInput, type Update } from './optimizer.ts';

/** Options of {@link Rprop}. */
export interface RpropOptions extends BaseOptions {
  /** The first step size. Default 0.01. */
  lr: number;
  /** Factors of the step size when the sign has changed and when it has not. Default [0.5, 1.2]. */
  etas: readonly [number, number];
  /** Smallest and largest step size. Default [1e-6, 50]. */
  stepSizes: readonly [number, number];
  /** Whether to go up the gradient instead of down. Default false. */
  maximize: boolean;
}

/**
 * Resilient propagation: each element has a step size of its own, which grows while its gradient keeps its sign. For full batches.
 * PyTorch's `optim.Rprop`, step for step; Riedmiller and Braun 1993.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new Rprop(new Linear(4, 1).parameters(), { stepSizes: [1e-6, 1] });
 */
export class Rprop extends Optimizer<RpropOptions> {
  constructor(params: ParamInput<RpropOptions>, options: Partial<Readonly<RpropOptions>> = {}) {
    super('Rprop', params, { lr: 1e-2, etas: [0.5, 1.2], stepSizes: [1e-6, 50], maximize: false }, options);
  }

  protected override check({ lr, etas, stepSizes }: Readonly<RpropOptions>): void {
    requireOption('Rprop', 'lr', lr, 0);
    const [minus, plus] = etas;
    if (!(0 < minus && minus < 1 && 1 < plus && plus < Infinity)) {
      throw new ArgumentError(
        `etas is [${etas.join(', ')}]; give one number between 0 and 1 and one above 1.`,
        {
          op: 'Rprop',
          operand: 'etas',
          actual: etas,
          expected: '0 < etas[0] < 1 < etas[1]',
        },
      );
    }
    const [smallest, largest] = stepSizes;
    if (!(0 <= smallest && smallest <= largest)) {
      throw new ArgumentError(
        `stepSizes is [${stepSizes.join(', ')}]; give the smallest, then the largest.`,
        {
          op: 'Rprop',
          operand: 'stepSizes',
          actual: stepSizes,
          expected: '0 <= stepSizes[0] <= stepSizes[1]',
        },
      );
    }
  }

  protected override update({ values, gradient, state, group }: Update<RpropOptions>): void {
    const [shrink, grow] = group.etas;
    const [smallest, largest] = group.stepSizes;
    state.nextStep();
    const previous = state.array('prev');
    const size = state.array('stepSize', group.lr);
    const sign = group.maximize ? -1 : 1;
    for (let i = 0; i < values.length; i++) {
      let g = sign * gradient[i];
      const agreement = g * previous[i];
      const factor = agreement > 0 ? grow : agreement < 0 ? shrink : 1;
      size[i] = Math.min(Math.max(size[i] * factor, smallest), largest);
      // After a change of sign the element waits for one step.
      if (agreement < 0) g = 0;
      values[i] -= Math.sign(g) * size[i];
      previous[i] = g;
    }
  }
}

/** Options of {@link Lion}. */
export interface LionOptions extends BaseOptions {
  /** Learning rate. Default 0.0001. */
  lr: number;
  /** Weight of the mean in the step, and decay of the mean. Default [0.9, 0.99]. */
  betas: readonly [number, number];
  /** Share of itself that a parameter loses per lr. Default 0. */
  weightDecay: number;
  /** Whether to go up the gradient instead of down. Default false. */
  maximize: boolean;
}

/**
 * Lion: steps of the size of the learning rate, along the sign of a mean of gradients. Chen et al. 2023 (Algorithm 2), with its
 * defaults.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new Lion(new Linear(4, 1).parameters(), { lr: 1e-4, weightDecay: 0.1 });
 */
export class Lion extends Optimizer<LionOptions> {
  constructor(params: ParamInput<LionOptions>, options: Partial<Readonly<LionOptions>> = {}) {
    super('Lion', params, { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false }, options);
  }

  protected override check({ lr, betas, weightDecay }: Readonly<LionOptions>): void {
    requireOption('Lion', 'lr', lr, 0);
    requireBetas('Lion', betas);
    requireOption('Lion', 'weightDecay', weightDecay, 0);
  }

  protected override update({ values, gradient, state, group }: Update<LionOptions>): void {
    const { lr, weightDecay, maximize } = group;
    const [beta1, beta2] = group.betas;
    const mean = state.array('expAvg');
    const kept = 1 - lr * weightDecay;
    const sign = maximize ? -1 : 1;
    for (let i = 0; i < values.length; i++) {
      const g = sign * gradient[i];
      values[i] = values[i] * kept - lr * Math.sign(beta1 * mean[i] + (1 - beta1) * g);
      mean[i] = beta2 * mean[i] + (1 - beta2) * g;
    }
  }
}
