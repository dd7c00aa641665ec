// From a batch to a loss: what training and evaluation share.

import {
  ArgumentError,
  describeValue,
  formatShape,
  requireArgument,
  requireTensor,
  ShapeError,
  Tensor,
} from '@adjoint/core';
import { Module, type UnaryModule } from '../module/module.ts';

/** A function such as `crossEntropy`, or a module such as `new CrossEntropyLoss()`. */
export type LossInput =
  | ((output: Tensor, target: Tensor) => Tensor)
  | { forward(output: Tensor, target: Tensor): Tensor };

/** What a model makes of a batch, and what it should have made. */
export type Forward<Batch> = (batch: Batch) => readonly [output: Tensor, target: Tensor];

/** The model, and how it is applied to a batch. */
export interface Objective<Batch> {
  /** The model. */
  readonly model: Module;
  /**
   * Applies the model to a batch. Default: batches are `[input, target]`, and the output is `model.forward(input)`.
   */
  readonly forward?: Forward<Batch> | undefined;
}

/** The function that applies the model, the default one checked on each batch. */
export function forwardOf<Batch>(op: string, { model, forward }: Objective<Batch>): Forward<Batch> {
  if (forward !== undefined) {
    return (batch) => {
      const pair = forward(batch);
      requireArgument(op, 'what forward gave', pair, 'list');
      return pair;
    };
  }
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

/** The loss as a function, which throws unless it gives one number. @throws ArgumentError for what is no loss. */
export function lossOf(op: string, loss: LossInput): (output: Tensor, target: Tensor) => Tensor {
  if (typeof loss === 'function' ? loss.prototype instanceof Module : !has(loss, ['forward']))
    throw refusal(op, 'loss', loss, 'a function of output and target, or a module such as new MSELoss()');
  return (output, target) => {
    const value = typeof loss === 'function' ? loss(output, target) : loss.forward(output, target);
    requireTensor(op, 'what the loss gave', value);
    if (value.size === 1) return value;
    throw new ShapeError(
      `the loss has shape ${formatShape(value.shape)}; give one number for a batch, such as the mean.`,
      { op, operand: 'loss', actual: value.shape, expected: 'one number' },
    );
  };
}

/** What is looked at by what it can do, rather than by its class. */
interface Collaborators {
  readonly model: unknown;
  readonly data: unknown;
  readonly metrics?: unknown;
  readonly signal?: unknown;
  readonly scheduler?: unknown;
}

/** @throws ArgumentError for a model that is no module, and for whatever else cannot do what it is asked for. */
export function requireCollaborators(
  op: string,
  { model, data, metrics, signal, scheduler }: Collaborators,
): void {
  requireArgument(op, 'model', model, Module);
  if (!has(data, [Symbol.iterator]) && !has(data, [Symbol.asyncIterator]))
    throw refusal(op, 'data', data, 'batches: a DataLoader, an array, or what else can be iterated');
  if (metrics !== undefined) requireArgument(op, 'metrics', metrics, Object);
  for (const [name, metric] of Object.entries(metrics ?? {}))
    if (!has(metric, ['update', 'compute', 'reset']))
      throw refusal(op, `metrics.${name}`, metric, 'a metric, such as new Accuracy()');
  if (signal !== undefined && !has(signal, ['throwIfAborted']))
    throw refusal(op, 'signal', signal, 'the signal of an AbortController');
  if (scheduler !== undefined && !has(scheduler, ['step']))
    throw refusal(op, 'scheduler', scheduler, 'a scheduler, such as new StepLR(optimizer, …)');
}

function has(value: unknown, methods: readonly PropertyKey[]): boolean {
  const given = (value ?? {}) as Readonly<Record<PropertyKey, unknown>>;
  return methods.every((name) => typeof given[name] === 'function');
}

function refusal(op: string, operand: string, actual: unknown, expected: string): ArgumentError {
  return new ArgumentError(`${operand} is ${describeValue(actual)}; give ${expected}.`, {
    op,
    operand,
    actual,
    expected,
  });
}
