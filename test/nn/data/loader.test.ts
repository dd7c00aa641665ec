// DataLoader: every sample once, in an order that the seed alone decides, whatever was prefetched, interrupted or resumed.
import {
  ArgumentError,
  defaultGenerator,
  Generator,
  manualSeed,
  randn,
  type Tensor,
  tensor,
} from '@adjoint/core';
import { DataLoader, type Dataset, DistributedSampler, randomAffine, TensorDataset } from '@adjoint/nn/data';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const rows = (count: number) =>
  new TensorDataset(tensor(Int32Array.from(numbers(count)), { dtype: 'int32' }));
const flat = (batches: Iterable<readonly [{ toTypedArray(): ArrayLike<number> }]>): number[][] =>
  Array.from(batches, ([x]) => Array.from(x.toTypedArray()));

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

/** A dataset of promises that settle in the opposite order of their asking. */
function slow(count: number): Dataset<number> {
  let wait = 30;
  return {
    length: count,
    get: (i) => {
      wait -= 2;
      return new Promise((resolve) => setTimeout(() => resolve(i), Math.max(0, wait)));
    },
  };
}

const cases = fc.record({
  count: fc.integer({ min: 0, max: 23 }),
  batchSize: fc.integer({ min: 1, max: 7 }),
  dropLast: fc.boolean(),
  shuffle: fc.boolean(),
  prefetch: fc.integer({ min: 0, max: 4 }),
  seed: fc.integer({ min: 0, max: 1000 }),
});

describe('a pass', () => {
  test('gives every sample once; a short last batch as dropLast says; the same with for and for await', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ count, batchSize, dropLast, shuffle, prefetch, seed }) => {
        const make = () =>
          new DataLoader(rows(count), {
            batchSize,
            dropLast,
            shuffle,
            prefetch,
            generator: new Generator(seed),
          });
        const batches = flat(make());
        const kept = dropLast ? count - (count % batchSize) : count;
        const seen = batches.flat();
        expect(new Set(seen).size).toBe(kept);
        expect(seen).toHaveLength(kept);
        if (!shuffle) expect(seen).toEqual(numbers(kept));
        expect(batches).toHaveLength(make().length);
        expect(batches.every((batch, i) => batch.length === batchSize || i === batches.length - 1)).toBe(
          true,
        );
        expect(flat(await collect(make()))).toEqual(batches);
      }),
      { numRuns: 60 },
    );
  });

  test('of promises keeps the order of the samples, and is refused by for', async () => {
    const loader = new DataLoader(slow(7), { batchSize: 2, prefetch: 3 });
    const batches = await collect(loader);
    expect(batches.map((x) => Array.from(x.toTypedArray()))).toEqual([[0, 1], [2, 3], [4, 5], [6]]);
    expect(() => [...new DataLoader(slow(2))]).toThrow(ArgumentError);
  });

  test('begins as many batches ahead as prefetch says, and no more', async () => {
    const begun: number[] = [];
    const dataset: Dataset<number> = {
      length: 6,
      get: async (i) => {
        begun.push(i);
        return i;
      },
    };
    const iterator = new DataLoader(dataset, { prefetch: 2 })[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise((resolve) => setTimeout(resolve));
    expect(begun).toEqual([0, 1, 2]);
    await iterator.return();
    expect(begun).toEqual([0, 1, 2]);
  });

  test('fails where the sample fails, after the batches before it', async () => {
    const dataset: Dataset<number> = {
      length: 4,
      get: async (i) => {
        if (i === 2) throw new RangeError('no such picture');
        return i;
      },
    };
    const seen: number[] = [];
    const reading = async () => {
      for await (const x of new DataLoader(dataset, { prefetch: 3 })) seen.push(x.item());
    };
    await expect(reading()).rejects.toThrow('no such picture');
    expect(seen).toEqual([0, 1]);
  });

  test('of a stream, sync or async, knows its last batch', async () => {
    async function* stream() {
      yield* numbers(5);
    }
    const source = { [Symbol.asyncIterator]: stream };
    for (const dropLast of [false, true]) {
      const expected = dropLast
        ? [
            [0, 1],
            [2, 3],
          ]
        : [[0, 1], [2, 3], [4]];
      const loader = new DataLoader(source, { batchSize: 2, dropLast });
      const epochs: number[] = [];
      const batches: number[][] = [];
      for await (const x of loader) {
        batches.push(Array.from(x.toTypedArray()));
        epochs.push(loader.epoch);
      }
      expect(batches).toEqual(expected);
      expect(epochs).toEqual(expected.map((_, i) => (i === expected.length - 1 ? 1 : 0)));
      const set = new DataLoader(new Set(numbers(5)), { batchSize: 2, dropLast });
      expect(Array.from(set, (x) => Array.from(x.toTypedArray()))).toEqual(expected);
    }
    expect(() => new DataLoader(source, { shuffle: true })).toThrow(/stream/);
    expect(() => new DataLoader(source).length).toThrow(ArgumentError);
  });
});

describe('randomness', () => {
  test('differs between passes, follows from the seed, and draws nothing where nothing is random', () => {
    const make = () => new DataLoader(rows(20), { shuffle: true, generator: new Generator(5) });
    const loader = make();
    const [first, second] = [flat(loader), flat(loader)];
    expect(first).not.toEqual(second);
    const again = make();
    expect([flat(again), flat(again)]).toEqual([first, second]);
    manualSeed(1);
    const before = defaultGenerator.getState();
    flat(new DataLoader(rows(9)));
    expect(defaultGenerator.getState()).toEqual(before);
    flat(new DataLoader(rows(9), { shuffle: true }));
    expect(defaultGenerator.getState()).not.toEqual(before);
  });

  test('each sample of each pass draws numbers of its own', () => {
    const drawn: number[] = [];
    const transform = ([x]: readonly [Tensor], generator: Generator) => {
      drawn.push(generator.nextWord());
      return [x] as const;
    };
    const loader = new DataLoader(rows(12), { batchSize: 4, transform, generator: new Generator(1) });
    flat(loader);
    flat(loader);
    expect(new Set(drawn).size).toBe(24);
  });

  test('shuffles reach every order about equally often', () => {
    const loader = new DataLoader(rows(3), { batchSize: 3, shuffle: true, generator: new Generator(1) });
    const seen = new Map<string, number>();
    for (let i = 0; i < 1200; i++) {
      const order = String(flat(loader));
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    // 200 each expected; the standard deviation is 12.9.
    for (const times of seen.values()) expect(Math.abs(times - 200)).toBeLessThan(60);
  });

  test('a distributed sampler asks the loader for its pass: the shares of all ranks make up the whole', () => {
    const share = (rank: number) =>
      new DataLoader(rows(9), { sampler: new DistributedSampler(9, { replicas: 3, rank }) });
    const loaders = [0, 1, 2].map(share);
    const passes = [0, 1].map(() => loaders.map((loader) => flat(loader).flat()));
    for (const pass of passes) expect(pass.flat().sort((a, b) => a - b)).toEqual(numbers(9));
    expect(passes[0]).not.toEqual(passes[1]);
  });
});

describe('a state', () => {
  const images = new TensorDataset(randn([11, 1, 4, 4], { generator: new Generator(0) }));
  const make = (prefetch: number) =>
    new DataLoader(images, {
      batchSize: 2,
      shuffle: true,
      prefetch,
      generator: new Generator(3),
      transform: ([x], generator) => [randomAffine(x, { degrees: 30, generator })] as const,
    });

  test('taken after any batch of any pass goes on to the same bits, transforms included', async () => {
    const bits = ([x]: readonly [{ toTypedArray(): ArrayLike<number> }]) =>
      String(Array.from(x.toTypedArray()));
    const whole: string[] = [];
    const states: unknown[] = [];
    const loader = make(2);
    for (let epoch = 0; epoch < 3; epoch++) {
      for await (const batch of loader) {
        whole.push(bits(batch));
        states.push(JSON.parse(JSON.stringify(loader.stateDict())));
      }
    }
    expect(new Set(whole).size).toBe(18);
    for (const [i, state] of states.entries()) {
      const other = make(i % 4);
      other.loadStateDict(state as ReturnType<typeof other.stateDict>);
      const rest: string[] = [];
      while (other.epoch < 3) for await (const batch of other) rest.push(bits(batch));
      expect(rest).toEqual(whole.slice(i + 1));
    }
  });

  test('of a stream goes on behind what was given out', async () => {
    const loader = new DataLoader(new Set(numbers(7)), { batchSize: 2 });
    for await (const _ of loader) break;
    const state = loader.stateDict();
    const other = new DataLoader(new Set(numbers(7)), { batchSize: 2 });
    other.loadStateDict(state);
    expect((await collect(other)).map((x) => Array.from(x.toTypedArray()))).toEqual([[2, 3], [4, 5], [6]]);
  });

  test('a pass that was left counts, and the next iteration begins another', () => {
    const loader = new DataLoader(rows(6), { batchSize: 2 });
    for (const _ of loader) break;
    expect([loader.epoch, loader.batch]).toEqual([0, 1]);
    expect(flat(loader)).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(loader.epoch).toBe(2);
  });

  test('is that of the newest iteration, whatever is still read of an older one', () => {
    const loader = new DataLoader(rows(6), { batchSize: 2 });
    const older = loader[Symbol.iterator]();
    older.next();
    const newer = loader[Symbol.iterator]();
    newer.next();
    const state = loader.stateDict();
    while (older.next().done !== true) expect(loader.stateDict()).toEqual(state);
    expect(loader.stateDict()).toEqual(state);
  });

  test('that does not fit is refused', () => {
    const loader = new DataLoader(rows(6), { batchSize: 2 });
    const { stateDict } = new DataLoader(rows(6), { batchSize: 3 });
    const foreign = stateDict.call(new DataLoader(rows(6), { batchSize: 3 }));
    expect(() => loader.loadStateDict(foreign)).toThrow(/batches of 3/);
    const state = loader.stateDict();
    expect(() => loader.loadStateDict({ ...state, batch: -1 })).toThrow(ArgumentError);
    expect(() => loader.loadStateDict({ ...state, batch: 1, seed: 4 })).toThrow(/shuffles/);
  });
});

test('contradictions are refused', () => {
  const sampler = { length: 1, indices: () => [7] };
  expect(() => new DataLoader(rows(3), { shuffle: true, sampler })).toThrow(/both/);
  expect(() => [...new DataLoader(rows(3), { sampler })]).toThrow(/sampler gives 7/);
  expect(() => new DataLoader(rows(3), { batchSize: 0 })).toThrow(ArgumentError);
  expect(() => new DataLoader(3 as never)).toThrow(/neither/);
});
