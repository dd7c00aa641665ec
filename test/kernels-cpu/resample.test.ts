// A sparse matrix along an axis against the dense product, adaptive maxima against windows read one by one, and overlapping windows against
// the reading of them.

import { kernels, type SparseMatrix } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indices } from './trilinear.ts';
import { at, moved, stridedArbitrary, view } from './views.ts';

/** A matrix given densely, as rows. */
function sparse(rows: readonly (readonly number[])[]): SparseMatrix {
  const entries = rows.map((row) => row.flatMap((value, column) => (value === 0 ? [] : [{ value, column }])));
  const starts = [0];
  for (const row of entries) starts.push(starts[starts.length - 1] + row.length);
  return {
    starts: Int32Array.from(starts),
    columns: Int32Array.from(entries.flat(), ({ column }) => column),
    values: Float64Array.from(entries.flat(), ({ value }) => value),
  };
}

describe('sparseAlong', () => {
  const whole = fc.integer({ min: -3, max: 3 });
  const cases = fc
    .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 })
    .chain((shape) =>
      fc.record({ shape: fc.constant(shape), axis: fc.nat(shape.length - 1), rows: fc.nat(4) }),
    )
    .chain(({ shape, axis, rows }) =>
      fc.record({
        axis: fc.constant(axis),
        a: stridedArbitrary(shape, (length) =>
          fc.array(whole, { minLength: length, maxLength: length }).map((list) => Float64Array.from(list)),
        ),
        dense: fc.array(fc.array(whole, { minLength: shape[axis], maxLength: shape[axis] }), {
          minLength: rows,
          maxLength: rows,
        }),
      }),
    );

  it('is the product with the dense matrix, along any axis of any view', () => {
    fc.assert(
      fc.property(cases, ({ a, axis, dense }) => {
        const shape = a.shape.map((extent, i) => (i === axis ? dense.length : extent));
        const expected = [...indices(shape)].map((index) =>
          dense[index[axis]].reduce((sum, value, k) => sum + value * at(a, moved(index, axis, k)), 0),
        );
        const out = new Float64Array(expected.length);
        kernels.sparseAlong(sparse(dense), a, axis, out);
        expect([...out].map((value) => value + 0)).toEqual(expected.map((value) => value + 0));
      }),
    );
  });

  it('sums in double precision', () => {
    const a = { data: Float32Array.of(2 ** 24, 1, 1), shape: [3], strides: [1], offset: 0 };
    const out = new Float32Array(1);
    kernels.sparseAlong(sparse([[1, 1, 1]]), a, 0, out);
    expect(out[0]).toBe(2 ** 24 + 2);
  });
});

describe('adaptiveMaxPool', () => {
  const sizes = fc
    .array(fc.record({ input: fc.integer({ min: 1, max: 5 }), output: fc.integer({ min: 1, max: 5 }) }), {
      minLength: 1,
      maxLength: 3,
    })
    .chain((axes) => {
      const length = 2 * axes.reduce((product, { input }) => product * input, 1);
      const element = fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: -3, max: 3 }) },
        fc.constantFrom(-Infinity, NaN),
      );
      return fc.record({
        axes: fc.constant(axes),
        data: fc.array(element, { minLength: length, maxLength: length }),
      });
    });

  it('names the largest element of each window: NaN above all, else the first of equals', () => {
    fc.assert(
      fc.property(sizes, ({ axes, data }) => {
        const [inputSize, outputSize] = [axes.map(({ input }) => input), axes.map(({ output }) => output)];
        const plane = data.length / 2;
        const window = (o: number, axis: number): number[] => {
          const { input, output } = axes[axis];
          const places = [...Array(input).keys()];
          return places.filter(
            (i) => i >= Math.floor((o * input) / output) && i < ((o + 1) * input) / output,
          );
        };
        const expected = [...indices([2, ...outputSize])].map(([channel, ...o]) => {
          const flat = o
            .map(window)
            .reduce(
              (list, places, axis) => list.flatMap((base) => places.map((i) => base * inputSize[axis] + i)),
              [0],
            );
          const value = (i: number): number => data[channel * plane + i];
          const missing = flat.filter((i) => Number.isNaN(value(i)));
          if (missing.length > 0) return missing[missing.length - 1];
          return flat.reduce((best, i) => (value(i) > value(best) ? i : best));
        });
        const out = new Int32Array(expected.length);
        kernels.adaptiveMaxPool(2, inputSize, outputSize, Float64Array.from(data), out);
        expect([...out]).toEqual(expected);
      }),
    );
  });
});

describe('overlap', () => {
  it('is the adjoint of reading windows, exactly', () => {
    const axis = fc.record({
      kernel: fc.integer({ min: 1, max: 3 }),
      out: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 3 }),
      dilation: fc.integer({ min: 1, max: 3 }),
      rest: fc.nat(2),
    });
    fc.assert(
      fc.property(
        fc.array(axis, { minLength: 1, maxLength: 3 }),
        fc.nat(3),
        fc.infiniteStream(fc.integer({ min: -9, max: 9 })),
        (axes, planes, stream) => {
          const g = {
            planes,
            inputSize: axes.map((a) => (a.out - 1) * a.stride + (a.kernel - 1) * a.dilation + 1 + a.rest),
            kernelSize: axes.map((a) => a.kernel),
            outputSize: axes.map((a) => a.out),
            stride: axes.map((a) => a.stride),
            dilation: axes.map((a) => a.dilation),
          };
          const product = (extents: readonly number[]) => extents.reduce((p, q) => p * q, 1);
          const draw = (length: number) => Float64Array.from({ length }, () => stream.next().value);
          const x = view(draw(planes * product(g.inputSize)), [planes, ...g.inputSize]);
          const windows = view(draw(planes * product(g.kernelSize) * product(g.outputSize)), [
            planes,
            ...g.kernelSize,
            ...g.outputSize,
          ]);
          const out = new Float64Array(x.data.length).fill(7);
          kernels.overlap(g, windows.data, out);
          let read = 0;
          for (const place of indices(windows.shape)) {
            const [plane, ...rest] = place;
            const within = axes.map((a, i) => rest[axes.length + i] * a.stride + rest[i] * a.dilation);
            read += at(windows, place) * at(x, [plane, ...within]);
          }
          expect(out.reduce((sum, value, i) => sum + value * x.data[i], 0)).toBe(read);
        },
      ),
    );
  });

  it('windows that reach out of their plane are refused, with the sizes that would fit', () => {
    const g = { planes: 1, inputSize: [3], kernelSize: [2], outputSize: [2], stride: [2], dilation: [1] };
    expect(() => kernels.overlap(g, new Float64Array(4), new Float64Array(3))).toThrow(
      /overlap: inputSize is \[3\].*need 4 on axis 0.*outputSize = floor\(/,
    );
  });

  it('whole numbers of a type stay of that type', () => {
    const g = { planes: 1, inputSize: [3], kernelSize: [2], outputSize: [2], stride: [1], dilation: [1] };
    const out = new Int32Array(3);
    kernels.overlap(g, Int32Array.of(1, 2, 3, 2 ** 31 - 1), out);
    expect([...out]).toEqual([1, 5, 2 ** 31 - 1]);
  });
});
