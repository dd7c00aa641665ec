// The training loop: one generator of steps, which whoever consumes it can stop between any two.

import {
  bceWithLogits,
  Generator,
  indexSelect,
  narrow,
  noGrad,
  randperm,
  sigmoid,
  type Tensor,
} from '@adjoint/core';
import type { Adam } from '@adjoint/nn/optim';
import type { Autoencoder } from './model.ts';

/** Where training stands: what `--resume` needs to go on with the very same steps. */
export interface Position {
  /** Passes completed. */
  readonly epoch: number;
  /** Steps completed in the running pass. */
  readonly step: number;
}

/** One step that was made. */
export interface Step {
  /** Where training stands after the step. */
  readonly position: Position;
  /** The pass that it belongs to, counted from 1. */
  readonly epoch: number;
  readonly loss: number;
}

/** What to train, on what, and for how long. */
export interface Training {
  readonly model: Autoencoder;
  readonly optimizer: Adam;
  /** Shape (count, 1, 28, 28), greys from 0 to 1. */
  readonly images: Tensor;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  readonly from: Position;
}

/** Steps in a pass. A last batch of one image is left out: batch norm has no variance to take of it. */
export function stepsPerEpoch(count: number, batch: number): number {
  return Math.floor(count / batch) + (count % batch > 1 ? 1 : 0);
}

/** Makes the steps from a position to the end of the last pass. The same seed gives the same bits, however often it stopped. */
export function* train({ model, optimizer, images, epochs, batch, seed, from }: Training): Iterable<Step> {
  const [count] = images.shape;
  const steps = stepsPerEpoch(count, batch);
  model.train();
  for (let { epoch, step } = from; epoch < epochs; epoch++, step = 0) {
    // Each pass has a stream of its own, so its order is known without having gone through the passes before it.
    const order = randperm(count, { generator: new Generator(seed, { stream: epoch + 1 }) });
    for (; step < steps; step++) {
      const size = Math.min(batch, count - step * batch);
      const originals = indexSelect(images, 0, narrow(order, 0, step * batch, size));
      const loss = bceWithLogits(model.forward(originals), originals);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      const last = step === steps - 1;
      yield {
        position: last ? { epoch: epoch + 1, step: 0 } : { epoch, step: step + 1 },
        epoch: epoch + 1,
        loss: loss.item(),
      };
    }
  }
}

/** The model's images of `originals`, greys from 0 to 1, and their mean loss; leaves the model in training mode. */
export function reconstruct(
  model: Autoencoder,
  originals: Tensor,
): { readonly images: Tensor; readonly loss: number } {
  model.eval();
  const result = noGrad(() => {
    const logits = model.forward(originals);
    return { images: sigmoid(logits), loss: bceWithLogits(logits, originals).item() };
  });
  model.train();
  return result;
}
