// @adjoint/nn/checkpoint: checkpoints on disk, whole at every moment. For Node; ./checkpoint.ts is the part for browsers.
//
// A file is written beside its place, synced, and renamed into it, and then the directory is synced: whoever looks, after a kill
// or a loss of power at any moment, finds the old checkpoint or the new one.

import { randomBytes } from 'node:crypto';
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  type Checkpoint,
  type CheckpointContent,
  CheckpointError,
  decodeCheckpoint,
  encodeCheckpoint,
  type RestoreOptions,
  restoreCheckpoint,
  type TrainingParts,
} from './checkpoint.ts';

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

/**
 * Writes a checkpoint to `path`, in place of one that is there already.
 *
 * The state is taken at the call; training may go on before the promise resolves, which is when the checkpoint is safe on disk.
 *
 * @throws CheckpointError if the file cannot be written (the old one, if any, is then untouched); ArgumentError for states
 * and extras that a checkpoint cannot hold.
 * @example
 * const { mkdtemp } = await import('node:fs/promises');
 * const path = `${await mkdtemp('/tmp/run-')}/last.safetensors`;
 * const model = new Linear(2, 3);
 * const optimizer = new Adam(model.parameters(), { lr: 0.001 });
 * await saveCheckpoint(path, { model, optimizer, progress: { epoch: 3 }, extra: { losses: [0.7, 0.5, 0.4] } });
 *
 * const { progress, extra } = await loadCheckpoint(path, { model, optimizer });
 * progress.epoch; // 3
 */
export async function saveCheckpoint(path: string, content: CheckpointContent): Promise<void> {
  const encoding = encodeCheckpoint(content);
  const writing = inTurn(resolve(path), async () => replaceFile(path, await encoding));
  // Both at once: a failure of the first is known before the second comes to look at it.
  await Promise.all([encoding, writing]);
}

/**
 * Reads the checkpoint at `path`, checks it, and puts its states back into the parts given: all of them, or none.
 *
 * @returns its counters and extras.
 * @throws CheckpointError if the file cannot be read or is of other parts; DataFormatError if it is no checkpoint or damaged;
 * what a part's own `loadStateDict` throws. In all cases nothing is changed.
 */
export async function loadCheckpoint(
  path: string,
  parts: TrainingParts,
  options: RestoreOptions = {},
): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(path);
  restoreCheckpoint(checkpoint, parts, options);
  return checkpoint;
}

/**
 * Reads and checks the checkpoint at `path`, and restores nothing: {@link restoreCheckpoint} does that, or take from
 * `states` what you need.
 *
 * @throws CheckpointError if the file cannot be read; DataFormatError if it is no checkpoint or damaged.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new CheckpointError(
      `the file cannot be read (${reasonOf(cause)}).`,
      { op: 'loadCheckpoint', file: path },
      { cause },
    );
  });
  return decodeCheckpoint(bytes, { name: path });
}

// Saves to one path happen in the order of their calls, else an older state could replace a newer one.
const running = new Map<string, Promise<void>>();

async function inTurn(path: string, save: () => Promise<void>): Promise<void> {
  const turn = (running.get(path) ?? Promise.resolve()).then(save, save);
  running.set(path, turn);
  try {
    await turn;
  } finally {
    if (running.get(path) === turn) running.delete(path);
  }
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const directory = dirname(path);
  const temporary = join(
    directory,
    `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`,
  );
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    // What is left of the attempt, which may not have come to a file. The failure to be told is the first.
    await unlink(temporary).catch(() => {});
    throw failure(path, 'the checkpoint cannot be written, and what was there before is untouched', cause);
  }
  await syncDirectory(directory).catch((cause: unknown) => {
    throw failure(path, 'the checkpoint is in its place, but may not outlive a loss of power', cause);
  });
}

function failure(file: string, sentence: string, cause: unknown): CheckpointError {
  return new CheckpointError(`${sentence} (${reasonOf(cause)}).`, { op: 'saveCheckpoint', file }, { cause });
}

// The rename is safe once the directory is. Windows has no such call, and needs none.
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
