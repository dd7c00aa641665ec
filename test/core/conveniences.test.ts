// What PyTorch's users reach for on a tensor: T, mT, numel, and the loop over the first axis.

import { add, arange, grad, mul, ShapeError, sum, type Tensor, tensor, zeros } from '@adjoint/core';
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
