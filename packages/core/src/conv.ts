// @adjoint/core/conv: the convolution family as functions, without the rest of the framework.

export {
  type ConvGeometry,
  convGeometry,
  convTransposeGeometry,
  type PerAxis,
  perAxis,
} from '@adjoint/kernels-cpu';
export {
  conv,
  convInputGrad,
  convInputGradOp,
  convOp,
  convWeightGrad,
  convWeightGradOp,
} from './ops/conv.ts';
export * from './ops/conv-functions.ts';
