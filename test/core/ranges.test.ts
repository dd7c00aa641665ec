// arange, linspace and eye.

import { arange, eye, grad, linspace, mul, sum, type Tensor } from '@adjoint/core';
import { describe, expect, test } from 'vitest';

const values = (x: Tensor): number[] => [...x.toTypedArray()];

describe('ranges', () => {
  test('arange, linspace and eye', () => {
    expect(values(arange(5))).toEqual([0, 1, 2, 3, 4]);
    expect(values(arange(1, -2, { step: -0.5, dtype: 'float64' }))).toEqual([1, 0.5, 0, -0.5, -1, -1.5]);
    expect(arange(3, 3).shape).toEqual([0]);
    expect(arange(3, { dtype: 'int32' }).dtype).toBe('int32');
    expect(values(linspace(-1, 1, 5))).toEqual([-1, -0.5, 0, 0.5, 1]);
    expect(values(linspace(2, 9, 1))).toEqual([2]);
    expect(linspace(0, 1, 0).shape).toEqual([0]);
    const even = values(linspace(0.1, 0.9, 7, { dtype: 'float64' }));
    expect(even[0]).toBe(0.1);
    expect(even[6]).toBe(0.9);
    expect(eye(2, 3).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(eye(0).shape).toEqual([0, 0]);
    expect(values(arange(4, { dtype: 'bool' }))).toEqual([0, 1, 1, 1]);
    // Rounded once: 2049 / 2 in float16 goes to the even neighbour.
    expect(values(arange(1024.5, 1025, { dtype: 'float16' }))).toEqual([1024]);
  });

  test('requiresGrad gives a leaf', () => {
    const x = linspace(0, 1, 3, { dtype: 'float64', requiresGrad: true });
    expect(values(grad(sum(mul(x, x)), x))).toEqual([0, 1, 2]);
  });
});

describe('errors say what is legal', () => {
  const refusals: [string, () => unknown, RegExp][] = [
    [
      'a step that leads away',
      () => arange(0, 3, { step: -1 }),
      /^arange: a step of -1 does not lead from 0 to 3/,
    ],
    ['an endless range', () => arange(Infinity), /^arange: end is Infinity/],
    ['a fractional count', () => linspace(0, 1, 2.5), /^linspace: the number of elements is 2\.5/],
  ];
  test.each(refusals)('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
