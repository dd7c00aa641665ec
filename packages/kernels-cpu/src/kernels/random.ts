// Random numbers as kernels: where a sequence of words stands, and what is made of the words from there on.

import type { FloatArray } from '../arrays.ts';

/** Two words of 32 bits, as whole numbers from 0 to 2^32 − 1, the less significant one first. */
export type Words = readonly [number, number];

/**
 * A whole number as two words, such as a seed for the key of a {@link RandomSource}.
 *
 * @param value - from 0 to 2^53 − 1
 *
 * @example
 * ```ts
 * wordsOf(2 ** 32 + 7); // [7, 1]
 * ```
 */
export function wordsOf(value: number): Words {
  return [value >>> 0, Math.floor(value * 2 ** -32) >>> 0];
}

/**
 * A place in the sequence of words that the counter-based generator Philox4x32-10 makes of a key and a stream. Any place can be had
 * directly, so a kernel gives the same bits on any tier and any number of threads.
 */
export interface RandomSource {
  readonly key: Words;
  /** The high half of the 128-bit counter: two streams never share a block. */
  readonly stream: Words;
  /** The word to begin with, from 0 to 2^53 − 1; four words make a block. */
  readonly position: number;
}

/** Kernels of random numbers. The i-th element is made of the i-th word from the source on, or of the i-th pair of words. */
export interface RandomKernels {
  /** The words themselves: their 32 bits, as an Int32Array holds them. */
  readonly randomWords: (source: RandomSource, out: Int32Array) => void;
  /**
   * Multiples of 2^−bits in [0, 1), all equally likely. With 1 to 32 `bits` each takes the upper ones of a word (float32 holds 24);
   * with 53, in float64 only, the upper 27 of a word and the upper 26 of the next.
   */
  readonly randomUniform: (source: RandomSource, bits: number, out: FloatArray) => void;
  /**
   * Standard normal numbers, by `normalQuantile` of the middle of one of 2^32 equal parts of (0, 1), the one that a word names; in
   * float64 of 2^53 parts, and of two words.
   */
  readonly randomNormal: (source: RandomSource, out: FloatArray) => void;
  /**
   * `low + word % limit`, for a `limit` from 1 to 2^32; in a type that holds these. Returns whether all the words were below the
   * largest multiple of the limit, 2^32 at most: those from there on would favour some numbers, and whoever wants none favoured draws
   * again, word by word.
   */
  readonly randomBelow: (
    source: RandomSource,
    limit: number,
    low: number,
    out: FloatArray | Int32Array | Uint8Array,
  ) => boolean;
}
