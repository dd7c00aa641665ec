// Numbers of all sizes for the tests of fast tiers, operands that lie in memory in any way, and distances in units in the last place.

import type { FloatArray, Strided } from '@adjoint/kernels-cpu';
import fc from 'fast-check';

export const floatTypes = [Float32Array, Float64Array] as const;
export type Float = (typeof floatTypes)[number];

const specials = [
  0,
  -0,
  1,
  -1,
  Number.NaN,
  Infinity,
  -Infinity,
  0.5,
  1.5,
  2.5,
  -0.5,
  -2.5,
  1e-30,
  -1e-30,
  5e-324,
  1e-45,
  3e38,
  1e300,
];

/** Numbers of all sizes that the op distinguishes, special ones among them; more than any threshold, and no round number. */
export function samples(Type: Float, length: number, scale: number, seed: number): FloatArray {
  const values = new Type(length);
  let state = seed * 2 + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const unit = state / 2 ** 31;
    values[i] = i % 3 === 0 ? unit * scale : i % 3 === 1 ? unit * 2 : unit * 2 ** (((state >>> 8) % 40) - 36);
    if (i % 50 === 7) values[i] = specials[((i / 50) % specials.length) | 0];
  }
  return values;
}

/** Units in the last place of the type at `x`. */
export function ulp(Type: Float, x: number): number {
  const [bits, least] = Type === Float32Array ? [23, 2 ** -149] : [52, 2 ** -1074];
  return Math.max(2 ** (Math.floor(Math.log2(Math.abs(x))) - bits), least);
}

/** The largest distance in units in the last place; infinite where one is NaN or infinite and the other is not. A bound of 0 also tells 0 from −0. */
export function worstUlp(
  Type: Float,
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: number,
): { ulps: number; at: number } {
  let worst = { ulps: 0, at: -1 };
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(got[i], expected[i]) || (bound > 0 && got[i] === expected[i])) continue;
    const isClose = Number.isFinite(got[i]) && Number.isFinite(expected[i]);
    const ulps = isClose ? Math.abs(got[i] - expected[i]) / ulp(Type, expected[i]) : Infinity;
    if (!(ulps <= worst.ulps)) worst = { ulps, at: i };
  }
  return worst;
}

/** A shape of up to 4 axes and some thousands of elements; two operands that broadcast to it, and one of the whole shape. */
export function pairArbitrary(Type: Float) {
  return fc
    .array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 4 })
    .filter((shape) => shape.reduce((p, q) => p * q, 1) <= 20_000)
    .chain((shape) =>
      fc.tuple(fc.constant(shape), operandArbitrary(Type, shape, 1), operandArbitrary(Type, shape, 2, 0)),
    );
}

function operandArbitrary(Type: Float, shape: readonly number[], seed: number, mostBroadcast = 15) {
  return fc
    .record({
      broadcast: fc.nat(mostBroadcast),
      order: fc.shuffledSubarray(
        shape.map((_, axis) => axis),
        { minLength: shape.length },
      ),
      reversed: fc.nat(15),
      gap: fc.nat(2),
      offset: fc.nat(3),
    })
    .map(({ broadcast, order, reversed, gap, offset }): Strided<FloatArray> => {
      const own = shape.map((extent, axis) => ((broadcast >> axis) & 1 ? 1 : extent));
      const strides = own.map(() => 0);
      let size = 1 + (gap > 1 ? 1 : 0);
      for (const axis of order) {
        strides[axis] = size;
        size *= Math.max(1, own[axis]) + (gap === 1 ? 1 : 0);
      }
      let start = offset;
      own.forEach((extent, axis) => {
        if (!((reversed >> axis) & 1) || extent === 0) return;
        start += (extent - 1) * strides[axis];
        strides[axis] = -strides[axis];
      });
      return { data: samples(Type, offset + size + 1, 20, seed), shape: own, strides, offset: start };
    });
}
