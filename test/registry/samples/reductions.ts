// Samples of reductions, scans and softmax.

import {
  ArgumentError,
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  cumprod,
  cumsum,
  DTypeError,
  logSoftmax,
  logsumexp,
  median,
  norm,
  prod,
  softmax,
  sum,
  type Tensor,
  variance,
  zeros,
} from '@adjoint/core';
import { sumOp } from '../../../packages/core/src/ops/expand-sum.ts';
import { amaxOp, aminOp, argmaxOp, argminOp } from '../../../packages/core/src/ops/extremes.ts';
import { medianOp } from '../../../packages/core/src/ops/median.ts';
import { allOp, anyOp } from '../../../packages/core/src/ops/quantifiers.ts';
import { cumprodOp, cumsumOp, prodOp, recurrenceOp } from '../../../packages/core/src/ops/scan.ts';
import { logSoftmaxOp, logsumexpOp, softmaxOp } from '../../../packages/core/src/ops/softmax.ts';
import { sumOfSquaresOp, varOp } from '../../../packages/core/src/ops/statistics.ts';
import { apply } from '../../../packages/core/src/tape/apply.ts';
import {
  away,
  type Domain,
  distinct,
  numbers,
  type OpSamples,
  type Refusal,
  real,
  type Sample,
} from '../sample.ts';

interface Options {
  readonly axes?: number | readonly number[];
  readonly keepdim?: boolean;
}

/** A reduction over all axes, over some, over none that has elements, of one number. */
function over(call: (x: Tensor, options: Options) => Tensor, domain: Domain = real): Sample[] {
  return [
    { name: 'over all', operands: [numbers([2, 3], domain)], call: (x) => call(x, {}) },
    {
      name: 'over two axes of three',
      operands: [numbers([2, 3, 2], domain)],
      call: (x) => call(x, { axes: [0, -1] }),
    },
    {
      name: 'over one axis, kept',
      operands: [numbers([2, 3], domain)],
      call: (x) => call(x, { axes: 1, keepdim: true }),
    },
    { name: 'of a number', operands: [numbers([], domain)], call: (x) => call(x, {}) },
    { name: 'beside an empty axis', operands: [numbers([0, 3])], call: (x) => call(x, { axes: 1 }) },
  ];
}

/** A reduction of nothing, which is defined but for extremes. */
const ofNothing = (call: (x: Tensor, options: Options) => Tensor): Sample => ({
  name: 'over an empty axis',
  operands: [numbers([2, 0])],
  call: (x) => call(x, { axes: 1 }),
});

/** An op along one axis. */
function along(
  call: (x: Tensor, options: { readonly axis: number }) => Tensor,
  domain: Domain = real,
): Sample[] {
  return [
    { name: 'along the last axis', operands: [numbers([2, 4], domain)], call: (x) => call(x, { axis: -1 }) },
    { name: 'along the first axis', operands: [numbers([3, 2], domain)], call: (x) => call(x, { axis: 0 }) },
    { name: 'of a number', operands: [numbers([], domain)], call: (x) => call(x, { axis: 0 }) },
    { name: 'beside an empty axis', operands: [numbers([0, 3])], call: (x) => call(x, { axis: 1 }) },
  ];
}

function axisRefusals(call: (x: Tensor, axis: number) => unknown): Refusal[] {
  return [
    {
      name: 'an axis that is not there',
      call: () => call(zeros([2, 3]), 2),
      error: ArgumentError,
      names: { option: 'axis' },
    },
    {
      name: 'half an axis',
      call: () => call(zeros([2, 3]), 0.5),
      error: ArgumentError,
      names: { option: 'axis' },
    },
  ];
}

function axesRefusals(call: (x: Tensor, options: Options) => unknown): Refusal[] {
  return [
    ...axisRefusals((x, axis) => call(x, { axes: axis })),
    {
      name: 'an axis twice',
      call: () => call(zeros([2, 3]), { axes: [0, -2] }),
      error: ArgumentError,
      names: { option: 'axes' },
    },
  ];
}

const nothingToChoose = (call: (x: Tensor) => unknown): Refusal => ({
  name: 'nothing to choose from',
  call: () => call(zeros([2, 0])),
  error: ArgumentError,
  names: { option: 'axes' },
});

// Not 0, so that any and all have something to say.
const someZero: Domain = (random, size) =>
  Array.from({ length: size }, () => (random() < 0.4 ? 0 : random()));
const running = { axis: 1 };

export const reductionSamples: readonly OpSamples[] = [
  { op: sumOp, samples: [...over(sum), ofNothing(sum)], refusals: axesRefusals(sum) },
  { op: prodOp, samples: [...over(prod), ofNothing(prod)], refusals: axesRefusals(prod) },
  {
    op: amaxOp,
    samples: over(amax, distinct),
    refusals: [...axesRefusals(amax), nothingToChoose((x) => amax(x, { axes: 1 }))],
  },
  {
    op: aminOp,
    samples: over(amin, distinct),
    refusals: [...axesRefusals(amin), nothingToChoose((x) => amin(x, { axes: 1 }))],
  },
  {
    op: argmaxOp,
    samples: [
      ...along(argmax, distinct),
      { name: 'of all', operands: [numbers([2, 3], distinct)], call: (x) => argmax(x) },
    ],
    refusals: [
      ...axisRefusals((x, axis) => argmax(x, { axis })),
      nothingToChoose((x) => argmax(x, { axis: 1 })),
    ],
  },
  {
    op: argminOp,
    samples: [
      ...along(argmin, distinct),
      { name: 'of all', operands: [numbers([2, 3], distinct)], call: (x) => argmin(x) },
    ],
    refusals: [
      ...axisRefusals((x, axis) => argmin(x, { axis })),
      nothingToChoose((x) => argmin(x, { axis: 1 })),
    ],
  },
  {
    op: varOp,
    samples: [
      ...over((x, options) => variance(x, { ...options, correction: 0 })),
      {
        name: "with Bessel's correction",
        operands: [numbers([2, 3])],
        call: (x) => variance(x, { axes: 1 }),
      },
    ],
    refusals: axesRefusals(variance),
  },
  {
    op: sumOfSquaresOp,
    // What comes under the root of a norm, which is smooth away from 0.
    samples: over(norm, away(real, 0)),
    refusals: [],
  },
  {
    op: medianOp,
    samples: [
      { name: 'of an odd number', operands: [numbers([5], distinct)], call: (x) => median(x) },
      { name: 'of an even number', operands: [numbers([2, 3], distinct)], call: (x) => median(x) },
      { name: 'of a number', operands: [numbers([])], call: (x) => median(x) },
      { name: 'of nothing', operands: [numbers([0])], call: (x) => median(x), expected: () => [Number.NaN] },
    ],
    refusals: [
      {
        name: 'the median of no integers',
        call: () => median(zeros([0], { dtype: 'int32' })),
        error: ArgumentError,
        names: { option: 'axes' },
      },
    ],
  },
  { op: anyOp, samples: [...over(any, someZero), ofNothing(any)], refusals: axesRefusals(any) },
  { op: allOp, samples: [...over(all, someZero), ofNothing(all)], refusals: axesRefusals(all) },
  { op: cumsumOp, samples: along(cumsum), refusals: axisRefusals((x, axis) => cumsum(x, { axis })) },
  { op: cumprodOp, samples: along(cumprod), refusals: axisRefusals((x, axis) => cumprod(x, { axis })) },
  {
    op: recurrenceOp,
    samples: [
      {
        name: '',
        operands: [numbers([2, 3]), numbers([2, 3])],
        call: (a, b) => apply(recurrenceOp, [a, b], running),
        expected: (a, b) => {
          const y = [...b];
          for (const i of [1, 2, 4, 5]) y[i] += a[i] * y[i - 1];
          return y;
        },
      },
      {
        name: 'of nothing',
        operands: [numbers([2, 0]), numbers([2, 0])],
        call: (a, b) => apply(recurrenceOp, [a, b], running),
      },
    ],
    neverScalar: 'it runs along an axis',
    refusals: [
      {
        name: 'bools',
        call: () => apply(recurrenceOp, [zeros([1, 2]), zeros([1, 2], { dtype: 'bool' })], running),
        error: DTypeError,
      },
    ],
  },
  { op: softmaxOp, samples: along(softmax), refusals: axisRefusals((x, axis) => softmax(x, { axis })) },
  {
    op: logSoftmaxOp,
    samples: along(logSoftmax),
    refusals: axisRefusals((x, axis) => logSoftmax(x, { axis })),
  },
  {
    op: logsumexpOp,
    samples: over(logsumexp),
    refusals: axesRefusals(logsumexp),
  },
];
