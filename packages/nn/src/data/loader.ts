// DataLoader: batches of a dataset, in an order that follows from a seed and can be taken up again in the middle.

import {
  ArgumentError,
  defaultGenerator,
  Generator,
  type GeneratorState,
  requireOptions,
} from '@adjoint/core';
import { requireInteger, requireSeed } from '../layers/options.ts';
import { type Collated, collate as collateDefault } from './collate.ts';
import type { Dataset, IterableDataset } from './dataset.ts';
import { type Loaded, mapped, readAhead, refusePromises, streamed, streamedSync } from './passes.ts';
import { RandomSampler, type Sampler, SequentialSampler } from './samplers.ts';
import { type Source, sourceOf } from './source.ts';

/** Options of {@link DataLoader}. */
export interface DataLoaderOptions<Sample, Batch> {
  /** Samples in a batch. Default 1. */
  readonly batchSize?: number | undefined;
  /** Whether each pass takes the samples in another random order. Default false. */
  readonly shuffle?: boolean | undefined;
  /** The order of the samples, in the place of `shuffle`. */
  readonly sampler?: Sampler | undefined;
  /** Whether a last batch of less than `batchSize` samples is left out. Default false. */
  readonly dropLast?: boolean | undefined;
  /** Puts samples together. Default: the dataset's own `batch`, if it has one, else {@link collate}. */
  readonly collate?: ((samples: Sample[]) => Batch) | undefined;
  /**
   * Changes a sample before it is put into a batch. The generator is the sample's own and depends on the seed of the pass and the
   * sample's place in it alone, so that neither prefetching nor resuming changes what is drawn.
   */
  readonly transform?: ((sample: Sample, generator: Generator) => Sample) | undefined;
  /** Where the seed of each pass comes from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
  /** How many batches are begun before they are asked for, with `for await`. Default 2. */
  readonly prefetch?: number | undefined;
}

/** Where a loader stands, as plain JSON. */
export interface DataLoaderState {
  /** Passes completed. */
  readonly epoch: number;
  /** Batches given out in the running pass. */
  readonly batch: number;
  /** Samples in a batch; a loader of another size refuses the state. */
  readonly batchSize: number;
  /** What the running pass follows from; null between passes and where nothing is random. */
  readonly seed: number | null;
  /** The state of the loader's own generator; null if it is the default one, whose state a checkpoint keeps anyway. */
  readonly generator: GeneratorState | null;
}

/** A pass that is being read. */
interface RunningPass {
  readonly epoch: number;
  readonly seed: number | null;
  batch: number;
}

/**
 * Batches of a dataset. PyTorch's `DataLoader`.
 *
 * Each iteration is one pass: with `for await`, batches are loaded ahead, and samples may be promises; with `for`, all is done
 * when asked for. The order of a pass and all its random transforms follow from one seed that is drawn when it begins. Nothing is
 * drawn where nothing is random, so that reading a test set does not change the training.
 *
 * `stateDict` tells how many batches were given out, not how many were prefetched: after `loadStateDict`, here or in another
 * process, the next iteration goes on with the batch that would have come next. Batches are loaded on the thread that asks.
 *
 * @param dataset a {@link Dataset}, an array of samples, or any (async) iterable of samples, which cannot be shuffled.
 * @throws ArgumentError for options that are illegal or contradict each other.
 * @example
 * const data = new TensorDataset(tensor([[1], [2], [3], [4], [5]]));
 * const loader = new DataLoader(data, { batchSize: 2, shuffle: true, generator: new Generator(0) });
 * loader.length; // 3
 * for await (const [x] of loader) console.log(x.shape);
 * loader.epoch; // 1
 */
export class DataLoader<Sample, Batch = Collated<Sample>> {
  /** Samples in a batch; the last one of a pass may have fewer. */
  readonly batchSize: number;
  /** Whether a last batch of fewer samples is left out. */
  readonly dropLast: boolean;
  readonly #source: Source<Sample>;
  readonly #sampler: Sampler | null;
  readonly #options: DataLoaderOptions<Sample, Batch>;
  readonly #generator: Generator;
  readonly #prefetch: number;
  /** Whether a pass depends on a seed. */
  readonly #random: boolean;
  #at: RunningPass = { epoch: 0, seed: null, batch: 0 };
  #resumes = false;

  constructor(
    dataset: Dataset<Sample> | IterableDataset<Sample>,
    options: DataLoaderOptions<Sample, Batch> = {},
  ) {
    const op = 'DataLoader';
    requireOptions(op, options, {
      batchSize: 'number',
      shuffle: 'boolean',
      sampler: 'own',
      dropLast: 'boolean',
      collate: 'function',
      transform: 'function',
      generator: Generator,
      prefetch: 'number',
    });
    const { batchSize = 1, shuffle = false, sampler, dropLast = false, prefetch = 2, transform } = options;
    this.batchSize = requireInteger(op, 'batchSize', batchSize, 1);
    this.#prefetch = requireInteger(op, 'prefetch', prefetch, 0);
    this.dropLast = dropLast;
    this.#source = sourceOf(dataset);
    this.#options = options;
    this.#generator = options.generator ?? defaultGenerator;
    this.#random = shuffle || sampler !== undefined || transform !== undefined;
    if (!('get' in this.#source)) {
      if (!shuffle && sampler === undefined) {
        this.#sampler = null;
        return;
      }
      const operand = shuffle ? 'shuffle' : 'sampler';
      throw new ArgumentError(
        `${operand} is given, and the dataset is a stream, whose order is its own; shuffle it at its source, or give a dataset with length and get.`,
        { op, operand, actual: dataset },
      );
    }
    if (shuffle && sampler !== undefined) {
      throw new ArgumentError('shuffle and sampler are both given; a sampler alone says the order.', {
        op,
        operand: 'sampler',
        actual: sampler,
      });
    }
    const count = this.#source.length;
    this.#sampler = sampler ?? (shuffle ? new RandomSampler(count) : new SequentialSampler(count));
  }

  /**
   * Batches in a pass.
   *
   * @throws ArgumentError for a stream, whose length is not known.
   */
  get length(): number {
    if (this.#sampler === null) {
      throw new ArgumentError('the dataset is a stream, which has no length; count its batches.', {
        op: 'DataLoader.length',
        operand: 'dataset',
      });
    }
    const batches = this.#sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Passes completed. One is complete as soon as its last batch is given out. */
  get epoch(): number {
    return this.#at.epoch;
  }

  /** Batches given out in the running pass; 0 between passes. */
  get batch(): number {
    return this.#at.batch;
  }

  /**
   * The batches of one pass, each loaded when it is asked for.
   *
   * @throws ArgumentError if the dataset gives promises.
   */
  *[Symbol.iterator](): IterableIterator<Batch> {
    const pass = this.#begin();
    for (const { batch, last } of this.#batchesNow(pass)) {
      this.#gaveOut(pass, last);
      yield batch;
    }
    this.#finished(pass);
  }

  /** The batches of one pass, loaded ahead. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    const pass = this.#begin();
    for await (const { batch, last } of readAhead(this.#batchesSoon(pass), this.#prefetch)) {
      this.#gaveOut(pass, last);
      yield batch;
    }
    this.#finished(pass);
  }

  /** Where the loader stands, between any two batches. */
  stateDict(): DataLoaderState {
    const { epoch, batch, seed } = this.#at;
    const own = this.#generator === defaultGenerator ? null : this.#generator.getState();
    return { epoch, batch, batchSize: this.batchSize, seed: batch > 0 ? seed : null, generator: own };
  }

  /**
   * Makes the next iteration go on where `stateDict` was taken.
   *
   * @throws ArgumentError if the state is none, or of batches of another size; nothing is changed then.
   */
  loadStateDict(state: DataLoaderState): void {
    const op = 'DataLoader.loadStateDict';
    const { epoch, batch, batchSize, seed, generator } = state ?? {};
    requireInteger(op, 'epoch', epoch, 0);
    requireInteger(op, 'batch', batch, 0);
    if (batchSize !== this.batchSize) {
      throw new ArgumentError(
        `the state is of batches of ${batchSize}, and the loader's have ${this.batchSize}; make it with the same batchSize.`,
        { op, operand: 'batchSize', actual: batchSize, expected: String(this.batchSize) },
      );
    }
    if (batch > 0 && (seed !== null) !== this.#random) {
      throw new ArgumentError(
        `the state is of a loader that ${seed === null ? 'does not shuffle' : 'shuffles'}, other than this one; make it with the same options.`,
        { op, operand: 'seed', actual: seed },
      );
    }
    if (seed !== null) requireSeed(op, seed);
    if (generator !== null && this.#generator !== defaultGenerator) this.#generator.setState(generator);
    this.#at = { epoch, batch, seed };
    this.#resumes = batch > 0;
  }

  #begin(): RunningPass {
    const { epoch, batch } = this.#at;
    if (this.#resumes) this.#resumes = false;
    // A pass that was left in the middle counts.
    else
      this.#at = {
        epoch: batch > 0 ? epoch + 1 : epoch,
        seed: this.#random ? drawSeed(this.#generator) : null,
        batch: 0,
      };
    return this.#at;
  }

  // An older iteration that is still read does not move the position of the newest one.
  #gaveOut(pass: RunningPass, last: boolean): void {
    if (pass !== this.#at) return;
    if (last) this.#finished(pass);
    else pass.batch++;
  }

  #finished(pass: RunningPass): void {
    if (pass === this.#at) this.#at = { epoch: pass.epoch + 1, seed: null, batch: 0 };
  }

  #load(samples: readonly Sample[], start: number, seed: number | null): Batch {
    const { transform, collate } = this.#options;
    const changed =
      transform === undefined
        ? [...samples]
        : samples.map((sample, i) => transform(sample, new Generator(seed ?? 0, { stream: start + i + 1 })));
    return collate === undefined ? (collateDefault(changed) as Batch) : collate(changed);
  }

  /** What makes the batches of a pass, at once or by and by. */
  #plan({ epoch, seed, batch }: RunningPass) {
    const { batchSize, dropLast } = this;
    const { collate, transform } = this.#options;
    const load = (samples: readonly Sample[], start: number): Batch => this.#load(samples, start, seed);
    const own = collate === undefined && transform === undefined;
    const order = this.#sampler?.indices({ epoch, generator: new Generator(seed ?? 0) }) ?? [];
    return { batchSize, dropLast, skip: batch, load, order, own };
  }

  #batchesNow(pass: RunningPass): Iterable<Loaded<Batch>> {
    const source = this.#source;
    if ('get' in source) return refusePromises(mapped(source, this.#plan(pass)));
    if (Symbol.iterator in source) return streamedSync(source, this.#plan(pass));
    throw new ArgumentError('the dataset is an async iterable; read the loader with for await.', {
      op: 'DataLoader',
      operand: 'dataset',
    });
  }

  #batchesSoon(
    pass: RunningPass,
  ): Iterable<Loaded<Batch> | Promise<Loaded<Batch>>> | AsyncIterable<Loaded<Batch>> {
    const source = this.#source;
    return 'get' in source ? mapped(source, this.#plan(pass)) : streamed(source, this.#plan(pass));
  }
}

function drawSeed(generator: Generator): number {
  return (generator.nextWord() >>> 11) * 2 ** 32 + generator.nextWord();
}
