// Normalisations and variances on a machine. What is normalised over the batch takes two rounds over the elements: one for the
// statistics, whose few numbers are worked out here, and one that applies them.

import type {
  FloatArray,
  Kernels,
  NormGeometry,
  NormGradients,
  NormMoments,
  NormParameters,
  NormStatistics,
  Strided,
} from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import { contiguousOf } from './lines.ts';
import type { Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, updates, writes } from './units.ts';

/** Elements from which a call is worth it. */
const LEAST = 128;

export function norms(
  machine: Machine,
  copy: Kernels['copy'],
): Pick<Kernels, 'normalise' | 'normaliseBy' | 'normaliseGrad' | 'normaliseWeightGrad' | 'variance'> {
  return {
    normalise: normaliseOf(machine),
    normaliseBy: normaliseByOf(machine),
    normaliseGrad: normaliseGradOf(machine),
    normaliseWeightGrad: normaliseWeightGradOf(machine),
    variance: varianceOf(machine, copy),
  };
}

/** A geometry's numbers as every kernel of simd/norms.h takes them. */
function numbersOf({ groups, channels, places, eps, centred }: NormGeometry): number[] {
  return [groups, channels, places, eps, centred ? 1 : 0];
}

/** Whether x is worth a call, and the other arrays are of its type. */
function fits(x: FloatArray, others: readonly FloatArray[]): boolean {
  return x.length >= LEAST && others.every((array) => sameFloats(array, array, x));
}

function normaliseOf(machine: Machine): Kernels['normalise'] {
  return (g, x, affine, y, moments) => {
    const { weight, bias } = affine;
    const kept = moments === null ? [] : [moments.mean, moments.rstd, moments.variance];
    if (fits(x, [y, weight, bias, ...kept])) {
      if (g.over === 'sample') {
        const unit = x.length / g.batch;
        const operands = [reads(x, unit), reads(weight, 0), reads(bias, 0)];
        const results = [writes(y, unit), ...kept.map((array) => writes(array, g.groups))];
        const own = [...numbersOf(g), kept.length > 0 ? 1 : 0];
        if (runUnits(machine, 'normaliseSamples', g.batch, own, [...operands, ...results], 'normalise'))
          return;
      } else if (g.centred && overBatch(machine, g, x, affine, y, moments ?? momentsFor(x, g.groups))) {
        return;
      }
    }
    reference.normalise(g, x, affine, y, moments);
  };
}

/** Arrays of the type of x for the moments of so many sets. */
function momentsFor(x: FloatArray, sets: number): NormMoments {
  const array = (): FloatArray =>
    x instanceof Float32Array ? new Float32Array(sets) : new Float64Array(sets);
  return { mean: array(), rstd: array(), variance: array() };
}

function overBatch(
  machine: Machine,
  g: NormGeometry,
  x: FloatArray,
  affine: NormParameters,
  y: FloatArray,
  moments: NormMoments,
): boolean {
  const found = variancesOf(machine, 'normalise', x, g.batch, g.groups, g.channels * g.places);
  if (!found) return false;
  const { mean, rstd, variance } = moments;
  mean.set(found.mean);
  variance.set(found.variance);
  for (let k = 0; k < g.groups; k++) rstd[k] = 1 / Math.sqrt(found.variance[k] + g.eps);
  return applied(machine, 'normalise', g, x, affine, moments, y);
}

/** Means and mean square deviations of `groups` groups, over `batch` samples and a run of each. */
function variancesOf(
  machine: Machine,
  op: string,
  x: FloatArray,
  batch: number,
  groups: number,
  run: number,
  offset = 0,
): { readonly mean: Float64Array; readonly variance: Float64Array } | null {
  const mean = new Float64Array(groups);
  const variance = new Float64Array(groups);
  const arrays = [reads(x, groups * run, offset), updates(mean, 0), updates(variance, 0)];
  if (!runUnits(machine, 'groupMoments', batch, [groups, run], arrays, op)) return null;
  for (let k = 0; k < groups; k++) variance[k] /= batch * run;
  return { mean, variance };
}

function applied(
  machine: Machine,
  op: string,
  g: NormGeometry,
  x: FloatArray,
  { weight, bias }: NormParameters,
  { mean, rstd }: NormStatistics,
  y: FloatArray,
): boolean {
  const unit = x.length / g.batch;
  const shared = [reads(weight, 0), reads(bias, 0), reads(mean, 0), reads(rstd, 0)];
  const arrays = [reads(x, unit), ...shared, writes(y, unit)];
  return runUnits(machine, 'normaliseBy', g.batch, numbersOf(g), arrays, op);
}

function normaliseByOf(machine: Machine): Kernels['normaliseBy'] {
  return (g, x, affine, statistics, y) => {
    const { weight, bias } = affine;
    const { mean, rstd } = statistics;
    const isFast = g.over === 'batch' && fits(x, [y, weight, bias, mean, rstd]);
    if (!isFast || !applied(machine, 'normaliseBy', g, x, affine, statistics, y))
      reference.normaliseBy(g, x, affine, statistics, y);
  };
}

function normaliseGradOf(machine: Machine): Kernels['normaliseGrad'] {
  const normaliseWeightGrad = normaliseWeightGradOf(machine);
  return (g, cotangent, x, weight, statistics, gradients) => {
    const out = gradients.x;
    const { mean, rstd } = statistics;
    if (fits(x, [cotangent, out, weight, mean, rstd])) {
      const unit = x.length / g.batch;
      if (g.over === 'batch') {
        if (overBatchGrad(machine, g, cotangent, x, weight, statistics, gradients)) return;
      } else {
        const operands = [reads(cotangent, unit), reads(x, unit), reads(weight, 0)];
        const given = [reads(mean, g.groups), reads(rstd, g.groups)];
        const arrays = [...operands, ...given, writes(out, unit)];
        if (runUnits(machine, 'normaliseSamplesGrad', g.batch, numbersOf(g), arrays, 'normaliseGrad')) {
          if (gradients.weight !== null) normaliseWeightGrad(g, cotangent, x, statistics, gradients.weight);
          return;
        }
      }
    }
    reference.normaliseGrad(g, cotangent, x, weight, statistics, gradients);
  };
}

/** Sums of the cotangent, and of the cotangent times what was normalised, of each group and channel; null if it was not done. */
function sumsOf(
  machine: Machine,
  op: string,
  g: NormGeometry,
  cotangent: FloatArray,
  x: FloatArray,
  { mean, rstd }: NormStatistics,
): Float64Array | null {
  const unit = x.length / g.batch;
  const sums = new Float64Array(2 * g.groups * g.channels);
  const perUnit = g.over === 'sample' ? g.groups : 0;
  const arrays = [reads(cotangent, unit), reads(x, unit), reads(mean, perUnit), reads(rstd, perUnit)];
  const own = [...numbersOf(g), perUnit === 0 ? 1 : 0];
  return runUnits(machine, 'normaliseSums', g.batch, own, [...arrays, updates(sums, 0)], op) ? sums : null;
}

function overBatchGrad(
  machine: Machine,
  g: NormGeometry,
  cotangent: FloatArray,
  x: FloatArray,
  weight: FloatArray,
  statistics: NormStatistics,
  gradients: NormGradients,
): boolean {
  const { mean, rstd } = statistics;
  const sums = sumsOf(machine, 'normaliseGrad', g, cotangent, x, statistics);
  if (!sums) return false;
  const { groups, channels } = g;
  const count = groups * channels;
  gradients.weight?.set(sums.subarray(count));
  const size = g.batch * channels * g.places;
  const like = (): FloatArray =>
    x instanceof Float32Array ? new Float32Array(count) : new Float64Array(count);
  const [centre, scale, slope, shift] = [like(), like(), like(), like()];
  for (let group = 0; group < groups; group++) {
    let [average, product] = [0, 0];
    for (let p = group * channels; p < (group + 1) * channels; p++) {
      average += (weight[p] * sums[p]) / size;
      product += (weight[p] * sums[count + p]) / size;
    }
    for (let p = group * channels; p < (group + 1) * channels; p++) {
      centre[p] = mean[group];
      scale[p] = rstd[group] * weight[p];
      slope[p] = -(rstd[group] ** 2) * product;
      shift[p] = g.centred ? -rstd[group] * average : 0;
    }
  }
  const unit = x.length / g.batch;
  const shared = [centre, scale, slope, shift].map((array) => reads(array, 0));
  const arrays = [reads(cotangent, unit), reads(x, unit), ...shared, writes(gradients.x, unit)];
  return runUnits(machine, 'normaliseByGrad', g.batch, numbersOf(g), arrays, 'normaliseGrad');
}

function normaliseWeightGradOf(machine: Machine): Kernels['normaliseWeightGrad'] {
  return (g, cotangent, x, statistics, out) => {
    const isFast = fits(x, [cotangent, out, statistics.mean, statistics.rstd]);
    const sums = isFast && sumsOf(machine, 'normaliseWeightGrad', g, cotangent, x, statistics);
    if (sums) out.set(sums.subarray(out.length));
    else reference.normaliseWeightGrad(g, cotangent, x, statistics, out);
  };
}

function varianceOf(machine: Machine, copy: Kernels['copy']): Kernels['variance'] {
  return (a, axes, correction, out) => {
    const count = elementCount(a.shape);
    const runs = runsOf(a.shape, axes);
    const isFast =
      count >= LEAST &&
      runs !== null &&
      sameFloats(a.data, a.data, out) &&
      variancesOfRuns(
        machine,
        contiguousOf(a as Strided<FloatArray>, count, copy),
        runs,
        correction,
        out as FloatArray,
      );
    if (!isFast) reference.variance(a, axes, correction, out);
  };
}

/** Axes that stay, are reduced, stay, and are reduced, in that order. */
interface Runs {
  readonly outer: number;
  readonly batch: number;
  readonly groups: number;
  readonly run: number;
}

function variancesOfRuns(
  machine: Machine,
  { data, offset }: { readonly data: FloatArray; readonly offset: number },
  { outer, batch, groups, run }: Runs,
  correction: number,
  out: FloatArray,
): boolean {
  const count = batch * run;
  const freedom = Math.max(0, count - correction);
  for (let i = 0; i < outer; i++) {
    const found = variancesOf(machine, 'variance', data, batch, groups, run, offset + i * groups * count);
    if (!found) return false;
    for (let k = 0; k < groups; k++) out[i * groups + k] = (found.variance[k] * count) / freedom;
  }
  return true;
}

/** Null if the axes are of another kind, or there would be many short calls. */
function runsOf(shape: readonly number[], axes: readonly number[]): Runs | null {
  const extents: number[] = [];
  const reduced: boolean[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 1) continue;
    const is = axes.includes(axis);
    if (extents.length > 0 && reduced[reduced.length - 1] === is) extents[extents.length - 1] *= shape[axis];
    else {
      extents.push(shape[axis]);
      reduced.push(is);
    }
  }
  const kinds = reduced.map((is) => (is ? 'R' : 'K')).join('');
  const at = 'KRKR'.indexOf(kinds);
  if (at < 0 || !kinds.includes('R')) return null;
  // Rows are groups with a run each, and no batch.
  const [outer, batch, groups, run] =
    kinds === 'KR' ? [1, 1, ...extents] : kinds === 'R' ? [1, 1, 1, ...extents] : pad(extents, at);
  return outer > 1 && batch * groups * run < 2 ** 14 ? null : { outer, batch, groups, run };
}

function pad(extents: readonly number[], at: number): number[] {
  const all = [1, 1, 1, 1];
  extents.forEach((extent, i) => {
    all[at + i] = extent;
  });
  return all;
}
