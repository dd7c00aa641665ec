// Normalisations on a machine. What is normalised over the batch takes two rounds over the elements: one for the
// statistics, whose few numbers are worked out here, and one that applies them.

import type {
  FloatArray,
  Kernels,
  NormGeometry,
  NormGradients,
  NormMoments,
  NormParameters,
  NormStatistics,
} from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { momentsOf } from './accelerate-variance.ts';
import type { Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, updates, writes } from './units.ts';

/** Elements from which a call is worth it. */
const LEAST = 128;

export function norms(
  machine: Machine,
): Pick<Kernels, 'normalise' | 'normaliseBy' | 'normaliseGrad' | 'normaliseWeightGrad'> {
  return {
    normalise: normaliseOf(machine),
    normaliseBy: normaliseByOf(machine),
    normaliseGrad: normaliseGradOf(machine),
    normaliseWeightGrad: normaliseWeightGradOf(machine),
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

/** A zeroed array of the type of x. */
function arrayLike(x: FloatArray, length: number): FloatArray {
  return x instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
}

/** Arrays of the type of x for the moments of so many sets. */
function momentsFor(x: FloatArray, sets: number): NormMoments {
  return { mean: arrayLike(x, sets), rstd: arrayLike(x, sets), variance: arrayLike(x, sets) };
}

function overBatch(
  machine: Machine,
  g: NormGeometry,
  x: FloatArray,
  affine: NormParameters,
  y: FloatArray,
  moments: NormMoments,
): boolean {
  const found = momentsOf(machine, 'normalise', x, g.batch, g.groups, g.channels * g.places);
  if (!found) return false;
  const { mean, rstd, variance } = moments;
  mean.set(found.mean);
  variance.set(found.variance);
  for (let k = 0; k < g.groups; k++) rstd[k] = 1 / Math.sqrt(found.variance[k] + g.eps);
  return applied(machine, 'normalise', g, x, affine, moments, y);
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
  const [centre, scale, slope, shift] = [0, 1, 2, 3].map(() => arrayLike(x, count));
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
