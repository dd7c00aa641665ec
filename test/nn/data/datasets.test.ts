// Datasets, samplers and collating: laws of indices, and the numbers that PyTorch gives.
import { ArgumentError, Generator, ShapeError, tensor, zeros } from '@adjoint/core';
import {
  ConcatDataset,
  collate,
  DataLoader,
  DistributedSampler,
  mapDataset,
  RandomSampler,
  randomSplit,
  Subset,
  TensorDataset,
  WeightedRandomSampler,
} from '@adjoint/nn/data';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const pass = (seed: number, epoch = 0) => ({ epoch, generator: new Generator(seed) });
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('datasets', () => {
  test('TensorDataset puts rows together as collating them one by one does', () => {
    const data = new TensorDataset(
      tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      tensor([7, 8, 9], { dtype: 'int32' }),
    );
    const subset = new Subset(data, [2, 0]);
    const [x, y] = subset.batch!([0, 1]) as typeof data.tensors;
    const [u, v] = collate([subset.get(0), subset.get(1)] as (typeof data.tensors)[]);
    expect([x.toArray(), y.toArray(), y.dtype]).toEqual([u.toArray(), v.toArray(), v.dtype]);
    expect(x.toArray()).toEqual([
      [5, 6],
      [1, 2],
    ]);
  });

  test('ConcatDataset and mapDataset go by number', async () => {
    const one = { length: 2, get: (i: number) => i };
    const two = { length: 3, get: async (i: number) => 10 + i };
    const all = mapDataset(new ConcatDataset<number>([one, two]), (n) => 2 * n);
    expect(await Promise.all(range(5).map((i) => all.get(i)))).toEqual([0, 2, 20, 22, 24]);
    expect(() => new ConcatDataset([one]).get(2)).toThrow(ArgumentError);
  });

  test('refuse what has no such row or no one length', () => {
    expect(() => new TensorDataset(zeros([2, 3]), zeros([3]))).toThrow(ShapeError);
    expect(() => new TensorDataset(zeros([2])).get(2)).toThrow(ArgumentError);
    expect(() => new TensorDataset(zeros([2])).batch([0, -1])).toThrow(ArgumentError);
    expect(() => new Subset(new TensorDataset(zeros([2])), [2])).toThrow(ArgumentError);
  });

  // torch.utils.data.random_split(range(n), fractions), torch 2.x: the lengths of the parts.
  test.each([
    [10, [0.75, 0.25], [8, 2]],
    [11, [0.5, 0.3, 0.2], [6, 3, 2]],
    [7, [1 / 3, 1 / 3, 1 / 3], [3, 2, 2]],
    [100, [0.29, 0.71], [29, 71]],
  ])('randomSplit of %i by %j', (count, fractions, lengths) => {
    const parts = randomSplit(new TensorDataset(zeros([count])), fractions, { generator: new Generator(0) });
    expect(parts.map(({ length }) => length)).toEqual(lengths);
    expect(parts.flatMap(({ indices }) => indices).sort((a, b) => a - b)).toEqual(range(count));
    expect(parts[0].indices).not.toEqual(range(lengths[0]));
  });

  test('randomSplit refuses parts that do not add up', () => {
    expect(() => randomSplit(new TensorDataset(zeros([10])), [4, 5])).toThrow(/add up to 9/);
    expect(() => randomSplit(new TensorDataset(zeros([10])), [1.5, -0.5])).toThrow(ArgumentError);
  });
});

describe('samplers', () => {
  test('DistributedSampler deals out as PyTorch: all samples, the first ones twice or the last ones not at all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        fc.boolean(),
        (count, replicas, dropLast, shuffle) => {
          const shares = range(replicas).map((rank) => {
            const sampler = new DistributedSampler(count, { replicas, rank, dropLast, shuffle, seed: 3 });
            const own = sampler.indices({ epoch: 2 });
            expect(own).toHaveLength(sampler.length);
            return own;
          });
          expect(new Set(shares.map(({ length }) => length)).size).toBe(1);
          const seen = new Set(shares.flat());
          const total = shares.flat().length;
          if (dropLast) expect([seen.size, total]).toEqual([total, count - (count % replicas)]);
          else expect([seen.size, total]).toEqual([count, Math.ceil(count / replicas) * replicas]);
          if (!shuffle && !dropLast) {
            // indices[rank:total:replicas] of the order padded from its start.
            const padded = range(total).map((i) => i % count);
            expect(shares).toEqual(
              range(replicas).map((rank) => padded.filter((_, i) => i % replicas === rank)),
            );
          }
        },
      ),
    );
    expect(() => new DistributedSampler(4, { replicas: 2, rank: 2 })).toThrow(/ranks run from 0 to 1/);
  });

  test('weighted odds are the weights: frequencies within four standard deviations', () => {
    const weights = [1, 0, 3, 6];
    const drawn = new WeightedRandomSampler(weights, 4000).indices(pass(1));
    for (const [i, weight] of weights.entries()) {
      const p = weight / 10;
      const times = drawn.filter((index) => index === i).length;
      expect(Math.abs(times - 4000 * p)).toBeLessThanOrEqual(4 * Math.sqrt(4000 * p * (1 - p)));
    }
    const once = new WeightedRandomSampler(weights, 3, { replacement: false }).indices(pass(1));
    expect([...once].sort()).toEqual([0, 2, 3]);
    expect(() => new WeightedRandomSampler(weights, 4, { replacement: false })).toThrow(
      /3 weights are above 0/,
    );
    expect(() => new WeightedRandomSampler([1, Number.NaN], 1)).toThrow(/weight 1 is NaN/);
  });

  test('RandomSampler with replacement repeats, without does not', () => {
    const again = new RandomSampler(3, { replacement: true, samples: 50 }).indices(pass(2));
    expect([again.length, new Set(again).size]).toEqual([50, 3]);
    const some = new RandomSampler(9, { samples: 4 }).indices(pass(2));
    expect([some.length, new Set(some).size]).toEqual([4, 4]);
    expect(() => new RandomSampler(3, { samples: 4 })).toThrow(ArgumentError);
  });
});

describe('collate', () => {
  test('goes through tuples and objects', () => {
    const batch = collate([
      { x: tensor([1, 2]), meta: { id: 'a', ok: true }, row: Float64Array.of(1) },
      { x: tensor([3, 4]), meta: { id: 'b', ok: false }, row: Float64Array.of(2) },
    ]);
    expect(batch.x.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(batch.meta.id).toEqual(['a', 'b']);
    expect([batch.meta.ok.dtype, batch.meta.ok.toArray()]).toEqual(['bool', [1, 0]]);
    expect([batch.row.dtype, batch.row.shape]).toEqual(['float64', [2, 1]]);
  });

  test('says which part of which sample does not fit', () => {
    expect(() => collate([[zeros([2])], [zeros([3])]])).toThrow(/samples\[·\]\[0\]\[1\] has shape \(3,\)/);
    expect(() => collate([1, 'a'] as unknown[])).toThrow(/number here and string there/);
    expect(() => collate([{ a: 1 }, { b: 1 }] as unknown[])).toThrow(/keys b/);
    expect(() => collate([new Map()] as unknown[])).toThrow(/Map/);
    expect(() => collate([])).toThrow(ArgumentError);
  });

  test('may be replaced', () => {
    const loader = new DataLoader([[1], [2, 3], [4]], {
      batchSize: 2,
      collate: (samples) => samples.map((s) => s.length),
    });
    expect([...loader]).toEqual([[1, 2], [1]]);
  });
});
