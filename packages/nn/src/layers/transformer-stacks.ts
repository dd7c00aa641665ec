// Stacks of transformer layers, with a norm at the end or without.

import { ArgumentError, requireArgument, requireOptions, type Tensor } from '@adjoint/core';
import { Module } from '../module/module.ts';
import type { LayerNorm } from './norm.ts';
import { requireInteger, requireRoom } from './options.ts';
import {
  type DecoderMasks,
  type EncoderMasks,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
} from './transformer-layers.ts';

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
