// Digits drawn from strokes: the same on every machine, within their frame, and recognised by a stranger to the code.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LabelledImages } from '@adjoint/nn/data';
import { readMnist } from '@adjoint/nn/data/node';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawDigits } from '../../examples/autoencoder/strokes.ts';

const seeds = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

/** The share of `unknown` whose nearest neighbour among `known`, by Euclidean distance, has their label. */
function recognised(known: LabelledImages, unknown: LabelledImages): number {
  const pixels = known.height * known.width;
  let right = 0;
  for (let i = 0; i < unknown.count; i++) {
    let least = Number.POSITIVE_INFINITY;
    let label = -1;
    for (let j = 0; j < known.count; j++) {
      let distance = 0;
      for (let p = 0; p < pixels && distance < least; p++) {
        distance += (unknown.images[i * pixels + p] - known.images[j * pixels + p]) ** 2;
      }
      if (distance < least) [least, label] = [distance, known.labels[j]];
    }
    if (label === unknown.labels[i]) right++;
  }
  return right / unknown.count;
}

describe('drawDigits', () => {
  test('gives these bytes for this seed, on every machine and engine', () => {
    const { images, labels } = drawDigits({ count: 500, seed: 20_240_229 });
    const digest = createHash('sha256').update(images).update(labels).digest('hex');
    expect(digest).toBe('fd947abed255910b6c700743186f826f1129fa20ab999b4f493661ba734effbf');
  });

  test('draws an image from the seed and its index alone, however many are asked for', () => {
    fc.assert(
      fc.property(seeds, fc.nat({ max: 12 }), fc.nat({ max: 12 }), (seed, some, more) => {
        const few = drawDigits({ count: some, seed });
        const many = drawDigits({ count: some + more, seed });
        expect(Buffer.compare(many.images.subarray(0, few.images.length), few.images)).toBe(0);
        expect(many.labels.slice(0, some)).toEqual(few.labels);
      }),
      { numRuns: 30 },
    );
  });

  test('draws no image twice, whether within a seed or between seeds', () => {
    const digests = [0, 1, 2, -1].flatMap((seed) => {
      const { images, count } = drawDigits({ count: 500, seed });
      return Array.from({ length: count }, (_, i) =>
        createHash('sha256')
          .update(images.subarray(784 * i, 784 * (i + 1)))
          .digest('hex'),
      );
    });
    expect(new Set(digests).size).toBe(digests.length);
  });

  test('draws each digit about as often as the others', () => {
    const { labels } = drawDigits({ count: 5000, seed: 7 });
    for (let digit = 0; digit < 10; digit++) {
      // 500 ± 5 standard deviations of the binomial distribution, √(5000 · 0.1 · 0.9) = 21.2.
      expect(Math.abs(labels.filter((label) => label === digit).length - 500)).toBeLessThan(106);
    }
  });

  test('keeps the ink off the edge and in the middle, at 28 pixels and above', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 28, max: 64 }), (seed, size) => {
        const { images, count, height, width } = drawDigits({ count: 20, seed, size });
        expect([height, width, images.length]).toEqual([size, size, count * size * size]);
        for (let i = 0; i < count; i++) {
          const image = images.subarray(i * size * size, (i + 1) * size * size);
          const inked = [...image.keys()].filter((at) => image[at] > 0);
          const rows = inked.map((at) => Math.floor(at / size));
          const columns = inked.map((at) => at % size);
          for (const places of [rows, columns]) {
            expect(Math.min(...places)).toBeGreaterThan(0);
            expect(Math.max(...places)).toBeLessThan(size - 1);
            expect(Math.abs((Math.min(...places) + Math.max(...places) + 1) / 2 / size - 0.5)).toBeLessThan(
              0.09,
            );
          }
          // White where the pen passed, grey at its edges.
          expect(Math.max(...image)).toBeGreaterThan(200);
          expect(new Set(image).size).toBeGreaterThan(8);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('draws digits that their nearest neighbours identify', () => {
    const known = drawDigits({ count: 1000, seed: 1 });
    const unknown = drawDigits({ count: 200, seed: 2 });
    expect(recognised(known, unknown)).toBeGreaterThan(0.93);
  });

  const mnist = join(import.meta.dirname, '../../../shared/data/mnist');
  test.skipIf(!existsSync(mnist))(
    'draws digits that real handwriting identifies, five times better than chance',
    async () => {
      const known = await readMnist(mnist, { split: 'test', limit: 1000 });
      expect(recognised(known, drawDigits({ count: 200, seed: 3 }))).toBeGreaterThan(0.5);
    },
  );
});
