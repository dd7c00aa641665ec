// Evaluation: the loss and the metrics of a model over a data set, without a graph and in evaluation mode.

import { ArgumentError, noGrad, requireOptions } from '@adjoint/core';
import type { Module } from '../module/module.ts';
import { MeanLoss, type Metric, type Metrics } from './metrics.ts';
import { forwardOf, type LossInput, type Objective, requireCollaborators } from './objective.ts';
import { turnTaker } from './turns.ts';

/** What an `AbortSignal` is to a loop. Browsers and Node have that type, and a project without either's types can use this entry. */
export interface StopSignal {
  /** Whether it is time to stop. */
  readonly aborted: boolean;
  /** Throws the reason, if aborted. */
  throwIfAborted(): void;
}

/** Options of {@link evaluate}. */
export interface EvaluateOptions<Batch, M extends Metrics> extends Objective<Batch> {
  /** Batches, such as those of a `DataLoader`. */
  readonly data: Iterable<Batch> | AsyncIterable<Batch>;
  /** Its mean over all samples is the score `loss`. Default: none is computed. */
  readonly loss?: LossInput | undefined;
  /** What else to compute, by name. They are reset first. */
  readonly metrics?: M | undefined;
  /** Ends the evaluation with the signal's reason. */
  readonly signal?: StopSignal | undefined;
}

/** The values of metrics by name. */
export type Scores<M extends Metrics> = { [K in keyof M]: M[K] extends Metric<infer Value> ? Value : never };

/**
 * Applies a model to a data set: evaluation mode, no graph; each module's mode is put back afterwards.
 *
 * Others get a turn of the event loop every few milliseconds.
 *
 * @returns the values of the metrics by name, and `loss` if there is one.
 * @throws ArgumentError if there is no batch, or nothing to compute; the signal's reason if it is aborted.
 * @example
 * const model = new Linear(2, 2);
 * const data = [[randn([4, 2]), tensor([0, 1, 0, 1], { dtype: 'int32' })]];
 * const scores = await evaluate({ model, data, loss: crossEntropy, metrics: { accuracy: new Accuracy() } });
 * Object.keys(scores); // ['loss', 'accuracy']
 */
export async function evaluate<Batch, M extends Metrics = Record<never, Metric>>(
  options: EvaluateOptions<Batch, M>,
): Promise<Scores<M> & { readonly loss: number }> {
  const op = 'evaluate';
  requireOptions<EvaluateOptions<Batch, Metrics>>(op, options, {
    model: 'own',
    forward: 'function',
    data: 'own',
    loss: 'own',
    metrics: 'own',
    signal: 'own',
  });
  requireCollaborators(op, options);
  const { model, data, loss, metrics, signal } = options;
  const forward = forwardOf(op, options);
  const all: Metrics = { ...(loss === undefined ? {} : { loss: new MeanLoss(loss) }), ...metrics };
  const computed = Object.entries(all);
  if (computed.length === 0) {
    throw new ArgumentError('there is nothing to compute; give loss, metrics or both.', {
      op,
      operand: 'metrics',
    });
  }
  for (const [, metric] of computed) metric.reset();
  const turn = turnTaker();
  const restore = enterEvaluation(model);
  let batches = 0;
  try {
    for await (const batch of data) {
      signal?.throwIfAborted();
      noGrad(() => {
        const [output, target] = forward(batch);
        for (const [, metric] of computed) metric.update(output, target);
      });
      batches++;
      await turn();
    }
  } finally {
    restore();
  }
  if (batches === 0) throw new ArgumentError('the data has no batch.', { op, operand: 'data', actual: 0 });
  const values = Object.fromEntries(computed.map(([name, metric]) => [name, metric.compute()]));
  return values as Scores<M> & { readonly loss: number };
}

function enterEvaluation(model: Module): () => void {
  const modes = model.modules().map((module) => [module, module.training] as const);
  model.eval();
  return () => {
    for (const [module, training] of modes) module.training = training;
  };
}
