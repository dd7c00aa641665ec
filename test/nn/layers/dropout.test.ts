// Dropout: shares, scale, moments, reproducibility, and nothing at all in evaluation.

import { ArgumentError, full, Generator, ones, randn, ShapeError, sum, tensor } from '@adjoint/core';
import { AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, RReLU } from '@adjoint/nn';
import { describe, expect, test } from 'vitest';

test('leaves out a share of p and scales the rest by 1 / (1 − p); the gradient likewise', () => {
  const layer = new Dropout(0.2, { generator: new Generator(1) });
  const x = ones([100, 100], { dtype: 'float64' }).requiresGrad_();
  const y = layer.forward(x);
  const values = [...y.toTypedArray()];
  expect([...new Set(values)].sort()).toEqual([0, 1 / 0.8]);
  const share = values.filter((value) => value === 0).length / values.length;
  expect(Math.abs(share - 0.2)).toBeLessThan(3.5 * Math.sqrt((0.2 * 0.8) / 10000));
  sum(y).backward();
  expect(x.grad!.toArray()).toEqual(y.toArray());
});

test('gives back its very input in evaluation, and with p = 0', () => {
  const x = randn([3, 4, 5]);
  for (const layer of [new Dropout(), new Dropout1d(), new AlphaDropout()])
    expect(layer.eval().forward(x)).toBe(x);
  expect(new Dropout(0).forward(x)).toBe(x);
});

test('p = 1 leaves zeros, without a NaN', () => {
  for (const layer of [new Dropout(1), new AlphaDropout(1)])
    expect([...layer.forward(ones([4])).toTypedArray()].map(Math.abs)).toEqual([0, 0, 0, 0]);
});

test('the same generator state, the same mask', () => {
  const generator = new Generator(3);
  const layer = new Dropout(0.5, { generator });
  const x = randn([50]);
  const state = generator.getState();
  const first = layer.forward(x).toArray();
  expect(layer.forward(x).toArray()).not.toEqual(first);
  generator.setState(state);
  expect(layer.forward(x).toArray()).toEqual(first);
});

describe('channels', () => {
  test.each([
    [new Dropout1d(0.5, { generator: new Generator(4) }), [6, 5, 7]],
    [new Dropout2d(0.5, { generator: new Generator(5) }), [6, 5, 3, 2]],
    [new Dropout3d(0.5, { generator: new Generator(6) }), [6, 5, 2, 2, 2]],
  ] as const)('%s are left out whole', (layer, shape) => {
    for (const input of [shape, shape.slice(1)]) {
      const values = layer.forward(ones(input)).toTypedArray();
      const lead = input.length === shape.length ? 30 : 5;
      const perChannel = values.length / lead;
      const kinds = new Set<number>();
      for (let channel = 0; channel < lead; channel++) {
        const own = new Set(values.slice(channel * perChannel, (channel + 1) * perChannel));
        expect(own.size).toBe(1);
        for (const value of own) kinds.add(value);
      }
      expect([...kinds].sort()).toEqual([0, 2]);
    }
    expect(() => layer.forward(ones([2]))).toThrow(ShapeError);
  });
});

test('alpha dropout keeps mean 0 and variance 1', () => {
  const x = randn([200000], { dtype: 'float64', generator: new Generator(7) });
  const y = [...new AlphaDropout(0.3, { generator: new Generator(8) }).forward(x).toTypedArray()];
  const mean = y.reduce((a, b) => a + b) / y.length;
  const variance = y.reduce((a, b) => a + (b - mean) ** 2, 0) / y.length;
  expect(Math.abs(mean)).toBeLessThan(0.01);
  expect(Math.abs(variance - 1)).toBeLessThan(0.02);
});

test.each([-0.1, 1.1, Number.NaN, '0.5'])('p = %s is refused', (p) => {
  expect(() => new Dropout(p as number)).toThrow(ArgumentError);
});

test('random slopes lie in their interval in training, and are its middle in evaluation', () => {
  const layer = new RReLU({ lower: 0.25, upper: 0.75, generator: new Generator(9) });
  const slopes = [...layer.forward(full([1000], -1, { dtype: 'float64' })).toTypedArray()].map((y) => -y);
  expect(Math.min(...slopes)).toBeGreaterThanOrEqual(0.25);
  expect(Math.max(...slopes)).toBeLessThan(0.75);
  expect(Math.abs(slopes.reduce((a, b) => a + b) / 1000 - 0.5)).toBeLessThan(0.03);
  expect(layer.forward(tensor([3])).toArray()).toEqual([3]);
  expect(
    layer
      .eval()
      .forward(tensor([-2]))
      .toArray(),
  ).toEqual([-1]);
  expect(() => new RReLU({ lower: 1, upper: 0.5 })).toThrow(ArgumentError);
});
