// Transforms against closed forms: a picture that is a linear function of the place is sampled exactly.
import { ArgumentError, arange, Generator, ShapeError, tensor, zeros } from '@adjoint/core';
import {
  affine,
  centerCrop,
  normalize,
  randomAffine,
  randomCrop,
  randomHorizontalFlip,
  randomVerticalFlip,
} from '@adjoint/nn/data';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const size = 15;
const middle = (size - 1) / 2;
const plane = (f: (x: number, y: number) => number) =>
  tensor(
    Float64Array.from({ length: size * size }, (_, i) =>
      f((i % size) - middle, Math.floor(i / size) - middle),
    ),
    { shape: [1, size, size], dtype: 'float64' },
  );

describe('affine', () => {
  test('moves the point p to T + S·R·p, y down: of a linear picture, exactly', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -180, max: 180, noNaN: true }),
        fc.double({ min: 0.7, max: 2, noNaN: true }),
        fc.double({ min: -2, max: 2, noNaN: true }),
        fc.double({ min: -2, max: 2, noNaN: true }),
        (angle, scale, tx, ty) => {
          const turned = affine(
            plane((x, y) => 3 * x - 2 * y + 1),
            { angle, scale, translate: [tx, ty] },
          );
          const values = turned.toTypedArray();
          const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
          for (const [px, py] of [
            [0, 0],
            [1, 2],
            [-2, 1],
            [0.5, -1.5],
          ]) {
            // Where p goes to; clockwise as seen, since y points down.
            const [qx, qy] = [tx + scale * (cos * px - sin * py), ty + scale * (sin * px + cos * py)];
            // The result is linear about there too: interpolate between its pixels.
            const [c, r] = [qx + middle, qy + middle];
            if (c < 1 || r < 1 || c > size - 3 || r > size - 3 || Math.hypot(px, py) > 3) continue;
            const [c0, r0] = [Math.floor(c), Math.floor(r)];
            const at = (row: number, column: number) => values[row * size + column];
            const [u, v] = [c - c0, r - r0];
            const got =
              (1 - v) * ((1 - u) * at(r0, c0) + u * at(r0, c0 + 1)) +
              v * ((1 - u) * at(r0 + 1, c0) + u * at(r0 + 1, c0 + 1));
            expect(got).toBeCloseTo(3 * px - 2 * py + 1, 9);
          }
        },
      ),
    );
  });

  test('by a quarter is a quarter, and a shear along x moves rows', () => {
    const x = tensor(
      [
        [
          [1, 2, 3],
          [4, 5, 6],
          [7, 8, 9],
        ],
      ],
      { dtype: 'float64' },
    );
    const quarter = affine(x, { angle: 90 });
    const rounded = Array.from(quarter.toTypedArray(), (value) => Math.round(value * 1e9) / 1e9);
    expect(rounded).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
    // tan 45° = 1: each row moves by its height above the middle. torchvision.transforms.functional.affine, shear=[45, 0].
    const slanted = Array.from(
      affine(x, { shear: [45, 0] }).toTypedArray(),
      (value) => Math.round(value * 1e9) / 1e9,
    );
    expect(slanted).toEqual([0, 1, 2, 4, 5, 6, 8, 9, 0]);
    expect(affine(x, {}).toArray()).toEqual(x.toArray());
    expect(affine(x, { translate: [0, -1], fill: 9 }).toArray()).toEqual([
      [
        [4, 5, 6],
        [7, 8, 9],
        [9, 9, 9],
      ],
    ]);
    expect(() => affine(x, { scale: 0 })).toThrow(ArgumentError);
  });

  test('at random follows from its generator, within its bounds', () => {
    const x = plane((a, b) => a * b);
    const turn = (seed: number) =>
      randomAffine(x, { degrees: 20, translate: [0.1, 0], generator: new Generator(seed) });
    expect(turn(1).toArray()).toEqual(turn(1).toArray());
    expect(turn(1).toArray()).not.toEqual(turn(2).toArray());
    expect(randomAffine(x).toArray()).toEqual(x.toArray());
  });
});

describe('crops and flips', () => {
  const picture = arange(12).reshape([1, 3, 4]);

  test('a random crop is a window of the padded picture, and each place occurs', () => {
    const generator = new Generator(0);
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const window = randomCrop(picture, [2, 2], { generator }).toTypedArray();
      seen.add(String(window));
      expect([window[1] - window[0], window[2] - window[0]]).toEqual([1, 4]);
    }
    expect(seen.size).toBe(6);
    expect(
      randomCrop(picture, [5, 6], { padding: 1 })
        .toTypedArray()
        .filter((v) => v > 0),
    ).toHaveLength(11);
    expect(() => randomCrop(picture, [4, 4])).toThrow(ShapeError);
    expect(centerCrop(picture, [1, 2]).toArray()).toEqual([[[5, 6]]]);
    expect(centerCrop(picture, 1).shape).toEqual([1, 1, 1]);
    expect(randomCrop(picture, 2, { generator: new Generator(0) }).shape).toEqual([1, 2, 2]);
  });

  test('flips flip with their probability', () => {
    expect(randomHorizontalFlip(picture, { p: 0 })).toBe(picture);
    expect(randomVerticalFlip(picture, { p: 1 }).toArray()).toEqual([
      [
        [8, 9, 10, 11],
        [4, 5, 6, 7],
        [0, 1, 2, 3],
      ],
    ]);
    const generator = new Generator(4);
    const flips = Array.from(
      { length: 1000 },
      () => randomHorizontalFlip(picture, { p: 0.3, generator }) !== picture,
    );
    // 300 expected; the standard deviation is 14.5.
    expect(Math.abs(flips.filter(Boolean).length - 300)).toBeLessThan(60);
    expect(() => randomHorizontalFlip(picture, { p: 2 })).toThrow(ArgumentError);
  });

  test('normalize goes by channel', () => {
    const x = tensor([[[2]], [[9]]]);
    expect(normalize(x, { mean: [1, 3], std: [0.5, 2] }).toArray()).toEqual([[[2]], [[3]]]);
    expect(() => normalize(x, { mean: [1], std: 1 })).toThrow(ShapeError);
    expect(() => normalize(x, { mean: 1, std: [1, 0] })).toThrow(/std is 0/);
    expect(() => normalize(zeros([2]), { mean: 0, std: 1 })).toThrow(ShapeError);
  });
});
