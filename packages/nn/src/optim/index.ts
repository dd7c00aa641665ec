// @adjoint/nn/optim: optimisers and what steers them.

export { Adam, type AdamOptions, AdamW } from './adam.ts';
export {
  type BaseOptions,
  type Group,
  Optimizer,
  type ParamGroup,
  type ParamInput,
  type Update,
} from './optimizer.ts';
export { type FloatValues, ParamState } from './param-state.ts';
export { SGD, type SGDOptions } from './sgd.ts';
export { type GroupState, type OptimizerState, OptimizerStateError } from './state.ts';
