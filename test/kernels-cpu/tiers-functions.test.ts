// Functions of fast tiers on numbers of any type: against correctly rounded results, against the reference where that is exact, and
// against themselves at other places of an array.

import { readFileSync } from 'node:fs';
import type { BinaryName, FloatArray, NumericArray, UnaryName } from '@adjoint/kernels-cpu';
import { openTier } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differentBits, fastTiers } from './tiers-available.ts';
import { view } from './views.ts';

const reference = openTier('reference').kernels;

interface SpecialValues {
  readonly [name: string]: { readonly arguments: readonly number[][]; readonly results: readonly number[] };
}
const special: SpecialValues = JSON.parse(
  readFileSync(new URL('special-values.json', import.meta.url), 'utf8'),
);

/** Units in the last place that a function in float64 may be off, where that is more than 2; the headers of simd/ say the same. */
const bounds: Readonly<Record<string, number>> = {
  tanh: 3,
  erfc: 7,
  sigmoid: 3,
  logSigmoid: 3,
  softplus: 3,
  silu: 3,
  mish: 4,
  gelu: 7,
  elu: 2.5,
};

function ulps(got: number, expected: number): number {
  if (Object.is(got, expected) || got === expected) return 0;
  const unit = Math.max(2 ** (Math.floor(Math.log2(Math.abs(expected))) - 52), 2 ** -1074);
  const distance = Math.abs(got - expected) / unit;
  return Number.isNaN(distance) ? Infinity : distance;
}

/** The numbers again and again, so that the array is worth a call. */
const repeated = (values: readonly number[]): Float64Array =>
  Float64Array.from({ length: 2048 }, (_, i) => values[i % values.length]);

const corners = [
  0,
  -0,
  1,
  -1,
  2,
  -2,
  3,
  -3,
  0.5,
  -0.5,
  Number.NaN,
  Infinity,
  -Infinity,
  5e-324,
  -5e-324,
  1e-300,
  1.5e300,
  -1.5e300,
  2 ** 53,
  2 ** 53 - 1,
  2 ** 31,
  -(2 ** 31) - 1,
  4294967297.75,
  255.5,
  Math.PI,
  1e22,
];

/** Every corner with every other, and numbers of all sizes. */
function pairs(seed: number): [Float64Array, Float64Array] {
  const a: number[] = [];
  const b: number[] = [];
  for (const x of corners) {
    for (const y of corners) {
      a.push(x);
      b.push(y);
    }
  }
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state / 2 ** 31) * 2 ** (((state >>> 8) % 30) - 12);
  };
  for (let i = 0; i < 3001; i++) {
    a.push(next());
    b.push(next());
  }
  return [Float64Array.from(a), Float64Array.from(b)];
}

const smooth = Object.keys(special).filter((name) => name !== 'geluTanh');
const exactPairs = ['reluGrad', 'remainder', 'floorDivide', 'logicalAnd', 'logicalOr', 'logicalXor'] as const;
const nearPairs = ['pow', 'atan2', 'hypot', 'logisticLoss', 'binaryCrossEntropy'] as const;
const predicates = ['logicalNot', 'isNaN', 'isInf', 'isFinite'] as const;

describe.each(fastTiers)('%s', (_name, { kernels }) => {
  test.each(smooth)('%s in float64 against correctly rounded values', (name) => {
    const { arguments: operands, results } = special[name];
    const arrays = operands.map(repeated);
    const out = new Float64Array(2048);
    if (arrays.length === 1) kernels[name as UnaryName](view(arrays[0]), out);
    else kernels[name as BinaryName](view(arrays[0]), view(arrays[1]), out, [2048]);
    const bound = bounds[name] ?? 2;
    for (let i = 0; i < 2048; i++) {
      const error = ulps(out[i], results[i % results.length]);
      const given = arrays.map((array) => array[i]).join(', ');
      if (error > bound) expect.fail(`${name}(${given}) = ${out[i]}: ${error} ulp off`);
    }
  });

  test.each(exactPairs)('%s is the reference to the bit, in either precision', (name) => {
    const [a, b] = pairs(1);
    for (const Type of [Float32Array, Float64Array]) {
      const [x, y] = [Type.from(a), Type.from(b)];
      const isPredicate = name.startsWith('logical');
      const make = (): NumericArray => (isPredicate ? new Uint8Array(a.length) : new Type(a.length));
      const [got, expected] = [make(), make()];
      kernels[name](view(x), view(y), got, [a.length]);
      reference[name](view(x), view(y), expected, [a.length]);
      const at = differentBits(got, expected).map((i) => [x[i], y[i], got[i], expected[i]]);
      expect(at).toEqual([]);
    }
  });

  test.each(nearPairs)('%s is the reference within 3 ulp, at all corners', (name) => {
    const [a, b] = pairs(2);
    const shares = b.map((t) => Math.min(Math.max(t, 0), 1));
    const [x, y] =
      name === 'binaryCrossEntropy' ? [a.map((t) => Math.min(Math.max(t, 0), 1)), shares] : [a, b];
    const [got, expected] = [new Float64Array(a.length), new Float64Array(a.length)];
    kernels[name](view(x), view(y), got, [a.length]);
    reference[name](view(x), view(y), expected, [a.length]);
    for (let i = 0; i < a.length; i++) {
      // Of a difference, a unit of its larger term.
      const slack =
        name === 'pow' || name === 'atan2' || name === 'hypot' ? 0 : 2 ** -50 * Math.abs(x[i] * y[i]);
      const isOff = !(ulps(got[i], expected[i]) <= 3 || Math.abs(got[i] - expected[i]) <= slack);
      if (isOff || (got[i] === 0 && name !== 'logisticLoss' && !Object.is(got[i], expected[i])))
        expect.fail(`${name}(${x[i]}, ${y[i]}) = ${got[i]}, reference ${expected[i]}`);
    }
  });

  test.each(predicates)('%s', (name) => {
    for (const Type of [Float32Array, Float64Array]) {
      const [a] = pairs(3).map((values) => Type.from(values));
      const [got, expected] = [new Uint8Array(a.length), new Uint8Array(a.length)];
      kernels[name](view(a), got);
      reference[name](view(a), expected);
      expect(got).toEqual(expected);
    }
  });

  test('a number gives the same bits wherever it lies: in whole registers, at the end, side by side or apart', () => {
    const n = 1203;
    const a = pairs(4)[0]
      .map((x) => (Math.abs(x) < 1e5 || Number.isNaN(x) ? x : x / 1e280))
      .subarray(0, n);
    for (const Type of [Float32Array, Float64Array]) {
      const values: FloatArray = Type.from(a);
      const spread = new Type(3 * n + 1);
      for (let i = 0; i < n; i++) spread[1 + 3 * i] = values[i];
      for (const name of smooth) {
        const [whole, part, apart] = [new Type(n), new Type(n - 5), new Type(n)];
        const spreadView = { data: spread, shape: [n], strides: [3], offset: 1 };
        if (special[name].arguments.length === 1) {
          const kernel = kernels[name as UnaryName];
          kernel(view(values), whole);
          kernel({ data: values, shape: [n - 5], strides: [1], offset: 5 }, part);
          kernel(spreadView, apart);
        } else {
          const kernel = kernels[name as BinaryName];
          const five = { data: values, shape: [n - 5], strides: [1], offset: 5 };
          kernel(view(values), view(values), whole, [n]);
          kernel(five, five, part, [n - 5]);
          kernel(spreadView, view(values), apart, [n]);
        }
        expect([name, differentBits(part, whole.subarray(5))]).toEqual([name, []]);
        expect([name, differentBits(apart, whole)]).toEqual([name, []]);
      }
    }
  });

  test('operands and results of any types, as JavaScript assigns them', () => {
    const types = [Float32Array, Float64Array, Int32Array, Uint8Array] as const;
    const ops = ['add', 'sub', 'mul', 'maximum', 'minimum', 'equal', 'less', 'logicalXor', 'div'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.constantFrom(...types),
        fc.constantFrom(...types, Uint16Array),
        fc.constantFrom(...ops),
        fc.integer({ min: 1024, max: 1100 }),
        (A, B, Out, name, n) => {
          const [left, right] = pairs(n);
          // The end has ordinary numbers and the beginning all corners.
          const [a, b] = [A.from(left.slice(-n)), B.from(right.slice(0, n))];
          const [got, expected] = [new Out(n), new Out(n)];
          kernels[name](view(a), view(b), got, [n]);
          reference[name](view(a), view(b), expected, [n]);
          expect(differentBits(got, expected)).toEqual([]);
          const condition = Uint8Array.from(a, (x) => (x > 0 ? 3 : 0));
          kernels.where(view(condition), view(a), view(b), got, [n]);
          reference.where(view(condition), view(a), view(b), expected, [n]);
          expect(differentBits(got, expected)).toEqual([]);
          for (const unaryName of ['copy', 'neg', 'square', 'sign'] as const) {
            kernels[unaryName](view(b), got);
            reference[unaryName](view(b), expected);
            expect(differentBits(got, expected)).toEqual([]);
          }
        },
      ),
      { numRuns: 120 },
    );
  });

  describe.each(['Float16', 'Bfloat16'] as const)('%s', (format) => {
    const decode = `decode${format}` as const;
    const encode = `encode${format}` as const;

    test('every pattern of bits is decoded exactly', () => {
      const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
      for (const Type of [Float32Array, Float64Array]) {
        const [got, expected] = [new Type(65536), new Type(65536)];
        kernels[decode](bits, got);
        reference[decode](bits, expected);
        expect(differentBits(got, expected)).toEqual([]);
      }
    });

    test('numbers, halfway numbers and their neighbours are rounded once, to even', () => {
      const steps = new Float64Array(65536);
      reference[decode](
        Uint16Array.from({ length: 65536 }, (_, i) => i),
        steps,
      );
      const values = [...corners];
      for (let i = 0; i < 65535; i += 7) {
        const middle = (steps[i] + steps[i + 1]) / 2;
        for (const factor of [1, 1 + 2 ** -23, 1 - 2 ** -23, 1 + 2 ** -52, 1 - 2 ** -53])
          values.push(middle * factor);
      }
      for (let e = -160; e < 130; e++) values.push(2 ** e, -1.7 * 2 ** e);
      for (const Type of [Float32Array, Float64Array]) {
        const a: FloatArray = Type.from(values);
        const [got, expected] = [new Uint16Array(a.length), new Uint16Array(a.length)];
        kernels[encode](a, got);
        reference[encode](a, expected);
        expect(differentBits(got, expected).map((i) => [a[i], got[i], expected[i]])).toEqual([]);
      }
    });
  });
});
