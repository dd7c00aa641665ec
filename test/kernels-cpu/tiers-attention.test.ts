// Attention of every fast tier and instruction set, against the reference.

import type { AttentionOperands, AttentionRule, FloatArray, Strided } from '@adjoint/kernels-cpu';
import { OperandError, openTier } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { differentBits, fastTiers } from './tiers-available.ts';
import { view } from './views.ts';

const reference = openTier('reference').kernels;
const types = [Float32Array, Float64Array] as const;
type Type = (typeof types)[number];

const count = (extents: readonly number[]) => extents.reduce((p, q) => p * q, 1);

/** Numbers from -2 to 2. */
function numbers(Of: Type, length: number, seed: number): FloatArray {
  return new Of(length).map((_, i) => {
    const draw = Math.imul(Math.imul(i + 1, 2654435761) ^ Math.imul(seed + 7, 40503), 2246822519);
    return ((draw >>> 8) / 2 ** 24) * 4 - 2;
  });
}

/** Where elements lie: row by row, heads before rows, rows before samples, one of three side by side, columns backwards, or far apart. */
const layouts = ['plain', 'headsFirst', 'rowsFirst', 'third', 'backwards', 'apart'] as const;
type LayoutName = (typeof layouts)[number];

function operand(Of: Type, shape: readonly number[], layout: LayoutName, seed: number): Strided<FloatArray> {
  const [samples, rows, heads, columns] = shape;
  const size = count(shape);
  switch (layout) {
    case 'plain':
      return view(numbers(Of, size, seed), shape);
    case 'headsFirst':
      return {
        ...view(numbers(Of, size, seed), shape),
        strides: [rows * heads * columns, columns, rows * columns, 1],
      };
    case 'rowsFirst':
      return {
        ...view(numbers(Of, size, seed), shape),
        strides: [heads * columns, samples * heads * columns, columns, 1],
      };
    case 'third': {
      const row = 3 * heads * columns;
      const data = numbers(Of, 3 * size, seed);
      return { data, shape, strides: [rows * row, row, columns, 1], offset: heads * columns };
    }
    case 'backwards': {
      const { data, strides } = view(numbers(Of, size + 3, seed), shape);
      return { data, shape, strides: [...strides.slice(0, 3), -1], offset: Math.max(0, columns - 1) };
    }
    case 'apart': {
      const { data, strides } = view(numbers(Of, 2 * size + 1, seed), shape);
      return { data, shape, strides: strides.map((stride) => 2 * stride), offset: 1 };
    }
  }
}

interface Case {
  readonly Of: Type;
  readonly sizes: readonly [
    samples: number,
    queries: number,
    keys: number,
    heads: number,
    features: number,
    outputs: number,
  ];
  readonly layouts: readonly LayoutName[];
  /** Which axes of the scores the mask has. */
  readonly masks: readonly boolean[];
  readonly rule: AttentionRule;
  readonly seed: number;
}

function operandsOf({ Of, sizes, layouts: [q, k, v], masks, seed }: Case): AttentionOperands {
  const [samples, queries, keys, heads, features, outputs] = sizes;
  const scores = [samples, heads, queries, keys].map((extent, axis) => (masks[axis] ? extent : 1));
  const mask = view(numbers(Of, count(scores), seed + 4), scores);
  // Some keys are hidden, but no query is without any.
  if (masks[3])
    for (let i = 0; i < mask.data.length; i++) if (i % keys > 0 && i % 7 === 3) mask.data[i] = -Infinity;
  return {
    query: operand(Of, [samples, queries, heads, features], q, seed + 1),
    key: operand(Of, [samples, keys, heads, features], k, seed + 2),
    value: operand(Of, [samples, keys, heads, outputs], v, seed + 3),
    mask,
  };
}

const sizeOf = ({ shape }: Strided) => count(shape);

function results(kernels: typeof reference, c: Case): { out: FloatArray; gradients: FloatArray } {
  const { Of, sizes, rule, seed } = c;
  const [samples, queries, , heads, , outputs] = sizes;
  const operands = operandsOf(c);
  const { query, key, value } = operands;
  const out = new Of(samples * queries * heads * outputs).fill(7);
  kernels.attention(rule, operands, out);
  const cotangent = operand(Of, [samples, queries, heads, outputs], c.layouts[3], seed + 5);
  const gradients = new Of(sizeOf(query) + sizeOf(key) + sizeOf(value)).fill(7);
  kernels.attentionGrad(rule, operands, cotangent, gradients);
  return { out, gradients };
}

/** The largest distance, by the scale of the largest number. */
function distance(a: FloatArray, b: FloatArray): number {
  let [most, far] = [1e-30, 0];
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) !== Number.isNaN(b[i])) return Infinity;
    if (Number.isNaN(b[i])) continue;
    most = Math.max(most, Math.abs(b[i]));
    far = Math.max(far, Math.abs(a[i] - b[i]));
  }
  return far / most;
}

const tolerance = (Of: Type): number => (Of === Float32Array ? 3e-6 : 1e-14);

const cases: fc.Arbitrary<Omit<Case, 'Of'>> = fc.record({
  sizes: fc.tuple(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 0, max: 70 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 0, max: 35 }),
    fc.integer({ min: 0, max: 35 }),
  ),
  layouts: fc.array(fc.constantFrom(...layouts), { minLength: 4, maxLength: 4 }),
  masks: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  rule: fc.record({ scale: fc.constantFrom(0.25, -0.5, 0, 1), causal: fc.boolean() }),
  seed: fc.nat(999),
});

describe.each(fastTiers)('attention of %s', (_name, { kernels, setThreads }) => {
  afterAll(() => {
    setThreads(4);
  });

  describe.each(types)('%o', (Of) => {
    test('is that of the reference, whatever sizes, layouts and masks', () => {
      fc.assert(
        fc.property(cases, (c) => {
          const [got, expected] = [kernels, reference].map((tier) => results(tier, { Of, ...c }));
          expect(distance(got.out, expected.out)).toBeLessThan(tolerance(Of));
          expect(distance(got.gradients, expected.gradients)).toBeLessThan(10 * tolerance(Of));
        }),
        { numRuns: 80 },
      );
    });

    // Of many keys only some queries are at hand at a time, and queries of few heads are shared out.
    test.each([
      { sizes: [1, 70, 1100, 1, 19, 8], causal: true },
      { sizes: [1, 33, 2100, 2, 4, 40], causal: true },
      { sizes: [1, 70, 2100, 2, 4, 40], causal: false },
      { sizes: [2, 300, 64, 3, 32, 32], causal: true },
      { sizes: [1, 1030, 300, 1, 9, 8], causal: true },
      { sizes: [1, 1030, 40, 1, 9, 8], causal: false },
    ] as const)('many queries and keys, on 1 to 4 threads the same bits: %o', ({ sizes, causal }) => {
      const c: Case = {
        Of,
        sizes,
        layouts: ['headsFirst', 'third', 'plain', 'rowsFirst'],
        masks: [false, false, true, true],
        rule: { scale: 0.2, causal },
        seed: 5,
      };
      const expected = results(reference, c);
      const [one, ...others] = [1, 2, 3, 4].map((threads) => {
        setThreads(threads);
        return results(kernels, c);
      });
      expect(distance(one.out, expected.out)).toBeLessThan(tolerance(Of));
      expect(distance(one.gradients, expected.gradients)).toBeLessThan(10 * tolerance(Of));
      for (const other of others) {
        expect(differentBits(other.out, one.out)).toEqual([]);
        expect(differentBits(other.gradients, one.gradients)).toEqual([]);
      }
    });

    test('what is not finite spreads as in the reference, hidden or not', () => {
      fc.assert(
        fc.property(
          fc.tuple(fc.integer({ min: 1, max: 150 }), fc.integer({ min: 1, max: 150 })),
          fc.constantFrom('query', 'key', 'value', 'mask', 'cotangent'),
          fc.constantFrom(Number.NaN, Infinity, -Infinity),
          fc.nat(),
          fc.integer({ min: 1, max: 4 }),
          ([queries, keys], where, blemish, place, threads) => {
            const operands = {
              query: operand(Of, [1, queries, 1, 4], 'plain', 1),
              key: operand(Of, [1, keys, 1, 4], 'plain', 2),
              value: operand(Of, [1, keys, 1, 5], 'plain', 3),
              mask: view(numbers(Of, queries * keys, 4), [1, 1, queries, keys]),
            };
            const cotangent = operand(Of, [1, queries, 1, 5], 'plain', 5);
            const { data } = { ...operands, cotangent }[where];
            data[place % data.length] = blemish;
            setThreads(threads);
            const [got, expected] = [kernels, reference].map((tier) => {
              const out = new Of(queries * 5);
              tier.attention({ scale: 0.5, causal: true }, operands, out);
              const gradients = new Of(queries * 4 + keys * 9);
              tier.attentionGrad({ scale: 0.5, causal: true }, operands, cotangent, gradients);
              return { out, gradients };
            });
            for (const name of ['out', 'gradients'] as const) {
              const kind = (x: number): number => (Number.isFinite(x) ? 0 : x);
              expect(got[name].map(kind)).toEqual(expected[name].map(kind));
              const finite = (x: number): number => (Number.isFinite(x) ? x : 0);
              const far = distance(got[name].map(finite), expected[name].map(finite));
              expect(far).toBeLessThan(10 * tolerance(Of));
            }
          },
        ),
        { numRuns: 60 },
      );
    });

    test('the weights of very many keys add up to one', () => {
      const [queries, keys] = [5, 100_001];
      const query = view(new Of(queries).fill(1), [1, queries, 1, 1]);
      const key = view(new Of(keys).fill(1), [1, keys, 1, 1]);
      const value = view(new Of(keys).fill(1), [1, keys, 1, 1]);
      const operands = { query, key, value, mask: view(new Of(1), [1, 1, 1, 1]) };
      const out = new Of(queries);
      kernels.attention({ scale: 1, causal: false }, operands, out);
      // In one sum from the first key to the last, each addition would round in the same direction: 0.001 in float32.
      expect(distance(out, new Of(queries).fill(1))).toBeLessThan(Of === Float32Array ? 1e-5 : 1e-13);
    });

    test('scores that overflow in exponentials do not, and what is not a number stays in its row', () => {
      const [queries, keys, features] = [20, 37, 16];
      const query = operand(Of, [1, queries, 1, features], 'plain', 1);
      const key = operand(Of, [1, keys, 1, features], 'plain', 2);
      const value = operand(Of, [1, keys, 1, features], 'plain', 3);
      for (let i = 0; i < features; i++) query.data[i] *= 1e4;
      query.data[2 * features] = Number.NaN;
      query.data[3 * features] = Infinity;
      const mask = view(new Of(queries), [1, 1, queries, 1]);
      mask.data[4] = -Infinity;
      const operands = { query, key, value, mask };
      const [got, expected] = [kernels, reference].map((tier) => {
        const out = new Of(queries * features);
        tier.attention({ scale: 1, causal: false }, operands, out);
        return out;
      });
      expect(distance(got, expected)).toBeLessThan(tolerance(Of));
      const isNaNRow = Array.from({ length: queries }, (_, i) => Number.isNaN(expected[i * features]));
      expect(isNaNRow.flatMap((is, i) => (is ? [i] : []))).toEqual([2, 3, 4]);
    });
  });

  test('refuses what does not fit', () => {
    const of = (...shape: number[]) => view(new Float32Array(count(shape)), shape);
    const rule = { scale: 1, causal: false };
    const [query, key, value, mask] = [of(2, 3, 1, 4), of(2, 5, 1, 4), of(2, 5, 1, 6), of(1, 1, 1, 1)];
    const out = new Float32Array(36);
    const fits = { query, key, value, mask };
    const refused = (operands: Partial<AttentionOperands>, operand: string, result = out): void => {
      const call = () => kernels.attention(rule, { ...fits, ...operands }, result);
      expect(call).toThrow(OperandError);
      expect(call).toThrow(operand);
    };
    refused({ query: of(2, 3, 4) }, 'query');
    refused({ key: of(2, 5, 1, 3) }, 'key');
    refused({ value: of(2, 4, 1, 6) }, 'value');
    refused({ mask: of(1, 1, 2, 5) }, 'mask');
    refused({ value: { ...value, offset: 1 } }, 'value');
    refused({}, 'out', new Float32Array(35));
    const gradients = new Float32Array(24 + 40 + 60);
    expect(() => kernels.attentionGrad(rule, fits, of(2, 3, 1, 5), gradients)).toThrow('cotangent');
    expect(() => kernels.attentionGrad(rule, fits, of(2, 3, 1, 6), gradients.subarray(1))).toThrow('out');
  });
});
