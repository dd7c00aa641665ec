// @adjoint/nn/checkpoint: checkpoints on disk. For Node; the bytes of checkpoints are made and read in @adjoint/nn/train, in
// browsers too.
export {
  type Checkpoint,
  type CheckpointContent,
  CheckpointError,
  type Parts,
  type RestoreOptions,
  restoreCheckpoint,
  type Stateful,
  type TrainingParts,
} from './checkpoint.ts';
export { loadCheckpoint, readCheckpoint, saveCheckpoint } from './checkpoint-file.ts';
export {
  type CheckpointEntry,
  CheckpointFolder,
  type CheckpointFolderOptions,
  type FolderContent,
  type LoadedCheckpoint,
} from './checkpoint-folder.ts';
