// Where a convolution's outputs read its input: the sampling operator S of the trilinear form T(x, w, y) = <w ⊗ y, S x>.
//
// S takes an image x to a matrix with a row per (channel, tap) and a column per output position (im2col). This file is
// the only one that turns a geometry into positions; `gatherTaps` applies S and `scatterTaps` applies its adjoint.

import type { ConvGeometry } from '../geometry.ts';
import type { FloatArray } from '../kernels.ts';

/** A range of output positions [first, first + count) of one image, with the places that S reads for them. */
export interface TapChunk {
  readonly first: number;
  readonly count: number;
  /** Triples (start in one channel's plane of x, start in the matrix, length): what lies inside x; all else is padding. */
  readonly runs: Int32Array;
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
  const [, inHeight, inWidth] = threeAxes(g.inputSize, 1);
  const [kernelDepth, kernelHeight, kernelWidth] = threeAxes(g.kernelSize, 1);
  const [outDepth, outHeight, outWidth] = threeAxes(g.outputSize, 1);
  const channels = g.inChannels / g.groups;
  const taps = kernelDepth * kernelHeight * kernelWidth;
  const positions = Math.max(1, Math.floor(CHUNK / (channels * taps)));
  // A chunk is a whole number of output rows, or part of one row where a row alone is too long.
  const rowsPerChunk = Math.max(1, Math.floor(positions / outWidth));
  const columnsPerChunk = Math.min(outWidth, positions);
  const rows = outDepth * outHeight;
  const chunks: TapChunk[] = [];
  for (let row = 0; row < rows; row += rowsPerChunk) {
    const rowEnd = Math.min(rows, row + rowsPerChunk);
    for (let column = 0; column < outWidth; column += columnsPerChunk) {
      const columnEnd = Math.min(outWidth, column + columnsPerChunk);
      chunks.push({
        first: row * outWidth + column,
        count: (rowEnd - row) * (columnEnd - column),
        runs: chunkRuns(g, row, rowEnd, column, columnEnd),
      });
    }
  }
  return {
    channels,
    plane: g.inputSize.reduce((product, extent) => product * extent, 1),
    taps,
    stride: threeAxes(g.stride, 1)[2],
    chunks,
    width: chunks.reduce((widest, chunk) => Math.max(widest, chunk.count), 0),
  };

  function chunkRuns(
    { inputSize, stride, padding, dilation }: ConvGeometry,
    row: number,
    rowEnd: number,
    column: number,
    columnEnd: number,
  ): Int32Array {
    const inDepth = threeAxes(inputSize, 1)[0];
    const [strideD, strideH, strideW] = threeAxes(stride, 1);
    const [paddingD, paddingH, paddingW] = threeAxes(padding, 0);
    const [dilationD, dilationH, dilationW] = threeAxes(dilation, 1);
    const width = columnEnd - column;
    const count = (rowEnd - row) * width;
    const runs: number[] = [];
    for (let tap = 0; tap < taps; tap++) {
      const shiftW = (tap % kernelWidth) * dilationW - paddingW;
      const shiftH = (Math.floor(tap / kernelWidth) % kernelHeight) * dilationH - paddingH;
      const shiftD = Math.floor(tap / kernelWidth / kernelHeight) * dilationD - paddingD;
      // The columns that this tap finds inside x: 0 <= column * stride + shift < inWidth.
      const low = Math.max(column, Math.ceil(-shiftW / strideW));
      const high = Math.min(columnEnd, Math.ceil((inWidth - shiftW) / strideW));
      if (low >= high) continue;
      for (let r = row; r < rowEnd; r++) {
        const d = Math.floor(r / outHeight) * strideD + shiftD;
        const h = (r % outHeight) * strideH + shiftH;
        if (d < 0 || d >= inDepth || h < 0 || h >= inHeight) continue;
        const start = (d * inHeight + h) * inWidth + low * strideW + shiftW;
        runs.push(start, tap * count + (r - row) * width + low - column, high - low);
      }
    }
    return Int32Array.from(runs);
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
  const at = (axis: number) => values[values.length - 3 + axis] ?? missing;
  return [at(0), at(1), at(2)];
}
