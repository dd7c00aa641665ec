// Measuring one case: everyone builds it, all must get the same numbers, then they run in turn, round after round.

import type { BenchCase } from './cases.ts';
import { ContestantError, type ContestantProcess } from './process.ts';
import { leastDisturbed } from './stolen.ts';

/** How long to measure. */
export interface Effort {
  readonly rounds: number;
  /** Milliseconds that one contestant's turn should take. */
  readonly turn: number;
}

/** What one contestant did with a case: its times per unit, or why there are none. */
export interface Outcome {
  readonly process: ContestantProcess;
  readonly times: readonly number[];
  /** Empty if all is well. */
  readonly problem: string;
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// float32 results of sums of up to a million terms in any order, and functions of a few ulp.
const TOLERANCE = 5e-4;

/** Where a contestant's results differ from the first one's; empty if nowhere. */
function difference(expected: readonly number[][], actual: readonly number[][]): string {
  if (actual.length !== expected.length) return `${actual.length} results, not ${expected.length}`;
  for (const [i, values] of expected.entries()) {
    const [rms] = values;
    for (const [k, value] of values.entries()) {
      const error = Math.abs(actual[i][k] - value);
      if (!(error <= TOLERANCE * (Math.abs(value) + rms)))
        return `result ${i}: ${actual[i][k]}, not ${value}`;
    }
  }
  return '';
}

interface Runner {
  readonly process: ContestantProcess;
  readonly runs: number;
  /** How many turns it still gets. */
  turns: number;
  readonly times: number[];
}

/** A contestant so slow that one run takes as long as this many turns is timed once. */
const TOO_SLOW = 20;

/** Warm-up ends when this many turns have brought no more than a tenth, or after so many in all. */
const STEADY_TURNS = 3;
const MOST_TURNS = 40;

/**
 * What runs once a call is compiled after some thousand calls, and seems steady until then: with runs of less than a
 * millisecond, warm-up takes so many of them, or so many milliseconds, at least.
 */
const SHORT_RUN = 1;
const WARM_RUNS = 5000;
const WARM_MILLISECONDS = 2000;

// Finds how many runs make a turn, and warms up meanwhile, until it gets no faster: what compiles code as it runs takes a
// second or two over small ops.
async function calibrate(
  process: ContestantProcess,
  { rounds, turn }: Effort,
  units: number,
): Promise<Runner> {
  const first = await process.time(1);
  if (first > TOO_SLOW * turn) return { process, runs: 1, turns: 0, times: [first / units] };
  let runs = 1;
  let done = 0;
  let spent = 0;
  let fastest = Number.POSITIVE_INFINITY;
  let steady = 0;
  for (let turns = 1; ; turns++) {
    const time = await process.time(runs);
    const each = time / runs;
    done += runs;
    spent += time;
    const warm = each >= SHORT_RUN || done >= WARM_RUNS || spent >= WARM_MILLISECONDS;
    if (time >= turn / 2) {
      steady = each > 0.9 * fastest ? steady + 1 : 0;
      fastest = Math.min(fastest, each);
      if (warm && (steady >= STEADY_TURNS || turns >= MOST_TURNS))
        return { process, runs: Math.max(1, Math.round(turn / each)), turns: rounds, times: [] };
    }
    runs = Math.max(runs, Math.ceil(turn / Math.max(each, turn / 100 / runs)));
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

function reason(error: unknown): string {
  if (error instanceof ContestantError) return error.message;
  throw error;
}

/** Measures a case on all contestants, interleaved. Those that cannot do it are left out of the outcomes. */
export async function measure(
  { spec, units = 1 }: BenchCase,
  contestants: readonly ContestantProcess[],
  effort: Effort,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const runners: Runner[] = [];
  let expected: number[][] | null = null;
  for (const process of contestants) {
    try {
      const digests = await process.prepare(spec);
      if (digests === null) continue;
      if (digests !== 'bound') expected ??= digests;
      const problem = digests === 'bound' || expected === null ? '' : difference(expected, digests);
      if (problem !== '') outcomes.push({ process, times: [], problem: `other numbers: ${problem}` });
      else runners.push(await calibrate(process, effort, units));
    } catch (error) {
      outcomes.push({ process, times: [], problem: reason(error) });
    }
  }
  for (let round = 0; round < effort.rounds; round++) {
    // Another one begins each round, so that nobody always runs after the same neighbour.
    for (let k = 0; k < runners.length; k++) {
      const runner = runners[(k + round) % runners.length];
      if (runner.turns === 0) continue;
      runner.turns--;
      const { process, runs, times } = runner;
      const time = await leastDisturbed(async () => {
        await pause();
        return process.time(runs);
      });
      times.push(time / runs / units);
    }
  }
  for (const process of contestants) await process.release().catch(reason);
  return [...runners.map(({ process, times }): Outcome => ({ process, times, problem: '' })), ...outcomes];
}
