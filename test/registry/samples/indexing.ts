// Samples of indexing, searching and ordering.

import {
  ArgumentError,
  argsort,
  crossEntropy,
  DTypeError,
  gather,
  indexSelect,
  nllLoss,
  oneHot,
  ShapeError,
  scatter,
  scatterAdd,
  searchsorted,
  type Tensor,
  take,
  tensor,
  topk,
  zeros,
} from '@adjoint/core';
import { gatherOp, scatterOp, scatterSumOp } from '../../../packages/core/src/ops/gather.ts';
import {
  indexSelectOp,
  indexSum,
  indexSumOp,
  oneHotOp,
  wrapIndexOp,
} from '../../../packages/core/src/ops/lookup.ts';
import { classIndexOp } from '../../../packages/core/src/ops/losses-classes.ts';
import { searchsortedOp } from '../../../packages/core/src/ops/search.ts';
import { argsortOp, argtopkOp } from '../../../packages/core/src/ops/sort.ts';
import { apply } from '../../../packages/core/src/tape/apply.ts';
import {
  type Domain,
  distinct,
  integers,
  numbers,
  type OpSamples,
  positions,
  type Refusal,
  real,
} from '../sample.ts';

const index = (...values: number[]): Tensor => tensor(values, { dtype: 'int32' });

/** What every op refuses that reads positions: one past the end, and numbers that are no integers. */
function ofPositions(operand: string, call: (index: Tensor) => unknown, op?: string): Refusal[] {
  const named = op === undefined ? {} : { op };
  return [
    {
      name: 'a position out of range',
      call: () => call(index(0, 3)),
      error: ArgumentError,
      names: { operand },
      ...named,
    },
    {
      name: 'positions that are no integers',
      call: () => call(zeros([2])),
      error: DTypeError,
      names: { operand },
      ...named,
    },
  ];
}

const ascending: Domain = (random, size) => distinct(random, size).sort((a, b) => a - b);
const sum = { axis: 1, op: 'scatterSum', shape: [2, 3] };
const slices = { axis: 0, op: 'indexSum', shape: [4, 2] };

export const indexingSamples: readonly OpSamples[] = [
  {
    op: gatherOp,
    samples: [
      {
        name: 'along the last axis',
        operands: [numbers([2, 3]), positions([2, 4], 3)],
        call: (x, i) => gather(x, -1, i),
      },
      {
        name: 'fewer off the axis',
        operands: [numbers([3, 4]), positions([2, 3], 3)],
        call: (x, i) => gather(x, 0, i),
      },
      { name: 'nowhere', operands: [numbers([2, 3]), positions([2, 0], 3)], call: (x, i) => gather(x, 1, i) },
    ],
    neverScalar: 'a number is gathered from as a tensor of one axis',
    refusals: [
      ...ofPositions('index', (i) => gather(zeros([3]), 0, i)),
      {
        name: 'an index that sticks out',
        call: () => gather(zeros([2, 2]), 0, zeros([1, 3], { dtype: 'int32' })),
        error: ShapeError,
        names: { operand: 'index' },
      },
    ],
  },
  {
    op: scatterSumOp,
    samples: [
      {
        name: 'two to one place',
        operands: [numbers([2, 4]), integers([0, 2, 2, 1, 1, 1, 1, 0], [2, 4])],
        call: (x, i) => apply(scatterSumOp, [x, i], sum),
        expected: (x) => [x[0], x[3], x[1] + x[2], x[7], x[4] + x[5] + x[6], 0],
      },
      {
        name: 'of nothing',
        operands: [numbers([2, 0]), positions([2, 0], 3)],
        call: (x, i) => apply(scatterSumOp, [x, i], sum),
      },
    ],
    neverScalar: 'there is no axis to add along',
    refusals: [
      ...ofPositions('index', (i) => scatterAdd(zeros([3]), 0, i, zeros([2])), 'scatterAdd'),
      {
        name: 'sums of bools',
        call: () =>
          apply(scatterSumOp, [zeros([1, 1], { dtype: 'bool' }), zeros([1, 1], { dtype: 'int32' })], sum),
        error: DTypeError,
      },
    ],
  },
  {
    op: scatterOp,
    samples: [
      {
        name: 'each to its place',
        operands: [numbers([2, 4]), integers([0, 2, 3, 1], [2, 2]), numbers([2, 2])],
        call: (x, i, source) => scatter(x, 1, i, source),
      },
      {
        name: 'written over',
        operands: [numbers([3]), integers([1, 1]), numbers([2])],
        call: (x, i, source) => scatter(x, 0, i, source),
        expected: (x, _, source) => [x[0], source[1], x[2]],
      },
      {
        name: 'of nothing',
        operands: [numbers([3]), positions([0], 3), numbers([0])],
        call: (x, i, source) => scatter(x, 0, i, source),
      },
    ],
    neverScalar: 'a number is written to as a tensor of one axis',
    refusals: [
      ...ofPositions('index', (i) => scatter(zeros([3]), 0, i, zeros([2]))),
      {
        name: 'a source of another dtype',
        call: () => scatter(zeros([3]), 0, index(0), zeros([1], { dtype: 'float64' })),
        error: DTypeError,
        names: { operand: 'source' },
      },
      {
        name: 'a source of another shape than the index',
        call: () => scatter(zeros([3]), 0, index(0, 1), zeros([1])),
        error: ShapeError,
        names: { operand: 'source' },
      },
    ],
  },
  {
    op: indexSelectOp,
    samples: [
      {
        name: 'with repetitions',
        operands: [numbers([3, 2]), integers([2, 0, 2, 2])],
        call: (x, i) => indexSelect(x, 0, i),
      },
      {
        name: 'along the last axis',
        operands: [numbers([2, 3]), positions([4], 3)],
        call: (x, i) => indexSelect(x, -1, i),
      },
      { name: 'nowhere', operands: [numbers([3, 2]), integers([])], call: (x, i) => indexSelect(x, 0, i) },
      { name: 'of a number', operands: [numbers([]), integers([0])], call: (x, i) => indexSelect(x, 0, i) },
    ],
    refusals: [
      ...ofPositions('index', (i) => indexSelect(zeros([3]), 0, i)),
      {
        name: 'an index of two axes',
        call: () => indexSelect(zeros([3]), 0, zeros([1, 1], { dtype: 'int32' })),
        error: ShapeError,
        names: { operand: 'index' },
      },
    ],
  },
  {
    op: indexSumOp,
    samples: [
      {
        name: 'with repetitions',
        operands: [numbers([3, 2]), integers([2, 0, 2])],
        call: (x, i) => indexSum(x, i, slices),
        expected: (x) => [x[2], x[3], 0, 0, x[0] + x[4], x[1] + x[5], 0, 0],
      },
      {
        name: 'of nothing',
        operands: [numbers([0, 2]), integers([])],
        call: (x, i) => indexSum(x, i, slices),
      },
    ],
    neverScalar: 'there is no axis to add along',
    refusals: [
      ...ofPositions('index', (i) => indexSum(zeros([2]), i, { ...slices, shape: [3] })),
      {
        name: 'sums of bools',
        call: () => indexSum(zeros([1, 2], { dtype: 'bool' }), index(0), slices),
        error: DTypeError,
      },
      {
        name: 'a source of another shape',
        call: () => indexSum(zeros([3, 2]), index(0), slices),
        error: ShapeError,
        names: { operand: 'source' },
      },
    ],
  },
  {
    op: wrapIndexOp,
    samples: [
      {
        name: 'from both ends',
        operands: [integers([0, 2, -1, -3])],
        call: (i) => apply(wrapIndexOp, [i], { size: 3, op: 'wrapIndex' }),
        expected: () => [0, 2, 2, 0],
      },
      {
        name: 'of nothing',
        operands: [integers([])],
        call: (i) => apply(wrapIndexOp, [i], { size: 3, op: 'wrapIndex' }),
      },
      {
        name: 'of one',
        operands: [integers([-2], [])],
        call: (i) => apply(wrapIndexOp, [i], { size: 3, op: 'wrapIndex' }),
        expected: () => [1],
      },
    ],
    refusals: ofPositions('index', (i) => take(zeros([3]), i), 'take'),
  },
  {
    op: oneHotOp,
    samples: [
      {
        name: '',
        operands: [integers([2, 0])],
        call: (i) => oneHot(i, { numClasses: 3 }),
        expected: () => [0, 0, 1, 1, 0, 0],
      },
      { name: 'of nothing', operands: [integers([])], call: (i) => oneHot(i, { numClasses: 2 }) },
      { name: 'of one', operands: [integers([1], [])], call: (i) => oneHot(i), expected: () => [0, 1] },
    ],
    refusals: [
      ...ofPositions('index', (i) => oneHot(i, { numClasses: 3 })),
      {
        name: 'no classes',
        call: () => oneHot(index(0), { numClasses: 0 }),
        error: ArgumentError,
        names: { option: 'numClasses' },
      },
    ],
  },
  {
    op: classIndexOp,
    samples: [
      {
        name: 'some ignored',
        operands: [integers([2, -100, 0])],
        call: (target) => apply(classIndexOp, [target], { op: 'nllLoss', classes: 3, ignoreIndex: -100 }),
        expected: () => [2, 0, 0],
      },
      {
        name: 'of nothing',
        operands: [integers([])],
        call: (target) => apply(classIndexOp, [target], { op: 'nllLoss', classes: 3, ignoreIndex: -100 }),
      },
      {
        name: 'of one',
        operands: [integers([1], [])],
        call: (target) => apply(classIndexOp, [target], { op: 'nllLoss', classes: 3, ignoreIndex: -100 }),
        expected: () => [1],
      },
    ],
    refusals: [
      ...ofPositions('target', (i) => nllLoss(zeros([2, 3]), i), 'nllLoss'),
      {
        name: 'a class out of range beside logits',
        call: () => crossEntropy(zeros([2, 3]), index(0, -1)),
        error: ArgumentError,
        op: 'crossEntropy',
        names: { operand: 'target' },
      },
    ],
  },
  {
    op: searchsortedOp,
    samples: [
      {
        name: '',
        operands: [numbers([5], ascending), numbers([2, 3], real)],
        call: (sorted, values) => searchsorted(sorted, values),
      },
      {
        name: 'row by row, from the right',
        operands: [numbers([2, 1], real), numbers([2, 3], real)],
        call: (sorted, values) => searchsorted(sorted, values, { right: true }),
      },
      {
        name: 'in nothing',
        operands: [numbers([0]), numbers([2])],
        call: (sorted, values) => searchsorted(sorted, values),
        expected: () => [0, 0],
      },
      {
        name: 'one',
        operands: [numbers([3], ascending), numbers([], real)],
        call: (sorted, values) => searchsorted(sorted, values),
      },
    ],
    refusals: [
      {
        name: 'rows that are not those of the values',
        call: () => searchsorted(zeros([2, 3]), zeros([3, 3])),
        error: ShapeError,
        names: { operand: 'sorted' },
      },
    ],
  },
  {
    op: argsortOp,
    samples: [
      { name: '', operands: [numbers([3, 4], distinct)], call: (x) => argsort(x) },
      {
        name: 'descending along the first axis',
        operands: [numbers([3, 4], distinct)],
        call: (x) => argsort(x, { axis: 0, descending: true }),
      },
      { name: 'of nothing', operands: [numbers([2, 0])], call: (x) => argsort(x) },
      { name: 'of one', operands: [numbers([])], call: (x) => argsort(x), expected: () => [0] },
    ],
    refusals: [
      {
        name: 'an axis that is not there',
        call: () => argsort(zeros([2]), { axis: 1 }),
        error: ArgumentError,
        names: { option: 'axis' },
      },
    ],
  },
  {
    op: argtopkOp,
    samples: [
      { name: '', operands: [numbers([3, 4], distinct)], call: (x) => topk(x, 2).indices },
      {
        name: 'the smallest, along the first axis',
        operands: [numbers([3, 4], distinct)],
        call: (x) => topk(x, 1, { axis: 0, largest: false }).indices,
      },
      { name: 'none', operands: [numbers([2, 3], distinct)], call: (x) => topk(x, 0).indices },
      { name: 'of nothing', operands: [numbers([2, 0])], call: (x) => topk(x, 0).indices },
      { name: 'of one', operands: [numbers([])], call: (x) => topk(x, 1).indices, expected: () => [0] },
    ],
    refusals: [
      {
        name: 'more than there are',
        call: () => topk(zeros([2, 3]), 4),
        op: 'topk',
        error: ArgumentError,
        names: { option: 'k' },
      },
    ],
  },
];
