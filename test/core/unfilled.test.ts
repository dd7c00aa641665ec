// Memory that is not zeroed is asked for where the platform has it, and only for arrays that are worth it.

import { add, tensor } from '@adjoint/core';
import { afterEach, expect, it } from 'vitest';
import { allocateUnfilled, unfilled } from '../../packages/core/src/unfilled.ts';

const platform = globalThis.Buffer;
afterEach(() => {
  globalThis.Buffer = platform;
});

it('has the length and the type that were asked for', () => {
  const length = unfilled.least;
  for (const [dtype, type] of [
    ['float32', Float32Array],
    ['float64', Float64Array],
    ['int32', Int32Array],
    ['uint8', Uint8Array],
    ['bool', Uint8Array],
    ['float16', Uint16Array],
    ['bfloat16', Uint16Array],
  ] as const) {
    const array = allocateUnfilled(dtype, length);
    expect(array).toBeInstanceOf(type);
    expect([array.length, array.byteOffset]).toEqual([length, 0]);
    expect(array.buffer.byteLength).toBe(array.byteLength);
    expect(array.buffer.constructor).toBe(ArrayBuffer);
  }
});

it('is zeroed memory where the platform has no other', () => {
  const length = unfilled.least;
  globalThis.Buffer = undefined as unknown as typeof Buffer;
  expect(allocateUnfilled('float32', length)).toEqual(new Float32Array(length));
  const x = tensor(new Float32Array(length).fill(2));
  expect(add(x, x).toTypedArray()).toEqual(new Float32Array(length).fill(4));
});

it('is left alone by small arrays', () => {
  globalThis.Buffer = {
    allocUnsafeSlow() {
      throw new Error('asked for a small array');
    },
  } as unknown as typeof Buffer;
  const small = unfilled.least / Float32Array.BYTES_PER_ELEMENT - 1;
  expect(allocateUnfilled('float32', small)).toEqual(new Float32Array(small));
  expect(() => allocateUnfilled('float32', small + 1)).toThrow('asked for a small array');
});
