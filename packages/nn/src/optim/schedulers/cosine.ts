// Schedulers along a cosine, without and with restarts. Loshchilov and Hutter 2017.

import { requireOptions } from '@adjoint/core';
import { requireInteger } from '../../layers/options.ts';
import { requireOption } from '../checks.ts';
import type { BaseOptions, Optimizer } from '../optimizer.ts';
import { Scheduler } from './scheduler.ts';

/** Options of {@link CosineAnnealingLR}. */
export interface CosineAnnealingLROptions {
  /** Number of steps from the largest rate to the smallest. */
  readonly tMax: number;
  /** The smallest rate. Default 0. */
  readonly etaMin?: number | undefined;
}

/**
 * Leads the rate along half a cosine to `etaMin`, and back if stepped further. PyTorch's `CosineAnnealingLR`, in the form that goes on
 * from whatever the rate is.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1 });
 * const scheduler = new CosineAnnealingLR(optimizer, { tMax: 100 });
 */
export class CosineAnnealingLR extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, options: CosineAnnealingLROptions) {
    requireOptions('CosineAnnealingLR', options, { tMax: 'number', etaMin: 'number' });
    const { tMax, etaMin = 0 } = options;
    requireInteger('CosineAnnealingLR', 'tMax', tMax, 1);
    requireOption('CosineAnnealingLR', 'etaMin', etaMin, 0);
    const height = (t: number): number => 1 + Math.cos((Math.PI * t) / tMax);
    super('CosineAnnealingLR', optimizer, {
      next: (t, lr, base) => {
        if (t === 0) return lr;
        // One step after the lowest point, where the quotient below is 0 / 0.
        if ((t - 1 - tMax) % (2 * tMax) === 0)
          return lr + ((base - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
        return (height(t) / height(t - 1)) * (lr - etaMin) + etaMin;
      },
    });
  }
}

/** Options of {@link CosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions {
  /** Number of steps until the first restart. */
  readonly t0: number;
  /** Factor by which the time between restarts grows. Default 1. */
  readonly tMult?: number | undefined;
  /** The smallest rate. Default 0. */
  readonly etaMin?: number | undefined;
}

/**
 * Leads the rate along half a cosine towards `etaMin`, again and again from the top. PyTorch's `CosineAnnealingWarmRestarts`.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1 });
 * const scheduler = new CosineAnnealingWarmRestarts(optimizer, { t0: 10, tMult: 2 });
 */
export class CosineAnnealingWarmRestarts extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, options: CosineAnnealingWarmRestartsOptions) {
    requireOptions('CosineAnnealingWarmRestarts', options, {
      t0: 'number',
      tMult: 'number',
      etaMin: 'number',
    });
    const { t0, tMult = 1, etaMin = 0 } = options;
    const op = 'CosineAnnealingWarmRestarts';
    requireInteger(op, 't0', t0, 1);
    requireInteger(op, 'tMult', tMult, 1);
    requireOption(op, 'etaMin', etaMin, 0);
    const at = (t: number, base: number): number => {
      let since = t;
      let period = t0;
      if (tMult === 1) since %= t0;
      else
        while (since >= period) {
          since -= period;
          period *= tMult;
        }
      return etaMin + ((base - etaMin) * (1 + Math.cos((Math.PI * since) / period))) / 2;
    };
    super(op, optimizer, { next: (t, _, base) => at(t, base) });
  }
}
