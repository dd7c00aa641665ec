// Strided views for the tests: generated with every kind of stride, and read one element at a time.

import type { NumericArray, Strided } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { indices } from './trilinear.ts';

/** A contiguous view. */
export function view<A extends NumericArray>(data: A, shape: readonly number[] = [data.length]): Strided<A> {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((p, q) => p * q, 1));
  return { data, shape, strides, offset: 0 };
}

/** The element at `index`, where the view may have fewer axes or extents of 1 (NumPy's broadcasting). */
export function at(a: Strided, index: readonly number[]): number {
  const missing = index.length - a.shape.length;
  const position = a.shape.reduce(
    (sum, extent, axis) => sum + (extent === 1 ? 0 : index[axis + missing]) * a.strides[axis],
    a.offset,
  );
  return a.data[position];
}

/** The index with another position on one axis. */
export function moved(index: readonly number[], axis: number, position: number): number[] {
  return index.map((i, other) => (other === axis ? position : i));
}

/** The elements in row-major order, broadcast to `shape`. */
export function elements(a: Strided, shape: readonly number[] = a.shape): number[] {
  return [...indices(shape)].map((index) => at(a, index));
}

/** Shapes of 0 to 4 axes, sometimes without elements. */
export const shapeArbitrary = fc.array(
  fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.constant(0)),
  {
    maxLength: 4,
  },
);

/** Views of `shape` with permuted, reversed, gapped and zero strides. */
export function stridedArbitrary<A extends NumericArray>(
  shape: readonly number[],
  fill: (length: number) => fc.Arbitrary<A>,
): fc.Arbitrary<Strided<A>> {
  const rank = shape.length;
  return fc
    .record({
      order: fc.shuffledSubarray([...shape.keys()], { minLength: rank, maxLength: rank }),
      kinds: fc.array(fc.constantFrom('plain', 'plain', 'plain', 'reversed', 'gapped', 'still'), {
        minLength: rank,
        maxLength: rank,
      }),
      margin: fc.nat(3),
    })
    .chain(({ order, kinds, margin }) => {
      const strides = new Array<number>(rank);
      let size = 1;
      let offset = margin;
      for (const axis of order) {
        const step = kinds[axis] === 'gapped' ? size * 2 : size;
        strides[axis] = kinds[axis] === 'still' ? 0 : kinds[axis] === 'reversed' ? -step : step;
        if (kinds[axis] === 'still') continue;
        if (kinds[axis] === 'reversed') offset += step * Math.max(0, shape[axis] - 1);
        size = step * Math.max(1, shape[axis]);
      }
      return fill(size + margin).map((data) => ({ data, shape, strides, offset }));
    });
}

/** Views of shapes that broadcast to `shape`: leading axes dropped, extents replaced by 1. */
export function broadcastArbitrary<A extends NumericArray>(
  shape: readonly number[],
  fill: (length: number) => fc.Arbitrary<A>,
): fc.Arbitrary<Strided<A>> {
  return fc
    .tuple(fc.nat(shape.length), fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }))
    .map(([dropped, ones]) => shape.map((extent, axis) => (ones[axis] ? 1 : extent)).slice(dropped))
    .chain((own) => stridedArbitrary(own, fill));
}

/** Doubles of moderate size. */
export const doubles = (length: number) =>
  fc
    .array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: length, maxLength: length })
    .map((values) => Float64Array.from(values));

/** Small whole numbers, as doubles: sums and products are exact. */
export const wholeDoubles = (length: number) =>
  fc
    .array(fc.integer({ min: -9, max: 9 }), { minLength: length, maxLength: length })
    .map((values) => Float64Array.from(values));

/** Any int32. */
export const int32s = (length: number) =>
  fc
    .array(fc.oneof(fc.integer(), fc.integer({ min: -5, max: 5 })), { minLength: length, maxLength: length })
    .map((values) => Int32Array.from(values));

/** Where two long arrays differ, the first few places. (Matchers take seconds on tens of thousands of elements.) */
export function differences(actual: ArrayLike<number>, expected: ArrayLike<number>): string[] {
  const found =
    actual.length === expected.length ? [] : [`length ${actual.length}, expected ${expected.length}`];
  for (let i = 0; i < expected.length && found.length < 5; i++) {
    if (!Object.is(actual[i], expected[i])) found.push(`${actual[i]} at ${i}, expected ${expected[i]}`);
  }
  return found;
}
