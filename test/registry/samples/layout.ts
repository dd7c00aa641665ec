// Samples of conversion, views, copies and joins: ops that move elements and change none.

import {
  ArgumentError,
  cast,
  cat,
  clone,
  type DType,
  DTypeError,
  diagonal,
  expand,
  flip,
  narrow,
  pad,
  permute,
  reshape,
  ShapeError,
  slice,
  transpose,
  unfold,
  zeros,
} from '@adjoint/core';
import { castOp } from '../../../packages/core/src/ops/cast.ts';
import { diagonalOp, undiagonalOp } from '../../../packages/core/src/ops/diagonal.ts';
import { expandOp } from '../../../packages/core/src/ops/expand-sum.ts';
import { catOp } from '../../../packages/core/src/ops/join.ts';
import {
  cloneOp,
  permuteOp,
  reshapeOp,
  type SliceAttrs,
  sliceOp,
  unslice,
  unsliceOp,
} from '../../../packages/core/src/ops/layout.ts';
import { padOp } from '../../../packages/core/src/ops/pad.ts';
import { overlapOp, type WindowAttrs, windowsOp } from '../../../packages/core/src/ops/windows.ts';
import { apply } from '../../../packages/core/src/tape/apply.ts';
import { between, numbers, type OpSamples, pointwise } from '../sample.ts';

const everySecond: SliceAttrs = { starts: [1, 2], steps: [2, -1], sizes: [2, 3], whole: [4, 3] };
const nothing: SliceAttrs = { starts: [0, 0], steps: [1, 1], sizes: [0, 3], whole: [4, 3] };
const point: SliceAttrs = { starts: [], steps: [], sizes: [], whole: [] };
const above = { offset: 1, axis1: 1, axis2: 0, from: [3, 2, 2] };
const empty = { offset: 5, axis1: 0, axis2: 1, from: [2, 3] };
const overlapping: WindowAttrs = {
  whole: [1, 2, 4, 5],
  kernelSize: [2, 2],
  outputSize: [2, 2],
  stride: [2, 1],
  dilation: [1, 3],
};
const noImages: WindowAttrs = { ...overlapping, whole: [0, 2, 4, 5] };

export const layoutSamples: readonly OpSamples[] = [
  // Values converted to float32 are rounded, and so are difference quotients of them.
  pointwise(castOp, (x) => cast(x, x.dtype === 'float64' ? 'float32' : 'float64'), [between(-2, 2)], {
    check: { precision: 'float32' },
    refusals: [
      {
        name: 'a dtype that is none',
        call: () => cast(zeros([2]), 'float8' as DType),
        error: DTypeError,
        names: { option: 'dtype' },
      },
    ],
  }),
  pointwise(cloneOp, clone, [between(-2, 2)]),
  {
    op: reshapeOp,
    samples: [
      { name: 'merges and splits', operands: [numbers([2, 3, 4])], call: (x) => reshape(x, [6, 2, -1]) },
      { name: 'adds axes', operands: [numbers([])], call: (x) => reshape(x, [1, 1]) },
      { name: 'drops axes', operands: [numbers([1, 1])], call: (x) => reshape(x, []) },
      { name: 'of nothing', operands: [numbers([0, 3])], call: (x) => reshape(x, [3, 0, 2]) },
    ],
    refusals: [
      {
        name: 'another number of elements',
        call: () => reshape(zeros([2, 3]), [4, 2]),
        error: ShapeError,
        names: { option: 'shape' },
      },
      {
        name: 'an unknown size beside 0',
        call: () => reshape(zeros([0, 3]), [0, -1]),
        error: ShapeError,
        names: { option: 'shape' },
      },
    ],
  },
  {
    op: permuteOp,
    samples: [
      { name: '', operands: [numbers([2, 3, 4])], call: (x) => permute(x, [2, 0, 1]) },
      { name: 'transpose', operands: [numbers([2, 3])], call: (x) => transpose(x) },
      { name: 'of no axes', operands: [numbers([])], call: (x) => permute(x, []) },
      { name: 'of nothing', operands: [numbers([0, 3])], call: (x) => permute(x, [1, 0]) },
    ],
    refusals: [
      {
        name: 'an axis twice',
        call: () => permute(zeros([2, 3]), [0, 0]),
        error: ArgumentError,
        names: { option: 'axes' },
      },
      {
        name: 'an axis that is not there',
        call: () => permute(zeros([2, 3]), [0, 2]),
        error: ArgumentError,
        names: { option: 'axis' },
      },
    ],
  },
  {
    op: sliceOp,
    samples: [
      {
        name: 'of a view, with steps',
        operands: [numbers([5, 4])],
        call: (x) =>
          slice(flip(x, [0]), [
            { start: 1, step: 2 },
            { start: 1, stop: 3 },
          ]),
      },
      { name: 'to nothing', operands: [numbers([2, 3])], call: (x) => slice(x, [{ start: 2 }]) },
      { name: 'of nothing', operands: [numbers([0, 3])], call: (x) => narrow(x, 1, 1, 2) },
    ],
    neverScalar: 'there is no axis to cut',
    refusals: [
      {
        name: 'a step of 0',
        call: () => slice(zeros([3]), [{ step: 0 }]),
        error: ArgumentError,
        names: { option: 'indices[0].step' },
      },
      {
        name: 'a length that is not there',
        call: () => narrow(zeros([3]), 0, 2, 2),
        error: ArgumentError,
        op: 'narrow',
        names: { option: 'length' },
      },
    ],
  },
  {
    op: unsliceOp,
    samples: [
      {
        name: 'backwards',
        operands: [numbers([2, 3])],
        call: (x) => unslice(x, everySecond),
        expected: (x) => [0, 0, 0, x[2], x[1], x[0], 0, 0, 0, x[5], x[4], x[3]],
      },
      { name: 'of nothing', operands: [numbers([0, 3])], call: (x) => unslice(x, nothing) },
      { name: 'of a point', operands: [numbers([])], call: (x) => unslice(x, point) },
    ],
    refusals: [],
  },
  {
    op: expandOp,
    samples: [
      { name: '', operands: [numbers([2, 1])], call: (x) => expand(x, [4, 2, 3]) },
      { name: 'keeps a size', operands: [numbers([2, 1])], call: (x) => expand(x, [-1, 3]) },
      { name: 'of a number', operands: [numbers([])], call: (x) => expand(x, [2, 2]) },
      { name: 'of nothing', operands: [numbers([1, 0])], call: (x) => expand(x, [3, 0]) },
      { name: 'to nothing', operands: [numbers([1, 2])], call: (x) => expand(x, [0, 2]) },
    ],
    refusals: [
      {
        name: 'a size that is not 1',
        call: () => expand(zeros([2, 3]), [4, 3]),
        error: ShapeError,
        names: { operand: 'x' },
      },
    ],
  },
  {
    op: catOp,
    samples: [
      {
        name: '',
        operands: [numbers([2, 3]), numbers([2, 1]), numbers([2, 0])],
        call: (...tensors) => cat(tensors, { axis: 1 }),
      },
      { name: 'one alone', operands: [numbers([2])], call: (x) => cat([x]) },
    ],
    neverScalar: 'a number has no axis to join along',
    refusals: [
      { name: 'nothing', call: () => cat([]), error: ArgumentError, names: { option: 'tensors' } },
      {
        name: 'sizes that differ off the axis',
        call: () => cat([zeros([2, 3]), zeros([2, 4])]),
        error: ShapeError,
        names: { operand: 'tensors[1]' },
      },
      {
        name: 'numbers',
        call: () => cat([zeros([2]), zeros([])]),
        error: ShapeError,
        names: { operand: 'tensors[1]' },
      },
    ],
  },
  {
    op: padOp,
    samples: [
      { name: '', operands: [numbers([2, 3])], call: (x) => pad(x, [1, 2, 0, 1]) },
      {
        name: 'with another value',
        operands: [numbers([3])],
        call: (x) => pad(x, [1, 1], { value: 1 }),
        expected: (x) => [1, ...x, 1],
      },
      { name: 'of nothing', operands: [numbers([2, 0])], call: (x) => pad(x, [1, 1]) },
    ],
    neverScalar: 'there is no axis to put a frame around',
    refusals: [
      {
        name: 'half a pair',
        call: () => pad(zeros([3]), [1]),
        error: ArgumentError,
        names: { option: 'amounts' },
      },
      {
        name: 'more pairs than axes',
        call: () => pad(zeros([3]), [1, 1, 1, 1]),
        error: ShapeError,
        names: { option: 'amounts' },
      },
    ],
  },
  {
    op: diagonalOp,
    samples: [
      { name: '', operands: [numbers([3, 4])], call: (x) => diagonal(x) },
      {
        name: 'below, of a stack',
        operands: [numbers([2, 3, 4])],
        call: (x) => diagonal(x, { offset: -1, axis1: -2, axis2: -1 }),
      },
      { name: 'past the corner', operands: [numbers([2, 3])], call: (x) => diagonal(x, { offset: 5 }) },
      { name: 'of nothing', operands: [numbers([0, 3])], call: (x) => diagonal(x) },
    ],
    neverScalar: 'it takes two axes',
    refusals: [
      {
        name: 'one axis twice',
        call: () => diagonal(zeros([2, 2]), { axis1: 1, axis2: -1 }),
        error: ArgumentError,
        names: { option: 'axis2' },
      },
      {
        name: 'half an offset',
        call: () => diagonal(zeros([2, 2]), { offset: 0.5 }),
        error: ArgumentError,
        names: { option: 'offset' },
      },
    ],
  },
  {
    op: undiagonalOp,
    samples: [
      {
        name: 'axes swapped',
        operands: [numbers([2, 2])],
        call: (x) => apply(undiagonalOp, [x], above),
        // Element (c, i) of the diagonals stands at [i + 1, i, c].
        expected: (x) => [0, 0, 0, 0, x[0], x[2], 0, 0, 0, 0, x[1], x[3]],
      },
      { name: 'of nothing', operands: [numbers([0])], call: (x) => apply(undiagonalOp, [x], empty) },
    ],
    neverScalar: 'the diagonal is an axis',
    refusals: [],
  },
  {
    op: windowsOp,
    samples: [
      {
        name: 'overlapping',
        operands: [numbers([1, 2, 4, 5])],
        call: (x) => apply(windowsOp, [x], overlapping),
      },
      {
        name: 'of no images',
        operands: [numbers([0, 2, 4, 5])],
        call: (x) => apply(windowsOp, [x], noImages),
      },
    ],
    neverScalar: 'it takes images',
    refusals: [
      {
        name: 'integers',
        call: () => unfold(zeros([1, 2, 2], { dtype: 'int32' }), 2),
        error: DTypeError,
        op: 'unfold',
        names: { operand: 'x' },
      },
    ],
  },
  {
    op: overlapOp,
    samples: [
      {
        name: 'overlapping',
        operands: [numbers([1, 2, 2, 2, 2, 2])],
        call: (x) => apply(overlapOp, [x], overlapping),
      },
      {
        name: 'of no images',
        operands: [numbers([0, 2, 2, 2, 2, 2])],
        call: (x) => apply(overlapOp, [x], noImages),
      },
    ],
    neverScalar: 'it takes windows',
    refusals: [
      {
        name: 'sums of bools',
        call: () => apply(overlapOp, [zeros([1, 2, 2, 2, 2, 2], { dtype: 'bool' })], overlapping),
        error: DTypeError,
      },
    ],
  },
];
