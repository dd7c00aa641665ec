// @adjoint/nn/log: logs of a training run on disk, as JSONL and for TensorBoard. For Node; /train makes the bytes anywhere.

import {
  appendFileSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { ArgumentError, requireArgument, requireOptions } from '@adjoint/core';
import { parseJsonl, toJsonl } from './jsonl.ts';
import type { Scalars } from './scalars.ts';
import { encodeEvent, type TensorBoardEvent } from './tensorboard.ts';

/** Options of {@link openJsonlLog}. */
export interface JsonlLogOptions {
  /**
   * Go on with the log that is there: records of steps above this are dropped, since they are about to be made again, and so is a
   * line that was cut off. Default: the log begins anew.
   */
  readonly resumeAt?: number | undefined;
}

/** A log that is written line by line. */
export interface JsonlLog {
  /** The file, as it was named. */
  readonly path: string;
  /** Writes a record. It is on its way to the disk when this returns: a killed process loses none of it. */
  log(step: number, values: Readonly<Record<string, unknown>>): void;
  /** Makes sure that all is on the disk. Afterwards nothing can be written. */
  close(): void;
}

/**
 * Opens a log in which each line is a JSON object `{"step":…, …}`; see {@link toJsonl} for numbers that JSON does not have.
 *
 * @throws DataFormatError if the log to go on with is none; what Node throws for files that cannot be written.
 * @example
 * // needs a folder to write to
 * const log = openJsonlLog('out/run.jsonl');
 * for await (const step of train(options)) log.log(step.step, scalarsOf(step));
 * log.close();
 */
export function openJsonlLog(path: string, options: JsonlLogOptions = {}): JsonlLog {
  requireOptions('openJsonlLog', options, { resumeAt: 'number' });
  const { resumeAt } = options;
  requireArgument('openJsonlLog', 'path', path, 'string');
  mkdirSync(dirname(path), { recursive: true });
  const kept = resumeAt === undefined ? '' : linesUpTo(path, resumeAt);
  // In one piece: a process that is killed here leaves the old log or the new one.
  writeFileSync(`${path}.new`, kept);
  renameSync(`${path}.new`, path);
  let open = true;
  return {
    path,
    log(step, values) {
      requireOpen('JsonlLog.log', open);
      appendFileSync(path, toJsonl({ step, ...values }));
    },
    close() {
      if (!open) return;
      open = false;
      const file = openSync(path, 'r+');
      fsyncSync(file);
      closeSync(file);
    },
  };
}

function linesUpTo(path: string, step: number): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    // A run that was stopped before its first record has no log.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
  return parseJsonl(text, { name: path })
    .filter((record) => Number(record.step) <= step)
    .map(toJsonl)
    .join('');
}

/** Options of {@link openTensorBoard}. */
export interface TensorBoardOptions {
  /** The clock, in seconds since 1970. Default: the system's. */
  readonly now?: (() => number) | undefined;
}

/** An event file that TensorBoard reads while it grows. */
export interface TensorBoardLog {
  /** The file, in the folder that was named. */
  readonly path: string;
  /** Writes numbers by tag. */
  log(step: number, scalars: Scalars): void;
  /** Writes whatever an event can hold: pictures and histograms besides numbers. */
  event(step: number, content: Pick<TensorBoardEvent, 'scalars' | 'images' | 'histograms'>): void;
  /** Makes sure that all is on the disk. Afterwards nothing can be written. */
  close(): void;
}

/**
 * Opens an event file in a folder; `tensorboard --logdir` shows the folders below the one it is given as runs. A run that is resumed
 * opens another file in the same folder.
 *
 * @throws what Node throws for files that cannot be written.
 * @example
 * // needs a folder to write to
 * const board = openTensorBoard('out/runs/first');
 * for await (const step of train(options)) board.log(step.step, scalarsOf(step));
 * board.close();
 */
export function openTensorBoard(directory: string, options: TensorBoardOptions = {}): TensorBoardLog {
  requireOptions('openTensorBoard', options, { now: 'function' });
  const { now = () => Date.now() / 1000 } = options;
  requireArgument('openTensorBoard', 'directory', directory, 'string');
  mkdirSync(directory, { recursive: true });
  const { path, file } = createEventFile(directory, now());
  writeSync(file, encodeEvent({ wallTime: now(), step: 0, fileVersion: 'brain.Event:2' }));
  let open = true;
  const write: TensorBoardLog['event'] = (step, content) => {
    requireOpen('TensorBoardLog.event', open);
    writeSync(file, encodeEvent({ ...content, wallTime: now(), step }));
  };
  return {
    path,
    event: write,
    log: (step, scalars) => write(step, { scalars }),
    close() {
      if (!open) return;
      open = false;
      fsyncSync(file);
      closeSync(file);
    },
  };
}

// TensorBoard reads the files of a run in the order of their names, and wants 'tfevents' in them.
function createEventFile(
  directory: string,
  seconds: number,
): { readonly path: string; readonly file: number } {
  const stamp = String(Math.floor(seconds)).padStart(10, '0');
  for (let i = 0; ; i++) {
    const path = join(directory, `events.out.tfevents.${stamp}.${hostname()}.${process.pid}.${i}`);
    try {
      return { path, file: openSync(path, 'wx') };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}

function requireOpen(op: string, open: boolean): void {
  if (!open) throw new ArgumentError('the log is closed; open it again to write more.', { op });
}
