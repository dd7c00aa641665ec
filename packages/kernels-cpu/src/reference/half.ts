// 16-bit floats: IEEE binary16 and bfloat16, to and from numbers. One pair of functions, two formats.

import type { FloatArray, Kernels } from '../kernels.ts';

/** A binary format of 16 bits: sign, exponent, fraction. */
interface HalfFormat {
  readonly fractionBits: number;
  readonly bias: number;
  /** The bits of +Infinity. */
  readonly infinity: number;
}

const FLOAT16: HalfFormat = { fractionBits: 10, bias: 15, infinity: 0x7c00 };
const BFLOAT16: HalfFormat = { fractionBits: 7, bias: 127, infinity: 0x7f80 };

export const decodeFloat16: Kernels['decodeFloat16'] = (bits, out) => decode(FLOAT16, bits, out);
export const encodeFloat16: Kernels['encodeFloat16'] = (a, bits) => encode(FLOAT16, a, bits);
export const decodeBfloat16: Kernels['decodeBfloat16'] = (bits, out) => decode(BFLOAT16, bits, out);
export const encodeBfloat16: Kernels['encodeBfloat16'] = (a, bits) => encode(BFLOAT16, a, bits);

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
double[0] = -0;
/** Which of the two words of a double holds its sign and exponent. */
const HIGH = words[1] === 0 ? 0 : 1;
const LOW = 1 - HIGH;

/** 2^exponent, for exponents of normal doubles. */
function powerOfTwo(exponent: number): number {
  words[LOW] = 0;
  words[HIGH] = (exponent + 1023) << 20;
  return double[0];
}

function decode({ fractionBits, bias, infinity }: HalfFormat, bits: Uint16Array, out: FloatArray): void {
  const hidden = 1 << fractionBits;
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i] & 0x7fff;
    const exponent = magnitude >> fractionBits;
    const fraction = magnitude & (hidden - 1);
    let value: number;
    if (magnitude >= infinity) value = fraction === 0 ? Infinity : Number.NaN;
    else if (exponent === 0) value = fraction * powerOfTwo(1 - bias - fractionBits);
    else value = (hidden + fraction) * powerOfTwo(exponent - bias - fractionBits);
    out[i] = bits[i] & 0x8000 ? -value : value;
  }
}

function encode({ fractionBits, bias, infinity }: HalfFormat, a: FloatArray, bits: Uint16Array): void {
  for (let i = 0; i < a.length; i++) {
    double[0] = a[i];
    const high = words[HIGH];
    const sign = (high >>> 16) & 0x8000;
    if (Number.isNaN(a[i])) {
      bits[i] = infinity | (1 << (fractionBits - 1));
      continue;
    }
    // The exponent of the unit that the result is a multiple of: subnormals share the smallest.
    const exponent = Math.max(((high >>> 20) & 0x7ff) - 1023, 1 - bias);
    const multiple = Math.abs(a[i]) * powerOfTwo(fractionBits - exponent);
    // Adding 2^52 leaves no bit for a fraction, so the sum is rounded, half to even.
    const rounded = multiple + 2 ** 52 - 2 ** 52;
    // A normal `rounded` holds the hidden bit, which carries into the exponent; so does rounding up to the next power.
    bits[i] = sign | Math.min((exponent + bias - 1) * 2 ** fractionBits + rounded, infinity);
  }
}
