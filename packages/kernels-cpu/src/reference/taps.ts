// Where a convolution's outputs read its input: the sampling operator S of the trilinear form T(x, w, y) = <w ⊗ y, S x>.
//
// S takes an image x to a matrix with a row per (channel, tap) and a column per output position (im2col). This file is
// the only one that turns a geometry into positions; `gatherTaps` applies S and `scatterTaps` applies its adjoint.

import type { ConvGeometry } from '../geometry.ts';
import type { FloatArray } from '../kernels.ts';
import { elementCount } from './strided.ts';

/** A range of output positions [first, first + count) of one image, with the places that S reads for them. */
export interface TapChunk {
  readonly first: number;
  readonly count: number;
  /** Triples (start in one channel's plane of x, start in the matrix, length): what lies inside x; all else is padding. */
  readonly runs: readonly number[];
}

/** S for every image and group of a geometry, cut into chunks of output positions so that its matrix stays in cache. */
export interface Taps {
  /** Channels of x per group. */
  readonly channels: number;
  /** Elements of one channel's plane of x. */
  readonly plane: number;
  /** Taps of the kernel: the matrix has `channels * taps` rows. */
  readonly taps: number;
  /** Steps of x along a run. */
  readonly stride: number;
  readonly chunks: readonly TapChunk[];
  /** Columns of the largest chunk. */
  readonly width: number;
}

/** Elements that a chunk's matrix should not exceed (2 MiB of doubles). */
const CHUNK = 2 ** 18;

/** Plans S for a geometry with 1 to 3 spatial axes; missing leading axes count as extent 1. */
export function planTaps(g: ConvGeometry): Taps {
  const channels = g.inChannels / g.groups;
  const kernel = threeAxes(g.kernelSize, 1);
  const out = threeAxes(g.outputSize, 1);
  const taps = kernel[0] * kernel[1] * kernel[2];
  const rows = out[0] * out[1];
  const width = out[2];
  const positions = Math.max(1, Math.floor(CHUNK / (channels * taps)));
  // A chunk is a whole number of output rows, or part of one row where a row alone is too long.
  const rowsPerChunk = Math.min(rows, Math.max(1, Math.floor(positions / width)));
  const columnsPerChunk = Math.min(width, positions);
  const chunks: TapChunk[] = [];
  for (let row = 0; row < rows; row += rowsPerChunk) {
    const rowEnd = Math.min(rows, row + rowsPerChunk);
    for (let column = 0; column < width; column += columnsPerChunk) {
      const columnEnd = Math.min(width, column + columnsPerChunk);
      const runs: number[] = [];
      for (let tap = 0; tap < taps; tap++) pushRuns(runs, g, tap, row, rowEnd, column, columnEnd);
      chunks.push({ first: row * width + column, count: (rowEnd - row) * (columnEnd - column), runs });
    }
  }
  return {
    channels,
    plane: elementCount(g.inputSize),
    taps,
    stride: g.stride[g.stride.length - 1],
    chunks,
    width: rowsPerChunk * columnsPerChunk,
  };
}

/** The runs of one tap of the kernel: one per output row that the tap finds inside x. */
function pushRuns(
  runs: number[],
  g: ConvGeometry,
  tap: number,
  row: number,
  rowEnd: number,
  column: number,
  columnEnd: number,
): void {
  const input = threeAxes(g.inputSize, 1);
  const kernel = threeAxes(g.kernelSize, 1);
  const stride = threeAxes(g.stride, 1);
  const padding = threeAxes(g.padding, 0);
  const dilation = threeAxes(g.dilation, 1);
  const outHeight = threeAxes(g.outputSize, 1)[1];
  // Output position o reads the input at o * stride + shift.
  const shiftW = (tap % kernel[2]) * dilation[2] - padding[2];
  const shiftH = (Math.floor(tap / kernel[2]) % kernel[1]) * dilation[1] - padding[1];
  const shiftD = Math.floor(tap / (kernel[2] * kernel[1])) * dilation[0] - padding[0];
  const low = Math.max(column, Math.ceil(-shiftW / stride[2]));
  const high = Math.min(columnEnd, Math.ceil((input[2] - shiftW) / stride[2]));
  if (low >= high) return;
  const width = columnEnd - column;
  const inMatrix = tap * (rowEnd - row) * width + low - column;
  for (let r = row; r < rowEnd; r++) {
    const d = Math.floor(r / outHeight) * stride[0] + shiftD;
    const h = (r % outHeight) * stride[1] + shiftH;
    if (d < 0 || d >= input[0] || h < 0 || h >= input[1]) continue;
    const inPlane = (d * input[1] + h) * input[2] + low * stride[2] + shiftW;
    runs.push(inPlane, inMatrix + (r - row) * width, high - low);
  }
}

/** `matrix = S x` for one chunk of one image and group. Padding is not written: the caller zeroes the matrix once per chunk. */
export function gatherTaps(
  taps: Taps,
  chunk: TapChunk,
  x: FloatArray,
  offset: number,
  matrix: Float64Array,
): void {
  const { runs, count } = chunk;
  const { stride } = taps;
  for (let channel = 0; channel < taps.channels; channel++) {
    const xStart = offset + channel * taps.plane;
    const matrixStart = channel * taps.taps * count;
    for (let r = 0; r < runs.length; r += 3) {
      const end = matrixStart + runs[r + 1] + runs[r + 2];
      for (let m = matrixStart + runs[r + 1], p = xStart + runs[r]; m < end; m++, p += stride)
        matrix[m] = x[p];
    }
  }
}

/** `x += Sᵀ matrix`: the adjoint of {@link gatherTaps}, run for run. */
export function scatterTaps(taps: Taps, chunk: TapChunk, matrix: Float64Array, x: Float64Array): void {
  const { runs, count } = chunk;
  const { stride } = taps;
  for (let channel = 0; channel < taps.channels; channel++) {
    const xStart = channel * taps.plane;
    const matrixStart = channel * taps.taps * count;
    for (let r = 0; r < runs.length; r += 3) {
      const end = matrixStart + runs[r + 1] + runs[r + 2];
      for (let m = matrixStart + runs[r + 1], p = xStart + runs[r]; m < end; m++, p += stride)
        x[p] += matrix[m];
    }
  }
}

/** Spatial values of three axes, with `missing` for leading axes that are not there. */
export function threeAxes(values: readonly number[], missing: number): [number, number, number] {
  const rank = values.length;
  return [rank > 2 ? values[rank - 3] : missing, rank > 1 ? values[rank - 2] : missing, values[rank - 1]];
}
