// One step of a recurrent network: the three kinds, as functions of input, state and parameters, and as cells with their own.

import {
  ArgumentError,
  add,
  chunk,
  formatShape,
  Generator,
  linear,
  mul,
  relu,
  requireOptions,
  requireTensor,
  reshape,
  ShapeError,
  sigmoid,
  split,
  sub,
  Tensor,
  tanh,
  zeros,
} from '@adjoint/core';
import type { InitOptions } from '../init/fill.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { type ParameterizedOptions, requireInteger, requireOneOf } from './options.ts';
import { drawUniformly } from './uniform.ts';

/** The parameters of one step, as PyTorch lays them out: gates one after another along axis 0. */
export interface StepParameters {
  /** Shape (gates·hidden, input). */
  readonly weightIh: Tensor;
  /** Shape (gates·hidden, hidden). */
  readonly weightHh: Tensor;
  /** Shape (gates·hidden), or null. */
  readonly biasIh: Tensor | null;
  readonly biasHh: Tensor | null;
  /** Shape (projection, hidden), of an LSTM that projects its hidden state; the columns of `weightHh` are then as many. */
  readonly weightHr?: Tensor | null;
}

/** What goes from one step to the next, shape (N, hidden) each, a projected hidden state (N, projection); `cell` is of the LSTM only. */
export interface StepState {
  readonly hidden: Tensor;
  readonly cell: Tensor | null;
}

/** A kind of recurrent network. */
export interface StepKind {
  /** How many times `hidden` rows the weights have. */
  readonly gates: number;
  readonly hasCell: boolean;
  /** One step for a batch: input (N, input) and state to the next state. */
  readonly step: (x: Tensor, state: StepState, parameters: StepParameters) => StepState;
}

/** `h' = f(W_ih x + b_ih + W_hh h + b_hh)` with f tanh or relu. Elman 1990. */
export const elman: Readonly<Record<'tanh' | 'relu', StepKind>> = {
  tanh: elmanOf(tanh),
  relu: elmanOf(relu),
};

function elmanOf(nonlinearity: (x: Tensor) => Tensor): StepKind {
  return {
    gates: 1,
    hasCell: false,
    step: (x, { hidden }, { weightIh, weightHh, biasIh, biasHh }) => ({
      hidden: nonlinearity(add(linear(x, weightIh, biasIh), linear(hidden, weightHh, biasHh))),
      cell: null,
    }),
  };
}

/**
 * Long short-term memory, gates in the order input, forget, cell, output. Hochreiter and Schmidhuber 1997; with a projection of the
 * hidden state, Sak et al. 2014.
 */
export const lstm: StepKind = {
  gates: 4,
  hasCell: true,
  step: (x, { hidden, cell }, { weightIh, weightHh, biasIh, biasHh, weightHr = null }) => {
    const gates = add(linear(x, weightIh, biasIh), linear(hidden, weightHh, biasHh));
    const [input, forget, candidate, output] = chunk(gates, 4, { axis: 1 });
    const next = add(mul(sigmoid(forget), cell!), mul(sigmoid(input), tanh(candidate)));
    const shown = mul(sigmoid(output), tanh(next));
    return { hidden: weightHr === null ? shown : linear(shown, weightHr), cell: next };
  },
};

/** Gated recurrent unit, gates in the order reset, update, new; the reset gate acts after the product, as in PyTorch. Cho et al. 2014. */
export const gru: StepKind = {
  gates: 3,
  hasCell: false,
  step: (x, { hidden }, { weightIh, weightHh, biasIh, biasHh }) => {
    const sizes = [2 * hidden.shape[1], hidden.shape[1]];
    const [gatesX, newX] = split(linear(x, weightIh, biasIh), sizes, { axis: 1 });
    const [gatesH, newH] = split(linear(hidden, weightHh, biasHh), sizes, { axis: 1 });
    const [reset, update] = chunk(sigmoid(add(gatesX, gatesH)), 2, { axis: 1 });
    const candidate = tanh(add(newX, mul(reset, newH)));
    return { hidden: add(candidate, mul(update, sub(hidden, candidate))), cell: null };
  },
};

/** Options of cells. */
export interface CellOptions extends ParameterizedOptions {
  /** Whether biases are learned. Default true. */
  readonly bias?: boolean | undefined;
}

const known = { bias: 'boolean', dtype: 'dtype', generator: Generator } as const;

/** What the three cells share: parameters, and a step for a batch or a single input. */
abstract class RecurrentCell extends Module {
  /** Features of the input. */
  readonly inputSize: number;
  /** Features of the hidden state. */
  readonly hiddenSize: number;
  /** Shape (gates · hiddenSize, inputSize). */
  readonly weightIh: Parameter;
  /** Shape (gates · hiddenSize, hiddenSize). */
  readonly weightHh: Parameter;
  /** Shape (gates · hiddenSize), or null. */
  readonly biasIh: Parameter | null;
  /** Shape (gates · hiddenSize), or null. */
  readonly biasHh: Parameter | null;
  readonly #op: string;
  readonly #kind: StepKind;

  constructor(op: string, kind: StepKind, inputSize: number, hiddenSize: number, options: CellOptions) {
    super();
    const { dtype = 'float32' } = options;
    const bias = options.bias ?? true;
    this.inputSize = requireInteger(op, 'inputSize', inputSize, 1);
    this.hiddenSize = requireInteger(op, 'hiddenSize', hiddenSize, 1);
    const rows = kind.gates * hiddenSize;
    this.weightIh = new Parameter(zeros([rows, inputSize], { dtype }));
    this.weightHh = new Parameter(zeros([rows, hiddenSize], { dtype }));
    this.biasIh = bias ? new Parameter(zeros([rows], { dtype })) : null;
    this.biasHh = bias ? new Parameter(zeros([rows], { dtype })) : null;
    this.#op = op;
    this.#kind = kind;
    this.resetParameters({ generator: options.generator });
  }

  /** Draws all parameters anew, uniformly from ±1/sqrt(hiddenSize). */
  resetParameters(options: InitOptions = {}): void {
    requireOptions(`${this.constructor.name}.resetParameters`, options, { generator: Generator });
    drawUniformly(this.parameters(), this.hiddenSize, options);
  }

  /** One step; states that are left out start as zeros. */
  protected advance(x: Tensor, hidden: Tensor | undefined, cell: Tensor | undefined): StepState {
    requireTensor(this.#op, 'x', x);
    if (x.ndim < 1 || x.ndim > 2 || x.shape[x.ndim - 1] !== this.inputSize)
      throw this.#shapeError('x', x, this.inputSize);
    const batched = x.ndim === 2;
    const rows = (value: Tensor): Tensor => (batched ? value : reshape(value, [1, value.size]));
    const batch = batched ? x.shape[0] : 1;
    const start = (name: string, value: Tensor | undefined): Tensor => {
      if (value === undefined) return zeros([batch, this.hiddenSize], { dtype: this.weightIh.dtype });
      requireTensor(this.#op, name, value);
      const expected = batched ? [batch, this.hiddenSize] : [this.hiddenSize];
      if (String(value.shape) !== String(expected)) throw this.#shapeError(name, value, this.hiddenSize);
      return rows(value);
    };
    const state = { hidden: start('hidden', hidden), cell: this.#kind.hasCell ? start('cell', cell) : null };
    const next = this.#kind.step(rows(x), state, this);
    if (batched) return next;
    const row = (value: Tensor): Tensor => reshape(value, [this.hiddenSize]);
    return { hidden: row(next.hidden), cell: next.cell === null ? null : row(next.cell) };
  }

  #shapeError(operand: string, value: Tensor, size: number): ShapeError {
    const expected = `(${size},) or (N, ${size})${operand === 'x' ? '' : ', batched as the input is'}`;
    return new ShapeError(`${operand} has shape ${formatShape(value.shape)}; it takes ${expected}.`, {
      op: this.#op,
      operand,
      actual: value.shape,
      expected,
    });
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.biasIh === null ? ', bias=false' : ''}`;
  }
}

/** Options of {@link RNNCell}. */
export interface RNNCellOptions extends CellOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu' | undefined;
}

/**
 * One step of a plain recurrent network. PyTorch's `nn.RNNCell`.
 *
 * @example
 * new RNNCell(10, 20).forward(zeros([3, 10])).shape; // [3, 20]
 */
export class RNNCell extends RecurrentCell {
  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    requireOptions('RNNCell', options, { ...known, nonlinearity: 'string' });
    const { nonlinearity: given = 'tanh', ...rest } = options;
    const nonlinearity = requireOneOf('RNNCell', 'nonlinearity', given, ['tanh', 'relu']);
    super('RNNCell', elman[nonlinearity], inputSize, hiddenSize, rest);
  }

  /**
   * @param x shape (N, input) or (input).
   * @param hidden shape (N, hidden) or (hidden). Default zeros.
   * @returns the next hidden state.
   */
  forward(x: Tensor, hidden?: Tensor): Tensor {
    return this.advance(x, hidden, undefined).hidden;
  }
}

/**
 * One step of a gated recurrent unit. PyTorch's `nn.GRUCell`.
 *
 * @example
 * new GRUCell(10, 20).forward(zeros([3, 10])).shape; // [3, 20]
 */
export class GRUCell extends RecurrentCell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    requireOptions('GRUCell', options, known);
    super('GRUCell', gru, inputSize, hiddenSize, options);
  }

  /**
   * @param x shape (N, input) or (input).
   * @param hidden shape (N, hidden) or (hidden). Default zeros.
   * @returns the next hidden state.
   */
  forward(x: Tensor, hidden?: Tensor): Tensor {
    return this.advance(x, hidden, undefined).hidden;
  }
}

/** The state of an LSTM. */
export interface LSTMState {
  /** What the rest of the network sees. */
  readonly hidden: Tensor;
  /** What the LSTM remembers beside it. */
  readonly cell: Tensor;
}

/** Throws unless a state is none, or of two tensors: a pair, which PyTorch takes, would else be passed over in silence. */
export function requireLstmState(op: string, state: LSTMState | undefined): LSTMState | undefined {
  if (state === undefined || (state?.hidden instanceof Tensor && state.cell instanceof Tensor)) return state;
  throw new ArgumentError(
    `state is ${Array.isArray(state) ? `an array of ${state.length}` : 'no state of an LSTM'}; give { hidden, cell }, two tensors.`,
    { op, operand: 'state', actual: state, expected: '{ hidden, cell }' },
  );
}

/**
 * One step of a long short-term memory. PyTorch's `nn.LSTMCell`.
 *
 * @example
 * const { hidden, cell } = new LSTMCell(10, 20).forward(zeros([3, 10]));
 * hidden.shape; // [3, 20]
 */
export class LSTMCell extends RecurrentCell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    requireOptions('LSTMCell', options, known);
    super('LSTMCell', lstm, inputSize, hiddenSize, options);
  }

  /**
   * @param x shape (N, input) or (input).
   * @param state hidden and cell state, shape (N, hidden) or (hidden) each. Default zeros.
   * @returns the next state.
   * @throws ArgumentError for a state that is none; ShapeError for other shapes.
   */
  forward(x: Tensor, state?: LSTMState): LSTMState {
    const from = requireLstmState('LSTMCell', state);
    return this.advance(x, from?.hidden, from?.cell) as LSTMState;
  }
}
