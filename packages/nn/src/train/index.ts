// @adjoint/nn/train: the training loop and what stands around it, for browsers and Node. What writes to disk has entries of its own:
// @adjoint/nn/checkpoint and @adjoint/nn/log.
export {
  type Checkpoint,
  type CheckpointContent,
  CheckpointError,
  decodeCheckpoint,
  encodeCheckpoint,
  type RestoreOptions,
  restoreCheckpoint,
} from './checkpoint.ts';
export type { Parts, Stateful, TrainingParts } from './checkpoint-parts.ts';
export { type Diagnostics, diagnose, type NonFinite, type ParameterDiagnostics } from './diagnostics.ts';
export { EarlyStopping, type EarlyStoppingOptions, type EarlyStoppingState } from './early-stopping.ts';
export { type EvaluateOptions, evaluate, type Scores, type StopSignal } from './evaluate.ts';
export { parseJsonl, toJsonl } from './jsonl.ts';
export { train } from './loop.ts';
export type { Position, TrainOptions } from './loop-options.ts';
export {
  Accuracy,
  type AccuracyOptions,
  ConfusionMatrix,
  MeanLoss,
  type Metric,
  type Metrics,
  PrecisionRecall,
  type PrecisionRecallScores,
} from './metrics.ts';
export type { Forward, LossInput, Objective } from './objective.ts';
export type { Batches } from './passes.ts';
export { type Scalars, scalarsOf } from './scalars.ts';
export type { TrainStep } from './step.ts';
export { encodeEvent, type Histogram, histogramOf, type TensorBoardEvent } from './tensorboard.ts';
