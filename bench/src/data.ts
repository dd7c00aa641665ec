// The same numbers for every contestant, in whatever language: a hash of the position. contestants/torch_peer.py has its twin.

/** Numbers in [-scale, scale), float32; different for every seed. */
export function fill(seed: number, count: number, scale = 1): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  const start = Math.imul(seed + 1, 0x9e3779b1);
  for (let i = 0; i < count; i++) {
    let h = (start + i) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
    h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
    h ^= h >>> 16;
    out[i] = ((h >>> 0) / 2 ** 31 - 1) * scale;
  }
  return out;
}

/** A seed for a parameter, from its name: dots, underscores and case aside, as libraries spell them differently. */
export function seedOf(name: string): number {
  let seed = 0;
  for (const letter of name.toLowerCase().replace(/[._]/g, ''))
    seed = (seed * 31 + letter.charCodeAt(0)) % 65521;
  return seed;
}

/** The start of a parameter: ones for the weight of a norm, zeros for a bias, small numbers for the rest. */
export function initial(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const count = shape.reduce((product, size) => product * size, 1);
  if (/bias$/i.test(name)) return new Float32Array(count);
  if (count === shape[0]) return new Float32Array(count).fill(1);
  return fill(seedOf(name), count, Math.sqrt(shape[0] / count));
}

/** What of a result is compared: its root mean square, then 32 elements spread over it. */
export function digest(values: ArrayLike<number>): number[] {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] * values[i];
  const samples = Array.from({ length: 32 }, (_, i) => values[(i * 7919 + 13) % values.length]);
  return [Math.sqrt(squares / values.length), ...samples];
}
