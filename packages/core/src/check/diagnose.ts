// From entries that differ to one verdict: the worst ones are studied first, and the whole matrix is held against guesses.

import { guess, guessScale, type JacobianShape } from './hypotheses.ts';
import type { ResolvedOptions } from './options.ts';
import type { Coordinate, PairReport, Verdict } from './report.ts';
import type { PointFinding } from './study.ts';

/** An analytic and a numeric derivative, and the means to find out why they differ. */
export interface Entry {
  readonly output: readonly number[] | null;
  readonly input: readonly number[] | null;
  readonly analytic: number;
  readonly numeric: number;
  judge(allowed: (numeric: number) => number): PointFinding;
}

/** What the verdict on one output and one input may rest on beside the entries. */
export interface Circumstances {
  readonly shape: JacobianShape;
  /** Whether the entries are all those of the Jacobian, row-major, so that guesses at its structure make sense. */
  readonly complete: boolean;
  /** Whether a graph leads from the output to the input. */
  readonly connected: boolean;
  /** Where graphs are cut, in words. */
  readonly detachments: readonly string[];
  /** The verdict that a derivative is not linear in what it is applied to; null if it is. */
  nonlinearity(): Verdict | null;
}

const shownAtMost = 5;
// When this many entries are found that cannot be decided, no more are studied; the pair has failed anyhow.
const doubtsAtMost = 16;

/** The verdict on one output and one input. */
export function diagnose(
  entries: readonly Entry[],
  circumstances: Circumstances,
  options: ResolvedOptions,
): Omit<PairReport, 'output' | 'input'> {
  const allowed = (numeric: number): number => options.atol + options.rtol * Math.abs(numeric);
  const severity = ({ analytic, numeric }: Entry): number => {
    const relative = Math.abs(analytic - numeric) / allowed(numeric);
    return Number.isNaN(relative) ? Number.POSITIVE_INFINITY : relative;
  };
  const suspects = entries.filter((entry) => severity(entry) > 1).sort((a, b) => severity(b) - severity(a));

  const studied = new Map<Entry, PointFinding>();
  let certain: PointFinding | null = null;
  let doubt: PointFinding | null = null;
  let nearby: PointFinding | null = null;
  let doubts = 0;
  for (const entry of suspects) {
    const enough = certain !== null || doubts >= doubtsAtMost;
    if (enough && studied.size >= shownAtMost) break;
    const finding = entry.judge(allowed);
    studied.set(entry, finding);
    if (finding.kind === 'kinkNearby') nearby ??= finding;
    else if (finding.kind === 'differs') certain ??= finding;
    else if (finding.kind !== 'agrees') {
      doubt ??= finding;
      doubts++;
    }
  }

  const cleared = (entry: Entry): boolean => {
    const kind = studied.get(entry)?.kind;
    return kind === 'agrees' || kind === 'kinkNearby';
  };
  const remaining = suspects.filter((entry) => !cleared(entry));
  const coordinates = (list: readonly Entry[]): Coordinate[] =>
    list.map((entry) => coordinate(entry, studied.get(entry), allowed, options.step));
  const verdict =
    remaining.length === 0
      ? approval(nearby)
      : certain !== null
        ? objection(entries, studied, remaining.length, circumstances, options)
        : verdictOf(doubt!);
  return {
    ok: remaining.length === 0,
    verdict,
    compared: entries.length,
    maxError: coordinates(entries).reduce((most, { error }) => Math.max(most, error), 0),
    worst: coordinates(remaining.slice(0, shownAtMost)),
  };
}

function coordinate(
  { output, input, analytic, numeric: atStep }: Entry,
  finding: PointFinding | undefined,
  allowed: (numeric: number) => number,
  step: number,
): Coordinate {
  const numeric = finding === undefined || Number.isNaN(finding.numeric) ? atStep : finding.numeric;
  const error = Math.abs(analytic - numeric);
  const steps = finding?.steps ?? [{ step, numeric, error }];
  return { output, input, analytic, numeric, error, tolerance: allowed(numeric), steps };
}

function approval(nearby: PointFinding | null): Verdict {
  return nearby === null
    ? { kind: 'ok', text: 'Analytic and numeric derivative agree.' }
    : { kind: 'kink', text: nearby.text };
}

function verdictOf({ kind, text }: PointFinding): Verdict {
  if (kind === 'differs' || kind === 'agrees' || kind === 'kinkNearby') return { kind: 'wrong', text };
  return { kind, text };
}

function objection(
  entries: readonly Entry[],
  studied: ReadonlyMap<Entry, PointFinding>,
  wrong: number,
  { shape, complete, connected, detachments, nonlinearity }: Circumstances,
  { atol }: ResolvedOptions,
): Verdict {
  const evidence = {
    analytic: Float64Array.from(entries, ({ analytic }) => analytic),
    numeric: Float64Array.from(entries, (entry) => {
      const better = studied.get(entry)?.numeric ?? Number.NaN;
      return Number.isNaN(better) ? entry.numeric : better;
    }),
    blur: [...studied.values()].reduce((most, { blur }) => Math.max(most, 3 * blur), 10 * atol),
  };
  const verdict: Verdict = connected
    ? ((complete ? guess(evidence, shape) : guessScale(evidence, shape)) ??
      nonlinearity() ?? {
        kind: 'wrong',
        text: `${wrong} of ${entries.length} entries differ, whatever the step, and no simple mistake explains it.`,
      })
    : {
        kind: 'missing',
        text: 'The output depends on the input, but no derivative leads from one to the other.',
      };
  const explicable = ['missing', 'partlyMissing', 'factor', 'wrong'].includes(verdict.kind);
  if (!explicable || detachments.length === 0) return verdict;
  return { kind: 'detached', text: `${verdict.text} The graph is cut: ${detachments.join('; ')}.` };
}
