// Matrix products of every fast tier and instruction set, against the reference.

import { type FloatArray, openTier, type Strided } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { differentValues, integers, reals } from './product-values.ts';
import { type Float, floatTypes } from './samples.ts';
import { differentBits, fastTiers } from './tiers-available.ts';
import { view } from './views.ts';

const reference = openTier('reference').kernels;

/** Rows, columns and depth around the edges of tiles, panels and blocks of the depth. */
const large = [
  [130, 67, 1000],
  [1, 300, 500],
  [300, 1, 77],
  [257, 2100, 40],
  [2100, 70, 40],
  [31, 1040, 1024],
  [40, 2100, 700],
  [44, 96, 515],
  [29, 50, 515],
  [61, 1100, 401],
] as const;

/** Operands, row by row and column by column, and what the reference makes of them and of their absolute values. */
interface LargeCase {
  readonly a: Strided<FloatArray>;
  readonly b: Strided<FloatArray>;
  readonly aTurned: Strided<FloatArray>;
  readonly bTurned: Strided<FloatArray>;
  readonly close: FloatArray;
  readonly bound: FloatArray;
}

// Made once for all tiers: the reference takes longer than they do.
const largeCases = new Map<string, LargeCase>();

function largeCase(index: number, Type: Float): LargeCase {
  const key = `${Type.name} ${index}`;
  const known = largeCases.get(key);
  if (known) return known;
  const [m, n, depth] = large[index];
  const a = view(reals(Type, m * depth, 1), [m, depth]);
  const b = view(reals(Type, depth * n, 2), [depth, n]);
  const absolute = (x: Strided<FloatArray>) => ({ ...x, data: x.data.map(Math.abs) });
  const [close, bound] = [new Type(m * n), new Type(m * n)];
  reference.matmul(a, b, close, [m, n]);
  reference.matmul(absolute(a), absolute(b), bound, [m, n]);
  const made = { a, b, aTurned: turned(a), bTurned: turned(b), close, bound };
  largeCases.set(key, made);
  return made;
}

describe.each(fastTiers)('%s', (_name, { kernels, setThreads }) => {
  afterAll(() => {
    setThreads(4);
  });

  describe.each(floatTypes)('%o', (Type) => {
    test('matrix products: every size, stride, offset, transposition and batch', () => {
      fc.assert(
        fc.property(
          productArbitrary(Type),
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: -2, max: 3 }),
          ([shape, a, b], threads, step) => {
            setThreads(threads);
            const length = shape.reduce((p, q) => p * q, 1);
            const [expected, got] = [new Type(length), new Type(length).fill(Number.NaN)];
            const bias = step === 3 ? null : biasFor(Type, shape[shape.length - 1], step);
            reference.matmul(a, b, expected, shape, bias);
            kernels.matmul(a, b, got, shape, bias);
            expect(differentValues(got, expected)).toEqual([]);
          },
        ),
        { numRuns: 200 },
      );
    });

    test('many small products at once, whole ones for each thread, are those of whole numbers', () => {
      const [batch, m, n, depth] = [203, 41, 70, 50];
      const a = view(integers(Type, batch * m * depth, 1), [batch, m, depth]);
      const b = view(integers(Type, batch * depth * n, 2), [batch, depth, n]);
      const expected = new Type(batch * m * n);
      reference.matmul(a, b, expected, [batch, m, n]);
      for (const threads of [1, 2, 4]) {
        setThreads(threads);
        const got = new Type(batch * m * n).fill(Number.NaN);
        kernels.matmul(a, b, got, [batch, m, n]);
        expect(differentValues(got, expected)).toEqual([]);
      }
    });

    test('products of whole numbers on a bias are exact, whatever the size, on 1 to 4 threads', () => {
      for (const [m, n, depth] of large) {
        const a = view(integers(Type, m * depth, 1), [m, depth]);
        const b = view(integers(Type, depth * n, 2), [depth, n]);
        const [alone, got] = [new Type(m * n), new Type(m * n)];
        kernels.matmul(a, b, alone, [m, n]);
        for (const threads of [1, 2, 3, 4]) {
          setThreads(threads);
          const bias = biasFor(Type, n, threads - 2);
          kernels.matmul(a, b, got.fill(Number.NaN), [m, n], bias);
          const wanted = alone.map((sum, i) => sum + bias.data[bias.offset + (i % n) * bias.strides[0]]);
          expect(differentBits(got, wanted)).toEqual([]);
        }
      }
    });

    test.each([
      [9, 5, 64],
      [37, 45, 256],
      [70, 300, 1024],
    ])('products far smaller than their bias are not lost one by one: %i × %i × %i', (m, n, depth) => {
      // A quarter of a unit in the last place of the bias each: added to it one after the other, they would not change it.
      const unit = Type === Float32Array ? 2 ** -23 : 2 ** -52;
      const a = view(new Type(m * depth).fill(unit / 4), [m, depth]);
      const b = view(new Type(depth * n).fill(1), [depth, n]);
      const bias = view(new Type(n).fill(1), [n]);
      for (const tier of [kernels, reference]) {
        const out = new Type(m * n);
        tier.matmul(a, b, out, [m, n], bias);
        // Rounded once for each block of the depth, of which there are a few.
        for (const value of out)
          expect(Math.abs(value - 1 - (depth / 4) * unit)).toBeLessThanOrEqual(4 * unit);
      }
    });

    test.each(large.map(([m, n, depth], i) => [m, n, depth, i] as const))(
      'a product of %i × %i × %i: within the bound, the same bits on 1 to 4 threads and however the operands lie',
      (m, n, depth, index) => {
        const { a, b, aTurned, bTurned, close, bound } = largeCase(index, Type);
        let first: FloatArray | undefined;
        for (const threads of [1, 2, 3, 4]) {
          setThreads(threads);
          const got = new Type(m * n).fill(Number.NaN);
          kernels.matmul(a, b, got, [m, n]);
          first ??= got;
          expect(differentBits(got, first)).toEqual([]);
          // One of the two lies otherwise, by turns: the next size has the other one on this number of threads.
          const [left, right] = (threads + index) % 2 ? [aTurned, b] : [a, bTurned];
          kernels.matmul(left, right, got.fill(Number.NaN), [m, n]);
          expect(differentBits(got, first)).toEqual([]);
          const nothing = { data: new Type(1), shape: [n], strides: [0], offset: 0 };
          kernels.matmul(left, right, got.fill(Number.NaN), [m, n], nothing);
          expect(differentBits(got, first)).toEqual([]);
        }
        const epsilon = Type === Float32Array ? 2 ** -24 : 2 ** -53;
        let worst = 0;
        for (let i = 0; i < m * n; i++)
          worst = Math.max(worst, Math.abs((first as FloatArray)[i] - close[i]) / bound[i]);
        expect(worst).toBeLessThanOrEqual((depth + 2) * epsilon);
      },
    );
  });
});

/** Whole numbers for `n` columns, `step` apart, between others that are none of them. */
function biasFor(Type: Float, n: number, step: number): Strided<FloatArray> {
  const reach = Math.abs(step) * Math.max(0, n - 1);
  const offset = 3 + (step < 0 ? reach : 0);
  const data = new Type(reach + 7).fill(Number.NaN);
  const values = integers(Type, n, 5);
  for (let j = 0; j < n; j++) data[offset + j * step] = values[j];
  return { data, shape: [n], strides: [step], offset };
}

/** The same matrix, stored column by column. */
function turned({ data, shape: [rows, columns] }: Strided<FloatArray>): Strided<FloatArray> {
  const copy = data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)]);
  return { data: copy, shape: [rows, columns], strides: [1, rows], offset: 0 };
}

/** A batch of products of up to 40 × 40 × 40, with operands transposed, reversed, broadcast or offset. */
function productArbitrary(Type: Float) {
  const extent = fc.integer({ min: 0, max: 40 });
  const batch = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 2 });
  return fc
    .tuple(batch, extent, extent, extent)
    .chain(([axes, m, n, depth]) =>
      fc.tuple(
        fc.constant([...axes, m, n]),
        operandArbitrary(Type, axes, m, depth, 1),
        operandArbitrary(Type, axes, depth, n, 2),
      ),
    );
}

function operandArbitrary(Type: Float, axes: readonly number[], rows: number, columns: number, seed: number) {
  return fc
    .record({
      dropped: fc.nat(axes.length),
      broadcast: fc.nat(3),
      transposed: fc.boolean(),
      reversed: fc.boolean(),
      gap: fc.nat(3),
      offset: fc.nat(5),
    })
    .map(({ dropped, broadcast, transposed, reversed, gap, offset }): Strided<FloatArray> => {
      const batch = axes.slice(dropped).map((size, axis) => ((broadcast >> axis) & 1 ? 1 : size));
      const inner = (transposed ? rows : columns) + gap;
      const size = inner * (transposed ? columns : rows);
      const strides = batch.map((_, axis) => batch.slice(axis + 1).reduce((p, q) => p * q, 1) * size);
      const total = batch.reduce((p, q) => p * q, 1) * size;
      const data = integers(Type, offset + total, seed);
      const [row, column] = transposed ? [1, inner] : [inner, 1];
      // Reversed rows start at the last.
      const start = reversed && rows > 0 ? offset + (rows - 1) * row : offset;
      return {
        data,
        shape: [...batch, rows, columns],
        strides: [...strides, reversed ? -row : row, column],
        offset: start,
      };
    });
}
