// The autoencoder: convolutions down to a short code, transposed convolutions back up.

import type { Tensor } from '@adjoint/core';
import { BatchNorm2d, Conv2d, ConvTranspose2d, Module, ReLU, Sequential } from '@adjoint/nn';

/** Squeezes 28 × 28 greys through a code of `codeSize` numbers. Gives logits: their sigmoid is the image. */
export class Autoencoder extends Module {
  readonly encoder: Sequential;
  readonly decoder: Sequential;

  constructor(codeSize = 32) {
    super();
    this.encoder = new Sequential(
      new Conv2d(1, 16, 3, { stride: 2, padding: 1, bias: false }), // 28 → 14
      new BatchNorm2d(16),
      new ReLU(),
      new Conv2d(16, 32, 3, { stride: 2, padding: 1, bias: false }), // 14 → 7
      new BatchNorm2d(32),
      new ReLU(),
      new Conv2d(32, codeSize, 7), // 7 → 1
    );
    this.decoder = new Sequential(
      new ConvTranspose2d(codeSize, 32, 7, { bias: false }), // 1 → 7
      new BatchNorm2d(32),
      new ReLU(),
      new ConvTranspose2d(32, 16, 4, { stride: 2, padding: 1, bias: false }), // 7 → 14
      new BatchNorm2d(16),
      new ReLU(),
      new ConvTranspose2d(16, 1, 4, { stride: 2, padding: 1 }), // 14 → 28
    );
  }

  /** (N, 1, 28, 28) greys from 0 to 1 in, logits of the same shape out. */
  override forward(images: Tensor): Tensor {
    return this.decoder.forward(this.encoder.forward(images));
  }
}
