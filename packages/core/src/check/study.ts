// Why an analytic and a numeric derivative differ at one point: the difference quotient under a sweep of step sizes.
//
// A wrong derivative stays wrong whatever the step; curvature shrinks with it, rounding grows as it shrinks, and a kink
// gives the two sides different slopes. Estimates are extrapolated to step 0 (Richardson 1911); the noise of the
// function's values is measured by a difference table (Hamming; Moré and Wild, "Estimating computational noise", 2011).

import type { Line, Sample } from './probe.ts';
import type { StepTried } from './report.ts';

/** What the sweep says of one entry. */
export interface PointFinding {
  /**
   * `agrees` at a better step; `kinkNearby`: agrees at steps that stay on this side of a kink; `differs` for certain; the
   * rest are verdicts of their own (see VerdictKind).
   */
  readonly kind:
    | 'agrees'
    | 'kinkNearby'
    | 'differs'
    | 'kink'
    | 'wrongAtKink'
    | 'discontinuity'
    | 'rounding'
    | 'nonFinite';
  readonly text: string;
  /** The best numeric derivative that could be had; NaN if none. */
  readonly numeric: number;
  /** How far off rounding may make the difference quotient at the default step. */
  readonly blur: number;
  readonly steps: readonly StepTried[];
}

interface Estimate {
  readonly value: number;
  readonly uncertainty: number;
}

interface Quotient {
  readonly step: number;
  readonly value: number;
}

const ratio = 10;
const machineEpsilon = 2 ** -52;

/** Samples one line as far as the questions asked of it need, and answers them for every output on it. */
export class Study {
  private readonly line: Line;
  private readonly base: readonly Float64Array[];
  private readonly step: number;
  private readonly sweep: readonly { step: number; plus: Sample; minus: Sample }[];
  private windows: readonly (readonly (readonly Sample[])[])[] | null = null;

  constructor(line: Line, base: readonly Float64Array[], step: number) {
    this.line = line;
    this.base = base;
    this.step = step;
    this.sweep = [4, 3, 2, 1, 0, -1, -2, -3, -4, -5]
      .map((power) => step * ratio ** power)
      .filter((size) => size <= Math.max(1, step))
      .map((size) => ({ step: size, plus: line(size), minus: line(-size) }));
  }

  /** Compares the analytic derivative of element `k` of output `o` with what the sweep shows. */
  judge(o: number, k: number, analytic: number, allowed: (numeric: number) => number): PointFinding {
    const at = (sample: Sample): number => sample.values[o][k];
    const here = this.base[o][k];
    const central = this.sweep.map(({ step, plus, minus }) => ({
      step,
      value: (at(plus) - at(minus)) / (plus.t - minus.t),
    }));
    const steps = central.map(({ step, value }) => ({
      step,
      numeric: value,
      error: Math.abs(value - analytic),
    }));
    const noise = this.noise(o, k);
    const best = extrapolate(central, 2, noise);
    const found = (kind: PointFinding['kind'], text: string): PointFinding => ({
      kind,
      text,
      numeric: best?.value ?? Number.NaN,
      blur: noise / this.step,
      steps,
    });

    if (Number.isNaN(this.sweep[0].plus.t)) return found('nonFinite', 'The input is not finite here.');
    if (!Number.isFinite(here)) return found('nonFinite', `The function's value is ${here} here.`);
    if (!Number.isFinite(analytic)) return found('nonFinite', `The analytic derivative is ${analytic}.`);
    const jump = this.jump(at, noise);
    if (jump !== null) {
      return found(
        'discontinuity',
        `The function jumps by ${show(jump)} at the input, so it has no derivative there; move the input away.`,
      );
    }
    if (best !== null && Math.abs(best.value - analytic) <= allowed(best.value)) {
      return this.isCurved(central, analytic)
        ? found('agrees', 'Agrees once the difference quotient is extrapolated to step 0.')
        : found(
            'kinkNearby',
            `A kink lies within a step of ${show(this.step)} of the input; steps too small to reach it agree.`,
          );
    }
    const right = this.oneSided(at, here, noise, 'plus');
    const left = this.oneSided(at, here, noise, 'minus');
    if (best === null || right === null || left === null) {
      const finite = this.sweep.every(
        ({ plus, minus }) => Number.isFinite(at(plus)) && Number.isFinite(at(minus)),
      );
      return finite
        ? found(
            'rounding',
            'Cannot be decided: the input is so large that small steps do not move it; scale it.',
          )
        : found(
            'nonFinite',
            'The function is not finite on both sides of the input; move it away from the edge.',
          );
    }
    const doubt = 5 * (right.uncertainty + left.uncertainty) + 10 * allowed(best.value);
    if (Math.abs(right.value - left.value) > doubt) {
      const lowest = Math.min(left.value, right.value) - doubt;
      const highest = Math.max(left.value, right.value) + doubt;
      const slopes = `The derivative jumps at the input: the slope is ${show(left.value)} below it and ${show(right.value)} above`;
      return analytic >= lowest && analytic <= highest
        ? found(
            'kink',
            `${slopes}. ${show(analytic)} lies between, but cannot be checked; move the input away.`,
          )
        : found('wrongAtKink', `${slopes}, and ${show(analytic)} does not lie between.`);
    }
    if (Math.abs(best.value - analytic) <= 5 * best.uncertainty) {
      const relative = noise / Math.abs(here);
      const cause =
        relative > 1e4 * machineEpsilon
          ? `the function's values carry noise of about ${show(noise)} (${show(relative)} of their size), as if part of it computed in float32 or large values cancelled; compute in float64 throughout, with values of moderate size`
          : 'no step size gives a numeric derivative that is sharp enough; scale the inputs so that values are of moderate size';
      return found('rounding', `Cannot be decided: ${cause}.`);
    }
    return found('differs', 'The difference does not move with the step.');
  }

  private oneSided(
    at: (sample: Sample) => number,
    here: number,
    noise: number,
    side: 'plus' | 'minus',
  ): Estimate | null {
    const quotients = this.sweep.map((sample) => ({
      step: sample.step,
      value: (at(sample[side]) - here) / sample[side].t,
    }));
    return extrapolate(quotients, 1, noise);
  }

  // Curvature makes the error of a step ten times as long a hundred times as large; a kink in reach does not.
  private isCurved(central: readonly Quotient[], analytic: number): boolean {
    const errorAt = (step: number): number =>
      Math.abs((central.find((tried) => tried.step === step)?.value ?? Number.NaN) - analytic);
    const wider = errorAt(this.step * ratio);
    return !Number.isFinite(wider) || wider > 20 * errorAt(this.step);
  }

  // The function's limits on both sides, each from two steps along a straight line; a jump shows between them at every
  // scale alike. What the smallest step could hide in a kink does not count.
  private jump(at: (sample: Sample) => number, noise: number): number | null {
    const smallest = this.sweep.slice(-4);
    const limit = (wide: Sample, narrow: Sample): number =>
      at(narrow) - ((at(wide) - at(narrow)) * narrow.t) / (wide.t - narrow.t);
    const jumps = smallest
      .slice(1)
      .map(({ plus, minus }, i) => limit(smallest[i].plus, plus) - limit(smallest[i].minus, minus));
    const size = Math.abs(jumps[2]);
    const [{ plus, minus }, tiny] = [smallest[0], smallest[3].step];
    const steepness = Math.abs((at(plus) - at(minus) - jumps[2]) / (plus.t - minus.t));
    const alike = jumps.every((jump) => Math.abs(jump - jumps[2]) <= 0.01 * size);
    return alike && size > Math.max(100 * noise, 5 * tiny * steepness) ? jumps[2] : null;
  }

  // The standard deviation of the value's rounding errors, from the sixth differences of equally spaced samples. Each
  // window lies beside the input, so that a kink or jump there does not count as noise; the quietest counts.
  private noise(o: number, k: number): number {
    this.windows ??= [1, -1].map((side) =>
      [1e3, 1e2, 1e1, 1, 1e-2, 1e-4].map((scale) => {
        const spacing = side * Math.min(this.step * scale, Math.max(0.05, this.step));
        return Array.from({ length: 9 }, (_, i) => this.line((i + 1) * spacing));
      }),
    );
    const floor = (Math.abs(this.base[o][k]) * machineEpsilon) / 2;
    const sides = this.windows.map((windows) =>
      windows.map((samples) => samples.map(({ values }) => values[o][k])),
    );
    // A side on which the value never moves is a constant, and has no noise.
    if (sides.some((windows) => windows.flat().every((value) => value === windows[0][0]))) return floor;
    const even = this.windows.flatMap((windows) => windows.map(isEven));
    const series = sides.flat().filter((_, i) => even[i]);
    if (series.length === 0) return Number.POSITIVE_INFINITY;
    const levels = series.map(noiseOf).filter((level) => level !== null);
    return Math.max(floor, levels.length > 0 ? Math.min(...levels) : smallestMove(series));
  }
}

// Whether samples are equally spaced; they are not where the spacing is near the resolution of the input.
function isEven(samples: readonly Sample[]): boolean {
  const spacing = samples[0].t;
  return samples.every(({ t }, i) => Math.abs(t - (i + 1) * spacing) <= 1e-3 * Math.abs(spacing));
}

// Null where samples stand still (their step is below the resolution) or are not finite.
function noiseOf(values: readonly number[]): number | null {
  if (!values.every(Number.isFinite)) return null;
  const moves = values.slice(1).filter((value, i) => value !== values[i]).length;
  if (moves < values.length - 3) return null;
  const order = 6;
  let differences = values;
  for (let i = 0; i < order; i++)
    differences = differences.slice(1).map((value, j) => value - differences[j]);
  const meanSquare = differences.reduce((total, d) => total + d * d, 0) / differences.length;
  return Math.sqrt(meanSquare / 924); // (2·6)! / (6!)²
}

// What values that mostly stand still move by when they do: the grain that they are rounded to.
function smallestMove(series: readonly (readonly number[])[]): number {
  const moves = series.flatMap((values) => values.slice(1).map((value, i) => Math.abs(value - values[i])));
  const real = moves.filter((move) => move > 0 && Number.isFinite(move));
  return real.length === 0 ? 0 : Math.min(...real);
}

// The limit of a quotient whose error falls with `order`, from pairs of steps. Of these limits the one counts that moves
// least from that of the longer steps before it, and from which shorter steps stray no further than rounding explains.
// Null if there are no three finite quotients in a row.
function extrapolate(quotients: readonly Quotient[], order: number, noise: number): Estimate | null {
  const limits = quotients.slice(1).map(({ step, value }, i) => ({
    step,
    value: value + (value - quotients[i].value) / (ratio ** order - 1),
  }));
  let best: Estimate | null = null;
  for (let i = 1; i < limits.length; i++) {
    const { step, value } = limits[i];
    const moved = Math.abs(value - limits[i - 1].value);
    if (!Number.isFinite(moved)) continue;
    const strayed = limits
      .slice(i + 1)
      .map((later) => Math.abs(later.value - value) - (10 * noise) / later.step)
      .filter(Number.isFinite);
    const uncertainty = Math.max(moved, ...strayed) + (2 * noise) / step;
    if (best === null || uncertainty < best.uncertainty) best = { value, uncertainty };
  }
  return best;
}

/** A number in a message: no more digits than say something. */
export function show(value: number): string {
  return String(Number(value.toPrecision(4)));
}
