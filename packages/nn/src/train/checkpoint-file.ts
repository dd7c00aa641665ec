// A checkpoint in one file: saved over the one before it in one step, loaded whole or not at all.

import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { requireArgument } from '@adjoint/core';
import {
  type Checkpoint,
  type CheckpointContent,
  CheckpointError,
  decodeCheckpoint,
  encodeCheckpoint,
  type RestoreOptions,
  requireRestorable,
  restoreCheckpoint,
} from './checkpoint.ts';
import { removeLeftovers, replaceFile } from './checkpoint-disk.ts';
import type { TrainingParts } from './checkpoint-parts.ts';

/**
 * Writes a checkpoint to `path`, in place of one that is there already. At every moment, the file there is whole: the old
 * one or the new one.
 *
 * The state is taken at the call, so training may go on while it is written; when the promise resolves, it is safe on disk. The
 * directory must exist. Two processes must not save to one path.
 *
 * @throws CheckpointError if the file cannot be written (the old one, if any, is then untouched); ArgumentError for states
 * and extras that a checkpoint cannot hold.
 * @example
 * // needs a folder to write to
 * const path = 'runs/last.safetensors';
 * const model = new Linear(2, 3);
 * const optimizer = new Adam(model.parameters(), { lr: 0.001 });
 * await saveCheckpoint(path, { model, optimizer, progress: { epoch: 3 }, extra: { losses: [0.7, 0.5, 0.4] } });
 *
 * const { progress, extra } = await loadCheckpoint(path, { model, optimizer });
 * progress.epoch; // 3
 */
export async function saveCheckpoint(path: string, content: CheckpointContent): Promise<void> {
  requireArgument('saveCheckpoint', 'path', path, 'string');
  await replaceFile(path, encodeCheckpoint(content));
  await removeLeftovers(dirname(path), (name) => name === basename(path));
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
  requireRestorable(parts, options);
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
  requireArgument('readCheckpoint', 'path', path, 'string');
  const bytes = await readFile(path).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const details = { op: 'loadCheckpoint', file: path };
    throw new CheckpointError(`the file cannot be read (${reason}).`, details, { cause });
  });
  return decodeCheckpoint(bytes, { name: path });
}
