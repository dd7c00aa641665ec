// Random numbers: every fast tier and instruction set gives the bits of the reference, from any place, on any number of threads; and
// the reference is what its words say.

import {
  kernels as active,
  type FloatArray,
  type Kernels,
  OperandError,
  openTier,
  type RandomSource,
  type Words,
} from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { fastTiers } from './tiers-available.ts';
import { differences } from './views.ts';

const reference = openTier('reference').kernels;

const word = fc.nat({ max: 2 ** 32 - 1 });
const sources: fc.Arbitrary<RandomSource> = fc.record({
  key: fc.tuple(word, word),
  stream: fc.tuple(word, word),
  // Where a word of the counter carries into the next, too.
  position: fc.oneof(
    fc.nat(1000),
    fc.integer({ min: 2 ** 34 - 2000, max: 2 ** 34 }),
    fc.maxSafeNat().filter((n) => n < 2 ** 53 - 2 ** 20),
  ),
});
/** Around the sizes of registers, of what is made at once, of a task and of a piece on WebAssembly. */
const lengths = fc.oneof(fc.nat(700), fc.constantFrom(16_383, 16_384, 16_385, 32_768, 40_001));
const limits = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 2 ** 32 }),
  fc.nat(31).map((n) => 2 ** n),
  fc.constantFrom(2 ** 32, 2 ** 32 - 1, 3 * 2 ** 30),
);
const types = [Float32Array, Float64Array] as const;

describe.each(fastTiers)('%s', (_name, { kernels, setThreads }) => {
  afterAll(() => {
    setThreads(4);
  });

  /** What a kernel leaves in an array of this type, with a place beside it on either side that it must not touch. */
  const filled = <A extends FloatArray | Int32Array | Uint8Array>(
    Type: new (length: number) => A,
    length: number,
    fill: (kernels: Kernels, out: A) => void,
  ): string[] => {
    const [got, expected] = [kernels, reference].map((of) => {
      const around = new Type(length + 2).fill(77) as A;
      fill(of, around.subarray(1, length + 1) as A);
      return around;
    });
    return differences(got, expected);
  };

  test('words, uniform and normal numbers', () => {
    fc.assert(
      fc.property(
        sources,
        lengths,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 32 }),
        (source, length, threads, bits) => {
          setThreads(threads);
          expect(filled(Int32Array, length, (k, out) => k.randomWords(source, out))).toEqual([]);
          for (const Type of types) {
            const most = Type === Float32Array ? Math.min(bits, 24) : bits;
            expect(filled<FloatArray>(Type, length, (k, out) => k.randomUniform(source, most, out))).toEqual(
              [],
            );
            expect(filled<FloatArray>(Type, length, (k, out) => k.randomNormal(source, out))).toEqual([]);
          }
          expect(filled(Float64Array, length, (k, out) => k.randomUniform(source, 53, out))).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('whole numbers below a limit, and whether all words were fair', () => {
    fc.assert(
      fc.property(
        sources,
        lengths,
        fc.integer({ min: 1, max: 4 }),
        limits,
        fc.oneof(fc.constant(0), fc.integer(), fc.maxSafeInteger()),
        fc.constantFrom(Float32Array, Float64Array, Int32Array, Uint8Array),
        (source, length, threads, limit, low, Type) => {
          setThreads(threads);
          const fair: boolean[] = [];
          const different = filled<Float32Array | Float64Array | Int32Array | Uint8Array>(
            Type,
            length,
            (k, out) => fair.push(k.randomBelow(source, limit, low, out)),
          );
          expect(different).toEqual([]);
          expect(fair[0]).toBe(fair[1]);
        },
      ),
      { numRuns: 100 },
    );
  });

  // A chance of less than one in 10^11 is not to be waited for: Philox was run backwards, from two such words to the counter.
  test.each([
    [0, 1644916857580892, 192019453, 2047946035],
    [31, 727706632768112, 3757165189, 4212866864],
    [2 ** 32 - 1, 496989705012780, 2712395007, 953170373],
  ])('far out in the tails of the normal distribution: words of %d', (word, position, ...stream) => {
    const source: RandomSource = { key: [0, 0], stream: stream as unknown as Words, position };
    const words = new Int32Array(2);
    kernels.randomWords(source, words);
    expect([...words]).toEqual([word | 0, word | 0]);
    const out = new Float64Array(100);
    kernels.randomNormal(source, out);
    expect(Math.abs(out[0])).toBeGreaterThan(6.6);
    expect(filled(Float64Array, 100, (k, to) => k.randomNormal(source, to))).toEqual([]);
  });
});

describe('the reference', () => {
  test('makes each number of its own words, wherever it begins', () => {
    fc.assert(
      fc.property(sources, fc.nat(300), ({ position, ...rest }, skipped) => {
        const words = new Int32Array(skipped + 20);
        reference.randomWords({ ...rest, position }, words);
        const later = { ...rest, position: position + skipped };
        const [single, twofold, below] = [new Float32Array(20), new Float64Array(10), new Int32Array(20)];
        reference.randomUniform(later, 24, single);
        reference.randomUniform(later, 53, twofold);
        reference.randomBelow(later, 10, 5, below);
        for (let i = 0; i < 20; i++) {
          const drawn = words[skipped + i] >>> 0;
          expect(single[i]).toBe((drawn >>> 8) / 2 ** 24);
          expect(below[i]).toBe(5 + (drawn % 10));
        }
        for (let i = 0; i < 10; i++) {
          const [high, low] = [words[skipped + 2 * i] >>> 0, words[skipped + 2 * i + 1] >>> 0];
          expect(twofold[i]).toBe(Number(((BigInt(high) >> 5n) << 26n) | (BigInt(low) >> 6n)) / 2 ** 53);
        }
      }),
    );
  });
});

test.each([
  ['a key of three words', { key: [1, 2, 3] }, /source\.key/],
  ['a word of more than 32 bits', { stream: [0, 2 ** 32] }, /source\.stream/],
  ['a place before the first', { position: -1 }, /source\.position/],
  ['a place that a double does not hold', { position: 2 ** 53 }, /source\.position/],
])('%s is refused by every kernel, and nothing is written', (_what, wrong, message) => {
  const source = { key: [1, 2], stream: [3, 4], position: 5, ...wrong } as unknown as RandomSource;
  const out = new Float32Array(100);
  const words = new Int32Array(100);
  for (const call of [
    () => active.randomWords(source, words),
    () => active.randomUniform(source, 24, out),
    () => active.randomNormal(source, out),
    () => active.randomBelow(source, 10, 0, out),
  ]) {
    expect(call).toThrow(OperandError);
    expect(call).toThrow(message);
  }
  expect([...out, ...words].every((x) => x === 0)).toBe(true);
});

test('bits that the type does not hold, and limits that no word reaches, are refused', () => {
  const source: RandomSource = { key: [1, 2], stream: [3, 4], position: 5 };
  const [single, twofold] = [new Float32Array(100), new Float64Array(100)];
  for (const bits of [0, 25, 53, 1.5, Number.NaN])
    expect(() => active.randomUniform(source, bits, single)).toThrow(OperandError);
  for (const bits of [0, 33, 52, 54])
    expect(() => active.randomUniform(source, bits, twofold)).toThrow(OperandError);
  for (const limit of [0, -1, 0.5, 2 ** 32 + 1])
    expect(() => active.randomBelow(source, limit, 0, twofold)).toThrow(/limit/);
  for (const low of [0.5, 2 ** 53, Number.NaN])
    expect(() => active.randomBelow(source, 10, low, twofold)).toThrow(/low/);
});
