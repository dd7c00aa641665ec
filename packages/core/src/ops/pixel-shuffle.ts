// Channels moved into pixels, and pixels into channels.

import { requireInteger } from '../arguments.ts';
import { formatShape, ShapeError } from '../errors.ts';
import type { Shape } from '../shape.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { permute, reshape } from './layout.ts';

/**
 * Moves channels into pixels: `upscaleFactor²` channels become one of `upscaleFactor` times the height and width. PyTorch's
 * `torch.nn.functional.pixel_shuffle` (Shi et al. 2016).
 *
 * @param x shape (…, C · r², H, W).
 * @returns shape (…, C, H · r, W · r).
 * @throws ShapeError unless the channels divide by `upscaleFactor²`; ArgumentError for a factor below 1.
 * @example
 * pixelShuffle(tensor([[[1]], [[2]], [[3]], [[4]]]), 2).toArray(); // [[[1, 2], [3, 4]]]
 */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  const op = 'pixelShuffle';
  const r = upscaleFactor;
  requireInteger(op, 'upscaleFactor', r, 1);
  const { lead, channels, height, width } = readPixels(op, x);
  if (channels % (r * r) !== 0) {
    throw new ShapeError(
      `x has ${channels} channels (shape ${formatShape(x.shape)}), which do not divide by upscaleFactor² = ${r * r}.`,
      { op, operand: 'x', actual: x.shape, expected: `a multiple of ${r * r} channels` },
    );
  }
  const parts = reshape(x, [...lead, channels / (r * r), r, r, height, width]);
  const n = lead.length;
  const order = [...lead.map((_, i) => i), n, n + 3, n + 1, n + 4, n + 2];
  return reshape(permute(parts, order), [...lead, channels / (r * r), height * r, width * r]);
}

/**
 * The inverse of {@link pixelShuffle}: moves blocks of `downscaleFactor²` pixels into channels. PyTorch's
 * `torch.nn.functional.pixel_unshuffle`.
 *
 * @param x shape (…, C, H · r, W · r).
 * @returns shape (…, C · r², H, W).
 * @throws ShapeError unless height and width divide by `downscaleFactor`; ArgumentError for a factor below 1.
 * @example
 * pixelUnshuffle(tensor([[[1, 2], [3, 4]]]), 2).toArray(); // [[[1]], [[2]], [[3]], [[4]]]
 */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  const op = 'pixelUnshuffle';
  const r = downscaleFactor;
  requireInteger(op, 'downscaleFactor', r, 1);
  const { lead, channels, height, width } = readPixels(op, x);
  if (height % r !== 0 || width % r !== 0) {
    throw new ShapeError(
      `x has ${height} × ${width} pixels (shape ${formatShape(x.shape)}), which do not divide by downscaleFactor ${r}.`,
      { op, operand: 'x', actual: x.shape, expected: `multiples of ${r} pixels` },
    );
  }
  const parts = reshape(x, [...lead, channels, height / r, r, width / r, r]);
  const n = lead.length;
  const order = [...lead.map((_, i) => i), n, n + 2, n + 4, n + 1, n + 3];
  return reshape(permute(parts, order), [...lead, channels * r * r, height / r, width / r]);
}

function readPixels(
  op: string,
  x: Tensor,
): { readonly lead: Shape; readonly channels: number; readonly height: number; readonly width: number } {
  requireTensor(op, 'x', x);
  if (x.ndim < 3) {
    throw new ShapeError(`x has shape ${formatShape(x.shape)}; it takes (…, C, H, W).`, {
      op,
      operand: 'x',
      actual: x.shape,
      expected: 'at least three axes',
    });
  }
  const [channels, height, width] = x.shape.slice(-3);
  return { lead: x.shape.slice(0, -3), channels, height, width };
}
