// RMSprop: gradients divided by the root of their running mean square.

import { descent } from '@adjoint/core';
import { requireOption } from './checks.ts';
import { type BaseOptions, Optimizer, type ParamInput, type Update } from './optimizer.ts';

/** Options of {@link RMSprop}. */
export interface RMSpropOptions extends BaseOptions {
  /** Learning rate. Default 0.01. */
  lr: number;
  /** Decay of the running mean square. Default 0.99. */
  alpha: number;
  /** Added to the root. Default 1e-8. */
  eps: number;
  /** Multiple of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** How much of the velocity stays per step. Default 0. */
  momentum: number;
  /** Whether to divide by the deviation from the running mean instead. Default false. */
  centered: boolean;
  /** Whether to go up the gradient instead of down. Default false. */
  maximize: boolean;
}

/**
 * RMSprop. PyTorch's `optim.RMSprop`, step for step; Tieleman and Hinton 2012, the centred form Graves 2013.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new RMSprop(new Linear(4, 1).parameters(), { lr: 0.01, centered: true });
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(params: ParamInput<RMSpropOptions>, options: Partial<Readonly<RMSpropOptions>> = {}) {
    const defaults = { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false };
    super('RMSprop', params, { ...defaults, maximize: false }, options);
  }

  protected override check({ lr, alpha, eps, weightDecay, momentum }: Readonly<RMSpropOptions>): void {
    requireOption('RMSprop', 'lr', lr, 0);
    requireOption('RMSprop', 'alpha', alpha, 0);
    requireOption('RMSprop', 'eps', eps, 0);
    requireOption('RMSprop', 'weightDecay', weightDecay, 0);
    requireOption('RMSprop', 'momentum', momentum, 0);
  }

  protected override update({ values, gradient, state, group }: Update<RMSpropOptions>): void {
    const square = state.array('squareAvg');
    const mean = group.centered ? state.array('gradAvg') : null;
    const velocity = group.momentum > 0 ? state.array('momentumBuffer') : null;
    descent.rmspropStep(values, gradient, square, mean, velocity, group);
  }
}
