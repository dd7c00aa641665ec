// Compares analytic with numeric derivatives, pair by pair: every entry, or random projections; then asks why they differ.

import { indexOf } from '../shape.ts';
import { type Circumstances, diagnose, type Entry } from './diagnose.ts';
import { Directions } from './directions.ts';
import { numbersOf } from './numbers.ts';
import { centralDifference, numericJacobians, stepAt } from './numeric.ts';
import type { ResolvedOptions } from './options.ts';
import type { Line, Probe } from './probe.ts';
import { type CheckReport, type Coordinate, type PairReport, reportOf, type Verdict } from './report.ts';
import { type Analytic, dot, isVerdict } from './reverse.ts';
import { Study, show } from './study.ts';

/** What the inputs and outputs of a function are called in its report. */
export interface Names {
  output(index: number): string;
  input(index: number): string;
}

/** Compares every differentiable output with every checked input. `analytic` makes the derivatives anew each time. */
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
    const findings =
      options.mode === 'full'
        ? compareEntries(probe, i, first, second, options)
        : compareProjections(probe, i, first, second, options);
    probe.outputs.forEach(({ index }, o) => {
      pairs.push({ output: names.output(index), input: names.input(input), ...findings[o] });
    });
  });
  return reportOf(probe.op, options.mode, pairs);
}

type Finding = Omit<PairReport, 'output' | 'input'>;

function compareEntries(
  probe: Probe,
  i: number,
  first: Analytic,
  second: Analytic,
  options: ResolvedOptions,
): Finding[] {
  const index = probe.checked[i];
  const input = probe.inputs[index];
  const values = numbersOf(input);
  const jacobians = numericJacobians(probe, index, options.step);
  const studies = new Map<number, Study>();
  const study = (column: number): Study => {
    const known = studies.get(column);
    if (known !== undefined) return known;
    const made = new Study(
      probe.coordinateLine(index, column),
      probe.base,
      stepAt(values[column], options.step),
    );
    studies.set(column, made);
    return made;
  };
  return probe.outputs.map((output, o) => {
    const analytic = first.jacobian(o, i);
    const unsteady = unsteadiness(probe, o, analytic, second.jacobian(o, i));
    if (unsteady !== null) return failed(unsteady);
    if (isVerdict(analytic)) return failed(analytic);
    const entries = Array.from(analytic, (value, k): Entry => {
      const row = Math.floor(k / input.size);
      const column = k % input.size;
      return {
        output: indexOf(row, output.shape),
        input: indexOf(column, input.shape),
        analytic: value,
        numeric: jacobians[o][k],
        judge: (allowed) => study(column).judge(o, row, value, allowed),
      };
    });
    return diagnose(entries, circumstancesOf(probe, o, i, first, true), options);
  });
}

function compareProjections(
  probe: Probe,
  i: number,
  first: Analytic,
  second: Analytic,
  options: ResolvedOptions,
): Finding[] {
  const index = probe.checked[i];
  const directions = new Directions(options.seed);
  const trials = Array.from({ length: options.projections }, () => {
    const u = directions.next(probe.inputs[index].size);
    const line = probe.directionLine(index, u);
    return { u, line, slopes: centralDifference(line, options.step) };
  });
  return probe.outputs.map((output, o) => {
    const entries: Entry[] = [];
    for (const { u, line, slopes } of trials) {
      const v = directions.next(output.size);
      const analytic = first.projection(o, i, v, u);
      const repeated = second.projection(o, i, v, u);
      const unsteady = unsteadiness(probe, o, analytic, repeated);
      if (unsteady !== null) return failed(unsteady);
      if (isVerdict(analytic)) return failed(analytic);
      entries.push({
        output: null,
        input: null,
        analytic,
        numeric: dot(slopes[o], v),
        judge: (allowed) => {
          const base = [Float64Array.of(dot(probe.base[o], v))];
          return new Study(projected(line, o, v), base, options.step).judge(0, 0, analytic, allowed);
        },
      });
    }
    // Projections of a wrong Jacobian say little of what is wrong with it; its entries do, where there are not too many.
    const finding = diagnose(entries, circumstancesOf(probe, o, i, first, false), options);
    if (finding.ok) return finding;
    if (output.size * probe.inputs[index].size <= options.detailLimit) {
      return compareEntries(probe, i, first, second, options)[o];
    }
    const example = worstEntry(probe, o, i, first, options);
    return example === null ? finding : { ...finding, worst: [example] };
  });
}

// One entry that is wrong, found by halving: of the input's elements first, then of the output's.
function worstEntry(
  probe: Probe,
  o: number,
  i: number,
  first: Analytic,
  options: ResolvedOptions,
): Coordinate | null {
  const index = probe.checked[i];
  const input = probe.inputs[index];
  const output = probe.outputs[o];
  const directions = new Directions(options.seed);
  const u = directions.next(input.size);
  const v = directions.next(output.size);
  const gap = (v: Float64Array, u: Float64Array, slopes: Float64Array): number => {
    const analytic = first.projection(o, i, v, u);
    return isVerdict(analytic) ? 0 : Math.abs(dot(slopes, v) - analytic);
  };
  const slopesAlong = (u: Float64Array): Float64Array =>
    centralDifference(probe.directionLine(index, u), options.step)[o];
  const column = halve(u, (part) => gap(v, part, slopesAlong(part)));
  const unit = new Float64Array(input.size);
  unit[column] = 1;
  const slopes = slopesAlong(unit);
  const row = halve(v, (part) => gap(part, unit, slopes));
  const cotangent = new Float64Array(output.size);
  cotangent[row] = 1;
  const analytic = first.projection(o, i, cotangent, unit);
  if (isVerdict(analytic)) return null;
  const step = stepAt(numbersOf(input)[column], options.step);
  const study = new Study(probe.coordinateLine(index, column), probe.base, step);
  const entry: Entry = {
    output: indexOf(row, output.shape),
    input: indexOf(column, input.shape),
    analytic,
    numeric: slopes[row],
    judge: (allowed) => study.judge(o, row, analytic, allowed),
  };
  return diagnose([entry], circumstancesOf(probe, o, i, first, false), options).worst[0] ?? null;
}

// The one element of a direction at which halving after halving the larger gap remains.
function halve(direction: Float64Array, gap: (part: Float64Array) => number): number {
  let [from, to] = [0, direction.length];
  const only = (from: number, to: number): Float64Array =>
    direction.map((value, k) => (k >= from && k < to ? value : 0));
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (gap(only(from, middle)) >= gap(only(middle, to))) to = middle;
    else from = middle;
  }
  return from;
}

function circumstancesOf(
  probe: Probe,
  o: number,
  i: number,
  analytic: Analytic,
  complete: boolean,
): Circumstances {
  return {
    shape: { output: probe.outputs[o].shape, input: probe.inputs[probe.checked[i]].shape },
    complete,
    connected: analytic.connected(o, i),
    detachments: analytic.detachments,
    nonlinearity: () => nonlinearity(probe, o, i, analytic),
  };
}

// A derivative rule is a linear map. One that multiplies by nothing, clips or adds is found by its answer to twice the question.
function nonlinearity(probe: Probe, o: number, i: number, analytic: Analytic): Verdict | null {
  const directions = new Directions(0);
  const v = directions.next(probe.outputs[o].size);
  const u = directions.next(probe.inputs[probe.checked[i]].size);
  const once = analytic.projection(o, i, v, u);
  const questions = [
    { of: 'cotangent', twice: analytic.projection(o, i, v.map(double), u) },
    { of: 'tangent', twice: analytic.projection(o, i, v, u.map(double)) },
  ];
  for (const { of, twice } of questions) {
    if (isVerdict(once) || isVerdict(twice)) continue;
    // Doubling is exact in binary, so that a linear rule answers with exactly twice as much. NaN says nothing here.
    if (!(Math.abs(twice - 2 * once) > 1e-6 * Math.abs(once))) continue;
    return {
      kind: 'nonlinear',
      text: `Twice the ${of} gives ${show(twice / once)} times the result, not 2: a rule ignores its ${of}, bounds it, or adds to it.`,
    };
  }
  return null;
}

function double(value: number): number {
  return 2 * value;
}

// A line on which the one value is the output's projection on v.
function projected(line: Line, o: number, v: Float64Array): Line {
  return (t) => {
    const sample = line(t);
    return { t: sample.t, values: [Float64Array.of(dot(sample.values[o], v))] };
  };
}

function failed(verdict: Verdict): Finding {
  return { ok: false, verdict, compared: 0, maxError: 0, worst: [] };
}

function unsteadiness(
  probe: Probe,
  o: number,
  analytic: Float64Array | number | Verdict,
  repeated: Float64Array | number | Verdict,
): Verdict | null {
  if (!sameNumbers(probe.base[o], probe.again[o])) {
    return { kind: 'nondeterministic', text: 'Two runs on the same inputs gave different values.' };
  }
  const same =
    isVerdict(analytic) || isVerdict(repeated)
      ? isVerdict(analytic) && isVerdict(repeated)
      : sameNumbers(listed(analytic), listed(repeated));
  return same
    ? null
    : { kind: 'nondeterministic', text: 'Two derivatives at the same inputs gave different values.' };
}

function listed(value: Float64Array | number): Float64Array {
  return typeof value === 'number' ? Float64Array.of(value) : value;
}

function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  return a.every((value, k) => Object.is(value, b[k]));
}
