// Reductions and scans over any axes of any view, against the definition; and sums against exact arithmetic.

import { kernels, type NumericArray, type ReduceName, type Strided } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { indices } from './trilinear.ts';
import { at, int32s, moved, shapeArbitrary, stridedArbitrary, view, wholeDoubles } from './views.ts';

const viewArbitrary = shapeArbitrary.chain((shape) =>
  fc.tuple(stridedArbitrary(shape, wholeDoubles), fc.subarray([...shape.keys()])),
);

/** The reduced elements of every output, in row-major order. */
function groups(a: Strided, axes: readonly number[]): number[][] {
  const kept = a.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  return [...indices(kept)].map((outer) => {
    const spread = a.shape.map((extent, axis) => (axes.includes(axis) ? extent : 1));
    return [...indices(spread)].map((inner) =>
      at(
        a,
        outer.map((i, axis) => i + inner[axis]),
      ),
    );
  });
}

describe('any axes of any view', () => {
  const definitions: [ReduceName, (values: number[]) => number][] = [
    ['sum', (values) => values.reduce((p, q) => p + q, 0)],
    ['sumOfSquares', (values) => values.reduce((p, q) => p + q * q, 0)],
    ['prod', (values) => values.reduce((p, q) => p * q, 1)],
    ['max', (values) => Math.max(...values)],
    ['min', (values) => Math.min(...values)],
    ['any', (values) => Number(values.some((x) => x !== 0))],
    ['all', (values) => Number(values.every((x) => x !== 0))],
  ];
  test.each(definitions)('%s', (name, definition) => {
    fc.assert(
      fc.property(viewArbitrary, ([a, axes]) => {
        const expected = groups(a, axes).map((values) => definition(values) + 0);
        const out = new Float64Array(expected.length).fill(Number.NaN);
        kernels[name](a, axes, out);
        expect([...out].map((x) => x + 0)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('int32 sums and products are exact modulo 2^32', () => {
    const int32Views = shapeArbitrary.chain((shape) =>
      fc.tuple(stridedArbitrary(shape, int32s), fc.subarray([...shape.keys()])),
    );
    const wrap = (x: bigint) => Number(BigInt.asIntN(32, x));
    fc.assert(
      fc.property(int32Views, ([a, axes]) => {
        const values = groups(a, axes).map((group) => group.map(BigInt));
        const out = new Int32Array(values.length);
        kernels.sum(a, axes, out);
        expect([...out]).toEqual(values.map((group) => wrap(group.reduce((p, q) => p + q, 0n))));
        kernels.prod(a, axes, out);
        expect([...out]).toEqual(values.map((group) => wrap(group.reduce((p, q) => p * q, 1n))));
      }),
    );
  });

  test('int32 sums stay exact where a double would not: past 2^53', () => {
    const n = 2 ** 23 + 1;
    const most = 2 ** 31 - 1;
    const repeated: Strided = { data: Int32Array.of(most), shape: [n], strides: [0], offset: 0 };
    const exact = Number(BigInt.asIntN(32, BigInt(n) * BigInt(most)));
    const out = new Int32Array(1);
    kernels.sum(repeated, [0], out);
    expect(out[0]).toBe(exact);
    const running = new Int32Array(n);
    kernels.cumsum(repeated, 0, running);
    expect(running[n - 1]).toBe(exact);
  });

  test('the empty reduction is the neutral element', () => {
    const empty: Strided = { data: new Float64Array(0), shape: [2, 0], strides: [0, 1], offset: 0 };
    const neutral: [ReduceName, number][] = [
      ['sum', 0],
      ['prod', 1],
      ['max', -Infinity],
      ['min', Infinity],
      ['any', 0],
      ['all', 1],
    ];
    for (const [name, value] of neutral) {
      const out = new Float64Array(2).fill(7);
      kernels[name](empty, [1], out);
      expect([...out]).toEqual([value, value]);
    }
  });
});

describe('sums', () => {
  test('a million terms that cancel to 1 leave 1', () => {
    const data = new Float64Array(1_000_001);
    for (let i = 0; i < 500_000; i++) {
      data[i] = 0.1 * (i + 1);
      data[1_000_000 - i] = -data[i];
    }
    data[500_000] = 1;
    const out = new Float64Array(1);
    kernels.sum(view(data), [0], out);
    expect(out[0]).toBe(1);
  });

  test('the sum of doubles is their exact sum, rounded, to within a unit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 400 }),
        (values) => {
          const data = Float64Array.from(values, (x) => Math.round(x * 2 ** 30) / 2 ** 30);
          const exact = data.reduce((sum, x) => sum + BigInt(x * 2 ** 30), 0n);
          const out = new Float64Array(1);
          kernels.sum(view(data), [0], out);
          const rounded = Number(exact) / 2 ** 30;
          expect(Math.abs(out[0] - rounded)).toBeLessThanOrEqual(Math.abs(rounded) * 2 ** -52);
        },
      ),
    );
  });

  test('float32 sums are rounded once', () => {
    const data = new Float32Array(2 ** 16 + 1).fill(2 ** -24);
    data[0] = 1;
    const out = new Float32Array(1);
    kernels.sum(view(data), [0], out);
    expect(out[0]).toBe(1 + 2 ** -8);
  });

  test('the same elements give the same bits whatever their strides', () => {
    const rows = Float64Array.from({ length: 3000 }, (_, i) => Math.sin(i) * 10 ** (i % 17));
    const columns = Float64Array.from({ length: 3000 }, (_, i) => rows[(i % 60) * 50 + Math.floor(i / 60)]);
    const [first, second] = [new Float64Array(50), new Float64Array(50)];
    kernels.sum(view(rows, [60, 50]), [0], first);
    kernels.sum({ data: columns, shape: [60, 50], strides: [1, 60], offset: 0 }, [0], second);
    expect(second).toEqual(first);
  });

  test('infinities and NaN pass through', () => {
    const out = new Float64Array(1);
    const sum = (...values: number[]) => {
      kernels.sum(view(Float64Array.from(values)), [0], out);
      return out[0];
    };
    expect(sum(1, Infinity, 2)).toBe(Infinity);
    expect(sum(-Infinity, 5)).toBe(-Infinity);
    expect(sum(Infinity, -Infinity)).toBeNaN();
    expect(sum(1, Number.NaN)).toBeNaN();
  });
});

describe('NaN and ties', () => {
  const nan = Number.NaN;
  const rows = view(Float64Array.of(1, nan, 3, nan, 5, 5, -2, 5, 0, -0, 0, -0), [3, 4]);

  test('max and min hand NaN on', () => {
    const out = new Float64Array(3);
    kernels.max(rows, [1], out);
    expect([...out]).toEqual([nan, 5, 0]);
    kernels.min(rows, [1], out);
    expect([...out].map((x) => x + 0)).toEqual([nan, -2, 0]);
  });

  test('argmax and argmin give the first of equals, and the first NaN', () => {
    const out = new Int32Array(3);
    kernels.argmax(rows, 1, out);
    expect([...out]).toEqual([1, 0, 0]);
    kernels.argmin(rows, 1, out);
    expect([...out]).toEqual([1, 2, 0]);
  });
});

const lineArbitrary = shapeArbitrary
  .filter((shape) => shape.length > 0)
  .chain((shape) => fc.tuple(stridedArbitrary(shape, wholeDoubles), fc.nat(shape.length - 1)));

test('argmax and argmin along any axis of any view', () => {
  fc.assert(
    fc.property(lineArbitrary, ([a, axis]) => {
      fc.pre(a.shape[axis] > 0);
      const lines = groups(a, [axis]);
      const out = new Int32Array(lines.length).fill(-1);
      kernels.argmax(a, axis, out);
      expect([...out]).toEqual(lines.map((line) => line.indexOf(Math.max(...line))));
      kernels.argmin(a, axis, out);
      expect([...out]).toEqual(lines.map((line) => line.indexOf(Math.min(...line))));
    }),
  );
});

describe('scans', () => {
  /** The prefix of the line through each element, that element included. */
  function prefixes(a: Strided, axis: number): number[][] {
    return [...indices(a.shape)].map((index) =>
      Array.from({ length: index[axis] + 1 }, (_, i) => at(a, moved(index, axis, i))),
    );
  }
  const scans: ['cumsum' | 'cumprod', (values: number[]) => number][] = [
    ['cumsum', (values) => values.reduce((p, q) => p + q, 0)],
    ['cumprod', (values) => values.reduce((p, q) => p * q, 1)],
  ];
  test.each(scans)('%s reduces every prefix', (name, definition) => {
    fc.assert(
      fc.property(lineArbitrary, ([a, axis]) => {
        const expected = prefixes(a, axis).map((values) => definition(values) + 0);
        const out = new Float64Array(expected.length).fill(Number.NaN);
        kernels[name](a, axis, out);
        expect([...out].map((x) => x + 0)).toEqual(expected);
      }),
    );
  });

  test('int32 wraps', () => {
    const out = new Int32Array(3);
    kernels.cumsum(view(Int32Array.of(2 ** 31 - 1, 1, 1)), 0, out);
    expect([...out]).toEqual([2 ** 31 - 1, -(2 ** 31), -(2 ** 31) + 1]);
    kernels.cumprod(view(Int32Array.of(123456789, 987654321, 3)), 0, out);
    expect([...out]).toEqual([123456789, -67153019, -201459057]);
  });

  test('a long cumulative sum does not drift', () => {
    const n = 1_000_000;
    const out = new Float64Array(n);
    kernels.cumsum(view(new Float64Array(n).fill(0.1)), 0, out);
    // The double nearest to 0.1 is larger by 5.55e-18: a million of them come to 1e5 within half a unit of the last place.
    // Adding one by one without compensation is off by 1.3e-6.
    expect(out[n - 1]).toBe(100_000);
    expect(out[9]).toBe(1);
  });
});

test('argsort is stable, puts NaN last ascending and first descending', () => {
  const keys = fc.array(fc.constantFrom(-Infinity, -2, -1, -0, 0, 1, 2, 3, Infinity, Number.NaN), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(keys, (values) => {
      const rank = (x: number) => (Number.isNaN(x) ? Infinity : x === Infinity ? Number.MAX_VALUE : x);
      const order = (sign: number) =>
        [...values.keys()].sort((i, j) => {
          const [p, q] = [rank(values[i]), rank(values[j])];
          return p === q ? i - j : sign * (p < q ? -1 : 1);
        });
      const out = new Int32Array(values.length);
      kernels.argsort(view(Float64Array.from(values)), 0, 'ascending', out);
      expect([...out]).toEqual(order(1));
      kernels.argsort(view(Float64Array.from(values)), 0, 'descending', out);
      expect([...out]).toEqual(order(-1));
    }),
    { numRuns: 300 },
  );
});

test('argtopk is where argsort begins, along any axis of any view', () => {
  fc.assert(
    fc.property(lineArbitrary, fc.nat(), fc.boolean(), ([a, axis], most, isDescending) => {
      const direction = isDescending ? 'descending' : 'ascending';
      const k = most % (a.shape[axis] + 1);
      const shape = a.shape.map((extent, other) => (other === axis ? k : extent));
      const order: NumericArray = new Int32Array(a.shape.reduce((p, q) => p * q, 1));
      const out: NumericArray = new Int32Array(shape.reduce((p, q) => p * q, 1)).fill(-1);
      kernels.argsort(a, axis, direction, order as Int32Array);
      kernels.argtopk(a, axis, k, direction, out as Int32Array);
      const orders = groups(view(order, a.shape), [axis]);
      const first = groups(view(out, shape), [axis]);
      expect(first).toEqual(orders.map((line) => line.slice(0, k)));
    }),
  );
});

test('argsort along any axis of any view orders every line', () => {
  fc.assert(
    fc.property(lineArbitrary, ([a, axis]) => {
      const out = new Int32Array(a.shape.reduce((p, q) => p * q, 1)).fill(-1);
      kernels.argsort(a, axis, 'ascending', out);
      const order: NumericArray = out;
      const lines = groups(a, [axis]);
      const orders = groups(view(order, a.shape), [axis]);
      for (const [i, line] of lines.entries()) {
        expect([...orders[i]].sort((p, q) => p - q)).toEqual([...line.keys()]);
        expect(orders[i].map((j) => line[j])).toEqual([...line].sort((p, q) => p - q));
      }
    }),
  );
});
