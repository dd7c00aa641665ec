// The training loop: an async iterator of steps, which whoever consumes it can watch, steer and stop between any two.

import { ArgumentError, mul_, noGrad, requireOptions, type Tensor, tensor } from '@adjoint/core';
import { requireInteger, requireOneOf } from '../layers/options.ts';
import { clipGradNorm_, clipGradValue_ } from '../optim/clip.ts';
import type { EMA } from '../optim/ema.ts';
import type { BaseOptions, Optimizer } from '../optim/optimizer.ts';
import { ReduceLROnPlateau } from '../optim/schedulers/plateau.ts';
import { type Diagnostics, diagnose } from './diagnostics.ts';
import type { EarlyStopping } from './early-stopping.ts';
import type { StopSignal } from './evaluate.ts';
import type { Metric } from './metrics.ts';
import { type Forward, forwardOf, type LossInput, lossOf, type Objective } from './objective.ts';
import { type Batches, grouped } from './passes.ts';
import { turnTaker } from './turns.ts';

/** Where training stands, in plain numbers: keep it as `progress` of a checkpoint and give it back as `start`. */
export interface Position {
  /** Passes completed. */
  readonly epoch: number;
  /** Optimiser steps made. */
  readonly step: number;
  /** The sum of the losses of the running pass, and of how many batches. */
  readonly lossSum: number;
  readonly lossCount: number;
}

/** What {@link train} tells after each optimiser step. */
export interface TrainStep {
  /** Optimiser steps made, this one included. */
  readonly step: number;
  /** The pass that the step belongs to, from 1. */
  readonly epoch: number;
  /** Whether the pass ends with this step; evaluation and schedulers of the epoch have run then. */
  readonly lastOfEpoch: boolean;
  /** Where training stands after the step. */
  readonly position: Position & Readonly<Record<string, number>>;
  /** The loss before the step, the mean over accumulated batches. */
  readonly loss: number;
  /** The learning rate of the first parameter group in this step. */
  readonly lr: number;
  /** The norm of all gradients before clipping; null without `clipGradNorm`. */
  readonly gradNorm: number | null;
  /** Metrics over the batches of the running pass so far. */
  readonly metrics: Readonly<Record<string, number>>;
  /** What `evaluate` gave, where it ran after this step. */
  readonly evaluation: Readonly<Record<string, unknown>> | null;
  /** Where `diagnoseEvery` asked for them. */
  readonly diagnostics: Diagnostics | null;
}

/** Options of {@link train}. */
export interface TrainOptions<Batch> extends Objective<Batch> {
  /** Batches, such as those of a `DataLoader`; iterated once per pass. */
  readonly data: Batches<Batch>;
  /** The loss of an output and a target; a mean over the batch. */
  readonly loss: LossInput;
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
  /** Metrics of what is trained on, reset with each pass. */
  readonly metrics?: Readonly<Record<string, Metric>> | undefined;
  /** Computes scores, such as by {@link evaluate} on held-out data. */
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

/**
 * Trains a model, step by step:
 *
 * ```ts
 * for await (const step of train({ model, data, loss: crossEntropy, optimizer, epochs: 5 })) console.log(step.loss);
 * ```
 *
 * Between two steps everything is at rest: save a checkpoint, evaluate, draw, or `break`. All that happens to a pass when it ends
 * (evaluation, then the scheduler, then early stopping) has happened when its last step is told. The event loop gets a turn every few
 * milliseconds. The model is put into training mode at the start.
 *
 * The optimiser gets a closure that computes the loss, so that L-BFGS works too; loss and metrics are of its first run.
 *
 * @throws ArgumentError for illegal options, a pass without batches, or a score to monitor that is not there.
 * @example
 * manualSeed(0);
 * const model = new Linear(2, 1);
 * const x = randn([64, 2]);
 * const data = new DataLoader(new TensorDataset(x, sum(x, { axes: 1, keepdim: true })), { batchSize: 16, shuffle: true });
 * const optimizer = new Adam(model.parameters(), { lr: 0.05 });
 * const losses = [];
 * for await (const { loss } of train({ model, data, loss: mseLoss, optimizer, epochs: 20 })) losses.push(loss);
 * losses.length; // 80
 * console.log(losses.at(-1) < 0.1 * losses[0]); // true
 */
export async function* train<Batch>(
  options: TrainOptions<Batch>,
): AsyncGenerator<TrainStep, void, undefined> {
  checkOptions(options);
  const { data, signal, accumulate = 1, epochs = Infinity, steps = Infinity, start = {} } = options;
  const turn = turnTaker();
  const run = new Run(options);
  let position: Position = { epoch: 0, step: 0, lossSum: 0, lossCount: 0, ...start };
  options.model.train();
  const over = (): boolean =>
    position.epoch >= epochs ||
    position.step >= steps ||
    signal?.aborted === true ||
    options.earlyStopping?.stopped === true;
  while (!over()) {
    const resumed = position.lossCount > 0;
    let made = 0;
    for (const metric of Object.values(options.metrics ?? {})) metric.reset();
    for await (const { batches, last } of grouped(data, accumulate)) {
      const step = await run.step(batches, last, position);
      position = step.position;
      made++;
      yield step;
      await turn();
      if (over()) return;
    }
    if (made > 0) continue;
    // A stream that was saved behind its last batch has none left, and its pass ends here.
    if (!resumed) {
      throw new ArgumentError(
        `the data gave no batch in epoch ${position.epoch + 1}; give something that has batches and can be iterated again, such as a DataLoader or an array.`,
        { op: 'train', operand: 'data', actual: 0, expected: 'at least one batch' },
      );
    }
    position = { ...position, epoch: position.epoch + 1, lossSum: 0, lossCount: 0 };
  }
}

class Run<Batch> {
  readonly #options: TrainOptions<Batch>;
  readonly #forward: Forward<Batch>;
  readonly #loss: (output: Tensor, target: Tensor) => Tensor;

  constructor(options: TrainOptions<Batch>) {
    this.#options = options;
    this.#forward = forwardOf('train', options);
    this.#loss = lossOf(options.loss);
  }

  async step(batches: readonly Batch[], lastOfEpoch: boolean, before: Position): Promise<TrainStep> {
    const { model, optimizer, ema, scheduler, schedulerInterval = 'epoch', diagnoseEvery } = this.#options;
    const step = before.step + 1;
    const lr = optimizer.groups[0].lr;
    let first: { readonly loss: number; readonly gradNorm: number | null } | null = null;
    const closure = (): Tensor => {
      const { loss, gradNorm } = this.#gradients(batches, first === null);
      first ??= { loss, gradNorm };
      return tensor(loss, { dtype: 'float64' });
    };
    const act = (): void => void optimizer.step(closure);
    const diagnostics =
      diagnoseEvery !== undefined && step % diagnoseEvery === 0 ? diagnose(model, act) : null;
    if (diagnostics === null) act();
    ema?.update();
    if (schedulerInterval === 'step' && scheduler !== undefined) (scheduler as { step(): void }).step();
    // The closure has run: every optimiser calls it.
    const { loss, gradNorm } = first as unknown as {
      readonly loss: number;
      readonly gradNorm: number | null;
    };
    const sums = {
      lossSum: before.lossSum + loss * batches.length,
      lossCount: before.lossCount + batches.length,
    };
    const evaluation = await this.#evaluation(step, lastOfEpoch);
    this.#judge(evaluation, lastOfEpoch, sums.lossSum / sums.lossCount);
    const position = lastOfEpoch
      ? { epoch: before.epoch + 1, step, lossSum: 0, lossCount: 0 }
      : { epoch: before.epoch, step, ...sums };
    const metrics = Object.fromEntries(
      Object.entries(this.#options.metrics ?? {}).map(([name, metric]) => [name, metric.compute()]),
    );
    return {
      step,
      epoch: before.epoch + 1,
      lastOfEpoch,
      position,
      loss,
      lr,
      gradNorm,
      metrics,
      evaluation,
      diagnostics,
    };
  }

  // Leaves the mean gradient of the batches in the parameters, clipped.
  #gradients(
    batches: readonly Batch[],
    counts: boolean,
  ): { readonly loss: number; readonly gradNorm: number | null } {
    const { optimizer, metrics = {}, clipGradNorm, clipGradValue } = this.#options;
    optimizer.zeroGrad();
    let total = 0;
    for (const batch of batches) {
      const [output, target] = this.#forward(batch);
      const loss = this.#loss(output, target);
      total += loss.item();
      loss.backward();
      if (!counts) continue;
      const seen = output.detach();
      for (const metric of Object.values(metrics)) noGrad(() => metric.update(seen, target));
    }
    const { parameters } = optimizer;
    if (batches.length > 1) {
      for (const { grad } of parameters) if (grad !== null) noGrad(() => mul_(grad, 1 / batches.length));
    }
    if (clipGradValue !== undefined) clipGradValue_(parameters, clipGradValue);
    const gradNorm = clipGradNorm === undefined ? null : clipGradNorm_(parameters, clipGradNorm);
    return { loss: total / batches.length, gradNorm };
  }

  async #evaluation(step: number, lastOfEpoch: boolean): Promise<Readonly<Record<string, unknown>> | null> {
    const { evaluate, evaluateEvery } = this.#options;
    const due = evaluateEvery === undefined ? lastOfEpoch : step % evaluateEvery === 0;
    return evaluate !== undefined && due ? evaluate() : null;
  }

  // Schedulers of the epoch, and whether to stop.
  #judge(evaluation: Readonly<Record<string, unknown>> | null, lastOfEpoch: boolean, meanLoss: number): void {
    const {
      evaluate,
      scheduler,
      schedulerInterval = 'epoch',
      monitor = 'loss',
      earlyStopping,
    } = this.#options;
    const scores = evaluate === undefined && lastOfEpoch ? { loss: meanLoss } : evaluation;
    if (scheduler instanceof ReduceLROnPlateau) {
      if (scores !== null) scheduler.step(score(scores, monitor));
    } else if (lastOfEpoch && schedulerInterval === 'epoch') scheduler?.step();
    if (scores !== null) earlyStopping?.update(score(scores, earlyStopping.monitor));
  }
}

function score(scores: Readonly<Record<string, unknown>>, name: string): number {
  const value = scores[name];
  if (typeof value === 'number') return value;
  throw new ArgumentError(
    `there is no score '${name}' among ${Object.keys(scores).join(', ')} that is a number; name one with monitor.`,
    { op: 'train', operand: 'monitor', actual: value, expected: 'the name of a score' },
  );
}

const known: readonly (keyof TrainOptions<never>)[] = [
  'model',
  'forward',
  'data',
  'loss',
  'optimizer',
  'epochs',
  'steps',
  'scheduler',
  'schedulerInterval',
  'monitor',
  'clipGradNorm',
  'clipGradValue',
  'accumulate',
  'ema',
  'metrics',
  'evaluate',
  'evaluateEvery',
  'earlyStopping',
  'diagnoseEvery',
  'signal',
  'start',
];

function checkOptions<Batch>(options: TrainOptions<Batch>): void {
  const op = 'train';
  requireOptions(op, options, known);
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
  for (const [operand, value] of Object.entries(options.start ?? {})) {
    if (operand === 'epoch' || operand === 'step') requireInteger(op, `start.${operand}`, value, 0);
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
