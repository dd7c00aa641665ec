// Reductions over any set of axes: a fold per op over runs of elements, and one driver that finds the runs.
//
// Sums are compensated (Knuth's exact TwoSum, the errors summed beside): in float64 the result is as good as rounding the
// exact sum once, give or take a unit, however long it is and however much cancels within 1/ε. The order of summation is
// the row-major order of the reduced elements, so the same input gives the same bits whatever its strides.

import type { NumericArray, ReduceKernel, ReduceName, Strided } from '../kernels.ts';
import { contiguous, elementCount, type Layout, Rows } from './strided.ts';

/** Folds `n` elements from `i` in steps of `di` into `state`, whose first element is the value and whose second is the op's own. */
type Fold = (state: Float64Array, data: NumericArray, i: number, di: number, n: number) => void;

/** An op as a fold: the value of an empty reduction, and the loop. */
interface Reducer {
  readonly initial: number;
  readonly fold: Fold;
}

const sum: Reducer = {
  initial: 0,
  fold(state, data, i, di, n) {
    let total = state[0];
    let error = state[1];
    for (let t = 0; t < n; t++, i += di) {
      const x = data[i];
      const next = total + x;
      const part = next - total;
      error += total - (next - part) + (x - part);
      total = next;
    }
    state[0] = total;
    state[1] = error;
  },
};

const sumOfSquares: Reducer = {
  initial: 0,
  fold(state, data, i, di, n) {
    let total = state[0];
    let error = state[1];
    for (let t = 0; t < n; t++, i += di) {
      const x = data[i] * data[i];
      const next = total + x;
      const part = next - total;
      error += total - (next - part) + (x - part);
      total = next;
    }
    state[0] = total;
    state[1] = error;
  },
};

const prod: Reducer = {
  initial: 1,
  fold(state, data, i, di, n) {
    let product = state[0];
    for (let t = 0; t < n; t++, i += di) product *= data[i];
    state[0] = product;
  },
};

/** Sum and product of whole numbers that are stored in whole numbers: exact modulo 2^32. */
const integerSum: Reducer = {
  initial: 0,
  fold(state, data, i, di, n) {
    let total = state[0] | 0;
    for (let t = 0; t < n; t++, i += di) total = (total + data[i]) | 0;
    state[0] = total;
  },
};

const integerProd: Reducer = {
  initial: 1,
  fold(state, data, i, di, n) {
    let product = state[0] | 0;
    for (let t = 0; t < n; t++, i += di) product = Math.imul(product, data[i]);
    state[0] = product;
  },
};

// `!(x <= best)` also takes a NaN, and once there it stays: nothing compares with it but itself.
const max: Reducer = {
  initial: -Infinity,
  fold(state, data, i, di, n) {
    let best = state[0];
    for (let t = 0; t < n && !Number.isNaN(best); t++, i += di) if (!(data[i] <= best)) best = data[i];
    state[0] = best;
  },
};

const min: Reducer = {
  initial: Infinity,
  fold(state, data, i, di, n) {
    let best = state[0];
    for (let t = 0; t < n && !Number.isNaN(best); t++, i += di) if (!(data[i] >= best)) best = data[i];
    state[0] = best;
  },
};

const any: Reducer = {
  initial: 0,
  fold(state, data, i, di, n) {
    for (let t = 0; t < n && state[0] === 0; t++, i += di) if (data[i] !== 0) state[0] = 1;
  },
};

const all: Reducer = {
  initial: 1,
  fold(state, data, i, di, n) {
    for (let t = 0; t < n && state[0] !== 0; t++, i += di) if (data[i] === 0) state[0] = 0;
  },
};

const state = new Float64Array(2);

/** A kernel from a reducer, and from another for outputs of whole numbers where those need their own arithmetic. */
function reduction(reducer: Reducer, integerReducer: Reducer = reducer): ReduceKernel {
  return (a, axes, out) => {
    if (out.length === 0) return;
    const isInteger = out instanceof Int32Array || out instanceof Uint8Array;
    const { initial, fold } = isInteger ? integerReducer : reducer;
    const { kept, reduced } = splitAxes(a, axes);
    if (elementCount(reduced.shape) === 0) {
      out.fill(initial);
      return;
    }
    const outer = new Rows(kept.shape, [kept]);
    const inner = new Rows(reduced.shape, [reduced]);
    let k = 0;
    do {
      let start = a.offset + outer.at(0);
      for (let t = 0; t < outer.length; t++, start += outer.step(0)) {
        state[0] = initial;
        state[1] = 0;
        do fold(state, a.data, start + inner.at(0), inner.step(0), inner.length);
        while (inner.next());
        // The error term is NaN where the total is infinite.
        out[k++] = Number.isFinite(state[0]) ? state[0] + state[1] : state[0];
      }
    } while (outer.next());
  };
}

/** The layouts, from offset 0, of the axes that stay and of those that are reduced (which are sorted). */
export function splitAxes(a: Strided, axes: readonly number[]): { kept: Layout; reduced: Layout } {
  const rank = a.shape.length;
  const kept = emptyLayout(rank - axes.length);
  const reduced = emptyLayout(axes.length);
  for (let axis = 0, next = 0; axis < rank; axis++) {
    const isReduced = next < axes.length && axes[next] === axis;
    const layout = isReduced ? reduced : kept;
    const place = isReduced ? next++ : axis - next;
    layout.shape[place] = a.shape[axis];
    layout.strides[place] = a.strides[axis];
  }
  return { kept, reduced };
}

function emptyLayout(rank: number): { shape: number[]; strides: number[]; offset: number } {
  return { shape: new Array<number>(rank), strides: new Array<number>(rank), offset: 0 };
}

export const reduceKernels: { readonly [K in ReduceName]: ReduceKernel } = {
  sum: reduction(sum, integerSum),
  sumOfSquares: reduction(sumOfSquares),
  prod: reduction(prod, integerProd),
  max: reduction(max),
  min: reduction(min),
  any: reduction(any),
  all: reduction(all),
};

/** Index along `axis` of the first element that nothing beats; NaN beats everything. */
function extremum(beats: (x: number, best: number) => boolean) {
  return (a: Strided, axis: number, out: Int32Array): void => {
    if (out.length === 0) return;
    const extent = a.shape[axis];
    const stride = a.strides[axis];
    const { kept } = splitAxes(a, [axis]);
    const lines = new Rows(kept.shape, [kept, contiguous(kept.shape)]);
    do {
      for (let t = 0; t < lines.length; t++) {
        const start = a.offset + lines.at(0) + t * lines.step(0);
        let index = 0;
        let best = a.data[start];
        for (let i = 1; i < extent && !Number.isNaN(best); i++) {
          const x = a.data[start + i * stride];
          if (beats(x, best) || Number.isNaN(x)) {
            index = i;
            best = x;
          }
        }
        out[lines.at(1) + t * lines.step(1)] = index;
      }
    } while (lines.next());
  };
}

export const argmax = extremum((x, best) => x > best);
export const argmin = extremum((x, best) => x < best);
