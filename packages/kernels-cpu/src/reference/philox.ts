// Philox4x32-10: a counter and a key in, four random words out. No state, so any word of any stream can be had directly.
//
// J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC '11, 2011; the constants are
// those of its section 4.3 and of the Random123 library, whose known answers the tests compare with.

import type { Words } from '../kernels/random.ts';

const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;
const rounds = 10;

// The product of two words does not fit into a double, but it minus its low word is a multiple of 2^32 that the double
// misses by less than 2^12: rounding the quotient gives the high word exactly.
function highWord(a: number, b: number, low: number): number {
  return ((a * b - low) * 2 ** -32 + 0.5) >>> 0;
}

/**
 * Fills `out` with the words of consecutive blocks, four of each: unsigned 32-bit integers, least significant word first.
 *
 * @param first the low half of the 128-bit counter at the first block; it counts up from there.
 * @param stream the high half of the counter.
 * @param key the 64-bit key.
 */
export function philox(first: Words, stream: Words, key: Words, out: Uint32Array): void {
  let [block0, block1] = first;
  const [stream0, stream1] = stream;
  const [key0, key1] = key;
  for (let at = 0; at < out.length; at += 4) {
    let c0 = block0;
    let c1 = block1;
    let c2 = stream0;
    let c3 = stream1;
    let k0 = key0;
    let k1 = key1;
    for (let round = 0; round < rounds; round++) {
      const low0 = Math.imul(multiplier0, c0) >>> 0;
      const low1 = Math.imul(multiplier1, c2) >>> 0;
      const high0 = highWord(multiplier0, c0, low0);
      const high1 = highWord(multiplier1, c2, low1);
      c0 = (high1 ^ c1 ^ k0) >>> 0;
      c1 = low1;
      c2 = (high0 ^ c3 ^ k1) >>> 0;
      c3 = low0;
      k0 = (k0 + weyl0) >>> 0;
      k1 = (k1 + weyl1) >>> 0;
    }
    out[at] = c0;
    out[at + 1] = c1;
    out[at + 2] = c2;
    out[at + 3] = c3;
    block0 = (block0 + 1) >>> 0;
    if (block0 === 0) block1 = (block1 + 1) >>> 0;
  }
}
