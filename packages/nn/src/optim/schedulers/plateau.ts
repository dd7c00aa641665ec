// A scheduler that looks at a metric: the learning rate falls when the metric no longer improves.

import { ArgumentError, quote, requireOptions } from '@adjoint/core';
import { requireInteger, requireOneOf } from '../../layers/options.ts';
import { requireOption } from '../checks.ts';
import type { BaseOptions, Optimizer } from '../optimizer.ts';
import { perGroup, requireState, type SchedulerState } from './scheduler.ts';

/** Options of {@link ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** Whether smaller ('min', default) or larger ('max') metrics are better. */
  readonly mode?: 'min' | 'max' | undefined;
  /** Factor of each reduction, below 1. Default 0.1. */
  readonly factor?: number | undefined;
  /** Number of steps without improvement that are let pass. Default 10. */
  readonly patience?: number | undefined;
  /** By how much a metric must be better to count. Default 1e-4. */
  readonly threshold?: number | undefined;
  /** Whether the threshold is a share of the best metric ('rel', default) or a difference ('abs'). */
  readonly thresholdMode?: 'rel' | 'abs' | undefined;
  /** Number of steps after a reduction in which bad metrics do not count. Default 0. */
  readonly cooldown?: number | undefined;
  /** The smallest rate, for all groups or per group. Default 0. */
  readonly minLr?: number | readonly number[] | undefined;
  /** A reduction by less than this is left out. Default 1e-8. */
  readonly eps?: number | undefined;
}

type Settings = {
  readonly [K in Exclude<keyof ReduceLROnPlateauOptions, 'minLr'>]-?: NonNullable<
    ReduceLROnPlateauOptions[K]
  >;
};

/**
 * Reduces the learning rate when a metric has stopped improving. PyTorch's `ReduceLROnPlateau`.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1 });
 * const scheduler = new ReduceLROnPlateau(optimizer, { patience: 5 });
 * scheduler.step(0.7); // the loss of this epoch
 */
export class ReduceLROnPlateau {
  /** 'ReduceLROnPlateau'. */
  readonly name = 'ReduceLROnPlateau';
  /** The optimiser whose rates it sets. */
  readonly optimizer: Optimizer<BaseOptions>;
  /** Number of steps so far. */
  lastEpoch = 0;
  /** The best metric so far, or null. */
  best: number | null = null;
  /** Steps since the best metric or the last reduction. */
  numBadEpochs = 0;
  /** Steps in which bad metrics do not count yet. */
  cooldownCounter = 0;
  readonly #options: Settings;
  readonly #minLrs: readonly number[];

  constructor(optimizer: Optimizer<BaseOptions>, options: ReduceLROnPlateauOptions = {}) {
    const op = 'ReduceLROnPlateau';
    requireOptions(op, options, {
      mode: 'string',
      factor: 'number',
      patience: 'number',
      threshold: 'number',
      thresholdMode: 'string',
      cooldown: 'number',
      minLr: 'own',
      eps: 'number',
    });
    const { mode = 'min', factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = 'rel' } = options;
    const { cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    requireOneOf(op, 'mode', mode, ['min', 'max']);
    requireOption(op, 'factor', factor, 0, 1);
    requireInteger(op, 'patience', patience, 0);
    requireOption(op, 'threshold', threshold, 0);
    requireOneOf(op, 'thresholdMode', thresholdMode, ['rel', 'abs']);
    requireInteger(op, 'cooldown', cooldown, 0);
    requireOption(op, 'eps', eps, 0);
    this.optimizer = optimizer;
    this.#minLrs = perGroup(op, 'minLr', minLr, optimizer);
    this.#options = { mode, factor, patience, threshold, thresholdMode, cooldown, eps };
  }

  /** The rates of the groups now. */
  get lastLr(): number[] {
    return this.optimizer.groups.map(({ lr }) => lr);
  }

  /**
   * Takes note of a metric and, if it has not improved for too long, reduces the rates.
   *
   * @throws ArgumentError if the metric is no number.
   */
  step(metric: number): void {
    if (typeof metric !== 'number') {
      throw new ArgumentError(`the metric is ${quote(metric)}; give a number, of a tensor its item().`, {
        op: this.name,
        operand: 'metric',
        actual: metric,
        expected: 'a number',
      });
    }
    const { patience, cooldown } = this.#options;
    this.lastEpoch++;
    if (this.#isBetter(metric)) {
      this.best = metric;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > patience) {
      this.#reduce();
      this.cooldownCounter = cooldown;
      this.numBadEpochs = 0;
    }
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    if (mode === 'min') {
      const best = this.best ?? Infinity;
      return metric < (thresholdMode === 'rel' ? best * (1 - threshold) : best - threshold);
    }
    const best = this.best ?? -Infinity;
    return metric > (thresholdMode === 'rel' ? best * (1 + threshold) : best + threshold);
  }

  #reduce(): void {
    const { factor, eps } = this.#options;
    this.optimizer.groups.forEach((group, i) => {
      const lr = Math.max(group.lr * factor, this.#minLrs[i]);
      if (group.lr - lr > eps) group.lr = lr;
    });
  }

  /** What a checkpoint needs beside the optimiser's own state. */
  stateDict(): SchedulerState {
    const { lastEpoch, best, numBadEpochs, cooldownCounter } = this;
    return { lastEpoch, best, numBadEpochs, cooldownCounter };
  }

  /** Goes on from what `stateDict` gave. */
  loadStateDict(state: SchedulerState): void {
    requireState(this.name, state, {
      lastEpoch: 'number',
      best: state?.best === null ? 'object' : 'number',
      numBadEpochs: 'number',
      cooldownCounter: 'number',
    });
    this.lastEpoch = state.lastEpoch as number;
    this.best = state.best as number | null;
    this.numBadEpochs = state.numBadEpochs as number;
    this.cooldownCounter = state.cooldownCounter as number;
  }
}
