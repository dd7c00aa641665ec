// Layers of a transformer: attention, then a network of two layers, each added to its input and normalised.

import {
  ArgumentError,
  add,
  Generator,
  gelu,
  quote,
  relu,
  requireArgument,
  requireOptions,
  Tensor,
} from '@adjoint/core';
import { Module } from '../module/module.ts';
import { MultiheadAttention } from './attention.ts';
import { Dropout } from './dropout.ts';
import { Linear } from './linear.ts';
import { LayerNorm } from './norm.ts';
import { type ParameterizedOptions, requireInteger, requireRoom } from './options.ts';

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

/** Masks of a sequence; a bool mask is true where a query may not look, see {@link MultiheadAttention}. */
export interface EncoderMasks {
  /**
   * Shape (L, L), or (N·heads, L, L): bool, true where a place may not look, or floating-point, to be added to the scores. Default: none.
   * PyTorch's `src_mask`.
   */
  readonly mask?: Tensor | undefined;
  /** Shape (N, L), true for the places of padding, which nobody looks at. Default: none. PyTorch's `src_key_padding_mask`. */
  readonly keyPaddingMask?: Tensor | undefined;
  /** Whether each place looks only at itself and those before; needs no `mask`, unlike in PyTorch. Default false. */
  readonly isCausal?: boolean | undefined;
}

/** Masks of a sequence that is generated, and of the one that it looks at. */
export interface DecoderMasks {
  /** As `mask` of {@link EncoderMasks}, for the sequence that is generated. */
  readonly tgtMask?: Tensor | undefined;
  /** As `keyPaddingMask` of {@link EncoderMasks}, for the sequence that is generated. */
  readonly tgtKeyPaddingMask?: Tensor | undefined;
  /** Whether each place of the sequence that is generated looks only at itself and those before. Default false. */
  readonly tgtIsCausal?: boolean | undefined;
  /** Shape (L, S), or (N·heads, L, S), of places that may not look at places of the memory; as `mask`. */
  readonly memoryMask?: Tensor | undefined;
  /** Shape (N, S), true for the memory's places of padding. */
  readonly memoryKeyPaddingMask?: Tensor | undefined;
}

/** What both layers share: self-attention, and the network. */
abstract class TransformerLayer extends Module {
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

/**
 * A layer of a transformer's encoder: self-attention and a network. PyTorch's `nn.TransformerEncoderLayer`; Vaswani et al. 2017.
 *
 * @param dModel number of features.
 * @param nhead number of heads; divides dModel.
 * @throws ArgumentError for an illegal option.
 * @example
 * new TransformerEncoderLayer(16, 4, { dimFeedforward: 32, batchFirst: true }).forward(randn([2, 5, 16])).shape; // [2, 5, 16]
 */
export class TransformerEncoderLayer extends TransformerLayer {
  /** Goes with self-attention. */
  readonly norm1: LayerNorm;
  /** Goes with the network. */
  readonly norm2: LayerNorm;
  /** What self-attention gives goes through it. */
  readonly dropout1: Dropout;
  /** What the network gives goes through it. */
  readonly dropout2: Dropout;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super('TransformerEncoderLayer', dModel, nhead, options);
    [this.norm1, this.norm2] = [normOf(dModel, options), normOf(dModel, options)];
    [this.dropout1, this.dropout2] = [dropoutOf(options), dropoutOf(options)];
  }

  /** @param x shape (L, N, dModel), with batchFirst (N, L, dModel), or (L, dModel). */
  forward(x: Tensor, options: EncoderMasks = {}): Tensor {
    requireOptions('TransformerEncoderLayer.forward', options, {
      mask: Tensor,
      keyPaddingMask: Tensor,
      isCausal: 'boolean',
    });
    const { mask, keyPaddingMask, isCausal } = options;
    const attended = this.residual(x, this.norm1, this.dropout1, (y) =>
      attend(this.selfAttn, y, y, { attnMask: mask, keyPaddingMask, isCausal }),
    );
    return this.residual(attended, this.norm2, this.dropout2, (y) => this.feedForward(y));
  }
}

/**
 * A layer of a transformer's decoder: self-attention, attention to the encoder's output, and a network. PyTorch's
 * `nn.TransformerDecoderLayer`; Vaswani et al. 2017.
 *
 * @param dModel number of features.
 * @param nhead number of heads; divides dModel.
 * @throws ArgumentError for an illegal option.
 * @example
 * const layer = new TransformerDecoderLayer(16, 4, { dimFeedforward: 32 });
 * layer.forward(randn([5, 2, 16]), randn([7, 2, 16]), { tgtIsCausal: true }).shape; // [5, 2, 16]
 */
export class TransformerDecoderLayer extends TransformerLayer {
  /** Where each place looks at the encoder's output. */
  readonly multiheadAttn: MultiheadAttention;
  /** Goes with self-attention. */
  readonly norm1: LayerNorm;
  /** Goes with attention to the encoder's output. */
  readonly norm2: LayerNorm;
  /** Goes with the network. */
  readonly norm3: LayerNorm;
  /** What self-attention gives goes through it. */
  readonly dropout1: Dropout;
  /** What attention to the encoder's output gives goes through it. */
  readonly dropout2: Dropout;
  /** What the network gives goes through it. */
  readonly dropout3: Dropout;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super('TransformerDecoderLayer', dModel, nhead, options);
    this.multiheadAttn = attentionOf(dModel, nhead, options);
    [this.norm1, this.norm2, this.norm3] = [1, 2, 3].map(() => normOf(dModel, options)) as Three<LayerNorm>;
    [this.dropout1, this.dropout2, this.dropout3] = [1, 2, 3].map(() => dropoutOf(options)) as Three<Dropout>;
  }

  /**
   * @param x shape (L, N, dModel), with batchFirst (N, L, dModel), or (L, dModel).
   * @param memory the encoder's output, shape (S, N, dModel), laid out as `x`.
   */
  forward(x: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    requireOptions('TransformerDecoderLayer.forward', masks, {
      tgtMask: Tensor,
      tgtKeyPaddingMask: Tensor,
      tgtIsCausal: 'boolean',
      memoryMask: Tensor,
      memoryKeyPaddingMask: Tensor,
    });
    const { tgtMask, tgtKeyPaddingMask, tgtIsCausal, memoryMask, memoryKeyPaddingMask } = masks;
    const attended = this.residual(x, this.norm1, this.dropout1, (y) =>
      attend(this.selfAttn, y, y, {
        attnMask: tgtMask,
        keyPaddingMask: tgtKeyPaddingMask,
        isCausal: tgtIsCausal,
      }),
    );
    const informed = this.residual(attended, this.norm2, this.dropout2, (y) =>
      attend(this.multiheadAttn, y, memory, { attnMask: memoryMask, keyPaddingMask: memoryKeyPaddingMask }),
    );
    return this.residual(informed, this.norm3, this.dropout3, (y) => this.feedForward(y));
  }
}

/**
 * A stack of encoder layers, with a norm at the end or without. PyTorch's `nn.TransformerEncoder`, which copies one layer; here each is
 * made by a function, with values of its own.
 *
 * @example
 * const encoder = new TransformerEncoder(() => new TransformerEncoderLayer(16, 4, { dimFeedforward: 32 }), 2);
 * encoder.forward(randn([5, 2, 16])).shape; // [5, 2, 16]
 */
export class TransformerEncoder extends Module {
  /** The layers, from the input on. */
  readonly layers: readonly TransformerEncoderLayer[];
  /** The norm at the end, or null. */
  readonly norm: LayerNorm | null;

  constructor(
    makeLayer: (index: number) => TransformerEncoderLayer,
    numLayers: number,
    options: StackOptions = {},
  ) {
    requireOptions('TransformerEncoder', options, { norm: 'own' });
    const { norm } = options;
    super();
    requireMaker('TransformerEncoder', makeLayer);
    requireInteger('TransformerEncoder', 'numLayers', numLayers, 1);
    requireRoom('TransformerEncoder', 'the list of layers', [numLayers]);
    this.layers = Array.from({ length: numLayers }, (_, i) =>
      made('TransformerEncoder', makeLayer(i), TransformerEncoderLayer),
    );
    this.norm = norm ?? null;
  }

  /** Shapes and masks as in {@link TransformerEncoderLayer.forward}. */
  forward(x: Tensor, masks: EncoderMasks = {}): Tensor {
    const encoded = this.layers.reduce((y, layer) => layer.forward(y, masks), x);
    return this.norm === null ? encoded : this.norm.forward(encoded);
  }
}

/**
 * A stack of decoder layers, with a norm at the end or without. PyTorch's `nn.TransformerDecoder`; see {@link TransformerEncoder}.
 *
 * @example
 * const decoder = new TransformerDecoder(() => new TransformerDecoderLayer(16, 4, { dimFeedforward: 32 }), 2);
 * decoder.forward(randn([5, 2, 16]), randn([7, 2, 16])).shape; // [5, 2, 16]
 */
export class TransformerDecoder extends Module {
  /** The layers, from the input on. */
  readonly layers: readonly TransformerDecoderLayer[];
  /** The norm at the end, or null. */
  readonly norm: LayerNorm | null;

  constructor(
    makeLayer: (index: number) => TransformerDecoderLayer,
    numLayers: number,
    options: StackOptions = {},
  ) {
    requireOptions('TransformerDecoder', options, { norm: 'own' });
    const { norm } = options;
    super();
    requireMaker('TransformerDecoder', makeLayer);
    requireInteger('TransformerDecoder', 'numLayers', numLayers, 1);
    requireRoom('TransformerDecoder', 'the list of layers', [numLayers]);
    this.layers = Array.from({ length: numLayers }, (_, i) =>
      made('TransformerDecoder', makeLayer(i), TransformerDecoderLayer),
    );
    this.norm = norm ?? null;
  }

  /** Shapes and masks as in {@link TransformerDecoderLayer.forward}. */
  forward(x: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    const decoded = this.layers.reduce((y, layer) => layer.forward(y, memory, masks), x);
    return this.norm === null ? decoded : this.norm.forward(decoded);
  }
}

/** Options of stacks of layers. */
export interface StackOptions {
  /** Normalises the output of the last layer. Default: none. */
  readonly norm?: LayerNorm | undefined;
}

type Three<T> = [T, T, T];

function attend(
  attention: MultiheadAttention,
  x: Tensor,
  memory: Tensor,
  masks: Parameters<MultiheadAttention['forward']>[3],
): Tensor {
  return attention.forward(x, memory, memory, { ...masks, needWeights: false }).output;
}

function attentionOf(dModel: number, nhead: number, options: TransformerLayerOptions): MultiheadAttention {
  const { dropout = 0.1, bias, batchFirst, dtype, generator } = options;
  return new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst, dtype, generator });
}

function normOf(dModel: number, { layerNormEps, bias, dtype }: TransformerLayerOptions): LayerNorm {
  return new LayerNorm(dModel, { eps: layerNormEps, bias, dtype });
}

function dropoutOf({ dropout = 0.1, generator }: TransformerLayerOptions): Dropout {
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

// PyTorch takes a layer and copies it, initial values included.
function made<Layer>(op: string, layer: Layer, kind: abstract new (...args: never[]) => object): Layer {
  requireArgument(op, 'what makeLayer gives', layer, kind);
  return layer;
}

function requireMaker(op: string, makeLayer: unknown): void {
  if (typeof makeLayer === 'function') return;
  throw new ArgumentError(
    `makeLayer is no function; give one that makes a layer, () => new ${op}Layer(…): each layer has weights of its own.`,
    { op, operand: 'makeLayer', actual: makeLayer, expected: `a function that makes a ${op}Layer` },
  );
}
