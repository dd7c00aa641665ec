// Products, einsum, diagonals and triangles: against loops over all indices, on whole numbers, so with ===.

import * as core from '@adjoint/core';
import {
  ArgumentError,
  diagonal,
  dot,
  einsum,
  grad,
  linear,
  matmul,
  mul,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  trace,
  tril,
  triu,
} from '@adjoint/core';
import { assertGradcheck, assertJvpcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutArbitrary, layoutOf } from './layouts.ts';

const float64 = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'float64' });
/** Elements in row-major order, -0 as 0. */
const values = (x: Tensor): number[] => [...x.toTypedArray()].map((value) => value + 0);
const whole = fc.integer({ min: -5, max: 5 });

/** All indices of a shape, in row-major order. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (found, extent) => found.flatMap((index) => Array.from({ length: extent }, (_, i) => [...index, i])),
    [[]],
  );
}

function element(x: Tensor, index: readonly number[]): number {
  return x.data[index.reduce((position, i, axis) => position + i * x.strides[axis], x.offset)];
}

describe('einsum', () => {
  /** The definition: a sum over every letter that is not in the result. */
  function byLoops(terms: readonly string[], result: string, operands: readonly Tensor[]): number[] {
    const sizes = new Map<string, number>();
    terms.forEach((term, i) => {
      for (const [axis, letter] of [...term].entries()) sizes.set(letter, operands[i].shape[axis]);
    });
    const summed = [...sizes.keys()].filter((letter) => !result.includes(letter));
    const extents = (letters: readonly string[]): number[] => letters.map((letter) => sizes.get(letter)!);
    return indices(extents([...result])).map((outer) =>
      indices(extents(summed)).reduce((total, inner) => {
        const place = new Map([...result].map((letter, i) => [letter, outer[i]]));
        for (const [i, letter] of summed.entries()) place.set(letter, inner[i]);
        return (
          total +
          operands.reduce(
            (product, x, i) =>
              product *
              element(
                x,
                [...terms[i]].map((letter) => place.get(letter)!),
              ),
            1,
          )
        );
      }, 0),
    );
  }

  const equations = fc
    .record({
      terms: fc.array(fc.string({ unit: fc.constantFrom('i', 'j', 'k', 'B'), maxLength: 3 }), {
        minLength: 1,
        maxLength: 3,
      }),
      sizes: fc.record({
        i: fc.integer({ min: 1, max: 3 }),
        j: fc.nat(3),
        k: fc.constant(2),
        B: fc.constant(2),
      }),
    })
    .chain(({ terms, sizes }) => {
      const letters = [...new Set(terms.join(''))];
      return fc.record({
        terms: fc.constant(terms),
        result: fc.shuffledSubarray(letters).map((chosen) => chosen.join('')),
        operands: fc.tuple(
          ...terms.map((term) =>
            layoutOf(
              [...term].map((letter) => sizes[letter as keyof typeof sizes]),
              whole,
            ),
          ),
        ),
      });
    });

  test('is the sum over all letters that are not in the result, for any equation, layout and repeated letter', () => {
    fc.assert(
      fc.property(equations, ({ terms, result, operands }) => {
        const y = einsum(`${terms.join(',')}->${result}`, ...operands);
        expect(values(y)).toEqual(byLoops(terms, result, operands));
      }),
      { numRuns: 300 },
    );
  });

  test('its gradient is the derivative of that sum', () => {
    fc.assert(
      fc.property(equations, ({ terms, result, operands }) => {
        const leaves = operands.map((x) => core.clone(x).requiresGrad_());
        const y = einsum(`${terms.join(',')}->${result}`, ...leaves);
        const weights = tensor(
          Float64Array.from({ length: y.size }, (_, i) => (i % 7) - 3),
          { shape: y.shape },
        );
        const gradients = grad(sum(mul(y, weights)), leaves, { unused: 'zeros' });
        // Linear in each operand: Euler's identity Σ x · ∂L/∂x = L.
        const loss = sum(mul(y, weights)).item() + 0;
        for (const [i, g] of gradients.entries()) expect(sum(mul(g, leaves[i])).item() + 0).toBe(loss);
      }),
      { numRuns: 100 },
    );
    const a = float64([
      [1, 2],
      [3, 4],
    ]);
    for (const check of [assertGradcheck, assertJvpcheck]) {
      check((x, y, z) => einsum('ij,kj,ki->ik', x, y, z), [a, float64([[0.5, -1]]), float64([[2, 0.3]])]);
    }
  });

  test('ellipses stand for the other axes, aligned at the right, and broadcast', () => {
    const a = core.reshape(core.cast(core.arange(12), 'float64'), [2, 1, 2, 3]);
    const b = core.reshape(core.cast(core.arange(12), 'float64'), [2, 3, 2]);
    expect(values(einsum('...ij,...jk->...ik', a, b))).toEqual(values(matmul(a, b)));
    expect(einsum('...ij,...jk', a, b).shape).toEqual([2, 2, 2, 2]);
    expect(einsum('i...->...', b).shape).toEqual([3, 2]);
    expect(values(einsum('...ij->ij', b))).toEqual(values(sum(b, { axes: 0 })));
  });

  test('without an arrow the result has the letters that occur once, in alphabetical order', () => {
    const a = float64([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(values(einsum('ba', a))).toEqual([1, 4, 2, 5, 3, 6]);
    expect(
      einsum(
        'ii',
        float64([
          [1, 2],
          [3, 4],
        ]),
      ).item(),
    ).toBe(5);
    expect(einsum(' i j , j k ', a, core.transpose(a)).shape).toEqual([2, 2]);
    expect(einsum('', float64(2)).item()).toBe(2);
  });

  test('sizes of 1 broadcast; others must agree', () => {
    expect(
      values(
        einsum(
          'ij,jk->ik',
          float64([[2], [3]]),
          float64([
            [1, 1],
            [10, 10],
          ]),
        ),
      ),
    ).toEqual([22, 22, 33, 33]);
    const refuse = (equation: string, ...shapes: number[][]) =>
      expect(() => einsum(equation, ...shapes.map((shape) => core.zeros(shape))));
    refuse('ij,jk->ik', [2, 3], [2, 2]).toThrow(ShapeError);
    refuse('ii->i', [2, 1]).toThrow(ShapeError);
    refuse('i->i', [2, 2]).toThrow(ShapeError);
    refuse('ij', [2]).toThrow(ShapeError);
    for (const bad of ['i1', 'ij->k', 'ij->ii', 'ij->i->j', '.i', '...i...', 'i;j'])
      refuse(bad, [2, 2]).toThrow(ArgumentError);
    refuse('ij,jk->ik', [2, 2]).toThrow(ArgumentError);
  });
});

describe('linear', () => {
  test('is the product with the transposed weight, plus the bias, for any leading axes', () => {
    fc.assert(
      fc.property(
        layoutArbitrary(whole).filter((x) => x.ndim > 0),
        layoutOf([2], whole),
        (x, bias) => {
          const features = x.shape[x.ndim - 1];
          const weight = tensor(
            Float64Array.from({ length: 2 * features }, (_, i) => (i % 5) - 2),
            {
              shape: [2, features],
            },
          );
          const expected = core.add(matmul(x, core.transpose(weight)), bias);
          expect(linear(x, weight, bias).shape).toEqual(expected.shape);
          expect(values(linear(x, weight, bias))).toEqual(values(expected));
        },
      ),
    );
  });

  test('a weight of one axis drops the last axis of x; sizes that do not fit are refused', () => {
    expect(
      values(
        linear(
          float64([
            [1, 2],
            [3, 4],
          ]),
          float64([10, 1]),
        ),
      ),
    ).toEqual([12, 34]);
    expect(() => linear(core.ones([2, 3]), core.ones([4, 2]))).toThrow(
      expect.objectContaining({ op: 'linear', operand: 'weight' }),
    );
    expect(() => linear(core.ones([2, 3]), core.ones([4, 3]), core.ones([3]))).toThrow(
      expect.objectContaining({ op: 'linear', operand: 'bias' }),
    );
  });

  test('derivatives in all three operands', () => {
    const x = float64([[[1, 2, -1]], [[0.5, 0, 3]]]);
    for (const check of [assertGradcheck, assertJvpcheck]) {
      check(linear, [
        x,
        float64([
          [1, 2, 3],
          [-1, 0.5, 2],
        ]),
        float64([0.1, 0.2]),
      ]);
    }
  });
});

describe('diagonals and triangles', () => {
  const matrices = fc
    .tuple(fc.nat(3), fc.nat(4), fc.integer({ min: 0, max: 2 }), fc.integer({ min: -5, max: 5 }))
    .chain(([rows, columns, batch, offset]) =>
      fc.tuple(layoutOf(batch === 0 ? [rows, columns] : [batch, rows, columns], whole), fc.constant(offset)),
    );

  test('diagonal picks the elements whose column is `offset` right of their row', () => {
    fc.assert(
      fc.property(matrices, ([x, offset]) => {
        const on = indices(x.shape).filter((index) => index.at(-1)! - index.at(-2)! === offset);
        const y = diagonal(x, { offset, axis1: -2, axis2: -1 });
        expect(values(y)).toEqual(on.map((index) => element(x, index) + 0));
      }),
    );
  });

  test('diagonal and its gradient are adjoint: <diagonal(x), y> = <x, gradient of y>, exactly', () => {
    fc.assert(
      fc.property(matrices, ([x, offset]) => {
        const leaf = core.clone(x).requiresGrad_();
        const d = diagonal(leaf, { offset, axis1: -1, axis2: -2 });
        const y = tensor(
          Float64Array.from({ length: d.size }, (_, i) => i + 1),
          { shape: d.shape },
        );
        const back = grad(d, leaf, { gradOutput: y });
        expect(sum(mul(d, y)).item() + 0).toBe(sum(mul(x, back)).item() + 0);
        expect(values(diagonal(back, { offset, axis1: -1, axis2: -2 }))).toEqual(values(y));
        expect(sum(back).item()).toBe(sum(y).item());
      }),
    );
  });

  test('triu and tril part a matrix: one from a diagonal on, the other below it', () => {
    fc.assert(
      fc.property(matrices, ([x, bound]) => {
        const upper = triu(x, { diagonal: bound });
        const lower = tril(x, { diagonal: bound - 1 });
        expect(values(core.add(upper, lower))).toEqual(values(x));
        for (const index of indices(x.shape)) {
          if (index.at(-1)! - index.at(-2)! < bound) expect(element(upper, index)).toBe(0);
          else expect(element(lower, index)).toBe(0);
        }
      }),
    );
  });

  test('a triangle cuts NaN and infinities away, and keeps the dtype', () => {
    const x = float64([
      [1, Number.NaN],
      [Infinity, 2],
    ]);
    expect(values(triu(x, { diagonal: 2 }))).toEqual([0, 0, 0, 0]);
    expect(tril(tensor([[1, 2]], { dtype: 'int32' })).dtype).toBe('int32');
    expect(tril(tensor([[true, true]])).dtype).toBe('bool');
  });

  test('the trace is the sum of the diagonal, of matrices only', () => {
    expect(
      trace(
        float64([
          [1, 2, 3],
          [4, 5, 6],
        ]),
      ).item(),
    ).toBe(6);
    expect(() => trace(core.ones([2]))).toThrow(ShapeError);
    expect(() => diagonal(core.ones([2, 2]), { axis1: 1, axis2: -1 })).toThrow(ArgumentError);
    expect(() => diagonal(core.ones([2, 2]), { offset: 0.5 })).toThrow(ArgumentError);
    expect(() => triu(core.ones([2]))).toThrow(ShapeError);
    expect(() => tril(core.ones([2, 2]), { diagonal: 0.5 })).toThrow(ArgumentError);
  });
});

describe('vectors and stacks', () => {
  test('dot, outer and bmm are refused where matmul would broadcast', () => {
    expect(() => dot(core.ones([2]), core.ones([3]))).toThrow(expect.objectContaining({ op: 'dot' }));
    expect(() => dot(core.ones([2, 1]), core.ones([2]))).toThrow(
      expect.objectContaining({ op: 'dot', operand: 'a' }),
    );
    expect(() => core.outer(core.ones([2, 1]), core.ones([2]))).toThrow(ShapeError);
    expect(() => core.bmm(core.ones([1, 2, 2]), core.ones([3, 2, 2]))).toThrow(
      expect.objectContaining({ op: 'bmm' }),
    );
  });

  test('the trace of an outer product is the inner one', () => {
    const vectors = fc.nat(4).chain((n) => fc.tuple(layoutOf([n], whole), layoutOf([n], whole)));
    fc.assert(
      fc.property(vectors, ([a, b]) => {
        expect(trace(core.outer(a, b)).item() + 0).toBe(dot(a, b).item() + 0);
      }),
    );
  });
});

test('a product that does not fit is refused with the shapes that were given', () => {
  const shaped = (...shape: number[]): Tensor => core.zeros(shape);
  expect(() => matmul(shaped(3), shaped(4, 2))).toThrow(
    'a has 3 elements (shape (3,)) and b has 4 rows (shape (4, 2))',
  );
  expect(() => matmul(shaped(2, 3), shaped(4))).toThrow(
    'a has 3 columns (shape (2, 3)) and b has 4 elements (shape (4,))',
  );
  expect(() => matmul(shaped(3), shaped(4))).toThrow(
    'a has 3 elements (shape (3,)) and b has 4 elements (shape (4,))',
  );
  expect(() => matmul(shaped(2, 5, 3), shaped(4, 3, 2))).toThrow(
    'axis -3 is 2 in a (shape (2, 5, 3)) and 4 in b (shape (4, 3, 2))',
  );
  expect(matmul(shaped(1, 5, 3), shaped(4, 3, 2)).shape).toEqual([4, 5, 2]);
});
