// Generators: where a sequence of random words stands, and how to put it back there.

import { kernels, type RandomSource, type Words, wordsOf } from '@adjoint/kernels-cpu';
import { ArgumentError, quote } from '../errors.ts';

const runLength = 256;

/** All there is to know of a generator: plain JSON, to be written to a checkpoint. */
export interface GeneratorState {
  /** What makes the words; there is one. */
  readonly algorithm: 'philox4x32-10';
  /** The seed, an integer from 0 to 2^53 − 1. */
  readonly seed: number;
  /** The stream of that seed, an integer from 0 to 2^53 − 1. */
  readonly stream: number;
  /** Words drawn so far. */
  readonly position: number;
}

/** Options of a {@link Generator}. */
export interface GeneratorOptions {
  /** Which of the seed's 2^53 streams to draw from; two streams never share a block. Default 0. */
  readonly stream?: number | undefined;
}

/**
 * A source of random numbers: the same seed gives the same numbers on every engine and machine, on any number of
 * threads.
 *
 * The words come from the counter-based generator Philox4x32-10 (Salmon et al. 2011). A state is three integers, and
 * streams of one seed are disjoint by construction: give each worker, epoch or layer a stream of its own.
 *
 * @example
 * const generator = new Generator(42);
 * const a = randn([2, 3], { generator });
 * const state = generator.getState();
 * const b = rand([4], { generator });
 * generator.setState(state);
 * const c = rand([4], { generator }); // the numbers of b again
 */
export class Generator {
  #seed = 0;
  #stream = 0;
  #position = 0;
  #key: Words = [0, 0];
  #streamWords: Words = [0, 0];
  // Words are made in runs, of which this is one: the words from position `#runStart` on.
  readonly #run = new Int32Array(runLength);
  #runStart = -1;

  /**
   * @param seed an integer from 0 to 2^53 - 1.
   * @throws ArgumentError for a seed or stream that is no such integer.
   */
  constructor(seed: number, { stream = 0 }: GeneratorOptions = {}) {
    this.#start(requireCount('Generator', 'seed', seed), requireCount('Generator', 'stream', stream), 0);
  }

  #start(seed: number, stream: number, position: number): void {
    this.#seed = seed;
    this.#stream = stream;
    this.#position = position;
    this.#key = wordsOf(seed);
    this.#streamWords = wordsOf(stream);
    this.#runStart = -1;
  }

  /** The seed that the sequence started from. */
  get seed(): number {
    return this.#seed;
  }

  /**
   * Starts the sequence of `seed` anew, in the same stream.
   *
   * @throws ArgumentError unless the seed is an integer from 0 to 2^53 - 1.
   */
  manualSeed(seed: number): this {
    this.#start(requireCount('manualSeed', 'seed', seed), this.#stream, 0);
    return this;
  }

  /** Where the sequence stands, as plain JSON. */
  getState(): GeneratorState {
    return {
      algorithm: 'philox4x32-10',
      seed: this.#seed,
      stream: this.#stream,
      position: this.#position,
    };
  }

  /**
   * Goes on from a state that `getState` gave, here or in another process.
   *
   * @throws ArgumentError if the state is not one; the generator is then unchanged.
   */
  setState(state: GeneratorState): void {
    if (state?.algorithm !== 'philox4x32-10') {
      throw new ArgumentError(
        `the state names the algorithm ${JSON.stringify(state?.algorithm)}; pass what getState() gave.`,
        { op: 'setState', operand: 'state', actual: state, expected: 'a state of philox4x32-10' },
      );
    }
    this.#start(
      requireCount('setState', 'seed', state.seed),
      requireCount('setState', 'stream', state.stream),
      requireCount('setState', 'position', state.position),
    );
  }

  /** The next word: an integer from 0 to 2^32 - 1, each equally likely. */
  nextWord(): number {
    const within = this.#position % runLength;
    if (this.#position - within !== this.#runStart) {
      this.#runStart = this.#position - within;
      kernels.randomWords(this.#sourceAt(this.#runStart), this.#run);
    }
    this.#position++;
    return this.#run[within] >>> 0;
  }

  /** Passes over the next `count` words, and says where they are: kernels such as `randomUniform` make numbers of them. */
  pass(count: number): RandomSource {
    const source = this.#sourceAt(this.#position);
    this.#position += count;
    return source;
  }

  #sourceAt(position: number): RandomSource {
    return { key: this.#key, stream: this.#streamWords, position };
  }

  /**
   * The next integer below `limit`, each equally likely (words that would favour some are skipped).
   *
   * @param limit an integer from 1 to 2^32.
   * @throws ArgumentError for another limit.
   */
  nextBelow(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32) {
      throw new ArgumentError(`limit is ${quote(limit)}; give an integer from 1 to 2^32.`, {
        op: 'Generator.nextBelow',
        operand: 'limit',
        actual: limit,
        expected: 'an integer in [1, 4294967296]',
      });
    }
    const fair = 2 ** 32 - (2 ** 32 % limit);
    let word = this.nextWord();
    while (word >= fair) word = this.nextWord();
    return word % limit;
  }
}

function requireCount(op: string, operand: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new ArgumentError(`${operand} is ${quote(value)}; give an integer from 0 to 2^53 - 1.`, {
    op,
    operand,
    actual: value,
    expected: 'an integer in [0, 9007199254740991]',
  });
}

/**
 * The generator that is used where none is named. It starts from a fixed seed (PyTorch's), so that a program which
 * seeds nothing gives the same numbers each time it runs.
 */
export const defaultGenerator: Generator = new Generator(67280421310721);

/**
 * Seeds the default generator: layers, `randn`, dropout and shuffles that name no generator of their own follow from it.
 * PyTorch's `torch.manual_seed`.
 *
 * @param seed an integer from 0 to 2^53 - 1.
 * @returns the default generator.
 * @throws ArgumentError for other seeds.
 * @example
 * manualSeed(0);
 * const a = randn([3]);
 * manualSeed(0);
 * const b = randn([3]); // equal to a
 */
export function manualSeed(seed: number): Generator {
  return defaultGenerator.manualSeed(seed);
}
