// The checkpoints of a run in one folder: the last few, and the best.
//
// What there is to know of a file is in its name, step-1200-metric-0.0123.safetensors: no list is kept that could disagree
// with the folder after a kill.

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataFormatError, requireArgument, requireOptions } from '@adjoint/core';
import { requireInteger, requireOneOf } from '../layers/options.ts';
import {
  type Checkpoint,
  type CheckpointContent,
  CheckpointError,
  encodeCheckpoint,
  type RestoreOptions,
  requireRestorable,
  restoreCheckpoint,
} from './checkpoint.ts';
import { reasonOf, remove, removeLeftovers, replaceFile } from './checkpoint-disk.ts';
import { readCheckpoint } from './checkpoint-file.ts';
import type { TrainingParts } from './checkpoint-parts.ts';

/** Options of {@link CheckpointFolder}. */
export interface CheckpointFolderOptions {
  /** How many checkpoints to keep, counted from the last; at least 1. Default 3. */
  readonly keepLast?: number | undefined;
  /** Which metric is the best: the least (a loss, the default) or the greatest (an accuracy). */
  readonly best?: 'least' | 'greatest' | undefined;
}

/** What {@link CheckpointFolder.save} keeps: the content of a checkpoint, whose progress counts steps. */
export interface FolderContent extends CheckpointContent {
  /** Counters; `step` orders the files. */
  readonly progress: Readonly<Record<string, number>> & { readonly step: number };
}

/** A checkpoint in a folder. */
export interface CheckpointEntry {
  /** Path of the file. */
  readonly path: string;
  /** The step at which it was saved. */
  readonly step: number;
  /** What the best is chosen by, where it was given. */
  readonly metric: number | undefined;
}

/** What {@link CheckpointFolder.load} restored. */
export interface LoadedCheckpoint extends Checkpoint {
  /** Which of the folder's checkpoints it is. */
  readonly entry: CheckpointEntry;
  /** Errors of later checkpoints, which are damaged; the next save removes them. Empty in the usual case. */
  readonly damaged: readonly DataFormatError[];
}

const FILE = /^step-(\d+)(?:-metric-(.+))?\.safetensors$/;

/**
 * A folder that holds a run's last checkpoints, and the best one for as long as it is the best.
 *
 * One run at a time may save to a folder.
 *
 * @example
 * // needs a folder to write to
 * const model = new Linear(2, 3);
 * const folder = new CheckpointFolder('runs/first', { keepLast: 2 });
 * for (const [step, metric] of [0.5, 0.2, 0.4, 0.3].entries())
 *   await folder.save({ model, progress: { step } }, { metric });
 *
 * (await folder.list()).map(({ step }) => step); // [1, 2, 3]: the best and the last two
 * const loaded = await folder.load({ model });
 * loaded.progress.step; // 3
 */
export class CheckpointFolder {
  /** The folder, as it was named. */
  readonly directory: string;
  readonly #keepLast: number;
  readonly #best: 'least' | 'greatest';
  /** Paths of files that `load` found damaged. */
  readonly #damaged = new Set<string>();
  /** Resolves when the save that was called last is done. */
  #saved: Promise<void> = Promise.resolve();

  /** @throws ArgumentError for a `keepLast` that is no positive integer, or another `best`. */
  constructor(directory: string, options: CheckpointFolderOptions = {}) {
    requireOptions('CheckpointFolder', options, { keepLast: 'number', best: 'string' });
    const { keepLast = 3, best = 'least' } = options;
    this.directory = directory;
    this.#keepLast = requireInteger('CheckpointFolder', 'keepLast', keepLast, 1);
    this.#best = requireOneOf('CheckpointFolder', 'best', best, ['least', 'greatest']);
  }

  /**
   * Writes a checkpoint, then removes those that are neither among the last nor the best. Makes the folder if there is none.
   *
   * The state is taken at the call. A file is whole or not there; see `saveCheckpoint`.
   *
   * @param options.metric what the best is chosen by, for instance the loss on held-out data. NaN is never the best.
   * @returns the new file's entry.
   * @throws CheckpointError if the folder holds whole checkpoints of later steps, those of another run; if a file cannot be written
   * or removed. ArgumentError for a step that is no integer from 0.
   */
  async save(
    content: FolderContent,
    options: { readonly metric?: number | undefined } = {},
  ): Promise<CheckpointEntry> {
    requireOptions('CheckpointFolder.save', options, { metric: 'number' });
    const { metric } = options;
    requireArgument('CheckpointFolder.save', 'content.progress', content?.progress, Object);
    const { step } = content.progress;
    requireInteger('CheckpointFolder', 'progress.step', step, 0);
    const name = `step-${step}${metric === undefined ? '' : `-metric-${metric}`}.safetensors`;
    const made: CheckpointEntry = { path: join(this.directory, name), step, metric };
    const bytes = encodeCheckpoint(content);
    const saving = Promise.all([bytes, this.#saved]).then(() => this.#write(made, bytes));
    // The next one waits for this one, whatever comes of it; its failure is told to its own caller.
    this.#saved = saving.catch(() => {});
    await saving;
    return made;
  }

  /**
   * Restores the last checkpoint that is whole.
   *
   * @returns its counters and extras; null if the folder holds no checkpoint, as at the start of a run.
   * @throws the error of the last checkpoint if all are damaged; CheckpointError if files cannot be read, or are of other parts;
   * what a part's own `loadStateDict` throws. Nothing is changed then.
   */
  async load(parts: TrainingParts, options: RestoreOptions = {}): Promise<LoadedCheckpoint | null> {
    requireRestorable(parts, options);
    const entries = await this.list();
    const damaged: DataFormatError[] = [];
    for (const entry of entries.reverse()) {
      const read = await readCheckpoint(entry.path).catch((error: unknown) => {
        if (error instanceof DataFormatError) return error;
        throw error;
      });
      if (!(read instanceof DataFormatError)) {
        restoreCheckpoint(read, parts, options);
        return { ...read, entry, damaged };
      }
      damaged.push(read);
      this.#damaged.add(entry.path);
    }
    if (damaged.length > 0) throw damaged[0];
    return null;
  }

  /**
   * Restores the checkpoint with the best metric.
   *
   * @returns its counters and extras; null if no checkpoint has a metric.
   * @throws as {@link load} does, but falls back on no other checkpoint.
   */
  async loadBest(parts: TrainingParts, options: RestoreOptions = {}): Promise<LoadedCheckpoint | null> {
    requireRestorable(parts, options);
    const entry = this.#bestOf(await this.list());
    if (entry === undefined) return null;
    const checkpoint = await readCheckpoint(entry.path);
    restoreCheckpoint(checkpoint, parts, options);
    return { ...checkpoint, entry, damaged: [] };
  }

  /** The checkpoints in the folder, by step; none if there is no folder. */
  async list(): Promise<CheckpointEntry[]> {
    const names = await readdir(this.directory).catch((cause: unknown) => {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
      throw new CheckpointError(
        `the folder cannot be listed (${reasonOf(cause)}).`,
        { op: 'CheckpointFolder', file: this.directory },
        { cause },
      );
    });
    return names
      .flatMap((name) => {
        const [, step, metric] = FILE.exec(name) ?? [];
        if (step === undefined) return [];
        return {
          path: join(this.directory, name),
          step: Number(step),
          metric: metric === undefined ? undefined : Number(metric),
        };
      })
      .sort((a, b) => a.step - b.step);
  }

  async #write(made: CheckpointEntry, bytes: Promise<Uint8Array>): Promise<void> {
    await mkdir(this.directory, { recursive: true }).catch((cause: unknown) => {
      throw new CheckpointError(
        `the folder cannot be made (${reasonOf(cause)}).`,
        { op: 'save', file: this.directory },
        { cause },
      );
    });
    const entries = await this.list();
    const later = entries.find(({ step, path }) => step > made.step && !this.#damaged.has(path));
    if (later !== undefined) {
      throw new CheckpointError(
        `there is a checkpoint of step ${later.step} already, and this one is of step ${made.step}. Go on from that one with load(), remove it, or save to another folder.`,
        { op: 'save', file: later.path },
      );
    }
    await replaceFile(made.path, bytes);
    await this.#prune(made);
  }

  async #prune(made: CheckpointEntry): Promise<void> {
    await removeLeftovers(this.directory, (name) => FILE.test(name));
    const isSuperseded = ({ path, step }: CheckpointEntry): boolean =>
      path !== made.path && (step === made.step || this.#damaged.has(path));
    const entries = await this.list();
    const valid = entries.filter((entry) => !isSuperseded(entry));
    const kept = new Set([...valid.slice(-this.#keepLast), this.#bestOf(valid)]);
    for (const entry of entries) if (!kept.has(entry)) await remove(entry.path);
    this.#damaged.clear();
  }

  #bestOf(entries: readonly CheckpointEntry[]): CheckpointEntry | undefined {
    const sign = this.#best === 'least' ? 1 : -1;
    let best: CheckpointEntry | undefined;
    let score = Number.POSITIVE_INFINITY;
    for (const entry of entries) {
      // Of equals the first is the best; NaN is less than nothing.
      const value = entry.metric === undefined ? Number.NaN : sign * entry.metric;
      if (!(value < score)) continue;
      best = entry;
      score = value;
    }
    return best;
  }
}
