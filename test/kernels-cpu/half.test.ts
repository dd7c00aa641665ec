// 16-bit floats: every bit pattern there and back, and rounding against the distances to both neighbours.

import { type FloatArray, kernels } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differences } from './views.ts';

interface Format {
  readonly decode: (bits: Uint16Array, out: FloatArray) => void;
  readonly encode: (a: FloatArray, bits: Uint16Array) => void;
  readonly infinity: number;
}

const formats: [string, Format][] = [
  ['float16', { decode: kernels.decodeFloat16, encode: kernels.encodeFloat16, infinity: 0x7c00 }],
  ['bfloat16', { decode: kernels.decodeBfloat16, encode: kernels.encodeBfloat16, infinity: 0x7f80 }],
];

const patterns = Uint16Array.from({ length: 65_536 }, (_, i) => i);

describe.each(formats)('%s', (name, { decode, encode, infinity }) => {
  const encodeOne = (x: number, Type: Float32ArrayConstructor | Float64ArrayConstructor = Float64Array) => {
    const bits = new Uint16Array(1);
    encode(Type.of(x), bits);
    return bits[0];
  };
  const values = new Float64Array(65_536);
  decode(patterns, values);

  test.each([
    ['float32', Float32Array],
    ['float64', Float64Array],
  ] as const)('all 65536 patterns survive the way to %s and back', (_name, Type) => {
    const numbers = new Type(65_536);
    decode(patterns, numbers);
    const back = new Uint16Array(65_536);
    encode(numbers, back);
    const magnitude = (bits: number) => bits & 0x7fff;
    // A NaN stays a NaN; JavaScript does not keep its payload.
    const wrong = patterns.filter((bits) =>
      magnitude(bits) > infinity
        ? !Number.isNaN(numbers[bits]) || magnitude(back[bits]) <= infinity
        : back[bits] !== bits,
    );
    expect([...wrong]).toEqual([]);
  });

  test('decoded values increase with the pattern, and the landmarks are right', () => {
    expect(values.subarray(1, infinity + 1).every((value, i) => value > values[i])).toBe(true);
    expect(values[infinity]).toBe(Infinity);
    expect(values[0x8000 + infinity]).toBe(-Infinity);
    expect(Object.is(values[0x8000], -0)).toBe(true);
    const landmarks: [number, number][] =
      name === 'float16'
        ? [
            [0x3c00, 1],
            [0xc000, -2],
            [0x7bff, 65504],
            [0x0400, 2 ** -14],
            [0x0001, 2 ** -24],
            [0x3555, 0.333251953125],
          ]
        : [
            [0x3f80, 1],
            [0xc000, -2],
            [0x7f7f, 255 * 2 ** 120],
            [0x0080, 2 ** -126],
            [0x0001, 2 ** -133],
            [0x3eab, 0.333984375],
          ];
    for (const [bits, value] of landmarks) expect(values[bits]).toBe(value);
  });

  test('halfway between neighbours goes to the even one, any nudge to the nearer one', () => {
    const count = infinity - 1;
    // The middle is exact: both neighbours have few bits.
    const middles = Float64Array.from({ length: count }, (_, bits) => (values[bits] + values[bits + 1]) / 2);
    const wrong = (factor: number, expected: (bits: number) => number) => {
      const bits = new Uint16Array(count);
      encode(
        middles.map((middle) => middle * factor),
        bits,
      );
      return differences(
        bits,
        bits.map((_, i) => expected(i)),
      );
    };
    const nudge = 2 ** -50;
    expect(wrong(1, (bits) => (bits % 2 === 0 ? bits : bits + 1))).toEqual([]);
    expect(wrong(1 - nudge, (bits) => bits)).toEqual([]);
    expect(wrong(1 + nudge, (bits) => bits + 1)).toEqual([]);
    expect(wrong(nudge - 1, (bits) => 0x8000 + bits)).toEqual([]);
  });

  test('overflow starts at half a unit past the largest number', () => {
    const largest = values[infinity - 1];
    const unit = largest - values[infinity - 2];
    expect(encodeOne(largest + unit / 2)).toBe(infinity);
    expect(encodeOne(-largest - unit / 2)).toBe(0x8000 + infinity);
    expect(encodeOne(largest + (unit / 2) * (1 - 2 ** -40))).toBe(infinity - 1);
    expect(encodeOne(Number.MAX_VALUE)).toBe(infinity);
    expect(encodeOne(Infinity)).toBe(infinity);
    expect(encodeOne(-Infinity)).toBe(0x8000 + infinity);
  });

  test('underflow: half of the smallest number is 0, anything above is the smallest', () => {
    expect(encodeOne(values[1] / 2)).toBe(0);
    expect(encodeOne(-values[1] / 2)).toBe(0x8000);
    expect(encodeOne((values[1] / 2) * (1 + 2 ** -40))).toBe(1);
    expect(encodeOne(Number.MIN_VALUE)).toBe(0);
    expect(encodeOne(-0)).toBe(0x8000);
  });

  test('any double goes to a nearest pattern', () => {
    const magnitudes = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e5, max: 1e5 });
    fc.assert(
      fc.property(magnitudes, (x) => {
        const bits = encodeOne(x);
        const distance = Math.abs(values[bits] - x);
        const magnitude = bits & 0x7fff;
        if (magnitude === infinity) return;
        if (magnitude > 0) expect(Math.abs(values[bits - 1] - x)).toBeGreaterThanOrEqual(distance);
        if (magnitude + 1 < infinity) expect(Math.abs(values[bits + 1] - x)).toBeGreaterThanOrEqual(distance);
      }),
      { numRuns: 2000 },
    );
  });

  test('NaN is a quiet NaN', () => {
    for (const Type of [Float32Array, Float64Array])
      expect(encodeOne(Number.NaN, Type) & 0x7fff).toBeGreaterThan(infinity);
  });
});

test('float64 to float16 is rounded once, not by way of float32', () => {
  const bits = new Uint16Array(1);
  // Just above the middle between 1 and its neighbour: in float32 this is the middle, which would round to even, to 1.
  kernels.encodeFloat16(Float64Array.of(1 + 2 ** -11 + 2 ** -40), bits);
  expect(bits[0]).toBe(0x3c01);
});
