// The whole transformer: an encoder that reads one sequence, and a decoder that writes another while it looks at what was read.

import { requireOptions, Tensor } from '@adjoint/core';
import { xavierUniform_ } from '../init/fill.ts';
import { Module } from '../module/module.ts';
import { LayerNorm } from './norm.ts';
import { type TransformerLayerOptions, transformerLayerOptions } from './transformer-base.ts';
import { type DecoderMasks, TransformerDecoderLayer, TransformerEncoderLayer } from './transformer-layers.ts';
import { TransformerDecoder, TransformerEncoder } from './transformer-stacks.ts';

/** Options of {@link Transformer}: how many layers, and those of each. */
export interface TransformerOptions extends TransformerLayerOptions {
  /** Layers that read. Default 6. */
  readonly numEncoderLayers?: number | undefined;
  /** Layers that write. Default 6. */
  readonly numDecoderLayers?: number | undefined;
}

/** Masks of the sequence that is read, beside those of the decoder. */
export interface TransformerMasks extends DecoderMasks {
  /** As `mask` of {@link EncoderMasks}, for the sequence that is read. */
  readonly srcMask?: Tensor | undefined;
  /** As `keyPaddingMask` of {@link EncoderMasks}, for the sequence that is read; the decoder is told by `memoryKeyPaddingMask`. */
  readonly srcKeyPaddingMask?: Tensor | undefined;
  /** Whether each place of the sequence that is read looks only at itself and those before. Default false. */
  readonly srcIsCausal?: boolean | undefined;
}

/**
 * An encoder and a decoder, each with a norm at the end. PyTorch's `nn.Transformer`; Vaswani et al. 2017. Embeddings and positions before
 * it, and scores of words behind it, are modules of their own.
 *
 * All matrices start from Xavier's uniform distribution.
 *
 * @param dModel number of features. PyTorch's default is 512.
 * @param nhead number of heads; divides dModel. PyTorch's default is 8.
 * @throws ArgumentError for an illegal option.
 * @example
 * const model = new Transformer(16, 4, { numEncoderLayers: 1, numDecoderLayers: 2, dimFeedforward: 32 });
 * model.forward(randn([7, 2, 16]), randn([5, 2, 16]), { tgtIsCausal: true }).shape; // [5, 2, 16]
 */
export class Transformer extends Module {
  /** Reads. */
  readonly encoder: TransformerEncoder;
  /** Writes. */
  readonly decoder: TransformerDecoder;

  constructor(dModel: number, nhead: number, options: TransformerOptions = {}) {
    super();
    requireOptions('Transformer', options, {
      ...transformerLayerOptions,
      numEncoderLayers: 'number',
      numDecoderLayers: 'number',
    });
    const { numEncoderLayers = 6, numDecoderLayers = 6, ...layer } = options;
    const { layerNormEps: eps, bias, dtype, generator } = layer;
    const norm = (): LayerNorm => new LayerNorm(dModel, { eps, bias, dtype });
    this.encoder = new TransformerEncoder(
      () => new TransformerEncoderLayer(dModel, nhead, layer),
      numEncoderLayers,
      { norm: norm() },
    );
    this.decoder = new TransformerDecoder(
      () => new TransformerDecoderLayer(dModel, nhead, layer),
      numDecoderLayers,
      { norm: norm() },
    );
    for (const parameter of this.parameters())
      if (parameter.ndim > 1) xavierUniform_(parameter, { generator });
  }

  /**
   * @param src what is read, shape (S, N, dModel), with batchFirst (N, S, dModel), or (S, dModel).
   * @param tgt what has been written so far, shape (L, N, dModel), laid out as `src`.
   * @returns the shape of `tgt`.
   */
  forward(src: Tensor, tgt: Tensor, masks: TransformerMasks = {}): Tensor {
    requireOptions('Transformer.forward', masks, {
      srcMask: Tensor,
      srcKeyPaddingMask: Tensor,
      srcIsCausal: 'boolean',
      tgtMask: Tensor,
      tgtKeyPaddingMask: Tensor,
      tgtIsCausal: 'boolean',
      memoryMask: Tensor,
      memoryKeyPaddingMask: Tensor,
    });
    const { srcMask: mask, srcKeyPaddingMask: keyPaddingMask, srcIsCausal: isCausal, ...rest } = masks;
    const memory = this.encoder.forward(src, { mask, keyPaddingMask, isCausal });
    return this.decoder.forward(tgt, memory, rest);
  }
}
