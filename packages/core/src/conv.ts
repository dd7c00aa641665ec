// @adjoint/core/conv: the convolution family as functions, without the rest of the framework.

export {
  conv,
  convInputGrad,
  convInputGradOp,
  convOp,
  convWeightGrad,
  convWeightGradOp,
} from './ops/conv.ts';
export * from './ops/conv-functions.ts';
