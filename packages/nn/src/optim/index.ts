// @adjoint/nn/optim: optimisers and what steers them.

export * from './adagrad.ts';
export { Adam, type AdamOptions, AdamW } from './adam.ts';
export * from './adam-variants.ts';
export * from './lamb.ts';
export * from './lbfgs.ts';
export * from './muon.ts';
export {
  type BaseOptions,
  type Group,
  Optimizer,
  type ParamGroup,
  type ParamInput,
  type Update,
} from './optimizer.ts';
export { type FloatValues, ParamState } from './param-state.ts';
export * from './rmsprop.ts';
export * from './sgd.ts';
export * from './signs.ts';
export { type GroupState, type OptimizerState, OptimizerStateError, type TensorSpec } from './state.ts';
