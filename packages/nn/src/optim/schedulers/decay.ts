// Schedulers that multiply the learning rate by factors: at milestones, at every step, or as a function of yours says.

import { ArgumentError, requireArgument, requireOptions } from '@adjoint/core';
import { requireInteger } from '../../layers/options.ts';
import { requireOption } from '../checks.ts';
import type { BaseOptions, Optimizer } from '../optimizer.ts';
import { requireOptimizer, Scheduler } from './scheduler.ts';

/** Options of {@link StepLR}. */
export interface StepLROptions {
  /** Number of steps between two changes. */
  readonly stepSize: number;
  /** Factor of each change. Default 0.1. */
  readonly gamma?: number | undefined;
}

/**
 * Multiplies the rate by gamma every `stepSize` steps. PyTorch's `StepLR`.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1 });
 * const scheduler = new StepLR(optimizer, { stepSize: 30, gamma: 0.1 });
 */
export class StepLR extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, options: StepLROptions) {
    requireOptions('StepLR', options, { stepSize: 'number', gamma: 'number' });
    const { stepSize, gamma = 0.1 } = options;
    requireInteger('StepLR', 'stepSize', stepSize, 1);
    requireOption('StepLR', 'gamma', gamma, 0);
    super('StepLR', optimizer, {
      next: (t, lr) => (t === 0 || t % stepSize !== 0 ? lr : lr * gamma),
    });
  }
}

/** Options of {@link MultiStepLR}. */
export interface MultiStepLROptions {
  /** Steps at which the rate changes; one that is named twice counts twice. */
  readonly milestones: readonly number[];
  /** Factor of each change. Default 0.1. */
  readonly gamma?: number | undefined;
}

/**
 * Multiplies the rate by gamma at each milestone. PyTorch's `MultiStepLR`.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1 });
 * const scheduler = new MultiStepLR(optimizer, { milestones: [30, 80] });
 */
export class MultiStepLR extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, options: MultiStepLROptions) {
    requireOptions('MultiStepLR', options, { milestones: 'list', gamma: 'number' });
    const { milestones, gamma = 0.1 } = options;
    requireArgument('MultiStepLR', 'milestones', milestones, 'list');
    milestones.forEach((milestone, i) => {
      requireInteger('MultiStepLR', `milestones[${i}]`, milestone, 0);
    });
    requireOption('MultiStepLR', 'gamma', gamma, 0);
    super('MultiStepLR', optimizer, {
      next: (t, lr) => lr * gamma ** milestones.filter((milestone) => milestone === t).length,
    });
  }
}

/** Options of {@link ExponentialLR}. */
export interface ExponentialLROptions {
  /** Factor of each step. */
  readonly gamma: number;
}

/** Multiplies the rate by gamma at each step. PyTorch's `ExponentialLR`. */
export class ExponentialLR extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, options: ExponentialLROptions) {
    requireOptions('ExponentialLR', options, { gamma: 'number' });
    const { gamma } = options;
    requireOption('ExponentialLR', 'gamma', gamma, 0);
    super('ExponentialLR', optimizer, {
      next: (t, lr) => (t === 0 ? lr : lr * gamma),
    });
  }
}

/** Options of {@link ConstantLR}. */
export interface ConstantLROptions {
  /** Factor of the first steps, in (0, 1]. Default 1/3. */
  readonly factor?: number | undefined;
  /** Number of steps with the factor. Default 5. */
  readonly totalIters?: number | undefined;
}

/** Multiplies the rate by a factor for the first steps, then lets it be. PyTorch's `ConstantLR`. */
export class ConstantLR extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, options: ConstantLROptions = {}) {
    requireOptions('ConstantLR', options, { factor: 'number', totalIters: 'number' });
    const { factor = 1 / 3, totalIters = 5 } = options;
    requireFactor('ConstantLR', 'factor', factor);
    requireInteger('ConstantLR', 'totalIters', totalIters, 1);
    super('ConstantLR', optimizer, {
      next: (t, lr) => (t === 0 ? lr * factor : t === totalIters ? lr * (1 / factor) : lr),
    });
  }
}

/** Options of {@link LinearLR}. */
export interface LinearLROptions {
  /** Factor at the start, in (0, 1]. Default 1/3. */
  readonly startFactor?: number | undefined;
  /** Factor at the end, in [0, 1]. Default 1. */
  readonly endFactor?: number | undefined;
  /** Number of steps from one to the other. Default 5. */
  readonly totalIters?: number | undefined;
}

/**
 * Leads the rate in a line from one factor of it to another: warm-up, with the defaults. PyTorch's `LinearLR`.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1 });
 * const scheduler = new SequentialLR(
 *   optimizer,
 *   [new LinearLR(optimizer, { startFactor: 0.01, totalIters: 500 }), new CosineAnnealingLR(optimizer, { tMax: 9500 })],
 *   { milestones: [500] },
 * );
 */
export class LinearLR extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, options: LinearLROptions = {}) {
    requireOptions('LinearLR', options, { startFactor: 'number', endFactor: 'number', totalIters: 'number' });
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
    requireFactor('LinearLR', 'startFactor', startFactor);
    requireOption('LinearLR', 'endFactor', endFactor, 0, 1 + Number.EPSILON);
    requireInteger('LinearLR', 'totalIters', totalIters, 1);
    const slope = endFactor - startFactor;
    super('LinearLR', optimizer, {
      next: (t, lr) => {
        if (t === 0) return lr * startFactor;
        return t > totalIters ? lr : lr * (1 + slope / (totalIters * startFactor + (t - 1) * slope));
      },
    });
  }
}

/** Options of {@link PolynomialLR}. */
export interface PolynomialLROptions {
  /** Number of steps after which the rate is 0. Default 5. */
  readonly totalIters?: number | undefined;
  /** Power of the share of steps that is left. Default 1. */
  readonly power?: number | undefined;
}

/** Leads the rate to 0 as a power of the share of steps that is left. PyTorch's `PolynomialLR`. */
export class PolynomialLR extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, options: PolynomialLROptions = {}) {
    requireOptions('PolynomialLR', options, { totalIters: 'number', power: 'number' });
    const { totalIters = 5, power = 1 } = options;
    requireInteger('PolynomialLR', 'totalIters', totalIters, 1);
    requireOption('PolynomialLR', 'power', power, 0);
    super('PolynomialLR', optimizer, {
      next: (t, lr) =>
        t === 0 || t > totalIters ? lr : lr * ((1 - t / totalIters) / (1 - (t - 1) / totalIters)) ** power,
    });
  }
}

/** A factor by step: one function for all groups, or one per group. */
export type LrLambda = (step: number) => number;

/**
 * Multiplies the rate at the start by what a function of the step gives. PyTorch's `LambdaLR`. The function is not part of the state.
 *
 * @throws ArgumentError unless there is one function, or one per group.
 * @example
 * const optimizer = new SGD(new Linear(4, 1).parameters(), { lr: 0.1 });
 * const scheduler = new LambdaLR(optimizer, (step) => 1 / Math.sqrt(1 + step));
 */
export class LambdaLR extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, lambda: LrLambda | readonly LrLambda[]) {
    const factor = lambdas('LambdaLR', optimizer, lambda);
    super('LambdaLR', optimizer, { next: (t, _, base, group) => base * factor(group)(t) });
  }
}

/** Multiplies the rate by what a function of the step gives, from step 1 on. PyTorch's `MultiplicativeLR`. */
export class MultiplicativeLR extends Scheduler {
  constructor(optimizer: Optimizer<BaseOptions>, lambda: LrLambda | readonly LrLambda[]) {
    const factor = lambdas('MultiplicativeLR', optimizer, lambda);
    super('MultiplicativeLR', optimizer, {
      next: (t, lr, _, group) => (t === 0 ? lr : lr * factor(group)(t)),
      restartsFrom: 'current',
    });
  }
}

function lambdas(
  op: string,
  optimizer: Optimizer<BaseOptions>,
  lambda: LrLambda | readonly LrLambda[],
): (group: number) => LrLambda {
  requireOptimizer(op, optimizer);
  if (typeof lambda === 'function') return () => lambda;
  const all = Array.isArray(lambda) && lambda.every((one) => typeof one === 'function');
  if (all && lambda.length === optimizer.groups.length) return (group) => lambda[group];
  throw new ArgumentError(
    `there are ${all ? lambda.length : 'no'} functions and ${optimizer.groups.length} groups; give one function (of the number of steps), or one per group.`,
    {
      op,
      operand: 'lambda',
      actual: all ? lambda.length : lambda,
      expected: String(optimizer.groups.length),
    },
  );
}

function requireFactor(op: string, option: string, factor: number): void {
  if (factor > 0 && factor <= 1) return;
  throw new ArgumentError(`${option} is ${factor}; give a number above 0 and at most 1.`, {
    op,
    operand: option,
    actual: factor,
    expected: 'a number in (0, 1]',
  });
}
