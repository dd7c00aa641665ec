// LAMB: Adam's step, scaled for each parameter to the parameter's own size.

import { requireBetas, requireOption } from './checks.ts';
import { type BaseOptions, Optimizer, type ParamInput, type Update } from './optimizer.ts';

/** Options of {@link LAMB}. */
export interface LAMBOptions extends BaseOptions {
  /** Learning rate. Default 0.001. */
  lr: number;
  /** Decay of the running means of gradient and squared gradient. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root of the mean square. Default 1e-6. */
  eps: number;
  /** Multiple of the parameter that is added to the step before it is scaled. Default 0. */
  weightDecay: number;
  /** Whether to go up the gradient instead of down. Default false. */
  maximize: boolean;
}

/**
 * LAMB, for large batches: Adam's step with weight decay, multiplied by norm(parameter) / norm(step) per parameter (by 1 where either
 * is 0). You et al. 2020 (Algorithm 2, with φ the identity).
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new LAMB(new Linear(4, 1).parameters(), { lr: 1e-3, weightDecay: 0.01 });
 */
export class LAMB extends Optimizer<LAMBOptions> {
  constructor(params: ParamInput<LAMBOptions>, options: Partial<Readonly<LAMBOptions>> = {}) {
    super(
      'LAMB',
      params,
      { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-6, weightDecay: 0, maximize: false },
      options,
    );
  }

  protected override check({ lr, betas, eps, weightDecay }: Readonly<LAMBOptions>): void {
    requireOption('LAMB', 'lr', lr, 0);
    requireBetas('LAMB', betas);
    requireOption('LAMB', 'eps', eps, 0);
    requireOption('LAMB', 'weightDecay', weightDecay, 0);
  }

  protected override update({ values, gradient, state, group }: Update<LAMBOptions>): void {
    const { lr, eps, weightDecay, maximize } = group;
    const [beta1, beta2] = group.betas;
    const count = state.nextStep();
    const mean = state.array('expAvg');
    const square = state.array('expAvgSq');
    const correction1 = 1 - beta1 ** count;
    const correction2 = 1 - beta2 ** count;
    const sign = maximize ? -1 : 1;
    const step = new Float64Array(values.length);
    let valueNorm = 0;
    let stepNorm = 0;
    for (let i = 0; i < values.length; i++) {
      const g = sign * gradient[i];
      mean[i] = beta1 * mean[i] + (1 - beta1) * g;
      square[i] = beta2 * square[i] + (1 - beta2) * g * g;
      step[i] = mean[i] / correction1 / (Math.sqrt(square[i] / correction2) + eps) + weightDecay * values[i];
      valueNorm += values[i] * values[i];
      stepNorm += step[i] * step[i];
    }
    const trust = valueNorm > 0 && stepNorm > 0 ? Math.sqrt(valueNorm / stepNorm) : 1;
    for (let i = 0; i < values.length; i++) values[i] -= lr * trust * step[i];
  }
}
