// Tensors of every layout, for laws that must hold whatever the strides.

import { expand, flip, permute, reshape, type Shape, slice, type Tensor, tensor } from '@adjoint/core';
import fc from 'fast-check';

/** A tensor that may be permuted, reversed, stepped through or expanded, with numbers drawn from `values`. */
export function layoutArbitrary(
  values: fc.Arbitrary<number>,
  { maxRank = 3 }: { readonly maxRank?: number } = {},
): fc.Arbitrary<Tensor> {
  const size = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.constant(0));
  return fc.array(size, { maxLength: maxRank }).chain((shape) => layoutOf(shape, values));
}

/** A tensor of the given shape in any layout. */
export function layoutOf(shape: Shape, values: fc.Arbitrary<number>): fc.Arbitrary<Tensor> {
  const axes = [...shape.keys()];
  return fc
    .record({
      order: fc.shuffledSubarray(axes, { minLength: axes.length }),
      reversed: fc.subarray(axes),
      stepped: fc.subarray(axes),
      repeated: fc.subarray(axes),
    })
    .chain(({ order, reversed, stepped, repeated }) => {
      // The stored shape: axes in another order, doubled where they are stepped through, 1 where they are repeated.
      const stored = order.map((axis) =>
        repeated.includes(axis) && shape[axis] > 0
          ? 1
          : stepped.includes(axis)
            ? shape[axis] * 2
            : shape[axis],
      );
      const length = stored.reduce((product, extent) => product * extent, 1);
      return fc.array(values, { minLength: length, maxLength: length }).map((data) => {
        let x = reshape(tensor(Float64Array.from(data)), stored);
        x = slice(
          x,
          order.map((axis, i) => (stored[i] === shape[axis] * 2 && stored[i] > 0 ? { step: 2 } : null)),
        );
        x = permute(
          x,
          axes.map((axis) => order.indexOf(axis)),
        );
        return expand(flip(x, reversed), shape);
      });
    });
}
