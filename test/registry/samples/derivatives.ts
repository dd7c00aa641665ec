// Samples of the derivatives of activations, which are ops of a cotangent and of what the activation was given or gave.

import { apply, type Op, ShapeError, zeros } from '@adjoint/core';
import { clampGradOp, hardtanhGradOp } from '../../../packages/core/src/ops/bounds.ts';
import { tanhGradOp } from '../../../packages/core/src/ops/hyperbolic.ts';
import {
  celuGradOp,
  eluGradOp,
  hardsigmoidGradOp,
  hardswishGradOp,
  leakyReluGradOp,
  reluGradOp,
} from '../../../packages/core/src/ops/rectifiers.ts';
import {
  geluGradOp,
  geluTanhGradOp,
  logSigmoidGradOp,
  mishGradOp,
  sigmoidGradOp,
  siluGradOp,
  softplusGradOp,
} from '../../../packages/core/src/ops/sigmoids.ts';
import { away, between, type Domain, numbers, type OpSamples, real, type Sample } from '../sample.ts';

const wide = between(-4, 4);

interface More<Attrs> {
  readonly attrs: Attrs;
  /** The derivative by a formula of its own, where it is made of straight lines. */
  readonly slope?: (x: number) => number;
  readonly others?: readonly { readonly name: string; readonly domain: Domain; readonly attrs: Attrs }[];
}

/** Samples of the derivative of a function, `domain` being where that has its operand or its result. */
function derivative<Attrs>(
  op: Op<Attrs>,
  domain: Domain,
  { attrs, slope, others = [] }: More<Attrs>,
): OpSamples {
  const sampleOf = (name: string, shape: number[], from: Domain, own: Attrs): Sample => ({
    name,
    operands: [numbers(shape, real), numbers(shape, from)],
    call: (g, a) => apply(op, [g, a], own),
    ...(slope === undefined ? {} : { expected: (g, a) => g.map((value, i) => value * slope(a[i])) }),
  });
  return {
    op,
    samples: [
      ...[[2, 3], [], [0, 3]].map((shape) => sampleOf('', shape, domain, attrs)),
      ...others.map((other) => sampleOf(other.name, [6], other.domain, other.attrs)),
    ],
    refusals: [
      {
        name: 'a cotangent of another shape',
        call: () => apply(op, [zeros([2]), zeros([3])], attrs),
        error: ShapeError,
        names: { operand: 'g' },
      },
    ],
  };
}

const plain = { attrs: undefined };
const bounds = { lower: -1.25, upper: 1.5 };
const inside = (x: number): number => (x > -1.25 && x < 1.5 ? 1 : 0);

export const derivativeSamples: readonly OpSamples[] = [
  derivative(sigmoidGradOp, between(0.05, 0.95), plain),
  derivative(logSigmoidGradOp, wide, plain),
  derivative(softplusGradOp, wide, {
    attrs: { beta: 1, threshold: 20 },
    others: [
      {
        name: 'beyond the threshold',
        domain: away(between(0, 3), 1.5),
        attrs: { beta: 2, threshold: 3 },
      },
    ],
  }),
  derivative(tanhGradOp, between(-0.95, 0.95), plain),
  derivative(siluGradOp, wide, plain),
  derivative(mishGradOp, wide, plain),
  derivative(geluGradOp, wide, plain),
  derivative(geluTanhGradOp, wide, plain),

  derivative(reluGradOp, away(real, 0), { attrs: undefined, slope: (y) => (y > 0 ? 1 : 0) }),
  derivative(leakyReluGradOp, away(real, 0), {
    attrs: { slope: 0.25 },
    slope: (x) => (x > 0 ? 1 : 0.25),
  }),
  derivative(eluGradOp, away(real, 0), { attrs: { alpha: 1.5, scale: 0.75 } }),
  derivative(celuGradOp, away(real, 0), { attrs: { alpha: 1.5 } }),
  derivative(hardsigmoidGradOp, away(wide, -3, 3), {
    attrs: undefined,
    slope: (x) => (Math.abs(x) < 3 ? 1 / 6 : 0),
  }),
  derivative(hardswishGradOp, away(wide, -3, 3), {
    attrs: undefined,
    slope: (x) => (Math.abs(x) < 3 ? x / 3 + 0.5 : x > 0 ? 1 : 0),
  }),
  derivative(clampGradOp, away(real, -1.25, 1.5), { attrs: bounds, slope: inside }),
  derivative(hardtanhGradOp, away(real, -1.25, 1.5), { attrs: bounds, slope: inside }),
];
