// Recurrent networks over sequences: layers upon layers, forwards and backwards in time.

import {
  cat,
  dropout,
  formatShape,
  type Generator,
  requireOptions,
  ShapeError,
  select,
  stack,
  type Tensor,
  transpose,
  unsqueeze,
  zeros,
} from '@adjoint/core';
import { type InitOptions, uniform_ } from '../init/fill.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { type ParameterizedOptions, requireInteger, requireNumber, requireOneOf } from './options.ts';
import {
  elman,
  gru,
  type LSTMState,
  lstm,
  type StepKind,
  type StepParameters,
  type StepState,
} from './recurrent-cell.ts';

/** Options of recurrent networks. */
export interface RecurrentOptions extends ParameterizedOptions {
  /** Number of layers; each takes the outputs of the one before. Default 1. */
  readonly numLayers?: number | undefined;
  /** Whether biases are learned. Default true. */
  readonly bias?: boolean | undefined;
  /** Whether sequences come as (N, L, …) rather than (L, N, …). States are not affected. Default false. */
  readonly batchFirst?: boolean | undefined;
  /** Dropout on the outputs of every layer but the last, in training. Default 0. */
  readonly dropout?: number | undefined;
  /** Whether a second network runs backwards in time; its outputs are laid beside those of the first. Default false. */
  readonly bidirectional?: boolean | undefined;
}

/** A sequence of outputs, and the state after the last step. */
export interface SequenceResult {
  readonly output: Tensor;
  readonly hidden: Tensor;
}

/** What the three networks share. */
abstract class Recurrent extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly #op: string;
  readonly #kind: StepKind;
  readonly #generator: Generator | undefined;

  constructor(op: string, kind: StepKind, inputSize: number, hiddenSize: number, options: RecurrentOptions) {
    super();
    requireOptions(op, options, [
      'numLayers',
      'bias',
      'batchFirst',
      'dropout',
      'bidirectional',
      'dtype',
      'generator',
    ]);
    const { numLayers = 1, bias = true, batchFirst = false, dropout: p = 0, bidirectional = false } = options;
    this.inputSize = requireInteger(op, 'inputSize', inputSize, 1);
    this.hiddenSize = requireInteger(op, 'hiddenSize', hiddenSize, 1);
    this.numLayers = requireInteger(op, 'numLayers', numLayers, 1);
    this.dropout = requireNumber(op, 'dropout', p, 0, 1);
    this.batchFirst = batchFirst;
    this.bidirectional = bidirectional;
    this.#op = op;
    this.#kind = kind;
    this.#generator = options.generator;
    const { dtype = 'float32' } = options;
    const rows = kind.gates * hiddenSize;
    for (let layer = 0; layer < numLayers; layer++) {
      const width = layer === 0 ? inputSize : hiddenSize * this.directions;
      for (let direction = 0; direction < this.directions; direction++) {
        const suffix = suffixOf(layer, direction);
        Reflect.set(this, `weightIh${suffix}`, new Parameter(zeros([rows, width], { dtype })));
        Reflect.set(this, `weightHh${suffix}`, new Parameter(zeros([rows, hiddenSize], { dtype })));
        Reflect.set(this, `biasIh${suffix}`, bias ? new Parameter(zeros([rows], { dtype })) : null);
        Reflect.set(this, `biasHh${suffix}`, bias ? new Parameter(zeros([rows], { dtype })) : null);
      }
    }
    this.resetParameters(options);
  }

  /** 2 if bidirectional, else 1. */
  get directions(): number {
    return this.bidirectional ? 2 : 1;
  }

  /** Draws all parameters anew, uniformly from ±1/sqrt(hiddenSize). */
  resetParameters({ generator }: InitOptions = {}): void {
    const bound = 1 / Math.sqrt(this.hiddenSize);
    for (const parameter of this.parameters()) uniform_(parameter, { low: -bound, high: bound, generator });
  }

  /** Runs all layers over a sequence. */
  protected run(x: Tensor, hidden: Tensor | undefined, cell: Tensor | undefined) {
    const batched = x.ndim === 3;
    this.#checkInput(x);
    const sequence = !batched ? unsqueeze(x, 1) : this.batchFirst ? transpose(x, 0, 1) : x;
    const [length, batch] = sequence.shape;
    const { hasCell } = this.#kind;
    const initial = { hidden: this.#start('hidden', hidden, batched, batch), cell: null as Tensor | null };
    if (hasCell) initial.cell = this.#start('cell', cell, batched, batch);

    // Steps are kept in a list: laying them into one tensor between layers would only be undone by the next.
    let steps = Array.from({ length }, (_, t) => select(sequence, 0, t));
    const last: StepState[] = [];
    for (let layer = 0; layer < this.numLayers; layer++) {
      if (layer > 0 && this.training && this.dropout > 0)
        steps = steps.map((step) => dropout(step, { p: this.dropout, generator: this.#generator }));
      const outputs: Tensor[][] = [];
      for (let direction = 0; direction < this.directions; direction++) {
        const index = layer * this.directions + direction;
        const from = {
          hidden: select(initial.hidden, 0, index),
          cell: initial.cell === null ? null : select(initial.cell, 0, index),
        };
        const { states, end } = this.#scan(
          steps,
          from,
          this.#parametersOf(layer, direction),
          direction === 1,
        );
        outputs.push(states);
        last.push(end);
      }
      steps = this.bidirectional
        ? outputs[0].map((output, t) => cat([output, outputs[1][t]], { axis: 1 }))
        : outputs[0];
    }

    const unbatch = (value: Tensor): Tensor => (batched ? value : select(value, 1, 0));
    const output = stack(steps);
    return {
      output: batched && this.batchFirst ? transpose(output, 0, 1) : unbatch(output),
      hidden: unbatch(stack(last.map((state) => state.hidden))),
      cell: hasCell ? unbatch(stack(last.map((state) => state.cell!))) : null,
    };
  }

  #scan(steps: readonly Tensor[], from: StepState, parameters: StepParameters, backwards: boolean) {
    const states = new Array<Tensor>(steps.length);
    let state = from;
    for (let i = 0; i < steps.length; i++) {
      const t = backwards ? steps.length - 1 - i : i;
      state = this.#kind.step(steps[t], state, parameters);
      states[t] = state.hidden;
    }
    return { states, end: state };
  }

  #parametersOf(layer: number, direction: number): StepParameters {
    const suffix = suffixOf(layer, direction);
    const get = (name: string): Tensor => Reflect.get(this, `${name}${suffix}`) as Tensor;
    return {
      weightIh: get('weightIh'),
      weightHh: get('weightHh'),
      biasIh: get('biasIh'),
      biasHh: get('biasHh'),
    };
  }

  #start(name: string, given: Tensor | undefined, batched: boolean, batch: number): Tensor {
    const count = this.numLayers * this.directions;
    if (given === undefined)
      return zeros([count, batch, this.hiddenSize], { dtype: this.#parametersOf(0, 0).weightIh.dtype });
    const expected = batched ? [count, batch, this.hiddenSize] : [count, this.hiddenSize];
    if (String(given.shape) === String(expected)) return batched ? given : unsqueeze(given, 1);
    throw new ShapeError(
      `${name} has shape ${formatShape(given.shape)}; it takes ${formatShape(expected)}, (layers · directions${batched ? ', N' : ''}, hidden).`,
      { op: this.#op, operand: name, actual: given.shape, expected: formatShape(expected) },
    );
  }

  #checkInput(x: Tensor): void {
    const lengthAxis = x.ndim === 3 && this.batchFirst ? 1 : 0;
    const legal = (x.ndim === 2 || x.ndim === 3) && x.shape[x.ndim - 1] === this.inputSize;
    if (legal && x.shape[lengthAxis] > 0) return;
    const axes = this.batchFirst ? '(N, L, input)' : '(L, N, input)';
    const expected = `${axes} or (L, input) with L >= 1 and input = ${this.inputSize}`;
    throw new ShapeError(`the input has shape ${formatShape(x.shape)}; it takes ${expected}.`, {
      op: this.#op,
      operand: 'x',
      actual: x.shape,
      expected,
    });
  }

  override extraRepr(): string {
    const parts = [`${this.inputSize}, ${this.hiddenSize}`];
    if (this.numLayers !== 1) parts.push(`numLayers=${this.numLayers}`);
    if (this.#parametersOf(0, 0).biasIh === null) parts.push('bias=false');
    if (this.batchFirst) parts.push('batchFirst=true');
    if (this.dropout !== 0) parts.push(`dropout=${this.dropout}`);
    if (this.bidirectional) parts.push('bidirectional=true');
    return parts.join(', ');
  }
}

// PyTorch's suffixes, in camelCase: weight_ih_l0_reverse is weightIhL0Reverse.
function suffixOf(layer: number, direction: number): string {
  return `L${layer}${direction === 1 ? 'Reverse' : ''}`;
}

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
    const { nonlinearity: given = 'tanh', ...rest } = options;
    const nonlinearity = requireOneOf('RNN', 'nonlinearity', given, ['tanh', 'relu']);
    super('RNN', elman[nonlinearity], inputSize, hiddenSize, rest);
  }

  /** Shapes as in {@link LSTM.forward}. */
  forward(x: Tensor, hidden?: Tensor): SequenceResult {
    const result = this.run(x, hidden, undefined);
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
    super('GRU', gru, inputSize, hiddenSize, options);
  }

  /** Shapes as in {@link LSTM.forward}. */
  forward(x: Tensor, hidden?: Tensor): SequenceResult {
    const result = this.run(x, hidden, undefined);
    return { output: result.output, hidden: result.hidden };
  }
}

/**
 * A network of long short-term memories. PyTorch's `nn.LSTM`, with its parameters: `weightIhL0` (4·hidden, input), `weightHhL0` (4·hidden,
 * hidden), `biasIhL0` and `biasHhL0` (4·hidden), gates in the order input, forget, cell, output; further layers `…L1`, the backward
 * direction `…L0Reverse`.
 *
 * @throws ArgumentError for an illegal option.
 * @example
 * const { output, hidden, cell } = new LSTM(10, 20, { bidirectional: true }).forward(zeros([5, 3, 10]));
 * output.shape; // [5, 3, 40]
 */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super('LSTM', lstm, inputSize, hiddenSize, options);
  }

  /**
   * @param x a sequence: (L, N, input), with batchFirst (N, L, input), or (L, input) for a single one.
   * @param state the state before the first step, (layers·directions, N, hidden) each, without N for a single sequence. Default zeros.
   * @returns outputs of the last layer, (L, N, directions·hidden) or in the layout of the input; and the state after the last step.
   * @throws ShapeError for other shapes.
   */
  forward(x: Tensor, state?: LSTMState): SequenceResult & LSTMState {
    return this.run(x, state?.hidden, state?.cell) as SequenceResult & LSTMState;
  }
}
