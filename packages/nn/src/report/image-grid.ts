// Pictures of a batch in a grid, as one PNG. torchvision's `make_grid` and `save_image`.

import {
  ArgumentError,
  formatShape,
  requireOptions,
  requireTensor,
  ShapeError,
  type Tensor,
} from '@adjoint/core';
import { encode } from 'fast-png';
import { requireInteger } from '../layers/options.ts';

/** Options of {@link imageGrid}. */
export interface ImageGridOptions {
  /** Pictures in a row. Default 8, or as many as there are. */
  readonly columns?: number | undefined;
  /** Pixels of the grid per pixel of a picture, in both directions. Default 1. */
  readonly scale?: number | undefined;
  /** Pixels between pictures and around them. Default 2. */
  readonly gap?: number | undefined;
  /** The values that become black and white; what lies outside is clipped. Default [0, 1]. */
  readonly range?: readonly [low: number, high: number] | undefined;
}

/** A PNG file and its extents. */
export interface Picture {
  /** The file. */
  readonly png: Uint8Array;
  /** Columns of pixels. */
  readonly width: number;
  /** Rows of pixels. */
  readonly height: number;
}

const PAGE = 0xf4;
// Of a pixel that is no number: a model that has diverged should look like it.
const BROKEN = [0xe1, 0x1d, 0x48] as const;

/**
 * Draws a batch of pictures in a grid, row by row.
 *
 * @param x shape (N, C, H, W) with one channel or three, or (C, H, W); any type, no gradient is kept.
 * @throws ShapeError for other shapes; ArgumentError for illegal options.
 * @example
 * const { png, width, height } = imageGrid(rand([10, 1, 8, 8]), { columns: 5, scale: 2, gap: 0 });
 * [width, height]; // [80, 32]
 */
export function imageGrid(x: Tensor, options: ImageGridOptions = {}): Picture {
  const op = 'imageGrid';
  requireOptions(op, options, { columns: 'number', scale: 'number', gap: 'number', range: 'list' });
  requireTensor(op, 'x', x);
  const shape = x.ndim === 3 ? [1, ...x.shape] : x.shape;
  const [count, channels, height, width] = shape;
  if (shape.length !== 4 || (channels !== 1 && channels !== 3) || x.size === 0) {
    throw new ShapeError(
      `x has shape ${formatShape(x.shape)}; give pictures (N, C, H, W) of one channel or three.`,
      { op, operand: 'x', actual: x.shape, expected: '(N, 1 | 3, H, W)' },
    );
  }
  const { range: [low, high] = [0, 1], columns: most = 8, scale = 1, gap = 2 } = options;
  requireInteger(op, 'columns', most, 1);
  requireInteger(op, 'scale', scale, 1);
  requireInteger(op, 'gap', gap, 0);
  if (!(low < high)) {
    throw new ArgumentError(`range is [${low}, ${high}]; give two numbers, the smaller first.`, {
      op,
      operand: 'range',
      actual: [low, high],
      expected: 'low < high',
    });
  }
  const columns = Math.min(most, count);
  const page = {
    width: gap + columns * (width * scale + gap),
    height: gap + Math.ceil(count / columns) * (height * scale + gap),
  };
  const pixels = new Uint8Array(page.width * page.height * 3).fill(PAGE);
  const values = x.toTypedArray();
  const plane = height * width;
  for (let i = 0; i < count; i++) {
    const left = gap + (i % columns) * (width * scale + gap);
    const top = gap + Math.floor(i / columns) * (height * scale + gap);
    for (let row = 0; row < height * scale; row++) {
      for (let column = 0; column < width * scale; column++) {
        const at = i * channels * plane + Math.floor(row / scale) * width + Math.floor(column / scale);
        const parts = [0, 1, 2].map((c) => values[at + (channels === 3 ? c : 0) * plane]);
        const colour = parts.every((part) => !Number.isNaN(part))
          ? parts.map((part) => Math.round(255 * Math.min(1, Math.max(0, (part - low) / (high - low)))))
          : BROKEN;
        pixels.set(colour, 3 * ((top + row) * page.width + left + column));
      }
    }
  }
  return { png: encode({ ...page, data: pixels, depth: 8, channels: 3 }), ...page };
}
