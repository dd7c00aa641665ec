// adjointCheck is exact: it accepts adjoint pairs for every seed, and one wrong coefficient of one entry is found and placed.

import {
  add,
  defineOp,
  exp,
  flip,
  matmul,
  mul,
  narrow,
  pad,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  vjpRule,
  zeros,
} from '@adjoint/core';
import {
  AdjointCheckError,
  adjointCheck,
  adjointCheckOp,
  assertAdjoint,
  assertAdjointOp,
} from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const matrix = (rows: number, columns: number, seed: number) =>
  tensor(
    Float64Array.from({ length: rows * columns }, (_, i) => ((i * 7 + seed * 13) % 11) - 5),
    { shape: [rows, columns] },
  );

describe('adjointCheck', () => {
  test('accepts a matrix and its transpose, whatever the seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.nat(), (m, n, seed) => {
        const a = matrix(m, n, seed % 97);
        const report = adjointCheck(
          (x) => matmul(a, x),
          (y) => matmul(transpose(a), y),
          [n, 2],
          { seed },
        );
        expect(report).toMatchObject({ ok: true, input: [n, 2], output: [m, 2], entries: [] });
        expect(report.products).toHaveLength(8);
        for (const { forward, transpose } of report.products) expect(forward).toBe(transpose);
      }),
      { numRuns: 50 },
    );
  });

  test('finds one coefficient that is off by one, and says where', () => {
    const a = matrix(3, 4, 1);
    const off = tensor(a.toArray(), { dtype: 'float64' });
    off.data[6] += 1;
    const report = adjointCheck(
      (x) => matmul(a, x),
      (y) => matmul(transpose(off), y),
      [4],
    );
    expect(report).toMatchObject({
      ok: false,
      verdict: { kind: 'wrong' },
      entries: [{ output: [1], input: [2], forward: a.data[6], transpose: a.data[6] + 1 }],
    });
    expect(report.message).toContain(`A[1 | 2] is ${a.data[6]}, the transpose has ${a.data[6] + 1}`);
  });

  test('names common mistakes', () => {
    const a = matrix(3, 3, 2);
    const kind = (forward: (x: Tensor) => Tensor, back: (y: Tensor) => Tensor, shape: number[]) =>
      adjointCheck(forward, back, shape).verdict.kind;
    expect(
      kind(
        (x) => matmul(a, x),
        (y) => matmul(a, y),
        [3],
      ),
    ).toBe('transposed');
    expect(
      kind(
        (x) => matmul(a, x),
        (y) => mul(matmul(transpose(a), y), 2),
        [3],
      ),
    ).toBe('factor');
    expect(
      kind(
        (x) => mul(x, 2),
        (y) => mul(y, -2),
        [3],
      ),
    ).toBe('sign');
    expect(
      kind(
        (x) => mul(x, tensor([1, 2, 3])),
        (y) => flip(mul(y, tensor([3, 2, 1])), 0),
        [3],
      ),
    ).toBe('flipped');
    expect(
      kind(
        (x) => narrow(x, 0, 0, 2),
        (y) => y,
        [3],
      ),
    ).toBe('shape');
    expect(
      kind(
        (x) => mul(x, x),
        (y) => y,
        [3],
      ),
    ).toBe('notLinear');
    expect(
      kind(
        (x) => add(x, 1),
        (y) => y,
        [3],
      ),
    ).toBe('notLinear');
    expect(
      kind(
        (x) => mul(x, 0.3),
        (y) => mul(y, 0.3),
        [3],
      ),
    ).toBe('inexact');
    expect(
      kind(
        (x) => exp(x),
        (y) => y,
        [3],
      ),
    ).toBe('notLinear');
    expect(
      kind(
        (x) => x,
        (y) => mul(y, y),
        [3],
      ),
    ).toBe('notLinear');
  });

  test('a scale keeps averages exact', () => {
    const mean9 = (x: Tensor) => sum(x, { axes: 0 }).div(9);
    const spread = (y: Tensor) => y.div(9).expand([9, 4]);
    expect(adjointCheck(mean9, spread, [9, 4]).verdict.kind).toBe('inexact');
    assertAdjoint(mean9, spread, [9, 4], { scale: 9 });
  });

  test('works in every type that holds integers, on empty and 0-d tensors', () => {
    for (const dtype of ['float64', 'float32', 'float16', 'bfloat16', 'int32'] as const) {
      assertAdjoint(
        (x) => pad(x, [1, 2]),
        (y) => narrow(y, 0, 1, 4),
        [4],
        { dtype },
      );
    }
    assertAdjoint(
      (x) => mul(x, 3),
      (y) => mul(y, 3),
      [],
    );
    assertAdjoint(
      (x) => sum(x),
      (y) => y.expand([0, 2]),
      [0, 2],
    );
    const beyond = adjointCheck(
      (x) => mul(x, 2 ** 12),
      (y) => mul(y, 2 ** 12),
      [3],
      { dtype: 'float16' },
    );
    expect(beyond.verdict).toMatchObject({
      kind: 'inexact',
      text: expect.stringMatching(/where float16 rounds/),
    });
  });

  test('the assert form throws the report; bad options are refused', () => {
    const wrong = () =>
      assertAdjoint(
        (x) => mul(x, 2),
        (y) => mul(y, 3),
        [2],
      );
    expect(wrong).toThrow(AdjointCheckError);
    expect(wrong).toThrow(/adjointCheck: \(2,\) -> \(2,\): factor\..*2 of 4 entries differ.*1\.5 times/);
    expect(() =>
      adjointCheck(
        (x) => x,
        (y) => y,
        [-1],
      ),
    ).toThrow(/shape/);
    expect(() =>
      adjointCheck(
        (x) => x,
        (y) => y,
        [1],
        { trials: 0 },
      ),
    ).toThrow(/trials is 0/);
    expect(() =>
      adjointCheck(
        (x) => x,
        (y) => y,
        [1],
        { dtype: 'bool' as 'int32' },
      ),
    ).toThrow(/dtype is bool/);
  });
});

describe('adjointCheckOp', () => {
  const crossOp = (rule: (g: Tensor, a: Tensor) => Tensor) =>
    defineOp({
      name: 'outer',
      operands: ['a', 'b'],
      infer: ([a, b]) => ({ shape: [a.shape[0], b.shape[0]], dtype: a.dtype }),
      forward: ([a, b], out, _, [m, n]) => {
        for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[i * n + j] = a.data[i] * b.data[j];
      },
      vjps: [vjpRule('b', (g, b) => matmul(g, b)), vjpRule('a', rule)],
      forwardMode: 'multilinear',
    });

  test('checks each operand of a multilinear op by itself', () => {
    const operands = [zeros([3], { dtype: 'float64' }), zeros([4], { dtype: 'float64' })];
    const right = crossOp((g, a) => matmul(transpose(g), a));
    expect(adjointCheckOp(right, operands, undefined)).toMatchObject([
      { operand: "'a'", ok: true, input: [3], output: [3, 4] },
      { operand: "'b'", ok: true, input: [4], output: [3, 4] },
    ]);
    const wrong = crossOp((g, a) => sub(matmul(transpose(g), a), sum(mul(g, 0)).add(sum(g))));
    expect(adjointCheckOp(wrong, operands, undefined).map(({ ok }) => ok)).toEqual([true, false]);
    expect(() => assertAdjointOp(wrong, operands, undefined)).toThrow(
      /'outer' in operand 'b', \(4,\) -> \(3, 4\)/,
    );
  });

  test('checks a linear op of several operands with the others at zero', () => {
    const blend = defineOp({
      name: 'blend',
      operands: ['a', 'b'],
      infer: ([a]) => ({ shape: a.shape, dtype: a.dtype }),
      forward: ([a, b], out) => {
        for (let i = 0; i < out.length; i++) out[i] = 2 * a.data[i] - b.data[i];
      },
      vjps: [vjpRule((g) => mul(g, 2)), vjpRule((g) => mul(g, -1))],
      forwardMode: 'linear',
    });
    const operands = [zeros([2, 2], { dtype: 'float64' }), zeros([2, 2], { dtype: 'float64' })];
    expect(adjointCheckOp(blend, operands, undefined).map(({ ok }) => ok)).toEqual([true, true]);
  });

  test('finds an op that is not what its record claims', () => {
    const affine = defineOp({
      name: 'affine',
      operands: ['x'],
      infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
      forward: ([x], out) => {
        for (let i = 0; i < out.length; i++) out[i] = x.data[i] + 1;
      },
      vjps: [vjpRule((g) => g)],
      forwardMode: 'linear',
    });
    const x = zeros([2, 2], { dtype: 'float64' });
    expect(adjointCheckOp(affine, [x], undefined)).toMatchObject([{ verdict: { kind: 'notLinear' } }]);
    const notLinear = defineOp({
      name: 'same',
      operands: ['x'],
      infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
      forward: ([x], out) => out.set(x.data),
      vjps: [vjpRule((g) => g)],
      forwardMode: 'elementwise',
    });
    expect(() => adjointCheckOp(notLinear, [x], undefined)).toThrow(/does not say linear or multilinear/);
  });
});
