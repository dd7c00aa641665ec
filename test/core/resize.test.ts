// Resizing: values that a mode must reproduce (constants, lines, cubics), exact adjoints, and agreement between modes.

import {
  adaptiveAvgPool2d,
  arange,
  type DType,
  Generator,
  type InterpolateMode,
  interpolate,
  linspace,
  mul,
  ones,
  pixelShuffle,
  pixelUnshuffle,
  randn,
  reshape,
  slice,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from '@adjoint/core';
import { assertGradcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertLinear } from './adjoints.ts';

const values = (x: Tensor): number[] => [...x.toTypedArray()];
const normal = (...shape: number[]): Tensor =>
  randn(shape, { dtype: 'float64', generator: new Generator(shape.length) });
const row = (x: Tensor): Tensor => reshape(x, [1, 1, x.size]);
const sizes = fc.integer({ min: 1, max: 9 });

describe('what each mode reproduces', () => {
  test('constants, in every mode and to every size', () => {
    const modes: [InterpolateMode, number][] = [
      ['nearest', 1],
      ['nearest-exact', 2],
      ['linear', 1],
      ['bilinear', 2],
      ['bicubic', 2],
      ['trilinear', 3],
      ['area', 2],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...modes), sizes, sizes, fc.boolean(), ([mode, dims], from, to, align) => {
        const x = mul(ones([1, 2, ...Array<number>(dims).fill(from)], { dtype: 'float64' }), 3);
        const alignCorners = mode.includes('linear') || mode === 'bicubic' ? { alignCorners: align } : {};
        const y = interpolate(x, { size: to, mode, ...alignCorners });
        expect(y.shape).toEqual([1, 2, ...Array<number>(dims).fill(to)]);
        for (const value of values(y)) expect(Math.abs(value - 3)).toBeLessThan(1e-13);
      }),
    );
  });

  test('linear with aligned corners: a straight line, end to end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 2, max: 9 }), (from, to) => {
        const line = row(linspace(-2, 5, from, { dtype: 'float64' }));
        const expected = values(linspace(-2, 5, to, { dtype: 'float64' }));
        values(interpolate(line, { size: to, mode: 'linear', alignCorners: true })).forEach((value, i) => {
          expect(value).toBeCloseTo(expected[i], 12);
        });
      }),
    );
  });

  test('with aligned corners linear and cubic curves pass through the pixels', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 4 }), (n, parts) => {
        const x = normal(1, 1, n, n);
        const size = (n - 1) * parts + 1;
        for (const mode of ['bilinear', 'bicubic'] as const) {
          const y = interpolate(x, { size, mode, alignCorners: true });
          const through = slice(y, [0, 0, { step: parts }, { step: parts }]);
          values(through).forEach((value, i) => {
            expect(value).toBeCloseTo(values(x)[i], 12);
          });
        }
      }),
    );
  });

  test('nearest repeats and skips whole pixels', () => {
    const x = row(arange(4, { dtype: 'float64' }));
    expect(values(interpolate(x, { size: 8 }))).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    expect(values(interpolate(x, { size: 2 }))).toEqual([0, 2]);
    expect(values(interpolate(x, { size: 2, mode: 'nearest-exact' }))).toEqual([1, 3]);
    expect(values(interpolate(x, { scaleFactor: 1.5 }))).toEqual([0, 0, 1, 2, 2, 3]);
  });

  test('area is adaptive pooling, half the size linearly is the mean of pairs', () => {
    const x = normal(1, 2, 6, 4);
    expect(values(interpolate(x, { size: [4, 3], mode: 'area' }))).toEqual(
      values(adaptiveAvgPool2d(x, [4, 3])),
    );
    const pairs = interpolate(row(arange(6, { dtype: 'float64' })), { size: 3, mode: 'linear' });
    expect(values(pairs)).toEqual([0.5, 2.5, 4.5]);
  });

  // PyTorch copies where a scale leaves the size as it is; bicubic alone samples at the places of the scale.
  test('a scale that does not change the size copies, linearly', () => {
    const x = tensor([[[1, 4, -2]]]);
    const rows = tensor([[[[1], [4], [-2]]]]);
    expect(interpolate(x, { scaleFactor: 1.3, mode: 'linear' }).toArray()).toEqual(x.toArray());
    expect(interpolate(rows, { scaleFactor: 1.3, mode: 'bilinear' }).toArray()).toEqual(rows.toArray());
    expect(interpolate(rows, { scaleFactor: 1.3, mode: 'bicubic' }).toArray()).not.toEqual(rows.toArray());
  });

  test('the same size gives the same values', () => {
    const x = normal(1, 1, 3, 5);
    for (const mode of ['nearest', 'bilinear', 'bicubic', 'area'] as const)
      expect(values(interpolate(x, { size: [3, 5], mode }))).toEqual(values(x));
  });
});

describe('adjoints and derivatives', () => {
  test('weights that are dyadic make exact linear maps', () => {
    assertLinear((x) => interpolate(x, { size: 6, mode: 'nearest' }), [1, 2, 4]);
    assertLinear((x) => interpolate(x, { size: [8, 2], mode: 'bilinear' }), [1, 1, 4, 4], { scale: 16 });
    assertLinear((x) => interpolate(x, { scaleFactor: 2, mode: 'bicubic' }), [1, 1, 3, 4], { scale: 65536 });
    assertLinear(
      (x) => interpolate(x, { size: [3, 2, 5], mode: 'trilinear', alignCorners: true }),
      [1, 1, 2, 2, 2],
      { scale: 8 },
    );
    assertLinear((x) => pixelShuffle(x, 2), [2, 8, 2, 3]);
    assertLinear((x) => pixelUnshuffle(x, 3), [1, 6, 3]);
  });

  test('derivatives agree with differences', () => {
    const x = normal(1, 2, 3, 4);
    for (const mode of ['bilinear', 'bicubic', 'area'] as const)
      assertGradcheck((y) => interpolate(y, { size: [5, 2], mode }), [x]);
  });
});

describe('pixel shuffles', () => {
  test('are each other in reverse, on any number of leading axes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 2 }),
        fc.integer({ min: 1, max: 3 }),
        (lead, r) => {
          const x = normal(...lead, 2 * r * r, 2, 3);
          const y = pixelShuffle(x, r);
          expect(y.shape).toEqual([...lead, 2, 2 * r, 3 * r]);
          expect(values(pixelUnshuffle(y, r))).toEqual(values(x));
        },
      ),
    );
  });

  test('channel c·r² + i·r + j is pixel (i, j) of each block of channel c', () => {
    const x = reshape(arange(8, { dtype: 'float64' }), [8, 1, 1]);
    expect(pixelShuffle(x, 2).toArray()).toEqual([
      [
        [0, 1],
        [2, 3],
      ],
      [
        [4, 5],
        [6, 7],
      ],
    ]);
  });
});

describe('layouts and dtypes', () => {
  test('views are resized as their copies are', () => {
    const x = transpose(normal(1, 2, 4, 3));
    for (const mode of ['nearest', 'bilinear', 'bicubic', 'area'] as const)
      expect(values(interpolate(x, { size: 5, mode }))).toEqual(
        values(interpolate(x.clone(), { size: 5, mode })),
      );
  });

  test.each(['float32', 'float16', 'bfloat16'] as DType[])('%s stays', (dtype) => {
    const y = interpolate(tensor([[[1, 3]]], { dtype }), { size: 3, mode: 'linear', alignCorners: true });
    expect(y.dtype).toBe(dtype);
    expect(values(y)).toEqual([1, 2, 3]);
  });
});

describe('refusals', () => {
  const x = zeros([1, 1, 2, 2]);
  const refusals: [string, () => unknown, RegExp][] = [
    [
      'neither size nor scale',
      () => interpolate(x, {}),
      /^interpolate: neither of size and scaleFactor is given/,
    ],
    ['both', () => interpolate(x, { size: 2, scaleFactor: 2 }), /^interpolate: both of size and scaleFactor/],
    ['a size of 0', () => interpolate(x, { size: 0 }), /^interpolate: size is 0 for spatial sizes \[2, 2\]/],
    ['a scale to nothing', () => interpolate(x, { scaleFactor: 0.2 }), /^interpolate: scaleFactor is 0\.2/],
    ['too many sizes', () => interpolate(x, { size: [1, 2, 3] }), /^interpolate: size is \[1,2,3\]/],
    [
      'an unknown mode',
      () => interpolate(x, { size: 2, mode: 'sinc' as 'area' }),
      /^interpolate: mode is "sinc"; it takes one of 'nearest'/,
    ],
    [
      'a mode for other axes',
      () => interpolate(x, { size: 2, mode: 'linear' }),
      /^interpolate: x has shape \(1, 1, 2, 2\); mode 'linear' takes \(N, C, …\) with 1 spatial/,
    ],
    [
      'corners without meaning',
      () => interpolate(x, { size: 2, alignCorners: false }),
      /^interpolate: alignCorners has no meaning in mode 'nearest'/,
    ],
    [
      'a scale that is not there',
      () => interpolate(x, { size: 2, recomputeScaleFactor: true }),
      /^interpolate: recomputeScaleFactor is about scaleFactor/,
    ],
    [
      'integers',
      () => interpolate(zeros([1, 1, 2], { dtype: 'int32' }), { size: 2 }),
      /^interpolate: x is int32/,
    ],
    [
      'channels that do not divide',
      () => pixelShuffle(zeros([3, 2, 2]), 2),
      /^pixelShuffle: x has 3 channels/,
    ],
    [
      'pixels that do not divide',
      () => pixelUnshuffle(zeros([3, 2, 3]), 2),
      /^pixelUnshuffle: x has 2 × 3 pixels/,
    ],
    ['a factor of 0', () => pixelShuffle(zeros([4, 2, 2]), 0), /^pixelShuffle: upscaleFactor is 0/],
    [
      'a matrix',
      () => pixelShuffle(zeros([4, 2]), 2),
      /^pixelShuffle: x has shape \(4, 2\); it takes \(…, C, H, W\)/,
    ],
  ];
  test.each(refusals)('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
