// What a check of derivatives answers: a verdict per pair of output and input, the numbers it rests on, and the sentence
// that an assertion throws.

import { AdjointError } from '../errors.ts';

/**
 * What a check found for one output and one input:
 * - `ok`: analytic and numeric derivative agree.
 * - `missing`: the output depends on the input, and no gradient (or only zeros) arrives; or a rule says it has none.
 * - `partlyMissing`: zero at some coordinates where it should not be, right at all others.
 * - `sign`, `factor`: right but for a constant factor (−1 for `sign`).
 * - `transposed`: right but for the order of axes, or the map itself was applied in place of its adjoint.
 * - `flipped`: right but for the direction of an axis.
 * - `summed`, `averaged`: summed (averaged) over an axis that it should not be, such as a broadcast one.
 * - `nonlinear`: of no kind above, and twice the cotangent (in jvpcheck, the tangent) does not give twice the result: a rule ignores
 *   what it is given, bounds it, or adds to it.
 * - `shape`, `dtype`: a rule gave a cotangent of the wrong shape or element type.
 * - `detached`: the difference is of no other kind, and an op or rule reads a detached copy of a value, or runs under noGrad.
 * - `nondeterministic`: two runs on the same inputs differ.
 * - `kink`: the input lies where the derivative jumps, and the analytic value between the slopes on both sides: not
 *   wrong, but not checked either. Or such a place is less than a step away; if smaller steps agree, the pair is ok.
 * - `wrongAtKink`: as `kink`, but the analytic value is not between the slopes.
 * - `discontinuity`: the function itself jumps at the input.
 * - `rounding`: the function is computed too coarsely for a decision, as in float32.
 * - `nonFinite`: the derivative or the function is NaN or infinite here.
 * - `wrong`: a real difference that none of the hypotheses explains.
 */
export type VerdictKind =
  | 'ok'
  | 'missing'
  | 'partlyMissing'
  | 'sign'
  | 'factor'
  | 'transposed'
  | 'flipped'
  | 'summed'
  | 'averaged'
  | 'nonlinear'
  | 'shape'
  | 'dtype'
  | 'detached'
  | 'nondeterministic'
  | 'kink'
  | 'wrongAtKink'
  | 'discontinuity'
  | 'rounding'
  | 'nonFinite'
  | 'wrong';

/** A verdict and the sentence that explains it. */
export interface Verdict {
  /** Which hypothesis explains what was found. */
  readonly kind: VerdictKind;
  /** The sentence that explains it. */
  readonly text: string;
}

/** What the numeric derivative was with one step size. */
export interface StepTried {
  /** The step size of the difference quotient. */
  readonly step: number;
  /** The numeric derivative with this step. */
  readonly numeric: number;
  /** |analytic − numeric| with this step. */
  readonly error: number;
}

/** One entry of a Jacobian, analytic against numeric. */
export interface Coordinate {
  /** Index into the output; empty for a 0-d output. Null in fast mode, where a random mixture of elements is compared. */
  readonly output: readonly number[] | null;
  /** Index into the input; empty for a 0-d input. Null in fast mode. */
  readonly input: readonly number[] | null;
  /** The derivative by the op's rules. */
  readonly analytic: number;
  /** The derivative by difference quotients. */
  readonly numeric: number;
  /** |analytic − numeric|. */
  readonly error: number;
  /** The error that was allowed here. */
  readonly tolerance: number;
  /** Every step size that was tried, largest first; one unless the first disagreed. */
  readonly steps: readonly StepTried[];
}

/** What was found for one output and one input. */
export interface PairReport {
  /** Such as `output`, or `outputs[1]` for a function with several. */
  readonly output: string;
  /** Such as `inputs[0]`. */
  readonly input: string;
  /** Whether it is right. */
  readonly ok: boolean;
  /** What was found. */
  readonly verdict: Verdict;
  /** How many entries (in fast mode: projections) were compared. */
  readonly compared: number;
  /** Largest error over all entries that were compared; 0 if there were none. */
  readonly maxError: number;
  /** The entries with the largest error relative to their tolerance, worst first; at most five. */
  readonly worst: readonly Coordinate[];
}

/** What a check of derivatives answers. */
export interface CheckReport {
  /** Name of the check: gradcheck, gradgradcheck or jvpcheck. */
  readonly check: string;
  /** Whether every pair is right. */
  readonly ok: boolean;
  /** Whether whole Jacobians were compared, or in 'fast' mode random mixtures of their entries. */
  readonly mode: 'full' | 'fast';
  /** What was found for each pair of an output and an input. */
  readonly pairs: readonly PairReport[];
  /** The report as text: what an assertion's error says. */
  readonly message: string;
}

/** Thrown by the assert forms of the checks; carries the whole report. */
export class GradcheckError extends AdjointError {
  override readonly name = 'GradcheckError';
  /** What the check found. */
  readonly report: CheckReport;

  constructor(report: CheckReport) {
    super(report.message, {
      op: report.check,
      actual: report.pairs.find(({ ok }) => !ok)?.verdict.kind,
      expected: 'ok',
    });
    this.report = report;
  }
}

/** Assembles a report and writes its message. */
export function reportOf(check: string, mode: 'full' | 'fast', pairs: readonly PairReport[]): CheckReport {
  const failed = pairs.filter(({ ok }) => !ok);
  const message =
    failed.length === 0
      ? `all ${pairs.length} derivatives agree.`
      : `${failed.length} of ${pairs.length} derivatives disagree.\n${failed.map(describe).join('\n')}`;
  return { check, ok: failed.length === 0, mode, pairs, message };
}

function describe({ output, input, verdict, worst }: PairReport): string {
  const lines = [`d ${output} / d ${input}: ${verdict.kind}. ${verdict.text}`];
  worst.forEach((entry, rank) => {
    const where =
      entry.output === null || entry.input === null
        ? 'along a random direction'
        : `d ${at(output, entry.output)} / d ${at(input, entry.input)}`;
    lines.push(
      `  ${where}: analytic ${long(entry.analytic)}, numeric ${long(entry.numeric)}, error ${short(entry.error)} (allowed ${short(entry.tolerance)})`,
    );
    if (rank > 0 || entry.steps.length < 2) return;
    const tried = entry.steps.map(({ step, numeric }) => `${step.toExponential(0)}: ${long(numeric)}`);
    lines.push(`    numeric by step: ${tried.join(', ')}`);
  });
  return lines.join('\n');
}

function at(name: string, index: readonly number[]): string {
  return index.length === 0 ? name : `${name}[${index.join(', ')}]`;
}

// No more digits than a difference quotient can have.
function long(value: number): string {
  return String(Number(value.toPrecision(9)));
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
