// What a pass that cannot be made leaves behind (nothing), and leaves whose requiresGrad changes under a graph.

import {
  apply,
  cumprod,
  defineOp,
  GradientError,
  grad,
  mul,
  noGradient,
  registerHook,
  sum,
  type Tensor,
  tensor,
  vjpRule,
} from '@adjoint/core';
import { describe, expect, test } from 'vitest';

const leaf = (data: number[]): Tensor => tensor(data, { dtype: 'float64', requiresGrad: true });

describe('a pass that cannot be made leaves the graph as it was', () => {
  test('an input that the output does not depend on', () => {
    const [x, stranger] = [leaf([1, 2]), leaf([3])];
    const y = sum(mul(x, x));
    expect(() => grad(y, [x, stranger])).toThrow(/inputs?\b.* 1 of shape \(1,\) is not part of the graph/);
    expect(grad(y, x).toArray()).toEqual([2, 4]);
  });

  test('an operand without a rule, however late it would have been met', () => {
    const opaque = defineOp({
      name: 'opaque',
      operands: ['x', 'by'],
      infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
      forward: ([x], out) => out.set(x.data),
      vjps: [vjpRule((g) => g), noGradient('it is a name; use x')],
      forwardMode: 'linear',
    });
    const [x, by] = [leaf([1, 2]), leaf([3, 4])];
    const y = sum(mul(apply(opaque, [mul(x, x), by], undefined), 3));
    let hooked = 0;
    registerHook(y, () => {
      hooked++;
      return undefined;
    });
    expect(() => y.backward()).toThrow("operand 'by' has no gradient: it is a name; use x");
    expect([x.grad, by.grad, hooked]).toEqual([null, null, 0]);
    expect(grad(y, x).toArray()).toEqual([6, 12]);
  });
});

describe('requiresGrad, changed after the graph was recorded', () => {
  test('turned off: nothing is collected, and no gradient can be asked for', () => {
    const [x, w] = [leaf([1, 2]), leaf([3, 4])];
    const y = sum(mul(x, w));
    x.requiresGrad = false;
    expect(() => grad(y, x, { retainGraph: true })).toThrow(GradientError);
    y.backward();
    expect(x.grad).toBe(null);
    expect(w.grad!.toArray()).toEqual([1, 2]);
  });

  test('turned off and on again: the leaf is the one that the graph knows', () => {
    const x = leaf([1, 2]);
    const y = sum(mul(x, x));
    x.requiresGrad = false;
    expect(mul(x, 2).requiresGrad).toBe(false);
    x.requiresGrad = true;
    expect(grad(y, x, { retainGraph: true }).toArray()).toEqual([2, 4]);
    y.backward();
    expect(x.grad!.toArray()).toEqual([2, 4]);
  });
});

test('constants inside a rule are of the 16-bit type, not its bits', () => {
  for (const dtype of ['float16', 'bfloat16'] as const) {
    const x = tensor([2, 3, 4], { dtype, requiresGrad: true });
    expect(grad(sum(cumprod(x, { axis: 0 })), x).toArray()).toEqual([16, 10, 6]);
  }
});

describe("a .grad that is not the leaf's", () => {
  test('is refused rather than broadcast into the sum', () => {
    const x = leaf([1, 2]);
    x.grad = tensor([1], { dtype: 'float64' });
    expect(() => sum(mul(x, x)).backward()).toThrow(
      /\.grad of shape \(1,\) and dtype float64.*set it to null/,
    );
    x.grad = tensor([1, 1]);
    expect(() => sum(mul(x, x)).backward()).toThrow(/dtype float32/);
    x.grad = tensor([1, 1], { dtype: 'float64' });
    sum(mul(x, x)).backward();
    expect(x.grad.toArray()).toEqual([3, 5]);
  });
});
