// Processor time that a virtual machine's host gave to others while something was measured. Linux says so, in /proc/stat.

import { existsSync, readFileSync } from 'node:fs';

const STAT = '/proc/stat';
const counted = existsSync(STAT);

/** Processor time so far, in hundredths of seconds over all processors: what the host took, and all there was. Zeros where nobody counts. */
export interface ProcessorTime {
  readonly stolen: number;
  readonly total: number;
}

export function processorTime(): ProcessorTime {
  if (!counted) return { stolen: 0, total: 0 };
  // user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of user and nice.
  const [line] = readFileSync(STAT, 'utf8').split('\n', 1);
  const times = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { stolen: times[7] ?? 0, total: times.reduce((sum, time) => sum + time, 0) };
}

/** A turn is taken at most so many times while the host takes processors away. */
const MOST_TRIES = 4;

/** What `turn` gives, of a few tries the one during which the host took least. */
export async function leastDisturbed<T>(turn: () => Promise<T>): Promise<T> {
  let best: { readonly result: T; readonly stolen: number } | null = null;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const before = processorTime().stolen;
    const result = await turn();
    const stolen = processorTime().stolen - before;
    if (best === null || stolen < best.stolen) best = { result, stolen };
    if (stolen === 0) break;
  }
  return best!.result;
}
