// Labelled digits as tensors, for several examples: MNIST from a folder, or digits drawn from strokes.

import { type Tensor, tensor } from '@adjoint/core';
import { readMnist } from '@adjoint/nn/data/node';
import { drawDigits } from './autoencoder/strokes.ts';

/** Images of shape (count, 1, 28, 28), greys from 0 to 1, and their digits as int32 of shape (count). */
export interface DigitImages {
  readonly images: Tensor;
  readonly labels: Tensor;
  readonly source: string;
}

/** Reads the first `count` images of MNIST in `folder`, or, without one, draws as many. */
export async function digitImages(folder: string | undefined, count: number): Promise<DigitImages> {
  const read =
    folder === undefined ? drawDigits({ count, seed: 0 }) : await readMnist(folder, { limit: count });
  const greys = Float32Array.from(read.images, (byte) => byte / 255);
  return {
    images: tensor(greys, { shape: [read.count, 1, read.height, read.width] }),
    labels: tensor(Int32Array.from(read.labels), { dtype: 'int32' }),
    source: folder ?? 'digits drawn from strokes',
  };
}
