// @adjoint/core: tensors, ops and derivatives. This entry also puts the ops on Tensor as methods.

import './methods.ts';

export { GeometryError, IntegerDivisionError, OperandError } from '@adjoint/kernels-cpu';
export { AnomalyError, type AnomalyOptions, detectAnomaly, type OperandRange } from './autograd/anomaly.ts';
export { type BackwardOptions, backward, type GradOptions, grad } from './autograd/backward.ts';
export { type CheckpointOptions, checkpoint } from './autograd/checkpoint.ts';
export { type Explanation, explain, type Obstacle, type ParameterExplanation } from './autograd/explain.ts';
export { type GradientHook, type HookHandle, registerHook } from './autograd/hooks.ts';
export { hessian, type JacobianOptions, jacobian } from './autograd/jacobian.ts';
export { hvp, jvp, type TransformOptions, valueAndGrad, vjp } from './autograd/transforms.ts';
export type { TensorFunction, Tensors } from './autograd/variables.ts';
export { type VmapOptions, vmap } from './autograd/vmap.ts';
export * from './check/index.ts';
export { descent } from './descent.ts';
export {
  bytesPerElement,
  canCast,
  computeDType,
  type DType,
  dtypes,
  type FloatDType,
  isFloat,
  type Promotable,
  promoteTypes,
  resultType,
} from './dtype.ts';
export * from './errors.ts';
export { add, div, mul, neg, sub } from './ops/arithmetic.ts';
export { type AttentionOptions, scaledDotProductAttention } from './ops/attention.ts';
export {
  type FlattenOptions,
  flatten,
  flip,
  movedim,
  type RollOptions,
  roll,
  type SqueezeOptions,
  squeeze,
  unflatten,
  unsqueeze,
} from './ops/axes.ts';
export { type ClampOptions, clamp, type HardtanhOptions, hardtanh } from './ops/bounds.ts';
export { cast } from './ops/cast.ts';
export { allclose, type CloseOptions, equal, isclose } from './ops/close.ts';
export { eq, ge, gt, isfinite, isinf, isnan, le, lt, ne } from './ops/compare.ts';
export type * from './ops/conv-functions.ts';
export {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from './ops/conv-functions.ts';
export * from './ops/create.ts';
export { type DiagonalOptions, diagonal, type TriangleOptions, trace, tril, triu } from './ops/diagonal.ts';
export { type DiffOptions, diff } from './ops/differences.ts';
export { floorDivide, remainder } from './ops/division.ts';
export { type DropoutOptions, dropout, dropout1d, dropout2d, dropout3d } from './ops/dropout.ts';
export { einsum } from './ops/einsum.ts';
export { expand, mean, type ReduceOptions, sum } from './ops/expand-sum.ts';
export { exp, exp2, expm1, log, log1p, log2, log10 } from './ops/exponential.ts';
export {
  type AlongOptions,
  type ArgOptions,
  amax,
  amin,
  argmax,
  argmin,
  max,
  min,
  type ValuesAndIndices,
} from './ops/extremes.ts';
export { gather, scatter, scatterAdd } from './ops/gather.ts';
export { type GumbelSoftmaxOptions, gumbelSoftmax } from './ops/gumbel.ts';
export { acosh, asinh, atanh, cosh, hypot, sinh, tanh } from './ops/hyperbolic.ts';
export { type IndexEntry, index } from './ops/index-advanced.ts';
export { cat, stack } from './ops/join.ts';
export { clone, contiguous, permute, reshape, transpose, view } from './ops/layout.ts';
export { lerp } from './ops/lerp.ts';
export { logicalAnd, logicalNot, logicalOr, logicalXor } from './ops/logic.ts';
export {
  type EmbeddingOptions,
  embedding,
  indexSelect,
  type OneHotOptions,
  oneHot,
  take,
} from './ops/lookup.ts';
export type { LossOptions, Reduction } from './ops/loss-reduction.ts';
export {
  type BceWithLogitsOptions,
  type BinaryCrossEntropyOptions,
  bceWithLogits,
  binaryCrossEntropy,
} from './ops/losses-binary.ts';
export {
  type CrossEntropyOptions,
  crossEntropy,
  type NllLossOptions,
  nllLoss,
} from './ops/losses-classes.ts';
export * from './ops/losses-distance.ts';
export * from './ops/losses-likelihood.ts';
export * from './ops/losses-margin.ts';
export * from './ops/losses-pairwise.ts';
export { type CtcLossOptions, ctcLoss, type Lengths } from './ops/losses-sequence.ts';
export { maskedFill, maskedSelect } from './ops/masked.ts';
export { matmul } from './ops/matmul.ts';
export { median } from './ops/median.ts';
export {
  type AlphaOptions,
  add_,
  clamp_,
  copy_,
  div_,
  fill_,
  modify_,
  mul_,
  requireMutable,
  sub_,
  zero_,
} from './ops/mutate.ts';
export { type NanToNumOptions, nanToNum } from './ops/nan-to-num.ts';
export {
  groupNorm,
  type LocalResponseNormOptions,
  layerNorm,
  localResponseNorm,
  type RmsNormOptions,
  rmsNorm,
} from './ops/norms.ts';
export * from './ops/norms-batch.ts';
export type { Operand } from './ops/operand.ts';
export { type PadMode, type PadOptions, pad } from './ops/pad.ts';
export { type PadSequenceOptions, padSequence } from './ops/pad-sequence.ts';
export * from './ops/pixel-shuffle.ts';
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
  maxPool3d,
  maxPool3dWithIndices,
} from './ops/pool.ts';
export {
  type AdaptiveSize,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3d,
  adaptiveMaxPool3dWithIndices,
} from './ops/pool-adaptive.ts';
export { pow, reciprocal, rsqrt, sqrt, square } from './ops/powers.ts';
export { bmm, dot, linear, outer } from './ops/products.ts';
export { all, any, countNonzero } from './ops/quantifiers.ts';
export { type ArangeOptions, arange, eye, linspace, type MeshgridOptions, meshgrid } from './ops/ranges.ts';
export {
  celu,
  type EluOptions,
  elu,
  hardsigmoid,
  hardswish,
  type LeakyReluOptions,
  leakyRelu,
  prelu,
  relu,
  relu6,
  selu,
} from './ops/rectifiers.ts';
export { type RepeatInterleaveOptions, repeat, repeatInterleave, tile } from './ops/repeat.ts';
export * from './ops/resize.ts';
export { cumprod, cumsum, prod, type ScanOptions } from './ops/scan.ts';
export { nonzero, type SearchsortedOptions, searchsorted, type UniqueValues, unique } from './ops/search.ts';
export { abs, maximum, minimum, where } from './ops/select.ts';
export {
  erf,
  erfc,
  type GeluOptions,
  gelu,
  logSigmoid,
  mish,
  type SoftplusOptions,
  sigmoid,
  silu,
  softplus,
  softsign,
} from './ops/sigmoids.ts';
export { narrow, type Range, type SliceIndex, select, slice } from './ops/slice.ts';
export { logaddexp, logSoftmax, logsumexp, type SoftmaxOptions, softmax } from './ops/softmax.ts';
export { argsort, type SortOptions, sort, type TopkOptions, topk } from './ops/sort.ts';
export { type AxisOptions, chunk, split, unbind } from './ops/split.ts';
export type { NormalisationOptions } from './ops/standardise.ts';
export {
  type NormOptions,
  norm,
  std,
  type VarianceOptions,
  variance,
  variance as var,
} from './ops/statistics.ts';
export { ceil, floor, round, sign, trunc } from './ops/steps.ts';
export * from './ops/sums-by-index.ts';
export { acos, asin, atan, atan2, cos, sin, tan } from './ops/trigonometry.ts';
export { fold, type UnfoldOptions, unfold } from './ops/windows.ts';
export { type OptionKind, type OptionKinds, requireArgument, requireOptions } from './options.ts';
export * from './random/index.ts';
export { defineOp, noGradient, type Op, vjpRule } from './registry.ts';
export type { Shape } from './shape.ts';
export { apply } from './tape/apply.ts';
export { enableGrad, noGrad } from './tape/mode.ts';
export { requireTensor, Tensor } from './tensor.ts';
