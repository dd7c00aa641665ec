// Recurrent networks over sequences, by the kind of their step.

import { requireOptions, type Tensor } from '@adjoint/core';
import { requireOneOf } from './options.ts';
import { Recurrent, type RecurrentOptions, recurrentOptions, type SequenceResult } from './recurrent-base.ts';
import { elman, gru, type LSTMState, lstm, requireLstmState } from './recurrent-cell.ts';
import type { SequenceOptions } from './recurrent-lengths.ts';

/** Options of {@link RNN}. */
export interface RNNOptions extends RecurrentOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu' | undefined;
}

/**
 * A plain recurrent network: `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)` at each step. PyTorch's `nn.RNN`; see {@link LSTM} for shapes.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new RNN(10, 20, { numLayers: 2 }).forward(zeros([5, 3, 10])).hidden.shape; // [2, 3, 20]
 */
export class RNN extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    requireOptions('RNN', options, { ...recurrentOptions, nonlinearity: 'string' });
    const { nonlinearity: given = 'tanh', ...rest } = options;
    const nonlinearity = requireOneOf('RNN', 'nonlinearity', given, ['tanh', 'relu']);
    super({ op: 'RNN', step: elman[nonlinearity] }, inputSize, hiddenSize, rest);
  }

  /** Shapes and options as in {@link LSTM.forward}. */
  forward(x: Tensor, hidden?: Tensor, options: SequenceOptions = {}): SequenceResult {
    const result = this.run(x, { hidden }, options);
    return { output: result.output, hidden: result.hidden };
  }
}

/**
 * A network of gated recurrent units. PyTorch's `nn.GRU`; see {@link LSTM} for shapes.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * new GRU(10, 20, { batchFirst: true }).forward(zeros([3, 5, 10])).output.shape; // [3, 5, 20]
 */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    requireOptions('GRU', options, recurrentOptions);
    super({ op: 'GRU', step: gru }, inputSize, hiddenSize, options);
  }

  /** Shapes and options as in {@link LSTM.forward}. */
  forward(x: Tensor, hidden?: Tensor, options: SequenceOptions = {}): SequenceResult {
    const result = this.run(x, { hidden }, options);
    return { output: result.output, hidden: result.hidden };
  }
}

/** Options of {@link LSTM}. */
export interface LSTMOptions extends RecurrentOptions {
  /** The size to which each hidden state is projected before it goes on, below hiddenSize; 0 for no projection. Default 0. */
  readonly projSize?: number | undefined;
}

/**
 * A network of long short-term memories. PyTorch's `nn.LSTM`, with its parameters: `weightIhL0` (4·hidden, input), `weightHhL0` (4·hidden,
 * hidden), `biasIhL0` and `biasHhL0` (4·hidden), gates in the order input, forget, cell, output; further layers `…L1`, the backward
 * direction `…L0Reverse`. With projSize, `weightHrL0` (projSize, hidden) projects each hidden state; `hidden` in shapes is then projSize,
 * except in those of `cell` and in 4·hidden.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * const { output, hidden, cell } = new LSTM(10, 20, { bidirectional: true }).forward(zeros([5, 3, 10]));
 * output.shape; // [5, 3, 40]
 */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    requireOptions('LSTM', options, { ...recurrentOptions, projSize: 'number' });
    const { projSize, ...rest } = options;
    super({ op: 'LSTM', step: lstm, projSize }, inputSize, hiddenSize, rest);
  }

  /**
   * @param x a sequence: (L, N, input), with batchFirst (N, L, input), or (L, input) for a single one.
   * @param state the state before the first step, (layers·directions, N, hidden) each, without N for a single sequence. Default zeros.
   * @param options `lengths` of the sequences of a padded batch: PyTorch's `pack_padded_sequence` before, and `pad_packed_sequence` after.
   * @returns outputs of the last layer, (L, N, directions·hidden) or in the layout of the input; and the state after the last step.
   * @throws ShapeError for other shapes; ArgumentError for a state that is none, or lengths that are none of the batch.
   * @example
   * const words = padSequence([randn([7, 10]), randn([4, 10])], { batchFirst: true });
   * const lstm = new LSTM(10, 20, { batchFirst: true });
   * const { output, hidden } = lstm.forward(words, undefined, { lengths: [7, 4] });
   * output.slice([1, { start: 4 }]).norm().item(); // 0
   * equal(hidden.select(0, 0).select(0, 1), output.select(0, 1).select(0, 3)); // true
   */
  forward(x: Tensor, state?: LSTMState, options: SequenceOptions = {}): SequenceResult & LSTMState {
    const from = requireLstmState('LSTM', state);
    return this.run(x, from ?? {}, options) as SequenceResult & LSTMState;
  }
}
