// What PyTorch's users reach for on a tensor: T, mT, numel, and the loop over the first axis.

import {
  ArgumentError,
  add,
  arange,
  assertGradcheck,
  DTypeError,
  Generator,
  grad,
  mul,
  randn,
  randnLike,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '@adjoint/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
const counted = (shape: readonly number[]): Tensor =>
  arange(
    shape.reduce((size, extent) => size * extent, 1),
    { dtype: 'float64' },
  ).reshape(shape);

type Nested = number | Nested[];

/** Nested arrays with their two innermost levels swapped. */
function swapped(nested: Nested[], rank: number, columns: number): Nested[] {
  if (rank > 2) return nested.map((part) => swapped(part as Nested[], rank - 1, columns));
  return Array.from({ length: columns }, (_, j) => nested.map((row) => (row as Nested[])[j]));
}

test('numel is the product of the shape', () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      expect(zeros(shape).numel()).toBe(shape.reduce((size, extent) => size * extent, 1));
    }),
  );
});

test('mT puts element (…, i, j) at (…, j, i); T does so for matrices, and gives back what has fewer axes', () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const x = counted(shape);
      if (shape.length < 2) {
        expect(x.T).toBe(x);
        expect(() => x.mT).toThrow(ShapeError);
        return;
      }
      expect(x.mT.toArray()).toEqual(swapped(x.toArray() as Nested[], shape.length, shape.at(-1)!));
      expect(x.mT.data).toBe(x.data);
      if (shape.length === 2) expect(x.T.toArray()).toEqual(x.mT.toArray());
      else expect(() => x.T).toThrow(ShapeError);
    }),
  );
});

test('the loop over the first axis is one over unbind; tensors stay comparable by test runners', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const rows: unknown[] = [];
  for (const row of x.unbind()) rows.push(row.toArray());
  expect(rows).toEqual(x.toArray());
  expect(Symbol.iterator in x).toBe(false);
  expect(x).toEqual(x.clone());
  expect(x).not.toEqual(add(x, 1));
});

test('gradients flow through all of them', () => {
  const x = tensor(
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    { dtype: 'float64', requiresGrad: true },
  );
  const [first, , third] = x.unbind();
  expect(grad(sum(mul(first, third)), [x])[0].toArray()).toEqual([
    [5, 6],
    [0, 0],
    [1, 2],
  ]);
  const weight = tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    { dtype: 'float64' },
  );
  expect(grad(sum(mul(x.T, weight)), [x])[0].toArray()).toEqual(weight.T.toArray());
  expect(grad(sum(mul(x.mT, weight)), [x])[0].toArray()).toEqual(weight.mT.toArray());
});

test('repeatInterleave puts as many copies of each element in its place as it is told', () => {
  const run = shapes.chain((shape) =>
    fc.record({
      shape: fc.constant(shape.length === 0 ? [2] : shape),
      axis: fc.nat(Math.max(0, shape.length - 1)),
      counts: fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }),
    }),
  );
  fc.assert(
    fc.property(run, ({ shape, axis, counts }) => {
      const x = counted(shape);
      const size = shape[axis];
      const slices = x.unbind({ axis });
      for (const repeats of [counts[0], counts.slice(0, size)]) {
        if (typeof repeats !== 'number' && repeats.length !== size) continue;
        const each = (i: number): number => (typeof repeats === 'number' ? repeats : repeats[i]);
        const expected = slices.flatMap((slice, i) => new Array<unknown>(each(i)).fill(slice.toArray()));
        const result = x.repeatInterleave(repeats, { axis });
        expect(result.unbind({ axis }).map((slice) => slice.toArray())).toEqual(expected);
      }
      const flat = Array.from(x.toTypedArray()).flatMap((value) => [value, value]);
      expect(x.repeatInterleave(2).toArray()).toEqual(flat);
    }),
  );
  const w = randn([2, 3], { dtype: 'float64', generator: new Generator(0) });
  for (const repeats of [2, [0, 3]]) assertGradcheck((y) => y.repeatInterleave(repeats, { axis: 0 }), [w]);
  expect(() => w.repeatInterleave([1, 2], { axis: 1 })).toThrow(ArgumentError);
  for (const repeats of [-1, 0.5])
    expect(() => zeros([2, 0]).repeatInterleave(repeats, { axis: 1 })).toThrow('for each of the 0');
  expect(() => w.repeatInterleave(-1)).toThrow('give one non-negative integer, or one for each of the 6');
});

test('unflatten is the inverse of flatten', () => {
  fc.assert(
    fc.property(shapes, fc.nat(4), fc.nat(4), (shape, first, length) => {
      fc.pre(shape.length > 0);
      const startAxis = first % shape.length;
      const endAxis = Math.min(startAxis + length, shape.length - 1);
      const x = counted(shape);
      const merged = x.flatten({ startAxis, endAxis });
      const sizes = shape.slice(startAxis, endAxis + 1);
      expect(merged.unflatten(startAxis, sizes)).toEqual(x);
      if (merged.size > 0) expect(merged.unflatten(startAxis, [-1, ...sizes.slice(1)])).toEqual(x);
    }),
  );
  for (const sizes of [[], [5], [-1, -1], [-1, 5], [-2, -6], [2.4, 5]])
    expect(() => zeros([12]).unflatten(0, sizes)).toThrow(ShapeError);
  expect(() => zeros([12]).unflatten(1, [3, 4])).toThrow(ArgumentError);
  expect(() => zeros([12]).unflatten(0, 3 as never)).toThrow(
    'unflatten: sizes is 3; give an array of numbers',
  );
  expect(() => zeros([0, 3]).unflatten(0, [-1, 0])).toThrow(ShapeError);
});

test('randnLike has the shape and dtype of its operand, and the numbers of randn', () => {
  const x = zeros([2, 3], { dtype: 'float16' });
  const made = randnLike(x, { generator: new Generator(1) });
  expect(made).toEqual(randn([2, 3], { dtype: 'float16', generator: new Generator(1) }));
  const places = zeros([2], { dtype: 'int32' });
  expect(() => randnLike(places)).toThrow(DTypeError);
  expect(randnLike(places, { dtype: 'float64' }).dtype).toBe('float64');
});
