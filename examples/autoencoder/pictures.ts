// What a training run looks like: originals beside reconstructions as a PNG.

import { ArgumentError } from '@adjoint/core/errors';
import { encode } from 'fast-png';

/** Options of {@link reconstructionsPng}. */
export interface ReconstructionsPngOptions {
  /** `count · height · width` greys, row-major, 0 black to 1 white; what lies outside is clipped. */
  readonly originals: ArrayLike<number>;
  /** As many greys, for the same images in the same order. */
  readonly reconstructions: ArrayLike<number>;
  /** Rows of one image. */
  readonly height: number;
  /** Columns of one image. */
  readonly width: number;
  /** Pairs in a row of the picture. Default 8. */
  readonly pairsPerRow?: number;
  /** Pixels of the picture per pixel of an image, in both directions. Default 3. */
  readonly scale?: number;
}

// In pixels of the picture: between the two of a pair, and around each pair.
const SEAM = 2;
const GAP = 10;

const PAGE = [0xf4, 0xf4, 0xf5] as const;
// A pixel that is no number: a model that has diverged should look like it.
const BROKEN = [0xe1, 0x1d, 0x48] as const;

/**
 * A PNG file of image pairs: each original has its reconstruction to its right.
 *
 * @throws ArgumentError if the two arrays are not of one length, or do not hold whole images.
 *
 * @example
 * ```ts
 * await writeFile('digits.png', reconstructionsPng({ originals, reconstructions, height: 28, width: 28 }));
 * ```
 */
export function reconstructionsPng(options: ReconstructionsPngOptions): Uint8Array {
  const { originals, reconstructions, height, width, pairsPerRow = 8, scale = 3 } = options;
  const count = pairCount(options);
  const perRow = Math.min(pairsPerRow, count);
  const pairWidth = 2 * width * scale + SEAM;
  const pairHeight = height * scale;
  const page = new Page(
    GAP + perRow * (pairWidth + GAP),
    GAP + Math.ceil(count / perRow) * (pairHeight + GAP),
  );
  for (let i = 0; i < count; i++) {
    const x = GAP + (i % perRow) * (pairWidth + GAP);
    const y = GAP + Math.floor(i / perRow) * (pairHeight + GAP);
    const image = { start: i * height * width, height, width, scale };
    page.draw(originals, { ...image, x, y });
    page.draw(reconstructions, { ...image, x: x + width * scale + SEAM, y });
  }
  return encode({ width: page.width, height: page.height, data: page.pixels, depth: 8, channels: 3 });
}

function pairCount(options: ReconstructionsPngOptions): number {
  const { originals, reconstructions, height, width, pairsPerRow = 8, scale = 3 } = options;
  for (const [operand, value] of Object.entries({ height, width, pairsPerRow, scale })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new ArgumentError(`${operand} must be a positive integer, found ${value}.`, {
      op: 'reconstructionsPng',
      operand,
      actual: value,
      expected: 'a positive integer',
    });
  }
  const count = originals.length / (height * width);
  if (!Number.isInteger(count) || count === 0) {
    throw new ArgumentError(
      `originals must hold one or more images of ${height} × ${width} pixels, found ${originals.length} pixels.`,
      { op: 'reconstructionsPng', operand: 'originals', actual: originals.length },
    );
  }
  if (reconstructions.length !== originals.length) {
    throw new ArgumentError(
      `reconstructions must hold as many pixels as originals, ${originals.length}, found ${reconstructions.length}.`,
      { op: 'reconstructionsPng', operand: 'reconstructions', actual: reconstructions.length },
    );
  }
  return count;
}

/** Where an image comes from in its array, and where it goes on the page. */
interface Placement {
  readonly start: number;
  readonly height: number;
  readonly width: number;
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** An RGB picture, three bytes a pixel. */
class Page {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height * 3);
    for (let at = 0; at < this.pixels.length; at += 3) this.pixels.set(PAGE, at);
  }

  draw(greys: ArrayLike<number>, { start, height, width, scale, x, y }: Placement): void {
    for (let row = 0; row < height * scale; row++) {
      for (let column = 0; column < width * scale; column++) {
        const grey = greys[start + Math.floor(row / scale) * width + Math.floor(column / scale)];
        const level = Math.round(255 * Math.min(1, Math.max(0, grey)));
        const colour = Number.isFinite(grey) ? [level, level, level] : BROKEN;
        this.pixels.set(colour, 3 * ((y + row) * this.width + x + column));
      }
    }
  }
}
