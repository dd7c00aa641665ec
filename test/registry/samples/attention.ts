// Samples of attention and of its gradients.

import { DTypeError, type Shape, ShapeError, type Tensor, zeros } from '@adjoint/core';
import { attentionGradOp, attentionOp } from '../../../packages/core/src/ops/attention-records.ts';
import { apply } from '../../../packages/core/src/tape/apply.ts';
import { numbers, type OpSamples, type Refusal, type Sample } from '../sample.ts';

interface Kind {
  readonly name: string;
  readonly query: Shape;
  readonly key: Shape;
  readonly value: Shape;
  readonly mask: Shape;
  readonly causal: boolean;
}

const kinds: readonly Kind[] = [
  {
    name: 'one mask for all',
    query: [1, 3, 2, 2],
    key: [1, 4, 2, 2],
    value: [1, 4, 2, 3],
    mask: [1, 1, 1, 1],
    causal: false,
  },
  {
    name: 'a mask for each score',
    query: [2, 2, 1, 3],
    key: [2, 3, 1, 3],
    value: [2, 3, 1, 1],
    mask: [2, 1, 2, 3],
    causal: false,
  },
  {
    name: 'causal',
    query: [1, 3, 1, 2],
    key: [1, 3, 1, 2],
    value: [1, 3, 1, 2],
    mask: [1, 1, 1, 3],
    causal: true,
  },
  {
    name: 'no samples',
    query: [0, 3, 1, 2],
    key: [0, 3, 1, 2],
    value: [0, 3, 1, 2],
    mask: [1, 1, 1, 1],
    causal: false,
  },
  {
    name: 'no keys',
    query: [1, 2, 1, 2],
    key: [1, 0, 1, 2],
    value: [1, 0, 1, 2],
    mask: [1, 1, 1, 1],
    causal: false,
  },
];

const rule = { scale: 0.7, causal: false };
const neverScalar = 'it takes four axes';

/** `softmax(scale · q · kᵀ + mask) · v`, score by score. */
function attended(
  { query: [samples, queries, heads, features], key, value, mask, causal }: Kind,
  [q, k, v, m]: readonly number[][],
): number[] {
  const [keys, outputs] = [key[1], value[3]];
  const out: number[] = [];
  for (let s = 0; s < samples; s++)
    for (let i = 0; i < queries; i++)
      for (let h = 0; h < heads; h++) {
        const weights = Array.from({ length: keys }, (_, j) => {
          let score = 0;
          for (let d = 0; d < features; d++)
            score +=
              q[((s * queries + i) * heads + h) * features + d] *
              k[((s * keys + j) * heads + h) * features + d];
          const place = [s, h, i, j].reduce(
            (at, index, axis) => at * mask[axis] + (mask[axis] === 1 ? 0 : index),
            0,
          );
          return causal && j > i ? 0 : Math.exp(rule.scale * score + m[place]);
        });
        const total = weights.reduce((a, b) => a + b, 0);
        for (let e = 0; e < outputs; e++)
          out.push(
            weights.reduce(
              (sum, weight, j) => sum + (weight / total) * v[((s * keys + j) * heads + h) * outputs + e],
              0,
            ),
          );
      }
  return out;
}

function refusals(call: (query: Tensor, key: Tensor, value: Tensor, mask: Tensor) => Tensor): Refusal[] {
  const [query, key, value, mask] = [
    zeros([1, 2, 1, 3]),
    zeros([1, 4, 1, 3]),
    zeros([1, 4, 1, 2]),
    zeros([1, 1, 1, 1]),
  ];
  return [
    {
      name: 'an operand of another rank',
      call: () => call(zeros([2, 3]), key, value, mask),
      error: ShapeError,
      names: { operand: 'query' },
    },
    {
      name: 'integers',
      call: () => call(query, zeros([1, 4, 1, 3], { dtype: 'int32' }), value, mask),
      error: DTypeError,
      names: { operand: 'key' },
    },
    {
      name: 'other features than the query has',
      call: () => call(query, zeros([1, 4, 1, 2]), value, mask),
      error: ShapeError,
      names: { operand: 'key' },
    },
    {
      name: 'fewer values than keys',
      call: () => call(query, key, zeros([1, 3, 1, 2]), mask),
      error: ShapeError,
      names: { operand: 'value' },
    },
    {
      name: 'a mask that is no mask of the scores',
      call: () => call(query, key, value, zeros([1, 1, 3, 1])),
      error: ShapeError,
      names: { operand: 'mask' },
    },
  ];
}

const operandsOf = ({ query, key, value, mask }: Kind): Sample['operands'] => [
  numbers(query),
  numbers(key),
  numbers(value),
  numbers(mask),
];

export const attentionSamples: readonly OpSamples[] = [
  {
    op: attentionOp,
    samples: kinds.map((kind) => ({
      name: kind.name,
      operands: operandsOf(kind),
      call: (...operands) => apply(attentionOp, operands, { ...rule, causal: kind.causal }),
      expected: (...operands) => attended(kind, operands),
    })),
    neverScalar,
    refusals: refusals((...operands) => apply(attentionOp, operands, rule)),
  },
  {
    op: attentionGradOp,
    samples: kinds.map((kind) => ({
      name: kind.name,
      operands: [numbers([...kind.query.slice(0, 3), kind.value[3]]), ...operandsOf(kind)],
      call: (...operands) => apply(attentionGradOp, operands, { ...rule, causal: kind.causal }),
    })),
    neverScalar,
    refusals: [
      ...refusals((...operands) => apply(attentionGradOp, [zeros([1, 2, 1, 2]), ...operands], rule)),
      {
        name: 'a cotangent of another shape',
        call: () =>
          apply(
            attentionGradOp,
            [
              zeros([1, 2, 1, 3]),
              zeros([1, 2, 1, 3]),
              zeros([1, 4, 1, 3]),
              zeros([1, 4, 1, 2]),
              zeros([1, 1, 1, 1]),
            ],
            rule,
          ),
        error: ShapeError,
        names: { operand: 'g' },
      },
    ],
  },
];
