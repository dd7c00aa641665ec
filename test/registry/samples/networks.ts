// Samples of products, convolution, pooling, resampling and losses.

import {
  ArgumentError,
  adaptiveAvgPool1d,
  adaptiveMaxPool2dWithIndices,
  arange,
  avgPool2d,
  bceWithLogits,
  binaryCrossEntropy,
  conv2d,
  convTranspose2d,
  DTypeError,
  GeometryError,
  interpolate,
  linear,
  matmul,
  maxPool2d,
  maxPool2dWithIndices,
  reshape,
  type Shape,
  ShapeError,
  tensor,
  zeros,
} from '@adjoint/core';
import { convGeometry, convInputGrad, conv as convolve, convWeightGrad } from '@adjoint/core/conv';
import { poolGeometry } from '@adjoint/kernels-cpu';
import { convInputGradOp, convOp, convWeightGradOp } from '../../../packages/core/src/ops/conv.ts';
import { binaryCrossEntropyOp, logisticLossOp } from '../../../packages/core/src/ops/losses-binary.ts';
import { matmulOp } from '../../../packages/core/src/ops/matmul.ts';
import { adaptiveMaxPoolPlacesOp } from '../../../packages/core/src/ops/pool-adaptive.ts';
import {
  avgPoolInputGradOp,
  avgPoolOp,
  maxPoolInputGradOp,
  maxPoolOp,
  maxPoolPlacesOp,
} from '../../../packages/core/src/ops/pool-records.ts';
import { affineOp, linearOp } from '../../../packages/core/src/ops/products.ts';
import { resample, resampleOp, resampling } from '../../../packages/core/src/ops/resample.ts';
import { apply } from '../../../packages/core/src/tape/apply.ts';
import { between, distinct, numbers, type OpSamples, pointwise, type Refusal } from '../sample.ts';

// Stride, padding and dilation that leave a row over, and two groups.
const geometry = convGeometry({
  batch: 2,
  inChannels: 2,
  outChannels: 4,
  groups: 2,
  inputSize: [5, 4],
  kernelSize: [2, 3],
  stride: [2, 1],
  padding: [1, 1],
  dilation: [2, 1],
});
const noImages = { ...geometry, batch: 0 };
const shapes = (g: typeof geometry): { x: Shape; w: Shape; y: Shape } => ({
  x: [g.batch, g.inChannels, ...g.inputSize],
  w: [g.outChannels, g.inChannels / g.groups, ...g.kernelSize],
  y: [g.batch, g.outChannels, ...g.outputSize],
});
const pooling = poolGeometry({
  batch: 1,
  channels: 2,
  inputSize: [4, 5],
  kernelSize: [2, 3],
  stride: 2,
  padding: [0, 1],
});
const noPlanes = { ...pooling, batch: 0 };
// Rows of a matrix of four columns: one reads nothing, one a column twice over.
const rows = resampling(1, 4, [
  [
    [0, 2],
    [3, -1],
  ],
  [],
  [[1, 3]],
]);

const integersIn = (op: string, call: (x: ReturnType<typeof zeros>) => unknown): Refusal => ({
  name: 'integers',
  call: () => call(zeros([1, 4, 4], { dtype: 'int32' })),
  error: DTypeError,
  op,
  names: { operand: 'x' },
});

export const networkSamples: readonly OpSamples[] = [
  {
    op: matmulOp,
    coreAxes: 2,
    samples: [
      { name: 'of matrices', operands: [numbers([2, 3]), numbers([3, 4])], call: matmul },
      { name: 'of stacks', operands: [numbers([2, 2, 3]), numbers([2, 3, 2])], call: matmul },
      { name: 'of vectors', operands: [numbers([3]), numbers([3])], call: matmul },
      { name: 'over nothing', operands: [numbers([2, 0]), numbers([0, 3])], call: matmul },
    ],
    neverScalar: 'it takes vectors and matrices',
    refusals: [
      {
        name: 'inner sizes that differ',
        call: () => matmul(zeros([2, 3]), zeros([2, 3])),
        error: ShapeError,
        names: { operand: 'b' },
      },
      {
        name: 'a number',
        call: () => matmul(zeros([2]), zeros([])),
        error: ShapeError,
        names: { operand: 'b' },
      },
      {
        name: 'bools',
        call: () => matmul(zeros([2], { dtype: 'bool' }), zeros([2], { dtype: 'bool' })),
        error: DTypeError,
      },
      {
        name: 'stacks that do not broadcast',
        call: () => matmul(zeros([2, 1, 1]), zeros([3, 1, 1])),
        error: ShapeError,
      },
    ],
  },
  {
    op: linearOp,
    samples: [
      { name: 'of matrices', operands: [numbers([2, 3]), numbers([4, 3])], call: linear },
      { name: 'of stacks', operands: [numbers([2, 2, 3]), numbers([2, 3])], call: linear },
      { name: 'of a vector', operands: [numbers([3]), numbers([2, 3])], call: linear },
      { name: 'over nothing', operands: [numbers([2, 0]), numbers([3, 0])], call: linear },
    ],
    neverScalar: 'it takes vectors and matrices',
    refusals: [
      {
        name: 'inner sizes that differ',
        call: () => linear(zeros([2, 3]), zeros([3, 2])),
        error: ShapeError,
        names: { operand: 'weight' },
      },
      {
        name: 'a stack, which the function flattens',
        call: () => apply(linearOp, [zeros([2, 2, 3]), zeros([2, 3])], undefined),
        error: ShapeError,
        names: { operand: 'weight' },
      },
      {
        name: 'bools',
        call: () => linear(zeros([2, 3], { dtype: 'bool' }), zeros([2, 3], { dtype: 'bool' })),
        error: DTypeError,
      },
    ],
  },
  {
    op: affineOp,
    samples: [
      { name: 'of matrices', operands: [numbers([2, 3]), numbers([4, 3]), numbers([4])], call: linear },
      { name: 'of stacks', operands: [numbers([2, 2, 3]), numbers([2, 3]), numbers([2])], call: linear },
      { name: 'of a vector', operands: [numbers([3]), numbers([2, 3]), numbers([2])], call: linear },
      { name: 'over nothing', operands: [numbers([2, 0]), numbers([3, 0]), numbers([3])], call: linear },
    ],
    neverScalar: 'it takes vectors and matrices',
    refusals: [
      {
        name: 'inner sizes that differ',
        call: () => linear(zeros([2, 3]), zeros([3, 2]), zeros([3])),
        error: ShapeError,
        op: 'linear',
        names: { operand: 'weight' },
      },
      {
        name: 'a bias for another number of outputs',
        call: () => linear(zeros([2, 3]), zeros([4, 3]), zeros([3])),
        error: ShapeError,
        op: 'linear',
        names: { operand: 'bias' },
      },
      {
        name: 'a bias of the result, which has one for each output',
        call: () => apply(affineOp, [zeros([2, 3]), zeros([4, 3]), zeros([2, 4])], undefined),
        error: ShapeError,
        names: { operand: 'bias' },
      },
      {
        name: 'bools',
        call: () =>
          linear(
            zeros([2, 3], { dtype: 'bool' }),
            zeros([2, 3], { dtype: 'bool' }),
            zeros([2], { dtype: 'bool' }),
          ),
        error: DTypeError,
        op: 'linear',
      },
    ],
  },
  {
    op: convOp,
    samples: [geometry, noImages].map((g) => ({
      name: '',
      operands: [numbers(shapes(g).x), numbers(shapes(g).w)],
      call: (x, w) => convolve(x, w, g),
    })),
    neverScalar: 'it takes images',
    refusals: [
      {
        name: 'channels that are not those of the kernel',
        call: () => conv2d(zeros([1, 3, 4, 4]), zeros([2, 2, 3, 3])),
        error: ShapeError,
        op: 'conv2d',
        names: { option: 'weight' },
      },
      {
        name: 'a kernel larger than the image',
        call: () => conv2d(zeros([1, 1, 2, 2]), zeros([1, 1, 3, 3])),
        error: GeometryError,
        op: 'conv2d',
        names: { option: 'inputSize' },
      },
      {
        name: 'operands that are not those of the geometry',
        call: () => convolve(zeros([1]), zeros(shapes(geometry).w), geometry),
        error: ShapeError,
        names: { operand: 'x' },
      },
    ],
  },
  {
    op: convInputGradOp,
    samples: [geometry, noImages].map((g) => ({
      name: '',
      operands: [numbers(shapes(g).w), numbers(shapes(g).y)],
      call: (w, y) => convInputGrad(w, y, g),
    })),
    neverScalar: 'it takes images',
    refusals: [
      {
        name: 'an outputPadding that is a stride',
        call: () => convTranspose2d(zeros([1, 1, 2, 2]), zeros([1, 1, 3, 3]), { outputPadding: 1 }),
        error: GeometryError,
        op: 'convTranspose2d',
        names: { option: 'outputPadding' },
      },
      {
        name: 'operands that are not those of the geometry',
        call: () => convInputGrad(zeros(shapes(geometry).w), zeros([1]), geometry),
        error: ShapeError,
        names: { operand: 'y' },
      },
    ],
  },
  {
    op: convWeightGradOp,
    samples: [geometry, noImages].map((g) => ({
      name: '',
      operands: [numbers(shapes(g).x), numbers(shapes(g).y)],
      call: (x, y) => convWeightGrad(x, y, g),
    })),
    neverScalar: 'it takes images',
    refusals: [
      {
        name: 'operands of two dtypes',
        call: () =>
          convWeightGrad(
            zeros(shapes(geometry).x),
            zeros(shapes(geometry).y, { dtype: 'float64' }),
            geometry,
          ),
        error: DTypeError,
        names: { operand: 'y' },
      },
    ],
  },
  {
    op: maxPoolOp,
    samples: [
      {
        name: '',
        operands: [numbers([1, 2, 4, 5], distinct)],
        call: (x) => maxPool2d(x, [2, 3], { stride: 2, padding: [0, 1] }),
      },
      {
        name: 'whose windows overlap',
        operands: [numbers([2, 1, 5, 5], distinct)],
        call: (x) => maxPool2d(x, 3, { stride: 1 }),
      },
      { name: 'of no images', operands: [numbers([0, 2, 4, 4])], call: (x) => maxPool2d(x, 2) },
    ],
    neverScalar: 'it takes images',
    refusals: [
      integersIn('maxPool2d', (x) => maxPool2d(x, 2)),
      {
        name: 'a window that is larger than the images',
        call: () => maxPool2d(zeros([1, 4, 4]), 5),
        error: GeometryError,
        op: 'maxPool2d',
        names: { option: 'inputSize' },
      },
    ],
  },
  {
    op: maxPoolInputGradOp,
    samples: [pooling, noPlanes].map((g) => ({
      name: '',
      operands: [numbers([g.batch, g.channels, ...g.outputSize])],
      call: (y) => {
        const images = arange(g.batch * g.channels * 20, { dtype: 'float64' });
        const x = reshape(images, [g.batch, g.channels, ...g.inputSize]);
        return apply(maxPoolInputGradOp, [y, apply(maxPoolPlacesOp, [x], g)], g);
      },
    })),
    neverScalar: 'it takes images',
    refusals: [
      {
        name: 'places that are no integers',
        call: () => {
          const y = zeros([pooling.batch, pooling.channels, ...pooling.outputSize]);
          return apply(maxPoolInputGradOp, [y, y], pooling);
        },
        error: DTypeError,
        names: { operand: 'places' },
      },
    ],
  },
  {
    op: maxPoolPlacesOp,
    samples: [
      {
        name: '',
        operands: [numbers([1, 2, 4, 5], distinct)],
        call: (x) => maxPool2dWithIndices(x, [2, 3], { stride: 2, padding: [0, 1] }).indices,
      },
      {
        name: 'of no images',
        operands: [numbers([0, 2, 4, 4])],
        call: (x) => maxPool2dWithIndices(x, 2).indices,
      },
    ],
    neverScalar: 'it takes images',
    refusals: [
      integersIn('maxPool2d', (x) => maxPool2dWithIndices(x, 2)),
      {
        name: 'a padding of more than half the window',
        call: () => maxPool2dWithIndices(zeros([1, 4, 4]), 2, { padding: 2 }),
        error: GeometryError,
        op: 'maxPool2d',
        names: { option: 'padding' },
      },
    ],
  },
  {
    op: avgPoolOp,
    // Windows of six.
    scale: 6,
    samples: [
      {
        name: '',
        operands: [numbers([1, 2, 4, 5])],
        call: (x) => avgPool2d(x, [2, 3], { stride: 2, padding: [0, 1] }),
      },
      { name: 'of no images', operands: [numbers([0, 2, 4, 4])], call: (x) => avgPool2d(x, 2) },
    ],
    neverScalar: 'it takes images',
    refusals: [
      integersIn('avgPool2d', (x) => avgPool2d(x, 2)),
      {
        name: 'no axes for channels',
        call: () => avgPool2d(zeros([4, 4]), 2),
        error: ShapeError,
        op: 'avgPool2d',
        names: { operand: 'x' },
      },
    ],
  },
  {
    op: avgPoolInputGradOp,
    scale: 6,
    samples: [pooling, noPlanes].map((g) => ({
      name: '',
      operands: [numbers([g.batch, g.channels, ...g.outputSize])],
      call: (y) => apply(avgPoolInputGradOp, [y], g),
    })),
    neverScalar: 'it takes images',
    refusals: [
      {
        name: 'an operand that is not that of the geometry',
        call: () => apply(avgPoolInputGradOp, [zeros([1])], pooling),
        error: ShapeError,
        names: { operand: 'y' },
      },
    ],
  },
  {
    op: adaptiveMaxPoolPlacesOp,
    samples: [
      {
        name: '',
        operands: [numbers([1, 2, 5, 4], distinct)],
        call: (x) => adaptiveMaxPool2dWithIndices(x, [3, 2]).indices,
      },
      {
        name: 'of no images',
        operands: [numbers([0, 2, 4, 4])],
        call: (x) => adaptiveMaxPool2dWithIndices(x, 2).indices,
      },
    ],
    neverScalar: 'it takes images',
    refusals: [
      integersIn('adaptiveMaxPool2d', (x) => adaptiveMaxPool2dWithIndices(x, 2)),
      {
        name: 'an output of no size',
        call: () => adaptiveMaxPool2dWithIndices(zeros([1, 4, 4]), -1),
        error: ArgumentError,
        op: 'adaptiveMaxPool2d',
        names: { option: 'outputSize' },
      },
    ],
  },
  {
    op: resampleOp,
    samples: [
      {
        name: 'by a matrix of integers',
        operands: [numbers([2, 4, 2])],
        call: (x) => resample(x, rows),
        expected: (x) =>
          [0, 8].flatMap((o) => [
            ...[0, 1].map((c) => 2 * x[o + c] - x[o + 6 + c]),
            ...[0, 0],
            ...[0, 1].map((c) => 3 * x[o + 2 + c]),
          ]),
      },
      { name: 'of nothing', operands: [numbers([0, 4])], call: (x) => resample(x, rows) },
    ],
    neverScalar: 'it is applied along an axis',
    refusals: [
      integersIn('adaptiveAvgPool1d', (x) => adaptiveAvgPool1d(x, 2)),
      {
        name: 'an axis that is not as long as the rows of the matrix',
        call: () => resample(zeros([2, 3]), rows),
        error: ShapeError,
        names: { operand: 'x' },
      },
      {
        name: 'a size and a scale',
        call: () => interpolate(zeros([1, 1, 4]), { size: 2, scaleFactor: 2 }),
        error: ArgumentError,
        op: 'interpolate',
        names: { option: 'size' },
      },
    ],
  },
  {
    ...pointwise(
      binaryCrossEntropyOp,
      (input, target) => binaryCrossEntropy(input, target, { reduction: 'none' }),
      [between(0.1, 0.9), between(0.1, 0.9)],
    ),
    refusals: [
      {
        name: 'a number that is no probability',
        call: () => binaryCrossEntropy(tensor([0.5, 1.5]), tensor([0, 1])),
        error: ArgumentError,
        names: { operand: 'input' },
      },
      {
        name: 'a target of another shape',
        call: () => binaryCrossEntropy(zeros([2]), zeros([3])),
        error: ShapeError,
        names: { operand: 'target' },
      },
      {
        name: 'integers',
        call: () => binaryCrossEntropy(zeros([2], { dtype: 'int32' }), zeros([2], { dtype: 'int32' })),
        error: DTypeError,
        names: { operand: 'input' },
      },
    ],
  },
  {
    ...pointwise(logisticLossOp, (x, target) => apply(logisticLossOp, [x, target], undefined), [
      between(-4, 4),
      between(0.1, 0.9),
    ]),
    refusals: [
      {
        name: 'a target of another shape',
        call: () => bceWithLogits(zeros([2]), zeros([3])),
        error: ShapeError,
        op: 'bceWithLogits',
        names: { operand: 'target' },
      },
    ],
  },
];
