// The run's checkpoint: written whole, and resumed only by a run that would go on with the very same steps.

import { ArgumentError } from '@adjoint/core';
import { CheckpointError, readCheckpoint, restoreCheckpoint, saveCheckpoint } from '@adjoint/nn/checkpoint';
import type { Adam } from '@adjoint/nn/optim';
import type { LossPoint } from './loss-curve.ts';
import type { Autoencoder } from './model.ts';
import type { Position } from './train.ts';

/** The live objects of a run. */
export interface Parts {
  readonly model: Autoencoder;
  readonly optimizer: Adam;
}

/** Options that decide which steps a run makes; a run that resumes must have the same. */
export interface Settings {
  readonly seed: number;
  readonly batch: number;
  readonly lr: number;
  /** How many images there are to train on. */
  readonly images: number;
  /** SHA-256 of the images: as many others would not do. */
  readonly digest: string;
}

/** How far a run has come, and what its losses were. */
export interface History {
  readonly position: Position;
  readonly training: readonly LossPoint[];
  readonly heldOut: readonly LossPoint[];
}

/** Writes the checkpoint in place of an older one. */
export async function save(path: string, parts: Parts, settings: Settings, history: History): Promise<void> {
  const { position, training, heldOut } = history;
  const { digest, ...numbers } = settings;
  await saveCheckpoint(path, {
    ...parts,
    progress: { ...position, ...numbers },
    extra: { training, heldOut, digest },
  });
}

/**
 * Puts model and optimiser back to where the checkpoint left them.
 *
 * @throws ArgumentError, with nothing changed, if there is no checkpoint, or one that was made with other settings; CheckpointError or
 *   DataFormatError if it cannot be read or is damaged.
 */
export async function resume(path: string, parts: Parts, settings: Settings): Promise<History> {
  const checkpoint = await readCheckpoint(path).catch((error: unknown) => {
    throw isMissing(error) ? nothingToResume(path) : error;
  });
  const { progress, extra } = checkpoint;
  const made: Readonly<Record<string, unknown>> = { ...progress, digest: extra.digest };
  for (const [name, value] of Object.entries(settings)) {
    if (made[name] === value) continue;
    const what = name === 'digest' ? 'images of SHA-256' : name;
    throw new ArgumentError(
      `${path} was made with ${what} ${made[name]}, and this run has ${value}; give the same, or start anew in another folder (--out).`,
      { op: '--resume', operand: name, actual: value, expected: String(made[name]) },
    );
  }
  restoreCheckpoint(checkpoint, parts);
  return {
    position: { epoch: progress.epoch, step: progress.step },
    training: extra.training as LossPoint[],
    heldOut: extra.heldOut as LossPoint[],
  };
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof CheckpointError ? error.cause : null;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

function nothingToResume(path: string): ArgumentError {
  return new ArgumentError(
    `there is nothing to go on from: ${path} does not exist. Leave --resume out to start anew, or name the folder of the run with --out.`,
    { op: '--resume', operand: '--out', actual: path, expected: 'a folder with a checkpoint' },
  );
}
