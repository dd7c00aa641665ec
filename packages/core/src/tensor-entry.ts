// @adjoint/core/tensor: making tensors and taking gradients, to go with an entry of functions alone such as /conv.

export { type BackwardOptions, backward, type GradOptions, grad } from './autograd/backward.ts';
export type { DType, FloatDType } from './dtype.ts';
export * from './ops/create.ts';
export { enableGrad, noGrad } from './tape/mode.ts';
export { type NestedArray, Tensor } from './tensor.ts';
