// The PNG of a run, decoded again: every pixel of every image is where it belongs, beside its partner.
import { ArgumentError } from '@adjoint/core/errors';
import fc from 'fast-check';
import { decode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { reconstructionsPng } from '../../examples/autoencoder/pictures.ts';

const layouts = fc
  .record({
    count: fc.integer({ min: 1, max: 7 }),
    height: fc.integer({ min: 1, max: 5 }),
    width: fc.integer({ min: 1, max: 5 }),
    pairsPerRow: fc.integer({ min: 1, max: 4 }),
    scale: fc.integer({ min: 1, max: 3 }),
  })
  .chain((layout) => {
    const length = layout.count * layout.height * layout.width;
    const greys = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length });
    return fc.record({ layout: fc.constant(layout), originals: greys, reconstructions: greys });
  });

describe('reconstructionsPng', () => {
  test('holds each original, scaled, and its reconstruction to its right, with room around', () => {
    fc.assert(
      fc.property(layouts, ({ layout, originals, reconstructions }) => {
        const { count, height, width, scale } = layout;
        const toGrey = (values: readonly number[]) => Float32Array.from(values, (value) => value / 255);
        const png = reconstructionsPng({
          ...layout,
          originals: toGrey(originals),
          reconstructions: toGrey(reconstructions),
        });
        const page = decode(png);
        const perRow = Math.min(count, layout.pairsPerRow);
        const cell = { width: 2 * width * scale + 2 + 10, height: height * scale + 10 };
        expect([page.width, page.height, page.channels]).toEqual([
          10 + perRow * cell.width,
          10 + Math.ceil(count / perRow) * cell.height,
          3,
        ]);
        // Paint the expected page pixel by pixel from its description, then compare it whole.
        const expected = Array.from({ length: page.height }, (_, y) =>
          Array.from({ length: page.width }, (_, x) => {
            const [column, row] = [Math.floor((x - 10) / cell.width), Math.floor((y - 10) / cell.height)];
            const [inX, inY] = [x - 10 - column * cell.width, y - 10 - row * cell.height];
            const right = inX >= width * scale + 2;
            const pixelX = Math.floor((right ? inX - width * scale - 2 : inX) / scale);
            const pixelY = Math.floor(inY / scale);
            const i = row * perRow + column;
            const inside = column >= 0 && row >= 0 && i < count && pixelX < width && pixelY < height;
            if (!inside) return [0xf4, 0xf4, 0xf5];
            const grey = (right ? reconstructions : originals)[(i * height + pixelY) * width + pixelX];
            return [grey, grey, grey];
          }),
        );
        expect(Buffer.compare(Buffer.from(page.data as Uint8Array), Buffer.from(expected.flat(2)))).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('clips greys to black and white, and shows what is no number in red', () => {
    const originals = [-3, 0, 1, 7];
    const reconstructions = [Number.NaN, Number.POSITIVE_INFINITY, 0.5, Number.NEGATIVE_INFINITY];
    const page = decode(reconstructionsPng({ originals, reconstructions, height: 1, width: 4, scale: 1 }));
    const at = (x: number) => [
      ...page.data.slice(3 * (10 * page.width + 10 + x), 3 * (10 * page.width + 11 + x)),
    ];
    expect([0, 1, 2, 3].map((x) => at(x)[0])).toEqual([0, 0, 255, 255]);
    const red = [0xe1, 0x1d, 0x48];
    expect([6, 7, 8, 9].map(at)).toEqual([red, red, [128, 128, 128], red]);
  });

  test('refuses arrays that are no whole images, or not as many', () => {
    const refused = (options: Partial<Parameters<typeof reconstructionsPng>[0]>) =>
      expect(() =>
        reconstructionsPng({ originals: [0, 0], reconstructions: [0, 0], height: 1, width: 2, ...options }),
      );
    refused({ originals: [0, 0, 0] }).toThrow(ArgumentError);
    refused({ originals: [], reconstructions: [] }).toThrow(ArgumentError);
    refused({ reconstructions: [0, 0, 0, 0] }).toThrow(/as many pixels as originals, 2, found 4/);
    refused({ scale: 0 }).toThrow(ArgumentError);
    refused({ pairsPerRow: 1.5 }).toThrow(ArgumentError);
    refused({ height: Number.NaN }).toThrow(ArgumentError);
  });
});
