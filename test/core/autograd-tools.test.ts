// Checkpointing, anomaly detection and explain: recomputation changes no number, and what goes wrong is named with its place.

import {
  AnomalyError,
  add,
  apply,
  argmax,
  backward,
  bernoulli,
  cast,
  checkpoint,
  copy_,
  defineOp,
  detectAnomaly,
  div,
  enableGrad,
  exp,
  explain,
  Generator,
  grad,
  log,
  MutationError,
  manualSeed,
  maskedFill,
  matmul,
  mul,
  noGrad,
  noGradient,
  rand,
  relu,
  sigmoid,
  sqrt,
  sub,
  sum,
  type Tensor,
  tensor,
} from '@adjoint/core';
import { assertGradcheck, assertGradgradcheck, assertJvpcheck } from '@adjoint/core/check';
import { describe, expect, test } from 'vitest';

const float64 = (data: Parameters<typeof tensor>[0]) => tensor(data, { dtype: 'float64' });
const variable = (data: Parameters<typeof tensor>[0]) =>
  tensor(data, { dtype: 'float64', requiresGrad: true });

const errorOf = <E extends Error>(fn: () => unknown, type: new (...args: never[]) => E): E => {
  try {
    fn();
  } catch (error) {
    if (error instanceof type) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('checkpoint', () => {
  const w = variable([
    [0.5, -1],
    [2, 0.3],
  ]);
  const block = (x: Tensor) => sigmoid(matmul(w, mul(exp(x), x)));

  test('gives the same values and derivatives of first, second and third order', () => {
    const x = float64([0.2, -0.7]);
    const plain = (x: Tensor) => sum(mul(block(x), block(x)));
    const saved = checkpoint(block);
    const thrifty = (x: Tensor) => sum(mul(saved(x), saved(x)));
    const derivatives = (fn: (x: Tensor) => Tensor) => {
      const at = x.detach().requiresGrad_();
      let y = fn(at);
      return [1, 2, 3].map(() => {
        const [byX, byW] = grad(y, [at, w], { createGraph: true });
        y = add(sum(byX), sum(byW));
        return [...byX.toTypedArray(), ...byW.toTypedArray()];
      });
    };
    expect(thrifty(x).item()).toBe(plain(x).item());
    const [first, ...higher] = derivatives(thrifty);
    const [sameFirst, ...sameHigher] = derivatives(plain);
    expect(first).toEqual(sameFirst);
    // Beyond the first order, what is added up is the same, but in another order.
    higher.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(sameHigher.flat()[i], 13);
    });
    assertGradcheck(thrifty, x);
    assertGradgradcheck(thrifty, x);
    assertJvpcheck(thrifty, x);
  });

  test('keeps nothing, runs the function once more per backward, and not at all under noGrad', () => {
    let runs = 0;
    const nodes: Tensor[] = [];
    const fn = checkpoint((x) => {
      runs++;
      const y = exp(mul(x, x));
      nodes.push(y);
      return mul(y, y);
    });
    const x = variable([1, 2]);
    const y = sum(fn(x));
    expect([runs, nodes[0].node!.savedTensors, nodes[0].node!.parents[0]!.savedTensors]).toEqual([1, [], []]);
    backward(y, { retainGraph: true });
    expect(runs).toBe(2);
    backward(y);
    expect(runs).toBe(2);
    expect(() => backward(y)).toThrow(/freed/);
    noGrad(() => fn(x));
    expect(runs).toBe(3);
  });

  test('nests, and has several inputs and outputs', () => {
    const inner = checkpoint((x) => exp(mul(x, x)));
    const outer = checkpoint((x: Tensor, y: Tensor) => [mul(inner(x), y), sum(inner(y))]);
    const at = [float64([0.3, 0.1]), float64([-0.4, 1])];
    assertGradcheck(outer, at);
    assertGradgradcheck(outer, at);
  });

  test('draws the same random numbers again, and leaves the generators where they were', () => {
    const noisy = (x: Tensor) => mul(mul(x, x), rand([3], { dtype: 'float64' }));
    const run = (fn: (x: Tensor) => Tensor) => {
      manualSeed(5);
      const x = variable([1, 2, 3]);
      const y = sum(mul(fn(x), rand([3], { dtype: 'float64' })));
      rand([7]);
      backward(y);
      return [x.grad!.toArray(), rand([1]).item()];
    };
    expect(run(checkpoint(noisy))).toEqual(run(noisy));
    const generator = new Generator(1);
    const own = checkpoint((x) => mul(mul(x, x), bernoulli(x.detach(), { generator })), {
      generators: [generator],
    });
    const x = variable([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
    const y = own(x);
    const kept = y.toTypedArray().map((value) => (value > 0 ? 1 : 0));
    expect(grad(sum(y), x).toTypedArray()).toEqual(kept);
  });

  test('a captured tensor that was changed in between is found, even where no rule reads it', () => {
    const bias = variable([0.5, -3]);
    const x = variable([1, 2]);
    const y = sum(checkpoint((x) => relu(add(x, bias)))(x));
    noGrad(() => copy_(bias, float64([-5, 5])));
    const error = errorOf(() => backward(y), MutationError);
    expect(error.message).toMatch(/'add' inside the checkpointed function.*'copy_' has since changed it/);
    expect(x.grad).toBeNull();
  });

  test('statistics may be updated under noGrad; a function that changes its mind is found', () => {
    const mean = float64([0]);
    const x = variable([1, 2]);
    const y = checkpoint((x) => {
      noGrad(() => copy_(mean, add(mul(mean, 0.9), sum(x.detach()))));
      return mul(x, x);
    })(x);
    expect(grad(sum(y), x).toArray()).toEqual([2, 4]);
    let runs = 0;
    const fickle = checkpoint((x) => (runs++ === 0 ? exp(x) : mul(x, x)));
    const z = sum(fickle(x));
    expect(() => grad(z, x)).toThrow(
      /step 0 of the checkpointed function was 'exp' in the first run and 'mul' in the second/,
    );
    expect(() => checkpoint((async () => x) as unknown as (x: Tensor) => Tensor)(x)).toThrow(
      /result is a Promise; give a tensor/,
    );
  });
});

describe('detectAnomaly', () => {
  const lineOf = (frame: string | null) => Number(/:(\d+):\d+/.exec(frame ?? '')![1]);
  const here = /autograd-tools\.test\.ts:\d+:\d+/;

  test('names the first op, the place in its result, its operands and the line', () => {
    const x = variable([1, -4, 0]);
    const error = errorOf(() => detectAnomaly(() => backward(sum(mul(log(sub(x, 1e-3)), 2)))), AnomalyError);
    expect(error).toMatchObject({
      op: 'log',
      phase: 'forward',
      culprit: 'log',
      value: Number.NaN,
      index: [1],
      operands: [
        { name: "'x'", shape: [3], dtype: 'float64', min: -4.001, max: 0.999, nans: 0, infinities: 0 },
      ],
      callSite: expect.stringMatching(here),
    });
    expect(error.message).toMatch(
      /log: its result of shape \(3,\) holds NaN at \[1\].*from -4\.001 to 0\.999.*Called from/,
    );
  });

  test('in backward names the op whose rule it is, and the line that ran the op', () => {
    const x = variable([4, 0]);
    let marker = '';
    const pass = () =>
      detectAnomaly(() => {
        marker = new Error('the next line').stack!;
        const y = sqrt(x);
        backward(sum(y));
      });
    const error = errorOf(pass, AnomalyError);
    expect(error).toMatchObject({
      op: 'sqrt',
      phase: 'backward',
      index: [1],
      callSite: expect.stringMatching(here),
    });
    expect(error.message).toMatch(
      /the derivative rule of operand 'x' of 'sqrt' computed Infinity at \[1\], in '\w+'/,
    );
    expect(lineOf(error.callSite)).toBe(lineOf(marker.split('\n')[1]) + 1);
    expect(x.grad).toBeNull();
  });

  test('in double backward names the rule within the rule', () => {
    // −1/y² is finite, and 2/y³ is not.
    const y = variable([1e-110, 1]);
    const error = errorOf(
      () =>
        detectAnomaly(() => {
          const first = grad(sum(div(1, y)), y, { createGraph: true });
          return grad(sum(first), y);
        }),
      AnomalyError,
    );
    expect(error.message).toMatch(
      /the derivative rule of operand '\w+' of '\w+' computed .*\(an op of the derivative rule of operand 'b' of 'div'\)/,
    );
    expect(error.callSite).toMatch(here);
  });

  test('sums of cotangents count as backward', () => {
    const x = tensor([0], { dtype: 'float16', requiresGrad: true });
    const big = tensor([60000], { dtype: 'float16' });
    const error = errorOf(
      () => detectAnomaly(() => backward(sum(sub(mul(x, big), mul(x, big.neg()))))),
      AnomalyError,
    );
    expect(error).toMatchObject({
      phase: 'backward',
      op: 'mul',
      culprit: 'add',
      value: Number.POSITIVE_INFINITY,
    });
  });

  test('says when the NaN came in from outside; lets finite programs and wanted infinities be', () => {
    const x = float64([1, Number.NaN]);
    const error = errorOf(() => detectAnomaly(() => mul(x, 2)), AnomalyError);
    expect(error.message).toMatch(
      /operand 'a' \(2,\) float64: from 1 to 1, and 1 NaN, which came in from outside/,
    );
    const mask = tensor([true, false]);
    const masked = () => maskedFill(float64([1, 2]), mask, Number.NEGATIVE_INFINITY);
    expect(() => detectAnomaly(masked)).toThrow(AnomalyError);
    expect(detectAnomaly(masked, { infinity: 'allow' }).toArray()).toEqual([Number.NEGATIVE_INFINITY, 2]);
    expect(() => detectAnomaly(() => log(float64([-1])), { infinity: 'allow' })).toThrow(AnomalyError);
    expect(detectAnomaly(() => 7)).toBe(7);
    expect(() => detectAnomaly(async () => 7)).toThrow(/returned a promise/);
    expect(() => detectAnomaly(() => 7, { infinity: 'no' as 'allow' })).toThrow(/infinity is "no"/);
    expect(log(float64([-1])).item()).toBeNaN();
  });
});

describe('explain', () => {
  const w = variable([1.5, -2.5]);
  const b = variable([0.5, 0.5]);

  test('says that all is well', () => {
    const report = explain(() => sum(mul(w, b)), { w, b });
    expect(report).toMatchObject({ ok: true, message: 'a gradient reaches all 2 parameters.' });
  });

  test.each([
    ['integer', 'cast', () => sum(add(cast(cast(mul(w, 2), 'int32'), 'float64'), b)), /'cast' gives int32/],
    ['integer', 'argmax', () => sum(mul(b, argmax(w))), /'argmax' gives int32/],
    [
      'noGrad',
      'exp',
      () =>
        sum(
          mul(
            noGrad(() => exp(w)),
            b,
          ),
        ),
      /'exp' runs under noGrad/,
    ],
    ['detach', 'mul', () => sum(mul(exp(w).detach(), b)), /'mul' reads a detached copy as its operand 'a'/],
    ['detach', 'mul', () => sum(mul(w.detach(), b)), /'mul' reads a detached copy/],
  ] as const)('finds a way that is cut by %s in %s', (kind, op, loss, says) => {
    const report = explain(loss, { w, b });
    expect(report.ok).toBe(false);
    expect(report.parameters).toMatchObject([
      { name: 'w', reached: false, text: expect.stringMatching(says), obstacles: [{ kind, op }] },
      { name: 'b', reached: true, obstacles: [] },
    ]);
    expect(report.parameters[0].obstacles[0].callSite).toMatch(/autograd-tools\.test\.ts:\d+/);
    expect(report.message).toMatch(/^1 of 2 parameters are in trouble:\n {2}w \(2,\): /);
  });

  test('finds an op without a rule, where backward throws', () => {
    const floorless = defineOp({
      name: 'myFloor',
      operands: ['x'],
      infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
      forward: ([x], out) => {
        for (let i = 0; i < out.length; i++) out[i] = Math.floor(x.data[i]);
      },
      vjps: [noGradient('it is flat almost everywhere; use a soft step')],
      forwardMode: noGradient('it is flat almost everywhere; use a soft step'),
    });
    const loss = () => sum(mul(apply(floorless, [mul(w, 2)], undefined), b));
    const says =
      /'myFloor' has no gradient for its operand 'x': it is flat almost everywhere; use a soft step/;
    for (const form of [loss, loss()]) {
      const report = explain(form, { w, b });
      expect(report).toMatchObject({
        ok: false,
        parameters: [
          {
            reached: false,
            text: expect.stringMatching(says),
            obstacles: [{ kind: 'noRule', op: 'myFloor' }],
          },
          { reached: true, obstacles: [] },
        ],
      });
    }
    expect(() => grad(loss(), w)).toThrow(/myFloor: operand 'x' has no gradient: it is flat/);
    // Beside another way the parameter is reached, and yet backward throws: not ok.
    const beside = explain(() => add(sum(w), loss()), { w });
    expect(beside).toMatchObject({ ok: false, parameters: [{ reached: true }] });
  });

  test('tells unused parameters from those that require no gradient', () => {
    const frozen = float64([1, 2]);
    const { parameters } = explain(() => sum(mul(b, frozen)), [w, b, frozen]);
    expect(parameters.map(({ name, reached, text }) => [name, reached, text.split(/[;.]/)[0]])).toEqual([
      ['parameters[0]', false, 'The loss is computed without it'],
      ['parameters[1]', true, 'A gradient reaches it'],
      ['parameters[2]', false, 'It does not require a gradient'],
    ]);
  });

  test('mentions a cut beside a way that is open, and a loss that is detached itself', () => {
    const beside = explain(() => sum(add(w, w.detach())), { w });
    expect(beside).toMatchObject({
      ok: true,
      parameters: [{ reached: true, obstacles: [{ kind: 'detach' }] }],
    });
    const lost = explain(() => sum(w).detach(), { w });
    expect(lost.parameters).toMatchObject([
      { reached: false, obstacles: [{ kind: 'detach', operand: 'loss' }] },
    ]);
  });

  test('of a loss that was computed before knows the graph alone', () => {
    const report = explain(
      enableGrad(() => sum(mul(w.detach(), b))),
      { w, b },
    );
    expect(report.parameters).toMatchObject([
      { reached: false, text: expect.stringMatching(/Give explain the function/), obstacles: [] },
      { reached: true },
    ]);
    expect(() => explain((() => 3) as unknown as () => Tensor, [w])).toThrow(/the loss is not a tensor/);
  });

  test('agrees with what backward does', () => {
    const losses: (() => Tensor)[] = [
      () => sum(mul(w, b)),
      () => sum(mul(w.detach(), b)),
      () => sum(b),
      () =>
        sum(
          add(
            noGrad(() => exp(w)),
            mul(b, w),
          ),
        ),
      () => sum(mul(cast(w, 'int32'), b)),
    ];
    for (const loss of losses) {
      const { parameters } = explain(loss, [w, b]);
      const reached = [w, b].map((p) => {
        const before = loss();
        try {
          grad(before, p);
          return true;
        } catch {
          return false;
        }
      });
      expect(parameters.map((p) => p.reached)).toEqual(reached);
    }
  });
});
