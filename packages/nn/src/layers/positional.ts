// Positional encodings: what tells a transformer where in the sequence an element stands.

import {
  ArgumentError,
  add,
  formatShape,
  Generator,
  narrow,
  requireOptions,
  requireTensor,
  ShapeError,
  type Tensor,
  tensor,
  unsqueeze,
  zeros,
} from '@adjoint/core';
import { normal_ } from '../init/fill.ts';
import { Module } from '../module/module.ts';
import { Buffer, Parameter } from '../module/parameter.ts';
import { Dropout } from './dropout.ts';
import { type ParameterizedOptions, requireInteger, requireRoom } from './options.ts';

/** Options of positional encodings. */
export interface PositionalOptions extends ParameterizedOptions {
  /** The longest sequence. Default 5000. */
  readonly maxLength?: number | undefined;
  /** Dropout on the sum, in training. Default 0. */
  readonly dropout?: number | undefined;
  /** Whether sequences come as (N, L, …) rather than (L, N, …). Default false. */
  readonly batchFirst?: boolean | undefined;
}

/** Adds a row of a table to each element of a sequence. */
abstract class PositionalEncoding extends Module {
  /** Features of an element of a sequence. */
  readonly dModel: number;
  /** The longest sequence. */
  readonly maxLength: number;
  /** Whether sequences come as (N, L, …) rather than (L, N, …). */
  readonly batchFirst: boolean;
  /** What the sum goes through. */
  readonly dropout: Dropout;
  readonly #op: string;

  constructor(op: string, dModel: number, options: PositionalOptions) {
    super();
    requireOptions(op, options, {
      maxLength: 'number',
      dropout: 'number',
      batchFirst: 'boolean',
      dtype: 'dtype',
      generator: Generator,
    });
    this.dModel = requireInteger(op, 'dModel', dModel, 1);
    this.maxLength = requireInteger(op, 'maxLength', options.maxLength ?? 5000, 1);
    this.batchFirst = options.batchFirst ?? false;
    this.dropout = new Dropout(options.dropout ?? 0, { generator: options.generator });
    this.#op = op;
  }

  /** Shape (maxLength, dModel). */
  abstract get table(): Tensor;

  /**
   * @param x shape (L, N, dModel), with batchFirst (N, L, dModel), or (L, dModel).
   * @throws ShapeError for other shapes; ArgumentError for a sequence longer than maxLength.
   */
  forward(x: Tensor): Tensor {
    requireTensor(this.#op, 'x', x);
    if ((x.ndim !== 2 && x.ndim !== 3) || x.shape[x.ndim - 1] !== this.dModel) {
      const expected = `${this.batchFirst ? '(N, L, …)' : '(L, N, …)'} or (L, …) with ${this.dModel} features`;
      throw new ShapeError(`the input has shape ${formatShape(x.shape)}; it takes ${expected}.`, {
        op: this.#op,
        operand: 'x',
        actual: x.shape,
        expected,
      });
    }
    const length = x.shape[x.ndim === 3 && this.batchFirst ? 1 : 0];
    if (length > this.maxLength) {
      throw new ArgumentError(
        `the sequence has ${length} elements, and maxLength is ${this.maxLength}; make it larger.`,
        {
          op: this.#op,
          operand: 'maxLength',
          actual: length,
          expected: `at most ${this.maxLength}`,
        },
      );
    }
    const rows = narrow(this.table, 0, 0, length);
    return this.dropout.forward(add(x, x.ndim === 3 && !this.batchFirst ? unsqueeze(rows, 1) : rows));
  }

  override extraRepr(): string {
    return `${this.dModel}, maxLength=${this.maxLength}`;
  }
}

/**
 * Adds sines and cosines of wavelengths from 2π to 20000π: `sin(t / 10000^(2i/dModel))` to feature 2i of element t, the cosine to feature
 * 2i + 1. Vaswani et al. 2017.
 *
 * @example
 * new SinusoidalPositionalEncoding(4).forward(zeros([1, 4])).toArray(); // [[0, 1, 0, 1]]
 */
export class SinusoidalPositionalEncoding extends PositionalEncoding {
  /** The table; it follows from the options, so it is not part of the state dict. */
  readonly encoding: Buffer;

  constructor(dModel: number, options: PositionalOptions = {}) {
    super('SinusoidalPositionalEncoding', dModel, options);

    requireRoom('SinusoidalPositionalEncoding', 'encoding', [this.maxLength, dModel]);
    const values = new Float64Array(this.maxLength * dModel);
    for (let t = 0; t < this.maxLength; t++) {
      for (let feature = 0; feature < dModel; feature++) {
        const angle = t / 10000 ** ((feature - (feature % 2)) / dModel);
        values[t * dModel + feature] = feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
      }
    }
    const table = tensor(values, { shape: [this.maxLength, dModel], dtype: options.dtype ?? 'float32' });
    this.encoding = new Buffer(table, { persistent: false });
  }

  override get table(): Tensor {
    return this.encoding;
  }
}

/**
 * Adds a learned vector per position, which starts from the normal distribution with deviation 0.02. As in GPT and BERT.
 *
 * @example
 * new LearnedPositionalEncoding(8, { maxLength: 16, batchFirst: true }).forward(zeros([2, 5, 8])).shape; // [2, 5, 8]
 */
export class LearnedPositionalEncoding extends PositionalEncoding {
  /** Shape (maxLength, dModel). */
  readonly weight: Parameter;

  constructor(dModel: number, options: PositionalOptions = {}) {
    super('LearnedPositionalEncoding', dModel, options);
    this.weight = new Parameter(zeros([this.maxLength, dModel], { dtype: options.dtype ?? 'float32' }));
    normal_(this.weight, { std: 0.02, generator: options.generator });
  }

  override get table(): Tensor {
    return this.weight;
  }
}
