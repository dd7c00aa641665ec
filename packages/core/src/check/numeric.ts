// The numeric side of a gradient check: central differences along lines through the inputs.

import type { Line, Probe, Sample } from './probe.ts';

/** A step must move the input: at least this part of its size, the step at which rounding and curvature balance. */
const smallestRelativeStep = 2 ** -35;

/** `(f(t) − f(−t)) / 2t` for every differentiable output. */
export function centralDifference(line: Line, step: number): Float64Array[] {
  return slope(line(step), line(-step));
}

/** The slope between two points of a line. */
export function slope(to: Sample, from: Sample): Float64Array[] {
  const distance = to.t - from.t;
  return to.values.map((values, o) => values.map((value, k) => (value - from.values[o][k]) / distance));
}

/** The step for an input element of a given value: the wanted one, or more where that would be lost in rounding. */
export function stepAt(x: number, step: number): number {
  return Number.isFinite(x) ? Math.max(step, Math.abs(x) * smallestRelativeStep) : step;
}

/** The Jacobians of every output in one input: per output a matrix, outputs by inputs, both row-major. */
export function numericJacobians(probe: Probe, input: number, step: number): Float64Array[] {
  const { size } = probe.inputs[input];
  const x = probe.inputs[input].toTypedArray();
  const matrices = probe.outputs.map((output) => new Float64Array(output.size * size));
  for (let column = 0; column < size; column++) {
    const line = probe.coordinateLine(input, column);
    const slopes = centralDifference(line, stepAt(x[column], step));
    for (let o = 0; o < slopes.length; o++) {
      for (let row = 0; row < slopes[o].length; row++) matrices[o][row * size + column] = slopes[o][row];
    }
  }
  return matrices;
}
