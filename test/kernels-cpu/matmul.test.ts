// The matrix product against its definition, for every batch shape, broadcast and stride.

import { kernels, openTier } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indices } from './trilinear.ts';
import { at, broadcastArbitrary, int32s, stridedArbitrary, view, wholeDoubles } from './views.ts';

const extent = fc.integer({ min: 0, max: 7 });
const batchArbitrary = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 });

/** Operands of one product, whose batch axes broadcast to `batch`. */
function operands<A extends Float64Array | Int32Array>(fill: (length: number) => fc.Arbitrary<A>) {
  return fc.tuple(batchArbitrary, extent, extent, extent).chain(([batch, m, n, depth]) => {
    const side = (rows: number, columns: number) =>
      broadcastArbitrary(batch, wholeDoubles).chain(({ shape }) =>
        stridedArbitrary([...shape, rows, columns], fill),
      );
    return fc.tuple(fc.constant([...batch, m, n]), side(m, depth), side(depth, n));
  });
}

test('every element is the inner product of a row and a column', () => {
  fc.assert(
    fc.property(operands(wholeDoubles), ([shape, a, b]) => {
      const depth = a.shape[a.shape.length - 1];
      const expected = [...indices(shape)].map((index) => {
        const [i, j] = index.slice(-2);
        const batch = index.slice(0, -2);
        let sum = 0;
        for (let k = 0; k < depth; k++) sum += at(a, [...batch, i, k]) * at(b, [...batch, k, j]);
        return sum;
      });
      const out = new Float64Array(expected.length).fill(Number.NaN);
      kernels.matmul(a, b, out, shape);
      expect([...out].map((x) => x + 0)).toEqual(expected.map((x) => x + 0));
      const single = new Float32Array(expected.length).fill(Number.NaN);
      const narrow = (x: typeof a) => ({ ...x, data: Float32Array.from(x.data) });
      kernels.matmul(narrow(a), narrow(b), single, shape);
      expect([...single].map((x) => x + 0)).toEqual(expected.map((x) => x + 0));
    }),
    { numRuns: 400 },
  );
});

test('int32 products are exact modulo 2^32', () => {
  fc.assert(
    fc.property(operands(int32s), ([shape, a, b]) => {
      const depth = a.shape[a.shape.length - 1];
      const expected = [...indices(shape)].map((index) => {
        const [i, j] = index.slice(-2);
        const batch = index.slice(0, -2);
        let sum = 0n;
        for (let k = 0; k < depth; k++)
          sum += BigInt(at(a, [...batch, i, k])) * BigInt(at(b, [...batch, k, j]));
        return Number(BigInt.asIntN(32, sum));
      });
      const out = new Int32Array(expected.length).fill(7);
      kernels.matmul(a, b, out, shape);
      expect([...out]).toEqual(expected);
    }),
  );
});

test('the reference sums float32 in double and rounds once', () => {
  const { kernels: reference } = openTier('reference');
  const a = new Float32Array(2 ** 12 + 1).fill(2 ** -24);
  a[0] = 1;
  const out = new Float32Array(1);
  reference.matmul(
    view(a, [1, a.length]),
    view(new Float32Array(a.length).fill(1), [a.length, 1]),
    out,
    [1, 1],
  );
  expect(out[0]).toBe(1 + 2 ** -12);
});

test('products compose: (AB)C = A(BC), exactly on whole numbers', () => {
  const whole = (rows: number, columns: number, seed: number) =>
    view(
      Float64Array.from({ length: rows * columns }, (_, i) => ((i * 31 + seed) % 7) - 3),
      [rows, columns],
    );
  const [a, b, c] = [whole(33, 50, 1), whole(50, 21, 2), whole(21, 18, 3)];
  const times = (x: typeof a, y: typeof a) => {
    const shape = [x.shape[0], y.shape[1]];
    const out = new Float64Array(shape[0] * shape[1]);
    kernels.matmul(x, y, out, shape);
    return view(out, shape);
  };
  expect(times(times(a, b), c)).toEqual(times(a, times(b, c)));
});
