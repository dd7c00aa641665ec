// A stable order along one axis, by merging runs of doubling length.

import type { Kernels } from '../kernels.ts';
import { contiguous, eachLine } from './strided.ts';

export const argsort: Kernels['argsort'] = (a, axis, direction, out) =>
  argtopk(a, axis, a.shape[axis], direction, out);

export const argtopk: Kernels['argtopk'] = (a, axis, k, direction, out) => {
  if (out.length === 0) return;
  const extent = a.shape[axis];
  const stride = a.strides[axis];
  const found = a.shape.map((size, other) => (other === axis ? k : size));
  const target = contiguous(found);
  const step = target.strides[axis];
  const keys = new Float64Array(extent);
  eachLine(a, target, axis, (start, to) => {
    for (let i = 0; i < extent; i++) keys[i] = a.data[start + i * stride];
    const order = sortedOrder(keys, direction === 'ascending' ? ascending : descending);
    for (let i = 0; i < k; i++) out[to + i * step] = order[i];
  });
};

/** Whether `later`, which stands after `earlier`, must move before it. NaN is larger than every number. */
type Overtakes = (later: number, earlier: number) => boolean;

const ascending: Overtakes = (later, earlier) =>
  later < earlier || (Number.isNaN(earlier) && !Number.isNaN(later));
const descending: Overtakes = (later, earlier) =>
  later > earlier || (Number.isNaN(later) && !Number.isNaN(earlier));

/** The stable order of `keys`: equal keys stay in the order they have. */
function sortedOrder(keys: Float64Array, overtakes: Overtakes): Int32Array {
  const n = keys.length;
  let from = Int32Array.from({ length: n }, (_, i) => i);
  let to = new Int32Array(n);
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const middle = Math.min(n, start + width);
      const end = Math.min(n, middle + width);
      for (let left = start, right = middle, k = start; k < end; k++) {
        const takeRight = left === middle || (right < end && overtakes(keys[from[right]], keys[from[left]]));
        to[k] = takeRight ? from[right++] : from[left++];
      }
    }
    [from, to] = [to, from];
  }
  return from;
}
