// 16-bit operands: rounded once with computeMode 'float32', twice (before and after the bias) by default.

import { conv2d, convTranspose2d, type DType, tensor } from '@adjoint/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function round(value: number, dtype: DType): number {
  return tensor([value], { dtype }).toTypedArray()[0];
}

describe.each(['float16', 'bfloat16'] as const)('computeMode with %s', (dtype) => {
  const value = fc.integer({ min: -2047, max: 2047 }).map((n) => round(n / 256, dtype));

  it.each([conv2d, convTranspose2d])('of $name decides where a result is rounded', (f) => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 4, maxLength: 4 }),
        fc.array(value, { minLength: 4, maxLength: 4 }),
        value,
        (xs, ws, b) => {
          const x = tensor(Float64Array.from(xs), { shape: [1, 4, 1, 1], dtype });
          const w = tensor(Float64Array.from(ws), {
            shape: f === conv2d ? [1, 4, 1, 1] : [4, 1, 1, 1],
            dtype,
          });
          const bias = tensor([b], { dtype });
          const sum = Math.fround(xs.reduce((total, v, i) => total + v * ws[i], 0));
          const once = f(x, w, { bias, computeMode: 'float32' });
          expect(once.dtype).toBe(dtype);
          expect(once.item()).toBe(round(Math.fround(sum + b), dtype));
          expect(f(x, w, { bias }).item()).toBe(round(Math.fround(round(sum, dtype) + b), dtype));
        },
      ),
    );
  });
});

describe('computeMode', () => {
  it('tells the two roundings apart where they differ', () => {
    const [x, w, bias] = [
      tensor([[[[1.0029296875]]]], { dtype: 'float16' }),
      tensor([[[[1.0029296875]]]], { dtype: 'float16' }),
      tensor([-1], { dtype: 'float16' }),
    ];
    const once = conv2d(x, w, { bias, computeMode: 'float32' }).item();
    const twice = conv2d(x, w, { bias }).item();
    // (1 + 3·2^-10)^2 - 1 = 6·2^-10 + 9·2^-20: kept to 11 bits after the bias, lost before it.
    expect(once).toBe(6 * 2 ** -10 + 2 * 2 ** -18);
    expect(twice).toBe(6 * 2 ** -10);
  });

  it('changes nothing for float32 and float64', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const x = tensor(
        [
          [
            [
              [0.1, 0.2],
              [0.3, 0.7],
            ],
          ],
        ],
        { dtype },
      );
      const w = tensor([[[[0.3]]]], { dtype });
      const bias = tensor([0.9], { dtype });
      expect(conv2d(x, w, { bias, computeMode: 'float32' }).toArray()).toEqual(
        conv2d(x, w, { bias }).toArray(),
      );
    }
  });
});
