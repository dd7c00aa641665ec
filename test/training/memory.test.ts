// There is nothing to free: a synchronous loop of training steps, which never lets the event loop run, holds its memory.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const MEGABYTE = 2 ** 20;

/** Resident memory, in bytes, at even distances along a run in a process of its own with a heap of a fixed size. */
function residentMemory(script: string): number[] {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      'tsx',
      '--max-old-space-size=64',
      '--max-semi-space-size=4',
      join(import.meta.dirname, script),
    ],
    { encoding: 'utf8', timeout: 250_000 },
  );
  if (status !== 0) throw new Error(`${script} ended with ${signal ?? status}:\n${stderr}`);
  return JSON.parse(stdout) as number[];
}

it('20,000 training steps in one synchronous loop do not grow', () => {
  const samples = residentMemory('memory-loop.ts');
  expect(samples).toHaveLength(40);
  // The least of a quarter: what is held, whatever the collector has yet to take. A tensor of one element that stayed
  // behind at every step would make it about 2 MB.
  const [second, last] = [samples.slice(10, 20), samples.slice(30)];
  expect((Math.min(...last) - Math.min(...second)) / MEGABYTE).toBeLessThan(1);
  // Nor does anything swell between collections.
  expect((Math.max(...second, ...last) - Math.min(...second)) / MEGABYTE).toBeLessThan(8);
});
