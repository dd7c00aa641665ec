// Compresses to raw LZMA (three bits of the last byte as context of a literal, no position bits, no end marker), which
// src/tiers/lzma.ts reads. Written for one file that is compressed once and shipped often: it takes seconds, and is the same everywhere.
//
// A pass finds the cheapest way through the whole file by dynamic programming, with prices of bits that are their frequencies in the way
// that the pass before found.

/** Where the probabilities of each kind of decision begin. */
const IS_MATCH = 0;
const IS_REP = 12;
const IS_REP0 = 24;
const IS_REP0_LONG = 36;
const IS_REP1 = 48;
const IS_REP2 = 60;
const MATCH_LENGTH = 72;
/** Two choices, and trees of 3, 3 and 8 bits. */
const LENGTH_SIZE = 2 + 8 + 8 + 256;
const REP_LENGTH = MATCH_LENGTH + LENGTH_SIZE;
const SLOT = REP_LENGTH + LENGTH_SIZE;
const NEAR = SLOT + 4 * 64;
const ALIGN = NEAR + 14 * 32;
const LITERAL = ALIGN + 16;
const PROBABILITIES = LITERAL + 8 * 0x300;

const SHORTEST = 2;
const LONGEST = 273;
/** Earlier places that are looked at for a match. */
const TRIES = 4096;
const PASSES = 4;

const isLiteralState = (state) => state < 7;
const afterLiteral = (state) => (state < 4 ? 0 : state < 10 ? state - 3 : state - 6);
const afterMatch = (state) => (state < 7 ? 7 : 10);
const afterRep = (state) => (state < 7 ? 8 : 11);
const afterShortRep = (state) => (state < 7 ? 9 : 11);

/** The decisions that a literal, a length and a distance come to; `sink` takes them one by one. */
function putTree(sink, base, bits, value) {
  let node = 1;
  for (let i = bits - 1; i >= 0; i--) {
    const bit = (value >> i) & 1;
    sink.bit(base + node, bit);
    node = (node << 1) | bit;
  }
}

function putReverseTree(sink, base, bits, value) {
  let node = 1;
  for (let i = 0; i < bits; i++) {
    const bit = (value >> i) & 1;
    sink.bit(base + node, bit);
    node = (node << 1) | bit;
  }
}

function putLiteral(sink, state, before, byte, matched) {
  const base = LITERAL + (before >> 5) * 0x300;
  let node = 1;
  let same = !isLiteralState(state);
  for (let i = 7; i >= 0; i--) {
    const bit = (byte >> i) & 1;
    const expected = (matched >> i) & 1;
    sink.bit(base + node + (same ? (1 + expected) << 8 : 0), bit);
    same &&= bit === expected;
    node = (node << 1) | bit;
  }
}

function putLength(sink, base, length) {
  const value = length - SHORTEST;
  sink.bit(base, value < 8 ? 0 : 1);
  if (value < 8) return putTree(sink, base + 2, 3, value);
  sink.bit(base + 1, value < 16 ? 0 : 1);
  if (value < 16) return putTree(sink, base + 10, 3, value - 8);
  return putTree(sink, base + 18, 8, value - 16);
}

function putDistance(sink, distance, length) {
  const value = distance - 1;
  const high = 31 - Math.clz32(value);
  const slot = value < 4 ? value : 2 * high + ((value >> (high - 1)) & 1);
  putTree(sink, SLOT + 64 * Math.min(length - SHORTEST, 3), 6, slot);
  if (slot < 4) return;
  const bits = high - 1;
  const rest = value & ((1 << bits) - 1);
  if (slot < 14) return putReverseTree(sink, NEAR + 32 * slot, bits, rest);
  sink.direct(bits - 4, rest >> 4);
  putReverseTree(sink, ALIGN, 4, rest & 15);
}

/** Which of the last distances, or that it is a new one. */
function putRep(sink, state, rep) {
  sink.bit(IS_MATCH + state, 1);
  sink.bit(IS_REP + state, rep < 0 ? 0 : 1);
  if (rep < 0) return;
  sink.bit(IS_REP0 + state, rep === 0 ? 0 : 1);
  if (rep === 0) return;
  sink.bit(IS_REP1 + state, rep === 1 ? 0 : 1);
  if (rep > 1) sink.bit(IS_REP2 + state, rep === 2 ? 0 : 1);
}

/** Last distances after one of them, or a new one, was used. */
function movedUp(reps, distance) {
  const at = reps.indexOf(distance);
  return [distance, ...reps.filter((_, i) => i !== (at < 0 ? 3 : at))];
}

/** Sends all decisions of a way to a sink. A step is a literal (distance 0) or a match. */
function put(sink, bytes, steps) {
  let reps = [1, 1, 1, 1];
  let state = 0;
  let at = 0;
  for (const { length, distance } of steps) {
    if (distance === 0) {
      sink.bit(IS_MATCH + state, 0);
      putLiteral(sink, state, at > 0 ? bytes[at - 1] : 0, bytes[at], bytes[at - reps[0]] ?? 0);
      state = afterLiteral(state);
    } else {
      const rep = reps.indexOf(distance);
      putRep(sink, state, rep);
      if (rep === 0) sink.bit(IS_REP0_LONG + state, length > 1 ? 1 : 0);
      if (rep < 0) {
        putLength(sink, MATCH_LENGTH, length);
        putDistance(sink, distance, length);
        state = afterMatch(state);
      } else if (length > 1) {
        putLength(sink, REP_LENGTH, length);
        state = afterRep(state);
      } else state = afterShortRep(state);
      reps = movedUp(reps, distance);
    }
    at += length;
  }
}

/** How often each decision fell out which way, and what that makes it cost, in bits. */
class Prices {
  #counts = new Float64Array(2 * PROBABILITIES).fill(0.4);
  total = 0;

  bit(index, bit) {
    this.#counts[2 * index + bit]++;
  }

  direct() {}

  /** Done with counting: from now on, decisions are added to `total`. */
  settle() {
    const costs = this.#counts.map((count, i) => Math.log2((count + this.#counts[i ^ 1]) / count));
    this.bit = (index, bit) => {
      this.total += costs[2 * index + bit];
    };
    this.direct = (bits) => {
      this.total += bits;
    };
  }

  of(body) {
    this.total = 0;
    body(this);
    return this.total;
  }
}

/** For each place, the nearest match of each length that is longer than all nearer ones: pairs of length and distance. */
function findMatches(bytes) {
  const last = new Map();
  const before = [new Int32Array(bytes.length).fill(-1), new Int32Array(bytes.length).fill(-1)];
  const matches = [];
  for (let at = 0; at < bytes.length; at++) {
    const found = [];
    let best = 1;
    for (const [which, keyLength] of [2, 3].entries()) {
      if (at + keyLength > bytes.length) continue;
      let key = keyLength;
      for (let i = 0; i < keyLength; i++) key = key * 256 + bytes[at + i];
      let place = last.get(key) ?? -1;
      before[which][at] = place;
      last.set(key, at);
      for (let tries = keyLength === 2 ? 1 : TRIES; place >= 0 && tries > 0 && best < LONGEST; tries--) {
        if (bytes[place + best] === bytes[at + best]) {
          const length = matchLength(bytes, at, at - place);
          if (length > best) {
            best = length;
            found.push(length, at - place);
          }
        }
        place = before[which][place];
      }
    }
    matches.push(found);
  }
  return matches;
}

function matchLength(bytes, at, distance) {
  const most = Math.min(LONGEST, bytes.length - at);
  let length = 0;
  while (length < most && bytes[at + length] === bytes[at + length - distance]) length++;
  return length;
}

/** The longest match at each place, one after the other: where the first prices come from. */
function greedySteps(bytes, matches) {
  const steps = [];
  for (let at = 0; at < bytes.length; ) {
    const found = matches[at];
    const [length, distance] = found.slice(-2);
    steps.push(length > 2 ? { length, distance } : { length: 1, distance: 0 });
    at += steps[steps.length - 1].length;
  }
  return steps;
}

/** The cheapest way to each place by the prices, as far as one looks at the best way to each earlier one alone. */
function cheapestSteps(bytes, matches, prices) {
  const size = bytes.length;
  const cost = new Float64Array(size + 1).fill(Infinity);
  const ways = new Array(size + 1);
  cost[0] = 0;
  ways[0] = { from: 0, steps: [], state: 0, reps: [1, 1, 1, 1] };

  const lengthCosts = [MATCH_LENGTH, REP_LENGTH].map((base) =>
    Float64Array.from({ length: LONGEST + 1 }, (_, length) =>
      length < SHORTEST ? 0 : prices.of((sink) => putLength(sink, base, length)),
    ),
  );
  const distanceCosts = new Map();
  const distanceCost = (distance, length) => {
    const key = 4 * distance + Math.min(length - SHORTEST, 3);
    let value = distanceCosts.get(key);
    if (value === undefined) {
      value = prices.of((sink) => putDistance(sink, distance, length));
      distanceCosts.set(key, value);
    }
    return value;
  };
  const literalCost = (state, at, distance) =>
    prices.of((sink) => {
      sink.bit(IS_MATCH + state, 0);
      putLiteral(sink, state, at > 0 ? bytes[at - 1] : 0, bytes[at], bytes[at - distance] ?? 0);
    });
  const repCosts = Array.from({ length: 12 }, (_, state) =>
    Array.from({ length: 5 }, (_, rep) => prices.of((sink) => putRep(sink, state, rep - 1))),
  );
  const longCosts = Array.from({ length: 12 }, (_, state) =>
    [0, 1].map((bit) => prices.of((sink) => sink.bit(IS_REP0_LONG + state, bit))),
  );

  for (let at = 0; at < size; at++) {
    const way = ways[at];
    const { state, reps } = way;
    const offer = (to, value, distance, next) => {
      if (value >= cost[to]) return;
      cost[to] = value;
      ways[to] = {
        from: at,
        steps: [{ length: to - at, distance }],
        state: next,
        reps: distance === 0 || distance === reps[0] ? reps : movedUp(reps, distance),
      };
    };
    // A match, a literal and the same match again: where two stretches differ in one place.
    const offerPair = (length, value, distance, next) => {
      const middle = at + length;
      if (middle + 1 >= size) return;
      const again = matchLength(bytes, middle + 1, distance);
      if (again < SHORTEST) return;
      const later = afterLiteral(next);
      const to = middle + 1 + again;
      const whole =
        value +
        literalCost(next, middle, distance) +
        repCosts[later][1] +
        longCosts[later][1] +
        lengthCosts[1][again];
      if (whole >= cost[to]) return;
      cost[to] = whole;
      const literal = { length: 1, distance: 0 };
      ways[to] = {
        from: at,
        steps:
          length === 0
            ? [literal, { length: again, distance }]
            : [{ length, distance }, literal, { length: again, distance }],
        state: afterRep(later),
        reps: distance === reps[0] ? reps : movedUp(reps, distance),
      };
    };

    offer(at + 1, cost[at] + literalCost(state, at, reps[0]), 0, afterLiteral(state));
    if (reps[0] <= at) offerPair(0, cost[at], reps[0], state);
    for (let rep = 0; rep < 4; rep++) {
      const distance = reps[rep];
      if (distance > at || reps.indexOf(distance) < rep) continue;
      const length = matchLength(bytes, at, distance);
      const base = cost[at] + repCosts[state][rep + 1];
      if (rep === 0 && length > 0) offer(at + 1, base + longCosts[state][0], distance, afterShortRep(state));
      const long = base + (rep === 0 ? longCosts[state][1] : 0);
      for (let l = SHORTEST; l <= length; l++)
        offer(at + l, long + lengthCosts[1][l], distance, afterRep(state));
      if (length >= SHORTEST) offerPair(length, long + lengthCosts[1][length], distance, afterRep(state));
    }
    const base = cost[at] + repCosts[state][0];
    const found = matches[at];
    for (let i = 0, l = SHORTEST; i < found.length; i += 2) {
      const distance = found[i + 1];
      if (reps.includes(distance)) continue;
      for (; l <= found[i]; l++)
        offer(at + l, base + lengthCosts[0][l] + distanceCost(distance, l), distance, afterMatch(state));
      const length = found[i];
      offerPair(
        length,
        base + lengthCosts[0][length] + distanceCost(distance, length),
        distance,
        afterMatch(state),
      );
    }
  }
  const parts = [];
  for (let at = size; at > 0; at = ways[at].from) parts.push(ways[at].steps);
  return parts.reverse().flat();
}

/** Decisions as bytes: LZMA's range coder. */
class RangeEncoder {
  #probabilities = new Uint16Array(PROBABILITIES).fill(1024);
  #out = [];
  #low = 0;
  #range = 0xffffffff;
  /** The last byte, which a carry may still change, and how many of 255 follow it. */
  #held = 0;
  #full = 0;

  bit(index, bit) {
    const p = this.#probabilities[index];
    const bound = (this.#range >>> 11) * p;
    if (bit === 0) {
      this.#range = bound;
      this.#probabilities[index] += (2048 - p) >> 5;
    } else {
      this.#low += bound;
      this.#range -= bound;
      this.#probabilities[index] -= p >> 5;
    }
    this.#shift();
  }

  /** Bits that are as likely 0 as 1. */
  direct(bits, value) {
    for (let i = bits - 1; i >= 0; i--) {
      this.#range >>>= 1;
      if ((value >> i) & 1) this.#low += this.#range;
      this.#shift();
    }
  }

  #shift() {
    while (this.#range < 2 ** 24) {
      this.#range = (this.#range << 8) >>> 0;
      this.#emit();
    }
  }

  #emit() {
    const carry = this.#low >= 2 ** 32 ? 1 : 0;
    if (this.#low < 0xff000000 || carry === 1) {
      this.#out.push((this.#held + carry) & 255);
      for (; this.#full > 0; this.#full--) this.#out.push((255 + carry) & 255);
      this.#held = (this.#low >>> 24) & 255;
    } else this.#full++;
    this.#low = ((this.#low & 0x00ffffff) << 8) >>> 0;
  }

  finish() {
    for (let i = 0; i < 5; i++) this.#emit();
    return Uint8Array.from(this.#out);
  }
}

/** Raw LZMA of the bytes. */
export function compress(bytes) {
  const matches = findMatches(bytes);
  let steps = greedySteps(bytes, matches);
  for (let pass = 0; pass < PASSES; pass++) {
    const prices = new Prices();
    put(prices, bytes, steps);
    prices.settle();
    steps = cheapestSteps(bytes, matches, prices);
  }
  const encoder = new RangeEncoder();
  put(encoder, bytes, steps);
  return encoder.finish();
}
