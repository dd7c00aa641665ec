// Element-wise kernels of every fast tier and instruction set, against the reference.

import type { FloatArray, NumericArray, Strided, UnaryName } from '@adjoint/kernels-cpu';
import { openTier } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { floatTypes, pairArbitrary, samples, ulp, worstUlp } from './samples.ts';
import { differentBits, fastTiers } from './tiers-available.ts';
import { view } from './views.ts';

const reference = openTier('reference').kernels;

/** Largest argument, bound in units in the last place, parameters. Exact ops have bound 0. */
interface UnaryCase {
  readonly name: UnaryName;
  readonly scale: number;
  readonly bound: number;
  readonly p?: number;
  readonly q?: number;
}
const unaryCases: readonly UnaryCase[] = [
  { name: 'neg', scale: 1e3, bound: 0 },
  { name: 'abs', scale: 1e3, bound: 0 },
  { name: 'sign', scale: 1e3, bound: 0 },
  { name: 'square', scale: 1e3, bound: 0 },
  { name: 'sqrt', scale: 1e3, bound: 0 },
  { name: 'rsqrt', scale: 1e3, bound: 1 },
  { name: 'reciprocal', scale: 1e3, bound: 0 },
  { name: 'floor', scale: 1e3, bound: 0 },
  { name: 'ceil', scale: 1e3, bound: 0 },
  { name: 'round', scale: 1e3, bound: 0 },
  { name: 'trunc', scale: 1e3, bound: 0 },
  { name: 'exp', scale: 800, bound: 2 },
  { name: 'expm1', scale: 800, bound: 3 },
  { name: 'log', scale: 1e6, bound: 2 },
  { name: 'log1p', scale: 1e6, bound: 3 },
  { name: 'tanh', scale: 30, bound: 4 },
  { name: 'erf', scale: 8, bound: 3 },
  { name: 'sigmoid', scale: 120, bound: 3 },
  { name: 'logSigmoid', scale: 120, bound: 4 },
  { name: 'relu', scale: 1e3, bound: 0 },
  { name: 'leakyRelu', scale: 1e3, bound: 1, p: 0.2 },
  { name: 'elu', scale: 50, bound: 4, p: 1.3, q: 0.7 },
  // Where the argument is large, the rounding of beta · x is magnified by its size.
  { name: 'softplus', scale: 50, bound: 5, p: 1, q: 20 },
  { name: 'softplus', scale: 10, bound: 12, p: 1.5, q: 20 },
  { name: 'celu', scale: 50, bound: 4, p: 1.3 },
  { name: 'cube', scale: 1e3, bound: 2 },
  { name: 'silu', scale: 50, bound: 4 },
  { name: 'mish', scale: 50, bound: 5 },
  { name: 'gelu', scale: 12, bound: 8 },
  { name: 'hardsigmoid', scale: 10, bound: 1 },
  { name: 'hardswish', scale: 10, bound: 2 },
  { name: 'clamp', scale: 10, bound: 0, p: -1.25, q: 2.5 },
  // The reference's own functions are off by a unit, too.
  { name: 'exp2', scale: 1100, bound: 2 },
  { name: 'log2', scale: 1e6, bound: 2 },
  { name: 'log10', scale: 1e6, bound: 2 },
  { name: 'sin', scale: 1e9, bound: 2 },
  { name: 'cos', scale: 1e9, bound: 2 },
  { name: 'tan', scale: 1e9, bound: 3 },
  { name: 'asin', scale: 1.2, bound: 3 },
  { name: 'acos', scale: 1.2, bound: 3 },
  { name: 'atan', scale: 1e3, bound: 3 },
  { name: 'sinh', scale: 800, bound: 3 },
  { name: 'cosh', scale: 800, bound: 3 },
  { name: 'asinh', scale: 1e6, bound: 3 },
  { name: 'acosh', scale: 1e6, bound: 3 },
  { name: 'atanh', scale: 1.2, bound: 3 },
  { name: 'erfc', scale: 30, bound: 8 },
];

const lengths = [1500, 20011];

describe.each(fastTiers)('%s', (_name, { kernels, setThreads }) => {
  afterAll(() => {
    setThreads(4);
  });

  describe.each(floatTypes)('%o', (Type) => {
    test.each(unaryCases)(
      '$name of arguments up to $scale is within $bound ulp',
      ({ name, scale, bound, p, q }) => {
        for (const length of lengths) {
          const a = samples(Type, length, scale, 3);
          const [got, expected] = [new Type(length).fill(Number.NaN), new Type(length)];
          kernels[name](view(a), got, p, q);
          reference[name](view(a), expected, p, q);
          const { ulps, at } = worstUlp(Type, got, expected, bound);
          if (ulps > bound)
            expect.fail(`${name}(${a[at]}) = ${got[at]}, reference ${expected[at]}: ${ulps} ulp`);
        }
      },
    );

    if (Type === Float32Array) {
      test.each([
        { name: 'gelu', low: -15, high: 12, bound: 6 },
        { name: 'sigmoid', low: -104, high: 30, bound: 3 },
        { name: 'exp', low: -104, high: 88.7, bound: 2 },
        { name: 'erf', low: -6, high: 6, bound: 2 },
      ] as const)(
        '$name from $low to $high is within $bound ulp of float64, down to where it vanishes',
        ({ name, low, high, bound }) => {
          const n = 60013;
          const a = new Type(n).map((_, i) => low + ((high - low) * i) / n);
          const [got, expected] = [new Type(n), new Float64Array(n)];
          kernels[name](view(a), got);
          reference[name](view(Float64Array.from(a)), expected);
          const { ulps, at } = worstUlp(Type, got, expected, bound);
          if (ulps > bound) expect.fail(`${name}(${a[at]}) = ${got[at]}, not ${expected[at]}: ${ulps} ulp`);
        },
      );

      test('the derivative of gelu is a few units of its larger term off, down to where it vanishes', () => {
        const n = 60013;
        const a = new Type(n).map((_, i) => -15 + (27 * i) / n);
        const [got, expected] = [new Type(n), new Float64Array(n)];
        kernels.geluGrad(view(new Type(n).fill(1)), view(a), got, [n]);
        reference.geluGrad(view(new Float64Array(n).fill(1)), view(Float64Array.from(a)), expected, [n]);
        for (let i = 0; i < n; i++) {
          const slope = Math.abs(a[i]) * Math.exp(-(a[i] ** 2) / 2) * 0.4;
          const bound = 8 * ulp(Type, Math.max(Math.abs(expected[i]), slope));
          if (!(Math.abs(got[i] - expected[i]) <= bound))
            expect.fail(`geluGrad(1, ${a[i]}) = ${got[i]}, not ${expected[i]}`);
        }
      });
    }

    test('geluTanh is as good as its terms: an absolute error of a few units of the result at 1', () => {
      const a = samples(Type, 20011, 12, 5).map((x) =>
        Number.isFinite(x) ? Math.max(-30, Math.min(30, x)) : x,
      );
      const [got, expected] = [new Type(a.length), new Type(a.length)];
      kernels.geluTanh(view(a), got);
      reference.geluTanh(view(a), expected);
      // exp(u) magnifies the rounding of u by |u|, at most about 2.5 |x|³ / 10.
      for (let i = 0; i < a.length; i++) {
        if (Object.is(got[i], expected[i])) continue;
        const bound = (6 + 2 * Math.abs(a[i]) ** 3) * ulp(Type, expected[i]);
        if (!(Math.abs(got[i] - expected[i]) <= bound))
          expect.fail(`geluTanh(${a[i]}) = ${got[i]}, reference ${expected[i]}`);
      }
    });

    test('exact ops of any views, broadcast, reversed, transposed, with an offset', () => {
      fc.assert(
        fc.property(pairArbitrary(Type), fc.integer({ min: 1, max: 4 }), ([shape, a, b], threads) => {
          setThreads(threads);
          const length = shape.reduce((p, q) => p * q, 1);
          for (const name of ['add', 'sub', 'mul', 'div', 'maximum', 'minimum'] as const) {
            const [got, expected] = [new Type(length).fill(7), new Type(length)];
            kernels[name](a, b, got, shape);
            reference[name](a, b, expected, shape);
            expect(differentBits(got, expected)).toEqual([]);
          }
          for (const name of ['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual'] as const) {
            const [got, expected] = [new Uint8Array(length).fill(7), new Uint8Array(length)];
            kernels[name](a, b, got, shape);
            reference[name](a, b, expected, shape);
            expect(got).toEqual(expected);
          }
          const condition = { ...a, data: Uint8Array.from(a.data, (x) => (x > 0 ? 1 : 0)) };
          const [got, expected] = [new Type(length).fill(7), new Type(length)];
          kernels.where(condition, a, b, got, shape);
          reference.where(condition, a, b, expected, shape);
          expect(differentBits(got, expected)).toEqual([]);
          const own = b.shape.reduce((p, q) => p * q, 1);
          for (const name of ['neg', 'floor', 'copy'] as const) {
            const [one, two] = [new Type(own).fill(7), new Type(own)];
            kernels[name](b, one);
            reference[name](b, two);
            expect(differentBits(one, two)).toEqual([]);
          }
        }),
        { numRuns: 60 },
      );
    });

    test('operands that repeat themselves after any period, of any type, with gaps, reversed, two at a time', () => {
      const extent = fc.integer({ min: 1, max: 40 });
      fc.assert(
        fc.property(
          fc
            .tuple(fc.integer({ min: 4, max: 90 }), extent, extent)
            .filter(([n, c, p]) => n * c * p >= 600 && n * c * p <= 12_000),
          fc.constantFrom(1, 2, -1, -3),
          fc.constantFrom(Type, Float32Array, Float64Array, Int32Array, Uint8Array),
          fc.nat(3),
          fc.integer({ min: 1, max: 4 }),
          ([n, c, p], step, RowType, from, threads) => {
            setThreads(threads);
            const shape = [n, c, p];
            const length = n * c * p;
            const repeated = (own: readonly number[], seed: number): Strided => {
              const size = own[0] * own[1];
              const reach = (size - 1) * Math.abs(step);
              return {
                data: RowType.from(samples(Type, from + reach + 1, 9, seed)),
                shape: own,
                strides: [own[0] === 1 ? 0 : own[1] * step, own[1] === 1 ? 0 : step],
                offset: from + (step < 0 ? reach : 0),
              };
            };
            const whole = view(samples(Type, length, 9, 1), shape);
            for (const [a, b] of [
              [whole, repeated([c, p], 2)],
              [repeated([c, 1], 3), whole],
              [repeated([1, p], 4), repeated([c, p], 5)],
              [view(samples(Type, n, 9, 6), [n, 1, 1]), repeated([1, p], 7)],
            ]) {
              for (const name of ['sub', 'maximum'] as const) {
                const memory = new Type(length + 8).fill(7);
                const expected = new Type(length);
                kernels[name](a, b, memory.subarray(from, from + length), shape);
                reference[name](a, b, expected, shape);
                expect(differentBits(memory.subarray(from, from + length), expected)).toEqual([]);
                const around = [...memory.subarray(0, from), ...memory.subarray(from + length)];
                expect(around).toEqual(new Array(8).fill(7));
              }
              const [got, expected] = [new Uint8Array(length).fill(7), new Uint8Array(length)];
              kernels.less(a, b, got, shape);
              reference.less(a, b, expected, shape);
              expect(got).toEqual(expected);
            }
            const [condition, b] = [repeated([1, p], 9), repeated([c, p], 8)];
            const [got, expected] = [new Type(length).fill(7), new Type(length)];
            kernels.where(condition, whole, b, got, shape);
            reference.where(condition, whole, b, expected, shape);
            expect(differentBits(got, expected)).toEqual([]);
          },
        ),
        { numRuns: 25 },
      );
    });

    test('a row that is added to so many that the result is larger than the caches', () => {
      for (const [rows, columns] of [
        [57001, 10],
        [801, 700],
        [36, 16400],
      ]) {
        const [a, b] = [
          view(samples(Type, rows * columns, 9, 1), [rows, columns]),
          view(samples(Type, columns, 9, 2)),
        ];
        const expected = new Type(rows * columns);
        reference.add(a, b, expected, a.shape);
        for (const [threads, offset] of [
          [1, 0],
          [4, 3],
        ]) {
          setThreads(threads);
          const memory = new Type(rows * columns + 8).fill(7);
          kernels.add(a, b, memory.subarray(offset, offset + rows * columns), a.shape);
          expect(differentBits(memory.subarray(offset, offset + rows * columns), expected)).toEqual([]);
        }
      }
    });

    test('results larger than the caches, wherever they begin, and over an operand', () => {
      const [rows, columns] = [521, 1031];
      const [a, b] = [
        view(samples(Type, rows * columns, 9, 1), [rows, columns]),
        view(samples(Type, columns, 9, 2), [1, columns]),
      ];
      const expected = new Type(rows * columns);
      reference.add(a, b, expected, a.shape);
      for (const threads of [1, 3]) {
        setThreads(threads);
        for (let offset = 0; offset < 3; offset++) {
          const memory = new Type(rows * columns + 8).fill(7);
          kernels.add(a, b, memory.subarray(offset, offset + rows * columns), a.shape);
          expect(differentBits(memory.subarray(offset, offset + rows * columns), expected)).toEqual([]);
          expect(
            [...memory.subarray(0, offset), ...memory.subarray(offset + rows * columns)].every(
              (x) => x === 7,
            ),
          ).toBe(true);
        }
        const over = a.data.slice() as typeof expected;
        kernels.add({ ...a, data: over }, b, over, a.shape);
        expect(differentBits(over, expected)).toEqual([]);
      }
    });

    test('an element of a result larger than the caches is what it is in a small one', () => {
      const n = 2 ** 20 + 37;
      const [x, y, z] = [1, 2, 3].map((seed) => view(samples(Type, n, 3, seed)));
      const scalar = { data: Type.of(0.75), shape: [1], strides: [1], offset: 0 };
      const ops: Record<string, (part: (a: Strided) => Strided, out: FloatArray) => void> = {
        relu: (part, out) => kernels.relu(part(x), out),
        gelu: (part, out) => kernels.gelu(part(x), out),
        sin: (part, out) => kernels.sin(part(x), out),
        mulByOne: (part, out) => kernels.mul(part(x), scalar, out, [out.length]),
        hypot: (part, out) => kernels.hypot(part(x), part(y), out, [out.length]),
        lerp: (part, out) => kernels.lerp(part(x), part(y), part(z), out, [out.length]),
        remainder: (part, out) => kernels.remainder(part(x), part(y), out, [out.length]),
      };
      const [expected, memory] = [new Type(n), new Type(n + 8)];
      for (const [name, run] of Object.entries(ops)) {
        for (let from = 0; from < n; from += 10007) {
          const length = Math.min(10007, n - from);
          run(
            (a) => ({ ...a, shape: [length], offset: from }),
            expected.subarray(from, from + length) as FloatArray,
          );
        }
        for (const [threads, offset] of [
          [1, 0],
          [3, 5],
        ]) {
          setThreads(threads);
          memory.fill(7);
          run((a) => a, memory.subarray(offset, offset + n) as FloatArray);
          expect([name, differentBits(memory.subarray(offset, offset + n), expected)]).toEqual([name, []]);
          expect([...memory.subarray(0, offset), ...memory.subarray(offset + n)]).toEqual(
            new Array(8).fill(7),
          );
        }
      }
    });
  });
});

test('arrays of other types fall through to the reference', () => {
  for (const [, { kernels }] of fastTiers) {
    const whole: NumericArray = Int32Array.from({ length: 3000 }, (_, i) => i - 1500);
    const out = new Int32Array(3000);
    kernels.add(view(whole), view(whole), out, [3000]);
    expect(out[2999]).toBe(2998);
    const wide = new Float64Array(3000);
    kernels.exp(view(Float32Array.from(whole, (x) => x / 1000)), wide);
    expect(wide[2999]).toBe(Math.exp(Math.fround(1.499)));
  }
});

// Numbers beside tensors are arrays of one element, which machines may be handed otherwise than long ones.
describe.each(fastTiers)('%s: single elements', (_, { kernels }) => {
  const ofType = (like: NumericArray, values: readonly number[]): NumericArray =>
    new (like.constructor as new (values: readonly number[]) => NumericArray)(values);
  const long: readonly NumericArray[] = [new Float32Array(300), new Float64Array(300), new Int32Array(300)];

  test.each(long)('each of two or three is read at its own place, in any type, on each call', (array) => {
    const { length } = array;
    const many = { data: array.map((_, i) => i - 150), shape: [length], strides: [1], offset: 0 };
    const one = (value: number): Strided => ({
      data: ofType(array, [value]),
      shape: [],
      strides: [],
      offset: 0,
    });
    const out = ofType(array, new Array<number>(length).fill(99));
    for (const [a, b] of [
      [3, 5],
      [-7, 2],
    ]) {
      kernels.sub(many, one(a), out, [length]);
      expect(out).toEqual(many.data.map((x) => x - a));
      kernels.sub(one(a), one(b), out, [length]);
      expect(out.every((x) => x === a - b)).toBe(true);
      kernels.where({ ...many, data: many.data.map((x) => (x > 0 ? 1 : 0)) }, one(a), one(b), out, [length]);
      expect(out).toEqual(many.data.map((x) => (x > 0 ? a : b)));
      kernels.where(one(0), one(a), one(b), out, [length]);
      expect(out.every((x) => x === b)).toBe(true);
    }
  });

  test.each(floatTypes)('a reduction to one is what is written, on each call', (Type) => {
    for (const value of [1, 2]) {
      const data = new Type(300).fill(value);
      const out = new Type(1);
      kernels.sum({ data, shape: [300], strides: [1], offset: 0 }, [0], out);
      expect(out[0]).toBe(300 * value);
    }
  });
});
