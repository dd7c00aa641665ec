// Decompresses raw LZMA, at once: what browsers have for compressed bytes is asynchronous, and the kernels are needed when they are
// called. It reads what scripts/wasm.mjs has packed: three bits of the last byte as context of a literal, two of the position as that of
// matches and lengths (LZMA's defaults), an end marker. A range coder decides bit by bit, each by the probability of its context, which learns
// from what came.

// Where the probabilities of each kind of decision begin.
const STATES = 12;
const PLACES = 4;
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * PLACES;
const IS_REP0 = IS_REP + STATES;
const IS_REP0_LONG = IS_REP0 + STATES;
const IS_REP1 = IS_REP0_LONG + STATES * PLACES;
const IS_REP2 = IS_REP1 + STATES;
/** A length: two choices, two trees of 3 bits for each place, and one of 8. */
const MIDDLING = 2 + 8 * PLACES;
const LONG = MIDDLING + 8 * PLACES;
const MATCH_LENGTH = IS_REP2 + STATES;
const REP_LENGTH = MATCH_LENGTH + LONG + 256;
const SLOT = REP_LENGTH + LONG + 256;
const NEAR = SLOT + 4 * 64;
const ALIGN = NEAR + 14 * 32;
const LITERAL = ALIGN + 16;
const PROBABILITIES = LITERAL + 8 * 0x300;

/** States from this one on are those after a match. */
const AFTER_MATCH = 7;

/** The decisions of a range coder, one by one. */
class Decisions {
  readonly #probabilities = new Uint16Array(PROBABILITIES).fill(1024);
  readonly #input: Uint8Array;
  #next = 0;
  #range = -1 >>> 0;
  #code = 0;

  constructor(input: Uint8Array) {
    this.#input = input;
    for (let i = 0; i < 5; i++) this.#shift();
  }

  /** Whether the input ends here, as an encoder ends it. */
  get isAtEnd(): boolean {
    return this.#next === this.#input.length && this.#code === 0;
  }

  get isPastEnd(): boolean {
    return this.#next > this.#input.length;
  }

  bit(index: number): number {
    const p = this.#probabilities[index];
    const bound = (this.#range >>> 11) * p;
    let bit = 0;
    if (this.#code < bound) {
      this.#range = bound;
      this.#probabilities[index] = p + ((2048 - p) >> 5);
    } else {
      this.#code -= bound;
      this.#range -= bound;
      this.#probabilities[index] = p - (p >> 5);
      bit = 1;
    }
    if (this.#range < 2 ** 24) {
      this.#range = (this.#range << 8) >>> 0;
      this.#shift();
    }
    return bit;
  }

  /** Bits that are as likely 0 as 1. */
  direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.#range >>>= 1;
      const bit = this.#code >= this.#range ? 1 : 0;
      if (bit === 1) this.#code -= this.#range;
      value = (value << 1) | bit;
      if (this.#range < 2 ** 24) {
        this.#range = (this.#range << 8) >>> 0;
        this.#shift();
      }
    }
    return value;
  }

  /** A number whose bits, from the highest on, are each in the context of those before. */
  tree(base: number, bits: number): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = (node << 1) | this.bit(base + node);
    return node - (1 << bits);
  }

  /** The same from the lowest bit on. */
  reverseTree(base: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(base + node);
      node = (node << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  /** The length of a match at a place. */
  length(base: number, place: number): number {
    if (this.bit(base) === 0) return 2 + this.tree(base + 2 + 8 * place, 3);
    if (this.bit(base + 1) === 0) return 10 + this.tree(base + MIDDLING + 8 * place, 3);
    return 18 + this.tree(base + LONG, 8);
  }

  /** How far back a match of that length lies; 0 is the end. Distances that need 32 bits come out negative. */
  distance(length: number): number {
    const slot = this.tree(SLOT + 64 * Math.min(length - 2, 3), 6);
    if (slot < 4) return slot + 1;
    const bits = (slot >> 1) - 1;
    const start = (2 | (slot & 1)) << bits;
    if (slot < 14) return 1 + start + this.reverseTree(NEAR + 32 * slot, bits);
    return 1 + start + (this.direct(bits - 4) << 4) + this.reverseTree(ALIGN, 4);
  }

  /** A byte after `before`; `matched` is what stands where a match that has just ended would go on, or undefined. */
  literal(before: number, matched: number | undefined): number {
    const base = LITERAL + (before >> 5) * 0x300;
    let node = 1;
    if (matched !== undefined) {
      for (let i = 7; i >= 0; i--) {
        const expected = (matched >> i) & 1;
        const bit = this.bit(base + ((1 + expected) << 8) + node);
        node = (node << 1) | bit;
        if (bit !== expected) break;
      }
    }
    while (node < 256) node = (node << 1) | this.bit(base + node);
    return node - 256;
  }

  #shift(): void {
    this.#code = ((this.#code << 8) | (this.#input[this.#next++] ?? 0)) >>> 0;
  }
}

/**
 * The decompressed bytes.
 *
 * @param input - raw LZMA
 * @param size - how many bytes there are, decompressed
 * @throws Error if the input is damaged: what it gives is not `size` bytes
 */
export function decompress(input: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  const decisions = new Decisions(input);
  const damaged = (): Error =>
    new Error(`The packed bytes are damaged: what there should be at ${at} of ${size} makes no sense.`);
  let at = 0;
  let state = 0;
  let [rep0, rep1, rep2, rep3] = [1, 1, 1, 1];
  for (;;) {
    const place = at % PLACES;
    if (decisions.bit(IS_MATCH + PLACES * state + place) === 0) {
      if (at >= size || decisions.isPastEnd) throw damaged();
      const matched = state < AFTER_MATCH ? undefined : out[at - rep0];
      out[at] = decisions.literal(at > 0 ? out[at - 1] : 0, matched);
      at++;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    let length = 1;
    if (decisions.bit(IS_REP + state) === 0) {
      length = decisions.length(MATCH_LENGTH, place);
      [rep0, rep1, rep2, rep3] = [decisions.distance(length), rep0, rep1, rep2];
      if (rep0 === 0) break;
      state = state < AFTER_MATCH ? 7 : 10;
    } else {
      let isShort = false;
      if (decisions.bit(IS_REP0 + state) === 0)
        isShort = decisions.bit(IS_REP0_LONG + PLACES * state + place) === 0;
      else if (decisions.bit(IS_REP1 + state) === 0) [rep0, rep1] = [rep1, rep0];
      else if (decisions.bit(IS_REP2 + state) === 0) [rep0, rep1, rep2] = [rep2, rep0, rep1];
      else [rep0, rep1, rep2, rep3] = [rep3, rep0, rep1, rep2];
      if (!isShort) length = decisions.length(REP_LENGTH, place);
      state = (state < AFTER_MATCH ? 8 : 11) + (isShort && state < AFTER_MATCH ? 1 : 0);
    }
    if (rep0 < 0 || rep0 > at || at + length > size || decisions.isPastEnd) throw damaged();
    for (let i = 0; i < length; i++, at++) out[at] = out[at - rep0];
  }
  if (at < size || !decisions.isAtEnd) throw damaged();
  return out;
}
