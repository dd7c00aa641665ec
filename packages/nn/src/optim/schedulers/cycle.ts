// Schedulers that raise the learning rate and lower it again, and the momentum against it.

import { ArgumentError, requireOptions } from '@adjoint/core';
import { requireInteger, requireNumber, requireOneOf } from '../../layers/options.ts';
import { requireOption } from '../checks.ts';
import type { BaseOptions, Optimizer } from '../optimizer.ts';
import { perGroup, type Rule, requireMomentum, Scheduler, setInitialRate } from './scheduler.ts';

/** Options of {@link OneCycleLR}. Those that take a number per group take one number for all as well. */
export interface OneCycleLROptions {
  /** The largest rate. */
  readonly maxLr: number | readonly number[];
  /** Number of steps of the whole cycle. */
  readonly totalSteps: number;
  /** Share of the cycle in which the rate rises. Default 0.3. */
  readonly pctStart?: number | undefined;
  /** How it rises and falls. Default 'cos'. */
  readonly annealStrategy?: 'cos' | 'linear' | undefined;
  /** Whether momentum (or the first beta) falls while the rate rises. Default true. */
  readonly cycleMomentum?: boolean | undefined;
  /** The smallest momentum. Default 0.85. */
  readonly baseMomentum?: number | readonly number[] | undefined;
  /** The largest momentum. Default 0.95. */
  readonly maxMomentum?: number | readonly number[] | undefined;
  /** The cycle starts from maxLr / divFactor. Default 25. */
  readonly divFactor?: number | undefined;
  /** The cycle ends at its start / finalDivFactor. Default 10000. */
  readonly finalDivFactor?: number | undefined;
  /** Whether the rate falls to its start as it rose, and below only in a third phase. Default false. */
  readonly threePhase?: boolean | undefined;
}

interface Phase {
  readonly end: number;
  readonly lr: readonly [keyof Rates, keyof Rates];
  readonly momentum: readonly ['max' | 'base', 'max' | 'base'];
}

interface Rates {
  readonly initial: number;
  readonly max: number;
  readonly min: number;
}

/**
 * One cycle: up to `maxLr`, then far down. Step it after every batch. PyTorch's `OneCycleLR`; Smith and Topin 2018.
 *
 * @throws ArgumentError for an illegal option, for an optimiser without momentum where it is to be cycled, and for a step past the end
 *   of the cycle.
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1, momentum: 0.9 });
 * const scheduler = new OneCycleLR(optimizer, { maxLr: 0.5, totalSteps: 1000 });
 */
export class OneCycleLR extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, options: OneCycleLROptions) {
    const op = 'OneCycleLR';
    requireOptions(op, options, {
      maxLr: 'own',
      totalSteps: 'number',
      pctStart: 'number',
      annealStrategy: 'string',
      cycleMomentum: 'boolean',
      baseMomentum: 'own',
      maxMomentum: 'own',
      divFactor: 'number',
      finalDivFactor: 'number',
      threePhase: 'boolean',
    });
    const { totalSteps, pctStart = 0.3, annealStrategy = 'cos', cycleMomentum = true } = options;
    const { divFactor = 25, finalDivFactor = 1e4, threePhase = false } = options;
    requireInteger(op, 'totalSteps', totalSteps, 1);
    requireNumber(op, 'pctStart', pctStart, 0, 1);
    requireOneOf(op, 'annealStrategy', annealStrategy, ['cos', 'linear']);
    requireOption(op, 'divFactor', divFactor, Number.MIN_VALUE);
    requireOption(op, 'finalDivFactor', finalDivFactor, Number.MIN_VALUE);
    if (cycleMomentum) requireMomentum(op, optimizer);
    const rates = perGroup(op, 'maxLr', options.maxLr, optimizer).map((max): Rates => {
      const initial = max / divFactor;
      return { initial, max, min: initial / finalDivFactor };
    });
    const low = perGroup(op, 'baseMomentum', options.baseMomentum ?? 0.85, optimizer);
    const high = perGroup(op, 'maxMomentum', options.maxMomentum ?? 0.95, optimizer);
    const phases = threePhase ? threePhases(totalSteps, pctStart) : twoPhases(totalSteps, pctStart);
    const anneal =
      annealStrategy === 'linear'
        ? (from: number, to: number, share: number): number => (to - from) * share + from
        : (from: number, to: number, share: number): number =>
            to + ((from - to) / 2) * (Math.cos(Math.PI * share) + 1);
    const place = (t: number): { readonly phase: Phase; readonly share: number } => {
      if (t > totalSteps) {
        throw new ArgumentError(
          `this is step ${t}, and the cycle has ${totalSteps}; make totalSteps larger, or step less often.`,
          {
            op,
            operand: 'totalSteps',
            actual: t,
            expected: `at most ${totalSteps} steps`,
          },
        );
      }
      const found = phases.findIndex(({ end }) => t <= end);
      const i = found < 0 ? phases.length - 1 : found;
      const start = i === 0 ? 0 : phases[i - 1].end;
      return { phase: phases[i], share: (t - start) / (phases[i].end - start) };
    };
    const lr = (t: number, group: number): number => {
      const { phase, share } = place(t);
      return anneal(rates[group][phase.lr[0]], rates[group][phase.lr[1]], share);
    };
    const momentum = (t: number, group: number): number => {
      const { phase, share } = place(t);
      const [from, to] = phase.momentum.map((name) => (name === 'max' ? high : low)[group]);
      return anneal(from, to, share);
    };
    optimizer.groups.forEach((group, i) => {
      setInitialRate(group, rates[i].initial);
    });
    const rule: Rule = { next: (t, _, __, group) => lr(t, group) };
    super(op, optimizer, cycleMomentum ? { ...rule, momentum } : rule);
  }
}

function twoPhases(total: number, rising: number): readonly Phase[] {
  return [
    { end: rising * total - 1, lr: ['initial', 'max'], momentum: ['max', 'base'] },
    { end: total - 1, lr: ['max', 'min'], momentum: ['base', 'max'] },
  ];
}

function threePhases(total: number, rising: number): readonly Phase[] {
  return [
    { end: rising * total - 1, lr: ['initial', 'max'], momentum: ['max', 'base'] },
    { end: 2 * rising * total - 2, lr: ['max', 'initial'], momentum: ['base', 'max'] },
    { end: total - 1, lr: ['initial', 'min'], momentum: ['max', 'max'] },
  ];
}

/** Options of {@link CyclicLR}. Those that take a number per group take one number for all as well. */
export interface CyclicLROptions {
  /** The smallest rate, where each cycle starts. */
  readonly baseLr: number | readonly number[];
  /** The largest rate of the first cycle. */
  readonly maxLr: number | readonly number[];
  /** Number of steps up. Default 2000. */
  readonly stepSizeUp?: number | undefined;
  /** Number of steps down. Default: as many as up. */
  readonly stepSizeDown?: number | undefined;
  /** 'triangular' (default) keeps the height, 'triangular2' halves it each cycle, 'expRange' multiplies it by gamma each step. */
  readonly mode?: 'triangular' | 'triangular2' | 'expRange' | undefined;
  /** Factor per step of 'expRange'. Default 1. */
  readonly gamma?: number | undefined;
  /** Whether momentum (or the first beta) falls while the rate rises. Default true. */
  readonly cycleMomentum?: boolean | undefined;
  /** The smallest momentum. Default 0.8. */
  readonly baseMomentum?: number | readonly number[] | undefined;
  /** The largest momentum. Default 0.9. */
  readonly maxMomentum?: number | readonly number[] | undefined;
}

/**
 * Cycles between two rates. Step it after every batch. PyTorch's `CyclicLR`; Smith 2017.
 *
 * @throws ArgumentError for an illegal option, and for an optimiser without momentum where it is to be cycled.
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1, momentum: 0.9 });
 * const scheduler = new CyclicLR(optimizer, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 500 });
 */
export class CyclicLR extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, options: CyclicLROptions) {
    const op = 'CyclicLR';
    requireOptions(op, options, {
      baseLr: 'own',
      maxLr: 'own',
      stepSizeUp: 'number',
      stepSizeDown: 'number',
      mode: 'string',
      gamma: 'number',
      cycleMomentum: 'boolean',
      baseMomentum: 'own',
      maxMomentum: 'own',
    });
    const { stepSizeUp = 2000, mode = 'triangular', gamma = 1, cycleMomentum = true } = options;
    const { stepSizeDown = stepSizeUp } = options;
    requireOption(op, 'stepSizeUp', stepSizeUp, Number.MIN_VALUE);
    requireOption(op, 'stepSizeDown', stepSizeDown, Number.MIN_VALUE);
    requireOneOf(op, 'mode', mode, ['triangular', 'triangular2', 'expRange']);
    requireOption(op, 'gamma', gamma, 0);
    if (cycleMomentum) requireMomentum(op, optimizer);
    const base = perGroup(op, 'baseLr', options.baseLr, optimizer);
    const max = perGroup(op, 'maxLr', options.maxLr, optimizer);
    const low = perGroup(op, 'baseMomentum', options.baseMomentum ?? 0.8, optimizer);
    const high = perGroup(op, 'maxMomentum', options.maxMomentum ?? 0.9, optimizer);
    const period = stepSizeUp + stepSizeDown;
    const rising = stepSizeUp / period;
    const height = (t: number): number => {
      const cycle = Math.floor(1 + t / period);
      const x = 1 + t / period - cycle;
      const scale = mode === 'triangular' ? 1 : mode === 'triangular2' ? 2 ** (1 - cycle) : gamma ** t;
      return (x <= rising ? x / rising : (x - 1) / (rising - 1)) * scale;
    };
    optimizer.groups.forEach((group, i) => {
      setInitialRate(group, base[i]);
    });
    const rule: Rule = { next: (t, _, __, i) => base[i] + (max[i] - base[i]) * height(t) };
    const momentum = (t: number, i: number): number => high[i] - (high[i] - low[i]) * height(t);
    super(op, optimizer, cycleMomentum ? { ...rule, momentum } : rule);
  }
}
