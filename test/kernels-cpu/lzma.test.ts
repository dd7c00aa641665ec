// What unpacks the WebAssembly module, against what packs it and against liblzma.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decompress } from '../../packages/kernels-cpu/src/tiers/lzma.ts';

const script = new URL('../../packages/kernels-cpu/scripts/wasm.mjs', import.meta.url);
const { rawLzma } = (await import(script.href)) as { rawLzma(bytes: Uint8Array): Uint8Array };

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
      expect(Buffer.from(decompress(rawLzma(bytes), bytes.length)).equals(bytes)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test('repetitions cost next to nothing, however far back, and noise no more than itself', () => {
  const noise = Uint8Array.from({ length: 12_000 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
  const bytes = Buffer.concat([noise, noise, noise]);
  const packed = rawLzma(bytes);
  expect(packed.length).toBeLessThan(12_500);
  expect(Buffer.from(decompress(packed, bytes.length)).equals(bytes)).toBe(true);
});

test('what liblzma has packed comes back', () => {
  const text =
    'The adjoint of the adjoint is the thing itself; '.repeat(3) +
    'and the Adjoint of a sum is the sum of the adjoints: '.repeat(2) +
    '0123456789'.repeat(40);
  // By Python's lzma: FORMAT_RAW, FILTER_LZMA1 with preset 9, lc 3, lp 0 and pb 2.
  const packed = Buffer.from(
    'ACoaCKICoTcLqQF/QXuoe9k6iYBauJOvS5VOCWUulczHkv2B58kHhYrrCtiR7zGtUUhNJfuU/neJ' +
      'fpthXlOytbzGXSVhW7p8+FNpgQZ5u+f//4OigAA=',
    'base64',
  );
  expect(Buffer.from(decompress(packed, text.length)).toString()).toBe(text);
});

test('what is cut short, longer, or not of the size that was promised, is an error', () => {
  fc.assert(
    fc.property(
      bytesArbitrary.filter((bytes) => bytes.length > 0),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (bytes, cut) => {
        const packed = rawLzma(bytes);
        const prefix = packed.subarray(0, Math.floor(cut * packed.length));
        expect(() => decompress(prefix, bytes.length)).toThrow(/damaged/);
        expect(() => decompress(Buffer.concat([packed, Buffer.of(0)]), bytes.length)).toThrow(/damaged/);
        expect(() => decompress(packed, bytes.length + 1)).toThrow(/damaged/);
      },
    ),
    { numRuns: 20 },
  );
});
