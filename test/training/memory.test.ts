// There is nothing to free: a synchronous loop of training steps, which never lets the event loop run, holds its memory.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const MEGABYTE = 2 ** 20;

interface Memory {
  /** Bytes of resident memory, at even distances along the run. */
  readonly resident: readonly number[];
  /** Bytes that are held when all garbage is collected, in the middle of the run and at its end. */
  readonly held: readonly number[];
}

/** A run in a process of its own with a heap of a fixed size. */
function memoryOf(script: string): Memory {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      'tsx',
      '--expose-gc',
      '--max-old-space-size=64',
      '--max-semi-space-size=4',
      join(import.meta.dirname, script),
    ],
    { encoding: 'utf8', timeout: 250_000 },
  );
  if (status !== 0) throw new Error(`${script} ended with ${signal ?? status}:\n${stderr}`);
  return JSON.parse(stdout) as Memory;
}

it('20,000 training steps in one synchronous loop do not grow', () => {
  const { resident, held } = memoryOf('memory-loop.ts');
  expect(resident).toHaveLength(40);
  // A tensor of one element that stayed behind at every step would make it about 4 MB.
  expect((held[1] - held[0]) / MEGABYTE).toBeLessThan(1);
  // Nothing swells between collections, of which none is asked for before the middle. The process settles in a quarter.
  const settled = resident.slice(10);
  expect((Math.max(...settled) - Math.min(...settled)) / MEGABYTE).toBeLessThan(12);
});
