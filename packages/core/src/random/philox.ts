// Philox4x32-10: a counter and a key in, four random words out. No state, so any word of any stream can be had directly.
//
// J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC '11, 2011; the constants are
// those of its section 4.3 and of the Random123 library, whose known answers the tests compare with.

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
 * Writes the four words of one block to `out[at … at + 3]`. All words are unsigned 32-bit integers, least significant
 * word first.
 *
 * @param block low half of the 128-bit counter, as two words.
 * @param stream high half of the counter, as two words.
 * @param key the 64-bit key, as two words.
 */
export function philox(
  block: readonly [number, number],
  stream: readonly [number, number],
  key: readonly [number, number],
  out: Uint32Array,
  at: number,
): void {
  let [c0, c1] = block;
  let [c2, c3] = stream;
  let [k0, k1] = key;
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
}

/** A non-negative safe integer as its low and high word. */
export function words(value: number): readonly [number, number] {
  return [value >>> 0, Math.floor(value / 2 ** 32) >>> 0];
}
