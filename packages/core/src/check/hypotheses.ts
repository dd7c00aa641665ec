// What kind of mistake turns the right Jacobian into the wrong one: cheap guesses, each tried on the whole matrix.

import { rowMajorStrides, type Shape, sizeOf } from '../shape.ts';
import type { Verdict } from './report.ts';
import { show } from './study.ts';

/** A Jacobian as a tensor: axes of the output, then axes of the input. */
export interface JacobianShape {
  readonly output: Shape;
  readonly input: Shape;
}

/** Two arrays of derivatives, entry by entry the same quantity. */
export interface Evidence {
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
  /** How far off the numeric ones may be. */
  readonly blur: number;
}

/** Whether all is zero or off by one factor; null if not. `shape` is there to tell where a factor may come from. */
export function guessScale(evidence: Evidence, shape: JacobianShape): Verdict | null {
  const { analytic, numeric } = evidence;
  const fits = fitTo(evidence);
  if (fits(new Float64Array(numeric.length))) {
    return {
      kind: 'missing',
      text: `The gradient is zero; the numeric one reaches ${show(maxAbs(numeric))}.`,
    };
  }
  const factor = inner(analytic, numeric) / inner(numeric, numeric);
  return fits(numeric.map((value) => factor * value)) ? factorVerdict(factor, shape) : null;
}

/** Names the mistake that leads from the numeric to the analytic Jacobian, both row-major; null if no guess fits. */
export function guess(evidence: Evidence, shape: JacobianShape): Verdict | null {
  const { analytic, numeric, blur } = evidence;
  const scale = guessScale(evidence, shape);
  if (scale !== null) return scale;
  const fits = fitTo(evidence);
  for (const { kind, text, candidate } of candidates(numeric, shape)) {
    if (fits(candidate)) return { kind, text };
  }
  if (fits(numeric.map((value, k) => (analytic[k] === 0 ? 0 : value)))) {
    const lost = numeric.filter((value, k) => analytic[k] === 0 && Math.abs(value) > blur).length;
    return {
      kind: 'partlyMissing',
      text: `The gradient is zero at ${lost} of ${numeric.length} entries where it should not be, and right at the others.`,
    };
  }
  return null;
}

// An explanation leaves a hundredth of the difference at most, and little beside the derivative itself; where the numeric
// side is blurred, somewhat more.
function fitTo({ analytic, numeric, blur }: Evidence): (candidate: Float64Array) => boolean {
  const gap = distance(analytic, numeric);
  const allowed = Math.min(Math.min(gap / 100, 1e-4 * maxAbs(numeric)) + blur, gap / 10);
  return (candidate) => distance(analytic, candidate) <= allowed;
}

function factorVerdict(factor: number, { output, input }: JacobianShape): Verdict {
  if (Math.abs(factor + 1) < 1e-3) return { kind: 'sign', text: 'The gradient has the opposite sign.' };
  const sizes = new Map<number, string>();
  const note = (size: number, what: string): void => {
    if (size > 1 && !sizes.has(size)) sizes.set(size, what);
  };
  note(sizeOf(input), 'the number of elements of the input');
  note(sizeOf(output), 'the number of elements of the output');
  for (const [axis, size] of input.entries()) note(size, `the size of axis ${axis} of the input`);
  for (const [axis, size] of output.entries()) note(size, `the size of axis ${axis} of the output`);
  const match = [...sizes].find(([size]) =>
    [size, 1 / size].some((value) => Math.abs(factor / value - 1) < 1e-4),
  );
  const origin = match === undefined ? '' : `, which is ${factor > 1 ? '' : 'one over '}${match[1]}`;
  return { kind: 'factor', text: `The gradient is ${show(factor)} times what it should be${origin}.` };
}

interface Candidate extends Verdict {
  readonly candidate: Float64Array;
}

function* candidates(numeric: Float64Array, { output, input }: JacobianShape): Generator<Candidate> {
  const whole = [...output, ...input];
  const [rows, columns] = [sizeOf(output), sizeOf(input)];
  if (rows === columns && rows > 1) {
    yield {
      kind: 'transposed',
      text: 'The rule applies the Jacobian itself where its transpose, the adjoint map, is due.',
      candidate: rearranged(numeric, [rows, columns], [1, 0]),
    };
  }
  const sides = [
    { name: 'input', from: output.length, to: whole.length },
    { name: 'output', from: 0, to: output.length },
  ];
  for (const { name, from, to } of sides) {
    const label = (axis: number): string => `axis ${axis - from} of the ${name}`;
    for (let p = from; p < to; p++) {
      for (let q = p + 1; q < to; q++) {
        const order = whole.map((_, axis) => (axis === p ? q : axis === q ? p : axis));
        yield {
          kind: 'transposed',
          text: `The gradient comes with ${label(p)} and axis ${q - from} exchanged.`,
          candidate: rearranged(numeric, whole, order),
        };
      }
    }
    for (let axis = from; axis < to; axis++) {
      if (whole[axis] < 2) continue;
      yield {
        kind: 'flipped',
        text: `The gradient comes with ${label(axis)} reversed.`,
        candidate: alongAxes(numeric, whole, [axis], (line) => line.reverse()),
      };
    }
    const groups = Array.from({ length: to - from }, (_, i) => [from + i]);
    if (groups.length > 1) groups.push(groups.flat());
    for (const axes of groups) {
      const count = axes.reduce((product, axis) => product * whole[axis], 1);
      if (count < 2) continue;
      const where = axes.length === 1 ? label(axes[0]) : `all axes of the ${name}`;
      const total = alongAxes(numeric, whole, axes, (line) => line.fill(line.reduce((sum, x) => sum + x, 0)));
      yield {
        kind: 'summed',
        text: `The gradient is summed over ${where}, over which it should differ.`,
        candidate: total,
      };
      yield {
        kind: 'averaged',
        text: `The gradient is averaged over ${where}, over which it should differ.`,
        candidate: total.map((value) => value / count),
      };
    }
  }
}

// The elements in the order of permuted axes, row-major.
function rearranged(values: Float64Array, shape: Shape, order: readonly number[]): Float64Array {
  const strides = rowMajorStrides(shape);
  const result = new Float64Array(values.length);
  const sizes = order.map((axis) => shape[axis]);
  for (let k = 0; k < result.length; k++) {
    let rest = k;
    let place = 0;
    for (let i = order.length - 1; i >= 0; i--) {
      place += (rest % sizes[i]) * strides[order[i]];
      rest = Math.floor(rest / sizes[i]);
    }
    result[k] = values[place];
  }
  return result;
}

// Replaces each line along the given axes (those elements that differ in these indices only) by what `change` makes of it.
function alongAxes(
  values: Float64Array,
  shape: Shape,
  axes: readonly number[],
  change: (line: Float64Array) => Float64Array,
): Float64Array {
  const strides = rowMajorStrides(shape);
  const offsets = axes.reduce<number[]>(
    (sofar, axis) =>
      sofar.flatMap((base) => Array.from({ length: shape[axis] }, (_, i) => base + i * strides[axis])),
    [0],
  );
  const result = new Float64Array(values.length);
  for (let k = 0; k < values.length; k++) {
    if (axes.some((axis) => Math.floor(k / strides[axis]) % shape[axis] !== 0)) continue;
    const line = change(Float64Array.from(offsets, (offset) => values[k + offset]));
    offsets.forEach((offset, i) => {
      result[k + offset] = line[i];
    });
  }
  return result;
}

function distance(a: Float64Array, b: Float64Array): number {
  let most = 0;
  for (let k = 0; k < a.length; k++) most = Math.max(most, Math.abs(a[k] - b[k]));
  return most;
}

function maxAbs(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function inner(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, k) => sum + value * b[k], 0);
}
