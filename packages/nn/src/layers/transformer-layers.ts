// Layers of a transformer: attention, then a network of two layers, each added to its input and normalised.

import { requireOptions, Tensor } from '@adjoint/core';
import type { MultiheadAttention } from './attention.ts';
import type { Dropout } from './dropout.ts';
import type { LayerNorm } from './norm.ts';
import {
  attend,
  attentionOf,
  dropoutOf,
  normOf,
  TransformerLayer,
  type TransformerLayerOptions,
} from './transformer-base.ts';

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

type Three<T> = [T, T, T];
