// Compares analytic with numeric derivatives, pair by pair, and writes the report.

import type { Shape } from '../shape.ts';
import { Directions } from './directions.ts';
import { centralDifference, numericJacobians } from './numeric.ts';
import type { CheckPrecision, Probe } from './probe.ts';
import { type CheckReport, type Coordinate, type PairReport, reportOf, type Verdict } from './report.ts';
import { type Analytic, dot, isVerdict } from './reverse.ts';

/** Options of the gradient checks. */
export interface CheckOptions {
  /**
   * `full` (default) compares every entry of the Jacobian: two runs per input element. `fast` compares a few random
   * projections `vᵀ J u`: a handful of runs in all, whatever the sizes.
   */
  readonly mode?: 'full' | 'fast';
  /** How far inputs are moved to either side. Default 1e-5, and 1e-2 with `precision: 'float32'`. */
  readonly step?: number;
  /** Error allowed beside the relative one. Default 1e-8, and 1e-3 with `precision: 'float32'`. */
  readonly atol?: number;
  /** Error allowed per unit of the numeric derivative. Default 1e-6, and 1e-2 with `precision: 'float32'`. */
  readonly rtol?: number;
  /** `float64` (default) refuses float32 inputs; `float32` accepts them, for a coarse check. */
  readonly precision?: CheckPrecision;
  /** Projections per pair in fast mode. Default 4. */
  readonly projections?: number;
  /** Seed of the random directions. Default 0. */
  readonly seed?: number;
}

/** Options with their defaults filled in. */
export type ResolvedOptions = Required<CheckOptions>;

/** Fills in defaults. */
export function resolveOptions(options: CheckOptions): ResolvedOptions {
  const coarse = options.precision === 'float32';
  return {
    mode: 'full',
    step: coarse ? 1e-2 : 1e-5,
    atol: coarse ? 1e-3 : 1e-8,
    rtol: coarse ? 1e-2 : 1e-6,
    precision: 'float64',
    projections: 4,
    seed: 0,
    ...options,
  };
}

/** What the inputs and outputs of a function are called in its report. */
export interface Names {
  output(index: number): string;
  input(index: number): string;
}

/** Compares every differentiable output with every checked input. */
export function compare(
  probe: Probe,
  analytic: () => Analytic,
  names: Names,
  options: ResolvedOptions,
): CheckReport {
  const first = analytic();
  const second = analytic();
  const pairs: PairReport[] = [];
  probe.checked.forEach((input, i) => {
    const entries = options.mode === 'full' ? fullEntries(probe, i, options) : fastEntries(probe, i, options);
    probe.outputs.forEach((output, o) => {
      const found = entries[o](first, second);
      pairs.push({ output: names.output(output.index), input: names.input(input), ...found });
    });
  });
  return reportOf(probe.op, options.mode, pairs);
}

type Finding = Omit<PairReport, 'output' | 'input'>;
type Entries = (first: Analytic, second: Analytic) => Finding;

function fullEntries(probe: Probe, i: number, options: ResolvedOptions): Entries[] {
  const input = probe.inputs[probe.checked[i]];
  const numeric = numericJacobians(probe, probe.checked[i], options.step);
  return probe.outputs.map((output, o) => (first, second) => {
    const matrix = first.jacobian(o, i);
    const repeated = second.jacobian(o, i);
    const columns = input.size;
    return judge(matrix, repeated, numeric[o], first.connected(o, i), probe, o, options, (entry) => ({
      output: unravel(Math.floor(entry / columns), output.shape),
      input: unravel(entry % columns, input.shape),
    }));
  });
}

function fastEntries(probe: Probe, i: number, options: ResolvedOptions): Entries[] {
  const directions = new Directions(options.seed);
  const { size } = probe.inputs[probe.checked[i]];
  const lines = Array.from({ length: options.projections }, () => {
    const u = directions.next(size);
    return { u, slopes: centralDifference(probe.directionLine(probe.checked[i], u), options.step) };
  });
  return probe.outputs.map((output, o) => (first, second) => {
    const v = lines.map(() => directions.next(output.size));
    const numeric = Float64Array.from(lines, ({ slopes }, p) => dot(slopes[o], v[p]));
    const project = (analytic: Analytic): Float64Array | Verdict => {
      const values = new Float64Array(lines.length);
      for (let p = 0; p < lines.length; p++) {
        const value = analytic.projection(o, i, v[p], lines[p].u);
        if (isVerdict(value)) return value;
        values[p] = value;
      }
      return values;
    };
    return judge(project(first), project(second), numeric, first.connected(o, i), probe, o, options, () => ({
      output: null,
      input: null,
    }));
  });
}

function judge(
  matrix: Float64Array | Verdict,
  repeated: Float64Array | Verdict,
  numeric: Float64Array,
  connected: boolean,
  probe: Probe,
  o: number,
  { atol, rtol, step }: ResolvedOptions,
  place: (entry: number) => Pick<Coordinate, 'output' | 'input'>,
): Finding {
  if (isVerdict(matrix)) return { ok: false, verdict: matrix, compared: 0, maxError: 0, worst: [] };
  const wrong: number[] = [];
  let maxError = 0;
  const errors = matrix.map((value, k) => (Object.is(value, numeric[k]) ? 0 : Math.abs(value - numeric[k])));
  const allowed = (k: number): number => atol + rtol * Math.abs(numeric[k]);
  for (let k = 0; k < errors.length; k++) {
    maxError = Math.max(maxError, errors[k]);
    if (!(errors[k] <= allowed(k))) wrong.push(k);
  }
  wrong.sort((a, b) => errors[b] / allowed(b) - errors[a] / allowed(a));
  const worst = wrong.slice(0, 5).map((k) => ({
    ...place(k),
    analytic: matrix[k],
    numeric: numeric[k],
    error: errors[k],
    tolerance: allowed(k),
    steps: [{ step, numeric: numeric[k], error: errors[k] }],
  }));
  const verdict = verdictOf(matrix, repeated, connected, wrong.length, probe, o);
  return { ok: verdict.kind === 'ok', verdict, compared: matrix.length, maxError, worst };
}

function verdictOf(
  matrix: Float64Array,
  repeated: Float64Array | Verdict,
  connected: boolean,
  wrong: number,
  probe: Probe,
  o: number,
): Verdict {
  if (!sameValues(probe.base[o], probe.again[o])) {
    return { kind: 'nondeterministic', text: 'Two runs on the same inputs gave different values.' };
  }
  if (isVerdict(repeated) || !sameValues(matrix, repeated)) {
    return {
      kind: 'nondeterministic',
      text: 'Two backward passes on the same inputs gave different derivatives.',
    };
  }
  if (wrong === 0) return { kind: 'ok', text: 'Analytic and numeric derivative agree.' };
  if (!connected) {
    return {
      kind: 'missing',
      text: 'The output depends on the input, but no graph leads from one to the other.',
    };
  }
  return { kind: 'wrong', text: `${wrong} of ${matrix.length} entries differ.` };
}

function sameValues(a: Float64Array, b: Float64Array): boolean {
  return a.every((value, k) => Object.is(value, b[k]));
}

/** The index of an element by its row-major number. */
export function unravel(element: number, shape: Shape): number[] {
  const index = new Array<number>(shape.length);
  let rest = element;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return index;
}
