// Pooling: against windows read one by one, exact adjoints, agreement of fixed with adaptive windows, refusals.

import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type DType,
  Generator,
  grad,
  maxPool1d,
  maxPool2d,
  maxPool2dWithIndices,
  maxPool3d,
  mean,
  mul,
  neg,
  ones,
  randn,
  reshape,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
  zeros,
} from '@adjoint/core';
import { assertGradcheck, assertGradgradcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertLinear } from './adjoints.ts';

const values = (x: Tensor): number[] => [...x.toTypedArray()];
const normal = (...shape: number[]): Tensor =>
  randn(shape, { dtype: 'float64', generator: new Generator(shape.length) });

const geometries = fc
  .record({
    size: fc.integer({ min: 3, max: 7 }),
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    pad: fc.nat(1),
    ceilMode: fc.boolean(),
  })
  .map(({ size, kernel, stride, pad, ceilMode }) => ({
    size,
    kernel,
    stride,
    padding: Math.min(pad, Math.floor(kernel / 2)),
    ceilMode,
  }));

/** First positions of the windows, by the rule that a window starts inside the input or its left padding. */
function starts({
  size,
  kernel,
  stride,
  padding,
  ceilMode,
}: Parameters<Parameters<typeof geometries.map>[0]>[0]): number[] {
  const list: number[] = [];
  for (let start = -padding; ; start += stride) {
    const reaches = start + kernel <= size + padding;
    if (!reaches && !(ceilMode && start < size && start + kernel - stride < size + padding)) return list;
    list.push(start);
  }
}

describe('windows read one by one', () => {
  test('the mean, whatever counts in it; and the largest, in one dimension', () => {
    fc.assert(
      fc.property(
        geometries,
        fc.boolean(),
        fc.infiniteStream(fc.integer({ min: -9, max: 9 })),
        (g, countIncludePad, stream) => {
          const data = Array.from({ length: g.size }, () => stream.next().value as number);
          const x = tensor(Float64Array.from(data), { shape: [1, g.size] });
          const { kernel, stride, padding, ceilMode } = g;
          const means: number[] = [];
          const largest: number[] = [];
          for (const start of starts(g)) {
            const inside = data.slice(Math.max(start, 0), Math.min(start + kernel, g.size));
            const covered = Math.min(start + kernel, g.size + padding) - start;
            means.push(inside.reduce((a, b) => a + b) / (countIncludePad ? covered : inside.length));
            largest.push(Math.max(...inside));
          }
          expect(values(avgPool1d(x, kernel, { stride, padding, ceilMode, countIncludePad }))).toEqual(means);
          expect(values(maxPool1d(x, kernel, { stride, padding, ceilMode }))).toEqual(largest);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('more dimensions are one after the other', () => {
    const x = normal(2, 3, 4, 5, 6);
    const flat = reshape(x, [24, 5, 6]);
    const rows = maxPool1d(transpose(maxPool1d(flat, 2)), 3);
    expect(values(maxPool2d(flat, [3, 2]))).toEqual(values(transpose(rows)));
    expect(values(maxPool3d(x, [1, 3, 2]))).toEqual(values(maxPool2d(flat, [3, 2])));
    const means = values(avgPool3d(x, [2, 3, 2]));
    const pairs = values(avgPool2d(flat, [3, 2]));
    // Neighbours in depth: 24 planes of 1 by 3 means are 12 pairs of planes.
    means.forEach((value, i) => {
      const plane = Math.floor(i / 3) * 6 + (i % 3);
      expect(value).toBeCloseTo((pairs[plane] + pairs[plane + 3]) / 2, 12);
    });
  });

  test('the places are those of the values', () => {
    const x = normal(2, 3, 6, 5);
    const { values: largest, indices } = maxPool2dWithIndices(x, [3, 2], {
      padding: [1, 0],
      dilation: [1, 3],
      stride: 1,
    });
    for (let plane = 0; plane < 6; plane++) {
      const own = take(x, indices.add(plane * 30));
      const perPlane = values(largest).length / 6;
      const part = (t: Tensor): number[] => values(t).slice(plane * perPlane, (plane + 1) * perPlane);
      expect(part(own)).toEqual(part(largest));
    }
  });
});

describe('adjoints and derivatives', () => {
  test('the mean of powers of two is an exact linear map', () => {
    assertLinear((x) => avgPool2d(x, 2, { stride: 1, padding: 1 }), [2, 3, 4], { scale: 4 });
    assertLinear((x) => avgPool1d(x, 4, { stride: 3, ceilMode: true, countIncludePad: false }), [1, 2, 8], {
      scale: 12,
    });
    assertLinear((x) => avgPool3d(x, 2, { divisorOverride: 1 }), [1, 3, 2, 4]);
    assertLinear((x) => adaptiveAvgPool2d(x, [2, 4]), [1, 4, 4], { scale: 8 });
    assertLinear((x) => adaptiveAvgPool1d(x, 3), [1, 1, 4], { scale: 2 });
  });

  test('the largest element gets the gradient, of equals the first', () => {
    const x = tensor([[1, 3, 3, 0]], { dtype: 'float64', requiresGrad: true });
    expect(grad(sum(maxPool1d(x, 2, { stride: 1 })), x).toArray()).toEqual([[0, 2, 1, 0]]);
  });

  test('derivatives agree with differences', () => {
    const x = normal(1, 2, 5, 4);
    assertGradcheck((y) => mul(maxPool2d(y, 2), 2), [x]);
    assertGradgradcheck((y) => mul(maxPool2d(y, 2, { stride: 1 }), maxPool2d(neg(y), 2, { stride: 1 })), [x]);
    assertGradcheck((y) => adaptiveMaxPool2d(y, [3, 2]), [x]);
    assertGradcheck((y) => avgPool2d(y, 3, { padding: 1, ceilMode: true }), [x]);
    assertGradcheck((y) => adaptiveAvgPool2d(y, 3), [x]);
  });
});

describe('adaptive pooling', () => {
  test('to a divisor of the size is pooling with that window; to 1 it is the mean, to the size itself the operand', () => {
    const x = normal(2, 3, 6, 4);
    expect(values(adaptiveMaxPool2d(x, [3, 2]))).toEqual(values(maxPool2d(x, 2)));
    expect(values(adaptiveMaxPool2dWithIndices(x, [3, 2]).indices)).toEqual(
      values(maxPool2dWithIndices(x, 2).indices),
    );
    const means = values(avgPool2d(x, 2));
    values(adaptiveAvgPool2d(x, [3, 2])).forEach((value, i) => {
      expect(value).toBeCloseTo(means[i], 13);
    });
    const whole = values(mean(x, { axes: [2, 3] }));
    values(adaptiveAvgPool2d(x, 1)).forEach((value, i) => {
      expect(value).toBeCloseTo(whole[i], 13);
    });
    expect(values(adaptiveAvgPool2d(x, [null, null]))).toEqual(values(x));
    expect(adaptiveAvgPool3d(ones([2, 4, 4, 4]), [2, null, 1]).shape).toEqual([2, 2, 4, 1]);
  });

  test('an empty batch stays empty', () => {
    expect(adaptiveAvgPool2d(zeros([0, 2, 3, 3]), 2).shape).toEqual([0, 2, 2, 2]);
    expect(adaptiveMaxPool2d(zeros([0, 2, 3, 3]), 2).shape).toEqual([0, 2, 2, 2]);
    expect(maxPool2d(zeros([0, 2, 4, 4]), 2).shape).toEqual([0, 2, 2, 2]);
  });
});

describe('layouts and dtypes', () => {
  test('views are pooled as their copies are', () => {
    const x = transpose(normal(2, 6, 5));
    expect(values(maxPool2d(x, 2))).toEqual(values(maxPool2d(x.clone(), 2)));
    expect(values(avgPool2d(x, 2))).toEqual(values(avgPool2d(x.clone(), 2)));
    expect(values(adaptiveAvgPool2d(x, 4))).toEqual(values(adaptiveAvgPool2d(x.clone(), 4)));
  });

  test.each(['float32', 'float16', 'bfloat16'] as DType[])('%s stays', (dtype) => {
    const x = tensor([[1, 2, 3, 6]], { dtype });
    for (const y of [maxPool1d(x, 2), avgPool1d(x, 2), adaptiveAvgPool1d(x, 2)]) expect(y.dtype).toBe(dtype);
    expect(values(avgPool1d(x, 2))).toEqual([1.5, 4.5]);
  });
});

describe('refusals', () => {
  const x = zeros([1, 1, 4, 4]);
  const refusals: [string, () => unknown, RegExp][] = [
    [
      'padding above half of the kernel',
      () => maxPool2d(x, 3, { padding: 2 }),
      /^maxPool2d: padding\[0\] is 2, expected at most half of the kernel/,
    ],
    [
      'a kernel larger than the input',
      () => avgPool2d(x, 5),
      /^avgPool2d: inputSize\[0\] is 4, expected at least 5/,
    ],
    ['a divisor of 0', () => avgPool2d(x, 2, { divisorOverride: 0 }), /^avgPool2d: divisorOverride is 0/],
    [
      'other axes',
      () => maxPool2d(zeros([4, 4]), 2),
      /^maxPool2d: x has 2 axes \(shape \(4, 4\)\); it takes 3 or 4/,
    ],
    ['integers', () => maxPool2d(zeros([1, 4, 4], { dtype: 'int32' }), 2), /^maxPool2d: x is int32;/],
    ['a negative size', () => adaptiveAvgPool2d(x, -1), /^adaptiveAvgPool2d: outputSize is -1;/],
    ['too many sizes', () => adaptiveMaxPool2d(x, [1, 2, 3]), /^adaptiveMaxPool2d: outputSize is \[1,2,3\];/],
    [
      'empty windows',
      () => adaptiveMaxPool2d(zeros([1, 0, 4]), 2),
      /^adaptiveMaxPool2d: the spatial size is \[0, 4\]/,
    ],
  ];
  test.each(refusals)('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
