// Exponential moving average of a model's weights, to evaluate with or to keep.

import {
  clone,
  copy_,
  isFloat,
  modify_,
  noGrad,
  requireArgument,
  requireFunction,
  requireOptions,
  type Tensor,
} from '@adjoint/core';
import { Module } from '../module/module.ts';
import type { StateDict } from '../module/state.ts';
import { requireOption } from './checks.ts';

/** Options of {@link EMA}. */
export interface EMAOptions {
  /** How much of the average stays per update, in [0, 1). Default 0.999. */
  readonly decay?: number | undefined;
  /** Whether the first updates take more of the weights: decay is then at most (1 + n) / (10 + n) at update n. Default false. */
  readonly warmUp?: boolean | undefined;
}

/**
 * An exponential moving average of the weights of a module: `average = decay·average + (1 − decay)·weights`, for parameters; buffers are
 * copied. PyTorch's `AveragedModel` with `get_ema_multi_avg_fn`.
 *
 * @throws ArgumentError unless decay lies in [0, 1).
 * @example
 * const model = new Linear(4, 1);
 * const ema = new EMA(model, { decay: 0.99 });
 * ema.update(); // after each optimizer.step()
 * ema.evaluate(() => model.forward(zeros([1, 4]))); // with the average in the place of the weights
 */
export class EMA {
  /** How much of the average stays per update. */
  readonly decay: number;
  /** Whether the first updates take more of the weights. */
  readonly warmUp: boolean;
  /** Number of updates so far. */
  updates = 0;
  readonly #module: Module;
  #averages: Map<string, Tensor>;

  constructor(module: Module, options: EMAOptions = {}) {
    requireOptions('EMA', options, { decay: 'number', warmUp: 'boolean' });
    const { decay = 0.999, warmUp = false } = options;
    requireArgument('EMA', 'module', module, Module);
    requireOption('EMA', 'decay', decay, 0, 1);
    this.decay = decay;
    this.warmUp = warmUp;
    this.#module = module;
    this.#averages = copies(module.stateDict());
  }

  /** Moves the averages towards the weights as they are now. */
  update(): void {
    const decay = this.warmUp ? Math.min(this.decay, (1 + this.updates) / (10 + this.updates)) : this.decay;
    const parameters = new Set(this.#module.parameters().map(({ storage }) => storage));
    for (const [name, weight] of Object.entries(this.#module.stateDict())) {
      const average = this.#averages.get(name)!;
      if (!parameters.has(weight.storage) || !isFloat(weight.dtype)) {
        noGrad(() => copy_(average, weight));
        continue;
      }
      const now = weight.toTypedArray();
      modify_(average, 'EMA.update', (values) => {
        for (let i = 0; i < values.length; i++) values[i] = decay * values[i] + (1 - decay) * now[i];
      });
    }
    this.updates++;
  }

  /** Puts the averages into the module; the weights it had are lost. */
  copyTo(module: Module = this.#module): void {
    requireArgument('EMA.copyTo', 'module', module, Module);
    module.loadStateDict(Object.fromEntries(this.#averages));
  }

  /**
   * Runs `fn` with the averages in the place of the weights, which are put back afterwards: of a function that returns a promise, when
   * that has settled.
   */
  evaluate<T>(fn: () => T): T {
    requireFunction('EMA.evaluate', 'fn', fn, '() => …');
    const weights = copies(this.#module.stateDict());
    const putBack = (): void => void this.#module.loadStateDict(Object.fromEntries(weights));
    this.copyTo();
    let result: T;
    try {
      result = fn();
    } catch (error) {
      putBack();
      throw error;
    }
    if (result instanceof Promise) return result.finally(putBack) as T;
    putBack();
    return result;
  }

  /** The averages under the names of the module's state dict, and the number of updates. */
  stateDict(): { readonly updates: number; readonly averages: StateDict } {
    return { updates: this.updates, averages: Object.fromEntries(this.#averages) };
  }

  /**
   * Goes on from what `stateDict` gave; the averages are copied.
   *
   * @throws StateDictError if they do not fit the module; nothing is changed then.
   */
  loadStateDict(state: { readonly updates: number; readonly averages: StateDict }): void {
    requireArgument('EMA.loadStateDict', 'state', state, Object);
    const { updates, averages } = state;
    requireArgument('EMA.loadStateDict', 'state.updates', updates, 'number');
    const weights = copies(this.#module.stateDict());
    this.#module.loadStateDict(averages);
    this.#averages = copies(this.#module.stateDict());
    this.#module.loadStateDict(Object.fromEntries(weights));
    this.updates = updates;
  }
}

function copies(state: StateDict): Map<string, Tensor> {
  return new Map(Object.entries(state).map(([name, value]) => [name, noGrad(() => clone(value))]));
}
