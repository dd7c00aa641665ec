// The convolution family: the three partial derivatives of T(x, w, y) = <w ⊗ y, S x>, each one matrix product beside S.
//
//   forward       y = w · S x          input gradient   x = Sᵀ (wᵀ · y)          weight gradient   w = y · (S x)ᵀ
//
// per image and group, with S the sampling operator of ./taps.ts. All sums run in double precision and are rounded once,
// on store. The gradients are exact adjoints: on integers (below 2^53, and exact in the stored type) all three agree.

import type { ConvGeometry } from '../geometry.ts';
import type { FloatArray } from '../kernels.ts';
import { gemm, type Matrix } from './gemm.ts';
import { elementCount } from './strided.ts';
import { gatherTaps, planTaps, scatterTaps } from './taps.ts';
import { Workspace } from './workspace.ts';

const weightSpace = new Workspace();
const matrixSpace = new Workspace();
const outputSpace = new Workspace();
const imageSpace = new Workspace();

/** `y = ∂T/∂y (x, w)`: the convolution (cross-correlation, as everywhere in deep learning). */
export function convForward(g: ConvGeometry, x: FloatArray, w: FloatArray, y: FloatArray): void {
  if (y.length === 0) return;
  const taps = planTaps(g);
  const depth = taps.channels * taps.taps;
  const outChannels = g.outChannels / g.groups;
  const positions = elementCount(g.outputSize);
  const weight = inDouble(w, weightSpace);
  const matrix = matrixSpace.take(depth * taps.width);
  const sums = outputSpace.take(outChannels * taps.width);
  for (const chunk of taps.chunks) {
    const { first, count } = chunk;
    matrix.fill(0, 0, depth * count);
    const b: Matrix = { data: matrix, offset: 0, row: count, column: 1 };
    for (let n = 0; n < g.batch; n++) {
      for (let group = 0; group < g.groups; group++) {
        gatherTaps(taps, chunk, x, (n * g.inChannels + group * taps.channels) * taps.plane, matrix);
        const a: Matrix = { data: weight, offset: group * outChannels * depth, row: depth, column: 1 };
        sums.fill(0, 0, outChannels * count);
        gemm(outChannels, count, depth, a, b, sums, 0, count);
        const start = (n * g.outChannels + group * outChannels) * positions + first;
        copyRows(sums, 0, count, y, start, positions, outChannels, count);
      }
    }
  }
}

/** `x = ∂T/∂x (w, y)`: the input gradient of the convolution, which is the transposed convolution of y. */
export function convInputGrad(g: ConvGeometry, w: FloatArray, y: FloatArray, x: FloatArray): void {
  if (x.length === 0) return;
  const taps = planTaps(g);
  const depth = taps.channels * taps.taps;
  const outChannels = g.outChannels / g.groups;
  const positions = elementCount(g.outputSize);
  const imageSize = taps.channels * taps.plane;
  const weight = inDouble(w, weightSpace);
  const matrix = matrixSpace.take(depth * taps.width);
  const cotangent = outputSpace.take(outChannels * taps.width);
  const image = imageSpace.take(imageSize);
  for (let n = 0; n < g.batch; n++) {
    for (let group = 0; group < g.groups; group++) {
      const a: Matrix = { data: weight, offset: group * outChannels * depth, row: 1, column: depth };
      const start = (n * g.outChannels + group * outChannels) * positions;
      image.fill(0, 0, imageSize);
      for (const chunk of taps.chunks) {
        const { first, count } = chunk;
        copyRows(y, start + first, positions, cotangent, 0, count, outChannels, count);
        matrix.fill(0, 0, depth * count);
        gemm(
          depth,
          count,
          outChannels,
          a,
          { data: cotangent, offset: 0, row: count, column: 1 },
          matrix,
          0,
          count,
        );
        scatterTaps(taps, chunk, matrix, image);
      }
      copyRows(
        image,
        0,
        imageSize,
        x,
        (n * g.inChannels + group * taps.channels) * taps.plane,
        0,
        1,
        imageSize,
      );
    }
  }
}

/** `w = ∂T/∂w (x, y)`: the weight gradient, summed over the batch. With an empty batch it is zero. */
export function convWeightGrad(g: ConvGeometry, x: FloatArray, y: FloatArray, w: FloatArray): void {
  const taps = planTaps(g);
  const depth = taps.channels * taps.taps;
  const outChannels = g.outChannels / g.groups;
  const positions = elementCount(g.outputSize);
  const sums = weightSpace.take(w.length);
  const matrix = matrixSpace.take(depth * taps.width);
  const cotangent = outputSpace.take(outChannels * taps.width);
  sums.fill(0, 0, w.length);
  for (const chunk of taps.chunks) {
    const { first, count } = chunk;
    matrix.fill(0, 0, depth * count);
    const a: Matrix = { data: cotangent, offset: 0, row: count, column: 1 };
    const b: Matrix = { data: matrix, offset: 0, row: 1, column: count };
    for (let n = 0; n < g.batch; n++) {
      for (let group = 0; group < g.groups; group++) {
        gatherTaps(taps, chunk, x, (n * g.inChannels + group * taps.channels) * taps.plane, matrix);
        const start = (n * g.outChannels + group * outChannels) * positions + first;
        copyRows(y, start, positions, cotangent, 0, count, outChannels, count);
        gemm(outChannels, depth, count, a, b, sums, group * outChannels * depth, depth);
      }
    }
  }
  copyRows(sums, 0, w.length, w, 0, 0, 1, w.length);
}

function inDouble(w: FloatArray, space: Workspace): Float64Array {
  if (w instanceof Float64Array) return w;
  const doubles = space.take(w.length);
  doubles.set(w);
  return doubles;
}

/** Copies `rows` rows of `length` elements; to float32 this is where sums are rounded. */
function copyRows(
  from: FloatArray,
  fromOffset: number,
  fromStride: number,
  to: FloatArray,
  toOffset: number,
  toStride: number,
  rows: number,
  length: number,
): void {
  const solid = fromStride === length && toStride === length;
  const run = solid ? rows * length : length;
  for (let row = 0; row < (solid ? 1 : rows); row++) {
    const source = fromOffset + row * fromStride;
    const target = toOffset + row * toStride;
    // TypedArray.set costs two objects: worth it for long runs only.
    if (run >= 64) to.set(from.subarray(source, source + run), target);
    else for (let i = 0; i < run; i++) to[target + i] = from[source + i];
  }
}
