// Embeddings: a learned vector per number.

import {
  ArgumentError,
  embedding,
  Generator,
  noGrad,
  requireOptions,
  select,
  Tensor,
  zeros,
} from '@adjoint/core';
import { type InitOptions, normal_ } from '../init/fill.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { type ParameterizedOptions, requireInteger } from './options.ts';
import { requireFittingWeight } from './shared-weight.ts';

/** Options of {@link Embedding}. */
export interface EmbeddingLayerOptions extends ParameterizedOptions {
  /** A row that starts as zeros and is not trained, for padding; negative counts from the end. Default: none. */
  readonly paddingIdx?: number | undefined;
  /** A table to start from (or to share, if it is a Parameter) in place of one drawn at random; `dtype` is then its own. Default: none. */
  readonly weight?: Tensor | undefined;
}

/**
 * A table of learned vectors: {@link embedding} as a module. PyTorch's `nn.Embedding`.
 *
 * Input: int32 of any shape, numbers from 0 to numEmbeddings − 1. Output: (...shape, embeddingDim). The weight starts from the standard
 * normal distribution.
 *
 * @throws ArgumentError for an illegal size or row; ShapeError for a weight of another shape; DTypeError for one of another
 * dtype than the one asked for.
 * @example
 * new Embedding(1000, 16).forward(tensor([[1, 2], [3, 4]], { dtype: 'int32' })).shape; // [2, 2, 16]
 */
export class Embedding extends Module {
  /** Rows of the table. */
  readonly numEmbeddings: number;
  /** Length of each row. */
  readonly embeddingDim: number;
  /** The row that is not trained, counted from 0; null if there is none. */
  readonly paddingIdx: number | null;
  /** The table, of shape (numEmbeddings, embeddingDim). */
  readonly weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    super();
    requireOptions('Embedding', options, {
      paddingIdx: 'number',
      weight: Tensor,
      dtype: 'dtype',
      generator: Generator,
    });
    const { paddingIdx, weight, dtype = 'float32' } = options;
    this.numEmbeddings = requireInteger('Embedding', 'numEmbeddings', numEmbeddings, 1);
    this.embeddingDim = requireInteger('Embedding', 'embeddingDim', embeddingDim, 1);
    this.paddingIdx = paddingIdx === undefined ? null : rowOf(paddingIdx, numEmbeddings);
    const shape = [numEmbeddings, embeddingDim];
    if (weight !== undefined) {
      requireFittingWeight('Embedding', weight, shape, options.dtype);
      this.weight = weight instanceof Parameter ? weight : new Parameter(weight);
      return;
    }
    this.weight = new Parameter(zeros(shape, { dtype }));
    this.resetParameters({ generator: options.generator });
  }

  /** Draws the table anew; the padding row becomes zeros. */
  resetParameters(options: InitOptions = {}): void {
    requireOptions(`${this.constructor.name}.resetParameters`, options, { generator: Generator });
    const { generator } = options;
    normal_(this.weight, { generator });
    const { paddingIdx } = this;
    if (paddingIdx !== null) noGrad(() => select(this.weight.detach(), 0, paddingIdx).zero_());
  }

  forward(indices: Tensor): Tensor {
    return embedding(indices, this.weight, this.paddingIdx === null ? {} : { paddingIdx: this.paddingIdx });
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? '' : `, paddingIdx=${this.paddingIdx}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}`;
  }
}

function rowOf(row: number, rows: number): number {
  if (Number.isInteger(row) && row >= -rows && row < rows) return row < 0 ? row + rows : row;
  throw new ArgumentError(`paddingIdx is ${row}; the table has rows ${-rows} to ${rows - 1}.`, {
    op: 'Embedding',
    operand: 'paddingIdx',
    actual: row,
    expected: `integer in [${-rows}, ${rows - 1}]`,
  });
}
