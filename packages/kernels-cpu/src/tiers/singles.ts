// Arrays of one element on their way to a machine: numbers beside a tensor, and results of whole reductions.
//
// V8 keeps arrays of up to 64 bytes in its own heap, and moves one out when an addon asks where it is, which takes as long as the
// call itself. So a single element goes in an array that was moved long ago.

import type { FloatArray, NumericArray } from '../kernels.ts';

const outside = (): ArrayBuffer => new ArrayBuffer(8);

/** One per type, in the order of ELEMENT_TYPES as far as arrays tell them apart. */
const singles = (): readonly NumericArray[] => [
  new Float32Array(outside(), 0, 1),
  new Float64Array(outside(), 0, 1),
  new Int32Array(outside(), 0, 1),
  new Uint8Array(outside(), 0, 1),
  new Uint16Array(outside(), 0, 1),
];

/** For each operand of a call. */
const operands = [singles(), singles(), singles()] as const;
const float = new Float32Array(outside(), 0, 1);
const double = new Float64Array(outside(), 0, 1);

/** What to hand over for operand `index`, whose elements are of type `type`: itself, or a copy of its only element. */
export function readable(data: NumericArray, type: number, index: 0 | 1 | 2): NumericArray {
  if (data.length !== 1) return data;
  const single = operands[index][type];
  single[0] = data[0];
  return single;
}

/** What to hand over for a result: itself, or an array of one element to be copied from afterwards. */
export function writable(out: FloatArray): FloatArray {
  if (out.length !== 1) return out;
  return out instanceof Float32Array ? float : double;
}
