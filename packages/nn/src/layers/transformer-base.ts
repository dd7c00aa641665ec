// What layers of a transformer share: their options, attention to themselves, the network of two layers, and how each part is added to its input.

import { ArgumentError, add, Generator, gelu, quote, relu, requireOptions, type Tensor } from '@adjoint/core';
import { Module } from '../module/module.ts';
import { MultiheadAttention } from './attention.ts';
import { Dropout } from './dropout.ts';
import { Linear } from './linear.ts';
import { LayerNorm } from './norm.ts';
import { type ParameterizedOptions, requireInteger } from './options.ts';

/** Options of transformer layers. */
export interface TransformerLayerOptions extends ParameterizedOptions {
  /** Width of the network's inner layer. Default 2048. */
  readonly dimFeedforward?: number | undefined;
  /** Dropout on attention weights, inner layer and outputs, in training. Default 0.1. */
  readonly dropout?: number | undefined;
  /** 'relu' (default), 'gelu', or a function of yours. */
  readonly activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor) | undefined;
  /** Added to the variances. Default 1e-5. */
  readonly layerNormEps?: number | undefined;
  /** Whether sequences come as (N, L, …) rather than (L, N, …). Default false. */
  readonly batchFirst?: boolean | undefined;
  /** Whether inputs of the parts are normalised, rather than sums after them. Default false. */
  readonly normFirst?: boolean | undefined;
  /** Whether projections and norms have biases. Default true. */
  readonly bias?: boolean | undefined;
}

/** The kinds of {@link TransformerLayerOptions}. */
export const transformerLayerOptions = {
  dimFeedforward: 'number',
  dropout: 'number',
  activation: 'own',
  layerNormEps: 'number',
  batchFirst: 'boolean',
  normFirst: 'boolean',
  bias: 'boolean',
  dtype: 'dtype',
  generator: Generator,
} as const;

/** What both layers share: self-attention, and the network. */
export abstract class TransformerLayer extends Module {
  /** Where each place looks at the others. */
  readonly selfAttn: MultiheadAttention;
  /** The network's first layer: dModel features to dimFeedforward. */
  readonly linear1: Linear;
  /** The network's second layer: dimFeedforward features to dModel. */
  readonly linear2: Linear;
  /** What the network's inner layer goes through. */
  readonly dropout: Dropout;
  /** Whether inputs of the parts are normalised, rather than sums after them. */
  readonly normFirst: boolean;
  readonly #activation: (x: Tensor) => Tensor;

  constructor(op: string, dModel: number, nhead: number, options: TransformerLayerOptions) {
    super();
    requireOptions(op, options, transformerLayerOptions);
    const { dimFeedforward = 2048, dropout = 0.1, normFirst = false, bias, dtype, generator } = options;
    requireInteger(op, 'dimFeedforward', dimFeedforward, 1);
    this.selfAttn = attentionOf(dModel, nhead, options);
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, dtype, generator });
    this.dropout = new Dropout(dropout, { generator });
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, dtype, generator });
    this.normFirst = normFirst;
    this.#activation = activationOf(op, options.activation ?? 'relu');
  }

  /** The network: wide, then as it was. */
  protected feedForward(x: Tensor): Tensor {
    return this.linear2.forward(this.dropout.forward(this.#activation(this.linear1.forward(x))));
  }

  /** Adds what a part of the layer makes of `x` to it, with the norm before or after. */
  protected residual(x: Tensor, norm: LayerNorm, dropout: Dropout, part: (x: Tensor) => Tensor): Tensor {
    if (this.normFirst) return add(x, dropout.forward(part(norm.forward(x))));
    return norm.forward(add(x, dropout.forward(part(x))));
  }
}

/** What `x` finds in the memory, without the weights. */
export function attend(
  attention: MultiheadAttention,
  x: Tensor,
  memory: Tensor,
  masks: Parameters<MultiheadAttention['forward']>[3],
): Tensor {
  return attention.forward(x, memory, memory, { ...masks, needWeights: false }).output;
}

/** Attention of a layer with these options. */
export function attentionOf(
  dModel: number,
  nhead: number,
  options: TransformerLayerOptions,
): MultiheadAttention {
  const { dropout = 0.1, bias, batchFirst, dtype, generator } = options;
  return new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst, dtype, generator });
}

/** A norm of a layer with these options. */
export function normOf(dModel: number, { layerNormEps, bias, dtype }: TransformerLayerOptions): LayerNorm {
  return new LayerNorm(dModel, { eps: layerNormEps, bias, dtype });
}

/** Dropout of a layer with these options. */
export function dropoutOf({ dropout = 0.1, generator }: TransformerLayerOptions): Dropout {
  return new Dropout(dropout, { generator });
}

function activationOf(
  op: string,
  activation: NonNullable<TransformerLayerOptions['activation']>,
): (x: Tensor) => Tensor {
  if (typeof activation === 'function') return activation;
  if (activation === 'relu') return relu;
  if (activation === 'gelu') return (x) => gelu(x);
  throw new ArgumentError(`activation is ${quote(activation)}; it takes 'relu', 'gelu' or a function.`, {
    op,
    operand: 'activation',
    actual: activation,
    expected: "'relu', 'gelu' or a function",
  });
}
