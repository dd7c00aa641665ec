// Early stopping: an end to training when a score has not improved for some time.

import { ArgumentError, requireOptions } from '@adjoint/core';
import { requireInteger, requireNumber, requireOneOf } from '../layers/options.ts';

/** Options of {@link EarlyStopping}. */
export interface EarlyStoppingOptions {
  /** The score to watch: a name in what evaluation gives. Default `'loss'`. */
  readonly monitor?: string | undefined;
  /** Whether smaller ('min', default) or larger ('max') is better. */
  readonly mode?: 'min' | 'max' | undefined;
  /** How many evaluations without improvement are let pass; the next one ends the training. Default 3. */
  readonly patience?: number | undefined;
  /** By how much a score must be better to count. Default 0. */
  readonly minDelta?: number | undefined;
}

/** What a checkpoint needs of {@link EarlyStopping}. */
export interface EarlyStoppingState {
  /** The best score so far, or null. */
  readonly best: number | null;
  /** Evaluations since the best one. */
  readonly bad: number;
}

/**
 * Tells when a score has stopped improving. Lightning's `EarlyStopping`.
 *
 * A score that is no number counts as no improvement. In a checkpoint it stands beside the schedulers:
 * `scheduler: { rate: scheduler, end: earlyStopping }`.
 *
 * @example
 * const stopping = new EarlyStopping({ patience: 1 });
 * [0.5, 0.6, 0.7].map((loss) => stopping.update(loss)); // [false, false, true]
 */
export class EarlyStopping {
  /** The score that is watched. */
  readonly monitor: string;
  /** How many evaluations without improvement are let pass. */
  readonly patience: number;
  /** The best score so far, or null. */
  best: number | null = null;
  /** Evaluations since the best one. */
  bad = 0;
  readonly #better: (value: number, best: number) => boolean;

  constructor(options: EarlyStoppingOptions = {}) {
    requireOptions('EarlyStopping', options, {
      monitor: 'string',
      mode: 'string',
      patience: 'number',
      minDelta: 'number',
    });
    const { monitor = 'loss', mode = 'min', patience = 3, minDelta = 0 } = options;
    const op = 'EarlyStopping';
    requireOneOf(op, 'mode', mode, ['min', 'max']);
    this.monitor = monitor;
    this.patience = requireInteger(op, 'patience', patience, 0);
    requireNumber(op, 'minDelta', minDelta, 0, Infinity);
    this.#better =
      mode === 'min' ? (value, best) => value < best - minDelta : (value, best) => value > best + minDelta;
  }

  /** Whether it is time to stop. */
  get stopped(): boolean {
    return this.bad > this.patience;
  }

  /** Takes note of a score; true when training should end. */
  update(value: number): boolean {
    if (!Number.isNaN(value) && (this.best === null || this.#better(value, this.best))) {
      this.best = value;
      this.bad = 0;
    } else this.bad++;
    return this.stopped;
  }

  /** The state, as plain JSON. */
  stateDict(): EarlyStoppingState {
    return { best: this.best, bad: this.bad };
  }

  /** @throws ArgumentError if it is no such state; nothing is changed then. */
  loadStateDict(state: EarlyStoppingState): void {
    const { best, bad } = state ?? {};
    requireInteger('EarlyStopping.loadStateDict', 'bad', bad, 0);
    if (best !== null && typeof best !== 'number') {
      throw new ArgumentError(`best is ${String(best)}; pass what stateDict() gave.`, {
        op: 'EarlyStopping.loadStateDict',
        operand: 'best',
        actual: best,
        expected: 'a number or null',
      });
    }
    [this.best, this.bad] = [best, bad];
  }
}
