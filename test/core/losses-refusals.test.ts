// What losses refuse: classes that there are not, shapes and dtypes that do not belong together, and options out of range.

import {
  bceWithLogits,
  binaryCrossEntropy,
  cosineEmbeddingLoss,
  crossEntropy,
  huberLoss,
  l1Loss,
  mseLoss,
  nllLoss,
  pairwiseDistance,
  type Reduction,
  smoothL1Loss,
  type Tensor,
  tensor,
  tripletMarginLoss,
  zeros,
} from '@adjoint/core';
import { describe, expect, test } from 'vitest';

const ints = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'int32' });

describe('refusals', () => {
  const x = zeros([2, 3]);
  const refusals: [string, () => unknown, RegExp][] = [
    [
      'a class that there is not',
      () => crossEntropy(x, ints([0, 3])),
      /^crossEntropy: target at \[1\] is 3; legal are 0 to 2 \(and -100, which is ignored\)\.$/,
    ],
    ['a negative class', () => nllLoss(x, ints([0, -1])), /^nllLoss: target at \[1\] is -1;/],
    [
      'too many targets',
      () => crossEntropy(x, ints([0, 1, 2])),
      /^crossEntropy: target has shape \(3,\); class numbers for an input of shape \(2, 3\) have \(2,\)/,
    ],
    [
      'targets of an unbatched input',
      () => crossEntropy(zeros([3]), ints([0])),
      /^crossEntropy: target has shape \(1,\); class numbers for an input of shape \(3,\) have \(\)/,
    ],
    [
      'targets in uint8',
      () => crossEntropy(x, zeros([2], { dtype: 'uint8' })),
      /^crossEntropy: target is uint8; indices are int32/,
    ],
    [
      'probabilities of another shape',
      () => crossEntropy(x, zeros([2])),
      /^crossEntropy: target has shape \(2,\), and probabilities have that of the input, \(2, 3\); for class numbers convert it with to\('int32'\)\.$/,
    ],
    [
      'ignoreIndex beside probabilities',
      () => crossEntropy(x, x, { ignoreIndex: 1 }),
      /^crossEntropy: ignoreIndex is 1 and the target holds probabilities/,
    ],
    [
      'smoothing above 1',
      () => crossEntropy(x, ints([0, 0]), { labelSmoothing: 2 }),
      /^crossEntropy: labelSmoothing is 2; it takes a number from 0 to 1\.$/,
    ],
    [
      'a weight for other classes',
      () => nllLoss(x, ints([0, 0]), { weight: zeros([2]) }),
      /^nllLoss: weight has shape \(2,\); there are 3 classes/,
    ],
    [
      'an unknown reduction',
      () => mseLoss(x, x, { reduction: 'average' as Reduction }),
      /^mseLoss: reduction is "average"; it takes one of 'none', 'mean', 'sum'\.$/,
    ],
    [
      'shapes that would broadcast',
      () => mseLoss(zeros([2, 1]), zeros([2])),
      /^mseLoss: input has shape \(2, 1\) and target \(2,\); they must be the same/,
    ],
    ['integers', () => l1Loss(ints([1]), ints([1])), /^l1Loss: input is int32;/],
    [
      'no probability',
      () => binaryCrossEntropy(tensor([0.5, 1.5]), zeros([2])),
      /^binaryCrossEntropy: element 1 of input \(in row-major order\) is 1\.5, which is no probability; for logits use bceWithLogits\.$/,
    ],
    [
      'NaN as a probability',
      () => binaryCrossEntropy(tensor([NaN]), zeros([1])),
      /^binaryCrossEntropy: element 0 of input/,
    ],
    [
      'a weight that does not broadcast',
      () => bceWithLogits(x, x, { posWeight: zeros([2]) }),
      /^bceWithLogits: posWeight has shape \(2,\)/,
    ],
    ['a negative beta', () => smoothL1Loss(x, x, { beta: -1 }), /^smoothL1Loss: beta is -1;/],
    ['a delta of 0', () => huberLoss(x, x, { delta: 0 }), /^huberLoss: delta is 0;/],
    ['a margin of 0', () => tripletMarginLoss(x, x, x, { margin: 0 }), /^tripletMarginLoss: margin is 0;/],
    [
      'a target per element',
      () => cosineEmbeddingLoss(x, x, x),
      /^cosineEmbeddingLoss: target has shape \(2, 3\); there is one for each loss, so give \(2,\)/,
    ],
    [
      'a 0-d distance',
      () => pairwiseDistance(tensor(1), tensor(2)),
      /^pairwiseDistance: the operands have no axes/,
    ],
  ];
  test.each(refusals)('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
