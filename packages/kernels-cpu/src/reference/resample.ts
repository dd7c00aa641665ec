// Kernels of layers that change a size: a sparse matrix applied along one axis, and the maxima of adaptive pooling.

import type { Kernels } from '../kernels.ts';
import { contiguous, elementCount, Rows, withoutAxis } from './strided.ts';
import { threeAxes } from './taps.ts';

/** Lines that are worked on together. */
const BLOCK = 64;

export const sparseAlong: Kernels['sparseAlong'] = ({ starts, columns, values }, a, axis, out) => {
  if (out.length === 0) return;
  const rows = starts.length - 1;
  const target = contiguous(a.shape.map((extent, i) => (i === axis ? rows : extent)));
  const others = withoutAxis(a, axis);
  const lines = new Rows(others.shape, [others, withoutAxis(target, axis)]);
  const { data } = a;
  const step = a.strides[axis];
  const rowStep = target.strides[axis];
  do {
    const [start, write] = [lines.at(0), lines.at(1)];
    const [di, dk] = [lines.step(0), lines.step(1)];
    // Blocks of lines: of each block all rows are done while it is in cache, whichever way its elements lie.
    for (let block = 0; block < lines.length; block += BLOCK) {
      const count = Math.min(BLOCK, lines.length - block);
      for (let row = 0; row < rows; row++) {
        const [first, end] = [starts[row], starts[row + 1]];
        let i = start + block * di;
        let k = write + block * dk + row * rowStep;
        for (let t = 0; t < count; t++, i += di, k += dk) {
          let sum = 0;
          for (let n = first; n < end; n++) sum += values[n] * data[i + columns[n] * step];
          out[k] = sum;
        }
      }
    }
  } while (lines.next());
};

export const adaptiveMaxPool: Kernels['adaptiveMaxPool'] = (planes, inputSize, outputSize, x, indices) => {
  const [inPlane, outPlane] = [elementCount(inputSize), elementCount(outputSize)];
  const [, inHeight, inWidth] = threeAxes(inputSize, 1);
  const [depths, heights, widths] = threeAxes(inputSize, 1).map((extent, axis) =>
    bounds(extent, threeAxes(outputSize, 1)[axis]),
  );
  const outWidth = widths.length;
  const outHeight = heights.length;
  for (let plane = 0; plane < planes; plane++) {
    const base = plane * inPlane;
    for (let o = 0; o < outPlane; o++) {
      const [w0, w1] = widths[o % outWidth];
      const [h0, h1] = heights[Math.floor(o / outWidth) % outHeight];
      const [d0, d1] = depths[Math.floor(o / outWidth / outHeight)];
      let [best, index] = [-Infinity, (d0 * inHeight + h0) * inWidth + w0];
      for (let d = d0; d < d1; d++) {
        for (let h = h0; h < h1; h++) {
          for (let w = w0, at = (d * inHeight + h) * inWidth + w0; w < w1; w++, at++) {
            const value = x[base + at];
            if (value > best || Number.isNaN(value)) [best, index] = [value, at];
          }
        }
      }
      indices[plane * outPlane + o] = index;
    }
  }
};

/** First position and position after the last of each window of one axis. */
function bounds(input: number, output: number): (readonly [number, number])[] {
  return Array.from({ length: output }, (_, o) => [
    Math.floor((o * input) / output),
    Math.ceil(((o + 1) * input) / output),
  ]);
}
