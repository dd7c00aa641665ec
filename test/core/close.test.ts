// Comparing whole tensors: the definition, element by element, and the corners that PyTorch has.

import {
  ArgumentError,
  allclose,
  equal,
  isclose,
  ones,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from '@adjoint/core';
import { trace } from '@adjoint/core/graph';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const number = fc.oneof(fc.double({ min: -1e3, max: 1e3 }), fc.constantFrom(0, -0, NaN, Infinity, -Infinity));

test('isclose is its definition, in both operands, and allclose all of it', () => {
  const pairs = fc.array(fc.tuple(number, number, fc.boolean()), { minLength: 1, maxLength: 8 });
  const tolerance = fc.double({ min: 0, max: 0.1, noNaN: true });
  fc.assert(
    fc.property(pairs, tolerance, tolerance, fc.boolean(), (drawn, rtol, atol, equalNan) => {
      // Half of the pairs are close if the tolerance is relative to the second, and not if to the first.
      const rows = drawn.map(([a, b, near]): [number, number] => [
        a,
        near ? a * (1 + rtol + rtol ** 2 / 2) : b,
      ]);
      const [a, b] = [0, 1].map((k) =>
        tensor(
          rows.map((row) => row[k]),
          { dtype: 'float64' },
        ),
      ) as [Tensor, Tensor];
      const expected = rows.map(([x, y]) => {
        if (Number.isNaN(x) || Number.isNaN(y)) return Number(equalNan && Number.isNaN(x) && Number.isNaN(y));
        if (x === y) return 1;
        const error = Math.abs(x - y);
        return Number(Number.isFinite(error) && error <= atol + rtol * Math.abs(y));
      });
      const options = { rtol, atol, equalNan };
      expect(isclose(a, b, options).toArray()).toEqual(expected);
      expect(allclose(a, b, options)).toBe(!expected.includes(0));
    }),
  );
});

describe('as in PyTorch', () => {
  test('the tolerance is relative to the second, broadcast, of any dtypes', () => {
    // torch.isclose(torch.tensor([1e-8, 1e10]), torch.tensor([1e-7, 1.00001e10], dtype=torch.float64))
    expect(isclose(tensor([1e-8, 1e10]), tensor([1e-7, 1.00001e10], { dtype: 'float64' })).toArray()).toEqual(
      [0, 1],
    );
    expect(allclose(1, tensor([1.1]), { rtol: 0.095 })).toBe(true);
    expect(allclose(tensor([1.1]), 1, { rtol: 0.095 })).toBe(false);
    expect(allclose(ones([2, 3]), 1)).toBe(true);
    expect(allclose(tensor([true, false]), tensor([1, 0], { dtype: 'int32' }))).toBe(true);
    expect(() => allclose(ones([2]), ones([3]))).toThrow(ShapeError);
    expect(allclose(zeros([0]), zeros([0]))).toBe(true);
  });

  test('equal is of the same shape and without tolerance', () => {
    expect(equal(ones([2, 1]), ones([2]))).toBe(false);
    expect(equal(tensor([0]), tensor([-0]))).toBe(true);
    expect(equal(tensor([NaN]), tensor([NaN]))).toBe(false);
    expect(equal(tensor([1]), tensor([1 + 2 ** -40], { dtype: 'float64' }))).toBe(false);
    // As torch.equal(a.double(), b.double()): 2²⁴ + 1 is no float32.
    expect(equal(tensor([2 ** 24 + 1], { dtype: 'int32' }), tensor([2 ** 24]))).toBe(false);
  });

  test('tolerances are numbers of at least 0', () => {
    for (const tolerance of [-1, Number.NaN]) {
      expect(() => isclose(ones([1]), 1, { rtol: tolerance })).toThrow(/^isclose: rtol is .* at least 0/);
      expect(() => allclose(ones([1]), 1, { atol: tolerance })).toThrow(ArgumentError);
    }
  });
});

test('they record no graph, and a trace cannot hold an answer', () => {
  const x = ones([2], { requiresGrad: true });
  expect(isclose(x, x).requiresGrad).toBe(false);
  expect(
    trace((y) => isclose(y, 1), { shape: [2] })
      .run(ones([2]))
      .toArray(),
  ).toEqual([1, 1]);
  expect(() => trace((y) => (y.allclose(1) ? y : y.neg()), { shape: [2] })).toThrow(/item/);
});
