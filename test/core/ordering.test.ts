// Sorting, searching in what is sorted, and unique values: against plain loops on any layout, and derivatives.

import {
  argsort,
  flip,
  mul,
  searchsorted,
  sort,
  type Tensor,
  take,
  tensor,
  topk,
  unique,
  zeros,
} from '@adjoint/core';
import { assertGradcheck, assertGradgradcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutArbitrary } from './layouts.ts';

const whole = fc.integer({ min: -9, max: 9 });
const ints = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'int32' });
const float64 = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'float64' });
const values = (x: Tensor): number[] => [...x.toTypedArray()];

describe('ordering', () => {
  const floats = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(NaN, Infinity, -Infinity, -0));
  const order = (a: number, b: number): number =>
    Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a - b;

  test('sort is a stable permutation in order, NaN last; descending is not the reverse of ascending among equals', () => {
    fc.assert(
      fc.property(fc.array(floats, { maxLength: 12 }), (list) => {
        const x = tensor(Float64Array.from(list));
        for (const descending of [false, true]) {
          const expected = list
            .map((value, i) => ({ value, i }))
            .sort((a, b) => (descending ? order(b.value, a.value) : order(a.value, b.value)) || a.i - b.i);
          const { values: sorted, indices } = sort(x, { descending });
          expect(values(sorted)).toEqual(expected.map(({ value }) => value));
          expect(values(indices)).toEqual(expected.map(({ i }) => i));
          expect(values(argsort(x, { descending }))).toEqual(values(indices));
        }
      }),
    );
  });

  test('topk is the head of sort, along any axis of any layout', () => {
    const cases = layoutArbitrary(whole)
      .filter((x) => x.ndim > 0)
      .chain((x) =>
        fc.record({ x: fc.constant(x), axis: fc.nat(x.ndim - 1), share: fc.nat(4), largest: fc.boolean() }),
      );
    fc.assert(
      fc.property(cases, ({ x, axis, share, largest }) => {
        const k = Math.min(share, x.shape[axis]);
        const head = sort(x, { axis, descending: largest });
        const best = topk(x, k, { axis, largest });
        expect(values(best.values)).toEqual(values(head.values.narrow(axis, 0, k)));
        expect(values(best.indices)).toEqual(values(head.indices.narrow(axis, 0, k)));
      }),
    );
  });

  test('derivatives of sort and topk', () => {
    const x = float64([
      [0.3, -1.2, 2.1],
      [0.9, 0.4, -0.7],
    ]);
    for (const axis of [0, 1]) {
      assertGradcheck((y) => mul(sort(y, { axis }).values, sort(y, { axis }).values), [x]);
      assertGradgradcheck((y) => mul(topk(y, 1, { axis }).values, y), [x]);
    }
    expect(topk(float64(3), 1).values.item()).toBe(3);
    expect(sort(float64(3)).values.shape).toEqual([]);
  });

  test('searchsorted counts what stands before', () => {
    const sorted = fc.array(whole, { maxLength: 8 }).map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(sorted, fc.array(whole, { maxLength: 5 }), (list, wanted) => {
        const [row, x] = [tensor(Float64Array.from(list)), tensor(Float64Array.from(wanted))];
        const below = wanted.map((value) => list.filter((element) => element < value).length);
        const upTo = wanted.map((value) => list.filter((element) => element <= value).length);
        expect(values(searchsorted(row, x))).toEqual(below);
        expect(values(searchsorted(row, x, { right: true }))).toEqual(upTo);
        expect(values(searchsorted(flip(flip(row, 0), 0), 0))).toEqual([
          list.filter((element) => element < 0).length,
        ]);
      }),
    );
    const rows = float64([
      [1, 3, 5],
      [0, 0, 9],
    ]);
    expect(searchsorted(rows, float64([[3], [1]])).toArray()).toEqual([[1], [2]]);
    expect(values(searchsorted(float64([1, NaN]), float64([NaN, 2])))).toEqual([1, 1]);
    expect(values(searchsorted(float64([1, NaN]), float64([NaN]), { right: true }))).toEqual([2]);
    expect(searchsorted(ints([1, 2]), 1.5).item()).toBe(1);
  });

  test('unique: values put back by the inverse are the operand, counts are counts', () => {
    fc.assert(
      fc.property(layoutArbitrary(fc.integer({ min: -2, max: 2 })), (x) => {
        const { values: found, inverse, counts } = unique(x);
        expect(values(found)).toEqual([...new Set(values(x))].sort((a, b) => a - b));
        expect(inverse.shape).toEqual(x.shape);
        if (x.size > 0)
          expect(values(take(found, inverse)).map((v) => v + 0)).toEqual(values(x).map((v) => v + 0));
        expect(values(counts)).toEqual(values(found).map((v) => values(x).filter((u) => u === v).length));
      }),
    );
    expect(values(unique(float64([NaN, 1, NaN])).values)).toEqual([1, NaN, NaN]);
    expect(unique(tensor([1.5, 2, 1.5], { dtype: 'bfloat16' })).values.dtype).toBe('bfloat16');
    expect(values(unique(tensor([true, false, true])).counts)).toEqual([1, 2]);
  });
});

describe('errors say what is legal', () => {
  const x = float64([1, 2, 3]);
  const refusals: [string, () => unknown, RegExp][] = [
    ['more than there is', () => topk(x, 4), /^topk: k is 4; axis 0 of shape \(3,\) has 3 elements/],
    [
      'rows that do not match',
      () => searchsorted(zeros([2, 3]), x),
      /^searchsorted: sorted has shape \(2, 3\)/,
    ],
  ];
  test.each(refusals)('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
