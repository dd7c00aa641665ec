// The printed form. The strings are NumPy's own (numpy.array2string with separator ', '), lines of 75 columns aside.

import { inspect } from 'node:util';
import { arange, type DType, mul, ones, tensor, zeros } from '@adjoint/core';
import { describe, expect, test } from 'vitest';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe('numbers are written as NumPy writes them', () => {
  const cases: readonly [DType, number | number[] | number[][], string][] = [
    ['float64', [1, 2.5, 3], '[1. , 2.5, 3. ]'],
    ['float64', Math.PI, '3.14159265'],
    ['float32', Math.PI, '3.1415927'],
    ['float64', [1 / 3, 2 / 3], '[0.33333333, 0.66666667]'],
    ['float32', [1 / 3, 2 / 3], '[0.33333334, 0.6666667 ]'],
    ['float16', [1 / 3, 0.1], '[0.3333, 0.1   ]'],
    ['float64', [nan, inf, -inf, -0, 1.5], '[ nan,  inf, -inf, -0. ,  1.5]'],
    ['float64', [nan, -inf], '[ nan, -inf]'],
    ['float64', [1e-10, 1], '[1.e-10, 1.e+00]'],
    ['float64', [1e300, 1], '[1.e+300, 1.e+000]'],
    ['float64', [1e300, 1e-300], '[1.e+300, 1.e-300]'],
    ['float64', [1e15, nan], '[1.e+15,    nan]'],
    ['float64', [1234.5, 0.001], '[1.2345e+03, 1.0000e-03]'],
    ['float32', [5e-4, -2e4, 0.46773404], '[ 5.0000002e-04, -2.0000000e+04,  4.6773404e-01]'],
    ['float64', [0.000381, 1.1959358004e-4, -1100], '[ 3.8100000e-04,  1.1959358e-04, -1.1000000e+03]'],
    ['float64', [0.00012], '[0.00012]'],
    ['float64', [99999999], '[99999999.]'],
    ['float64', [123456789], '[1.23456789e+08]'],
    [
      'float64',
      [
        [-1.5, 22.25],
        [3, 4],
      ],
      '[[-1.5 , 22.25],\n        [ 3.  ,  4.  ]]',
    ],
    ['int32', [1, -20, 300], '[  1, -20, 300]'],
  ];

  test.each(cases)('%s %s', (dtype, data, expected) => {
    const note = dtype === 'float32' ? '' : `, dtype=${dtype}`;
    expect(tensor(data, { dtype }).toString()).toBe(`tensor(${expected}${note})`);
  });
});

describe('layout', () => {
  test('of three axes', () => {
    expect(`${arange(24).reshape([2, 3, 4])}`).toBe(
      [
        'tensor([[[ 0.,  1.,  2.,  3.],',
        '         [ 4.,  5.,  6.,  7.],',
        '         [ 8.,  9., 10., 11.]],',
        '',
        '        [[12., 13., 14., 15.],',
        '         [16., 17., 18., 19.],',
        '         [20., 21., 22., 23.]]])',
      ].join('\n'),
    );
  });

  test('of more than a thousand elements: three at either end', () => {
    expect(`${arange(1001)}`).toBe('tensor([   0.,    1.,    2., ...,  998.,  999., 1000.])');
    expect(`${zeros([1000])}`).not.toContain('...');
    const rows = `${zeros([20, 60])}`.split('\n');
    expect(rows).toHaveLength(7);
    expect(rows[3]).toBe('        ...,');
    expect(rows[6]).toBe('        [0., 0., 0., ..., 0., 0., 0.]])');
  });

  test('of views is that of their values', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(`${x.transpose().flip(0)}`).toBe('tensor([[2., 4.],\n        [1., 3.]])');
  });
});

test('what the default does not say is said: shape of nothing, dtype, place in the graph', () => {
  expect(`${zeros([2, 0])}`).toBe('tensor([], shape=(2, 0))');
  expect(`${tensor([true, false])}`).toBe('tensor([ true, false], dtype=bool)');
  const x = ones([1], { requiresGrad: true });
  expect(`${x}`).toBe('tensor([1.], requiresGrad=true)');
  expect(inspect(mul(x, 2))).toBe('tensor([2.], gradFn=mul)');
});

describe('JSON', () => {
  test('has the values, with a graph or without', () => {
    const x = tensor(
      [
        [1, 2],
        [3, NaN],
      ],
      { requiresGrad: true },
    );
    const expected = { shape: [2, 2], dtype: 'float32', data: [2, 4, 6, null] };
    expect(JSON.parse(JSON.stringify(x.mul(2)))).toEqual(expected);
    expect(JSON.parse(JSON.stringify(x.mul(2).transpose()))).toEqual({ ...expected, data: [2, 6, 4, null] });
  });
});
