// vmap: the same as writing the batch by hand, with every axis, and under every derivative.

import { grad, hvp, jacobian, matmul, type Tensor, tensor, valueAndGrad, vmap } from '@adjoint/core';
import { assertGradcheck, assertGradgradcheck } from '@adjoint/core/check';
import { describe, expect, it } from 'vitest';

const x = tensor(
  [
    [0.5, -1, 2],
    [1.5, 0.25, -0.75],
  ],
  { dtype: 'float64' },
);
const w = tensor(
  [
    [1, 2, -1],
    [0.5, -0.5, 3],
    [2, 0, 1],
  ],
  { dtype: 'float64' },
);
const f = (row: Tensor, weight: Tensor): Tensor => matmul(weight, row).tanh();

// A batched product may sum in another order.
function expectSame(actual: Tensor, expected: Tensor): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.sub(expected).abs().max().item()).toBeLessThan(1e-14);
}

describe('vmap', () => {
  it('is the batched computation', () => {
    const mapped = vmap(f, { inAxes: [0, null] })(x, w);
    expectSame(mapped, matmul(x, w.transpose()).tanh());
  });

  it('maps any axis of the inputs to any axis of the results', () => {
    const columns = vmap(f, { inAxes: [1, null], outAxis: 1 })(x.transpose(), w);
    expectSame(columns, matmul(w, x.transpose()).tanh());
    const [sums, products] = vmap((a, b) => [a.add(b), a.mul(b)], { inAxes: -1 })(x, x);
    expect(sums.toArray()).toEqual(x.add(x).transpose().toArray());
    expect(products.toArray()).toEqual(x.mul(x).transpose().toArray());
  });

  it('gives gradients by example, and can be differentiated to second order', () => {
    const loss = (row: Tensor): Tensor => f(row, w).sum();
    const byExample = vmap((row) => valueAndGrad(loss, row)[1])(x);
    const leaf = x.clone().requiresGrad_();
    const whole = grad(vmap(loss)(leaf).sum(), leaf);
    expectSame(byExample, whole);
    const mapped = vmap(f, { inAxes: [0, null] });
    assertGradcheck(mapped, [x, w]);
    assertGradgradcheck(mapped, [x, w]);
    expect(jacobian(mapped, [x, w])).toHaveLength(2);
    expect(hvp((rows) => vmap(loss)(rows).sum(), x, x)[1].shape).toEqual(x.shape);
  });

  it('refuses what it cannot map', () => {
    expect(() => vmap(f)(x, w)).toThrow(/input 1 of shape \(3, 3\) has 3 examples, and input 0 .* has 2/);
    expect(() => vmap(f, { inAxes: [0] })(x, w)).toThrow(/inAxes has 1 entries, and there are 2 inputs/);
    expect(() => vmap(f, { inAxes: null })(x, w)).toThrow(/no input is mapped/);
    expect(() => vmap(f, { inAxes: [2, null] })(x, w)).toThrow(/axis is 2/);
    expect(() => vmap((a) => a)(tensor([]))).toThrow(/no examples/);
  });
});
