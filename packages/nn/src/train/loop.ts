// The training loop: an async iterator of steps, which whoever consumes it can watch, steer and stop between any two.

import { ArgumentError } from '@adjoint/core';
import { checkOptions, type Position, type TrainOptions } from './loop-options.ts';
import { grouped } from './passes.ts';
import { Run, type TrainStep } from './step.ts';
import { turnTaker } from './turns.ts';

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
 * @throws ArgumentError for illegal options, a pass without batches, a score to monitor that is not there, or an optimiser of other
 * parameters than the loss depends on; ShapeError for a loss that is not one number.
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
    // Data that was saved in the middle of a pass, and has nothing left of it (it is shorter now, or read ahead), ends that pass.
    if (!resumed) {
      throw new ArgumentError(
        `the data gave no batch in epoch ${position.epoch + 1}; give something that has batches and can be iterated again, such as a DataLoader or an array.`,
        { op: 'train', operand: 'data', actual: 0, expected: 'at least one batch' },
      );
    }
    position = { ...position, epoch: position.epoch + 1, lossSum: 0, lossCount: 0 };
  }
}
