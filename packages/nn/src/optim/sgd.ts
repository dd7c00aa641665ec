// Stochastic gradient descent, with momentum or without.

import { ArgumentError, descent } from '@adjoint/core';
import { requireOption } from './checks.ts';
import { type BaseOptions, Optimizer, type ParamInput, type Update } from './optimizer.ts';

/** Options of {@link SGD}. */
export interface SGDOptions extends BaseOptions {
  /** Learning rate. Default 0.001. */
  lr: number;
  /** How much of the velocity stays per step. Default 0. */
  momentum: number;
  /** How much less than 1 of the gradient enters the velocity. Default 0. */
  dampening: number;
  /** Whether to look ahead by the velocity; needs momentum and no dampening. Default false. */
  nesterov: boolean;
  /** Multiple of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Whether to go up the gradient instead of down. Default false. */
  maximize: boolean;
}

/**
 * Stochastic gradient descent. PyTorch's `optim.SGD`, step for step.
 *
 * With momentum, `v = momentum·v + (1 − dampening)·g` (v = g at first) and `p −= lr·v`; with nesterov
 * `p −= lr·(g + momentum·v)`.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * const model = new Linear(4, 1);
 * const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
 * optimizer.zeroGrad();
 * mean(square(model.forward(randn([8, 4])))).backward();
 * optimizer.step();
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: ParamInput<SGDOptions>, options: Partial<Readonly<SGDOptions>> = {}) {
    const defaults = {
      lr: 1e-3,
      momentum: 0,
      dampening: 0,
      nesterov: false,
      weightDecay: 0,
      maximize: false,
    };
    super('SGD', params, defaults, options);
  }

  protected override check({ lr, momentum, dampening, nesterov, weightDecay }: Readonly<SGDOptions>): void {
    requireOption('SGD', 'lr', lr, 0);
    requireOption('SGD', 'momentum', momentum, 0);
    requireOption('SGD', 'weightDecay', weightDecay, 0);
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new ArgumentError(
        `nesterov is set, momentum is ${momentum} and dampening ${dampening}; it needs momentum > 0 and dampening 0.`,
        {
          op: 'SGD',
          operand: 'nesterov',
          actual: [momentum, dampening],
          expected: 'momentum > 0, dampening 0',
        },
      );
    }
  }

  protected override update({ values, gradient, state, group }: Update<SGDOptions>): void {
    const first = !state.has('momentumBuffer');
    const velocity = group.momentum === 0 ? null : state.array('momentumBuffer');
    descent.sgdStep(values, gradient, velocity, first ? 'first' : 'later', group);
  }
}
