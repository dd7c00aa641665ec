// What packs the WebAssembly module and what unpacks it, against each other and against liblzma.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decompress } from '../../packages/kernels-cpu/src/tiers/lzma.ts';

const script = new URL('../../packages/kernels-cpu/scripts/lzma.mjs', import.meta.url);
const { compress } = (await import(script.href)) as { compress(bytes: Uint8Array): Uint8Array };

/** Bytes with repetitions at all distances, some with a byte changed, so that there is something to compress. */
const bytesArbitrary = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(
          fc.uint8Array({ minLength: 1, maxLength: 20 }),
          fc.integer({ min: 1, max: 60 }),
          fc.nat({ max: 1199 }),
        )
        .map(([part, times, changed]) => {
          const bytes = new Uint8Array(part.length * times);
          for (let i = 0; i < times; i++) bytes.set(part, i * part.length);
          bytes[changed % bytes.length] ^= 1;
          return bytes;
        }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => new Uint8Array(Buffer.concat([...parts, ...parts.slice(0, 3)])));

test('what was compressed comes back', () => {
  fc.assert(
    fc.property(bytesArbitrary, (bytes) => {
      expect(Buffer.from(decompress(compress(bytes), bytes.length)).equals(bytes)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test('repetitions cost next to nothing, however far back, and noise no more than itself', () => {
  const noise = Uint8Array.from({ length: 12_000 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
  const bytes = Buffer.concat([noise, noise, noise]);
  const packed = compress(bytes);
  expect(packed.length).toBeLessThan(12_500);
  expect(Buffer.from(decompress(packed, bytes.length)).equals(bytes)).toBe(true);
});

test('these bytes are what liblzma reads as this text', () => {
  const text =
    'The adjoint of the adjoint is the thing itself; '.repeat(3) +
    'and the Adjoint of a sum is the sum of the adjoints: '.repeat(2) +
    '0123456789'.repeat(40);
  // Checked with Python's lzma: FORMAT_RAW, FILTER_LZMA1 with lc 3, lp 0 and pb 0.
  const packed = Buffer.from(
    'ACoa2dRy2nUXqCNhHc7M1YIRCODt5MM1m13vKcR7VkOH5jF1fsO6fFs9rWuM+9i85tpJVBgmKC17' +
      'wQfSK2Z5f8JP4oF1nmnu8XdnKGRwyAAA',
    'base64',
  );
  expect(Buffer.from(decompress(packed, text.length)).toString()).toBe(text);
  expect(Buffer.from(compress(Buffer.from(text))).equals(packed)).toBe(true);
});

test('what is cut short, longer, or not of the size that was promised, is an error', () => {
  fc.assert(
    fc.property(
      bytesArbitrary.filter((bytes) => bytes.length > 0),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (bytes, cut) => {
        const packed = compress(bytes);
        const prefix = packed.subarray(0, Math.floor(cut * packed.length));
        expect(() => decompress(prefix, bytes.length)).toThrow(/damaged/);
        expect(() => decompress(Buffer.concat([packed, Buffer.of(0)]), bytes.length)).toThrow(/damaged/);
        expect(() => decompress(packed, bytes.length + 1)).toThrow(/damaged/);
      },
    ),
    { numRuns: 20 },
  );
});
