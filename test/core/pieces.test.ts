// Small results share buffers, and nobody may notice: each array starts as zeros, and what is written into one is in no other.

import { type DType, dtypes } from '@adjoint/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { allocateOverwritten, allocateZeroed, keptBytes } from '../../packages/core/src/tape/pieces.ts';

const lengths = fc.array(fc.tuple(fc.constantFrom(...dtypes), fc.integer({ min: 0, max: 700 })), {
  maxLength: 60,
});
const marked = (index: number): number => 1 + (index % 200);

it('starts as zeros and keeps what is written into it, whatever is written into the others', () => {
  fc.assert(
    fc.property(lengths, fc.boolean(), (wanted, overwritten) => {
      const allocate = overwritten ? allocateOverwritten : allocateZeroed;
      const arrays = wanted.map(([dtype, length], i) => {
        const array = allocate(dtype, length);
        expect(array).toHaveLength(length);
        expect(array.every((x) => x === 0)).toBe(true);
        return array.fill(marked(i));
      });
      arrays.forEach((array, i) => {
        expect(array.every((x) => x === marked(i))).toBe(true);
      });
    }),
  );
});

it('is of the element type that was asked for', () => {
  const types: Readonly<Record<DType, { readonly BYTES_PER_ELEMENT: number }>> = {
    bool: Uint8Array,
    uint8: Uint8Array,
    int32: Int32Array,
    float16: Uint16Array,
    bfloat16: Uint16Array,
    float32: Float32Array,
    float64: Float64Array,
  };
  for (const dtype of dtypes) {
    const length = 200 / types[dtype].BYTES_PER_ELEMENT;
    const array = allocateZeroed(dtype, length);
    expect(array.constructor).toBe(types[dtype]);
    expect(array.buffer.byteLength).toBe(1024);
  }
});

it('shares a buffer only where that is small, so that what is kept keeps little else alive', () => {
  for (const bytes of [4, 64, 68, 200, 256, 260, 1024, 4096, 100_000]) {
    const array = allocateZeroed('float32', bytes / 4);
    const shares = array.buffer.byteLength !== array.byteLength;
    expect(shares, `${bytes} bytes`).toBe(bytes > 64 && bytes <= 256);
    if (shares) expect(array.buffer.byteLength).toBeLessThanOrEqual(1024);
    expect(keptBytes('float32', bytes / 4)).toBeGreaterThan(array.buffer.byteLength);
  }
});
