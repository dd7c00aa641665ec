// Samples of the cross entropy of class numbers, and of its gradient.

import {
  ArgumentError,
  crossEntropy,
  DTypeError,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from '@adjoint/core';
import { crossEntropyGradOp, crossEntropyOp } from '../../../packages/core/src/ops/class-records.ts';
import { apply } from '../../../packages/core/src/tape/apply.ts';
import {
  between,
  integers,
  numbers,
  type OpSamples,
  positions,
  type Refusal,
  type Sample,
} from '../sample.ts';

const index = (...values: number[]): Tensor => tensor(values, { dtype: 'int32' });

/** Σ of log Σ e^x less the target's own logit, over the rows of a matrix that are not ignored, and how many those are. */
function losses(
  x: readonly number[],
  targets: readonly number[],
  classes: number,
  ignored: number,
): number[] {
  return targets.flatMap((target, i) => {
    if (target === ignored) return [];
    const row = x.slice(i * classes, (i + 1) * classes);
    return [Math.log(row.reduce((total, logit) => total + Math.exp(logit), 0)) - row[target]];
  });
}

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const lossSamples: readonly Sample[] = [
  {
    name: 'the mean of those that count',
    operands: [numbers([4, 3]), integers([2, -100, 0, 1])],
    call: (x, target) => crossEntropy(x, target),
    expected: (x, targets) => {
      const all = losses(x, targets, 3, -100);
      return [total(all) / all.length];
    },
  },
  {
    name: 'summed, a class ignored',
    operands: [numbers([3, 4]), integers([1, 3, 1])],
    call: (x, target) => crossEntropy(x, target, { reduction: 'sum', ignoreIndex: 3 }),
    expected: (x, targets) => [total(losses(x, targets, 4, 3))],
  },
  {
    name: 'smoothed, one by one, at several places',
    operands: [numbers([2, 3, 2]), positions([2, 2], 3)],
    call: (x, target) => crossEntropy(x, target, { reduction: 'none', labelSmoothing: 0.3 }),
  },
  {
    name: 'of no samples',
    operands: [numbers([0, 3]), integers([])],
    call: (x, target) => crossEntropy(x, target, { reduction: 'sum' }),
    expected: () => [0],
  },
];

/** What both refuse, called on logits and targets. */
const refusals = (call: (x: Tensor, target: Tensor) => unknown): Refusal[] => [
  {
    name: 'a class out of range',
    call: () => call(zeros([2, 3]), index(0, 3)),
    error: ArgumentError,
    op: 'crossEntropy',
    names: { operand: 'target' },
  },
  {
    name: 'classes that are no integers',
    call: () => call(zeros([2, 3]), zeros([2])),
    error: DTypeError,
    op: 'crossEntropy',
    names: { operand: 'target' },
  },
  {
    name: 'another number of targets',
    call: () => call(zeros([2, 3]), index(0)),
    error: ShapeError,
    op: 'crossEntropy',
    names: { operand: 'target' },
  },
  {
    name: 'logits that are integers',
    call: () => call(zeros([2, 3], { dtype: 'int32' }), index(0, 1)),
    error: DTypeError,
    op: 'crossEntropy',
    names: { operand: 'input' },
  },
  {
    name: 'logits without an axis of classes',
    call: () => call(zeros([2]), index(0, 1)),
    error: ShapeError,
    op: 'crossEntropy',
    names: { operand: 'input' },
  },
];

const plain = { ignoreIndex: -100, smoothing: 0 };
const neverScalar = 'logits have an axis of samples and one of classes';

export const classSamples: readonly OpSamples[] = [
  {
    op: crossEntropyOp,
    samples: lossSamples,
    neverScalar,
    refusals: refusals((x, target) => apply(crossEntropyOp, [x, target], { ...plain, reduction: 'mean' })),
  },
  {
    op: crossEntropyGradOp,
    samples: [
      {
        name: 'of rows, one ignored',
        operands: [numbers([3]), numbers([3, 4]), integers([2, -100, 0]), numbers([3], between(1, 3))],
        call: (g, x, target, logs) => apply(crossEntropyGradOp, [g, x, target, logs], plain),
      },
      {
        name: 'smoothed, at several places',
        operands: [numbers([2, 2]), numbers([2, 3, 2]), positions([2, 2], 3), numbers([2, 2], between(1, 3))],
        call: (g, x, target, logs) =>
          apply(crossEntropyGradOp, [g, x, target, logs], { ignoreIndex: -100, smoothing: 0.2 }),
      },
      {
        name: 'of no samples',
        operands: [numbers([0]), numbers([0, 3]), integers([]), numbers([0])],
        call: (g, x, target, logs) => apply(crossEntropyGradOp, [g, x, target, logs], plain),
      },
    ],
    neverScalar,
    refusals: [
      ...refusals((x, target) => apply(crossEntropyGradOp, [zeros([2]), x, target, zeros([2])], plain)),
      {
        name: 'cotangents of another shape',
        call: () => apply(crossEntropyGradOp, [zeros([3]), zeros([2, 3]), index(0, 1), zeros([2])], plain),
        error: ShapeError,
        names: { operand: 'g' },
      },
    ],
  },
];
