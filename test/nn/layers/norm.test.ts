// Normalisation layers: PyTorch's values, gradients and second gradients, running statistics, and what is refused.

import { ArgumentError, noGrad, randn, ShapeError, Tensor, tensor } from '@adjoint/core';
import {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  GroupNorm,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  LayerNorm,
  type Module,
  RMSNorm,
  type RunningNormOptions,
} from '@adjoint/nn';
import { describe, expect, test } from 'vitest';
import { loadFixtures } from '../../parity/oracle.ts';
import { type Adapter, type Operand, parityTests } from '../../parity/suite.ts';

// The layer with the tensors of the case in the place of its own; null where there is none.
const withTensors = (layer: Module, tensors: Readonly<Record<string, Operand>>): void => {
  for (const [name, value] of Object.entries(tensors)) Reflect.set(layer, name, value);
};

type Kind = new (numFeatures: number, options: RunningNormOptions) => BatchNorm2d | InstanceNorm2d;

const running =
  (
    kinds: readonly Kind[],
    minRank: number,
    uses: (options: Readonly<Record<string, unknown>>) => boolean,
  ): Adapter =>
  ([x, runningMean, runningVar, weight, bias], options) => {
    const { momentum = 0.1, eps = 1e-5 } = options as RunningNormOptions;
    const input = x as Tensor;
    const layer = new kinds[Math.max(0, input.ndim - minRank)](input.shape[1], {
      momentum,
      eps,
      affine: weight instanceof Tensor,
      trackRunningStats: runningMean instanceof Tensor,
      dtype: 'float64',
    });
    withTensors(layer, { weight, bias, runningMean, runningVar });
    if (!uses(options)) layer.eval();
    const output = layer.forward(input);
    if (!(runningMean instanceof Tensor) || !uses(options)) return output;
    return [output, layer.runningMean as Tensor, layer.runningVar as Tensor];
  };

const adapters: Readonly<Record<string, Adapter>> = {
  batchNorm: running(
    [BatchNorm1d, BatchNorm1d, BatchNorm2d, BatchNorm3d],
    2,
    ({ training }) => training === true,
  ),
  instanceNorm: running(
    [InstanceNorm1d, InstanceNorm2d, InstanceNorm3d],
    3,
    ({ useInputStats = true }) => useInputStats === true,
  ),
  layerNorm: ([x, weight, bias], { normalizedShape, eps }) => {
    const layer = new LayerNorm(normalizedShape as number[], { eps: (eps as number) ?? 1e-5 });
    withTensors(layer, { weight, bias });
    return layer.forward(x as Tensor);
  },
  rmsNorm: ([x, weight], { normalizedShape, eps }) => {
    const layer = new RMSNorm(normalizedShape as number[], { eps: eps as number | undefined });
    withTensors(layer, { weight });
    return layer.forward(x as Tensor);
  },
  groupNorm: ([x, weight, bias], { numGroups, eps }) => {
    const layer = new GroupNorm(numGroups as number, (x as Tensor).shape[1], {
      eps: (eps as number) ?? 1e-5,
    });
    withTensors(layer, { weight, bias });
    return layer.forward(x as Tensor);
  },
};

parityTests('normalisation', loadFixtures('normalisation'), adapters);

describe('running statistics', () => {
  test('without momentum they are the plain means over all batches', () => {
    const layer = new BatchNorm2d(3, { momentum: null, dtype: 'float64' });
    const batches = [1, 2, 3].map(() => randn([2, 3, 2, 2], { dtype: 'float64' }));
    for (const batch of batches) layer.forward(batch);
    const mean = (channel: number): number =>
      batches
        .flatMap((batch) => [0, 1].flatMap((n) => (batch.toArray() as number[][][][])[n][channel].flat()))
        .reduce((a, b) => a + b) / 24;
    (layer.runningMean!.toArray() as number[]).forEach((value, channel) => {
      expect(value).toBeCloseTo(mean(channel), 12);
    });
    expect(layer.numBatchesTracked!.item()).toBe(3);
  });

  test('evaluation changes nothing, and gives each image what it would get alone', () => {
    const layer = new BatchNorm2d(2);
    layer.forward(randn([4, 2, 3, 3]));
    layer.eval();
    const before = layer.stateDict().runningMean.toArray();
    const x = randn([3, 2, 3, 3]);
    const all = layer.forward(x).toArray() as unknown[];
    const first = layer
      .forward(tensor((x.toArray() as never[])[0]).reshape([1, 2, 3, 3]))
      .toArray() as unknown[];
    expect(first[0]).toEqual(all[0]);
    expect(layer.stateDict().runningMean.toArray()).toEqual(before);
  });

  test('without running statistics, those of the batch are used in evaluation too', () => {
    const x = randn([4, 2, 3, 3], { dtype: 'float64' });
    const layer = new BatchNorm2d(2, { trackRunningStats: false, dtype: 'float64' });
    const training = layer.forward(x).toArray();
    expect(layer.eval().forward(x).toArray()).toEqual(training);
    expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
    expect(() => layer.forward(randn([1, 2, 1, 1], { dtype: 'float64' }))).toThrow(/has 1 value per mean/);
  });

  test('tracking leaves no graph on the statistics', () => {
    const layer = new BatchNorm1d(2);
    layer.forward(randn([4, 2], { requiresGrad: true }));
    expect(layer.runningMean!.requiresGrad).toBe(false);
    noGrad(() => layer.forward(randn([4, 2])));
  });
});

describe('what is refused', () => {
  test.each([
    () => new BatchNorm2d(0),
    () => new BatchNorm2d(2.5),
    () => new BatchNorm2d(2, { eps: -1 }),
    () => new BatchNorm2d(2, { momentum: 2 }),
    () => new GroupNorm(4, 6),
    () => new LayerNorm([]),
    () => new LayerNorm([3, 0]),
    () => new RMSNorm(4, { eps: Number.NaN }),
  ])('%s', (make) => {
    expect(make).toThrow(ArgumentError);
  });

  test('inputs of other axes or channels, or with one value per channel', () => {
    const layer = new BatchNorm2d(3);
    for (const shape of [
      [2, 3, 4],
      [2, 4, 4, 4],
      [1, 3, 1, 1],
      [0, 3, 2, 2],
    ])
      expect(() => layer.forward(randn(shape))).toThrow(ShapeError);
    expect(layer.numBatchesTracked!.item()).toBe(0);
    expect(layer.eval().forward(randn([1, 3, 1, 1])).shape).toEqual([1, 3, 1, 1]);
  });
});
