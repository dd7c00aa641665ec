// gradcheck and gradgradcheck on functions that are right, in every shape and layout an input can have, and on calls they refuse.

import {
  add,
  cast,
  DTypeError,
  div,
  GradcheckError,
  grad,
  matmul,
  mul,
  permute,
  sin,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
} from '@adjoint/core';
import {
  assertGradcheck,
  assertGradgradcheck,
  assertJvpcheck,
  gradcheck,
  gradgradcheck,
} from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const float64 = (data: Parameters<typeof tensor>[0]) => tensor(data, { dtype: 'float64' });
const modes = ['full', 'fast'] as const;

describe.each(modes)('%s mode', (mode) => {
  test('accepts right derivatives of first and second order, for any number of inputs and outputs', () => {
    const a = float64([
      [1, 2, 3],
      [-4, 5, 6.5],
    ]);
    const b = float64([
      [0.5, 2],
      [-1, 0.7],
      [2, 3],
    ]);
    const fn = (a: Tensor, b: Tensor) => [div(matmul(a, b), 3), mul(sum(a), mul(b, b)), sub(a, sum(b))];
    expect(gradcheck(fn, [a, b], { mode })).toMatchObject({ ok: true, mode, check: 'gradcheck' });
    expect(gradcheck(fn, [a, b], { mode }).pairs).toHaveLength(6);
    assertGradgradcheck(fn, [a, b], { mode });
  });

  test('checks 0-d, empty, permuted, expanded and integer inputs as they are', () => {
    const cube = (x: Tensor) => mul(x, mul(x, x));
    const dense = float64([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const expanded = float64([[1], [2]]).expand([2, 3]);
    for (const x of [
      float64(3),
      float64([]),
      tensor([], { shape: [2, 0, 3], dtype: 'float64' }),
      transpose(dense),
      expanded,
    ]) {
      assertGradcheck(cube, [x], { mode });
      assertGradgradcheck(cube, [x], { mode });
    }
    const counts = tensor([[1], [2]], { dtype: 'int32' });
    const report = gradcheck((x, n) => mul(x, n), [dense, counts], { mode });
    expect(report).toMatchObject({ ok: true, pairs: [{ input: 'inputs[0]' }] });
  });

  test('finds a gradient that does not reach its input', () => {
    const report = gradcheck(
      (x, y) => mul(float64(x.toArray() as number[]), y),
      [float64([1, 2]), float64([3, 4])],
      {
        mode,
      },
    );
    expect(report.pairs.map(({ input, ok, verdict }) => [input, ok, verdict.kind])).toEqual([
      ['inputs[0]', false, 'missing'],
      ['inputs[1]', true, 'ok'],
    ]);
  });

  test('the function sees the layout of its inputs, and cannot change them', () => {
    const x = permute(
      float64([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      [1, 0],
    );
    const before = x.toArray();
    gradcheck(
      (x) => {
        expect(x.strides).toEqual([1, 3]);
        x.data.fill(7);
        return mul(x, x);
      },
      [x],
      { mode },
    );
    expect(x.toArray()).toEqual(before);
    expect(x).toMatchObject({ requiresGrad: false, grad: null, storage: { version: 0 } });
  });
});

test('checks only inputs that require a gradient, if there are any', () => {
  const x = float64([1, 2]).requiresGrad_();
  const y = float64([3, 4]);
  expect(gradcheck((x, y) => mul(x, y.detach()), [x, y]).pairs).toMatchObject([
    { input: 'inputs[0]', ok: true },
  ]);
  expect(x.grad).toBeNull();
});

test('compares every entry in full mode, and names the worst ones', () => {
  const report = gradcheck(
    (x) => add(mul(x.detach(), x), x),
    [
      float64([
        [1, 2],
        [3, 4],
      ]),
    ],
  );
  const [pair] = report.pairs;
  expect(pair).toMatchObject({ ok: false, compared: 16, maxError: expect.closeTo(4, 6) });
  expect(pair.worst[0]).toMatchObject({
    output: [1, 1],
    input: [1, 1],
    analytic: 5,
    numeric: expect.closeTo(9, 6),
  });
  expect(report.message).toContain('d output[1, 1] / d inputs[0][1, 1]: analytic 5, numeric 9');
});

test('refuses float32 unless told to be coarse, and functions without a float', () => {
  const x = tensor([1, 2]);
  expect(() => gradcheck((x) => mul(x, x), [x])).toThrow(DTypeError);
  expect(() => gradcheck((x) => mul(x, x), [x])).toThrow(/inputs\[0\] is float32.*to\('float64'\)/);
  expect(gradcheck((x) => mul(x, x), [x], { precision: 'float32' }).ok).toBe(true);
  expect(gradcheck((x) => mul(x.detach(), x), [x], { precision: 'float32' }).ok).toBe(false);
  expect(() => gradcheck((x) => x, [tensor([1], { dtype: 'int32' })])).toThrow(/no derivative to check/);
  expect(() => gradcheck((x) => cast(x, 'int32'), [float64([1])])).toThrow(/no floating-point tensor/);
  expect(() => gradcheck(() => 3 as unknown as Tensor, [float64([1])])).toThrow(/return a tensor/);
});

test('refuses options that mean nothing', () => {
  const check = (options: object) => () => gradcheck((x) => x, float64([1]), options);
  expect(check({ mode: 'slow' })).toThrow(/mode is "slow"; it takes 'full' or 'fast'/);
  expect(check({ step: 0 })).toThrow(/step is 0; give a finite number above 0/);
  expect(check({ rtol: -1 })).toThrow(/rtol is -1/);
  expect(check({ projections: Number.NaN })).toThrow(/projections is NaN/);
  expect(check({ precision: 'float16' })).toThrow(/precision is "float16"/);
});

test('the assert forms throw the report, and return nothing when all is well', () => {
  const wrong = (x: Tensor) => mul(x.detach(), x);
  const x = float64([1, 2]);
  expect(assertGradcheck((x) => mul(x, x), x)).toBeUndefined();
  const thrown = (() => {
    try {
      assertGradcheck(wrong, x);
    } catch (error) {
      return error;
    }
    return undefined;
  })();
  expect(thrown).toBeInstanceOf(GradcheckError);
  expect((thrown as GradcheckError).report).toEqual(gradcheck(wrong, x));
});

test('an error of 1e-6 in the gradient of any polynomial is found, none is invented', () => {
  const coefficient = fc.double({ min: -4, max: 4, noNaN: true });
  fc.assert(
    fc.property(fc.array(coefficient, { minLength: 1, maxLength: 5 }), coefficient, (c, at) => {
      const horner = (x: Tensor) => c.reduce<Tensor>((y, a) => add(mul(y, x), a), mul(x, 0));
      assertGradcheck(horner, float64(at));
      assertGradgradcheck(horner, float64(at));
      const off = (x: Tensor) => add(horner(x), mul(sub(x, x.detach()), 1e-5 * (1 + Math.abs(c.length))));
      const report = gradcheck(off, float64(at), { rtol: 0 });
      expect(report.ok).toBe(false);
      expect(gradgradcheck(horner, float64(at)).ok).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test('a function that takes derivatives of its own, as the residual of a differential equation does', () => {
  const a = tensor([0.3, -0.7], { dtype: 'float64' });
  const t = tensor([0.5, 1.5], { dtype: 'float64' });
  // u = sin(a·t): u'' + a²·u is 0, and u' is a·cos(a·t).
  const slope = (a: Tensor, t: Tensor): Tensor => grad(sum(sin(mul(a, t))), t, { createGraph: true });
  assertGradcheck(slope, [a, t]);
  assertGradgradcheck(slope, [a, t]);
  assertJvpcheck(slope, [a, t]);
  assertGradcheck((x) => slope(x, t.detach().requiresGrad_()), [a]);
  const half = (a: Tensor, t: Tensor): Tensor => mul(slope(a, t), slope(a, t).detach());
  expect(gradcheck(half, [a, t]).ok).toBe(false);
});
