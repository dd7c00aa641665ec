// From a batch to a loss: what training and evaluation share.

import { ArgumentError, formatShape, ShapeError, Tensor } from '@adjoint/core';
import type { Module, UnaryModule } from '../module/module.ts';

/** A function such as `crossEntropy`, or a module such as `new CrossEntropyLoss()`. */
export type LossInput =
  | ((output: Tensor, target: Tensor) => Tensor)
  | { forward(output: Tensor, target: Tensor): Tensor };

/** What a model makes of a batch, and what it should have made. */
export type Forward<Batch> = (batch: Batch) => readonly [output: Tensor, target: Tensor];

/** The model, and how it is applied to a batch. */
export interface Objective<Batch> {
  readonly model: Module;
  /**
   * Applies the model to a batch. Default: batches are `[input, target]`, and the output is `model.forward(input)`.
   */
  readonly forward?: Forward<Batch> | undefined;
}

/** The function that applies the model, the default one checked on each batch. */
export function forwardOf<Batch>(op: string, { model, forward }: Objective<Batch>): Forward<Batch> {
  if (forward !== undefined) return forward;
  return (batch) => {
    const parts = Array.isArray(batch) ? (batch as readonly unknown[]) : [];
    const [input, target] = parts;
    if (parts.length === 2 && input instanceof Tensor && target instanceof Tensor) {
      return [(model as UnaryModule).forward(input), target];
    }
    throw new ArgumentError(
      'the batch is not [input, target]; say with forward what the model makes of it: forward: (batch) => [output, target].',
      { op, operand: 'data', actual: batch, expected: 'batches of two tensors' },
    );
  };
}

/** The loss as a function, which throws unless it gives one number. */
export function lossOf(op: string, loss: LossInput): (output: Tensor, target: Tensor) => Tensor {
  return (output, target) => {
    const value = typeof loss === 'function' ? loss(output, target) : loss.forward(output, target);
    if (value.size === 1) return value;
    throw new ShapeError(
      `the loss has shape ${formatShape(value.shape)}; give one number for a batch, such as the mean.`,
      { op, operand: 'loss', actual: value.shape, expected: 'one number' },
    );
  };
}
