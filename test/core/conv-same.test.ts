// Padding 'same': the output has the input's size, and the odd zero stands after the end; a bad call does no work.

import { cat, conv2d, GeometryError, type Tensor, tensor, zeros } from '@adjoint/core';
import { kernels } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { integers } from '../properties/conv-cases.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

// Zeros before and after along an axis, by concatenation.
function widen(x: Tensor, axis: number, before: number, after: number): Tensor {
  const band = (size: number): Tensor =>
    zeros(
      x.shape.map((n, i) => (i === axis ? size : n)),
      { dtype: x.dtype },
    );
  return cat([band(before), x, band(after)], { axis });
}

describe("padding 'same'", () => {
  test('is a convolution of the input with zeros around it, the odd one last', () => {
    const size = fc.integer({ min: 1, max: 5 });
    const pair = fc.tuple(size, size);
    fc.assert(
      fc.property(pair, pair, pair, fc.boolean(), fc.nat(), (input, kernel, dilation, batched, seed) => {
        const x = integers([2, 4, ...input], { seed }, 1);
        const weight = integers([2, 2, ...kernel], { seed }, 2);
        const options = { groups: 2, dilation };
        const around = [0, 1].reduce((wide, axis) => {
          const total = dilation[axis] * (kernel[axis] - 1);
          return widen(wide, axis + 2, Math.floor(total / 2), Math.ceil(total / 2));
        }, x);
        const expected = conv2d(around, weight, options);
        expect(expected.shape).toEqual([2, 2, ...input]);
        const same = batched
          ? conv2d(x, weight, { ...options, padding: 'same' })
          : cat(
              [0, 1].map((n) =>
                conv2d(x.select(0, n), weight, { ...options, padding: 'same' }).reshape([1, 2, ...input]),
              ),
            );
        expect(same.toArray()).toEqual(expected.toArray());
      }),
      { numRuns: 100 },
    );
  });

  test('writes nothing before all options have been checked', () => {
    const x = zeros([1, 4, 5, 5]);
    const weight = zeros([3, 2, 2, 4]);
    const [assign, convForward] = [vi.spyOn(kernels, 'assign'), vi.spyOn(kernels, 'convForward')];
    expect(() => conv2d(x, weight, { padding: 'same', groups: 2 })).toThrow(GeometryError);
    const bias = tensor([1, 2]);
    expect(() => conv2d(x, zeros([4, 2, 2, 4]), { padding: 'same', groups: 2, bias })).toThrow(
      /bias has shape/,
    );
    expect(() => conv2d(zeros([1, 2, 0, 5]), zeros([1, 2, 2, 2]), { padding: 'same' })).toThrow(
      GeometryError,
    );
    expect(assign).not.toHaveBeenCalled();
    expect(convForward).not.toHaveBeenCalled();
  });
});
