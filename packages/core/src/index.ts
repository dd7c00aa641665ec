// @adjoint/core: tensors, ops and derivatives. This entry also puts the ops on Tensor as methods.

import './methods.ts';

export { GeometryError } from '@adjoint/kernels-cpu';
export { type BackwardOptions, backward, type GradOptions, grad } from './autograd/backward.ts';
export * from './check/index.ts';
export * from './dtype.ts';
export * from './errors.ts';
export { add, div, mul, neg, sub } from './ops/arithmetic.ts';
export { cast } from './ops/cast.ts';
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
export { expand, mean, type ReduceOptions, sum } from './ops/expand-sum.ts';
export { clone, contiguous, permute, reshape, transpose } from './ops/layout.ts';
export { matmul } from './ops/matmul.ts';
export { add_, copy_, fill_, mul_, zero_ } from './ops/mutate.ts';
export type { Operand } from './ops/operand.ts';
export * from './random/index.ts';
export { defineOp, noGradient, type Op, vjp } from './registry.ts';
export type { Shape } from './shape.ts';
export { apply } from './tape/apply.ts';
export { enableGrad, noGrad } from './tape/mode.ts';
export { Tensor } from './tensor.ts';
