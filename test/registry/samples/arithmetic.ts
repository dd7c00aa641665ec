// Samples of arithmetic, powers and choices between values.

import {
  ArgumentError,
  abs,
  add,
  clamp,
  DTypeError,
  div,
  floorDivide,
  hardtanh,
  hypot,
  IntegerDivisionError,
  lerp,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  reciprocal,
  remainder,
  rsqrt,
  ShapeError,
  sqrt,
  square,
  sub,
  tensor,
  where,
  zeros,
} from '@adjoint/core';
import { addOp, divOp, mulOp, negOp, subOp } from '../../../packages/core/src/ops/arithmetic.ts';
import { clampOp, hardtanhOp } from '../../../packages/core/src/ops/bounds.ts';
import { floorDivideOp, remainderOp } from '../../../packages/core/src/ops/division.ts';
import { hypotOp } from '../../../packages/core/src/ops/hyperbolic.ts';
import { lerpOp } from '../../../packages/core/src/ops/lerp.ts';
import {
  powNumberOp,
  powOp,
  reciprocalOp,
  rsqrtOp,
  sqrtOp,
  squareOp,
} from '../../../packages/core/src/ops/powers.ts';
import { absOp, maximumOp, minimumOp, whereOp } from '../../../packages/core/src/ops/select.ts';
import {
  away,
  between,
  choices,
  numbers,
  type OpSamples,
  pointwise,
  type Refusal,
  real,
  type Sample,
} from '../sample.ts';

const bool = zeros([2], { dtype: 'bool' });
const whole = tensor([1, 2], { dtype: 'int32' });
const nought = tensor([1, 0], { dtype: 'int32' });

/** Bools, of which there is no arithmetic. */
const ofBool = (call: () => unknown): Refusal => ({ name: 'bool', call, error: DTypeError });

const powers: readonly Sample[] = [3, 2, 1, 0, 0.5, -0.5, -1, -2.5].map((exponent) => ({
  name: `to the power ${exponent}`,
  operands: [numbers([2, 3], between(0.3, 2))],
  call: (x) => pow(x, exponent),
}));

export const arithmeticSamples: readonly OpSamples[] = [
  pointwise(addOp, add, [real, real]),
  pointwise(subOp, sub, [real, real], { refusals: [ofBool(() => sub(bool, bool))] }),
  pointwise(mulOp, mul, [real, real]),
  pointwise(divOp, div, [real, between(0.5, 2)]),
  pointwise(negOp, neg, [real], { refusals: [ofBool(() => neg(bool))] }),
  pointwise(floorDivideOp, floorDivide, [between(5, 5.8), between(1.5, 1.6)], {
    refusals: [
      ofBool(() => floorDivide(bool, bool)),
      { name: 'integers by 0', call: () => floorDivide(whole, nought), error: IntegerDivisionError },
    ],
  }),
  pointwise(remainderOp, remainder, [between(5, 5.8), between(1.5, 1.6)], {
    samples: [
      {
        name: 'of both signs',
        operands: [numbers([4], between(-5.8, -5)), numbers([4], between(1.5, 1.6))],
        call: remainder,
      },
    ],
    refusals: [
      ofBool(() => remainder(bool, bool)),
      { name: 'integers by 0', call: () => remainder(whole, nought), error: IntegerDivisionError },
    ],
  }),
  pointwise(hypotOp, hypot, [real, between(0.5, 2)]),
  pointwise(lerpOp, lerp, [real, real, between(-0.5, 1.5)]),
  pointwise(sqrtOp, sqrt, [between(0.3, 3)]),
  pointwise(rsqrtOp, rsqrt, [between(0.3, 3)]),
  pointwise(reciprocalOp, reciprocal, [between(0.3, 3)]),
  pointwise(squareOp, square, [real], { refusals: [ofBool(() => square(bool))] }),
  pointwise(powNumberOp, (x) => pow(x, 3), [real], {
    samples: powers,
    refusals: [
      { ...ofBool(() => pow(bool, 2)), op: 'pow' },
      {
        name: 'integers to a negative number',
        call: () => pow(whole, -1),
        error: ArgumentError,
        op: 'pow',
        names: { option: 'exponent' },
      },
    ],
  }),
  pointwise(powOp, pow, [between(0.3, 2), between(-2, 3)], {
    refusals: [ofBool(() => pow(bool, bool))],
    samples: [
      {
        name: 'negative bases to whole powers, in the base',
        operands: [numbers([2, 3], between(-2, -0.5))],
        call: (x) => pow(x, tensor([[2], [3]], { dtype: 'float64' })),
      },
    ],
  }),
  pointwise(absOp, abs, [away(real, 0)], { refusals: [ofBool(() => abs(bool))] }),
  pointwise(maximumOp, maximum, [between(-2, 0), between(0.1, 2)], {
    samples: [
      {
        name: 'both ways',
        operands: [numbers([2, 3], away(real, 0))],
        call: (x) => maximum(x, neg(x)),
      },
    ],
  }),
  pointwise(minimumOp, minimum, [between(-2, 0), between(0.1, 2)], {
    samples: [
      {
        name: 'both ways',
        operands: [numbers([2, 3], away(real, 0))],
        call: (x) => minimum(x, neg(x)),
      },
    ],
  }),
  {
    op: whereOp,
    samples: [[2, 3], [], [0, 3]].map((shape) => ({
      name: '',
      operands: [choices(shape), numbers(shape), numbers(shape)],
      call: where,
    })),
    refusals: [
      {
        name: 'a condition of numbers',
        call: () => where(zeros([2]), zeros([2]), zeros([2])),
        error: DTypeError,
        names: { operand: 'condition' },
      },
      {
        name: 'a condition that does not broadcast',
        call: () => where(zeros([3], { dtype: 'bool' }), zeros([2]), zeros([2])),
        error: ShapeError,
      },
    ],
  },
  pointwise(clampOp, (x) => clamp(x, { min: -1, max: 1 }), [away(real, -1, 1)], {
    samples: [
      {
        name: 'at fractions',
        operands: [numbers([5], away(real, -0.5, 0.25))],
        call: (x) => clamp(x, { min: -0.5, max: 0.25 }),
      },
      { name: 'from below', operands: [numbers([5], away(real, 0))], call: (x) => clamp(x, { min: 0 }) },
      { name: 'from above', operands: [numbers([5], away(real, 0))], call: (x) => clamp(x, { max: 0 }) },
    ],
    refusals: [
      ofBool(() => clamp(bool, { min: 0 })),
      { name: 'no bound', call: () => clamp(zeros([2]), {}), error: ArgumentError, names: { option: 'min' } },
    ],
  }),
  pointwise(hardtanhOp, (x) => hardtanh(x), [away(real, -1, 1)], {
    samples: [
      {
        name: 'other bounds',
        operands: [numbers([5], away(real, 0, 1.5))],
        call: (x) => hardtanh(x, { minVal: 0, maxVal: 1.5 }),
      },
    ],
    refusals: [
      ofBool(() => hardtanh(bool)),
      {
        name: 'bounds the wrong way round',
        call: () => hardtanh(zeros([2]), { minVal: 2, maxVal: 1 }),
        error: ArgumentError,
        names: { option: 'minVal' },
      },
    ],
  }),
];
