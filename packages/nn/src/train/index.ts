// @adjoint/nn/train: the parts of a training run, for browsers and Node. Files on disk are for @adjoint/nn/checkpoint.
export {
  type Checkpoint,
  type CheckpointContent,
  CheckpointError,
  decodeCheckpoint,
  encodeCheckpoint,
  type Parts,
  type RestoreOptions,
  restoreCheckpoint,
  type Stateful,
  type TrainingParts,
} from './checkpoint.ts';
