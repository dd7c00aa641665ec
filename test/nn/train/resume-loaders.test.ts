// Training over every kind of loader, saved after any step and resumed by new objects, ends with the bits of a run that never stopped.

import { add, Generator, manualSeed, mseLoss, randn, stack, type Tensor, tensor } from '@adjoint/core';
import { Dropout, Linear, Sequential } from '@adjoint/nn';
import {
  DataLoader,
  type DataLoaderOptions,
  DistributedSampler,
  type IterableDataset,
  RandomSampler,
  TensorDataset,
  WeightedRandomSampler,
} from '@adjoint/nn/data';
import { Adam } from '@adjoint/nn/optim';
import { decodeCheckpoint, encodeCheckpoint, restoreCheckpoint, train } from '@adjoint/nn/train';
import { describe, expect, test } from 'vitest';

type Sample = readonly [x: Tensor, y: Tensor];
type Options = Omit<DataLoaderOptions<Sample, Sample>, 'batchSize'>;

const COUNT = 11;
const x = randn([COUNT, 3], { generator: new Generator(1) });
const y = randn([COUNT, 1], { generator: new Generator(2) });
const rows = new TensorDataset(x, y) as unknown as { readonly length: number; get(i: number): Sample };

const samples: readonly Sample[] = Array.from({ length: COUNT }, (_, i) => rows.get(i));
const stream: IterableDataset<Sample> = {
  async *[Symbol.asyncIterator]() {
    for (const sample of samples) {
      await new Promise((resolve) => setTimeout(resolve));
      yield sample;
    }
  },
};
const slow = {
  length: COUNT,
  get: (i: number): Promise<Sample> =>
    new Promise((resolve) => setTimeout(() => resolve(samples[i]), (7 * i) % 5)),
};

const noisy = ([input, target]: Sample, generator: Generator): Sample => [
  add(input, randn(input.shape, { generator })),
  target,
];
const weights = Array.from({ length: COUNT }, (_, i) => i % 4);
const collate = (batch: Sample[]): Sample => [
  stack(batch.map(([input]) => input)),
  add(stack(batch.map(([, target]) => target)), tensor([0.5])),
];

const kinds: readonly (readonly [string, typeof slow | typeof rows | IterableDataset<Sample>, Options])[] = [
  ['shuffled, the last batch left out', rows, { shuffle: true, dropLast: true }],
  ['collated by a function of the user', rows, { shuffle: true, collate }],
  ['drawn with replacement', rows, { sampler: new RandomSampler(COUNT, { replacement: true, samples: 17 }) }],
  ['weighted', rows, { sampler: new WeightedRandomSampler(weights, 9), transform: noisy }],
  [
    'weighted, without replacement',
    rows,
    { sampler: new WeightedRandomSampler(weights, 6, { replacement: false }) },
  ],
  [
    'a share among replicas',
    rows,
    { sampler: new DistributedSampler(COUNT, { replicas: 2, rank: 1, seed: 4 }) },
  ],
  ['of promises, far ahead', slow, { shuffle: true, prefetch: 5, transform: noisy }],
  ['an iterable', new Set(samples), { transform: noisy }],
  ['an async stream, transformed', stream, { transform: noisy, prefetch: 3 }],
  ['an async stream, the last batch left out', stream, { dropLast: true, prefetch: 0 }],
];

describe.each(kinds)('%s', (_, dataset, options) => {
  function make() {
    manualSeed(3);
    const model = new Sequential(new Linear(3, 4), new Dropout(0.25), new Linear(4, 1));
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    // One loader draws from a generator of its own, which the checkpoint keeps with its position.
    const loader = new DataLoader(dataset, { batchSize: 3, generator: new Generator(9), ...options });
    return {
      parts: { model, optimizer, loader },
      run: { model, optimizer, data: loader, loss: mseLoss, epochs: 3 },
    };
  }

  test('goes on to the same bits from any step', async () => {
    const whole = make();
    const saved: Uint8Array[] = [];
    const losses: number[] = [];
    for await (const { position, loss } of train(whole.run)) {
      losses.push(loss);
      saved.push(await encodeCheckpoint({ ...whole.parts, progress: position }));
    }
    expect(new Set(losses).size).toBe(losses.length);
    for (const [i, bytes] of saved.entries()) {
      const { parts, run } = make();
      const checkpoint = await decodeCheckpoint(bytes);
      restoreCheckpoint(checkpoint, parts);
      const rest: number[] = [];
      let end = bytes;
      for await (const { position, loss } of train({ ...run, start: checkpoint.progress })) {
        rest.push(loss);
        end = await encodeCheckpoint({ ...parts, progress: position });
      }
      expect(rest).toEqual(losses.slice(i + 1));
      expect(end).toEqual(saved.at(-1));
    }
  });
});
