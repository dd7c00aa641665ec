// Derivatives of activations: ops like any other, whose bits do not depend on who looks on, and which are right and finite far out.

import { readFileSync } from 'node:fs';
import {
  assertGradgradcheck,
  backward,
  cast,
  celu,
  checkpoint,
  clamp,
  contiguous,
  type DType,
  detectAnomaly,
  elu,
  gelu,
  grad,
  hardsigmoid,
  hardswish,
  hardtanh,
  jvp,
  leakyRelu,
  logSigmoid,
  mish,
  noGrad,
  ones,
  onesLike,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softplus,
  sum,
  type Tensor,
  tanh,
  tensor,
  vjp,
} from '@adjoint/core';
import { trace } from '@adjoint/core/graph';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { observe } from '../../packages/core/src/tape/observer.ts';
import { layoutOf } from './layouts.ts';

type Unary = (x: Tensor) => Tensor;

const smooth: Readonly<Record<string, Unary>> = {
  sigmoid,
  tanh,
  logSigmoid,
  softplus: (x) => softplus(x),
  softplusSharp: (x) => softplus(x, { beta: 3, threshold: 6 }),
  softplusFlipped: (x) => softplus(x, { beta: -0.5 }),
  silu,
  mish,
  gelu: (x) => gelu(x),
  geluTanh: (x) => gelu(x, { approximate: 'tanh' }),
  elu: (x) => elu(x, { alpha: 1.5 }),
  celu: (x) => celu(x, { alpha: 1.5 }),
  selu,
  hardswish,
};
const straight: Readonly<Record<string, Unary>> = {
  relu,
  relu6,
  leakyRelu: (x) => leakyRelu(x, { negativeSlope: 0.3 }),
  hardtanh: (x) => hardtanh(x, { minVal: -0.5, maxVal: 1.5 }),
  clamp: (x) => clamp(x, { min: -0.5, max: 1.5 }),
  hardsigmoid,
};
const all = Object.entries({ ...smooth, ...straight });

const values = (x: Tensor): number[] => [...x.toTypedArray()];

/** Numbers on both sides of every kink, kinks, and far ones. */
const anywhere = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: -8, max: 8, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 3, -3, -0.5, 1.5, 6, 20, Infinity, -Infinity, Number.NaN) },
  { weight: 1, arbitrary: fc.double({ min: -1e30, max: 1e30 }) },
);

/** Operand and cotangent, of one shape, in layouts of their own. */
const pair = fc
  .oneof(
    fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
    // Long enough that vectors of every width, and threads, have a share.
    fc.integer({ min: 30, max: 700 }).map((length) => [length]),
  )
  .chain((shape) =>
    fc.tuple(layoutOf(shape, anywhere), layoutOf(shape, fc.double({ min: -3, max: 3, noNaN: true }))),
  );

/** The gradient, however one may come by it. */
function ways(f: Unary): Readonly<Record<string, (x: Tensor, g: Tensor) => Tensor>> {
  const gradient = (x: Tensor, g: Tensor): Tensor => vjp(f, x, g)[1];
  return {
    'for keeps': (x, g) => {
      const leaf = x.detach().requiresGrad_();
      backward(f(leaf), { gradOutput: g });
      return leaf.grad!;
    },
    'to be differentiated': (x, g) => {
      const leaf = x.detach().requiresGrad_();
      return grad(f(leaf), leaf, { gradOutput: g.detach().requiresGrad_(), createGraph: true }).detach();
    },
    'with an observer': (x, g) => observe({}, () => gradient(x, g)),
    // Where a NaN is no anomaly there is nothing to watch for.
    'watched for anomalies': (x, g) =>
      [x, f(x), gradient(x, g)].every((t) => values(t).every(Number.isFinite))
        ? detectAnomaly(() => gradient(x, g))
        : gradient(x, g),
    'after a checkpoint': (x, g) => vjp(checkpoint(f), x, g)[1],
    'in forward mode': (x, g) => jvp((t: Tensor) => gradient(t, g), x, onesLike(x))[0],
    'in a graph': (x, g) => noGrad(() => trace((t: Tensor, c: Tensor) => vjp(f, t, c)[1], x, g).run(x, g)),
    'by forward mode': (x, g) => jvp(f, x, g)[1],
  };
}

describe.each(all)('%s', (_, f) => {
  test('the bits of a gradient do not depend on who watches', () => {
    const dtypes = fc.constantFrom<DType>('float32', 'float64', 'float16', 'bfloat16');
    fc.assert(
      fc.property(pair, dtypes, ([x, g], dtype) => {
        const [point, cotangent] = [cast(x, dtype), cast(g, dtype)];
        const plain = values(vjp(f, point, cotangent)[1]);
        for (const [way, gradient] of Object.entries(ways(f)))
          expect(values(gradient(point, cotangent)), way).toEqual(plain);
      }),
      { numRuns: 30 },
    );
  });

  test('a gradient is linear in its cotangent, and its derivative there is itself', () => {
    fc.assert(
      fc.property(pair, ([x, g]) => {
        const [point, cotangent] = [cast(x, 'float64'), cast(g, 'float64').requiresGrad_()];
        const leaf = contiguous(point).requiresGrad_();
        const slope = grad(f(leaf), leaf, { gradOutput: cotangent, createGraph: true });
        const back = grad(slope, cotangent, { gradOutput: g.to('float64') });
        expect(values(back)).toEqual(values(slope));
      }),
      { numRuns: 30 },
    );
  });
});

describe.each(Object.entries(smooth))('%s', (_, f) => {
  test.each([
    ['float32', 3.4e38, 3],
    ['float64', 1.7e308, 3],
    ['float16', 65504, 2],
    ['bfloat16', 3.3e38, 2],
  ] as const)('derivatives of %s are finite wherever the operand is', (dtype, limit, orders) => {
    const part = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(part, fc.integer({ min: -400, max: 0 }), (m, exponent) => {
        const x = tensor([m * limit, m * limit * 10 ** exponent, m * 800, m * 20], { dtype }).requiresGrad_();
        let y = f(x);
        for (let order = 1; order <= orders && y.requiresGrad; order++) {
          y = grad(sum(y), x, { createGraph: true, unused: 'zeros' });
          const found = values(y);
          expect(found.every(Number.isFinite), `order ${order} at ${values(x)}: ${found}`).toBe(true);
        }
      }),
    );
  });

  test('second derivatives agree with differences', () => {
    const kinks = [0, 2, 3, -3];
    const point = fc
      .double({ min: -5, max: 5, noNaN: true })
      .filter((x) => kinks.every((kink) => Math.abs(x - kink) > 0.01));
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 4 }), (xs) => {
        assertGradgradcheck(f, [tensor(xs, { dtype: 'float64' })]);
      }),
      { numRuns: 10 },
    );
  });
});

describe('far out', () => {
  interface Values {
    readonly arguments: readonly number[];
    readonly second: readonly number[];
    readonly third: readonly number[];
  }
  const table = JSON.parse(readFileSync(new URL('./activations.json', import.meta.url), 'utf8')) as Readonly<
    Record<string, Values>
  >;

  test.each(Object.entries(table))(
    '%s: second and third derivatives have their digits in both tails',
    (name, given) => {
      const x = tensor([...given.arguments], { dtype: 'float64', requiresGrad: true });
      const first = grad(sum(smooth[name](x)), x, { createGraph: true });
      const second = grad(sum(first), x, { createGraph: true });
      const third = grad(sum(second), x);
      given.arguments.forEach((at, i) => {
        for (const [order, got] of [
          ['second', second],
          ['third', third],
        ] as const) {
          const [actual, wanted] = [values(got)[i], given[order][i]];
          // Where terms cancel near a root, digits are those of the terms, which are of the size of 1 there.
          const slack = 1e-12 * Math.abs(wanted) + (Math.abs(at) < 5 ? 1e-14 : 0);
          expect(
            Math.abs(actual - wanted),
            `${order} at ${at}: ${actual}, not ${wanted}`,
          ).toBeLessThanOrEqual(slack);
        }
      });
    },
  );
});

describe('a recorded backward pass', () => {
  test.each(all)('of %s is one op, whose attributes are plain data', (_, f) => {
    const graph = trace((x: Tensor) => vjp(f, x, ones([3]))[1], { shape: [3] });
    const ops = graph.nodes.filter(({ label }) => label.endsWith('Grad'));
    expect(ops).toHaveLength(1);
    expect(String(graph)).not.toContain('function');
  });
});
