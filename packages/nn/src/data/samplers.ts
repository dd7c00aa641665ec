// Samplers: in which order a loader takes the samples of a dataset.

import { ArgumentError, Generator, multinomial, randperm, requireOptions, tensor } from '@adjoint/core';
import { requireInteger, requireSeed } from '../layers/options.ts';
import { listed } from './dataset.ts';

/** What a sampler knows of the pass whose order it gives. */
export interface Pass {
  /** The number of the pass, from 0. */
  readonly epoch: number;
  /** The loader's own source of random numbers for this pass. */
  readonly generator: Generator;
}

/** An order of samples, for each pass anew. Must give the same order for the same pass: a resumed run asks again. */
export interface Sampler {
  /** How many samples a pass takes. */
  readonly length: number;
  /** The numbers of the samples of a pass, in order: `length` integers from 0 on. */
  indices(pass: Pass): readonly number[];
}

/**
 * From the first to the last. PyTorch's `SequentialSampler`.
 *
 * @example
 * new SequentialSampler(3).indices(); // [0, 1, 2]
 */
export class SequentialSampler implements Sampler {
  readonly length: number;

  constructor(length: number) {
    requireInteger('SequentialSampler', 'length', length, 0);
    this.length = length;
  }

  indices(): readonly number[] {
    return Array.from({ length: this.length }, (_, i) => i);
  }
}

/** Options of {@link RandomSampler}. */
export interface RandomSamplerOptions {
  /** Whether a sample may be drawn more than once. Default false. */
  readonly replacement?: boolean | undefined;
  /** How many to draw. Default: as many as there are; without replacement not more. */
  readonly samples?: number | undefined;
}

/**
 * At random, each order equally likely. PyTorch's `RandomSampler`.
 *
 * @throws ArgumentError for more samples than there are, without replacement.
 * @example
 * const order = new RandomSampler(4).indices({ epoch: 0, generator: new Generator(0) }); // new Set(order).size === 4
 */
export class RandomSampler implements Sampler {
  readonly length: number;
  readonly #count: number;
  readonly #replacement: boolean;

  constructor(count: number, options: RandomSamplerOptions = {}) {
    requireOptions('RandomSampler', options, { replacement: 'boolean', samples: 'number' });
    const { replacement = false, samples = count } = options;
    const op = 'RandomSampler';
    requireInteger(op, 'count', count, 0);
    requireInteger(op, 'samples', samples, 0);
    if (samples > count && (!replacement || count === 0)) {
      throw new ArgumentError(
        `${samples} samples are wanted of ${count}; draw fewer, or with { replacement: true }.`,
        { op, operand: 'samples', actual: samples, expected: `at most ${count}` },
      );
    }
    this.#count = count;
    this.#replacement = replacement;
    this.length = samples;
  }

  indices({ generator }: Pass): readonly number[] {
    if (this.#replacement) return Array.from({ length: this.length }, () => generator.nextBelow(this.#count));
    return Array.from(randperm(this.#count, { generator }).toTypedArray().subarray(0, this.length));
  }
}

/** Options of {@link WeightedRandomSampler}. */
export interface WeightedRandomSamplerOptions {
  /** Whether a sample may be drawn more than once. Default true, as in PyTorch. */
  readonly replacement?: boolean | undefined;
}

/**
 * At random with odds proportional to weights, to balance classes for instance. PyTorch's `WeightedRandomSampler`.
 *
 * @param weights one per sample; finite, not negative. They need not add up to 1.
 * @param samples how many to draw in a pass.
 * @throws ArgumentError for weights that are none, and for more samples than weights above 0 without replacement.
 * @example
 * new WeightedRandomSampler([0, 1], 3).indices({ epoch: 0, generator: new Generator(0) }); // [1, 1, 1]
 */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  readonly #weights: Float64Array;
  readonly #replacement: boolean;

  constructor(weights: Iterable<number>, samples: number, options: WeightedRandomSamplerOptions = {}) {
    requireOptions('WeightedRandomSampler', options, { replacement: 'boolean' });
    const { replacement = true } = options;
    const op = 'WeightedRandomSampler';
    requireInteger(op, 'samples', samples, 1);
    this.#weights = Float64Array.from(listed(op, 'weights', weights));
    this.#replacement = replacement;
    this.length = samples;
    const wrong = this.#weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
    if (wrong >= 0) {
      throw new ArgumentError(
        `weight ${wrong} is ${this.#weights[wrong]}; weights are finite and not negative.`,
        {
          op,
          operand: 'weights',
          actual: this.#weights[wrong],
          expected: 'finite numbers >= 0',
        },
      );
    }
    const possible = this.#weights.filter((weight) => weight > 0).length;
    const needed = replacement ? 1 : samples;
    if (possible < needed) {
      throw new ArgumentError(`${possible} weights are above 0, and ${needed} are needed.`, {
        op,
        operand: 'weights',
        actual: possible,
        expected: `at least ${needed} above 0`,
      });
    }
  }

  indices({ generator }: Pass): readonly number[] {
    const weights = tensor(this.#weights, { dtype: 'float64' });
    return Array.from(
      multinomial(weights, this.length, { replacement: this.#replacement, generator }).toTypedArray(),
    );
  }
}

/** Options of {@link DistributedSampler}. */
export interface DistributedSamplerOptions {
  /** How many processes share the samples. */
  readonly replicas: number;
  /** Which of them this is, from 0. */
  readonly rank: number;
  /** Whether each pass has another order. Default true. */
  readonly shuffle?: boolean | undefined;
  /** What the orders follow from: the same in all processes. Default 0. */
  readonly seed?: number | undefined;
  /** Whether samples that do not go round are left out, rather than the first ones given twice. Default false. */
  readonly dropLast?: boolean | undefined;
}

/**
 * This process's share of the samples: every `replicas`-th of an order that all processes agree on. PyTorch's
 * `DistributedSampler`, with the pass's number in the place of `set_epoch`.
 *
 * @throws ArgumentError for a rank that is not below `replicas`.
 * @example
 * const sampler = new DistributedSampler(5, { replicas: 2, rank: 1, shuffle: false });
 * sampler.indices({ epoch: 0 }); // [1, 3, 0]
 */
export class DistributedSampler implements Sampler {
  readonly length: number;
  readonly #count: number;
  readonly #options: {
    readonly [K in keyof DistributedSamplerOptions]-?: NonNullable<DistributedSamplerOptions[K]>;
  };

  constructor(count: number, options: DistributedSamplerOptions) {
    const op = 'DistributedSampler';
    requireOptions(op, options, {
      replicas: 'number',
      rank: 'number',
      shuffle: 'boolean',
      seed: 'number',
      dropLast: 'boolean',
    });
    const { replicas, rank, shuffle = true, seed = 0, dropLast = false } = options;
    requireInteger(op, 'count', count, 0);
    requireInteger(op, 'replicas', replicas, 1);
    requireInteger(op, 'rank', rank, 0);
    requireSeed(op, seed);
    if (rank >= replicas) {
      throw new ArgumentError(
        `rank is ${rank} of ${replicas} replicas; ranks run from 0 to ${replicas - 1}.`,
        {
          op,
          operand: 'rank',
          actual: rank,
          expected: `an integer in [0, ${replicas})`,
        },
      );
    }
    this.#count = count;
    this.#options = { replicas, rank, shuffle, seed, dropLast };
    this.length = dropLast ? Math.floor(count / replicas) : Math.ceil(count / replicas);
  }

  indices({ epoch }: Pick<Pass, 'epoch'>): readonly number[] {
    const { replicas, rank, shuffle, seed } = this.#options;
    // Not the pass's own generator, which differs between processes.
    const generator = new Generator(seed, { stream: epoch });
    const order = shuffle ? randperm(this.#count, { generator }).toTypedArray() : null;
    return Array.from({ length: this.length }, (_, i) => {
      const at = (rank + i * replicas) % this.#count;
      return order === null ? at : order[at];
    });
  }
}
