// Multi-head attention.

import {
  ArgumentError,
  cat,
  dropout,
  expand,
  Generator,
  linear,
  matmul,
  mean,
  mul,
  narrow,
  permute,
  requireOptions,
  reshape,
  scaledDotProductAttention,
  softmax,
  Tensor,
  transpose,
  unsqueeze,
  zeros,
} from '@adjoint/core';
import { type InitOptions, xavierNormal_, xavierUniform_, zeros_ } from '../init/fill.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { type AttentionCallOptions, type AttentionResult, requireSequences } from './attention-call.ts';
import { causalMask, hide, requireMask, together } from './attention-masks.ts';
import { Linear } from './linear.ts';
import { type ParameterizedOptions, requireInteger, requireNumber } from './options.ts';

/** Options of {@link MultiheadAttention}. */
export interface MultiheadAttentionOptions extends ParameterizedOptions {
  /** Dropout on the attention weights, in training. Default 0. */
  readonly dropout?: number | undefined;
  /** Whether the projections have biases. Default true. */
  readonly bias?: boolean | undefined;
  /** Whether a learned key and value are added to every sequence. Default false. */
  readonly addBiasKv?: boolean | undefined;
  /** Whether a key and value of zeros are added to every sequence. Default false. */
  readonly addZeroAttn?: boolean | undefined;
  /** Number of features of keys. Default embedDim. */
  readonly kdim?: number | undefined;
  /** Number of features of values. Default embedDim. */
  readonly vdim?: number | undefined;
  /** Whether sequences come as (N, L, …) rather than (L, N, …). Default false. */
  readonly batchFirst?: boolean | undefined;
}

/**
 * Multi-head attention. PyTorch's `nn.MultiheadAttention`, with its parameters; Vaswani et al. 2017.
 *
 * Each head attends with embedDim / numHeads features of the projected query, key and value; a last projection mixes the heads.
 * Parameters: `inProjWeight` (3·embedDim, embedDim) for query, key and value one after another, or `qProjWeight`, `kProjWeight` and
 * `vProjWeight` where kdim or vdim differ; `inProjBias` (3·embedDim); `outProj`, a Linear; `biasK` and `biasV` (1, 1, embedDim).
 *
 * @throws ArgumentError unless numHeads divides embedDim, or for another illegal option.
 * @example
 * const attention = new MultiheadAttention(16, 4, { batchFirst: true });
 * const x = randn([2, 5, 16]);
 * const { output, weights } = attention.forward(x, x, x);
 * output.shape; // [2, 5, 16]
 * weights.shape; // [2, 5, 5]
 */
export class MultiheadAttention extends Module {
  /** Features of queries and outputs. */
  readonly embedDim: number;
  /** Heads, each of embedDim / numHeads features. */
  readonly numHeads: number;
  /** Features of keys. */
  readonly kdim: number;
  /** Features of values. */
  readonly vdim: number;
  /** The probability of dropout on the attention weights, in training. */
  readonly dropout: number;
  /** Whether sequences come as (N, L, …) rather than (L, N, …). */
  readonly batchFirst: boolean;
  /** Whether a key and value of zeros are added to every sequence. */
  readonly addZeroAttn: boolean;
  /** Shape (3·embedDim, embedDim), for query, key and value one after another; null where kdim or vdim differ. */
  readonly inProjWeight: Parameter | null;
  /** Shape (embedDim, embedDim); null where `inProjWeight` holds it. */
  readonly qProjWeight: Parameter | null;
  /** Shape (embedDim, kdim); null where `inProjWeight` holds it. */
  readonly kProjWeight: Parameter | null;
  /** Shape (embedDim, vdim); null where `inProjWeight` holds it. */
  readonly vProjWeight: Parameter | null;
  /** Shape (3·embedDim); null without bias. */
  readonly inProjBias: Parameter | null;
  /** The key that is added to every sequence, of shape (1, 1, embedDim); null without `addBiasKv`. */
  readonly biasK: Parameter | null;
  /** The value that is added to every sequence, of shape (1, 1, embedDim); null without `addBiasKv`. */
  readonly biasV: Parameter | null;
  /** Mixes the heads: embedDim features to embedDim. */
  readonly outProj: Linear;
  readonly #generator: Generator | undefined;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const op = 'MultiheadAttention';
    requireOptions(op, options, {
      dropout: 'number',
      bias: 'boolean',
      addBiasKv: 'boolean',
      addZeroAttn: 'boolean',
      kdim: 'number',
      vdim: 'number',
      batchFirst: 'boolean',
      dtype: 'dtype',
      generator: Generator,
    });
    const bias = options.bias ?? true;
    const { addBiasKv = false, kdim = embedDim, vdim = embedDim, dtype = 'float32' } = options;
    this.embedDim = requireInteger(op, 'embedDim', embedDim, 1);
    this.numHeads = requireInteger(op, 'numHeads', numHeads, 1);
    this.kdim = requireInteger(op, 'kdim', kdim, 1);
    this.vdim = requireInteger(op, 'vdim', vdim, 1);
    this.dropout = requireNumber(op, 'dropout', options.dropout ?? 0, 0, 1);
    this.batchFirst = options.batchFirst ?? false;
    this.addZeroAttn = options.addZeroAttn ?? false;
    if (embedDim % numHeads !== 0) {
      throw new ArgumentError(
        `embedDim is ${embedDim} and numHeads ${numHeads}; the second must divide the first.`,
        {
          op,
          operand: 'numHeads',
          actual: numHeads,
          expected: `a divisor of ${embedDim}`,
        },
      );
    }
    const make = (shape: readonly number[]): Parameter => new Parameter(zeros(shape, { dtype }));
    const together = kdim === embedDim && vdim === embedDim;
    this.inProjWeight = together ? make([3 * embedDim, embedDim]) : null;
    this.qProjWeight = together ? null : make([embedDim, embedDim]);
    this.kProjWeight = together ? null : make([embedDim, kdim]);
    this.vProjWeight = together ? null : make([embedDim, vdim]);
    this.inProjBias = bias ? make([3 * embedDim]) : null;
    this.biasK = addBiasKv ? make([1, 1, embedDim]) : null;
    this.biasV = addBiasKv ? make([1, 1, embedDim]) : null;
    this.outProj = new Linear(embedDim, embedDim, { bias, dtype, generator: options.generator });
    this.#generator = options.generator;
    this.resetParameters({ generator: options.generator });
  }

  /** Draws the weights anew: Xavier's uniform distribution for the projections in, zeros for all biases. */
  resetParameters(options: InitOptions = {}): void {
    requireOptions(`${this.constructor.name}.resetParameters`, options, { generator: Generator });
    const { generator } = options;
    for (const weight of [this.inProjWeight, this.qProjWeight, this.kProjWeight, this.vProjWeight])
      if (weight !== null) xavierUniform_(weight, { generator });
    this.outProj.resetParameters({ generator });
    if (this.inProjBias !== null) zeros_(this.inProjBias);
    if (this.outProj.bias !== null) zeros_(this.outProj.bias);
    for (const bias of [this.biasK, this.biasV]) if (bias !== null) xavierNormal_(bias, { generator });
  }

  /**
   * @param query shape (L, N, embedDim), with batchFirst (N, L, embedDim), or (L, embedDim) for a single sequence.
   * @param key shape (S, N, kdim), laid out as the query.
   * @param value shape (S, N, vdim), laid out as the query.
   * @throws ShapeError or DTypeError for operands or masks that do not fit.
   */
  forward(query: Tensor, key: Tensor, value: Tensor, options: AttentionCallOptions = {}): AttentionResult {
    requireOptions('MultiheadAttention.forward', options, {
      attnMask: Tensor,
      keyPaddingMask: Tensor,
      isCausal: 'boolean',
      needWeights: 'boolean',
      averageAttnWeights: 'boolean',
    });
    const { needWeights = true, averageAttnWeights = true } = options;
    requireSequences(this, query, key, value);
    const batched = query.ndim === 3;
    const [q, k, v] = [query, key, value].map((x, i) => this.#heads(this.#project(x, i), i));
    const [batch, heads, queries, features] = q.shape;
    const { allKeys, allValues, added } = this.#extend(k, v);
    const masks = this.#masks(options, batch, queries, k.shape[2], batched);
    const scale = 1 / Math.sqrt(features);
    // Who wants the weights, or drops some of them, has them made.
    let weights: Tensor | null = null;
    let attended: Tensor;
    if (needWeights || (this.training && this.dropout > 0)) {
      // The query is scaled: it has fewer elements than the scores.
      let scores = matmul(mul(q, scale), transpose(allKeys));
      for (const mask of masks) scores = hide(scores, mask, added);
      weights = softmax(scores, { axis: -1 });
      if (this.training && this.dropout > 0)
        weights = dropout(weights, { p: this.dropout, generator: this.#generator });
      attended = matmul(weights, allValues);
    } else {
      const attnMask = together(masks, added, q.dtype);
      attended = scaledDotProductAttention(q, allKeys, allValues, { attnMask, scale });
    }
    // The order of the operands: batch first, or positions.
    const [axes, order] =
      batched && this.batchFirst
        ? [
            [0, 2, 1, 3],
            [batch, queries],
          ]
        : [
            [2, 0, 1, 3],
            [queries, batch],
          ];
    const mixed = reshape(permute(attended, axes), [...order, heads * features]);
    const output = this.outProj.forward(mixed);
    const unbatch = (x: Tensor, axis: number): Tensor =>
      batched
        ? x
        : reshape(
            x,
            x.shape.filter((_, i) => i !== axis),
          );
    const given = needWeights ? weights : null;
    return {
      output: unbatch(output, 1),
      weights: given && unbatch(averageAttnWeights ? mean(given, { axes: 1 }) : given, 0),
    };
  }

  #project(x: Tensor, which: number): Tensor {
    const { embedDim } = this;
    const separate = [this.qProjWeight, this.kProjWeight, this.vProjWeight][which];
    const weight = separate ?? narrow(this.inProjWeight!, 0, which * embedDim, embedDim);
    const bias = this.inProjBias === null ? null : narrow(this.inProjBias, 0, which * embedDim, embedDim);
    return linear(x, weight, bias);
  }

  // In the layout of the operands to (N, heads, L, features); learned keys and values come before the heads are parted.
  #heads(x: Tensor, which: number): Tensor {
    const batchFirst = this.batchFirst && x.ndim === 3;
    const sequences = x.ndim === 2 ? unsqueeze(x, 1) : x;
    const [first, second] = sequences.shape;
    const bias = [null, this.biasK, this.biasV][which];
    const one = (learned: Tensor): Tensor =>
      expand(learned, batchFirst ? [first, 1, this.embedDim] : [1, second, this.embedDim]);
    const longer = bias === null ? sequences : cat([sequences, one(bias)], { axis: batchFirst ? 1 : 0 });
    const parted = reshape(longer, [
      ...longer.shape.slice(0, 2),
      this.numHeads,
      this.embedDim / this.numHeads,
    ]);
    return permute(parted, batchFirst ? [0, 2, 1, 3] : [1, 2, 0, 3]);
  }

  #extend(keys: Tensor, values: Tensor) {
    const learned = this.biasK === null ? 0 : 1;
    if (!this.addZeroAttn) return { allKeys: keys, allValues: values, added: learned };
    const [batch, heads, , features] = keys.shape;
    const nothing = zeros([batch, heads, 1, features], { dtype: keys.dtype });
    return {
      allKeys: cat([keys, nothing], { axis: 2 }),
      allValues: cat([values, nothing], { axis: 2 }),
      added: learned + 1,
    };
  }

  // All masks, seen under shapes that broadcast to (N, heads, L, S), S without the keys that were added.
  #masks(
    { keyPaddingMask, attnMask, isCausal = false }: AttentionCallOptions,
    batch: number,
    queries: number,
    keysAndLearned: number,
    batched: boolean,
  ): Tensor[] {
    const keys = keysAndLearned - (this.biasK === null ? 0 : 1);
    const masks: Tensor[] = [];
    if (isCausal) masks.push(causalMask(queries, keys));
    if (attnMask !== undefined) {
      const perHead = [batch * this.numHeads, queries, keys];
      requireMask('attnMask', attnMask, [[queries, keys], perHead]);
      masks.push(attnMask.ndim === 2 ? attnMask : reshape(attnMask, [batch, this.numHeads, queries, keys]));
    }
    if (keyPaddingMask !== undefined) {
      requireMask('keyPaddingMask', keyPaddingMask, [batched ? [batch, keys] : [keys]]);
      masks.push(reshape(keyPaddingMask, [batch, 1, 1, keys]));
    }
    return masks;
  }

  override extraRepr(): string {
    const parts = [`${this.embedDim}, ${this.numHeads}`];
    if (this.dropout !== 0) parts.push(`dropout=${this.dropout}`);
    if (this.batchFirst) parts.push('batchFirst=true');
    return parts.join(', ');
  }
}
