// What recurrent networks share: layers upon layers, forwards and backwards in time.

import {
  ArgumentError,
  cat,
  dropout,
  formatShape,
  Generator,
  requireOptions,
  requireTensor,
  ShapeError,
  select,
  stack,
  type Tensor,
  transpose,
  unsqueeze,
  where,
  zeros,
} from '@adjoint/core';
import type { InitOptions } from '../init/fill.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { type ParameterizedOptions, requireInteger, requireNumber } from './options.ts';
import type { StepKind, StepParameters, StepState } from './recurrent-cell.ts';
import { liveMasks, type SequenceOptions } from './recurrent-lengths.ts';
import { drawUniformly } from './uniform.ts';

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

/** The names of {@link RecurrentOptions}. */
export const recurrentOptions = {
  numLayers: 'number',
  bias: 'boolean',
  batchFirst: 'boolean',
  dropout: 'number',
  bidirectional: 'boolean',
  dtype: 'dtype',
  generator: Generator,
} as const;

/** A sequence of outputs, and the state after the last step. */
export interface SequenceResult {
  /** The last layer's hidden state at each place: (L, N, H), (N, L, H) with `batchFirst`, (L, H) without a batch; 2H if bidirectional. */
  readonly output: Tensor;
  /** The hidden state of each layer and direction after the last place: (layers · directions, N, H), or without N. */
  readonly hidden: Tensor;
}

/** What networks are made of besides their options: a kind of step, and the size of a projection of the hidden state (0 for none). */
export interface RecurrentKind {
  readonly op: string;
  readonly step: StepKind;
  readonly projSize?: number | undefined;
}

/** A state as `forward` was given it, or parts of none. */
interface GivenState {
  readonly hidden?: Tensor | undefined;
  readonly cell?: Tensor | undefined;
}

/** What the three networks share. */
export abstract class Recurrent extends Module {
  /** Features of the input. */
  readonly inputSize: number;
  /** Features of the hidden state, before it is projected. */
  readonly hiddenSize: number;
  /** The size that hidden states are projected to, or 0. */
  readonly projSize: number;
  /** Layers, each of which reads what the one below it gave. */
  readonly numLayers: number;
  /** Whether sequences come as (N, L, …) rather than (L, N, …). */
  readonly batchFirst: boolean;
  /** The probability of dropout between layers, in training. */
  readonly dropout: number;
  /** Whether sequences are read backwards, too. */
  readonly bidirectional: boolean;
  readonly #op: string;
  readonly #step: StepKind;
  readonly #generator: Generator | undefined;

  constructor(
    { op, step, projSize = 0 }: RecurrentKind,
    inputSize: number,
    hiddenSize: number,
    options: RecurrentOptions,
  ) {
    super();
    const bias = options.bias ?? true;
    const { numLayers = 1, batchFirst = false, dropout: p = 0, bidirectional = false } = options;
    this.inputSize = requireInteger(op, 'inputSize', inputSize, 1);
    this.hiddenSize = requireInteger(op, 'hiddenSize', hiddenSize, 1);
    this.projSize = requireInteger(op, 'projSize', projSize, 0);
    if (projSize >= hiddenSize) {
      throw new ArgumentError(
        `projSize is ${projSize} and hiddenSize ${hiddenSize}; a projection makes the hidden state smaller: give less.`,
        { op, operand: 'projSize', actual: projSize, expected: `an integer below ${hiddenSize}` },
      );
    }
    this.numLayers = requireInteger(op, 'numLayers', numLayers, 1);
    this.dropout = requireNumber(op, 'dropout', p, 0, 1);
    this.batchFirst = batchFirst;
    this.bidirectional = bidirectional;
    this.#op = op;
    this.#step = step;
    this.#generator = options.generator;
    const { dtype = 'float32' } = options;
    const rows = step.gates * hiddenSize;
    for (let layer = 0; layer < numLayers; layer++) {
      const width = layer === 0 ? inputSize : this.outputSize * this.directions;
      for (let direction = 0; direction < this.directions; direction++) {
        const suffix = suffixOf(layer, direction);
        Reflect.set(this, `weightIh${suffix}`, new Parameter(zeros([rows, width], { dtype })));
        Reflect.set(this, `weightHh${suffix}`, new Parameter(zeros([rows, this.outputSize], { dtype })));
        Reflect.set(this, `biasIh${suffix}`, bias ? new Parameter(zeros([rows], { dtype })) : null);
        Reflect.set(this, `biasHh${suffix}`, bias ? new Parameter(zeros([rows], { dtype })) : null);
        if (projSize > 0)
          Reflect.set(this, `weightHr${suffix}`, new Parameter(zeros([projSize, hiddenSize], { dtype })));
      }
    }
    this.resetParameters({ generator: options.generator });
  }

  /** The size of a hidden state, projected if it is. */
  get outputSize(): number {
    return this.projSize > 0 ? this.projSize : this.hiddenSize;
  }

  /** 2 if bidirectional, else 1. */
  get directions(): number {
    return this.bidirectional ? 2 : 1;
  }

  /** Draws all parameters anew, uniformly from ±1/sqrt(hiddenSize). */
  resetParameters(options: InitOptions = {}): void {
    requireOptions(`${this.constructor.name}.resetParameters`, options, { generator: Generator });
    drawUniformly(this.parameters(), this.hiddenSize, options);
  }

  /** Runs all layers over a sequence. */
  protected run(x: Tensor, from: GivenState, options: SequenceOptions) {
    requireOptions(`${this.#op}.forward`, options, { lengths: 'own' });
    this.#checkInput(x);
    const batched = x.ndim === 3;
    const sequence = !batched ? unsqueeze(x, 1) : this.batchFirst ? transpose(x, 0, 1) : x;
    const [length, batch] = sequence.shape;
    const { hasCell } = this.#step;
    const live = liveMasks(options.lengths, { op: `${this.#op}.forward`, batched, length, batch });
    const initial = {
      hidden: this.#start('hidden', from.hidden, { batched, batch, size: this.outputSize }),
      cell: null as Tensor | null,
    };
    if (hasCell) initial.cell = this.#start('cell', from.cell, { batched, batch, size: this.hiddenSize });

    // Steps are kept in a list: laying them into one tensor between layers would only be undone by the next.
    // What is not read is 0 from the start, so that no NaN there reaches a gradient.
    let steps = live.map((mask, t) => reading(mask, select(sequence, 0, t), 0));
    const last: StepState[] = [];
    for (let layer = 0; layer < this.numLayers; layer++) {
      if (layer > 0 && this.training && this.dropout > 0)
        steps = steps.map((step) => dropout(step, { p: this.dropout, generator: this.#generator }));
      const outputs: Tensor[][] = [];
      for (let direction = 0; direction < this.directions; direction++) {
        const index = layer * this.directions + direction;
        const start = {
          hidden: select(initial.hidden, 0, index),
          cell: initial.cell === null ? null : select(initial.cell, 0, index),
        };
        const { states, end } = this.#scan(
          steps,
          live,
          start,
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

  #scan(
    steps: readonly Tensor[],
    live: readonly (Tensor | null)[],
    from: StepState,
    parameters: StepParameters,
    backwards: boolean,
  ) {
    const states = new Array<Tensor>(steps.length);
    let state = from;
    for (let i = 0; i < steps.length; i++) {
      const t = backwards ? steps.length - 1 - i : i;
      const next = this.#step.step(steps[t], state, parameters);
      const mask = live[t];
      // A sequence that is over keeps its state; one that is read backwards has not begun.
      state = {
        hidden: reading(mask, next.hidden, state.hidden),
        cell: next.cell === null ? null : reading(mask, next.cell, state.cell!),
      };
      states[t] = mask === null ? state.hidden : where(mask, next.hidden, 0);
    }
    return { states, end: state };
  }

  #parametersOf(layer: number, direction: number): StepParameters {
    const suffix = suffixOf(layer, direction);
    const get = (name: string): Tensor => Reflect.get(this, `${name}${suffix}`) as Tensor;
    const weightHr = this.projSize > 0 ? get('weightHr') : null;
    return {
      weightIh: get('weightIh'),
      weightHh: get('weightHh'),
      biasIh: get('biasIh'),
      biasHh: get('biasHh'),
      weightHr,
    };
  }

  #start(
    name: string,
    given: Tensor | undefined,
    { batched, batch, size }: { readonly batched: boolean; readonly batch: number; readonly size: number },
  ): Tensor {
    const count = this.numLayers * this.directions;
    if (given === undefined)
      return zeros([count, batch, size], { dtype: this.#parametersOf(0, 0).weightIh.dtype });
    requireTensor(this.#op, name, given);
    const expected = batched ? [count, batch, size] : [count, size];
    if (String(given.shape) === String(expected)) return batched ? given : unsqueeze(given, 1);
    throw new ShapeError(
      `${name} has shape ${formatShape(given.shape)}; it takes ${formatShape(expected)}, (layers · directions${batched ? ', N' : ''}, ${name === 'hidden' && this.projSize > 0 ? 'projection' : 'hidden'}).`,
      { op: this.#op, operand: name, actual: given.shape, expected: formatShape(expected) },
    );
  }

  #checkInput(x: Tensor): void {
    requireTensor(this.#op, 'x', x);
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
    if (this.projSize !== 0) parts.push(`projSize=${this.projSize}`);
    if (this.numLayers !== 1) parts.push(`numLayers=${this.numLayers}`);
    if (this.#parametersOf(0, 0).biasIh === null) parts.push('bias=false');
    if (this.batchFirst) parts.push('batchFirst=true');
    if (this.dropout !== 0) parts.push(`dropout=${this.dropout}`);
    if (this.bidirectional) parts.push('bidirectional=true');
    return parts.join(', ');
  }
}

// What is read where a sequence reaches this place, and something else where it does not.
function reading(mask: Tensor | null, value: Tensor, other: Tensor | number): Tensor {
  return mask === null ? value : where(mask, value, other);
}

// PyTorch's suffixes, in camelCase: weight_ih_l0_reverse is weightIhL0Reverse.
function suffixOf(layer: number, direction: number): string {
  return `L${layer}${direction === 1 ? 'Reverse' : ''}`;
}
