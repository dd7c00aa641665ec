// How fixtures call the losses: tensor weights are operands there, null where absent.

import {
  bceWithLogits,
  binaryCrossEntropy,
  cdist,
  cosineEmbeddingLoss,
  cosineSimilarity,
  crossEntropy,
  ctcLoss,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  huberLoss,
  klDiv,
  l1Loss,
  logSoftmax,
  marginRankingLoss,
  mseLoss,
  nllLoss,
  normalize,
  poissonNllLoss,
  smoothL1Loss,
  softMarginLoss,
  type Tensor,
  tripletMarginLoss,
} from '@adjoint/core';
import type { Adapter, Adapters } from '../suite.ts';
import { optionalTensor, tensorOf, withOptions } from './read.ts';

type Loss<Options> = (input: Tensor, target: Tensor, options: Options) => Tensor;

// The fixture's options are named as Adjoint's are; that they are of their types is what the case tests.
const loss =
  <Options>(op: Loss<Options>): Adapter =>
  ([input, target], options) =>
    op(tensorOf(input), tensorOf(target), options as Options);

const weightedLoss =
  <Options>(op: Loss<Options>): Adapter =>
  ([input, target, weight], options) =>
    op(tensorOf(input), tensorOf(target), { ...options, weight: optionalTensor(weight) } as Options);

export const lossAdapters: Adapters = {
  mseLoss: loss(mseLoss),
  l1Loss: loss(l1Loss),
  smoothL1Loss: loss(smoothL1Loss),
  huberLoss: loss(huberLoss),
  klDiv: loss(klDiv),
  nllLoss: weightedLoss(nllLoss),
  crossEntropy: weightedLoss(crossEntropy),
  binaryCrossEntropy: weightedLoss(binaryCrossEntropy),
  bceWithLogits: ([input, target, weight, posWeight], options) =>
    bceWithLogits(tensorOf(input), tensorOf(target), {
      ...options,
      weight: optionalTensor(weight),
      posWeight: optionalTensor(posWeight),
    }),
  hingeEmbeddingLoss: loss(hingeEmbeddingLoss),
  gaussianNllLoss: ([input, target, variance], options) =>
    gaussianNllLoss(tensorOf(input), tensorOf(target), tensorOf(variance), options),
  poissonNllLoss: loss(poissonNllLoss),
  marginRankingLoss: ([a, b, target], options) =>
    marginRankingLoss(tensorOf(a), tensorOf(b), tensorOf(target), options),
  softMarginLoss: loss(softMarginLoss),
  cdist: ([a, b], { p }) => cdist(tensorOf(a), tensorOf(b), p === undefined ? {} : { p: Number(p) }),
  cosineEmbeddingLoss: ([a, b, target], options) =>
    cosineEmbeddingLoss(tensorOf(a), tensorOf(b), tensorOf(target), options),
  tripletMarginLoss: ([anchor, positive, negative], options) =>
    tripletMarginLoss(tensorOf(anchor), tensorOf(positive), tensorOf(negative), options),
  cosineSimilarity: ([a, b], options) => cosineSimilarity(tensorOf(a), tensorOf(b), options),
  ctcOfLogits: ([logits, targets, inputLengths, targetLengths], options) =>
    ctcLoss(
      logSoftmax(tensorOf(logits), { axis: 2 }),
      tensorOf(targets),
      tensorOf(inputLengths),
      tensorOf(targetLengths),
      options,
    ),
  normalize: withOptions(normalize),
};
