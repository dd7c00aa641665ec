// What is particular to convolutions of 3 × 3 by Winograd's tiles: an error that the tile bounds and not the output alone, and
// tiles through which nothing that is not finite may spread.

import { type ConvGeometry, convGeometry, type FloatArray } from '@adjoint/kernels-cpu';
import { describe, expect, test } from 'vitest';
import {
  derivatives,
  expectOddElementsToReachTheSame,
  type Operands,
  operands,
  reference,
} from './conv-operands.ts';
import { integers } from './product-values.ts';
import { floatTypes } from './samples.ts';
import { fastTiers } from './tiers-available.ts';

/** Enough channels and tiles that the tiers transform them; odd and even extents; none, little and much padding; taps that are apart. */
const layers: readonly ConvGeometry[] = [
  convGeometry({ batch: 2, inChannels: 40, outChannels: 44, inputSize: [17, 20], kernelSize: 3, padding: 1 }),
  convGeometry({ batch: 3, inChannels: 64, outChannels: 48, inputSize: [16, 15], kernelSize: 3 }),
  convGeometry({
    batch: 2,
    inChannels: 96,
    outChannels: 80,
    inputSize: [13, 14],
    kernelSize: 3,
    padding: 3,
    groups: 2,
  }),
  convGeometry({
    batch: 2,
    inChannels: 40,
    outChannels: 44,
    inputSize: [21, 24],
    kernelSize: 3,
    dilation: [2, 3],
    padding: [2, 3],
  }),
];

/** Of mixed sign, and of sizes from 2⁻²⁰ to 2²⁰. */
function spread(i: number, seed: number): number {
  const hash = (Math.imul(i + 1, 2654435761) ^ Math.imul(seed, 40503)) | 0;
  const mixed = Math.imul(hash ^ (hash >>> 15), 2246822519);
  return (mixed / 2 ** 31) * 2 ** (((mixed >>> 3) % 41) - 20);
}

type Matrix = readonly (readonly number[])[];
// The absolute values of Bᵀ, G and A.
const B: Matrix = [
  [1, 0, 1, 0],
  [0, 1, 1, 0],
  [0, 1, 1, 0],
  [0, 1, 0, 1],
];
const G: Matrix = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, 0.5, 0.5],
  [0, 0, 1],
];
const A: Matrix = [
  [1, 0],
  [1, 1],
  [1, 1],
  [0, 1],
];
const transposed = (m: Matrix): Matrix => m[0].map((_, j) => m.map((row) => row[j]));

/** m · a · mᵀ of a square a, flat. */
function sandwich(m: Matrix, at: (i: number, j: number) => number): number[] {
  const inner = m[0].map((_, i) => i);
  return m.flatMap((left) =>
    m.map((right) =>
      inner.reduce((s, i) => s + left[i] * inner.reduce((t, j) => t + at(i, j) * right[j], 0), 0),
    ),
  );
}

/** One convolution of stride 1, of absolute values: source channels, weight per (row, channel), and where target (0, 0) reads. */
interface Plain {
  readonly dilation: readonly number[];
  readonly channels: number;
  readonly rows: number;
  readonly extent: readonly number[];
  readonly origin: readonly number[];
  source(channel: number, h: number, w: number): number;
  weight(row: number, channel: number, h: number, w: number): number;
}

/** Where tiles of two outputs, `dilation` apart, begin on an axis. */
function tileStarts(extent: number, dilation: number): number[] {
  return Array.from({ length: extent }, (_, i) => i).filter((i) => Math.floor(i / dilation) % 2 === 0);
}

/** |A|ᵀ[Σ (|G| |g| |G|ᵀ) ⊙ (|B|ᵀ |d| |B|)]|A| for every output [row][h][w]. */
function tileBound(c: Plain): Float64Array {
  const bound = new Float64Array(c.rows * c.extent[0] * c.extent[1]);
  const weights = Array.from({ length: c.rows * c.channels }, (_, i) =>
    sandwich(G, (h, w) => c.weight(Math.floor(i / c.channels), i % c.channels, h, w)),
  );
  for (const h of tileStarts(c.extent[0], c.dilation[0]))
    for (const w of tileStarts(c.extent[1], c.dilation[1])) {
      const [down, right] = c.dilation;
      const tile = Array.from({ length: c.channels }, (_, k) =>
        sandwich(B, (i, j) => c.source(k, h + i * down + c.origin[0], w + j * right + c.origin[1])),
      );
      for (let row = 0; row < c.rows; row++) {
        const sums = new Float64Array(16);
        for (let k = 0; k < c.channels; k++)
          for (let p = 0; p < 16; p++) sums[p] += weights[row * c.channels + k][p] * tile[k][p];
        const outputs = sandwich(transposed(A), (i, j) => sums[4 * i + j]);
        outputs.forEach((value, p) => {
          const [i, j] = [h + (p >> 1) * down, w + (p & 1) * right];
          if (i < c.extent[0] && j < c.extent[1]) bound[(row * c.extent[0] + i) * c.extent[1] + j] = value;
        });
      }
    }
  return bound;
}

/** |G|ᵀ[Σ (|A| |dy| |A|ᵀ) ⊙ (|B|ᵀ |d| |B|)]|G| for every weight of a geometry of one group. */
function weightBound(g: ConvGeometry, x: Reader, y: Reader): Float64Array {
  const sums = Array.from({ length: g.outChannels * g.inChannels }, () => new Float64Array(16));
  const [low, left] = g.padding;
  const [down, right] = g.dilation;
  for (let n = 0; n < g.batch; n++)
    for (const h of tileStarts(g.outputSize[0], down))
      for (const w of tileStarts(g.outputSize[1], right)) {
        const tiles = Array.from({ length: g.inChannels }, (_, c) =>
          sandwich(B, (i, j) => x(n, c, h + i * down - low, w + j * right - left)),
        );
        for (let k = 0; k < g.outChannels; k++) {
          const outputs = sandwich(A, (i, j) => y(n, k, h + i * down, w + j * right));
          for (let c = 0; c < g.inChannels; c++)
            for (let p = 0; p < 16; p++) sums[k * g.inChannels + c][p] += outputs[p] * tiles[c][p];
        }
      }
  return Float64Array.from(sums.flatMap((sum) => sandwich(transposed(G), (i, j) => sum[4 * i + j])));
}

/** The absolute value of element (image, channel, row, column), 0 outside. */
type Reader = (n: number, k: number, i: number, j: number) => number;

/** The bounds of y, x and w, for a geometry of one group. */
function bounds(g: ConvGeometry, { x, w, y }: Operands): readonly Float64Array[] {
  const reader =
    (data: FloatArray, extent: readonly number[], channels: number): Reader =>
    (n, k, i, j) =>
      i < 0 || j < 0 || i >= extent[0] || j >= extent[1]
        ? 0
        : Math.abs(data[((n * channels + k) * extent[0] + i) * extent[1] + j]);
  const readX = reader(x, g.inputSize, g.inChannels);
  const readY = reader(y, g.outputSize, g.outChannels);
  const tap = (k: number, c: number, i: number, j: number) =>
    Math.abs(w[(k * g.inChannels + c) * 9 + 3 * i + j]);
  const images = Array.from({ length: g.batch }, (_, n) => n);
  const forward = images.map((n) =>
    tileBound({
      dilation: g.dilation,
      channels: g.inChannels,
      rows: g.outChannels,
      extent: g.outputSize,
      origin: g.padding.map((p) => -p),
      source: (c, i, j) => readX(n, c, i, j),
      weight: tap,
    }),
  );
  const back = images.map((n) =>
    tileBound({
      dilation: g.dilation,
      channels: g.outChannels,
      rows: g.inChannels,
      extent: g.inputSize,
      origin: g.padding.map((p, axis) => p - 2 * g.dilation[axis]),
      source: (k, i, j) => readY(n, k, i, j),
      weight: (c, k, i, j) => tap(k, c, 2 - i, 2 - j),
    }),
  );
  const joined = (parts: readonly Float64Array[]) => Float64Array.from(parts.flatMap((part) => [...part]));
  return [joined(forward), joined(back), weightBound(g, readX, readY)];
}

const spreadCases = new Map(
  floatTypes.map((Type) => [
    Type,
    layers
      .filter(({ groups }) => groups === 1)
      .map((g) => {
        const given = operands(g, (length, seed) => new Type(length).map((_, i) => spread(i, seed)));
        return { g, given, close: derivatives(reference, g, given), bound: bounds(g, given) };
      }),
  ]),
);

describe.each(fastTiers)('%s', (_name, { kernels }) => {
  describe.each(floatTypes)('%o', (Type) => {
    test('the error is within ε (terms + 14) times the same tiles of absolute values', () => {
      const epsilon = Type === Float32Array ? 2 ** -24 : 2 ** -53;
      for (const { g, given, close, bound } of spreadCases.get(Type) ?? []) {
        const got = derivatives(kernels, g, given);
        const tiles = g.batch * Math.ceil(g.outputSize[0] / 2) * Math.ceil(g.outputSize[1] / 2);
        [g.inChannels, g.outChannels, tiles].forEach((terms, k) => {
          let worst = 0;
          for (let i = 0; i < got[k].length; i++)
            worst = Math.max(worst, Math.abs(got[k][i] - close[k][i]) / bound[k][i]);
          expect(worst).toBeLessThanOrEqual((terms + 14) * epsilon);
        });
      }
    });

    test('an infinite or undefined element reaches what the reference says it reaches', () => {
      expectOddElementsToReachTheSame(kernels, layers, Type);
    });

    test('numbers that overflow inside a tile alone leave its outputs as they are', () => {
      const huge = Type === Float32Array ? 3e38 : 1.5e308;
      for (const g of layers) {
        // The operand with huge elements, the seed of the one that is scaled down, and the kernel that takes both.
        for (const [which, scaled, kernel] of [
          ['x', 2, 0],
          ['y', 2, 1],
          ['x', 3, 2],
        ] as const) {
          const given = operands(g, (length, seed) =>
            integers(Type, length, seed).map((value) => value / (seed === scaled ? 1024 : 1)),
          );
          const array = given[which];
          const [width] = (which === 'x' ? g.inputSize : g.outputSize).slice(-1);
          // d0 − d2 and the like are out of range; sums of w · d are not, and none cancels out.
          const at = (Math.floor(array.length / width / 2) + 5) * width + 4;
          array[at] = huge;
          array[at + 2 * g.dilation[1]] = -0.7 * huge;
          const expected = derivatives(reference, g, given)[kernel];
          const got = derivatives(kernels, g, given)[kernel];
          expect(expected.some((value) => Math.abs(value) > huge / 4096)).toBe(true);
          for (let i = 0; i < got.length; i++) {
            const [value, right] = [got[i], expected[i]];
            // What does not meet them is a sum of small whole numbers of 1/1024.
            const near =
              Math.abs(right) > 1e6 ? Math.abs(value - right) <= 1e-6 * Math.abs(right) : value === right;
            if (!near) expect.fail(`kernel ${kernel}, element ${i}: ${value}, reference ${right}`);
          }
        }
      }
    });
  });
});
