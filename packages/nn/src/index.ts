// @adjoint/nn: modules, layers, losses and initialisers on top of @adjoint/core.

export * as init from './init/index.ts';
export * from './layers/activations.ts';
export * from './layers/activations-gated.ts';
export * from './layers/attention.ts';
export type { AttentionCallOptions, AttentionResult } from './layers/attention-call.ts';
export { causalMask } from './layers/attention-masks.ts';
export * from './layers/batch-norm.ts';
export * from './layers/bilinear.ts';
export * from './layers/conv.ts';
export type { ConvLayerOptions, ConvTransposeLayerOptions } from './layers/conv-base.ts';
export * from './layers/conv-transpose.ts';
export * from './layers/dropout.ts';
export * from './layers/embedding.ts';
export * from './layers/instance-norm.ts';
export * from './layers/linear.ts';
export * from './layers/norm.ts';
export type { ParameterizedOptions } from './layers/options.ts';
export * from './layers/padding.ts';
export * from './layers/pooling.ts';
export * from './layers/positional.ts';
export * from './layers/recurrent.ts';
export type { RecurrentOptions, SequenceResult } from './layers/recurrent-base.ts';
export {
  type CellOptions,
  GRUCell,
  LSTMCell,
  type LSTMState,
  RNNCell,
  type RNNCellOptions,
} from './layers/recurrent-cell.ts';
export type { SequenceOptions } from './layers/recurrent-lengths.ts';
export * from './layers/reparametrise.ts';
export * from './layers/resize.ts';
export type { RunningNormOptions } from './layers/running-norm.ts';
export * from './layers/transformer.ts';
export type { TransformerLayerOptions } from './layers/transformer-base.ts';
export * from './layers/transformer-layers.ts';
export * from './layers/transformer-stacks.ts';
export * from './layers/unpooling.ts';
export * from './losses/losses.ts';
export * from './module/containers.ts';
export { functionalCall } from './module/functional-call.ts';
export type { ForwardHook, ForwardPreHook, HookHandle } from './module/hooks.ts';
export { type Member, Module, type PlacedTensor, type UnaryModule } from './module/module.ts';
export * from './module/parameter.ts';
export {
  type LoadOptions,
  type LoadReport,
  type Mismatch,
  type StateDict,
  StateDictError,
  type StateOptions,
} from './module/state.ts';
export { parametersToVector, vectorToParameters } from './module/vector.ts';
