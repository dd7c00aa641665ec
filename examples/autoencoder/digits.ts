// The images to train on: MNIST from a folder, or digits drawn from strokes.

import { createHash } from 'node:crypto';
import { type Tensor, tensor } from '@adjoint/core';
import type { LabelledImages } from '@adjoint/nn/data';
import { readMnist } from '@adjoint/nn/data/node';
import { drawDigits } from './strokes.ts';

/** Images to train on, images held out, and where they are from. */
export interface Digits {
  readonly training: Tensor;
  readonly heldOut: Tensor;
  readonly height: number;
  readonly width: number;
  readonly source: string;
  /** SHA-256 of all the images, in hexadecimal. */
  readonly digest: string;
}

/** Which images to take. */
export interface DigitsOptions {
  readonly data: string | undefined;
  readonly limit: number;
  readonly seed: number;
}

const HELD_OUT = 64;

/**
 * Reads or draws digits as tensors of shape (count, 1, height, width) with greys from 0 to 1; the last ones are held out.
 *
 * @throws DataFileError or DataFormatError, naming file and byte, for files that are missing or corrupt.
 */
export async function loadDigits({ data, limit, seed }: DigitsOptions): Promise<Digits> {
  const count = limit + HELD_OUT;
  if (data === undefined) return split(drawDigits({ count, seed }), 'digits drawn from strokes');
  const read = await readMnist(data, { limit: count });
  return split(read, `${data} (MNIST, ${read.split} set)`);
}

function split({ images, count, height, width }: LabelledImages, source: string): Digits {
  // However few images there are, some are held out and some are left to train on.
  const held = Math.min(HELD_OUT, Math.floor(count / 2));
  const size = height * width;
  const greys = (from: number, to: number): Tensor =>
    tensor(
      Float32Array.from(images.subarray(from * size, to * size), (byte) => byte / 255),
      {
        shape: [to - from, 1, height, width],
      },
    );
  return {
    training: greys(0, count - held),
    heldOut: greys(count - held, count),
    height,
    width,
    source,
    digest: createHash('sha256').update(images).digest('hex'),
  };
}
