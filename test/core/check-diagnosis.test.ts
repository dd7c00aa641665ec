// Wrong gradients, planted through defineOp one mistake each, and the verdict that must name the mistake; then functions that
// are hard to check, where the verdict must say why.

import {
  abs,
  add,
  apply,
  cast,
  defineOp,
  div,
  floor,
  gt,
  matmul,
  maximum,
  mul,
  neg,
  noGrad,
  noGradient,
  permute,
  relu,
  sign,
  softplus,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  vjpRule,
} from '@adjoint/core';
import { gradcheck, gradgradcheck, type VerdictKind } from '@adjoint/core/check';
import { describe, expect, test } from 'vitest';

const float64 = (data: Parameters<typeof tensor>[0]) => tensor(data, { dtype: 'float64' });

/** Distinct values, none near another or near 0, of alternating sign. */
const generic = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float64Array.from({ length: size }, (_, i) => (i % 2 === 0 ? 1 : -1) * (0.6 + ((i * 37) % 11) / 9)),
    { shape },
  );
};

type Rule = (g: Tensor, x: Tensor) => Tensor;

/** `x²`, element by element, with the given rule; the right one is `2 g x`. */
function squareWith(rule: Rule): (x: Tensor) => Tensor {
  const op = defineOp({
    name: 'mySquare',
    operands: ['x'],
    infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
    forward: ([x], out) => {
      for (let i = 0; i < out.length; i++) out[i] = x.data[i] ** 2;
    },
    vjps: [vjpRule('x', rule)],
    forwardMode: 'elementwise',
  });
  return (x) => apply(op, [x], undefined);
}

/** `x w`, with the given rule for x; the right one is `g wᵀ`. */
function productWith(rule: Rule): (x: Tensor, w: Tensor) => Tensor {
  const op = defineOp({
    name: 'myProduct',
    operands: ['x', 'w'],
    infer: ([x, w]) => ({ shape: [x.shape[0], w.shape[1]], dtype: x.dtype }),
    forward: ([x, w], out, _, [rows, columns]) => {
      const inner = w.shape[0];
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          let total = 0;
          for (let k = 0; k < inner; k++) total += x.data[i * inner + k] * w.data[k * columns + j];
          out[i * columns + j] = total;
        }
      }
    },
    vjps: [vjpRule('w', rule), vjpRule('x', (g, x) => matmul(transpose(x), g))],
    forwardMode: 'multilinear',
  });
  return (x, w) => apply(op, [x, w], undefined);
}

const right: Rule = (g, x) => mul(g, mul(2, x));
const flip = (x: Tensor) => x.flip(0);

const planted: {
  readonly mistake: string;
  readonly fn: (...xs: Tensor[]) => Tensor;
  readonly at: readonly Tensor[];
  readonly kind: VerdictKind;
  readonly says: RegExp;
}[] = [
  {
    mistake: 'the opposite sign',
    fn: squareWith((g, x) => neg(right(g, x))),
    at: [generic(2, 3)],
    kind: 'sign',
    says: /opposite sign/,
  },
  {
    mistake: 'a forgotten factor',
    fn: squareWith((g, x) => mul(g, x)),
    at: [generic(3, 5)],
    kind: 'factor',
    says: /0\.5 times/,
  },
  {
    mistake: 'a mean taken for a sum',
    fn: squareWith((g, x) => div(right(g, x), 5)),
    at: [generic(3, 5)],
    kind: 'factor',
    says: /0\.2 times.*one over the size of axis 1 of the input/,
  },
  {
    mistake: 'the cotangent of x transposed',
    fn: squareWith((g, x) => transpose(right(g, x))),
    at: [generic(3, 3)],
    kind: 'transposed',
    says: /axis 0 of the input and axis 1 exchanged/,
  },
  {
    mistake: 'w in place of its transpose',
    fn: productWith((g, w) => matmul(g, w)),
    at: [generic(2, 3), generic(3, 3)],
    kind: 'transposed',
    says: /applies the Jacobian itself/,
  },
  {
    mistake: 'memory order taken for axis order',
    fn: squareWith((g, x) => permute(right(g, x), [1, 0]).reshape([2, 3])),
    at: [generic(2, 3)],
    kind: 'transposed',
    says: /exchanged/,
  },
  {
    mistake: 'an axis backwards',
    fn: squareWith((g, x) => flip(right(g, x))),
    at: [generic(4, 2)],
    kind: 'flipped',
    says: /axis 0 of the input reversed/,
  },
  {
    mistake: 'summed over an axis that is not broadcast',
    fn: squareWith((g, x) => sum(right(g, x), { axes: 1, keepdim: true }).expand([2, 3])),
    at: [generic(2, 3)],
    kind: 'summed',
    says: /summed over axis 1 of the input/,
  },
  {
    mistake: 'averaged over all elements',
    fn: squareWith((g, x) => right(g, x).mean().expand([2, 3])),
    at: [generic(2, 3)],
    kind: 'averaged',
    says: /averaged over all axes of the input/,
  },
  {
    mistake: 'zeros',
    fn: squareWith((g) => mul(g, 0)),
    at: [generic(2, 3)],
    kind: 'missing',
    says: /gradient is zero/,
  },
  {
    mistake: 'zeros at some elements',
    fn: squareWith((g, x) => mul(right(g, x), float64([1, 1, 0, 1]))),
    at: [generic(4)],
    kind: 'partlyMissing',
    says: /zero at 1 of 16 entries/,
  },
  {
    mistake: 'a shape of its own',
    fn: squareWith((g, x) => sum(right(g, x), { axes: 0 })),
    at: [generic(2, 3)],
    kind: 'shape',
    says: /mySquare: .*operand 'x' gave shape \(3,\) for an operand of shape \(2, 3\)/,
  },
  {
    mistake: 'a type of its own',
    fn: squareWith((g, x) => cast(right(g, x), 'float32')),
    at: [float64([1, 0.5])],
    kind: 'dtype',
    says: /mySquare: .*operand 'x' gave float32 for an operand of float64/,
  },
  {
    mistake: 'another result each time',
    fn: squareWith((g, x) => mul(right(g, x), 1 + Math.random())),
    at: [generic(3)],
    kind: 'nondeterministic',
    says: /derivatives at the same inputs/,
  },
  {
    mistake: 'a detached factor',
    fn: (x) => mul(mul(x.detach(), x), x),
    at: [generic(3)],
    kind: 'detached',
    says: /0\.6667 times.*'mul' reads a detached copy of its operand 'a'/,
  },
  {
    mistake: 'a part computed under noGrad',
    fn: (x) =>
      add(
        noGrad(() => mul(x, x)),
        x,
      ),
    at: [generic(3)],
    kind: 'detached',
    says: /'mul' runs under noGrad/,
  },
  {
    mistake: 'a step out of the framework',
    fn: (x) => sum(mul(float64(x.toArray() as number[]), 2)),
    at: [generic(3)],
    kind: 'missing',
    says: /no derivative leads/,
  },
  {
    mistake: 'a cotangent that is ignored',
    fn: (x) => mul(squareWith((_, x) => mul(2, x))(x), generic(4)),
    at: [generic(4)],
    kind: 'nonlinear',
    says: /Twice the cotangent gives 1 times the result, not 2: a rule ignores its cotangent/,
  },
  {
    mistake: 'a clipped gradient',
    fn: squareWith((g, x) => right(g, x).clamp({ min: -1, max: 1 })),
    at: [generic(6)],
    kind: 'nonlinear',
    says: /Twice the cotangent gives 1\.\d+ times/,
  },
  {
    mistake: 'a constant added to the gradient',
    fn: squareWith((g, x) => add(right(g, x), 1e-3)),
    at: [generic(5)],
    kind: 'nonlinear',
    says: /not 2: a rule .* adds to it/,
  },
  {
    mistake: 'an error in no pattern',
    fn: squareWith((g, x) => add(right(g, x), mul(g, float64([0.3, 0, -0.1, 0.2])))),
    at: [generic(4)],
    kind: 'wrong',
    says: /3 of 16 entries differ, whatever the step/,
  },
  {
    mistake: 'a value at a kink that is not between the slopes',
    fn: (() => {
      const op = defineOp({
        name: 'myRelu',
        operands: ['x'],
        infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
        forward: ([x], out) => {
          for (let i = 0; i < out.length; i++) out[i] = Math.max(0, x.data[i]);
        },
        vjps: [vjpRule('x', (g, x) => add(mul(g, gt(x, 0)), mul(mul(g, 3), x.eq(0))))],
        forwardMode: 'elementwise',
      });
      return (x: Tensor) => apply(op, [x], undefined);
    })(),
    at: [float64([-1, 0, 2])],
    kind: 'wrongAtKink',
    says: /slope is 0 below it and 1 above, and 3 does not lie between/,
  },
  {
    mistake: 'no rule at all',
    fn: (() => {
      const op = defineOp({
        name: 'myOp',
        operands: ['x'],
        infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
        forward: ([x], out) => out.set(x.data),
        vjps: [noGradient('nobody has written it; use clone')],
        forwardMode: noGradient('nobody has written it; use clone'),
      });
      return (x: Tensor) => apply(op, [x], undefined);
    })(),
    at: [generic(2)],
    kind: 'missing',
    says: /myOp: operand 'x' has no gradient: nobody has written it; use clone/,
  },
];

describe('a planted mistake is named', () => {
  test.each(planted)('$mistake', ({ fn, at, kind, says }) => {
    for (const mode of ['full', 'fast'] as const) {
      const report = gradcheck(fn, at, { mode });
      const [pair, ...others] = report.pairs;
      expect(pair, mode).toMatchObject({ ok: false, verdict: { kind, text: expect.stringMatching(says) } });
      expect(others.every(({ ok }) => ok)).toBe(true);
      expect(report.message).toContain(`d output / d inputs[0]: ${kind}`);
    }
  });

  test('in the second derivative alone', () => {
    const detached = squareWith((g, x) => mul(g, mul(2, x.detach())));
    const x = generic(3);
    expect(gradcheck(detached, x).ok).toBe(true);
    const report = gradgradcheck(detached, x);
    expect(report.pairs.map(({ output, input, verdict }) => [output, input, verdict.kind])).toEqual([
      ['gradient of inputs[0]', 'inputs[0]', 'detached'],
      ['gradient of inputs[0]', 'cotangent of output', 'ok'],
    ]);
    expect(report.message).toMatch(
      /'mul' reads a detached copy of its operand 'b' in the derivative rule of operand 'x' of 'mySquare'/,
    );
    const halved = squareWith((g, x) => mul(g, add(x, x.detach())));
    expect(gradcheck(halved, x).ok).toBe(true);
    expect(gradgradcheck(halved, x).pairs[0].verdict).toMatchObject({ kind: 'detached', text: /0\.5 times/ });
    const lost = squareWith((g, x) => mul(g, float64(mul(2, x).toArray() as number[])));
    expect(gradgradcheck(lost, x).pairs[0].verdict.kind).toBe('missing');
  });

  test('in fast mode, also where the Jacobian is too large to look at', () => {
    const options = { mode: 'fast', detailLimit: 0 } as const;
    const x = generic(20, 30);
    const verdictOf = (rule: Rule) => gradcheck(squareWith(rule), x, options).pairs[0];
    expect(verdictOf(right)).toMatchObject({ ok: true, verdict: { kind: 'ok' } });
    expect(verdictOf((g, x) => neg(right(g, x))).verdict.kind).toBe('sign');
    expect(verdictOf((g, x) => mul(g, x)).verdict).toMatchObject({ kind: 'factor', text: /0\.5 times/ });
    expect(verdictOf((g) => mul(g, 0)).verdict.kind).toBe('missing');
    const once = verdictOf((g, x) =>
      add(right(g, x), mul(g, tensor(new Float64Array(600).fill(1e-3, 77, 78), { shape: [20, 30] }))),
    );
    expect(once.verdict.kind).toBe('wrong');
    expect(once.worst[0]).toMatchObject({ output: [2, 17], input: [2, 17], error: expect.closeTo(1e-3, 9) });
  });
});

describe('what is hard to check is told from what is wrong', () => {
  const verdict = (fn: (x: Tensor) => Tensor, x: Tensor) => gradcheck(fn, x).pairs[0];

  test('a kink at the input: not wrong, not checked', () => {
    expect(verdict(relu, float64([1, 0, -1]))).toMatchObject({
      ok: false,
      verdict: { kind: 'kink', text: expect.stringMatching(/0 below it and 1 above. 0 lies between/) },
      worst: [{ input: [1], output: [1] }],
    });
  });

  test('a kink within the step: smaller steps decide', () => {
    const near = float64([5e-6, -3e-7, 1]);
    expect(verdict(relu, near)).toMatchObject({ ok: true, verdict: { kind: 'kink' } });
    const wrong = verdict((x) => add(relu(x), sub(x, x.detach())), near);
    expect(wrong.ok).toBe(false);
  });

  test('a jump', () => {
    expect(verdict((x) => add(floor(x), x), float64([0.5, 2]))).toMatchObject({
      ok: false,
      verdict: { kind: 'discontinuity', text: expect.stringMatching(/jumps by 1 /) },
      worst: [{ input: [1] }],
    });
    expect(verdict((x) => add(floor(x), x), float64([0.5, 2.000004])).ok).toBe(true);
    // A jump that a slope of 1 hides at all but the smallest steps: softplus changes to its asymptote at 20.
    expect(verdict((x) => softplus(x), float64([1, 20])).verdict).toMatchObject({
      kind: 'discontinuity',
      text: expect.stringMatching(/jumps by -2\.061e-9/),
    });
    // At a tie the value is neither that below nor that above.
    expect(verdict((x) => sign(x), float64([0])).verdict.text).toMatch(/jumps by 2 /);
    expect(verdict((x) => div(x, maximum(abs(x), 1e-12)), float64([0, 1])).verdict.kind).toBe(
      'discontinuity',
    );
  });

  test('curvature that the default step is too coarse for', () => {
    const sharp = (x: Tensor) => div(1, mul(mul(x, x), x));
    expect(verdict(sharp, float64([1e-3, 2e-4]))).toMatchObject({ ok: true, verdict: { kind: 'ok' } });
    expect(verdict((x) => mul(sharp(x), div(x, x.detach())), float64([1e-3])).ok).toBe(false);
  });

  test('a function computed in float32, right or wrong', () => {
    const coarse = (x: Tensor) => cast(mul(cast(x, 'float32'), cast(x, 'float32')), 'float64');
    expect(verdict(coarse, float64([1.3, -0.7]))).toMatchObject({
      ok: false,
      verdict: { kind: 'rounding', text: expect.stringMatching(/as if part of it computed in float32/) },
    });
    const wrong = squareWith((g, x) => mul(g, x));
    expect(
      verdict((x) => cast(wrong(cast(x, 'float32')), 'float64'), float64([1.3, -0.7])).verdict,
    ).toMatchObject({
      kind: 'factor',
      text: expect.stringMatching(/0\.5 times/),
    });
  });

  test('inputs too large for steps', () => {
    expect(verdict((x) => x.sin(), float64([1e15])).verdict).toMatchObject({ kind: 'rounding' });
    expect(verdict((x) => mul(x, 2), float64([1e15, 1e-300])).ok).toBe(true);
  });

  test('infinite values and derivatives', () => {
    expect(verdict((x) => x.sqrt(), float64([0, 1])).verdict.kind).toBe('nonFinite');
    expect(verdict((x) => x.log(), float64([-1])).verdict.kind).toBe('nonFinite');
    expect(verdict((x) => neg(x), float64([1, Number.POSITIVE_INFINITY])).verdict.kind).toBe('nonFinite');
  });

  test('a function that is not one', () => {
    expect(verdict((x) => mul(x, Math.random()), float64([1])).verdict.kind).toBe('nondeterministic');
  });
});
