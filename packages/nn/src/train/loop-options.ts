// What the training loop is given: its options, checked before the first step.

import { ArgumentError, requireArgument, requireOptions } from '@adjoint/core';
import { requireInteger, requireOneOf } from '../layers/options.ts';
import { EMA } from '../optim/ema.ts';
import { type BaseOptions, Optimizer } from '../optim/optimizer.ts';
import { ReduceLROnPlateau } from '../optim/schedulers/plateau.ts';
import { EarlyStopping } from './early-stopping.ts';
import type { StopSignal } from './evaluate.ts';
import type { Metric } from './metrics.ts';
import { type LossInput, type Objective, requireCollaborators } from './objective.ts';
import type { Batches } from './passes.ts';

/** Where training stands, in plain numbers: keep it as `progress` of a checkpoint and give it back as `start`. */
export interface Position {
  /** Passes completed. */
  readonly epoch: number;
  /** Optimiser steps made. */
  readonly step: number;
  /** The sum of the losses of the running pass. */
  readonly lossSum: number;
  /** Of how many batches that is the sum. */
  readonly lossCount: number;
}

/** Options of `train`. */
export interface TrainOptions<Batch> extends Objective<Batch> {
  /** Batches, such as those of a `DataLoader`; iterated once per pass. */
  readonly data: Batches<Batch>;
  /** The loss of an output and a target; a mean over the batch. */
  readonly loss: LossInput;
  /** Makes a step for each batch (or each `accumulate` of them), of the parameters it was made with. */
  readonly optimizer: Optimizer<BaseOptions>;
  /** Passes to make, those before `start` included. Either this or `steps` is needed; the first that is reached ends the training. */
  readonly epochs?: number | undefined;
  /** Optimiser steps to make, those before `start` included. */
  readonly steps?: number | undefined;
  /** A scheduler of the learning rate; several by `ChainedScheduler` or `SequentialLR`. */
  readonly scheduler?: { step(): void } | ReduceLROnPlateau | undefined;
  /** When the scheduler goes on: after each 'epoch' (default) or 'step'. */
  readonly schedulerInterval?: 'epoch' | 'step' | undefined;
  /** The score that `ReduceLROnPlateau` looks at: of `evaluation`, or, as 'loss' without one, the mean of the pass. Default 'loss'. */
  readonly monitor?: string | undefined;
  /** Clips the gradients to this norm, all together. */
  readonly clipGradNorm?: number | undefined;
  /** Clips each element of the gradients to ± this. */
  readonly clipGradValue?: number | undefined;
  /** Batches whose mean gradient makes one step; what is left at the end of a pass makes one too. Default 1. */
  readonly accumulate?: number | undefined;
  /** Averaged weights, updated after each step. */
  readonly ema?: EMA | undefined;
  /** Metrics of what is trained on, reset with each pass; where `start` is in the middle of one, of the rest of it. */
  readonly metrics?: Readonly<Record<string, Metric>> | undefined;
  /** Computes scores, such as by `evaluate` on held-out data. */
  readonly evaluate?:
    | (() => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>)
    | undefined;
  /** Steps from one evaluation to the next. Default: one at the end of each pass. */
  readonly evaluateEvery?: number | undefined;
  /** Ends the training when a score of the evaluation (without one: the mean loss of the pass) has stopped improving. */
  readonly earlyStopping?: EarlyStopping | undefined;
  /** Steps from one diagnosis of the gradients to the next. Default: none. */
  readonly diagnoseEvery?: number | undefined;
  /** Ends the training before the next step: quietly, for everything stands as after a `break`. */
  readonly signal?: StopSignal | undefined;
  /** Where to go on: a step's `position`. Restore model, optimiser, loader and the rest first (`restoreCheckpoint`). */
  readonly start?: Partial<Position> | undefined;
}

const known = {
  model: 'own',
  forward: 'function',
  data: 'own',
  loss: 'own',
  optimizer: Optimizer,
  epochs: 'number',
  steps: 'number',
  scheduler: 'own',
  schedulerInterval: 'string',
  monitor: 'string',
  clipGradNorm: 'number',
  clipGradValue: 'number',
  accumulate: 'number',
  ema: EMA,
  metrics: 'own',
  evaluate: 'function',
  evaluateEvery: 'number',
  earlyStopping: EarlyStopping,
  diagnoseEvery: 'number',
  signal: 'own',
  start: 'own',
} as const;

/** @throws ArgumentError for options that are unknown, illegal or contradict each other. */
export function checkOptions<Batch>(options: TrainOptions<Batch>): void {
  const op = 'train';
  requireOptions(op, options, known);
  requireCollaborators(op, options);
  const { epochs, steps, scheduler, schedulerInterval = 'epoch', evaluate, evaluateEvery } = options;
  const { accumulate, diagnoseEvery } = options;
  if (epochs === undefined && steps === undefined) {
    throw new ArgumentError('neither epochs nor steps is given; say when to end.', { op, operand: 'epochs' });
  }
  for (const [operand, value] of Object.entries({ epochs, steps })) {
    if (value !== undefined) requireInteger(op, operand, value, 0);
  }
  for (const [operand, value] of Object.entries({ accumulate, evaluateEvery, diagnoseEvery })) {
    if (value !== undefined) requireInteger(op, operand, value, 1);
  }
  const { start = {} } = options;
  requireArgument(op, 'start', start, Object);
  for (const [operand, value] of Object.entries(start)) {
    if (operand === 'epoch' || operand === 'step') requireInteger(op, `start.${operand}`, value, 0);
    if (operand === 'lossSum' || operand === 'lossCount')
      requireArgument(op, `start.${operand}`, value, 'number');
  }
  requireOneOf(op, 'schedulerInterval', schedulerInterval, ['epoch', 'step']);
  if (evaluateEvery !== undefined && evaluate === undefined) {
    throw new ArgumentError('evaluateEvery is given, and there is nothing to evaluate; give evaluate too.', {
      op,
      operand: 'evaluate',
    });
  }
  if (scheduler instanceof ReduceLROnPlateau && schedulerInterval === 'step') {
    throw new ArgumentError(
      'ReduceLROnPlateau looks at scores, which steps do not have; leave schedulerInterval out, and say with evaluateEvery how often.',
      { op, operand: 'schedulerInterval', actual: 'step', expected: 'epoch' },
    );
  }
}
