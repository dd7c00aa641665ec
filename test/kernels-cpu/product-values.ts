// Operands of products for the tests of fast tiers: whole numbers, whose sums are exact, and others; and where results differ from them.

import type { FloatArray } from '@adjoint/kernels-cpu';
import type { Float } from './samples.ts';

/** Whole numbers whose sums are exact in either type. */
export function integers(Type: Float, length: number, seed: number): FloatArray {
  const values = new Type(length);
  for (let i = 0; i < length; i++) values[i] = ((i * 7919 + seed * 104729 + ((i * i) % 13)) % 9) - 4;
  return values;
}

/** Numbers of mixed sign and size. */
export function reals(Type: Float, length: number, seed: number): FloatArray {
  const values = new Type(length);
  let state = seed * 2 + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = (state / 2 ** 31) * 2 ** ((i % 7) - 3);
  }
  return values;
}

/** Where the values differ; NaN equals NaN, and 0 equals −0. */
export function differentValues(got: FloatArray, expected: FloatArray): string[] {
  const different: string[] = [];
  for (let i = 0; i < expected.length && different.length < 5; i++) {
    if (got[i] !== expected[i] && !(Number.isNaN(got[i]) && Number.isNaN(expected[i])))
      different.push(`${i}: ${got[i]}, expected ${expected[i]}`);
  }
  return different;
}
