// @adjoint/nn/checkpoint: checkpoints on disk. For Node; the bytes of checkpoints are made and read in @adjoint/nn/train, in
// browsers too.
export {
  type Checkpoint,
  type CheckpointContent,
  CheckpointError,
  type RestoreOptions,
  restoreCheckpoint,
} from './checkpoint.ts';
export { loadCheckpoint, readCheckpoint, saveCheckpoint } from './checkpoint-file.ts';
export {
  type CheckpointEntry,
  CheckpointFolder,
  type CheckpointFolderOptions,
  type FolderContent,
  type LoadedCheckpoint,
} from './checkpoint-folder.ts';
export type { Parts, Stateful, TrainingParts } from './checkpoint-parts.ts';
