// Convolutions of every fast tier and instruction set, against the reference.

import { type ConvGeometry, convGeometry, type FloatArray } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { geometryArbitrary } from './arbitraries.ts';
import {
  derivatives,
  expectOddElementsToReachTheSame,
  type Operands,
  operands,
  reference,
  wholeOperands,
} from './conv-operands.ts';
import { differentValues, reals } from './product-values.ts';
import { type Float, floatTypes } from './samples.ts';
import { differentBits, fastTiers } from './tiers-available.ts';

/** Geometries of layers: sizes at which tiles, panels, bands and the packing of each path have edges. */
const layers: readonly ConvGeometry[] = [
  // A kernel that covers all of its input: products of images as rows, over more than a block of the depth, and group by group.
  convGeometry({ batch: 17, inChannels: 65, outChannels: 50, inputSize: [4, 3], kernelSize: [4, 3] }),
  convGeometry({
    batch: 5,
    inChannels: 12,
    outChannels: 9,
    inputSize: [2, 3, 2],
    kernelSize: [2, 3, 2],
    stride: [3, 1, 2],
    groups: 3,
  }),
  convGeometry({ batch: 2, inChannels: 64, outChannels: 33, inputSize: [19, 23], kernelSize: 3, padding: 1 }),
  convGeometry({ batch: 3, inChannels: 40, outChannels: 40, inputSize: [7, 7], kernelSize: 3, padding: 1 }),
  convGeometry({ batch: 2, inChannels: 3, outChannels: 32, inputSize: [33, 31], kernelSize: 5, padding: 2 }),
  convGeometry({
    batch: 2,
    inChannels: 30,
    outChannels: 17,
    inputSize: [21, 20],
    kernelSize: 4,
    stride: 2,
    padding: 1,
  }),
  convGeometry({
    batch: 2,
    inChannels: 37,
    outChannels: 37,
    inputSize: [15, 18],
    kernelSize: 3,
    padding: 1,
    groups: 37,
  }),
  convGeometry({
    batch: 2,
    inChannels: 24,
    outChannels: 48,
    inputSize: [15, 18],
    kernelSize: 3,
    stride: [2, 1],
    groups: 12,
  }),
  convGeometry({ batch: 3, inChannels: 65, outChannels: 31, inputSize: [9, 11], kernelSize: 1 }),
  convGeometry({ batch: 3, inChannels: 16, outChannels: 32, inputSize: [9, 11], kernelSize: 1, groups: 4 }),
  // Pointwise, of more than a block of depth, whose weight gradient is summed in parts; and with a weight too large for that.
  convGeometry({ batch: 5, inChannels: 400, outChannels: 20, inputSize: [6, 7], kernelSize: 1 }),
  convGeometry({ batch: 3, inChannels: 370, outChannels: 371, inputSize: [3, 2], kernelSize: 1 }),
  convGeometry({
    batch: 1,
    inChannels: 20,
    outChannels: 20,
    inputSize: [17, 17],
    kernelSize: 3,
    dilation: [3, 2],
    padding: 4,
  }),
  convGeometry({
    batch: 2,
    inChannels: 11,
    outChannels: 6,
    inputSize: [5, 9, 8],
    kernelSize: [2, 3, 3],
    stride: [1, 2, 3],
    padding: 1,
  }),
  convGeometry({
    batch: 2,
    inChannels: 48,
    outChannels: 20,
    inputSize: [301],
    kernelSize: 9,
    stride: 3,
    padding: 4,
  }),
  // Depthwise planes: bands of rows, rows shorter than a register, kernels of both widths, steps of one and two, wide padding, more
  // input than the last step reaches, fewer rows than a tile.
  ...(
    [
      [[60, 150], 3, 1, 1],
      [[61, 46], 3, 2, 1],
      [[9, 14], 5, 1, 2],
      [[8, 33], 5, 2, [3, 1]],
      [[3, 19], 3, 1, [0, 4]],
      [[12, 33], 3, 1, [3, 4]],
    ] as const
  ).map(([inputSize, kernelSize, stride, padding]) =>
    convGeometry({
      batch: 2,
      inChannels: 6,
      outChannels: 6,
      inputSize,
      kernelSize,
      stride,
      padding,
      groups: 6,
    }),
  ),
  // Depthwise with phases of columns that differ in length, and rows longer and shorter than a register.
  convGeometry({
    batch: 2,
    inChannels: 5,
    outChannels: 5,
    inputSize: [12, 45],
    kernelSize: 3,
    stride: [1, 2],
    padding: 1,
    groups: 5,
  }),
  // Few input channels and many output channels, in several blocks of rows: two strips of them, the second narrower.
  convGeometry({
    batch: 2,
    inChannels: 2,
    outChannels: 45,
    inputSize: [30, 40],
    kernelSize: [3, 4],
    padding: 1,
  }),
  // Many channels, 3 × 3: tiles of 2 × 2 in several blocks, cut off at the edges, over more than one image, panel and strip.
  convGeometry({ batch: 2, inChannels: 61, outChannels: 66, inputSize: [33, 41], kernelSize: 3, padding: 1 }),
  convGeometry({ batch: 5, inChannels: 70, outChannels: 40, inputSize: [10, 9], kernelSize: 3 }),
  convGeometry({
    batch: 3,
    inChannels: 96,
    outChannels: 64,
    inputSize: [12, 15],
    kernelSize: 3,
    padding: [3, 5],
    groups: 2,
  }),
  // The same with taps that are apart: phases of unequal length, and more of them than an axis has positions.
  convGeometry({
    batch: 2,
    inChannels: 64,
    outChannels: 48,
    inputSize: [19, 31],
    kernelSize: 3,
    dilation: [3, 2],
    padding: [3, 1],
  }),
  convGeometry({
    batch: 3,
    inChannels: 96,
    outChannels: 96,
    inputSize: [5, 44],
    kernelSize: 3,
    dilation: [7, 2],
    padding: [7, 2],
    groups: 2,
  }),
  // Rows of tiles longer than a block, and a single column of them.
  convGeometry({ batch: 1, inChannels: 40, outChannels: 36, inputSize: [6, 301], kernelSize: 3, padding: 1 }),
  convGeometry({
    batch: 4,
    inChannels: 64,
    outChannels: 64,
    inputSize: [61, 3],
    kernelSize: 3,
    padding: [0, 1],
  }),
  // Channels in two blocks of the depth.
  convGeometry({
    batch: 1,
    inChannels: 420,
    outChannels: 80,
    inputSize: [15, 14],
    kernelSize: 3,
    padding: 1,
  }),
  // Rows of the output that whole panels make up, of few and very few channels, in several blocks of depth.
  convGeometry({ batch: 2, inChannels: 3, outChannels: 4, inputSize: [5, 64], kernelSize: 3, padding: 1 }),
  convGeometry({ batch: 1, inChannels: 48, outChannels: 20, inputSize: [4, 64], kernelSize: 3, padding: 1 }),
  // Larger than a band, and than a block of the depth.
  convGeometry({ batch: 1, inChannels: 8, outChannels: 5, inputSize: [200, 210], kernelSize: 3, padding: 1 }),
  convGeometry({ batch: 2, inChannels: 160, outChannels: 18, inputSize: [8, 8], kernelSize: 3, padding: 1 }),
  // Output channels as lanes: strips of two registers and of one, more than a block of depth, rows cut and whole, several bands,
  // three axes, phases of rows and columns that differ in length.
  convGeometry({
    batch: 2,
    inChannels: 40,
    outChannels: 40,
    inputSize: [15, 33],
    kernelSize: 3,
    stride: 2,
    padding: 1,
  }),
  convGeometry({ batch: 3, inChannels: 6, outChannels: 16, inputSize: [14, 14], kernelSize: 5 }),
  convGeometry({
    batch: 1,
    inChannels: 64,
    outChannels: 16,
    inputSize: [70, 69],
    kernelSize: [4, 3],
    stride: 2,
    padding: 1,
  }),
  convGeometry({
    batch: 1,
    inChannels: 20,
    outChannels: 31,
    inputSize: [4, 9, 12],
    kernelSize: [2, 3, 4],
    stride: 2,
    padding: 1,
  }),
  // Many small images, of which several are summed up together in the weight gradient, the last ones fewer.
  convGeometry({
    batch: 37,
    inChannels: 56,
    outChannels: 19,
    inputSize: [8, 7],
    kernelSize: 4,
    stride: 2,
    padding: 1,
  }),
  // Channels in several tiles, of more than one plane of taps; and a stride beyond the kernel's reach, whose odd rows nothing reads.
  convGeometry({
    batch: 2,
    inChannels: 60,
    outChannels: 17,
    inputSize: [3, 5, 6],
    kernelSize: [2, 3, 2],
    stride: [1, 2, 1],
  }),
  convGeometry({
    batch: 3,
    inChannels: 64,
    outChannels: 30,
    inputSize: [17, 15],
    kernelSize: 1,
    stride: [3, 2],
  }),
  // Few input channels, many output channels: more images than sums that are made apart, of two groups; and sums too large for that.
  convGeometry({ batch: 37, inChannels: 4, outChannels: 46, inputSize: [7, 9], kernelSize: 3, groups: 2 }),
  convGeometry({ batch: 5, inChannels: 10, outChannels: 600, inputSize: [5, 6], kernelSize: 5, padding: 1 }),
  // Three channels and more phases of columns than a register tile has rows: the input gradient of patches.
  convGeometry({ batch: 1, inChannels: 3, outChannels: 8, inputSize: [40, 40], kernelSize: 5, stride: 5 }),
  convGeometry({ batch: 1, inChannels: 3, outChannels: 6, inputSize: [64, 64], kernelSize: 16, stride: 16 }),
];

/** Small layers whose rows lie side by side: one row of taps or several, one output channel or several, steps, depthwise or not. */
const compact: readonly ConvGeometry[] = [
  convGeometry({ batch: 1, inChannels: 1, outChannels: 1, inputSize: [4, 5], kernelSize: [1, 2] }),
  convGeometry({ batch: 2, inChannels: 2, outChannels: 1, inputSize: [3, 6], kernelSize: [1, 3] }),
  convGeometry({ batch: 1, inChannels: 1, outChannels: 3, inputSize: [4, 5], kernelSize: 2 }),
  convGeometry({ batch: 1, inChannels: 2, outChannels: 2, inputSize: [5, 7], kernelSize: 3, groups: 2 }),
  convGeometry({ batch: 1, inChannels: 1, outChannels: 1, inputSize: [5, 8], kernelSize: [1, 2], stride: 2 }),
];

/** The same numbers, with NaN on both sides. */
function amongNaN(values: FloatArray): FloatArray {
  const around = 64;
  const space = new (values.constructor as Float)(values.length + 2 * around).fill(Number.NaN);
  space.set(values, around);
  return space.subarray(around, around + values.length);
}

/** Operands of a layer and what the reference makes of them, which takes longer than all the tiers together: once for all of them. */
interface LayerCase {
  readonly whole: Operands;
  readonly expected: readonly FloatArray[];
  readonly real: Operands;
  readonly close: readonly FloatArray[];
  /** The same sums of absolute values. */
  readonly bounds: readonly FloatArray[];
}

const layerCases = new Map<Float, Map<ConvGeometry, LayerCase>>(floatTypes.map((Type) => [Type, new Map()]));

function layerCase(g: ConvGeometry, Type: Float): LayerCase {
  const known = layerCases.get(Type)?.get(g);
  if (known) return known;
  const whole = wholeOperands(g, Type);
  const real = operands(g, (length, seed) => reals(Type, length, seed));
  const size = { x: real.x.map(Math.abs), w: real.w.map(Math.abs), y: real.y.map(Math.abs) };
  const [expected, close, bounds] = [whole, real, size].map((given) => derivatives(reference, g, given));
  const made = { whole, expected, real, close, bounds };
  layerCases.get(Type)?.set(g, made);
  return made;
}

test('this machine has a fast tier, or the reference says why not', () => {
  // With a compiler the install builds the native tier: losing it unnoticed would leave every test below empty.
  expect(fastTiers.length).toBeGreaterThan(0);
});

describe.each(fastTiers)('%s', (name, { kernels, setThreads }) => {
  afterAll(() => {
    setThreads(4);
  });

  describe.each(floatTypes)('%o', (Type) => {
    test('convolutions of whole numbers are exact, for every geometry', () => {
      fc.assert(
        fc.property(geometryArbitrary, fc.integer({ min: 1, max: 4 }), (g, threads) => {
          setThreads(threads);
          const given = wholeOperands(g, Type);
          const expected = derivatives(reference, g, given);
          derivatives(kernels, g, given).forEach((got, i) => {
            expect(got).toEqual(expected[i]);
          });
        }),
        { numRuns: 150 },
      );
    });

    test.each(layers.map((g, i) => [i, g] as const))(
      'layer %i: exact on whole numbers, within the bound on reals, the same bits on 1 to 4 threads',
      (index, g) => {
        const { whole, expected, real, close, bounds } = layerCase(g, Type);
        // On one number of threads, another one for each layer: that the others compute the same is seen on reals.
        setThreads(1 + (index % 4));
        derivatives(kernels, g, whole).forEach((got, i) => {
          expect(differentValues(got, expected[i])).toEqual([]);
        });
        const first: FloatArray[] = [];
        for (const threads of [1, 2, 3, 4]) {
          setThreads(threads);
          const got = derivatives(kernels, g, real);
          if (threads === 1) first.push(...got);
          got.forEach((array, i) => {
            expect(differentBits(array, first[i])).toEqual([]);
          });
        }
        // Each result is a sum of at most `terms` products: |error| <= terms · ε · Σ|products| (Higham 2002, 3.1).
        const plane = (extents: readonly number[]) => extents.reduce((p, q) => p * q, 1);
        const terms = [
          (g.inChannels / g.groups) * plane(g.kernelSize),
          (g.outChannels / g.groups) * plane(g.kernelSize),
          g.batch * plane(g.outputSize),
        ];
        const epsilon = Type === Float32Array ? 2 ** -24 : 2 ** -53;
        first.forEach((got, k) => {
          for (let i = 0; i < got.length; i++) {
            const error = Math.abs(got[i] - close[k][i]);
            if (!(error <= (terms[k] + 2) * epsilon * bounds[k][i]))
              expect.fail(`kernel ${k}, element ${i}: ${got[i]}, reference ${close[k][i]}`);
          }
        });
      },
    );

    test('an infinite or undefined element reaches what the reference says it reaches', () => {
      expectOddElementsToReachTheSame(kernels, layers.slice(0, 11), Type);
    });

    // Where rows follow each other without padding, a row of taps that runs over the end of one meets the start of the next.
    test.each(compact.map((g, i) => [i, g] as const))(
      'layer %i without padding: an infinite element in any place reaches what the reference says it reaches',
      (_, g) => {
        const given = wholeOperands(g, Type);
        for (const array of [given.x, given.y]) {
          for (let place = 0; place < array.length; place++) {
            const value = array[place];
            array[place] = Infinity;
            const expected = derivatives(reference, g, given);
            derivatives(kernels, g, given).forEach((got, i) => {
              expect(differentValues(got, expected[i]), `with element ${place} infinite`).toEqual([]);
            });
            array[place] = value;
          }
        }
      },
    );

    test.each(layers.map((g, i) => [i, g] as const))(
      'layer %i: what lies around the operands, or was left in scratch memory, does not show in the bits',
      (_, g) => {
        setThreads(1);
        const { real } = layerCase(g, Type);
        const alone = derivatives(kernels, g, real);
        derivatives(
          kernels,
          g,
          operands(g, (length) => new Type(length).fill(Number.NaN)),
        );
        const among = { x: amongNaN(real.x), w: amongNaN(real.w), y: amongNaN(real.y) };
        derivatives(kernels, g, among).forEach((got, i) => {
          expect(differentBits(got, alone[i])).toEqual([]);
        });
      },
    );

    test('pointwise results of more than 2 MB begin anywhere, and nothing around them is written', () => {
      // Written past the caches, in whole registers: from the first place that is aligned, wherever the result begins.
      const g = convGeometry({
        batch: 2,
        inChannels: 5,
        outChannels: 107,
        inputSize: [48, 52],
        kernelSize: 1,
      });
      const { x, w } = wholeOperands(g, Type);
      const expected = new Type(2 * 107 * 48 * 52);
      reference.convForward(g, x, w, expected);
      const memory = new Type(expected.length + 64);
      for (const [threads, from] of [
        [1, 0],
        [2, 1],
        [3, 7],
        [4, 12],
        [1, 31],
      ]) {
        setThreads(threads);
        memory.fill(-0.5);
        const y = memory.subarray(from, from + expected.length);
        kernels.convForward(g, x, w, y);
        expect(differentBits(y, expected)).toEqual([]);
        const around = [...memory.subarray(0, from), ...memory.subarray(from + expected.length)];
        expect(new Set(around)).toEqual(new Set([-0.5]));
      }
    });

    test.runIf(name.startsWith('wasm') && Type === Float32Array)(
      'a plane of millions: numbers of tiles and tasks multiply to more than 32 bits',
      () => {
        const g = convGeometry({
          batch: 1,
          inChannels: 1,
          outChannels: 5,
          inputSize: [1900, 1900],
          kernelSize: 3,
          padding: 1,
        });
        const { x, w } = wholeOperands(g, Type);
        const [alone, shared] = [1, 4].map((threads) => {
          setThreads(threads);
          const y = new Type(5 * 1900 * 1900);
          kernels.convForward(g, x, w, y);
          return y;
        });
        expect(differentBits(shared, alone)).toEqual([]);
      },
    );
  });
});
