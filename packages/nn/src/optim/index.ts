// @adjoint/nn/optim: optimisers and what steers them.

export * from './adagrad.ts';
export { Adam, type AdamOptions, AdamW } from './adam.ts';
export * from './adam-variants.ts';
export * from './clip.ts';
export * from './ema.ts';
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
export * from './schedulers/combine.ts';
export * from './schedulers/cosine.ts';
export * from './schedulers/cycle.ts';
export * from './schedulers/decay.ts';
export * from './schedulers/plateau.ts';
export { type Rule, Scheduler, type SchedulerState } from './schedulers/scheduler.ts';
export * from './sgd.ts';
export * from './signs.ts';
export { type GroupState, type OptimizerState, OptimizerStateError, type TensorSpec } from './state.ts';
