// Kernels that move elements: copies between views, and reading or writing where an index says.

import { kernels, type NumericArray, type Strided } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flatten, indices } from './trilinear.ts';
import { at, elements, moved, shapeArbitrary, stridedArbitrary, view, wholeDoubles } from './views.ts';

const viewArbitrary = shapeArbitrary.chain((shape) => stridedArbitrary(shape, wholeDoubles));

describe('copy and assign', () => {
  test('copy writes a view row by row', () => {
    fc.assert(
      fc.property(viewArbitrary, (a) => {
        const out = new Float64Array(elements(a).length).fill(Number.NaN);
        kernels.copy(a, out);
        expect([...out]).toEqual(elements(a));
      }),
    );
  });

  test('long runs too, from any place', () => {
    const data = Float64Array.from({ length: 1000 }, (_, i) => i);
    const a: Strided = { data, shape: [3, 100], strides: [200, 1], offset: 7 };
    const out = new Float32Array(300);
    kernels.copy(a, out);
    expect([...out]).toEqual(elements(a));
    kernels.copy({ ...a, shape: [300], strides: [-3], offset: 950 }, out);
    expect([...out]).toEqual(Array.from({ length: 300 }, (_, i) => 950 - 3 * i));
  });

  test('copy converts as a JavaScript assignment does', () => {
    for (const length of [5, 100]) {
      const a = Float64Array.from({ length }, (_, i) => [2 ** 32 + 5, -1.9, 300.7, Number.NaN, 0.1][i % 5]);
      const check = (out: NumericArray) => {
        const expected = out.slice();
        a.forEach((x, i) => {
          expected[i] = x;
        });
        kernels.copy(view(a), out);
        expect(out).toEqual(expected);
      };
      check(new Int32Array(length));
      check(new Uint8Array(length));
      check(new Float32Array(length));
    }
  });

  /** A source and a target view of one shape; no two elements of the target share a place. */
  const pairs = shapeArbitrary.chain((shape) =>
    fc.tuple(
      stridedArbitrary(shape, wholeDoubles),
      stridedArbitrary(shape, wholeDoubles).filter((target) => !target.strides.includes(0)),
    ),
  );

  test('assign writes the target view and nothing beside it', () => {
    fc.assert(
      fc.property(pairs, ([a, target]) => {
        const before = target.data.slice();
        kernels.assign(a, target);
        expect(elements(target)).toEqual(elements(a));
        // Put back what was there: all else must be as it was.
        const originals = { ...target, data: before };
        kernels.assign(originals, target);
        expect(target.data).toEqual(before);
      }),
    );
  });

  test('addTo adds to the target view and to nothing beside it', () => {
    fc.assert(
      fc.property(pairs, ([a, target]) => {
        const before = { ...target, data: target.data.slice() };
        const sums = elements(target).map((value, i) => value + elements(a)[i]);
        kernels.addTo(a, target);
        expect(elements(target)).toEqual(sums);
        kernels.assign(before, target);
        expect(target.data).toEqual(before.data);
      }),
    );
  });
});

describe('index kernels', () => {
  /** A view, an axis, and an index of a shape that PyTorch's gather allows. */
  const indexed = shapeArbitrary
    .filter((shape) => shape.length > 0 && !shape.includes(0))
    .chain((shape) =>
      fc
        .record({
          axis: fc.nat(shape.length - 1),
          length: fc.nat(5),
          cut: fc.array(fc.nat(3), { minLength: 4 }),
        })
        .chain(({ axis, length, cut }) => {
          const indexShape = shape.map((extent, other) =>
            other === axis ? length : Math.max(0, extent - (cut[other] === 3 ? 1 : 0)),
          );
          const fill = (n: number) =>
            fc
              .array(fc.nat(shape[axis] - 1), { minLength: n, maxLength: n })
              .map((values) => Int32Array.from(values));
          return fc.record({
            axis: fc.constant(axis),
            a: stridedArbitrary(shape, wholeDoubles),
            index: stridedArbitrary(indexShape, fill),
            updates: stridedArbitrary(indexShape, wholeDoubles),
          });
        }),
    );

  test('gather reads a[..., index[...], ...]', () => {
    fc.assert(
      fc.property(indexed, ({ axis, a, index }) => {
        const expected = [...indices(index.shape)].map((place) =>
          at(a, moved(place, axis, at(index, place))),
        );
        const out = new Float64Array(expected.length).fill(Number.NaN);
        kernels.gather(a, axis, index, out);
        expect([...out]).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test('scatter writes there, the last of equals winning, and scatterAdd adds', () => {
    fc.assert(
      fc.property(indexed, ({ axis, a, index, updates }) => {
        const start = Float64Array.from(elements(a));
        const [written, added] = [start.slice(), start.slice()];
        for (const place of indices(index.shape)) {
          const to = flatten(moved(place, axis, at(index, place)), a.shape);
          written[to] = at(updates, place);
          added[to] += at(updates, place);
        }
        const target = start.slice();
        kernels.scatter(updates, axis, index, target, a.shape);
        expect(target).toEqual(written);
        target.set(start);
        kernels.scatterAdd(updates, axis, index, target, a.shape);
        expect(target).toEqual(added);
      }),
      { numRuns: 200 },
    );
  });

  test('scatterAdd is the adjoint of gather', () => {
    fc.assert(
      fc.property(indexed, ({ axis, a, index, updates }) => {
        const picked = new Float64Array(elements(index).length);
        kernels.gather(a, axis, index, picked);
        const spread = new Float64Array(elements(a).length);
        kernels.scatterAdd(updates, axis, index, spread, a.shape);
        const inner = (p: readonly number[], q: readonly number[]) =>
          p.reduce((sum, x, i) => sum + x * q[i], 0);
        expect(inner([...picked], elements(updates))).toBe(inner([...spread], elements(a)));
      }),
    );
  });

  const selected = shapeArbitrary
    .filter((shape) => shape.length > 0 && !shape.includes(0))
    .chain((shape) => fc.tuple(fc.constant(shape), fc.nat(shape.length - 1)))
    .chain(([shape, axis]) =>
      fc.array(fc.nat(shape[axis] - 1), { maxLength: 6 }).chain((index) =>
        fc.record({
          axis: fc.constant(axis),
          index: fc.constant(Int32Array.from(index)),
          a: stridedArbitrary(shape, wholeDoubles),
          updates: stridedArbitrary(moved(shape, axis, index.length), wholeDoubles),
        }),
      ),
    );

  test('indexSelect picks slices, indexAdd adds them', () => {
    fc.assert(
      fc.property(selected, ({ axis, index, a, updates }) => {
        const expected = [...indices(updates.shape)].map((place) =>
          at(a, moved(place, axis, index[place[axis]])),
        );
        const out = new Float64Array(expected.length).fill(Number.NaN);
        kernels.indexSelect(a, axis, index, out);
        expect([...out]).toEqual(expected);

        const sums = Float64Array.from(elements(a));
        const target = sums.slice();
        for (const place of indices(updates.shape)) {
          sums[flatten(moved(place, axis, index[place[axis]]), a.shape)] += at(updates, place);
        }
        kernels.indexAdd(updates, axis, index, target, a.shape);
        expect(target).toEqual(sums);
      }),
      { numRuns: 200 },
    );
  });
});
