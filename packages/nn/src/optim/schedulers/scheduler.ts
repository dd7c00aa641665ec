// What schedulers share: a count of steps, the rate that each group started from, and both as plain data.

import { AdjointError, ArgumentError, requireArgument } from '@adjoint/core';
import { type BaseOptions, type Group, Optimizer } from '../optimizer.ts';

/** State of a scheduler: plain JSON. */
export type SchedulerState = Readonly<Record<string, unknown>>;

/** How the learning rate of one group goes on. Steps count from 0, which is the construction of the scheduler. */
export interface Rule {
  /** The rate at step `t`, from that of the step before, which others may have changed, and that at the start. */
  readonly next: (t: number, lr: number, base: number, group: number) => number;
  /** What step 0 goes on from when the rule is restarted at a milestone: the rate at the start (default), or the rate of that moment. */
  readonly restartsFrom?: 'start' | 'current';
  /** The momentum at step `t`, for schedulers that set it. */
  readonly momentum?: (t: number, group: number) => number;
}

// The rate that a group had before any scheduler changed it. Several schedulers of one optimiser must agree on it.
const initialRates = new WeakMap<Group<BaseOptions>, number>();

/** The rate that a group had before any scheduler changed it. */
export function initialRate(group: Group<BaseOptions>): number {
  const known = initialRates.get(group);
  if (known !== undefined) return known;
  initialRates.set(group, group.lr);
  return group.lr;
}

/** Says from which rate the schedulers of a group start. */
export function setInitialRate(group: Group<BaseOptions>, lr: number): void {
  initialRates.set(group, lr);
}

/** Throws unless the state is a record with these keys of these types. */
export function requireState(
  op: string,
  state: SchedulerState,
  types: Readonly<Record<string, string>>,
): void {
  for (const [key, type] of Object.entries(types)) {
    const value = state?.[key];
    const actual = Array.isArray(value) ? 'array' : typeof value;
    if (actual === type) continue;
    throw new AdjointError(
      `the state has ${key} of type ${actual}, not ${type}; pass what stateDict() of a ${op} gave.`,
      {
        op: `${op}.loadStateDict`,
        operand: key,
        actual: value,
        expected: type,
      },
    );
  }
}

/**
 * The base of schedulers that follow a rule: they set the `lr` of an optimiser's groups after each step or epoch.
 *
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1 });
 * const scheduler = new ExponentialLR(optimizer, { gamma: 0.5 });
 * optimizer.step();
 * scheduler.step();
 * scheduler.lastLr; // [0.05]
 */
export abstract class Scheduler {
  /** The scheduler's name: that of its class. */
  readonly name: string;
  /** The optimiser whose rates it sets. */
  readonly optimizer: Optimizer<BaseOptions>;
  /** Number of steps so far. */
  lastEpoch = -1;
  /** The rates that the groups started from. */
  baseLrs: readonly number[];
  readonly #rule: Rule;

  constructor(name: string, optimizer: Optimizer<BaseOptions>, rule: Rule) {
    requireOptimizer(name, optimizer);
    requireArgument(name, 'rule.next', rule?.next, 'function');
    this.name = name;
    this.optimizer = optimizer;
    this.baseLrs = optimizer.groups.map(initialRate);
    this.#rule = rule;
    this.step();
  }

  /** The rates of the groups now. */
  get lastLr(): number[] {
    return this.optimizer.groups.map(({ lr }) => lr);
  }

  /** Goes on by one step; call it after `optimizer.step()`. */
  step(): void {
    this.lastEpoch++;
    this.#set(this.#rule.next);
  }

  /** Starts the rule anew, as `SequentialLR` does at a milestone. */
  restart(): void {
    this.lastEpoch = 0;
    const { next, restartsFrom = 'start' } = this.#rule;
    this.#set(restartsFrom === 'current' ? next : (t, _, base, group) => next(t, base, base, group));
  }

  /** Takes the first step back, as if the scheduler had not begun; the rates stay. For schedulers of schedulers. */
  unstart(): void {
    this.lastEpoch--;
  }

  #set(next: Rule['next']): void {
    const t = this.lastEpoch;
    const rates = this.optimizer.groups.map(({ lr }, i) => next(t, lr, this.baseLrs[i], i));
    this.optimizer.groups.forEach((group, i) => {
      group.lr = rates[i];
      if (this.#rule.momentum !== undefined) setMomentum(group, this.#rule.momentum(t, i));
    });
  }

  /** What a checkpoint needs beside the optimiser's own state. */
  stateDict(): SchedulerState {
    return { lastEpoch: this.lastEpoch, baseLrs: [...this.baseLrs] };
  }

  /**
   * Goes on from what `stateDict` gave. The rates themselves are options of the optimiser, whose state holds them.
   *
   * @throws AdjointError if it is no such state; nothing is changed then.
   */
  loadStateDict(state: SchedulerState): void {
    requireState(this.name, state, { lastEpoch: 'number', baseLrs: 'array' });
    const baseLrs = state.baseLrs as readonly number[];
    if (baseLrs.length !== this.optimizer.groups.length) {
      throw new AdjointError(
        `the state is of ${baseLrs.length} groups, and the optimiser has ${this.optimizer.groups.length}.`,
        {
          op: `${this.name}.loadStateDict`,
          operand: 'baseLrs',
          actual: baseLrs.length,
          expected: String(this.optimizer.groups.length),
        },
      );
    }
    this.lastEpoch = state.lastEpoch as number;
    this.baseLrs = [...baseLrs];
  }
}

/** Throws unless it is an optimiser, whose groups schedulers change. */
export function requireOptimizer(op: string, optimizer: unknown): void {
  requireArgument(op, 'optimizer', optimizer, Optimizer);
}

/** Throws unless every group has a momentum that a scheduler can set. */
export function requireMomentum(op: string, optimizer: Optimizer<BaseOptions>): void {
  requireOptimizer(op, optimizer);
  if (optimizer.groups.every((group) => 'momentum' in group || 'betas' in group)) return;
  throw new ArgumentError(`${optimizer.name} has no momentum to cycle; pass { cycleMomentum: false }.`, {
    op,
    operand: 'cycleMomentum',
    actual: true,
    expected: 'an optimiser with momentum or betas',
  });
}

function setMomentum(group: Group<BaseOptions>, momentum: number): void {
  const options = group as { momentum?: number; betas?: readonly [number, number] };
  if (options.betas === undefined) options.momentum = momentum;
  else options.betas = [momentum, options.betas[1]];
}

/** One number per group, from a number for all or a list. */
export function perGroup(
  op: string,
  option: string,
  value: number | readonly number[],
  optimizer: Optimizer<BaseOptions>,
): readonly number[] {
  requireOptimizer(op, optimizer);
  const count = optimizer.groups.length;
  if (typeof value !== 'number') requireArgument(op, option, value, 'list');
  if (typeof value === 'number') return new Array<number>(count).fill(value);
  if (value.length === count) return value;
  throw new ArgumentError(
    `${option} has ${value.length} numbers, and the optimiser ${count} groups; give one number, or one per group.`,
    {
      op,
      operand: option,
      actual: value.length,
      expected: String(count),
    },
  );
}
