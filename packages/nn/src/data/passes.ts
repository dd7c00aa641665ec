// One pass over a dataset as batches, by number or as a stream, and how batches are loaded ahead.

import { ArgumentError } from '@adjoint/core';
import type { Dataset, IterableDataset } from './dataset.ts';

/** A batch, and whether it is the last of its pass. */
export interface Loaded<Batch> {
  readonly batch: Batch;
  readonly last: boolean;
}

/** How samples become batches. */
export interface Plan<Sample, Batch> {
  readonly batchSize: number;
  readonly dropLast: boolean;
  /** Batches that were given out before. */
  readonly skip: number;
  /** The numbers of the samples in order; not used for streams. */
  readonly order: readonly number[];
  /** Whether the dataset may put samples together itself. */
  readonly own: boolean;
  /** Makes a batch of samples; `start` is the place of the first in the pass. */
  readonly load: (samples: readonly Sample[], start: number) => Batch;
}

/** Batches of a dataset by number. Each is begun when it is asked for; those of promises are promises. */
export function* mapped<Sample, Batch>(
  dataset: Dataset<Sample>,
  { batchSize, dropLast, skip, order, own, load }: Plan<Sample, Batch>,
): Iterable<Loaded<Batch> | Promise<Loaded<Batch>>> {
  const wrong = order.findIndex((i) => !(Number.isInteger(i) && i >= 0 && i < dataset.length));
  if (wrong >= 0) {
    throw new ArgumentError(`the sampler gives ${order[wrong]}, and there are ${dataset.length} samples.`, {
      op: 'DataLoader',
      operand: 'sampler',
      actual: order[wrong],
      expected: `integers in [0, ${dataset.length})`,
    });
  }
  const count = dropLast ? Math.floor(order.length / batchSize) : Math.ceil(order.length / batchSize);
  for (let k = skip; k < count; k++) {
    const last = k === count - 1;
    const start = k * batchSize;
    const indices = order.slice(start, start + batchSize);
    if (own && dataset.batch !== undefined) {
      const batch = dataset.batch(indices);
      yield batch instanceof Promise
        ? batch.then((value: Batch) => ({ batch: value, last }))
        : { batch: batch as Batch, last };
      continue;
    }
    const samples = indices.map((i) => dataset.get(i));
    yield samples.some((sample) => sample instanceof Promise)
      ? Promise.all(samples).then((ready) => ({ batch: load(ready, start), last }))
      : { batch: load(samples as Sample[], start), last };
  }
}

/** Batches that are all there at once: a promise among them is an error. */
export function* refusePromises<Batch>(
  batches: Iterable<Loaded<Batch> | Promise<Loaded<Batch>>>,
): Iterable<Loaded<Batch>> {
  for (const loaded of batches) {
    if (!(loaded instanceof Promise)) {
      yield loaded;
      continue;
    }
    // Its own failure, if it comes to one, is no longer of interest.
    loaded.catch(() => {});
    throw new ArgumentError('the dataset gives promises; read the loader with for await.', {
      op: 'DataLoader',
      operand: 'dataset',
    });
  }
}

/** Batches of a stream. The next group is read before one is given out, so that the last is known for what it is. */
export async function* streamed<Sample, Batch>(
  stream: IterableDataset<Sample>,
  plan: Plan<Sample, Batch>,
): AsyncGenerator<Loaded<Batch>, void, undefined> {
  const groups = new Groups(plan);
  for await (const sample of stream) yield* groups.push(sample);
  yield* groups.end();
}

/** As {@link streamed}, at once. */
export function* streamedSync<Sample, Batch>(
  stream: Iterable<Sample>,
  plan: Plan<Sample, Batch>,
): Iterable<Loaded<Batch>> {
  const groups = new Groups(plan);
  for (const sample of stream) yield* groups.push(sample);
  yield* groups.end();
}

class Groups<Sample, Batch> {
  readonly #plan: Plan<Sample, Batch>;
  #seen = 0;
  #given: number;
  #open: Sample[] = [];
  #full: Sample[] | null = null;

  constructor(plan: Plan<Sample, Batch>) {
    this.#plan = plan;
    this.#given = plan.skip;
  }

  *push(sample: Sample): Iterable<Loaded<Batch>> {
    const { skip, batchSize } = this.#plan;
    if (this.#seen++ < skip * batchSize) return;
    this.#open.push(sample);
    if (this.#open.length === batchSize) yield* this.#close();
  }

  *end(): Iterable<Loaded<Batch>> {
    if (this.#open.length > 0 && !this.#plan.dropLast) yield* this.#close();
    if (this.#full !== null) yield this.#give(this.#full, true);
  }

  *#close(): Iterable<Loaded<Batch>> {
    const before = this.#full;
    [this.#full, this.#open] = [this.#open, []];
    if (before !== null) yield this.#give(before, false);
  }

  #give(samples: readonly Sample[], last: boolean): Loaded<Batch> {
    return { batch: this.#plan.load(samples, this.#given++ * this.#plan.batchSize), last };
  }
}

/** Begins up to `count` items before they are asked for. What is begun and not asked for in the end is let go. */
export async function* readAhead<T>(
  items: Iterable<T | Promise<T>> | AsyncIterable<T>,
  count: number,
): AsyncGenerator<T, void, undefined> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const begun: Promise<IteratorResult<T | Promise<T>>>[] = [];
  let ended = false;
  const begin = async (): Promise<IteratorResult<T | Promise<T>>> => {
    const { done, value } = await iterator.next();
    if (done === true) {
      ended = true;
      return { done, value };
    }
    return { done: false, value: await value };
  };
  try {
    for (;;) {
      while (!ended && begun.length <= count) {
        const item = begin();
        // A failure is thrown when its turn comes; till then it is nobody's.
        item.catch(() => {});
        begun.push(item);
      }
      const item = begun.shift();
      if (item === undefined) return;
      const { done, value } = await item;
      if (done === true) return;
      yield value as T;
    }
  } finally {
    await iterator.return?.();
  }
}
