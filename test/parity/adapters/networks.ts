// How fixtures call normalisation, pooling, resizing and attention: tensors are operands there, null where absent.

import {
  type AdaptiveSize,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3dWithIndices,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type BatchNormOptions,
  batchNorm,
  groupNorm,
  type InterpolateOptions,
  instanceNorm,
  interpolate,
  layerNorm,
  localResponseNorm,
  maxPool1dWithIndices,
  maxPool2dWithIndices,
  maxPool3dWithIndices,
  type NormalisedBatch,
  pixelShuffle,
  pixelUnshuffle,
  rmsNorm,
  scaledDotProductAttention,
  type Tensor,
  type ValuesAndIndices,
} from '@adjoint/core';
import type { Adapter, Adapters } from '../suite.ts';
import { optionalTensor, tensorOf } from './read.ts';

const batch =
  (
    op: (x: Tensor, options: BatchNormOptions) => NormalisedBatch,
    usesBatch: (given: object) => boolean,
  ): Adapter =>
  ([x, mean, variance, weight, bias], options) => {
    const runningMean = optionalTensor(mean);
    const parameters = { weight: optionalTensor(weight), bias: optionalTensor(bias) };
    const result = op(tensorOf(x), {
      ...options,
      ...parameters,
      runningMean,
      runningVar: optionalTensor(variance),
    });
    return runningMean !== undefined && usesBatch(options)
      ? [result.output, result.runningMean!, result.runningVar!]
      : result.output;
  };

type Pool<Result> = (x: Tensor, kernelSize: number | number[], options: object) => Result;

const pool =
  <Result>(op: Pool<Result>, tensors: (result: Result) => Tensor | Tensor[]): Adapter =>
  ([x], { kernelSize, ...options }) =>
    tensors(op(tensorOf(x), kernelSize as number | number[], options));

const adaptive =
  <Result>(
    op: (x: Tensor, outputSize: AdaptiveSize) => Result,
    tensors: (result: Result) => Tensor | Tensor[],
  ): Adapter =>
  ([x], { outputSize }) =>
    tensors(op(tensorOf(x), outputSize as AdaptiveSize));

const both = ({ values, indices }: ValuesAndIndices): Tensor[] => [values, indices];
const alone = (result: Tensor): Tensor => result;

export const networkAdapters: Adapters = {
  layerNorm: ([x, weight, bias], { normalizedShape, ...options }) =>
    layerNorm(tensorOf(x), normalizedShape as number[], {
      ...options,
      weight: optionalTensor(weight),
      bias: optionalTensor(bias),
    }),
  rmsNorm: ([x, weight], { normalizedShape, ...options }) =>
    rmsNorm(tensorOf(x), normalizedShape as number[], { ...options, weight: optionalTensor(weight) }),
  groupNorm: ([x, weight, bias], { numGroups, ...options }) =>
    groupNorm(tensorOf(x), numGroups as number, {
      ...options,
      weight: optionalTensor(weight),
      bias: optionalTensor(bias),
    }),
  batchNorm: batch(batchNorm, (given) => 'training' in given && given.training === true),
  instanceNorm: batch(instanceNorm, (given) => !('useInputStats' in given) || given.useInputStats === true),
  localResponseNorm: ([x], { size, ...options }) => localResponseNorm(tensorOf(x), size as number, options),
  maxPool1d: pool(maxPool1dWithIndices, both),
  maxPool2d: pool(maxPool2dWithIndices, both),
  maxPool3d: pool(maxPool3dWithIndices, both),
  avgPool1d: pool(avgPool1d, alone),
  avgPool2d: pool(avgPool2d, alone),
  avgPool3d: pool(avgPool3d, alone),
  adaptiveAvgPool1d: adaptive(adaptiveAvgPool1d, alone),
  adaptiveAvgPool2d: adaptive(adaptiveAvgPool2d, alone),
  adaptiveAvgPool3d: adaptive(adaptiveAvgPool3d, alone),
  adaptiveMaxPool1d: adaptive(adaptiveMaxPool1dWithIndices, both),
  adaptiveMaxPool2d: adaptive(adaptiveMaxPool2dWithIndices, both),
  adaptiveMaxPool3d: adaptive(adaptiveMaxPool3dWithIndices, both),
  scaledDotProductAttention: ([query, key, value, mask], options) =>
    scaledDotProductAttention(tensorOf(query), tensorOf(key), tensorOf(value), {
      ...options,
      attnMask: optionalTensor(mask),
    }),
  interpolate: ([x], options) => interpolate(tensorOf(x), options as InterpolateOptions),
  pixelShuffle: ([x], { upscaleFactor }) => pixelShuffle(tensorOf(x), upscaleFactor as number),
  pixelUnshuffle: ([x], { downscaleFactor }) => pixelUnshuffle(tensorOf(x), downscaleFactor as number),
};
