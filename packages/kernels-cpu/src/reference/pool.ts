// Pooling: the largest element or the mean of each window, over 1 to 3 spatial axes.
//
// The windows of one plane are listed once, as positions inside the input; padding is simply not in the list. The loops
// over batch and channels then read from the list.

import type { Kernels } from '../kernels.ts';
import type { PoolGeometry } from '../pool-geometry.ts';
import { elementCount } from './strided.ts';
import { threeAxes } from './taps.ts';
import { Workspace } from './workspace.ts';

/** Window `o` of a plane covers `positions[starts[o]]` up to `positions[starts[o + 1]]`, and a mean divides by `divisors[o]`. */
interface Windows {
  readonly starts: Int32Array;
  readonly positions: Int32Array;
  readonly divisors: Float64Array;
}

export const maxPool: Kernels['maxPool'] = (g, x, y, indices) => {
  const { starts, positions } = listWindows(g);
  const inPlane = elementCount(g.inputSize);
  const outPlane = elementCount(g.outputSize);
  for (let plane = 0; plane < g.batch * g.channels; plane++) {
    const base = plane * inPlane;
    for (let o = 0; o < outPlane; o++) {
      let best = -Infinity;
      let index = positions[starts[o]];
      for (let t = starts[o]; t < starts[o + 1]; t++) {
        const value = x[base + positions[t]];
        if (value > best || Number.isNaN(value)) {
          best = value;
          index = positions[t];
        }
      }
      y[plane * outPlane + o] = best;
      if (indices !== null) indices[plane * outPlane + o] = index;
    }
  }
};

export const maxPoolInputGrad: Kernels['maxPoolInputGrad'] = (g, y, indices, x) => {
  const inPlane = elementCount(g.inputSize);
  const outPlane = elementCount(g.outputSize);
  x.fill(0);
  for (let i = 0; i < y.length; i++) {
    const index = indices[i];
    if (index >= 0 && index < inPlane) x[Math.floor(i / outPlane) * inPlane + index] += y[i];
  }
};

export const avgPool: Kernels['avgPool'] = (g, x, y) => {
  const { starts, positions, divisors } = listWindows(g);
  const inPlane = elementCount(g.inputSize);
  const outPlane = elementCount(g.outputSize);
  for (let plane = 0; plane < g.batch * g.channels; plane++) {
    const base = plane * inPlane;
    for (let o = 0; o < outPlane; o++) {
      let sum = 0;
      for (let t = starts[o]; t < starts[o + 1]; t++) sum += x[base + positions[t]];
      y[plane * outPlane + o] = sum / divisors[o];
    }
  }
};

const planeSpace = new Workspace();

export const avgPoolInputGrad: Kernels['avgPoolInputGrad'] = (g, y, x) => {
  const { starts, positions, divisors } = listWindows(g);
  const inPlane = elementCount(g.inputSize);
  const outPlane = elementCount(g.outputSize);
  const sums = planeSpace.take(inPlane);
  for (let plane = 0; plane < g.batch * g.channels; plane++) {
    sums.fill(0, 0, inPlane);
    for (let o = 0; o < outPlane; o++) {
      const share = y[plane * outPlane + o] / divisors[o];
      for (let t = starts[o]; t < starts[o + 1]; t++) sums[positions[t]] += share;
    }
    for (let i = 0; i < inPlane; i++) x[plane * inPlane + i] = sums[i];
  }
};

function listWindows(g: PoolGeometry): Windows {
  const axes = [0, 1, 2].map((axis) => listAxis(g, axis));
  const [, inHeight, inWidth] = threeAxes(g.inputSize, 1);
  const count = elementCount(g.outputSize);
  const starts = new Int32Array(count + 1);
  const divisors = new Float64Array(count);
  const positions: number[] = [];
  let window = 0;
  for (const d of axes[0]) {
    for (const h of axes[1]) {
      for (const w of axes[2]) {
        for (const i of d.inside) {
          for (const j of h.inside)
            for (const k of w.inside) positions.push((i * inHeight + j) * inWidth + k);
        }
        divisors[window] = g.divisorOverride ?? d.divisor * h.divisor * w.divisor;
        starts[++window] = positions.length;
      }
    }
  }
  return { starts, positions: new Int32Array(positions), divisors };
}

/** The windows of one axis: the positions inside the input, and how many a mean counts. */
function listAxis(g: PoolGeometry, axis: number): { inside: number[]; divisor: number }[] {
  const input = threeAxes(g.inputSize, 1)[axis];
  const output = threeAxes(g.outputSize, 1)[axis];
  const kernel = threeAxes(g.kernelSize, 1)[axis];
  const stride = threeAxes(g.stride, 1)[axis];
  const padding = threeAxes(g.padding, 0)[axis];
  const dilation = threeAxes(g.dilation, 1)[axis];
  const limit = g.countIncludePad ? input + padding : input;
  const windows: { inside: number[]; divisor: number }[] = [];
  for (let o = 0; o < output; o++) {
    const inside: number[] = [];
    let divisor = 0;
    for (let tap = 0; tap < kernel; tap++) {
      const position = o * stride - padding + tap * dilation;
      if (position >= 0 && position < input) inside.push(position);
      if (position < limit && (g.countIncludePad || position >= 0)) divisor++;
    }
    windows.push({ inside, divisor });
  }
  return windows;
}
