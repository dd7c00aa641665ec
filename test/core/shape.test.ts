// Axes, joins, parts and padding: against index formulas on any layout, exact adjoints, views that share memory, refusals.

import {
  AdjointError,
  cat,
  chunk,
  type DType,
  expand,
  flatten,
  flip,
  fold,
  index,
  meshgrid,
  movedim,
  narrow,
  pad,
  permute,
  randn,
  repeat,
  reshape,
  roll,
  type SliceIndex,
  select,
  slice,
  split,
  squeeze,
  stack,
  type Tensor,
  tensor,
  tile,
  transpose,
  unbind,
  unfold,
  unsqueeze,
  view,
  zeros,
} from '@adjoint/core';
import { assertAdjoint } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertLinear } from './adjoints.ts';
import { layoutArbitrary } from './layouts.ts';

const whole = fc.integer({ min: -9, max: 9 });
const anyTensor = layoutArbitrary(whole);
const withAxes = anyTensor.filter((x) => x.ndim > 0);
const withAxis = withAxes.chain((x) => fc.record({ x: fc.constant(x), axis: fc.nat(x.ndim - 1) }));
const numbered = (...shape: number[]): Tensor =>
  reshape(tensor(Float64Array.from({ length: shape.reduce((p, n) => p * n, 1) }, (_, i) => i)), shape);

/** The element at each index of `shape`, in row-major order. */
function table(shape: readonly number[], element: (index: number[]) => number): number[] {
  const size = shape.reduce((product, n) => product * n, 1);
  return Array.from({ length: size }, (_, position) => {
    let rest = position;
    const index = new Array<number>(shape.length);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return element(index);
  });
}

const at = (x: Tensor, index: readonly number[]): number =>
  x.data[index.reduce((sum, i, axis) => sum + i * x.strides[axis], x.offset)];
const values = (x: Tensor): number[] => [...x.toTypedArray()];
const same = (a: Tensor, b: Tensor): void => {
  expect(a.shape).toEqual(b.shape);
  expect(a.dtype).toBe(b.dtype);
  expect(values(a)).toEqual(values(b));
};

describe('views', () => {
  test('reshape, squeeze, unsqueeze and flatten of what strides allow share the array, and read it right', () => {
    fc.assert(
      fc.property(anyTensor, fc.nat(3), (x, at) => {
        const axis = Math.min(at, x.ndim);
        const wide = unsqueeze(x, axis);
        expect(wide.shape).toEqual([...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
        expect(wide.data).toBe(x.data);
        same(squeeze(wide, { axes: axis }), x);
        expect(squeeze(wide).data).toBe(x.data);
        expect(squeeze(wide).shape).toEqual(x.shape.filter((n) => n !== 1));
        expect(values(squeeze(wide))).toEqual(values(x));
        expect(values(flatten(x))).toEqual(values(x));
      }),
    );
  });

  test('a split axis of a transposed tensor is a view; what strides do not allow is copied by reshape, refused by view', () => {
    const x = transpose(numbered(4, 6));
    const split = view(x, [2, 3, 4]);
    expect(split.data).toBe(x.data);
    expect(values(split)).toEqual(values(x));
    expect(() => view(x, [24])).toThrow(
      expect.objectContaining({ name: 'ShapeError', op: 'view', operand: 'shape' }),
    );
    const merged = reshape(x, [24]);
    expect(merged.data).not.toBe(x.data);
    expect(values(merged)).toEqual(values(x));
    const repeated = expand(numbered(1, 3), [2, 3]);
    expect(() => view(repeated, [6])).toThrow(AdjointError);
    expect(values(reshape(repeated, [3, 2]))).toEqual([0, 1, 2, 0, 1, 2]);
  });

  test('any reshape holds the elements in row-major order', () => {
    const layouts = layoutArbitrary(whole, { maxRank: 4 });
    fc.assert(
      fc.property(layouts, fc.nat(), (x, seed) => {
        // A shape of the same size: the axes merged and split again.
        const sizes = [...x.shape].sort((a, b) => ((a * 7 + seed) % 5) - ((b * 7 + seed) % 5));
        same(reshape(reshape(x, sizes), x.shape), reshape(x, x.shape));
        expect(values(reshape(x, sizes))).toEqual(values(x));
      }),
      { numRuns: 300 },
    );
  });

  test('parts and flips share the array', () => {
    const x = numbered(4, 6);
    const parts = [
      slice(x, [1, { start: 1, step: 2 }]),
      select(x, 1, -1),
      narrow(x, 0, 1, 2),
      flip(x, [0, 1]),
      movedim(x, 0, 1),
      ...split(x, 4, { axis: 1 }),
      ...chunk(x, 3),
      ...unbind(x),
    ];
    for (const part of parts) expect(part.data).toBe(x.data);
  });
});

describe('against index formulas, on any layout', () => {
  test("what comes after '...' in slice is for the last axes", () => {
    const entries = fc.array(fc.constantFrom<SliceIndex>(0, null, { start: 1 }, { step: 2 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.tuple(entries, entries, fc.nat(2)), ([first, last, between]) => {
        const shape = [...first, ...new Array(between).fill(null), ...last].map((_, axis) => axis + 1);
        const x = randn(shape);
        const spelled = slice(x, [...first, ...new Array<null>(between).fill(null), ...last]);
        for (const short of [slice(x, [...first, '...', ...last]), index(x, [...first, '...', ...last])]) {
          expect(short.shape).toEqual(spelled.shape);
          expect(short.toArray()).toEqual(spelled.toArray());
          expect(short.data).toBe(x.data);
        }
      }),
    );
  });

  test('a hole in a list of indices is all of its axis', () => {
    const x = randn([2, 3, 4]);
    const holes = new Array<SliceIndex>(3);
    holes[2] = 2;
    expect(slice(x, holes).toArray()).toEqual(slice(x, [null, null, 2]).toArray());
  });

  test('slice takes what Python takes', () => {
    const bound = fc.option(fc.integer({ min: -6, max: 6 }), { nil: undefined });
    const range = fc.record({ start: bound, stop: bound, step: fc.integer({ min: 1, max: 3 }) });
    const picked = (
      size: number,
      { start, stop, step }: { start?: number; stop?: number; step: number },
    ): number[] => {
      const places = [...Array(size).keys()].slice(start, stop);
      return places.filter((_, i) => i % step === 0);
    };
    const cases = withAxes.chain((x) =>
      fc.record({ x: fc.constant(x), ranges: fc.array(range, { maxLength: x.ndim }) }),
    );
    fc.assert(
      fc.property(cases, ({ x, ranges }) => {
        const given = ranges.map(
          (r): SliceIndex => Object.fromEntries(Object.entries(r).filter(([, v]) => v !== undefined)),
        );
        const places = x.shape.map((size, axis) =>
          axis < ranges.length ? picked(size, clean(ranges[axis])) : [...Array(size).keys()],
        );
        const part = slice(x, given);
        expect(part.shape).toEqual(places.map((list) => list.length));
        expect(values(part)).toEqual(
          table(part.shape, (index) =>
            at(
              x,
              index.map((i, axis) => places[axis][i]),
            ),
          ),
        );
      }),
    );
  });

  test('flip, roll, movedim', () => {
    fc.assert(
      fc.property(withAxis, fc.integer({ min: -9, max: 9 }), ({ x, axis }, shift) => {
        const size = x.shape[axis];
        const mod = (i: number): number => ((i % size) + size) % size;
        const moved = (index: number[], to: (i: number) => number): number[] =>
          index.map((i, a) => (a === axis ? to(i) : i));
        expect(values(flip(x, axis))).toEqual(
          table(x.shape, (index) =>
            at(
              x,
              moved(index, (i) => size - 1 - i),
            ),
          ),
        );
        expect(values(roll(x, shift, { axes: axis }))).toEqual(
          table(x.shape, (index) =>
            at(
              x,
              moved(index, (i) => mod(i - shift)),
            ),
          ),
        );
        same(roll(roll(x, shift), -shift), roll(x, 0));
        same(movedim(movedim(x, axis, 0), 0, axis), x);
        same(movedim(x, axis, -1), permute(x, [...x.shape.keys()].filter((a) => a !== axis).concat(axis)));
      }),
    );
  });

  test('repeat and tile', () => {
    fc.assert(
      fc.property(anyTensor, fc.array(fc.nat(2), { maxLength: 4 }), (x, counts) => {
        const lead = Math.max(0, x.ndim - counts.length);
        const repeats = [...Array<number>(lead).fill(1), ...counts];
        const fresh = repeats.length - x.ndim;
        const tiled = tile(x, counts);
        const shape = repeats.map((count, axis) => count * (axis < fresh ? 1 : x.shape[axis - fresh]));
        expect(tiled.shape).toEqual(shape);
        expect(values(tiled)).toEqual(
          table(shape, (index) =>
            at(
              x,
              x.shape.map((n, axis) => index[axis + fresh] % n),
            ),
          ),
        );
        same(repeat(x, repeats), tiled);
      }),
    );
  });

  test('what was cut is put together again by cat and stack', () => {
    fc.assert(
      fc.property(withAxis, fc.integer({ min: 1, max: 5 }), ({ x, axis }, n) => {
        same(cat(split(x, n, { axis }), { axis }), x);
        same(cat(chunk(x, n, { axis }), { axis }), x);
        if (x.shape[axis] > 0) same(stack(unbind(x, { axis }), { axis }), x);
        const pieces = chunk(x, n, { axis });
        expect(pieces.length).toBeLessThanOrEqual(n);
        expect(new Set(pieces.slice(0, -1).map((piece) => piece.shape[axis])).size).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('pad, in every mode, with amounts that add and amounts that cut', () => {
    const outside: Record<string, (i: number, n: number) => number> = {
      reflect: (i, n) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i),
      replicate: (i, n) => Math.min(Math.max(i, 0), n - 1),
      circular: (i, n) => (i + n) % n,
    };
    const amount = fc.integer({ min: -1, max: 2 });
    const cases = fc.record({ n: fc.integer({ min: 3, max: 5 }), before: amount, after: amount });
    fc.assert(
      fc.property(cases, cases, (rows, columns) => {
        const x = numbered(2, rows.n, columns.n);
        const amounts = [columns.before, columns.after, rows.before, rows.after];
        const shape = [2, rows.n + rows.before + rows.after, columns.n + columns.before + columns.after];
        const constant = pad(x, amounts, { value: -7 });
        expect(constant.shape).toEqual(shape);
        const inside = (i: number, n: number): boolean => i >= 0 && i < n;
        expect(values(constant)).toEqual(
          table(shape, ([c, h, w]) => {
            const [i, j] = [h - rows.before, w - columns.before];
            return inside(i, rows.n) && inside(j, columns.n) ? at(x, [c, i, j]) : -7;
          }),
        );
        for (const mode of ['reflect', 'replicate', 'circular'] as const) {
          // A wrap goes around what a cut leaves; its positions count from there.
          const cut = mode === 'circular' ? 1 : 0;
          const source = (i: number, { n, before, after }: typeof rows): number => {
            const low = cut * Math.max(-before, 0);
            const kept = n - cut * (Math.max(-before, 0) + Math.max(-after, 0));
            return low + outside[mode](i - before - low, kept);
          };
          const padded = pad(x, amounts, { mode });
          expect(padded.shape).toEqual(shape);
          expect(values(padded)).toEqual(
            table(shape, ([c, h, w]) => at(x, [c, source(h, rows), source(w, columns)])),
          );
        }
      }),
    );
  });

  test('unfold lists windows, with stride, padding and dilation', () => {
    const small = fc.integer({ min: 1, max: 2 });
    const cases = fc.record({ stride: small, dilation: small, padding: fc.nat(1), kh: small, kw: small });
    fc.assert(
      fc.property(cases, ({ stride, dilation, padding, kh, kw }) => {
        const x = numbered(2, 3, 4, 5);
        const columns = unfold(x, [kh, kw], { stride, dilation, padding });
        const count = (n: number, k: number): number =>
          Math.floor((n + 2 * padding - dilation * (k - 1) - 1) / stride) + 1;
        const [oh, ow] = [count(4, kh), count(5, kw)];
        expect(columns.shape).toEqual([2, 3 * kh * kw, oh * ow]);
        const expected = table([2, 3, kh, kw, oh, ow], ([n, c, i, j, p, q]) => {
          const [h, w] = [p * stride - padding + i * dilation, q * stride - padding + j * dilation];
          return h >= 0 && h < 4 && w >= 0 && w < 5 ? at(x, [n, c, h, w]) : 0;
        });
        expect(values(columns)).toEqual(expected);
      }),
    );
  });
});

function clean(range: { start?: number | undefined; stop?: number | undefined; step: number }): {
  start?: number;
  stop?: number;
  step: number;
} {
  const { start, stop, step } = range;
  return { ...(start === undefined ? {} : { start }), ...(stop === undefined ? {} : { stop }), step };
}

describe('exact adjoints, and derivatives of derivatives', () => {
  const maps: Record<string, [(x: Tensor) => Tensor, number[]]> = {
    slice: [(x) => slice(x, [1, { start: 1, step: 2 }]), [3, 5]],
    flip: [(x) => flip(x, [0, -1]), [2, 3, 2]],
    roll: [(x) => roll(x, [1, -2], { axes: [0, 1] }), [3, 4]],
    rollAll: [(x) => roll(x, 5), [3, 4]],
    repeat: [(x) => repeat(x, [2, 1, 3]), [2, 3]],
    'cat of one operand twice': [(x) => cat([x, narrow(x, 1, 0, 1), x], { axis: 1 }), [2, 3]],
    stack: [(x) => stack([x, flip(x, 0)], { axis: -1 }), [3, 2]],
    'pad constant': [(x) => pad(x, [1, 2, -1, 0]), [3, 4]],
    'pad reflect': [(x) => pad(x, [2, 1, 1, -1], { mode: 'reflect' }), [1, 3, 4]],
    'pad replicate': [(x) => pad(x, [2, 3], { mode: 'replicate' }), [2, 3]],
    'pad circular': [(x) => pad(x, [4, 2], { mode: 'circular' }), [2, 4]],
    'unfold with overlap': [(x) => unfold(x, [2, 3], { padding: 1, dilation: [2, 1] }), [2, 2, 4, 5]],
    'fold with overlap': [(x) => fold(x, [3, 4], 2, { padding: [1, 0] }), [1, 8, 12]],
    meshgrid: [(x) => meshgrid([x, tensor([1, 2])])[0], [3]],
    'view of a transpose': [(x) => view(transpose(x), [2, 2, 3]), [3, 4]],
  };
  test.each(Object.entries(maps))('%s', (_, [forward, shape]) => {
    assertLinear(forward, shape);
    assertLinear(forward, shape, { dtype: 'float32' });
  });

  test('fold is the adjoint of unfold', () => {
    const options = { stride: [2, 1], padding: [0, 1], dilation: [1, 2] };
    const columns = (x: Tensor): Tensor => unfold(x, 2, options);
    const image = (y: Tensor): Tensor => fold(y, [5, 4], 2, options);
    assertAdjoint(columns, image, [1, 3, 5, 4]);
    assertAdjoint(columns, image, [3, 5, 4]);
  });
});

describe('every dtype', () => {
  test.each(['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool'] as DType[])(
    '%s',
    (dtype) => {
      const data = dtype === 'bool' ? [1, 0, 1, 1, 0, 0] : [1, 2, 3, 4, 5, 6];
      const x = tensor(data, { dtype, shape: [2, 3] });
      const results = [
        cat([x, x], { axis: 1 }),
        stack([x, x]),
        flip(x, 1),
        roll(x, 1),
        repeat(x, [2, 2]),
        pad(x, [1, 1]),
        pad(reshape(x, [1, 2, 3]), [1, 1], { mode: 'circular' }),
        slice(x, [0]),
      ];
      for (const result of results) expect(result.dtype).toBe(dtype);
      expect(values(results[0]).slice(0, 6)).toEqual([...data.slice(0, 3), ...data.slice(0, 3)]);
    },
  );

  test('cat promotes', () => {
    const joined = cat([
      tensor([1], { dtype: 'int32' }),
      tensor([0.5], { dtype: 'float16' }),
      tensor([true]),
    ]);
    expect(joined.dtype).toBe('float16');
    expect(values(joined)).toEqual([1, 0.5, 1]);
  });
});

describe('refusals name op, operand and the way out', () => {
  const x = numbered(3, 4);
  const refusals: [string, () => unknown, object][] = [
    [
      'a step below 1',
      () => slice(x, [{ step: -1 }]),
      { op: 'slice', operand: 'indices[0].step', actual: -1 },
    ],
    ['a position outside', () => slice(x, [null, 4]), { op: 'slice', operand: 'index', actual: 4 }],
    ['a fractional start', () => slice(x, [{ start: 0.5 }]), { op: 'slice', operand: 'indices[0].start' }],
    ['more indices than axes', () => slice(x, [0, 0, 0]), { op: 'slice', operand: 'indices', actual: 3 }],
    ['more beside ...', () => slice(x, [0, '...', 0, 0]), { op: 'slice', operand: 'indices', actual: 3 }],
    ['... twice', () => slice(x, ['...', 0, '...']), { op: 'slice', operand: 'indices', actual: 2 }],
    ['select of a 0-d tensor', () => select(tensor(1), 0, 0), { op: 'select', operand: 'x' }],
    ['narrow past the end', () => narrow(x, 1, 3, 2), { op: 'narrow', operand: 'length' }],
    ['sizes that do not add up', () => split(x, [1, 1]), { op: 'split', operand: 'size' }],
    ['no chunks', () => chunk(x, 0), { op: 'chunk', operand: 'chunks', actual: 0 }],
    ['an empty list', () => cat([]), { op: 'cat', operand: 'tensors' }],
    [
      'a shape that does not fit',
      () => cat([x, zeros([3, 5])]),
      { op: 'cat', operand: 'tensors[1]', actual: [3, 5] },
    ],
    ['shapes that differ', () => stack([x, zeros([4, 3])]), { op: 'stack', operand: 'tensors[1]' }],
    [
      'axes in the wrong order',
      () => flatten(x, { startAxis: 1, endAxis: 0 }),
      { op: 'flatten', operand: 'startAxis' },
    ],
    ['an axis twice', () => movedim(x, [0, 0], [0, 1]), { op: 'movedim', operand: 'source' }],
    ['a fractional shift', () => roll(x, 0.5), { op: 'roll', operand: 'shifts', actual: 0.5 }],
    ['too few repeats', () => repeat(x, [2]), { op: 'repeat', operand: 'repeats' }],
    ['an odd number of amounts', () => pad(x, [1]), { op: 'pad', operand: 'amounts' }],
    ['a cut below 0', () => pad(x, [-3, -2]), { op: 'pad', operand: 'amounts' }],
    [
      'an unknown mode',
      () => pad(x, [1, 1], { mode: 'wrap' as 'circular' }),
      { op: 'pad', operand: 'mode', actual: 'wrap' },
    ],
    [
      'a value that is not used',
      () => pad(x, [1, 1], { mode: 'reflect', value: 1 }),
      { op: 'pad', operand: 'value' },
    ],
    [
      'a fraction among integers',
      () => pad(tensor([1], { dtype: 'int32' }), [1, 1], { value: 0.5 }),
      { op: 'pad', operand: 'value' },
    ],
    [
      'a reflection too long',
      () => pad(x, [4, 0], { mode: 'reflect' }),
      { op: 'pad', operand: 'amounts', actual: 4 },
    ],
    ['a kernel too large', () => unfold(zeros([1, 1, 2, 2]), 3), { op: 'unfold' }],
    ['columns that do not fit', () => fold(zeros([1, 4, 3]), 3, 2), { op: 'fold', operand: 'x' }],
    ['a matrix among coordinates', () => meshgrid([x]), { op: 'meshgrid', operand: 'tensors[0]' }],
  ];
  test.each(refusals)('%s', (_, call, details) => {
    expect(call).toThrow(expect.objectContaining(details));
  });
});
