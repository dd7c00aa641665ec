// Indexing: against plain loops on any layout, exact adjoints with repeated indices, all dtypes, and errors that name the index.

import {
  type DType,
  embedding,
  gather,
  grad,
  type IndexEntry,
  index,
  indexSelect,
  maskedFill,
  maskedSelect,
  nonzero,
  oneHot,
  reshape,
  scatter,
  scatterAdd,
  slice,
  sort,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
  zeros,
} from '@adjoint/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertLinear } from './adjoints.ts';
import { layoutArbitrary, layoutOf } from './layouts.ts';

const whole = fc.integer({ min: -9, max: 9 });
const ints = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'int32' });
const float64 = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'float64' });
const values = (x: Tensor): number[] => [...x.toTypedArray()];

const at = (x: Tensor, place: readonly number[]): number =>
  x.data[place.reduce((total, i, axis) => total + i * x.strides[axis], x.offset)];

function* places(shape: readonly number[]): Generator<number[]> {
  const size = shape.reduce((product, n) => product * n, 1);
  for (let position = 0; position < size; position++) {
    let rest = position;
    const place = new Array<number>(shape.length);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place[axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    yield place;
  }
}

const replaced = (place: readonly number[], axis: number, i: number): number[] =>
  place.map((old, a) => (a === axis ? i : old));

/** A tensor, an axis of it, and an index tensor that gather can take, both in any layout. */
const gatherCases = layoutArbitrary(whole)
  .filter((x) => x.ndim > 0 && x.size > 0)
  .chain((x) => fc.record({ x: fc.constant(x), axis: fc.nat(x.ndim - 1) }))
  .chain(({ x, axis }) =>
    fc
      .tuple(...x.shape.map((n, a) => fc.nat(a === axis ? 4 : n)))
      .chain((shape) => layoutOf(shape, fc.nat(x.shape[axis] - 1)))
      .map((positions) => ({ x, axis, index: positions.to('int32') })),
  );

describe('gather and scatter, on any layout', () => {
  test('gather reads where the index says', () => {
    fc.assert(
      fc.property(gatherCases, ({ x, axis, index }) => {
        const expected = [...places(index.shape)].map((place) =>
          at(x, replaced(place, axis, at(index, place))),
        );
        const picked = gather(x, axis, index);
        expect(picked.shape).toEqual(index.shape);
        expect(values(picked)).toEqual(expected);
      }),
    );
  });

  test('scatterAdd adds and scatter writes there; of several writers the last stands, and it alone gets a gradient', () => {
    fc.assert(
      fc.property(gatherCases, ({ x, axis, index }) => {
        const source = float64(0).expand(index.shape);
        const numbered = reshape(
          tensor(Float64Array.from({ length: source.size }, (_, i) => i + 1)),
          source.shape,
        );
        const added = [...places(x.shape)].map((place) => at(x, place));
        const written = [...added];
        const writer = new Map<number, number>();
        const rank = [...places(x.shape)].map((place) => place.join());
        [...places(index.shape)].forEach((place, i) => {
          const target = rank.indexOf(replaced(place, axis, at(index, place)).join());
          added[target] += i + 1;
          written[target] = i + 1;
          writer.set(target, i);
        });
        expect(values(scatterAdd(x, axis, index, numbered))).toEqual(added);
        expect(values(scatter(x, axis, index, numbered))).toEqual(written);
        const leaf = numbered.detach().requiresGrad_();
        const seed = reshape(tensor(Float64Array.from({ length: x.size }, (_, i) => i + 0.5)), x.shape);
        const gradient = grad(scatter(x, axis, index, leaf), leaf, { gradOutput: seed });
        const expected = new Array<number>(source.size).fill(0);
        for (const [target, i] of writer) expected[i] = target + 0.5;
        expect(values(gradient)).toEqual(expected);
      }),
    );
  });

  test('a source larger than the index is read in its corner only', () => {
    const source = float64([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const index = ints([[2, 0]]);
    expect(scatter(zeros([2, 3], { dtype: 'float64' }), 1, index, source).toArray()).toEqual([
      [2, 0, 1],
      [0, 0, 0],
    ]);
    expect(scatter(zeros([1, 3]), 1, index, 9).toArray()).toEqual([[9, 0, 9]]);
  });

  test('of 0-d tensors', () => {
    expect(gather(float64(5), 0, ints(0)).item()).toBe(5);
    expect(take(float64(5), ints([0, -1])).toArray()).toEqual([5, 5]);
    expect(indexSelect(float64(5), 0, ints([0])).shape).toEqual([]);
  });
});

describe('index', () => {
  const x = reshape(tensor(Float64Array.from({ length: 24 }, (_, i) => i)), [2, 3, 4]);

  test('reads what a loop over broadcast positions reads, tensors next to each other or apart', () => {
    const position = (n: number, shape: readonly number[]): fc.Arbitrary<Tensor> =>
      layoutOf(shape, fc.integer({ min: -n, max: n - 1 })).map((t) => t.to('int32'));
    const entries = fc.tuple(
      ...x.shape.map((n) =>
        fc.option(
          fc.constantFrom([], [2], [3, 1], [3, 2]).chain((s) => position(n, s)),
          { nil: null },
        ),
      ),
    );
    fc.assert(
      fc.property(entries, (given) => {
        const axes = given.flatMap((entry, axis) => (entry === null ? [] : [axis]));
        if (axes.length === 0) return;
        const tensors = given.filter((entry) => entry !== null);
        const shape = tensors.map((t) => t.shape).reduce((a, b) => broadcast(a, b));
        const rest = [0, 1, 2].filter((axis) => !axes.includes(axis));
        const adjacent = axes.every((axis, i) => axis === axes[0] + i);
        const lead = adjacent ? rest.filter((axis) => axis < axes[0]) : [];
        const tail = rest.filter((axis) => !lead.includes(axis));
        const expected: number[] = [];
        for (const before of places(lead.map((axis) => x.shape[axis])))
          for (const place of places(shape))
            for (const after of places(tail.map((axis) => x.shape[axis]))) {
              const full = new Array<number>(3);
              for (const [i, axis] of lead.entries()) full[axis] = before[i];
              for (const [i, axis] of tail.entries()) full[axis] = after[i];
              axes.forEach((axis, i) => {
                const found = at(tensors[i].expand(shape), place);
                full[axis] = found < 0 ? found + x.shape[axis] : found;
              });
              expected.push(at(x, full));
            }
        const picked = index(x, given);
        expect(picked.shape).toEqual([
          ...lead.map((axis) => x.shape[axis]),
          ...shape,
          ...tail.map((axis) => x.shape[axis]),
        ]);
        expect(values(picked)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('an integer is taken before tensors decide where their axes go, as in PyTorch', () => {
    expect(index(x, [0, null, ints([1, 3])]).toArray()).toEqual([
      [1, 3],
      [5, 7],
      [9, 11],
    ]);
    expect(index(x, [ints([1, 0]), 1]).toArray()).toEqual([
      [16, 17, 18, 19],
      [4, 5, 6, 7],
    ]);
  });

  test('ranges beside tensors, masks of one axis and of several', () => {
    expect(index(x, [1, { start: 1 }, ints([0, -1])]).toArray()).toEqual([
      [16, 19],
      [20, 23],
    ]);
    const mask = tensor([
      [true, false, true],
      [false, true, false],
    ]);
    expect(index(x, [mask]).toArray()).toEqual([
      [0, 1, 2, 3],
      [8, 9, 10, 11],
      [16, 17, 18, 19],
    ]);
    expect(index(x, [mask, 2]).toArray()).toEqual([2, 10, 18]);
    expect(index(x, [null, tensor([false, false, true]), { step: 3 }]).toArray()).toEqual([
      [[8, 11]],
      [[20, 23]],
    ]);
    expect(index(x, [tensor([false, false])]).shape).toEqual([0, 3, 4]);
  });

  // Values as PyTorch 1.13 gives them.
  test("'...' stands for the axes that are left, beside tensors and masks of several axes too", () => {
    expect(index(x, [0, '...', ints([3, 0])]).toArray()).toEqual([
      [3, 0],
      [7, 4],
      [11, 8],
    ]);
    const columns = [true, false, true, true];
    expect(index(x, ['...', tensor(columns)]).shape).toEqual([2, 3, 3]);
    expect(index(x, ['...', tensor([columns, columns, columns])]).toArray()).toEqual([
      [0, 2, 3, 4, 6, 7, 8, 10, 11],
      [12, 14, 15, 16, 18, 19, 20, 22, 23],
    ]);
    expect(index(x, [null, ints([0, 2]), '...', ints([1, 3])]).toArray()).toEqual([
      [1, 11],
      [13, 23],
    ]);
  });

  test('without tensors it is slice: a view', () => {
    const part = index(x, [1, null, { start: 1, step: 2 }]);
    expect(part.data).toBe(x.data);
    expect(part.toArray()).toEqual(slice(x, [1, null, { start: 1, step: 2 }]).toArray());
  });

  test('a mask picks what maskedSelect picks, in row-major order', () => {
    fc.assert(
      fc.property(layoutArbitrary(fc.integer({ min: 0, max: 2 })), (y) => {
        const mask = y.to('bool');
        const kept = values(y).filter((value) => value !== 0);
        expect(values(maskedSelect(y, mask))).toEqual(kept);
        if (y.ndim > 0) expect(values(index(y, [mask]))).toEqual(kept);
        expect(nonzero(y).shape).toEqual([kept.length, y.ndim]);
        if (y.ndim > 0)
          expect(nonzero(y).toArray()).toEqual([...places(y.shape)].filter((place) => at(y, place) !== 0));
      }),
    );
  });
});

function broadcast(a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [m, n] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    return m === 1 ? n : m;
  });
}

describe('exact adjoints, with indices that repeat', () => {
  const twice = ints([2, 0, 2, 2]);
  const table = ints([
    [0, 2, 2],
    [1, 1, 0],
  ]);
  const maps: Record<string, [(x: Tensor) => Tensor, number[]]> = {
    gather: [(x) => gather(x, 0, table), [3, 3]],
    indexSelect: [(x) => indexSelect(x, 1, twice), [2, 3]],
    take: [(x) => take(x, table), [4]],
    index: [(x) => index(x, [twice, null, ints([1, 0, 1, 1])]), [3, 2, 2]],
    embedding: [(x) => embedding(table, x), [3, 2]],
    scatterAdd: [(x) => scatterAdd(zeros([3, 3], { dtype: x.dtype }), 0, table, x), [2, 3]],
    'scatter of the source': [(x) => scatter(zeros([3, 3], { dtype: x.dtype }), 0, table, x), [2, 3]],
    'scatter of the rest': [(x) => scatter(x, 0, table, zeros([2, 3], { dtype: x.dtype })), [3, 3]],
    maskedSelect: [(x) => maskedSelect(x, tensor([true, false, true])), [2, 3]],
    maskedFill: [(x) => maskedFill(x, tensor([true, false, true]), 0), [2, 3]],
  };
  test.each(Object.entries(maps))('%s', (_, [forward, shape]) => {
    assertLinear(forward, shape);
    assertLinear(forward, shape, { dtype: 'float32' });
  });
});

describe('every dtype keeps its values', () => {
  test.each(['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool'] as DType[])(
    '%s',
    (dtype) => {
      const data = dtype === 'bool' ? [0, 1, 1] : [3, 1, 2];
      const x = tensor(data, { dtype });
      const back = ints([2, 1, 0]);
      const reversed = [...data].reverse();
      for (const picked of [gather(x, 0, back), indexSelect(x, 0, back), take(x, back), index(x, [back])]) {
        expect(picked.dtype).toBe(dtype);
        expect(values(picked)).toEqual(reversed);
      }
      expect(scatter(zeros([3], { dtype }), 0, back, x).toArray()).toEqual(reversed);
      expect(maskedFill(x, tensor([false, true, false]), 1).dtype).toBe(dtype);
      expect(values(sort(x).values)).toEqual([...data].sort());
      expect(maskedSelect(x, tensor([true, false, true])).toArray()).toEqual([data[0], data[2]]);
    },
  );
});

describe('embedding and oneHot', () => {
  test('a row of the table for each index; the padding row gets no gradient', () => {
    const weight = float64([
      [1, 2],
      [3, 4],
      [5, 6],
    ]).requiresGrad_();
    const found = embedding(
      ints([
        [1, 0],
        [1, 2],
      ]),
      weight,
      { paddingIdx: -2 },
    );
    expect(found.toArray()).toEqual([
      [
        [3, 4],
        [1, 2],
      ],
      [
        [3, 4],
        [5, 6],
      ],
    ]);
    expect(grad(sum(found), weight).toArray()).toEqual([
      [1, 1],
      [0, 0],
      [1, 1],
    ]);
  });

  test('a product with oneHot is a look-up', () => {
    const table = float64([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const picked = ints([2, 0, 2]);
    expect(oneHot(picked, { numClasses: 3 }).to('float64').matmul(table).toArray()).toEqual(
      embedding(picked, table).toArray(),
    );
    expect(oneHot(transpose(ints([[0, 1]]))).shape).toEqual([2, 1, 2]);
  });
});

describe('errors name the index, where it stands, and what is legal', () => {
  const x = float64([1, 2, 3]);
  const refusals: [string, () => unknown, RegExp][] = [
    ['gather', () => gather(x, 0, ints([0, 3])), /^gather: index at \[1\] is 3; legal are 0 to 2\.$/],
    [
      'gather, negative',
      () => gather(x, 0, ints([-1])),
      /^gather: index at \[0\] is -1; legal are 0 to 2\.$/,
    ],
    [
      'scatterAdd',
      () => scatterAdd(x, 0, ints([5]), x),
      /^scatterAdd: index at \[0\] is 5; legal are 0 to 2\.$/,
    ],
    ['indexSelect', () => indexSelect(x, 0, ints(4)), /^indexSelect: index at \[0\] is 4;/],
    ['take', () => take(x, ints([[0, -4]])), /^take: index at \[0, 1\] is -4; legal are -3 to 2\.$/],
    ['index', () => index(x, [ints([[0], [3]])]), /^index: index at \[1, 0\] is 3; legal are -3 to 2\.$/],
    [
      'embedding',
      () => embedding(ints(2), zeros([2, 2])),
      /^embedding: index at \[0\] is 2; legal are 0 to 1\.$/,
    ],
    [
      'oneHot',
      () => oneHot(ints([1]), { numClasses: 1 }),
      /^oneHot: index at \[0\] is 1; legal are 0 to 0\.$/,
    ],
    [
      'nothing to choose from',
      () => take(zeros([0]), ints([0])),
      /^take: index at \[0\] is 0; no index is legal/,
    ],
    [
      'floats as indices',
      () => gather(x, 0, x),
      /^gather: index is float64; indices are int32, convert with to\('int32'\)\.$/,
    ],
    [
      'uint8 as indices',
      () => index(x, [tensor([1], { dtype: 'uint8' })]),
      /^index: indices\[0\] is uint8; indices are int32/,
    ],
    [
      'a source of another type',
      () => scatter(x, 0, ints([0]), tensor([1])),
      /^scatter: source is float32 and x is float64;/,
    ],
    ['a mask of another size', () => index(x, [tensor([true])]), /^index: the mask has shape \(1,\)/],
    [
      'too many indices',
      () => index(x, [ints([0]), 0] as IndexEntry[]),
      /^index: there are indices for 2 axes/,
    ],
    ['a mask of numbers', () => maskedFill(x, x, 0), /^maskedFill: mask is float64; give bool/],
    [
      'a fraction among integers',
      () => maskedFill(ints([1]), tensor([true]), 0.5),
      /^maskedFill: value is 0\.5/,
    ],
    [
      'a value of several elements',
      () => maskedFill(x, tensor([true]), x),
      /^maskedFill: value has shape \(3,\)/,
    ],
    [
      'a paddingIdx outside',
      () => embedding(ints(0), zeros([2, 2]), { paddingIdx: 2 }),
      /^embedding: paddingIdx is 2; the table has rows -2 to 1/,
    ],
  ];
  test.each(refusals)('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });

  test('and carry the same as fields', () => {
    expect(() => gather(x, 0, ints([3]))).toThrow(
      expect.objectContaining({ op: 'gather', operand: 'index', actual: 3, expected: 'integer in [0, 2]' }),
    );
  });
});

test('scatterAdd of bools is true where any is, however many fall on one place', () => {
  const [place, added] = [zeros([256], { dtype: 'int32' }), zeros([256]).add(1).to('bool')];
  expect(scatterAdd(zeros([2], { dtype: 'bool' }), 0, place, added).toArray()).toEqual([1, 0]);
});
