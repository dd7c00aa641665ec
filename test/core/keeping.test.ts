// What a forward rule keeps for the derivative rules: it is asked for that only where one of them will read it, or somebody watches.

import {
  apply,
  defineOp,
  grad,
  jvp,
  mul,
  noGrad,
  ones,
  sum,
  type Tensor,
  tensor,
  vjpRule,
} from '@adjoint/core';
import { describe, expect, it } from 'vitest';

/** x² + bias; the rule of x reads 2x, which was kept, that of the bias reads nothing. */
function op() {
  const asked: boolean[] = [];
  const record = defineOp<readonly ['x', 'bias']>({
    name: 'squarePlus',
    operands: ['x', 'bias'],
    infer: ([x]) => ({ shape: x.shape, dtype: x.dtype, kept: [{ shape: x.shape, dtype: x.dtype }] }),
    forward: ([x, bias], out, _attrs, _shape, kept) => {
      asked.push(kept !== null);
      for (let i = 0; i < out.length; i++) {
        out[i] = x.data[i] ** 2 + bias.data[i];
        if (kept !== null) kept[0][i] = 2 * x.data[i];
      }
    },
    keeps: ['double'],
    vjps: [vjpRule('double', (g, double) => mul(g, double)), vjpRule((g) => g)],
    forwardMode: 'elementwise',
  });
  return { asked, call: (x: Tensor, bias: Tensor): Tensor => apply(record, [x, bias], undefined) };
}

const point = (requiresGrad: boolean): Tensor => tensor([1, 2, 3], { requiresGrad });

describe('an op keeps', () => {
  it.each([
    { x: true, bias: false, keeps: true },
    { x: true, bias: true, keeps: true },
    { x: false, bias: true, keeps: false },
    { x: false, bias: false, keeps: false },
  ])('what a recorded rule reads: gradients wanted of %o', ({ x, bias, keeps }) => {
    const { asked, call } = op();
    const y = call(point(x), ones([3], { requiresGrad: bias }));
    expect(y.toArray()).toEqual([2, 5, 10]);
    expect(asked).toEqual([keeps]);
  });

  it('nothing under noGrad', () => {
    const { asked, call } = op();
    expect(noGrad(() => call(point(true), ones([3]))).toArray()).toEqual([2, 5, 10]);
    expect(asked).toEqual([false]);
  });

  it('what forward mode reads, which records nothing', () => {
    const { asked, call } = op();
    const [, tangent] = noGrad(() => jvp((x) => call(x, ones([3])), point(false), ones([3])));
    expect(tangent.toArray()).toEqual([2, 4, 6]);
    expect(asked).toEqual([true]);
  });

  it('numbers that rules get as they were filled in', () => {
    const { call } = op();
    const x = point(true);
    expect(grad(sum(call(x, ones([3]))), x).toArray()).toEqual([2, 4, 6]);
  });
});
