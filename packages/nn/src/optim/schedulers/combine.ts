// Schedulers of schedulers: one after another, or all at once.

import { ArgumentError, requireArgument, requireOptions } from '@adjoint/core';
import { requireInteger } from '../../layers/options.ts';
import type { BaseOptions, Optimizer } from '../optimizer.ts';
import { initialRate, requireState, Scheduler, type SchedulerState } from './scheduler.ts';

/** Options of {@link SequentialLR}. */
export interface SequentialLROptions {
  /** The steps at which the second, third, … scheduler takes over; one less than there are schedulers. */
  readonly milestones: readonly number[];
}

/**
 * Runs one scheduler until a milestone, then the next, which starts from the rates at the start. PyTorch's `SequentialLR`.
 *
 * @throws ArgumentError if a scheduler is of another optimiser, or milestones do not grow or do not fit in number.
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1 });
 * const warmUp = new LinearLR(optimizer, { startFactor: 0.1, totalIters: 5 });
 * const decay = new ExponentialLR(optimizer, { gamma: 0.9 });
 * const scheduler = new SequentialLR(optimizer, [warmUp, decay], { milestones: [5] });
 */
export class SequentialLR {
  /** 'SequentialLR'. */
  readonly name = 'SequentialLR';
  /** The optimiser whose rates it sets. */
  readonly optimizer: Optimizer<BaseOptions>;
  /** Number of steps so far. */
  lastEpoch = 0;
  readonly #schedulers: readonly Scheduler[];
  readonly #milestones: readonly number[];

  constructor(
    optimizer: Optimizer<BaseOptions>,
    schedulers: readonly Scheduler[],
    options: SequentialLROptions,
  ) {
    requireOptions('SequentialLR', options, { milestones: 'list' });
    const { milestones } = options;
    requireArgument('SequentialLR', 'milestones', milestones, 'list');
    requireSame('SequentialLR', optimizer, schedulers);
    if (milestones.length !== schedulers.length - 1) {
      throw new ArgumentError(
        `there are ${schedulers.length} schedulers and ${milestones.length} milestones; give one milestone less than schedulers.`,
        {
          op: 'SequentialLR',
          operand: 'milestones',
          actual: milestones.length,
          expected: String(schedulers.length - 1),
        },
      );
    }
    milestones.forEach((milestone, i) => {
      requireInteger('SequentialLR', `milestones[${i}]`, milestone, i === 0 ? 1 : milestones[i - 1] + 1);
    });
    this.optimizer = optimizer;
    this.#schedulers = schedulers;
    this.#milestones = milestones;
    // All schedulers took their first step when they were made; only that of the first one counts.
    for (const group of optimizer.groups) group.lr = initialRate(group);
    for (const scheduler of schedulers) scheduler.unstart();
    schedulers[0].step();
  }

  /** The rates of the groups now. */
  get lastLr(): number[] {
    return this.optimizer.groups.map(({ lr }) => lr);
  }

  /** Goes on by one step; call it after `optimizer.step()`. */
  step(): void {
    this.lastEpoch++;
    const passed = this.#milestones.filter((milestone) => milestone <= this.lastEpoch).length;
    const scheduler = this.#schedulers[passed];
    if (passed > 0 && this.#milestones[passed - 1] === this.lastEpoch) scheduler.restart();
    else scheduler.step();
  }

  /** What a checkpoint needs beside the optimiser's own state. */
  stateDict(): SchedulerState {
    return {
      lastEpoch: this.lastEpoch,
      schedulers: this.#schedulers.map((scheduler) => scheduler.stateDict()),
    };
  }

  /** Goes on from what `stateDict` gave. */
  loadStateDict(state: SchedulerState): void {
    requireState(this.name, state, { lastEpoch: 'number', schedulers: 'array' });
    loadAll(this.name, this.#schedulers, state.schedulers as readonly SchedulerState[]);
    this.lastEpoch = state.lastEpoch as number;
  }
}

/**
 * Steps several schedulers together, each on the rate that the one before it left. PyTorch's `ChainedScheduler`.
 *
 * @throws ArgumentError if there are none, or they are of different optimisers.
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1 });
 * const scheduler = new ChainedScheduler([
 *   new ConstantLR(optimizer, { factor: 0.1, totalIters: 2 }),
 *   new ExponentialLR(optimizer, { gamma: 0.9 }),
 * ]);
 */
export class ChainedScheduler {
  /** 'ChainedScheduler'. */
  readonly name = 'ChainedScheduler';
  /** The optimiser whose rates it sets. */
  readonly optimizer: Optimizer<BaseOptions>;
  readonly #schedulers: readonly Scheduler[];

  constructor(schedulers: readonly Scheduler[]) {
    requireSame('ChainedScheduler', schedulers?.[0]?.optimizer, schedulers);
    this.optimizer = schedulers[0].optimizer;
    this.#schedulers = schedulers;
  }

  /** The rates of the groups now. */
  get lastLr(): number[] {
    return this.optimizer.groups.map(({ lr }) => lr);
  }

  /** Goes on by one step; call it after `optimizer.step()`. */
  step(): void {
    for (const scheduler of this.#schedulers) scheduler.step();
  }

  /** What a checkpoint needs beside the optimiser's own state. */
  stateDict(): SchedulerState {
    return { schedulers: this.#schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  /** Goes on from what `stateDict` gave. */
  loadStateDict(state: SchedulerState): void {
    requireState(this.name, state, { schedulers: 'array' });
    loadAll(this.name, this.#schedulers, state.schedulers as readonly SchedulerState[]);
  }
}

function loadAll(op: string, schedulers: readonly Scheduler[], states: readonly SchedulerState[]): void {
  if (states.length !== schedulers.length) {
    throw new ArgumentError(
      `the state is of ${states.length} schedulers, and there are ${schedulers.length}.`,
      {
        op: `${op}.loadStateDict`,
        operand: 'schedulers',
        actual: states.length,
        expected: String(schedulers.length),
      },
    );
  }
  const before = schedulers.map((scheduler) => scheduler.stateDict());
  try {
    schedulers.forEach((scheduler, i) => {
      scheduler.loadStateDict(states[i]);
    });
  } catch (error) {
    schedulers.forEach((scheduler, i) => {
      scheduler.loadStateDict(before[i]);
    });
    throw error;
  }
}

function requireSame(
  op: string,
  optimizer: Optimizer<BaseOptions> | undefined,
  schedulers: readonly Scheduler[],
): void {
  requireArgument(op, 'schedulers', schedulers, 'list');
  if (schedulers.length === 0) {
    throw new ArgumentError('there are no schedulers; give at least one.', {
      op,
      operand: 'schedulers',
      actual: 0,
      expected: 'at least one',
    });
  }
  for (const [i, scheduler] of schedulers.entries())
    requireArgument(op, `schedulers[${i}]`, scheduler, Scheduler);
  const stranger = schedulers.findIndex((scheduler) => scheduler.optimizer !== optimizer);
  if (stranger < 0) return;
  throw new ArgumentError(`scheduler ${stranger} is of another optimiser; make all for the same one.`, {
    op,
    operand: `schedulers[${stranger}]`,
    expected: 'schedulers of one optimiser',
  });
}
