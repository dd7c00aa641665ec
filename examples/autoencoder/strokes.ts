// Handwritten digits that need no download: glyphs warped, scaled, slanted and drawn with a round pen, from a seed.
//
// Only +, −, ×, ÷ and √ touch the coordinates. IEEE 754 rounds these alike everywhere (sin, cos, pow and hypot it does
// not), so the same seed gives the same bytes on every machine.

import type { LabelledImages } from '@adjoint/nn/data';
import { GLYPHS, type Glyph, type Stroke } from './glyphs.ts';

/** Options of {@link drawDigits}. */
export interface DrawDigitsOptions {
  /** How many. */
  readonly count: number;
  /** Which ones: a 32-bit integer. Image `i` depends on the seed and on `i`, not on `count`. */
  readonly seed: number;
  /** Height and width in pixels. Default 28, as MNIST; below that the softness of the ink may reach the edge. */
  readonly size?: number;
}

/**
 * Draw digits as MNIST shows them: white on black, antialiased, upright or nearly so, about 20 of 28 pixels high.
 *
 * Each is written with its own slant, proportions, size, place, pressure and wobble. Labels are spread evenly over
 * 0 to 9, in random order.
 *
 * @example
 * ```ts
 * const { images, labels } = drawDigits({ count: 1000, seed: 1 });
 * ```
 */
export function drawDigits({ count, seed, size = 28 }: DrawDigitsOptions): LabelledImages {
  const images = new Uint8Array(count * size * size);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const random = generator(seed, i);
    const label = Math.floor(random() * 10);
    labels[i] = label;
    const glyph = pick(GLYPHS[label], random);
    drawInto(images.subarray(i * size * size, (i + 1) * size * size), size, glyph, random);
  }
  return { images, labels, count, height: size, width: size };
}

type Random = () => number;

/** Points of a curve cut into short straight pieces, as x and y by turns. */
type Polyline = Float64Array;

function drawInto(image: Uint8Array, size: number, glyph: Glyph, random: Random): void {
  const unit = size / 28;
  const radius = unit * between(random, 0.9, 1.5);
  const warp = randomWarp(random);
  const lines = glyph.map((stroke) => warp(flatten(stroke)));
  place(lines, {
    height: unit * between(random, 16.5, 20),
    // What the digits 1 and 0 share is a height; widths follow from it.
    width: unit * 20,
    centreX: size / 2 + unit * between(random, -1.5, 1.5),
    centreY: size / 2 + unit * between(random, -1.5, 1.5),
  });
  const distances = squaredDistances(lines, size, radius + 1);
  const pressure = between(random, 225, 255);
  for (let i = 0; i < image.length; i++) {
    // A pixel half covered is where the pen's edge passes through its centre.
    const coverage = radius + 0.5 - Math.sqrt(distances[i]);
    image[i] = Math.round(pressure * Math.min(1, Math.max(0, coverage)));
  }
}

/** A map of the unit box that slants, turns, stretches and bends: strokes that meet still meet after it. */
function randomWarp(random: Random): (line: Polyline) => Polyline {
  // The turn by (1 − t², 2t) / (1 + t²) is a rotation with no sine in it; t = 0.1 is about 11 degrees.
  const t = between(random, -0.09, 0.09);
  const cos = (1 - t * t) / (1 + t * t);
  const sin = (2 * t) / (1 + t * t);
  const slant = between(random, -0.03, 0.34);
  const aspect = between(random, 0.62, 0.86);
  const bends = Array.from({ length: 6 }, () => between(random, -0.16, 0.16));
  return (line) => {
    const warped = new Float64Array(line.length);
    for (let i = 0; i < line.length; i += 2) {
      const x = line[i] - 0.5;
      const y = line[i + 1] - 0.5;
      const bentX = x + bends[0] * x * y + bends[1] * y * y + bends[2] * x * x;
      const bentY = y + bends[3] * x * y + bends[4] * x * x + bends[5] * y * y;
      const slantedX = aspect * bentX - slant * bentY;
      warped[i] = cos * slantedX - sin * bentY;
      warped[i + 1] = sin * slantedX + cos * bentY;
    }
    return warped;
  };
}

interface Frame {
  readonly height: number;
  readonly width: number;
  readonly centreX: number;
  readonly centreY: number;
}

/** Scale the lines, all by one factor, to the frame's height, or less if they would be wider than it; centre them. */
function place(lines: readonly Polyline[], frame: Frame): void {
  const [left, right] = range(lines, 0);
  const [top, bottom] = range(lines, 1);
  const scale = Math.min(frame.height / (bottom - top), frame.width / (right - left));
  for (const line of lines) {
    for (let i = 0; i < line.length; i += 2) {
      line[i] = frame.centreX + scale * (line[i] - (left + right) / 2);
      line[i + 1] = frame.centreY + scale * (line[i + 1] - (top + bottom) / 2);
    }
  }
}

function range(lines: readonly Polyline[], axis: 0 | 1): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const line of lines) {
    for (let i = axis; i < line.length; i += 2) {
      low = Math.min(low, line[i]);
      high = Math.max(high, line[i]);
    }
  }
  return [low, high];
}

const PIECES_PER_SPAN = 6;

/** The Catmull-Rom curve through a stroke's points. */
function flatten(stroke: Stroke): Polyline {
  const points = stroke.length / 2;
  const spans = points - 1;
  const closed = stroke[0] === stroke.at(-2) && stroke[1] === stroke.at(-1);
  const coordinate = (point: number, axis: number): number => {
    // Beyond the ends: around the loop if there is one, else the end itself.
    const wrapped = closed ? (point + spans) % spans : Math.min(Math.max(point, 0), points - 1);
    return stroke[2 * wrapped + axis];
  };
  const line = new Float64Array(2 * (spans * PIECES_PER_SPAN + 1));
  let next = 0;
  for (let span = 0; span < spans; span++) {
    const last = span === spans - 1 ? PIECES_PER_SPAN : PIECES_PER_SPAN - 1;
    for (let piece = 0; piece <= last; piece++) {
      const t = piece / PIECES_PER_SPAN;
      for (let axis = 0; axis < 2; axis++) {
        const [a, b, c, d] = [-1, 0, 1, 2].map((step) => coordinate(span + step, axis));
        line[next++] =
          0.5 * (2 * b + t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * b - a - 3 * c + d))));
      }
    }
  }
  return line;
}

/** Per pixel, the squared distance of its centre to the nearest line; Infinity where none is nearer than `reach`. */
function squaredDistances(lines: readonly Polyline[], size: number, reach: number): Float64Array {
  const distances = new Float64Array(size * size).fill(Infinity);
  for (const line of lines) {
    for (let i = 0; i + 3 < line.length; i += 2) {
      const [ax, ay, bx, by] = [line[i], line[i + 1], line[i + 2], line[i + 3]];
      const [dx, dy] = [bx - ax, by - ay];
      const squaredLength = dx * dx + dy * dy;
      const fromX = Math.max(0, Math.floor(Math.min(ax, bx) - reach));
      const toX = Math.min(size - 1, Math.ceil(Math.max(ax, bx) + reach));
      const fromY = Math.max(0, Math.floor(Math.min(ay, by) - reach));
      const toY = Math.min(size - 1, Math.ceil(Math.max(ay, by) + reach));
      for (let row = fromY; row <= toY; row++) {
        for (let column = fromX; column <= toX; column++) {
          const px = column + 0.5 - ax;
          const py = row + 0.5 - ay;
          const along = squaredLength === 0 ? 0 : (px * dx + py * dy) / squaredLength;
          const nearest = Math.min(1, Math.max(0, along));
          const ex = px - nearest * dx;
          const ey = py - nearest * dy;
          const at = row * size + column;
          distances[at] = Math.min(distances[at], ex * ex + ey * ey);
        }
      }
    }
  }
  return distances;
}

function pick<T>(choices: readonly T[], random: Random): T {
  return choices[Math.floor(random() * choices.length)];
}

function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** Numbers in [0, 1), a stream of its own for each image: a counter through an integer hash. */
function generator(seed: number, stream: number): Random {
  let counter = hash(hash(seed) ^ stream);
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    return (hash(counter) >>> 8) / 2 ** 24;
  };
}

// The 32-bit mixer "lowbias32" of Chris Wellons, https://nullprogram.com/blog/2018/07/31/.
function hash(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}
