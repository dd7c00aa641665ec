// Samples of functions of one number, of activations, and of atan2.

import {
  ArgumentError,
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  ceil,
  celu,
  cos,
  cosh,
  DTypeError,
  elu,
  erf,
  erfc,
  exp,
  exp2,
  expm1,
  floor,
  gelu,
  hardsigmoid,
  hardswish,
  leakyRelu,
  log,
  log1p,
  log2,
  log10,
  logSigmoid,
  mish,
  relu,
  round,
  sigmoid,
  sign,
  silu,
  sin,
  sinh,
  softplus,
  type Tensor,
  tan,
  tanh,
  trunc,
  zeros,
} from '@adjoint/core';
import {
  exp2Op,
  expm1Op,
  expOp,
  log1pOp,
  log2Op,
  log10Op,
  logOp,
} from '../../../packages/core/src/ops/exponential.ts';
import {
  acoshOp,
  asinhOp,
  atanhOp,
  coshOp,
  sinhOp,
  tanhOp,
} from '../../../packages/core/src/ops/hyperbolic.ts';
import {
  celuOp,
  eluOp,
  hardsigmoidOp,
  hardswishOp,
  leakyReluOp,
  reluOp,
} from '../../../packages/core/src/ops/rectifiers.ts';
import {
  erfcOp,
  erfOp,
  geluOp,
  geluTanhOp,
  logSigmoidOp,
  mishOp,
  sigmoidOp,
  siluOp,
  softplusOp,
} from '../../../packages/core/src/ops/sigmoids.ts';
import { ceilOp, floorOp, roundOp, signOp, truncOp } from '../../../packages/core/src/ops/steps.ts';
import {
  acosOp,
  asinOp,
  atan2Op,
  atanOp,
  cosOp,
  sinOp,
  tanOp,
} from '../../../packages/core/src/ops/trigonometry.ts';
import {
  away,
  between,
  betweenWhole,
  numbers,
  type OpSamples,
  pointwise,
  type Refusal,
  real,
} from '../sample.ts';

const noBool = (call: (x: Tensor) => Tensor): { readonly refusals: readonly Refusal[] } => ({
  refusals: [{ name: 'bool', call: () => call(zeros([2], { dtype: 'bool' })), error: DTypeError }],
});
const wide = between(-4, 4);
const inside = between(-0.9, 0.9);
const positive = between(0.2, 3);

export const functionSamples: readonly OpSamples[] = [
  pointwise(expOp, exp, [real]),
  pointwise(exp2Op, exp2, [real]),
  pointwise(expm1Op, expm1, [real]),
  pointwise(logOp, log, [positive]),
  pointwise(log2Op, log2, [positive]),
  pointwise(log10Op, log10, [positive]),
  pointwise(log1pOp, log1p, [between(-0.8, 3)]),

  pointwise(signOp, sign, [away(real, 0)], noBool(sign)),
  pointwise(floorOp, floor, [betweenWhole(-3, 3)], noBool(floor)),
  pointwise(ceilOp, ceil, [betweenWhole(-3, 3)], noBool(ceil)),
  pointwise(roundOp, round, [away(betweenWhole(-3, 3), -2.5, -1.5, -0.5, 0.5, 1.5, 2.5)], noBool(round)),
  pointwise(truncOp, trunc, [betweenWhole(-3, 3)], noBool(trunc)),

  pointwise(sinOp, sin, [wide]),
  pointwise(cosOp, cos, [wide]),
  pointwise(tanOp, tan, [between(-1.2, 1.2)]),
  pointwise(asinOp, asin, [inside]),
  pointwise(acosOp, acos, [inside]),
  pointwise(atanOp, atan, [wide]),
  pointwise(atan2Op, atan2, [real, between(0.5, 2)]),
  pointwise(sinhOp, sinh, [real]),
  pointwise(coshOp, cosh, [real]),
  pointwise(tanhOp, tanh, [real]),
  pointwise(asinhOp, asinh, [wide]),
  pointwise(acoshOp, acosh, [between(1.3, 4)]),
  pointwise(atanhOp, atanh, [inside]),

  pointwise(sigmoidOp, sigmoid, [wide]),
  pointwise(logSigmoidOp, logSigmoid, [wide]),
  pointwise(softplusOp, (x) => softplus(x), [wide], {
    samples: [
      {
        name: 'beyond its threshold',
        operands: [numbers([6], away(between(0, 3), 1.5))],
        call: (x) => softplus(x, { beta: 2, threshold: 3 }),
      },
    ],
    refusals: [
      {
        name: 'a beta of 0',
        call: () => softplus(zeros([2]), { beta: 0 }),
        error: ArgumentError,
        names: { option: 'beta' },
      },
    ],
  }),
  pointwise(siluOp, silu, [wide]),
  pointwise(mishOp, mish, [wide]),
  pointwise(erfOp, erf, [real]),
  pointwise(erfcOp, erfc, [real]),
  pointwise(geluOp, (x) => gelu(x), [wide], {
    refusals: [
      {
        name: 'an unknown approximation',
        // @ts-expect-error: the type does not allow it either
        call: () => gelu(zeros([2]), { approximate: 'sigmoid' }),
        error: ArgumentError,
        names: { option: 'approximate' },
      },
    ],
  }),
  pointwise(geluTanhOp, (x) => gelu(x, { approximate: 'tanh' }), [wide]),

  pointwise(reluOp, relu, [away(real, 0)], noBool(relu)),
  pointwise(leakyReluOp, (x) => leakyRelu(x, { negativeSlope: 0.25 }), [away(real, 0)]),
  pointwise(eluOp, (x) => elu(x, { alpha: 1.5 }), [away(real, 0)]),
  pointwise(celuOp, (x) => celu(x, { alpha: 1.5 }), [away(real, 0)]),
  pointwise(hardsigmoidOp, hardsigmoid, [away(wide, -3, 3)]),
  pointwise(hardswishOp, hardswish, [away(wide, -3, 3)]),
];
