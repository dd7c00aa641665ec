// Derivatives of activations: the reference against difference quotients of the functions, every tier against the reference.

import type { DerivativeName, FloatArray, NumericArray, Strided, UnaryName } from '@adjoint/kernels-cpu';
import { openTier } from '@adjoint/kernels-cpu';
import { describe, expect, test } from 'vitest';
import { differentBits, fastTiers } from './tiers-available.ts';
import { view } from './views.ts';

const reference = openTier('reference').kernels;

interface Case {
  readonly name: DerivativeName;
  /** The function, and whether its derivative is in terms of its result. */
  readonly of: UnaryName;
  readonly fromResult?: true;
  readonly p?: number;
  readonly q?: number;
  /** Where the derivative jumps or bends. */
  readonly kinks?: readonly number[];
}
const cases: readonly Case[] = [
  { name: 'leakyReluGrad', of: 'leakyRelu', p: 0.2, kinks: [0] },
  { name: 'eluGrad', of: 'elu', p: 1.3, q: 0.7, kinks: [0] },
  { name: 'celuGrad', of: 'celu', p: 1.3, kinks: [0] },
  { name: 'clampGrad', of: 'clamp', p: -1.25, q: 2.5, kinks: [-1.25, 2.5] },
  { name: 'hardtanhGrad', of: 'clamp', p: -1.25, q: 2.5, kinks: [-1.25, 2.5] },
  { name: 'hardsigmoidGrad', of: 'hardsigmoid', kinks: [-3, 3] },
  { name: 'hardswishGrad', of: 'hardswish', kinks: [-3, 3] },
  { name: 'sigmoidGrad', of: 'sigmoid', fromResult: true },
  { name: 'tanhGrad', of: 'tanh', fromResult: true },
  { name: 'logSigmoidGrad', of: 'logSigmoid' },
  { name: 'softplusGrad', of: 'softplus', p: 1.5, q: 4, kinks: [4 / 1.5] },
  { name: 'siluGrad', of: 'silu' },
  { name: 'mishGrad', of: 'mish' },
  { name: 'geluGrad', of: 'gelu' },
  { name: 'geluTanhGrad', of: 'geluTanh' },
];

/** Numbers between −reach and reach, and what a function may treat by itself. */
function samples(Type: typeof Float32Array | typeof Float64Array, length: number, reach: number): FloatArray {
  const special = [0, -0, 3, -3, 1, -1, Number.NaN, -1.25, 2.5, 25, -25, 110, -110, 1e-30, 5e-324, Infinity];
  special.push(-Infinity, 2e19, -2e19, 1e38, -1e38, 1e160, -1e160);
  let state = 1;
  const values = new Type(length);
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = i % 20 === 7 ? special[((i / 20) | 0) % special.length] : (state / 2 ** 31) * reach;
  }
  return values;
}

describe.each(cases)('$name', ({ name, of, fromResult, p, q, kinks = [] }) => {
  test('is the slope of the function', () => {
    const step = 2 ** -18;
    const x = Float64Array.from({ length: 801 }, (_, i) => (i - 400) / 50 + 0.003).filter((at) =>
      kinks.every((kink) => Math.abs(at - kink) > 2 * step),
    );
    const [left, right, result, got] = [0, 1, 2, 3].map(() => new Float64Array(x.length));
    reference[of](view(x.map((at) => at - step)), left, p, q);
    reference[of](view(x.map((at) => at + step)), right, p, q);
    reference[of](view(x), result, p, q);
    const g = x.map((_, i) => 1 + (i % 3));
    reference[name](view(g), view(fromResult ? result : x), got, [x.length], p, q);
    x.forEach((at, i) => {
      const slope = (right[i] - left[i]) / (2 * step);
      expect(Math.abs(got[i] - g[i] * slope), `at ${at}`).toBeLessThan(1e-9);
    });
  });

  describe.each(fastTiers)('%s', (_tier, { kernels, setThreads }) => {
    test.each([
      [Float32Array, 2 ** -21],
      [Float64Array, 2 ** -50],
    ] as const)('%o is the reference but for rounding, on any number of threads', (Type, unit) => {
      for (const length of [1501, 40_003]) {
        const a = samples(Type, length, fromResult ? 1 : 12);
        const g = samples(Type, length, 3).map((t) => (Number.isFinite(t) ? t : 1));
        const [got, expected] = [new Type(length).fill(7), new Type(length)];
        reference[name](view(g), view(a), expected, [length], p, q);
        kernels[name](view(g), view(a), got, [length], p, q);
        for (let i = 0; i < length; i++) {
          // Terms of opposite signs cancel; rounding an argument of the exponential is magnified by its size.
          const slack =
            unit * Math.abs(g[i]) * (1 + Math.min(Math.abs(a[i]), 30) ** (name === 'geluTanhGrad' ? 3 : 1));
          const isSame = Object.is(got[i], expected[i]) || Math.abs(got[i] - expected[i]) <= slack;
          if (!isSame) expect.fail(`${name}(${g[i]}, ${a[i]}) = ${got[i]}, reference ${expected[i]}`);
        }
        for (const threads of [1, 2, 3]) {
          setThreads(threads);
          const again = new Type(length);
          kernels[name](view(g), view(a), again, [length], p, q);
          expect(differentBits(again, got)).toEqual([]);
        }
        setThreads(4);
      }
    });

    test('a cotangent that is expanded, operands reversed and apart: the same bits', () => {
      const [rows, columns] = [31, 67];
      const a = samples(Float32Array, rows * columns, fromResult ? 1 : 6);
      const spread = new Float32Array(2 * a.length + 1);
      for (let i = 0; i < a.length; i++) spread[1 + 2 * (a.length - 1 - i)] = a[i];
      const g: Strided = { data: Float32Array.of(0.75), shape: [rows, columns], strides: [0, 0], offset: 0 };
      const apart: Strided = {
        data: spread,
        shape: [rows, columns],
        strides: [-2 * columns, -2],
        offset: 2 * a.length - 1,
      };
      const [got, expected] = [new Float32Array(a.length), new Float32Array(a.length)];
      kernels[name](g, apart, got, [rows, columns], p, q);
      kernels[name](view(new Float32Array(a.length).fill(0.75)), view(a), expected, [a.length], p, q);
      const bits = (array: NumericArray): number[] => differentBits(array as FloatArray, expected);
      expect(bits(got)).toEqual([]);
    });
  });
});
