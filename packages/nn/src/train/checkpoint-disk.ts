// Files replaced in one step: whoever looks, after a kill or a loss of power at any moment, finds the old one or the new one.
//
// The bytes are written beside the file's place, synced, and renamed into it; then the directory is synced.

import { randomBytes } from 'node:crypto';
import { open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CheckpointError } from './checkpoint.ts';

// Names of files that are being written: .NAME.PROCESS.RANDOM.tmp
const TEMPORARY = /^\.(.+)\.(\d+)\.[\da-f]{8}\.tmp$/;

// No one writes for longer without touching the file.
const ABANDONED_MS = 3_600_000;

// Replacements of one file happen in the order of their calls, else an older state could follow a newer one.
const running = new Map<string, Promise<void>>();

/**
 * Puts `bytes` in the place of the file at `path`, after the replacements of it that are under way.
 *
 * @throws CheckpointError that says whether the old file or the new one is there.
 */
export async function replaceFile(path: string, bytes: Promise<Uint8Array>): Promise<void> {
  const key = resolve(path);
  const replace = async (): Promise<void> => write(path, await bytes);
  const turn = (running.get(key) ?? Promise.resolve()).then(replace, replace);
  running.set(key, turn);
  try {
    // Both at once: a failure of the bytes is known before their turn comes.
    await Promise.all([bytes, turn]);
  } finally {
    if (running.get(key) === turn) running.delete(key);
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
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

/**
 * Removes what processes that were killed while they wrote have left of files that `isMeant` names.
 *
 * @throws CheckpointError if one cannot be removed.
 */
export async function removeLeftovers(directory: string, isMeant: (name: string) => boolean): Promise<void> {
  for (const entry of await readdir(directory)) {
    const [, name, pid] = TEMPORARY.exec(entry) ?? [];
    if (name === undefined || !isMeant(name)) continue;
    const path = join(directory, entry);
    if (isAlive(Number(pid)) && !(await isOld(path))) continue;
    await remove(path);
  }
}

/**
 * Removes a file, if it is still there.
 *
 * @throws CheckpointError if it cannot be removed.
 */
export async function remove(path: string): Promise<void> {
  await unlink(path).catch((cause: unknown) => {
    if (codeOf(cause) !== 'ENOENT')
      throw failure(path, 'the file is superfluous, but cannot be removed', cause);
  });
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > ABANDONED_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process that we may not signal is one.
    return codeOf(error) === 'EPERM';
  }
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

function failure(file: string, sentence: string, cause: unknown): CheckpointError {
  return new CheckpointError(`${sentence} (${reasonOf(cause)}).`, { op: 'saveCheckpoint', file }, { cause });
}

/** What a failure says of itself. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
