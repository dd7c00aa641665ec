// Functional transforms agree with each other and with closed forms, in every nesting; forward mode agrees with reverse mode.

import {
  add,
  apply,
  cast,
  cos,
  defineOp,
  div,
  exp,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  matmul,
  mul,
  noGrad,
  noGradient,
  ones,
  permute,
  relu,
  remainder,
  sin,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  valueAndGrad,
  vjp,
  vjpRule,
  zeros,
} from '@adjoint/core';
import { assertGradcheck, assertJvpcheck, gradcheck, jvpcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const float64 = (data: Parameters<typeof tensor>[0]) => tensor(data, { dtype: 'float64' });
const near = (a: Tensor, b: Tensor, digits = 11) => {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [a.toTypedArray(), b.toTypedArray()];
  x.forEach((value, i) => {
    expect(value).toBeCloseTo(y[i], digits);
  });
};

const weights = float64([
  [0.4, -1.2, 0.3],
  [2, 0.1, -0.7],
]);
/** A function R³ → R² whose derivatives are all different from 0. */
const fn = (x: Tensor) => mul(sin(matmul(weights, x)), exp(sum(x)));
const scalar = (x: Tensor) => sum(mul(fn(x), fn(x)));
const vector3 = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
  .map((values) => float64(values));
const vector2 = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 2 })
  .map((values) => float64(values));

describe('laws', () => {
  test('<v, jvp(u)> = <vjp(v), u>, and both are products with the Jacobian of either mode', () => {
    fc.assert(
      fc.property(vector3, vector3, vector2, (x, u, v) => {
        const [value, pushed] = jvp(fn, x, u);
        const [same, pulled] = vjp(fn, x, v);
        near(value, fn(x), 15);
        near(same, fn(x), 15);
        expect(sum(mul(pushed, v)).item()).toBeCloseTo(sum(mul(pulled, u)).item(), 12);
        const j = jacobian(fn, x);
        near(j, jacobian(fn, x, { mode: 'forward' }));
        near(pushed, matmul(j, u));
        near(pulled, matmul(v, j));
      }),
      { numRuns: 50 },
    );
  });

  test('the Hessian is the same by every nesting of the two modes, symmetric, and hvp is a product with it', () => {
    fc.assert(
      fc.property(vector3, vector3, (x, u) => {
        const h = hessian(scalar, x);
        near(h, transpose(h), 10);
        const gradient = (createGraph: boolean) => (x: Tensor) => valueAndGrad(scalar, x, { createGraph })[1];
        near(jacobian(gradient(true), x), h, 10);
        near(jacobian(gradient(false), x, { mode: 'forward' }), h, 10);
        near(
          jacobian((x) => jacobian(scalar, x, { mode: 'forward', createGraph: true }), x),
          h,
          10,
        );
        near(
          jacobian((x) => jacobian(scalar, x, { mode: 'forward' }), x, { mode: 'forward' }),
          h,
          10,
        );
        const [value, product] = hvp(scalar, x, u);
        near(value, scalar(x), 14);
        near(product, matmul(h, u), 10);
        near(jvp(gradient(false), x, u)[1], product, 10);
      }),
      { numRuns: 20 },
    );
  });

  test('third derivatives: jacobian of hessian, symmetric in all axes', () => {
    const x = float64([0.3, -0.2, 0.5]);
    const third = jacobian((x) => hessian(scalar, x, { createGraph: true }), x);
    expect(third.shape).toEqual([3, 3, 3]);
    near(third, permute(third, [1, 2, 0]), 9);
    near(third, permute(third, [0, 2, 1]), 9);
    near(
      third,
      jacobian((x) => hessian(scalar, x), x, { mode: 'forward' }),
      9,
    );
  });
});

describe('closed forms', () => {
  test('sine, by forward mode nested four deep', () => {
    let f: (x: Tensor) => Tensor = sin;
    for (let i = 0; i < 4; i++) {
      const inner = f;
      f = (x) => jvp(inner, x, float64(1))[1];
    }
    expect(f(float64(0.7)).item()).toBeCloseTo(Math.sin(0.7), 14);
  });

  test('several inputs and outputs keep their form', () => {
    const a = float64([1, 2]);
    const b = float64(3);
    const [value, [da, db]] = valueAndGrad((a, b) => sum(mul(mul(a, a), b)), [a, b]);
    expect([value.item(), da.toArray(), db.item()]).toEqual([15, [6, 12], 5]);
    const [outputs, [pa, pb]] = vjp((a, b) => [mul(a, b), sum(a)], [a, b], [float64([1, 10]), float64(100)]);
    expect(outputs.map((y) => y.toArray())).toEqual([[3, 6], 3]);
    expect([pa.toArray(), pb.item()]).toEqual([[103, 130], 21]);
    const [, [ta, tb]] = jvp((a, b) => [mul(a, b), sum(a)], [a, b], [float64([1, 0]), float64(1)]);
    expect([ta.toArray(), tb.item()]).toEqual([[4, 2], 1]);
    const table = hessian((a, b) => sum(mul(mul(a, a), b)), [a, b]);
    expect(table.map((row) => row.map((h) => h.toArray()))).toEqual([
      [
        [
          [6, 0],
          [0, 6],
        ],
        [2, 4],
      ],
      [[2, 4], 0],
    ]);
    const [ja, jb] = jacobian((a, b) => mul(a, b), [a, b]);
    expect([ja.toArray(), jb.toArray()]).toEqual([
      [
        [3, 0],
        [0, 3],
      ],
      [1, 2],
    ]);
  });

  test('no dependence gives zeros; empty outputs and inputs give empty Jacobians', () => {
    const x = float64([1, 2]);
    expect(valueAndGrad(() => float64(7), x)[1].toArray()).toEqual([0, 0]);
    expect(jvp(() => float64(7), x, x)[1].item()).toBe(0);
    expect(hessian((x) => sum(x), x).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    const empty = zeros([0], { dtype: 'float64' });
    for (const mode of ['reverse', 'forward'] as const) {
      expect(jacobian((x) => mul(x, 2), empty, { mode }).shape).toEqual([0, 0]);
      expect(jacobian((x) => sum(x), empty, { mode }).shape).toEqual([0]);
      expect(jacobian(() => float64([1, 2]), x, { mode }).toArray()).toEqual([
        [0, 0],
        [0, 0],
      ]);
    }
  });
});

describe('what is differentiated', () => {
  test('inputs keep their grad and their requiresGrad; results are out of the graph unless asked', () => {
    const x = float64([1, 2]).requiresGrad_();
    const [value, gradient] = valueAndGrad(scalar2, x);
    expect([value.requiresGrad, gradient.requiresGrad, x.grad]).toEqual([false, false, null]);
    const [tied, first] = valueAndGrad(scalar2, x, { createGraph: true });
    expect([tied.requiresGrad, first.requiresGrad]).toEqual([true, true]);
    expect(grad(sum(first), x).toArray()).toEqual([6, 12]);
    expect(jacobian(scalar2, x).requiresGrad).toBe(false);
    expect(jacobian(scalar2, x, { mode: 'forward' }).requiresGrad).toBe(false);
    const plain = float64([1, 2]);
    valueAndGrad(scalar2, plain);
    expect(plain.requiresGrad).toBe(false);
  });
  const scalar2 = (x: Tensor) => sum(mul(mul(x, x), x));

  test('a tensor that is captured is a constant, even if it is the input', () => {
    const x = float64([2]);
    expect(jvp((y) => mul(y, x), x, ones([1], { dtype: 'float64' }))[1].toArray()).toEqual([2]);
    expect(vjp((y) => mul(y, x), x, ones([1], { dtype: 'float64' }))[1].toArray()).toEqual([2]);
    expect(jvp((a, b) => mul(a, b), [x, x], [float64([1]), float64([10])])[1].toArray()).toEqual([22]);
  });

  test('derivatives nest without confusion: d/dx of (d/dy of x·y at y = 3)', () => {
    const inner = (x: Tensor) => jvp((y) => mul(x, y), float64(3), float64(1))[1];
    expect(jvp(inner, float64(5), float64(1))[1].item()).toBe(1);
    const mixed = (x: Tensor) => valueAndGrad((y) => mul(x, mul(y, y)), float64(3))[1];
    expect(jvp(mixed, float64(5), float64(1))[1].item()).toBe(6);
  });

  test('detach stops tangents, noGrad does not; backward inside a function needs no createGraph for them', () => {
    const x = float64([2]);
    const u = float64([1]);
    expect(jvp((x) => mul(x.detach(), x), x, u)[1].item()).toBe(2);
    expect(jvp((x) => noGrad(() => mul(x, x)), x, u)[1].item()).toBe(4);
    const slope = (x: Tensor) => grad(sum(mul(mul(x, x), x)), x);
    expect(jvp(slope, float64([2]).requiresGrad_(), u)[1].item()).toBe(12);
  });

  test('tangents reach parameters through the graph', () => {
    const w = float64([3]).requiresGrad_();
    const [, pushed] = jvp((x) => mul(mul(x, x), w), float64([2]), float64([1]));
    expect(grad(sum(pushed), w).item()).toBe(4);
  });
});

describe('forward mode of records', () => {
  test('promotion, broadcasting, views of every layout, and 16-bit floats', () => {
    const x = tensor([[1, 2, 3]], { dtype: 'float32' });
    const y = float64([[0.5], [-2]]);
    const fn = (x: Tensor, y: Tensor) => div(add(mul(x, y), 1), sub(3.5, y));
    const [value, pushed] = jvp(fn, [x, y], [ones([1, 3]), ones([2, 1], { dtype: 'float64' })]);
    expect([value.shape, value.dtype, pushed.dtype]).toEqual([[2, 3], 'float64', 'float64']);
    assertJvpcheck((y) => fn(cast(x, 'float64'), y), [y]);
    const turned = transpose(
      float64([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    );
    assertJvpcheck((x) => x.transpose().reshape([3, 2]).permute([1, 0]).expand([2, 2, 3]), [turned]);
    const tangent = transpose(
      float64([
        [1, 4],
        [2, 5],
        [3, 6],
      ]),
    );
    const flat = jvp((x) => x.reshape([6]), zeros([2, 3], { dtype: 'float64' }), tangent)[1];
    expect(flat.toArray()).toEqual([1, 2, 3, 4, 5, 6]);
    // A rule that hands the cotangent on as it is, where the other operand makes the result larger.
    assertJvpcheck((x) => remainder(x, float64([[1.3, 2.1]])), [float64([[3], [4.5]])]);
    const half = tensor([1.5, 2], { dtype: 'float16' });
    const [, slope] = jvp((x) => mul(x, x), half, tensor([1, 1], { dtype: 'float16' }));
    expect([slope.dtype, slope.toArray()]).toEqual(['float16', [3, 4]]);
  });

  test('one operand of a linear op that moves, the others still', () => {
    assertJvpcheck((x) => add(x, float64([[1, 2]])), [float64([[3], [4]])]);
    assertJvpcheck((x) => sub(1, x), [float64([3])]);
    assertJvpcheck((x) => add(x, tensor([1, 2], { dtype: 'int32' })), [float64([3, 4])]);
  });

  const planted = (forwardMode: Parameters<typeof defineOp>[0]['forwardMode']) =>
    defineOp({
      name: 'mySquare',
      operands: ['x'],
      infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
      forward: ([x], out) => {
        for (let i = 0; i < out.length; i++) out[i] = x.data[i] ** 2;
      },
      vjps: [vjpRule('x', (g, x) => mul(g, mul(2, x)))],
      forwardMode,
    });

  test('jvpcheck names what is wrong with a forward mode, where gradcheck sees nothing', () => {
    const x = float64([
      [1, -2, 0.5],
      [0.3, 4, 2],
    ]);
    const verdict = (op: ReturnType<typeof planted>) => {
      const fn = (x: Tensor) => apply(op, [x], undefined);
      expect(gradcheck(fn, x).ok).toBe(true);
      return jvpcheck(fn, x).pairs[0].verdict;
    };
    expect(verdict(planted('elementwise')).kind).toBe('ok');
    // The op itself, which is no linear map, in the place of its tangent.
    expect(verdict(planted('linear')).kind).toBe('nonlinear');
    expect(verdict(planted('multilinear')).kind).toBe('nonlinear');
    expect(verdict(planted(([t], [x]) => mul(t!, x)))).toMatchObject({ kind: 'factor', text: /0\.5 times/ });
    expect(verdict(planted(([t], [x]) => sum(mul(t!, x))))).toMatchObject({
      kind: 'shape',
      text: expect.stringMatching(/mySquare: its forward mode gave a tangent of shape \(\)/),
    });
    expect(verdict(planted(noGradient('not written yet; use vjp')))).toMatchObject({
      kind: 'missing',
      text: expect.stringMatching(/mySquare: it has no forward mode: not written yet; use vjp/),
    });
    expect(verdict(planted(([t], [x]) => mul(t!, mul(2, x.detach())))).kind).toBe('ok');
    expect(jvpcheck(relu, float64([-1, 0, 1])).pairs[0].verdict.kind).toBe('kink');
    expect(jvpcheck((x) => cos(x), x, { mode: 'fast' }).ok).toBe(true);
  });
});

test('calls that make no sense are refused, with the way out', () => {
  const x = float64([1, 2]);
  expect(() => valueAndGrad((x) => mul(x, x), x)).toThrow(
    /valueAndGrad: .*shape \(2,\); reduce it to one element/,
  );
  expect(() => vjp((x) => mul(x, x), x)).toThrow(/or pass cotangents of that shape/);
  expect(() => vjp((x) => mul(x, x), x, float64([1]))).toThrow(
    /cotangents\[0\] has shape \(1,\).*outputs\[0\] \(2,\)/,
  );
  expect(() => jvp((x) => x, x, tensor([1, 2]))).toThrow(/tangents\[0\] is float32 and inputs\[0\] float64/);
  expect(() => jvp((x) => x, [x, x], [x])).toThrow(/1 tangents for 2 inputs/);
  expect(() => valueAndGrad((x) => sum(x), tensor([1], { dtype: 'int32' }))).toThrow(/int32/);
  expect(() => hessian((x) => mul(x, x), x)).toThrow(/reduce it to one element/);
  expect(() => jacobian((x) => x, x, { mode: 'both' as 'forward' })).toThrow(/mode is "both"/);
  expect(() => jvp((() => 3) as unknown as (x: Tensor) => Tensor, x, x)).toThrow(/give a tensor or a list/);
  assertGradcheck(
    (x) => hvp(scalar, x, float64([1, 2, 3]), { createGraph: true })[1],
    float64([0.1, 0.2, 0.3]),
  );
});
