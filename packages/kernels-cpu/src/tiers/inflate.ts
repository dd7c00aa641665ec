// Decompresses raw DEFLATE (RFC 1951), at once: what browsers have for it is asynchronous, and the kernels are needed when they
// are called. It reads what scripts/wasm.mjs has packed.

/** Base lengths and extra bits of the symbols from 257, and the same of distances: RFC 1951, 3.2.5. */
const LENGTHS = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCES = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
];
const DISTANCE_BITS = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
/** In what order the lengths of the codes of code lengths come. */
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A prefix code: by the next `bits` bits of the input, the symbol times 16 plus the length of its code; 0 is no code. */
interface Code {
  readonly bits: number;
  readonly table: Uint16Array;
}

function codeOf(lengths: ArrayLike<number>): Code {
  const counts = new Uint16Array(16);
  let bits = 1;
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    counts[lengths[symbol]]++;
    bits = Math.max(bits, lengths[symbol]);
  }
  const next = new Uint16Array(17);
  for (let length = 1; length <= bits; length++) next[length + 1] = (next[length] + counts[length]) << 1;
  const table = new Uint16Array(1 << bits);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol];
    if (length === 0) continue;
    // Codes are read from their highest bit, in bytes that are read from their lowest.
    let reversed = 0;
    for (let code = next[length]++, i = 0; i < length; i++, code >>= 1)
      reversed = (reversed << 1) | (code & 1);
    for (let at = reversed; at < table.length; at += 1 << length) table[at] = (symbol << 4) | length;
  }
  return { bits, table };
}

/**
 * The decompressed bytes.
 *
 * @param input - raw DEFLATE
 * @param size - how many bytes there are, decompressed
 * @throws Error if the input is damaged: what it gives is not `size` bytes
 */
export function inflate(input: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let at = 0;
  let next = 0;
  let held = 0;
  let heldBits = 0;

  /** The next `count` bits (at most 16), which stay. Past the end of the input there are zeros. */
  const peek = (count: number): number => {
    for (; heldBits < count; heldBits += 8) held |= (input[next++] ?? 0) << heldBits;
    return held & ((1 << count) - 1);
  };
  const skip = (count: number): void => {
    held >>>= count;
    heldBits -= count;
  };
  const take = (count: number): number => {
    const value = peek(count);
    skip(count);
    return value;
  };
  const damaged = (): Error =>
    new Error(`The packed bytes are damaged: byte ${next} of ${input.length} makes no sense.`);
  const symbolOf = ({ bits, table }: Code): number => {
    const entry = table[peek(bits)];
    if (entry === 0) throw damaged();
    skip(entry & 15);
    return entry >> 4;
  };

  const stored = (): void => {
    skip(heldBits & 7);
    const length = take(16);
    if ((length ^ take(16)) !== 0xffff || at + length > size) throw damaged();
    for (let i = 0; i < length; i++) out[at++] = take(8);
  };
  const compressed = (literals: Code, distances: Code): void => {
    for (;;) {
      const symbol = symbolOf(literals);
      if (symbol === 256) return;
      if (symbol < 256) {
        if (at === size) throw damaged();
        out[at++] = symbol;
        continue;
      }
      const length = LENGTHS[symbol - 257] + take(LENGTH_BITS[symbol - 257]);
      const which = symbolOf(distances);
      const distance = DISTANCES[which] + take(DISTANCE_BITS[which]);
      if (!(distance <= at && at + length <= size)) throw damaged();
      for (let i = 0; i < length; i++, at++) out[at] = out[at - distance];
    }
  };
  /** The two codes of a block, which are compressed themselves. */
  const codes = (): readonly [Code, Code] => {
    const [literals, distances, count] = [take(5) + 257, take(5) + 1, take(4) + 4];
    const orderLengths = new Uint8Array(19);
    for (let i = 0; i < count; i++) orderLengths[CODE_ORDER[i]] = take(3);
    const order = codeOf(orderLengths);
    const lengths = new Uint8Array(literals + distances);
    for (let i = 0; i < lengths.length; ) {
      const symbol = symbolOf(order);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      const [value, repeats] =
        symbol === 16 ? [lengths[i - 1], 3 + take(2)] : [0, symbol === 17 ? 3 + take(3) : 11 + take(7)];
      lengths.fill(value, i, i + repeats);
      i += repeats;
    }
    return [codeOf(lengths.subarray(0, literals)), codeOf(lengths.subarray(literals))];
  };

  let isLast = false;
  while (!isLast) {
    isLast = take(1) === 1;
    const kind = take(2);
    if (kind === 0) stored();
    else if (kind === 1) compressed(fixedLiterals(), codeOf(new Uint8Array(30).fill(5)));
    else if (kind === 2) compressed(...codes());
    else throw damaged();
  }
  if (at !== size || next * 8 - heldBits > input.length * 8) throw damaged();
  return out;
}

function fixedLiterals(): Code {
  return codeOf(new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280));
}
