// Adagrad and Adadelta: steps scaled by what the gradients have been so far.

import { requireOption } from './checks.ts';
import { type BaseOptions, Optimizer, type ParamInput, type Update } from './optimizer.ts';

/** Options of {@link Adagrad}. */
export interface AdagradOptions extends BaseOptions {
  /** Learning rate. Default 0.01. */
  lr: number;
  /** By how much of itself the divisor of the learning rate grows per step. Default 0. */
  lrDecay: number;
  /** Multiple of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** What the sum of squares starts from. Default 0. */
  initialAccumulatorValue: number;
  /** Added to the root of the sum. Default 1e-10. */
  eps: number;
  /** Whether to go up the gradient instead of down. Default false. */
  maximize: boolean;
}

/**
 * Adagrad: gradients divided by the root of the sum of their squares. PyTorch's `optim.Adagrad`, step for step; Duchi et al. 2011.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new Adagrad(new Linear(4, 1).parameters(), { lrDecay: 0.01 });
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(params: ParamInput<AdagradOptions>, options: Partial<Readonly<AdagradOptions>> = {}) {
    const defaults = { lr: 1e-2, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 };
    super('Adagrad', params, { ...defaults, maximize: false }, options);
  }

  protected override check(options: Readonly<AdagradOptions>): void {
    for (const option of ['lr', 'lrDecay', 'weightDecay', 'initialAccumulatorValue', 'eps'] as const)
      requireOption('Adagrad', option, options[option], 0);
  }

  protected override update({ values, gradient, state, group }: Update<AdagradOptions>): void {
    const { lr, lrDecay, weightDecay, initialAccumulatorValue, eps, maximize } = group;
    const rate = lr / (1 + (state.nextStep() - 1) * lrDecay);
    const total = state.array('sum', initialAccumulatorValue);
    const sign = maximize ? -1 : 1;
    for (let i = 0; i < values.length; i++) {
      const g = sign * gradient[i] + weightDecay * values[i];
      total[i] += g * g;
      values[i] -= (rate * g) / (Math.sqrt(total[i]) + eps);
    }
  }
}

/** Options of {@link Adadelta}. */
export interface AdadeltaOptions extends BaseOptions {
  /** Factor of the step. Default 1. */
  lr: number;
  /** Decay of the running mean squares. Default 0.9. */
  rho: number;
  /** Added below the roots. Default 1e-6. */
  eps: number;
  /** Multiple of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Whether to go up the gradient instead of down. Default false. */
  maximize: boolean;
}

/**
 * Adadelta: steps as large as past steps were, relative to past gradients. PyTorch's `optim.Adadelta`, step for step; Zeiler 2012.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new Adadelta(new Linear(4, 1).parameters(), { rho: 0.95 });
 */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  constructor(params: ParamInput<AdadeltaOptions>, options: Partial<Readonly<AdadeltaOptions>> = {}) {
    super('Adadelta', params, { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false }, options);
  }

  protected override check({ lr, rho, eps, weightDecay }: Readonly<AdadeltaOptions>): void {
    requireOption('Adadelta', 'lr', lr, 0);
    requireOption('Adadelta', 'rho', rho, 0, 1 + Number.EPSILON);
    requireOption('Adadelta', 'eps', eps, 0);
    requireOption('Adadelta', 'weightDecay', weightDecay, 0);
  }

  protected override update({ values, gradient, state, group }: Update<AdadeltaOptions>): void {
    const { lr, rho, eps, weightDecay, maximize } = group;
    const square = state.array('squareAvg');
    const moved = state.array('accDelta');
    const sign = maximize ? -1 : 1;
    for (let i = 0; i < values.length; i++) {
      const g = sign * gradient[i] + weightDecay * values[i];
      square[i] = rho * square[i] + (1 - rho) * g * g;
      const step = (Math.sqrt(moved[i] + eps) / Math.sqrt(square[i] + eps)) * g;
      moved[i] = rho * moved[i] + (1 - rho) * step * step;
      values[i] -= lr * step;
    }
  }
}
