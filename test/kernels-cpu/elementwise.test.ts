// The element-wise kernels: accuracy against high-precision values, corners as PyTorch has them, any strides.

import { readFileSync } from 'node:fs';
import {
  type BinaryName,
  IntegerDivisionError,
  kernels,
  type NumericArray,
  openTier,
  type UnaryName,
} from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  broadcastArbitrary,
  doubles,
  elements,
  int32s,
  shapeArbitrary,
  stridedArbitrary,
  view,
  wholeDoubles,
} from './views.ts';

interface Tabulated {
  readonly arguments: readonly number[][];
  readonly results: readonly number[];
}
const path = new URL('special-values.json', import.meta.url);
const table: Record<string, Tabulated> = JSON.parse(readFileSync(path, 'utf8'));

const bits = new BigInt64Array(1);
const double = new Float64Array(bits.buffer);

/** Position of x among all doubles in order, so that differences count units in the last place. */
function ordinal(x: number): bigint {
  double[0] = x;
  return bits[0] < 0n ? -(bits[0] & 0x7fff_ffff_ffff_ffffn) : bits[0];
}

function ulps(actual: number, expected: number): number {
  const distance = Number(ordinal(actual) - ordinal(expected));
  return Number.isNaN(actual) ? Infinity : Math.abs(distance);
}

/** Units in the last place that an op may be off. Most are V8's fdlibm (1); compositions of two roundings get 2. */
const allowed: Record<string, number> = {
  mish: 2,
  gelu: 2,
  silu: 2,
  logSigmoid: 2,
  softplus: 2,
  erfc: 2,
  sqrt: 0,
};

// The fast tiers state errors of their own (tiers-functions.test.ts).
const reference = openTier('reference').kernels;

describe('accuracy in float64 against 400-bit arithmetic', () => {
  test.each(Object.keys(table).filter((name) => name !== 'geluTanh'))('%s', (name) => {
    const { arguments: operands, results } = table[name];
    const out = new Float64Array(results.length);
    if (name === 'pow' || name === 'hypot') {
      reference[name](view(Float64Array.from(operands[0])), view(Float64Array.from(operands[1])), out, [
        out.length,
      ]);
    } else {
      const parameters = name === 'softplus' ? [1, Infinity] : [];
      reference[name as UnaryName](view(Float64Array.from(operands[0])), out, ...parameters);
    }
    const off = results.map((expected, i) => ulps(out[i], expected));
    const worst = off.indexOf(Math.max(...off));
    expect(off[worst], `at ${operands.map((xs) => xs[worst])}`).toBeLessThanOrEqual(allowed[name] ?? 1);
  });

  test('geluTanh, where exp magnifies the rounding of its argument u to 2|u| units', () => {
    const { arguments: operands, results } = table.geluTanh;
    const out = new Float64Array(results.length);
    reference.geluTanh(view(Float64Array.from(operands[0])), out);
    for (const [i, x] of operands[0].entries()) {
      const u = 0.8 * (x + 0.045 * x ** 3);
      expect(ulps(out[i], results[i]), `at ${x}`).toBeLessThanOrEqual(4 + 2 * Math.abs(Math.min(0, u)) * 2);
    }
  });
});

function unary(name: UnaryName, values: readonly number[], ...parameters: number[]): number[] {
  const out = new Float64Array(values.length);
  kernels[name](view(Float64Array.from(values)), out, ...parameters);
  return [...out];
}

function pairwise(name: BinaryName, pairs: readonly (readonly [number, number])[]): number[] {
  const out = new Float64Array(pairs.length);
  const [a, b] = [0, 1].map((side) => view(Float64Array.from(pairs, (pair) => pair[side])));
  kernels[name](a, b, out, [pairs.length]);
  return [...out];
}

describe('corners, as PyTorch has them', () => {
  const nan = Number.NaN;
  const unaryCorners: [UnaryName, number[], number[], number[]?][] = [
    ['round', [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, -0], [0, 2, 2, -0, -2, -2, 0, -0]],
    [
      'round',
      [4503599627370495.5, -4503599627370497, 1e300, nan],
      [4503599627370496, -4503599627370497, 1e300, nan],
    ],
    ['round', [Infinity, -Infinity], [Infinity, -Infinity]],
    ['sign', [nan, -0.1, 0, 7, -Infinity], [0, -1, 0, 1, -1]],
    ['relu', [nan, -1, 2, Infinity, -Infinity], [nan, 0, 2, Infinity, 0]],
    ['leakyRelu', [nan, -2, 3], [nan, -0.5, 3], [0.25]],
    ['elu', [nan, -Infinity, 2], [nan, -6, 6], [2, 3]],
    ['clamp', [nan, -5, 5, 0.5], [nan, -1, 1, 0.5], [-1, 1]],
    ['clamp', [0, 5], [1, 1], [3, 1]],
    ['sigmoid', [-Infinity, Infinity, nan, 1000, -1000], [0, 1, nan, 1, 0]],
    ['logSigmoid', [-1000, 1000, -Infinity, nan], [-1000, -0, -Infinity, nan]],
    ['softplus', [25, -1000, 20.5, Infinity], [25, 0, 20.5, Infinity]],
    ['softplus', [3, 1000], [3, 1000], [2, 5]],
    ['erf', [Infinity, -Infinity, nan, 0], [1, -1, nan, 0]],
    ['erfc', [Infinity, -Infinity, nan, 0], [0, 2, nan, 1]],
    ['gelu', [nan, -100, 100, -1e300], [nan, -0, 100, -0]],
    ['mish', [nan, 1e300, -1e300], [nan, 1e300, -0]],
    ['silu', [-1000, 1000], [-0, 1000]],
    ['log', [0, -1], [-Infinity, nan]],
    ['logicalNot', [0, -0, 2, nan], [1, 1, 0, 0]],
    ['isNaN', [nan, 1, Infinity], [1, 0, 0]],
    ['isInf', [nan, 1, -Infinity], [0, 0, 1]],
    ['isFinite', [nan, 1, Infinity], [0, 1, 0]],
  ];
  test.each(unaryCorners)('%s of %j', (name, values, expected, parameters = []) => {
    const results = unary(name, values, ...parameters);
    expect(results.map((x) => x + 0)).toEqual(expected.map((x) => x + 0));
    if (name === 'round') expect(results).toEqual(expected);
  });

  const binaryCorners: [BinaryName, [number, number], number][] = [
    ['pow', [1, nan], 1],
    ['pow', [1, -Infinity], 1],
    ['pow', [-1, Infinity], 1],
    ['pow', [nan, 0], 1],
    ['pow', [0, 0], 1],
    ['pow', [0, -1], Infinity],
    ['pow', [-8, 1 / 3], nan],
    ['remainder', [-7, 3], 2],
    ['remainder', [7, -3], -2],
    ['remainder', [6, 3], 0],
    ['remainder', [-1, Infinity], Infinity],
    ['remainder', [5, 0], nan],
    ['floorDivide', [-7, 3], -3],
    ['floorDivide', [7, -3], -3],
    ['floorDivide', [-1, Infinity], -1],
    ['floorDivide', [5, 0], Infinity],
    ['floorDivide', [Infinity, 1], nan],
    // 0.1 goes into 1 nine times and not quite ten, though 1 / 0.1 rounds to 10.
    ['floorDivide', [1, 0.1], 9],
    ['maximum', [nan, 1], nan],
    ['maximum', [1, nan], nan],
    ['minimum', [nan, 1], nan],
    ['minimum', [-2, 1], -2],
    ['hypot', [3 * 2 ** 700, 4 * 2 ** 700], 5 * 2 ** 700],
    ['hypot', [-3, 4], 5],
    ['hypot', [nan, Infinity], Infinity],
    ['hypot', [-Infinity, nan], Infinity],
    ['reluGrad', [3, nan], 3],
    ['reluGrad', [3, 0], 0],
    ['reluGrad', [nan, -1], 0],
    ['atan2', [0, -1], Math.PI],
    ['equal', [nan, nan], 0],
    ['notEqual', [nan, nan], 1],
    ['less', [1, nan], 0],
    ['lessEqual', [2, 2], 1],
    ['greater', [2, 2], 0],
    ['greaterEqual', [2, 2], 1],
    ['logicalAnd', [nan, 2], 1],
    ['logicalOr', [0, -0], 0],
    ['logicalXor', [3, 4], 0],
    ['logicalXor', [0, 4], 1],
  ];
  test.each(binaryCorners)('%s of %j is %d', (name, pair, expected) => {
    expect(pairwise(name, [pair])).toEqual([expected]);
  });

  test('floorDivide keeps the sign of a zero quotient', () => {
    expect(
      pairwise('floorDivide', [
        [-0, 1],
        [0, 5],
        [2, 5],
      ]),
    ).toEqual([-0, 0, 0]);
  });

  test('lerp meets both ends exactly', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
        fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
        (a, b) => {
          const out = new Float64Array(2);
          kernels.lerp(
            view(Float64Array.of(a, a)),
            view(Float64Array.of(b, b)),
            view(Float64Array.of(0, 1)),
            out,
            [2],
          );
          expect([out[0] + 0, out[1] + 0]).toEqual([a + 0, b + 0]);
        },
      ),
    );
  });
});

describe('whole numbers', () => {
  const wrap = (x: bigint) => Number(BigInt.asIntN(32, x));
  const floorDiv = (a: bigint, b: bigint) => a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n);
  const exact: [BinaryName, (a: bigint, b: bigint) => bigint][] = [
    ['add', (a, b) => a + b],
    ['sub', (a, b) => a - b],
    ['mul', (a, b) => a * b],
    ['floorDivide', (a, b) => (b === 0n ? 0n : floorDiv(a, b))],
    ['remainder', (a, b) => (b === 0n ? 0n : a - b * floorDiv(a, b))],
  ];
  test.each(exact)('int32 %s is exact modulo 2^32', (name, f) => {
    fc.assert(
      fc.property(int32s(6), int32s(6), (a, b) => {
        if (name === 'floorDivide' || name === 'remainder')
          b.forEach((x, i) => {
            b[i] = x || 1;
          });
        const out = new Int32Array(6);
        kernels[name](view(a), view(b), out, [6]);
        expect([...out]).toEqual(Array.from(a, (x, i) => wrap(f(BigInt(x), BigInt(b[i])))));
      }),
    );
  });

  test('int32 pow is exact modulo 2^32; a negative power is the truncated reciprocal', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(70), (a, b) => {
        const out = new Int32Array(1);
        kernels.pow(view(Int32Array.of(a)), view(Int32Array.of(b)), out, [1]);
        expect(out[0]).toBe(wrap(BigInt(a) ** BigInt(b)));
      }),
    );
    const out = new Int32Array(5);
    kernels.pow(view(Int32Array.of(0, 2, -1, 1, -1)), view(Int32Array.of(-1, -1, -1, -5, -2)), out, [5]);
    expect([...out]).toEqual([0, 0, -1, 1, 1]);
  });

  test('int32 neg, abs and square wrap', () => {
    const least = -(2 ** 31);
    const out = new Int32Array(3);
    kernels.neg(view(Int32Array.of(least, 5, 0)), out);
    expect([...out]).toEqual([least, -5, 0]);
    kernels.abs(view(Int32Array.of(least, -5, 5)), out);
    expect([...out]).toEqual([least, 5, 5]);
    kernels.square(view(Int32Array.of(65537, -46341, 3)), out);
    expect([...out]).toEqual([131073, -2147479015, 9]);
  });

  test('uint8 wraps modulo 256', () => {
    const out = new Uint8Array(3);
    kernels.mul(view(Uint8Array.of(255, 16, 3)), view(Uint8Array.of(255, 16, 5)), out, [3]);
    expect([...out]).toEqual([1, 0, 15]);
    kernels.sub(view(Uint8Array.of(1, 0, 3)), view(Uint8Array.of(2, 1, 3)), out, [3]);
    expect([...out]).toEqual([255, 255, 0]);
  });

  test.each(['floorDivide', 'remainder'] as const)(
    '%s by a whole 0 is an error that says what to do',
    (name) => {
      for (const Type of [Int32Array, Uint8Array]) {
        const divide = () => kernels[name](view(Type.of(1, 2)), view(Type.of(1, 0)), new Type(2), [2]);
        expect(divide).toThrow(IntegerDivisionError);
        expect(divide).toThrow(new RegExp(`^${name}: .*divisor is 0.*float32`));
      }
    },
  );
});

describe('operands of any strides', () => {
  // Exact ones: tiers differ in the last place of the others, which the tests of the tiers bound.
  const unaries: [UnaryName, (x: number) => number][] = [
    ['neg', (x) => -x],
    ['square', (x) => x * x],
    ['floor', (x) => Math.floor(x)],
    ['sqrt', (x) => Math.sqrt(x)],
    ['isNaN', () => 0],
  ];
  test.each(unaries)('%s', (name, f) => {
    const viewArbitrary = shapeArbitrary.chain((shape) => stridedArbitrary(shape, doubles));
    fc.assert(
      fc.property(viewArbitrary, (a) => {
        const expected = elements(a).map(f);
        const out = new Float64Array(expected.length).fill(Number.NaN);
        kernels[name](a, out);
        expect([...out]).toEqual(expected);
      }),
    );
  });

  const binaries: [BinaryName, (x: number, y: number) => number][] = [
    ['add', (x, y) => x + y],
    ['sub', (x, y) => x - y],
    ['mul', (x, y) => x * y],
    ['div', (x, y) => x / y],
    ['maximum', (x, y) => Math.max(x, y)],
    ['greater', (x, y) => Number(x > y)],
  ];
  test.each(binaries)('%s, broadcast', (name, f) => {
    const operands = shapeArbitrary.chain((shape) =>
      fc.tuple(fc.constant(shape), broadcastArbitrary(shape, doubles), broadcastArbitrary(shape, doubles)),
    );
    fc.assert(
      fc.property(operands, ([shape, a, b]) => {
        const second = elements(b, shape);
        const expected = elements(a, shape).map((x, i) => f(x, second[i]));
        const out = new Float64Array(expected.length).fill(Number.NaN);
        kernels[name](a, b, out, shape);
        expect([...out]).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test('where, broadcast, with a condition of another dtype', () => {
    const flags = (length: number) =>
      wholeDoubles(length).map((values) => Uint8Array.from(values, (x) => Number(x > 0)));
    const operands = shapeArbitrary.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        broadcastArbitrary(shape, flags),
        broadcastArbitrary(shape, doubles),
        broadcastArbitrary(shape, doubles),
      ),
    );
    fc.assert(
      fc.property(operands, ([shape, condition, a, b]) => {
        const [yes, no] = [elements(a, shape), elements(b, shape)];
        const expected = elements(condition, shape).map((flag, i) => (flag ? yes[i] : no[i]));
        const out = new Float64Array(expected.length).fill(Number.NaN);
        kernels.where(condition, a, b, out, shape);
        expect([...out]).toEqual(expected);
      }),
    );
  });

  test('in place on a contiguous operand', () => {
    const data = Float32Array.of(1, 2, 3);
    kernels.add(view(data), view(Float32Array.of(10), []), data, [3]);
    kernels.mul(view(data), view(data), data, [3]);
    expect([...data]).toEqual([121, 144, 169]);
  });

  test('float32 results are the double result rounded once', () => {
    const a = Float32Array.of(1 / 3, 1e-30, 16777216);
    const b = Float32Array.of(0.1, 1e30, 1);
    for (const [name, f] of binaries.slice(0, 4)) {
      const out: NumericArray = new Float32Array(3);
      kernels[name](view(a), view(b), out, [3]);
      expect([...out]).toEqual(Array.from(a, (x, i) => Math.fround(f(x, b[i]))));
    }
  });
});
