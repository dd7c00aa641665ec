// One step of training: the gradients of its batches, the optimiser, and all that follows when a pass ends with it.

import { ArgumentError, mul_, noGrad, type Tensor, tensor } from '@adjoint/core';
import { clipGradNorm_, clipGradValue_ } from '../optim/clip.ts';
import { ReduceLROnPlateau } from '../optim/schedulers/plateau.ts';
import { type Diagnostics, diagnose } from './diagnostics.ts';
import type { Position, TrainOptions } from './loop-options.ts';
import { type Forward, forwardOf, lossOf } from './objective.ts';

/** What `train` tells after each optimiser step. */
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

/** Makes the steps of one call of `train`. */
export class Run<Batch> {
  readonly #options: TrainOptions<Batch>;
  readonly #forward: Forward<Batch>;
  readonly #loss: (output: Tensor, target: Tensor) => Tensor;

  constructor(options: TrainOptions<Batch>) {
    this.#options = options;
    this.#forward = forwardOf('train', options);
    this.#loss = lossOf('train', options.loss);
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
    if (parameters.every(({ grad }) => grad === null)) {
      throw new ArgumentError(
        'the loss has a gradient, but for no parameter of the optimiser; make the optimiser for the parameters of this very model.',
        { op: 'train', operand: 'optimizer', expected: 'parameters that the loss depends on' },
      );
    }
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
