// What unpacks the WebAssembly modules, against zlib.

import { constants, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inflate } from '../../packages/kernels-cpu/src/tiers/inflate.ts';

/** Bytes with repetitions at all distances, so that there is something to compress. */
const bytesArbitrary = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 400 }))
        .map(([part, times]) => {
          const bytes = new Uint8Array(part.length * times);
          for (let i = 0; i < times; i++) bytes.set(part, i * part.length);
          return bytes;
        }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => new Uint8Array(Buffer.concat([...parts, ...parts.slice(0, 3)])));

const optionsArbitrary = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FIXED,
  ),
});

test('what zlib has compressed comes back, whichever blocks it chose', () => {
  fc.assert(
    fc.property(bytesArbitrary, optionsArbitrary, (bytes, options) => {
      expect(Buffer.from(inflate(deflateRawSync(bytes, options), bytes.length)).equals(bytes)).toBe(true);
    }),
  );
});

test('matches reach back over the whole window of 32 KiB', () => {
  const noise = Uint8Array.from({ length: 32_000 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
  const bytes = Buffer.concat([noise, noise, noise]);
  const packed = deflateRawSync(bytes, { level: 9 });
  expect(packed.length).toBeLessThan(40_000);
  expect(Buffer.from(inflate(packed, bytes.length)).equals(bytes)).toBe(true);
});

test('what is cut short, or not of the size that was promised, is an error', () => {
  fc.assert(
    fc.property(
      bytesArbitrary,
      optionsArbitrary,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (bytes, options, cut) => {
        const packed = deflateRawSync(bytes, options);
        const prefix = packed.subarray(0, Math.floor(cut * packed.length));
        expect(() => inflate(prefix, bytes.length)).toThrow(/damaged/);
        expect(() => inflate(packed, bytes.length + 1)).toThrow(/damaged/);
        fc.pre(bytes.length > 0);
        expect(() => inflate(packed, bytes.length - 1)).toThrow(/damaged/);
      },
    ),
  );
});
