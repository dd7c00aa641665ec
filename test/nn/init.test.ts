// Initialisers: the distributions that they promise, the structure of matrices, and the generator that they follow.

import {
  ArgumentError,
  Generator,
  manualSeed,
  matmul,
  ones,
  ShapeError,
  type Tensor,
  transpose,
  zeros,
} from '@adjoint/core';
import { Conv1d, ConvTranspose2d, init, Linear, Parameter } from '@adjoint/nn';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const big = (): Tensor => zeros([200, 50], { dtype: 'float64' });
const moments = (x: Tensor): { mean: number; std: number; min: number; max: number } => {
  const values = [...x.toTypedArray()];
  const mean = values.reduce((a, b) => a + b) / values.length;
  const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  return { mean, std, min: Math.min(...values), max: Math.max(...values) };
};
const near = (actual: number, expected: number, slack: number): void => {
  expect(Math.abs(actual - expected)).toBeLessThan(slack);
};

describe('distributions, at 10,000 elements of a (200, 50) weight', () => {
  const generator = new Generator(1);
  // Fans of (200, 50): 50 in, 200 out. Formulas of Glorot and Bengio 2010, He et al. 2015.
  test.each([
    ['uniform_', () => init.uniform_(big(), { low: -2, high: 4, generator }), 1, 6 / Math.sqrt(12), [-2, 4]],
    ['normal_', () => init.normal_(big(), { mean: 3, std: 0.5, generator }), 3, 0.5, null],
    [
      'xavierUniform_',
      () => init.xavierUniform_(big(), { gain: 2, generator }),
      0,
      2 * Math.sqrt(2 / 250),
      [-2 * Math.sqrt(6 / 250), 2 * Math.sqrt(6 / 250)],
    ],
    ['xavierNormal_', () => init.xavierNormal_(big(), { generator }), 0, Math.sqrt(2 / 250), null],
    [
      'kaimingUniform_',
      () => init.kaimingUniform_(big(), { a: Math.sqrt(5), generator }),
      0,
      Math.sqrt(1 / 3 / 50),
      [-1 / Math.sqrt(50), 1 / Math.sqrt(50)],
    ],
    [
      'kaimingNormal_ for relu, fanOut',
      () => init.kaimingNormal_(big(), { mode: 'fanOut', nonlinearity: 'relu', generator }),
      0,
      Math.sqrt(2 / 200),
      null,
    ],
    [
      'kaimingNormal_ with fans given',
      () => init.kaimingNormal_(big(), { fans: { fanIn: 8, fanOut: 1 }, nonlinearity: 'linear', generator }),
      0,
      Math.sqrt(1 / 8),
      null,
    ],
    // A standard normal variable within ±2 has variance 1 − 4·φ(2) / (2·Φ(2) − 1).
    [
      'truncNormal_',
      () => init.truncNormal_(big(), { std: 0.5, a: -1, b: 1, generator }),
      0,
      0.5 * Math.sqrt(1 - (4 * 0.05399096651318806) / 0.9544997361036416),
      [-1, 1],
    ],
  ] as const)('%s', (_, fill, mean, std, range) => {
    const drawn = moments(fill());
    near(drawn.mean, mean, (4 * std) / 100);
    near(drawn.std, std, 0.03 * std);
    if (range !== null) {
      const width = range[1] - range[0];
      expect(drawn.min).toBeGreaterThanOrEqual(range[0]);
      expect(drawn.max).toBeLessThanOrEqual(range[1]);
      near(drawn.min, range[0], 0.01 * width);
      near(drawn.max, range[1], 0.01 * width);
    }
  });

  test('a truncated normal far in a tail stays in its interval, in every type', () => {
    for (const dtype of ['float64', 'float32', 'bfloat16'] as const) {
      const { min, max, mean } = moments(
        init.truncNormal_(zeros([500], { dtype }), { a: 5, b: 6, generator }),
      );
      expect(min).toBeGreaterThanOrEqual(5);
      expect(max).toBeLessThanOrEqual(6);
      // E[z | 5 < z < 6] = (φ(5) − φ(6)) / (Φ(6) − Φ(5)) = 5.1842…
      near(mean, 5.184, 0.03);
    }
  });

  test('gains', () => {
    expect(init.gainOf('linear')).toBe(1);
    expect(init.gainOf('tanh')).toBeCloseTo(5 / 3, 15);
    expect(init.gainOf('leakyRelu', Math.sqrt(5))).toBeCloseTo(Math.sqrt(1 / 3), 15);
    expect(() => init.gainOf('sine' as 'tanh')).toThrow(/"sine"/);
  });
});

describe('matrices', () => {
  test('orthogonal rows or columns, whichever are fewer, for any shape', () => {
    const size = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(size, size, size, fc.nat(), (rows, columns, depth, seed) => {
        const x = zeros([rows, columns, depth], { dtype: 'float64' });
        init.orthogonal_(x, { gain: 3, generator: new Generator(seed) });
        const matrix = x.reshape([rows, columns * depth]);
        const gram =
          rows <= columns * depth ? matmul(matrix, transpose(matrix)) : matmul(transpose(matrix), matrix);
        (gram.toArray() as number[][]).forEach((row, i) => {
          row.forEach((value, j) => {
            near(value, i === j ? 9 : 0, 1e-12);
          });
        });
      }),
    );
  });

  test('a dirac kernel passes its input on, group by group', () => {
    const x = init.uniform_(zeros([2, 4, 9], { dtype: 'float64' }), { generator: new Generator(2) });
    const layer = new Conv1d(4, 4, 5, { padding: 2, bias: false, dtype: 'float64' });
    init.dirac_(layer.weight);
    expect(layer.forward(x).toArray()).toEqual(x.toArray());
    expect(init.dirac_(zeros([4, 1, 3]), { groups: 4 }).toArray()).toEqual(
      Array.from({ length: 4 }, () => [[0, 1, 0]]),
    );
  });

  test('the identity, constants', () => {
    expect(init.normal_(zeros([2]), { mean: 5, std: 0 }).toArray()).toEqual([5, 5]);
    expect(init.eye_(ones([2, 3])).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(init.constant_(zeros([2]), 7).toArray()).toEqual([7, 7]);
    expect(init.ones_(zeros([2])).toArray()).toEqual([1, 1]);
    expect(init.zeros_(ones([2])).toArray()).toEqual([0, 0]);
  });
});

describe('what all have in common', () => {
  test('parameters are filled in place and stay leaves', () => {
    const p = new Parameter(zeros([3, 3]));
    expect(init.kaimingNormal_(p)).toBe(p);
    expect(p.requiresGrad && p.isLeaf).toBe(true);
    expect(moments(p).std).toBeGreaterThan(0);
  });

  test('the generator named, or the default one, decides alone', () => {
    for (const fill of [
      init.uniform_,
      init.normal_,
      init.xavierUniform_,
      init.truncNormal_,
      init.orthogonal_,
    ]) {
      const draw = (seed: number): string => String(fill(zeros([4, 4]), { generator: new Generator(seed) }));
      expect(draw(1)).toBe(draw(1));
      expect(draw(1)).not.toBe(draw(2));
      manualSeed(1);
      expect(String(fill(zeros([4, 4])))).toBe(draw(1));
    }
  });

  test('layers draw from the generator in their options', () => {
    const make = (seed: number): string =>
      String(Object.values(new Linear(3, 2, { generator: new Generator(seed) }).stateDict()));
    expect(make(4)).toBe(make(4));
    expect(make(4)).not.toBe(make(5));
  });

  test('fans of a grouped layer come from the layer', () => {
    const layer = new ConvTranspose2d(8, 8, 3, { groups: 4, dtype: 'float64' });
    init.kaimingNormal_(layer.weight, {
      fans: layer.fans,
      nonlinearity: 'linear',
      generator: new Generator(6),
    });
    near(moments(layer.weight).std, Math.sqrt(1 / (2 * 9)), 0.05);
  });
});

describe('what is refused', () => {
  test.each([
    () => init.normal_(zeros([2]), { std: -1 }),
    () => init.truncNormal_(zeros([2]), { std: 0 }),
    () => init.truncNormal_(zeros([2]), { a: 2, b: 1 }),
    () => init.kaimingUniform_(zeros([2, 2]), { mode: 'fan_in' as 'fanIn' }),
    () => init.dirac_(zeros([4, 1, 3]), { groups: 3 }),
  ])('%s', (call) => {
    expect(call).toThrow(ArgumentError);
  });

  test.each([
    () => init.xavierUniform_(zeros([3])),
    () => init.kaimingNormal_(zeros([])),
    () => init.orthogonal_(zeros([3])),
    () => init.dirac_(zeros([3, 3])),
    () => init.eye_(zeros([3])),
  ])('%s', (call) => {
    expect(call).toThrow(ShapeError);
  });
});
