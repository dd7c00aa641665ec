// Samples of normalisations and of the gradients of softmax.

import {
  ArgumentError,
  DTypeError,
  layerNorm,
  type Shape,
  ShapeError,
  softmax,
  type Tensor,
  zeros,
} from '@adjoint/core';
import { normaliseGradOp, normaliseWeightGradOp } from '../../../packages/core/src/ops/norm-gradients.ts';
import { normaliseByOp, normaliseOp, normMomentsOp } from '../../../packages/core/src/ops/norm-records.ts';
import { logSoftmaxGradOp, softmaxGradOp } from '../../../packages/core/src/ops/softmax.ts';
import { apply } from '../../../packages/core/src/tape/apply.ts';
import { between, numbers, type OpSamples, type Refusal, type Sample } from '../sample.ts';

type Seen = readonly [batch: number, groups: number, channels: number, places: number];
interface Kind {
  readonly name: string;
  readonly seen: Seen;
  readonly over: 'sample' | 'batch';
  readonly centred: boolean;
}

const kinds: readonly Kind[] = [
  { name: 'rows', seen: [2, 1, 5, 1], over: 'sample', centred: true },
  { name: 'groups of a sample', seen: [2, 2, 2, 3], over: 'sample', centred: true },
  { name: 'channels over the batch', seen: [3, 2, 1, 2], over: 'batch', centred: true },
  { name: 'rows, the mean left in', seen: [2, 1, 4, 1], over: 'sample', centred: false },
  { name: 'no samples', seen: [0, 2, 2, 3], over: 'sample', centred: true },
];

const parameters = ([, groups, channels]: Seen): Shape => [1, groups, channels, 1];
const statistics = ({ seen: [batch, groups], over }: Kind): Shape => [
  over === 'sample' ? batch : 1,
  groups,
  1,
  1,
];
/** A reciprocal deviation. */
const rstds = between(0.5, 1.5);

function samplesOf(
  operands: (kind: Kind) => Sample['operands'],
  call: (kind: Kind) => Sample['call'],
): Sample[] {
  return kinds.map((kind) => ({ name: kind.name, operands: operands(kind), call: call(kind) }));
}

const neverScalar = 'it takes four axes';

/** Refusals of what every record of a normalisation asks of its operands, which follow x in `others`. */
function refusalsOf(
  call: (x: Tensor, weight: Tensor) => Tensor,
  operand: string,
  rest: readonly Refusal[] = [],
): Refusal[] {
  return [
    {
      name: 'an operand of another rank',
      call: () => call(zeros([2, 3]), zeros([1, 1, 3, 1])),
      error: ShapeError,
      names: { operand: 'x' },
    },
    {
      name: 'integers',
      call: () => call(zeros([2, 1, 3, 1], { dtype: 'int32' }), zeros([1, 1, 3, 1])),
      error: DTypeError,
      names: { operand: 'x' },
    },
    {
      name: 'an operand of a shape that does not fit',
      call: () => call(zeros([2, 1, 3, 1]), zeros([1, 1, 4, 1])),
      error: ShapeError,
      names: { operand },
    },
    ...rest,
  ];
}

const byRow = { over: 'sample', centred: true } as const;
const one = (): Tensor => zeros([2, 1, 1, 1]);
const two = (): Tensor => zeros([1, 1, 1, 1]);

function lineGradientSamples(op: typeof softmaxGradOp): OpSamples {
  const shapes: readonly (readonly [Shape, number])[] = [
    [[2, 3], 1],
    [[3, 2, 2], 0],
    [[2, 0], 1],
  ];
  return {
    op,
    samples: shapes.map(([shape, axis]) => ({
      name: `along axis ${axis}`,
      operands: [numbers(shape), numbers(shape, between(-1, 0.5))],
      call: (g, y) => apply(op, [g, y], { axis }),
    })),
    neverScalar: 'it runs along an axis',
    refusals: [
      {
        name: 'a cotangent of another shape',
        call: () => apply(op, [zeros([2]), zeros([3])], { axis: 0 }),
        error: ShapeError,
        names: { operand: 'g' },
      },
      {
        name: 'an axis out of range',
        call: () => softmax(zeros([2]), { axis: 1 }),
        error: ArgumentError,
        op: 'softmax',
        names: { option: 'axis' },
      },
    ],
  };
}

export const normSamples: readonly OpSamples[] = [
  lineGradientSamples(softmaxGradOp),
  lineGradientSamples(logSoftmaxGradOp),
  {
    op: normaliseOp,
    samples: samplesOf(
      ({ seen }) => [numbers(seen), numbers(parameters(seen)), numbers(parameters(seen))],
      ({ over, centred }) =>
        (...operands) =>
          apply(normaliseOp, operands, { over, centred, eps: 0.1 }),
    ),
    neverScalar,
    refusals: refusalsOf(
      (x, weight) => apply(normaliseOp, [x, weight, zeros([1, 1, 3, 1])], { ...byRow, eps: 0 }),
      'weight',
      [
        {
          name: 'rows that do not end as asked for',
          call: () => layerNorm(zeros([2, 3]), [2]),
          error: ShapeError,
          op: 'layerNorm',
        },
      ],
    ),
  },
  {
    op: normMomentsOp,
    samples: kinds.map(({ name, seen, over, centred }) => ({
      name,
      operands: [numbers(seen)],
      call: (x) => apply(normMomentsOp, [x], { over, centred, eps: 0.1 }),
      expected: (x) => {
        const [batch, groups, channels, places] = seen;
        const sets: number[][] = Array.from(
          { length: over === 'sample' ? batch * groups : groups },
          () => [],
        );
        x.forEach((value, i) => {
          const group = Math.floor(i / (channels * places));
          sets[over === 'sample' ? group : group % groups].push(value);
        });
        const average = (values: readonly number[]): number =>
          values.reduce((a, b) => a + b, 0) / values.length;
        const means = sets.map((set) => (centred ? average(set) : 0));
        return [...means, ...sets.map((set, i) => average(set.map((v) => (v - means[i]) ** 2)))];
      },
    })),
    neverScalar,
    refusals: refusalsOf((x) => apply(normMomentsOp, [x], { ...byRow, eps: 0 }), 'x').slice(0, 2),
  },
  {
    op: normaliseGradOp,
    samples: samplesOf(
      (kind) => [
        numbers(kind.seen),
        numbers(kind.seen),
        numbers(parameters(kind.seen)),
        numbers(statistics(kind)),
        numbers(statistics(kind), rstds),
      ],
      ({ over, centred }) =>
        (...operands) =>
          apply(normaliseGradOp, operands, { over, centred }),
    ),
    neverScalar,
    refusals: refusalsOf(
      (x, weight) => apply(normaliseGradOp, [x, x, weight, one(), one()], byRow),
      'weight',
    ),
  },
  {
    op: normaliseWeightGradOp,
    samples: samplesOf(
      (kind) => [
        numbers(kind.seen),
        numbers(kind.seen),
        numbers(statistics(kind)),
        numbers(statistics(kind), rstds),
      ],
      ({ over, centred }) =>
        (...operands) =>
          apply(normaliseWeightGradOp, operands, { over, centred }),
    ),
    neverScalar,
    refusals: refusalsOf((x, g) => apply(normaliseWeightGradOp, [g, x, one(), one()], byRow), 'g'),
  },
  {
    op: normaliseByOp,
    samples: kinds
      .filter(({ over }) => over === 'batch')
      .flatMap((kind) => [kind, { ...kind, name: 'no samples', seen: [0, 2, 3, 2] as const }])
      .map((kind) => ({
        name: kind.name,
        operands: [
          numbers(kind.seen),
          numbers(parameters(kind.seen)),
          numbers(parameters(kind.seen)),
          numbers(statistics(kind)),
          numbers(statistics(kind), rstds),
        ],
        call: (...operands: Tensor[]) => apply(normaliseByOp, operands, undefined),
      })),
    neverScalar,
    refusals: refusalsOf(
      (x, weight) => apply(normaliseByOp, [x, weight, zeros([1, 1, 3, 1]), two(), two()], undefined),
      'weight',
    ),
  },
];
