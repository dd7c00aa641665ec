// Random numbers: uniform, normal and whole ones, of the words that Philox makes.

import { type RandomKernels, type RandomSource, wordsOf } from '../kernels/random.ts';
import { normalQuantile } from './normal-quantile.ts';
import { philox } from './philox.ts';

/** Words that are made at once. */
const RUN = 256;
/** The largest number below 1. */
const LARGEST = 1 - 2 ** -53;
const run = new Uint32Array(RUN);

/** Calls `body(word, i)` with the `count` words from the source on, in order. */
function eachWord(
  { key, stream, position }: RandomSource,
  count: number,
  body: (word: number, i: number) => void,
): void {
  let at = position % 4;
  let block = (position - at) / 4;
  for (let i = 0; i < count; at = 0, block += RUN / 4) {
    philox(wordsOf(block), stream, key, run);
    for (; at < RUN && i < count; at++, i++) body(run[at], i);
  }
}

/** Calls `body(n, i)` with the `count` numbers below 2^53 that pairs of words make, in order. */
function eachPair(source: RandomSource, count: number, body: (n: number, i: number) => void): void {
  let high = 0;
  eachWord(source, 2 * count, (word, i) => {
    if (i % 2 === 0) high = word >>> 5;
    else body(high * 2 ** 26 + (word >>> 6), (i - 1) / 2);
  });
}

export const randomKernels: RandomKernels = {
  randomWords(source, out) {
    eachWord(source, out.length, (word, i) => {
      out[i] = word;
    });
  },
  randomUniform(source, bits, out) {
    const draw = (n: number, i: number): void => {
      out[i] = n * 2 ** -bits;
    };
    if (bits === 53) eachPair(source, out.length, draw);
    else eachWord(source, out.length, (word, i) => draw(word >>> (32 - bits), i));
  },
  randomNormal(source, out) {
    if (out instanceof Float64Array) {
      eachPair(source, out.length, (n, i) => {
        // The middle of the last part would round to 1, of which there is no quantile.
        out[i] = normalQuantile(Math.min(n * 2 ** -53 + 2 ** -54, LARGEST));
      });
      return;
    }
    eachWord(source, out.length, (word, i) => {
      out[i] = normalQuantile((word + 0.5) * 2 ** -32);
    });
  },
  randomBelow(source, limit, low, out) {
    const fair = 2 ** 32 - (2 ** 32 % limit);
    let allFair = true;
    eachWord(source, out.length, (word, i) => {
      if (word >= fair) allFair = false;
      out[i] = low + (word % limit);
    });
    return allFair;
  },
};
