// Reading from disk for the readers in ./node.ts and ./image-folder.ts: what goes wrong is told as DataFileError.

import { readdir, readFile, stat } from 'node:fs/promises';
import { requireArgument } from '@adjoint/core';
import { DataFileError, DataFormatError } from './errors.ts';
import type { NamedBytes } from './mnist.ts';

/** What is in a directory. */
export interface Entry {
  readonly name: string;
  isDirectory(): boolean;
}

/** The entries of a directory, sorted by name, so that every file system gives them in one order. */
export async function list(directory: string, op: string): Promise<Entry[]> {
  requireArgument(op, 'directory', directory, 'string');
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw new DataFileError(
      `The data directory ${directory === '' ? "''" : directory} cannot be listed (${reasonOf(cause)}).`,
      { op, directory, tried: [] },
      { cause },
    );
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The bytes of a file of at most `maxBytes`. */
export async function read(
  path: string,
  { op, directory, maxBytes }: { readonly op: string; readonly directory: string; readonly maxBytes: number },
): Promise<NamedBytes> {
  const unreadable = (cause: unknown): never => {
    throw new DataFileError(
      `${path} cannot be read (${reasonOf(cause)}).`,
      { op, directory, tried: [path] },
      { cause },
    );
  };
  const { size } = await stat(path).catch(unreadable);
  if (size > maxBytes) {
    throw new DataFormatError({
      op,
      file: path,
      offset: maxBytes,
      expected: `a file of at most ${maxBytes} bytes`,
      actual: `${size} bytes`,
      remedy: 'Raise maxBytes if the file is meant to be that large.',
    });
  }
  return { name: path, bytes: await readFile(path).catch(unreadable) };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
