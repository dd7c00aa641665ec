// Variances on a machine, and the means and mean square deviations that normalisations over a batch begin with.

import type { FloatArray, Kernels, Strided } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import { contiguousOf } from './lines.ts';
import type { Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, updates } from './units.ts';

/** Elements from which a call is worth it. */
const LEAST = 128;

/** Means and mean square deviations of `groups` groups, over `batch` samples and a run of each; null if it was not done. */
export function momentsOf(
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

export function varianceOf(machine: Machine, copy: Kernels['copy']): Kernels['variance'] {
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
    const found = momentsOf(machine, 'variance', data, batch, groups, run, offset + i * groups * count);
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
