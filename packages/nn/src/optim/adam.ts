// Adam and AdamW: one rule, which differ in where the weight decay enters.

import { descent } from '@adjoint/core';
import { requireBetas, requireOption } from './checks.ts';
import { type BaseOptions, Optimizer, type ParamInput, type Update } from './optimizer.ts';

/** Options of {@link Adam} and {@link AdamW}. */
export interface AdamOptions extends BaseOptions {
  /** Learning rate. Default 0.001. */
  lr: number;
  /** Decay of the running means of gradient and squared gradient. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root of the mean square. Default 1e-8. */
  eps: number;
  /** Adam: multiple of the parameter that is added to its gradient, default 0. AdamW: share that it loses per lr, default 0.01. */
  weightDecay: number;
  /** Whether to divide by the largest mean square so far (Reddi et al. 2018). Default false. */
  amsgrad: boolean;
  /** Whether to go up the gradient instead of down. Default false. */
  maximize: boolean;
}

const defaults = (weightDecay: number): AdamOptions => ({
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay,
  amsgrad: false,
  maximize: false,
});

abstract class AdamBase extends Optimizer<AdamOptions> {
  protected override check({ lr, betas, eps, weightDecay }: Readonly<AdamOptions>): void {
    requireOption(this.name, 'lr', lr, 0);
    requireBetas(this.name, betas);
    requireOption(this.name, 'eps', eps, 0);
    requireOption(this.name, 'weightDecay', weightDecay, 0);
  }

  /** Adds `coupled · value` to the gradient, and keeps the share `kept` of the value, before the step. */
  protected move(
    { values, gradient, state, group }: Update<AdamOptions>,
    coupled: number,
    kept: number,
  ): void {
    const mean = state.array('expAvg');
    const square = state.array('expAvgSq');
    const largest = group.amsgrad ? state.array('maxExpAvgSq') : null;
    // Written out: to copy a group with `...` takes longer than a step of a small parameter.
    const { lr, betas, eps, maximize } = group;
    const numbers = { lr, betas, eps, coupled, kept, maximize, step: state.nextStep() };
    descent.adamStep(values, gradient, mean, square, largest, numbers);
  }
}

/**
 * Adam. PyTorch's `optim.Adam`, step for step; Kingma and Ba 2015.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * const model = new Linear(4, 1);
 * const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
 * optimizer.zeroGrad();
 * mean(square(model.forward(randn([8, 4])))).backward();
 * optimizer.step();
 */
export class Adam extends AdamBase {
  constructor(params: ParamInput<AdamOptions>, options: Partial<Readonly<AdamOptions>> = {}) {
    super('Adam', params, defaults(0), options);
  }

  protected override update(update: Update<AdamOptions>): void {
    this.move(update, update.group.weightDecay, 1);
  }
}

/**
 * Adam with decoupled weight decay: each step first multiplies the parameter by 1 − lr·weightDecay. PyTorch's `optim.AdamW`, step for
 * step; Loshchilov and Hutter 2019.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 1));
 * const [last, ...rest] = [...model].reverse();
 * new AdamW(
 *   [{ params: last.parameters(), weightDecay: 0.1 }, { params: rest.flatMap((layer) => layer.parameters()) }],
 *   { lr: 3e-4 },
 * );
 */
export class AdamW extends AdamBase {
  constructor(params: ParamInput<AdamOptions>, options: Partial<Readonly<AdamOptions>> = {}) {
    super('AdamW', params, defaults(1e-2), options);
  }

  protected override update(update: Update<AdamOptions>): void {
    const { lr, weightDecay } = update.group;
    this.move(update, 0, 1 - lr * weightDecay);
  }
}
