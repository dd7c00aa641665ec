// Adamax, NAdam and RAdam: Adam with another norm, with Nesterov's momentum, and with a rectified start.

import { requireBetas, requireOption } from './checks.ts';
import { type BaseOptions, Optimizer, type ParamInput, type Update } from './optimizer.ts';

/** Options of {@link Adamax} and {@link RAdam}. */
export interface AdamVariantOptions extends BaseOptions {
  /** Learning rate. Default 0.002 for Adamax and NAdam, 0.001 for RAdam. */
  lr: number;
  /** Decay of the running means. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Keeps the divisor from 0. Default 1e-8. */
  eps: number;
  /** Multiple of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Whether to go up the gradient instead of down. Default false. */
  maximize: boolean;
}

/** Options of {@link NAdam}. */
export interface NAdamOptions extends AdamVariantOptions {
  /** How fast the momentum grows to its final value. Default 0.004. */
  momentumDecay: number;
  /** Whether weight decay multiplies the parameter, as in AdamW. Default false. */
  decoupledWeightDecay: boolean;
}

/** Options of {@link RAdam}. */
export interface RAdamOptions extends AdamVariantOptions {
  /** Whether weight decay multiplies the parameter, as in AdamW. Default false. */
  decoupledWeightDecay: boolean;
}

const defaults = (lr: number): AdamVariantOptions => ({
  lr,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  maximize: false,
});

abstract class AdamVariant<Options extends AdamVariantOptions> extends Optimizer<Options> {
  protected override check({ lr, betas, eps, weightDecay }: Readonly<AdamVariantOptions>): void {
    requireOption(this.name, 'lr', lr, 0);
    requireBetas(this.name, betas);
    requireOption(this.name, 'eps', eps, 0);
    requireOption(this.name, 'weightDecay', weightDecay, 0);
  }
}

/**
 * Adamax: Adam that divides by a decaying maximum. PyTorch's `optim.Adamax`, step for step; Kingma and Ba 2015.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new Adamax(new Linear(4, 1).parameters());
 */
export class Adamax extends AdamVariant<AdamVariantOptions> {
  constructor(params: ParamInput<AdamVariantOptions>, options: Partial<Readonly<AdamVariantOptions>> = {}) {
    super('Adamax', params, defaults(2e-3), options);
  }

  protected override update({ values, gradient, state, group }: Update<AdamVariantOptions>): void {
    const { lr, eps, weightDecay, maximize } = group;
    const [beta1, beta2] = group.betas;
    const rate = lr / (1 - beta1 ** state.nextStep());
    const mean = state.array('expAvg');
    const largest = state.array('expInf');
    const sign = maximize ? -1 : 1;
    for (let i = 0; i < values.length; i++) {
      const g = sign * gradient[i] + weightDecay * values[i];
      mean[i] = beta1 * mean[i] + (1 - beta1) * g;
      largest[i] = Math.max(beta2 * largest[i], Math.abs(g) + eps);
      values[i] -= (rate * mean[i]) / largest[i];
    }
  }
}

/**
 * NAdam: Adam with Nesterov's momentum. PyTorch's `optim.NAdam`, step for step; Dozat 2016.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new NAdam(new Linear(4, 1).parameters(), { momentumDecay: 0.01 });
 */
export class NAdam extends AdamVariant<NAdamOptions> {
  constructor(params: ParamInput<NAdamOptions>, options: Partial<Readonly<NAdamOptions>> = {}) {
    super('NAdam', params, { ...defaults(2e-3), momentumDecay: 4e-3, decoupledWeightDecay: false }, options);
  }

  protected override check(options: Readonly<NAdamOptions>): void {
    super.check(options);
    requireOption('NAdam', 'momentumDecay', options.momentumDecay, 0);
  }

  protected override update({ values, gradient, state, group }: Update<NAdamOptions>): void {
    const { lr, eps, weightDecay, momentumDecay, decoupledWeightDecay, maximize } = group;
    const [beta1, beta2] = group.betas;
    const step = state.nextStep();
    const mean = state.array('expAvg');
    const square = state.array('expAvgSq');
    const momentum = beta1 * (1 - 0.5 * 0.96 ** (step * momentumDecay));
    const nextMomentum = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentumDecay));
    const product = state.number('muProduct', 1) * momentum;
    state.numbers.set('muProduct', product);
    const correction = 1 - beta2 ** step;
    const ofGradient = (lr * (1 - momentum)) / (1 - product);
    const ofMean = (lr * nextMomentum) / (1 - product * nextMomentum);
    const sign = maximize ? -1 : 1;
    const [coupled, kept] = decoupledWeightDecay ? [0, 1 - lr * weightDecay] : [weightDecay, 1];
    for (let i = 0; i < values.length; i++) {
      const value = values[i] * kept;
      const g = sign * gradient[i] + coupled * value;
      mean[i] = beta1 * mean[i] + (1 - beta1) * g;
      square[i] = beta2 * square[i] + (1 - beta2) * g * g;
      values[i] = value - (ofGradient * g + ofMean * mean[i]) / (Math.sqrt(square[i] / correction) + eps);
    }
  }
}

/**
 * RAdam: Adam that takes plain momentum steps until its mean square has settled. PyTorch's `optim.RAdam`, step for step; Liu et al.
 * 2020.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new RAdam(new Linear(4, 1).parameters());
 */
export class RAdam extends AdamVariant<RAdamOptions> {
  constructor(params: ParamInput<RAdamOptions>, options: Partial<Readonly<RAdamOptions>> = {}) {
    super('RAdam', params, { ...defaults(1e-3), decoupledWeightDecay: false }, options);
  }

  protected override update({ values, gradient, state, group }: Update<RAdamOptions>): void {
    const { lr, eps, weightDecay, decoupledWeightDecay, maximize } = group;
    const [beta1, beta2] = group.betas;
    const step = state.nextStep();
    const mean = state.array('expAvg');
    const square = state.array('expAvgSq');
    const correction1 = 1 - beta1 ** step;
    const correction2 = 1 - beta2 ** step;
    // The length of the simple average that the mean square amounts to, and its limit.
    const limit = 2 / (1 - beta2) - 1;
    const length = limit - (2 * step * beta2 ** step) / correction2;
    const settled = length > 5;
    const rectified = settled
      ? Math.sqrt(((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length)) *
        Math.sqrt(correction2)
      : 1;
    const sign = maximize ? -1 : 1;
    const [coupled, kept] = decoupledWeightDecay ? [0, 1 - lr * weightDecay] : [weightDecay, 1];
    for (let i = 0; i < values.length; i++) {
      const value = values[i] * kept;
      const g = sign * gradient[i] + coupled * value;
      mean[i] = beta1 * mean[i] + (1 - beta1) * g;
      square[i] = beta2 * square[i] + (1 - beta2) * g * g;
      const divisor = settled ? Math.sqrt(square[i]) + eps : 1;
      values[i] = value - ((lr * mean[i]) / correction1) * (rectified / divisor);
    }
  }
}
