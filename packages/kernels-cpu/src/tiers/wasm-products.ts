// Matrix products and convolutions on WebAssembly: batches go through its memory in pieces, so that it does not grow with them.

import type { FloatArray } from '../kernels.ts';
import { DONE, NOT_HERE, OUT_OF_MEMORY } from './machine.ts';
import { isDouble, MOST_BYTES, type WasmMemory } from './wasm-memory.ts';
import { inPieces, slotsFor } from './wasm-pieces.ts';

/** Bytes of the images of a convolution that are in memory at once, about. */
const PIECE = 2 ** 24;

/** Into how many pieces a convolution is cut, at most, but for the room that they take. */
const MOST_PIECES = 4;

/**
 * Multiply-adds per byte of its images from which on a convolution takes longer than copying them. Below (depthwise), images stay in a second-level
 * cache between copying and computing.
 */
const WORTH_A_COPY = 4;
const CHEAP_PIECE = 2 ** 19;

/** The same from which on threads share a convolution: one alone has less to copy. */
const WORTH_SHARING = 1;

/** Bytes of a row of the depth that a product sums up at a time, at most: see `depthBlock` in simd/gemm.h. */
const DEPTH_BLOCK = 1024;

export function matmul(
  memory: WasmMemory,
  a: FloatArray,
  b: FloatArray,
  starts: Float64Array,
  out: FloatArray,
  bias: FloatArray | null,
): number {
  const { numbers } = memory;
  const [m, n, depth, aRow, aColumn, bRow, bColumn, biasOffset, biasStep] = numbers;
  const batch = starts.length / 2;
  const steps = batch === 1 && bColumn > 0 && bRow >= n * bColumn ? blockOf(depth, out) : depth;
  const aSpan = span(starts, 0, batch, (m - 1) * aRow, (depth - 1) * aColumn);
  const bSpan = span(starts, batch, batch, (steps - 1) * bRow, (n - 1) * bColumn);
  const size = out.BYTES_PER_ELEMENT;
  const work = batch * m * n * depth;
  // Rows of b are packed while they are still in a cache, a block of the depth at a time: the kernel would cut its sums there, too.
  const blocks = Math.max(1, Math.ceil(depth / steps));
  const slots = slotsFor(memory, work, blocks);
  const bytes = (aSpan.length + slots * bSpan.length + out.length) * size;
  if (bytes > MOST_BYTES) return NOT_HERE;
  return memory.call(() => {
    const [pa, pb, po] = [
      memory.reserve(aSpan.length, out),
      memory.reserve(slots * bSpan.length, out),
      memory.reserve(out.length, out),
    ];
    const ps = memory.reserve(starts.length, starts);
    const biasAt = bias === null ? 0 : memory.reserve(n, out);
    if (!pa || !pb || !po || !ps || (bias !== null && !biasAt)) return OUT_OF_MEMORY;
    if (bias !== null) {
      // Side by side, however far apart they lie: they may be a column of something large.
      const values = out.slice(0, n);
      for (let j = 0; j < n; j++) values[j] = bias[biasOffset + j * biasStep];
      memory.copyIn(values, 0, n, biasAt);
      numbers[8] = 1;
    }
    memory.copyIn(a, aSpan.first, aSpan.length, pa);
    memory.copyIn(
      starts.map((start, t) => start - (t < batch ? aSpan.first : bSpan.first)),
      0,
      starts.length,
      ps,
    );
    const stepsOf = (block: number) => Math.min(steps, depth - block * steps);
    const right = (slot: number) => pb + slot * bSpan.length * size;
    return inPieces(memory, slots, {
      count: blocks,
      enter: (block, slot) => {
        const length = bSpan.length - (steps - stepsOf(block)) * bRow;
        memory.copyInSoon(b, bSpan.first + block * steps * bRow, length, right(slot));
      },
      run: (block, slot) => {
        numbers[2] = stepsOf(block);
        memory.putNumbers();
        const left = pa + block * steps * aColumn * size;
        const [accumulate, onBias] = block > 0 ? [1, 0] : [0, biasAt];
        return memory.exports.matmul(isDouble(out), left, right(slot), ps, batch, po, accumulate, onBias);
      },
      leave: (block) => {
        if (block === blocks - 1) memory.copyOutSoon(po, out, 0, out.length);
      },
    });
  }, work);
}

/** Even blocks of at most DEPTH_BLOCK bytes. */
function blockOf(depth: number, like: FloatArray): number {
  const most = DEPTH_BLOCK / like.BYTES_PER_ELEMENT;
  return Math.max(1, Math.ceil(depth / Math.max(1, Math.ceil(depth / most))));
}

export function convForward(memory: WasmMemory, x: FloatArray, w: FloatArray, y: FloatArray): number {
  return convByImages(memory, 0, x, w, y);
}

export function convInputGrad(memory: WasmMemory, w: FloatArray, y: FloatArray, x: FloatArray): number {
  return convByImages(memory, 1, y, w, x);
}

export function convWeightGrad(memory: WasmMemory, x: FloatArray, y: FloatArray, w: FloatArray): number {
  const batch = memory.numbers[0];
  const images = imagesPerPiece(batch, x, y, PIECE);
  let status = weightGradOfImages(memory, x, y, w, batch, 0, Math.min(images, batch));
  if (status !== DONE || images >= batch) return status;
  const part = w.slice();
  for (let first = images; first < batch && status === DONE; first += images) {
    status = weightGradOfImages(memory, x, y, part, batch, first, Math.min(images, batch - first));
    for (let i = 0; i < w.length; i++) w[i] += part[i];
  }
  return status;
}

/** Forward or input gradient, as many images at a time as make a piece. */
function convByImages(
  memory: WasmMemory,
  kind: number,
  from: FloatArray,
  w: FloatArray,
  to: FloatArray,
): number {
  const { numbers } = memory;
  const batch = numbers[0];
  const work = multiplyAdds(numbers, batch);
  const bytes = from.byteLength + to.byteLength;
  const most = work < WORTH_A_COPY * bytes ? CHEAP_PIECE : pieceBeside(w, bytes);
  const images = Math.min(batch, imagesPerPiece(batch, from, to, most));
  if (images === 0) return DONE;
  const count = Math.ceil(batch / images);
  const forThreads = work < WORTH_SHARING * bytes ? 0 : work;
  // An image larger than a piece is alone in memory.
  const slots = images * bytes > PIECE * batch ? 1 : slotsFor(memory, forThreads, count);
  const [fromSize, toSize] = [from.length / batch, to.length / batch];
  return memory.call(() => {
    const pw = memory.reserve(w.length, w);
    const pf = memory.reserve(slots * images * fromSize, w);
    const pt = memory.reserve(slots * images * toSize, w);
    if (!pw || !pf || !pt) return OUT_OF_MEMORY;
    memory.copyIn(w, 0, w.length, pw);
    const imagesOf = (piece: number) => Math.min(images, batch - piece * images);
    const place = (start: number, slot: number, size: number) =>
      start + slot * images * size * w.BYTES_PER_ELEMENT;
    return inPieces(memory, slots, {
      count,
      enter: (piece, slot) =>
        memory.copyInSoon(
          from,
          piece * images * fromSize,
          imagesOf(piece) * fromSize,
          place(pf, slot, fromSize),
        ),
      run: (piece, slot) => {
        numbers[0] = imagesOf(piece);
        memory.putNumbers();
        const source = place(pf, slot, fromSize);
        const [pa, pb] = kind === 0 ? [source, pw] : [pw, source];
        return memory.exports.conv(kind, isDouble(w), pa, pb, place(pt, slot, toSize));
      },
      leave: (piece, slot) =>
        memory.copyOutSoon(place(pt, slot, toSize), to, piece * images * toSize, imagesOf(piece) * toSize),
    });
  }, forThreads);
}

/**
 * Bytes of a piece where images take `bytes` in all. The weight is packed for each piece, and what is copied before the first piece and after the last
 * one nobody overlaps: the sum is least where pieces are as many as the root of the images' size over the weight's.
 */
function pieceBeside(w: FloatArray, bytes: number): number {
  const pieces = Math.max(1, Math.min(MOST_PIECES, Math.floor(Math.sqrt(bytes / Math.max(1, w.byteLength)))));
  return Math.min(PIECE, Math.ceil(bytes / pieces));
}

function weightGradOfImages(
  memory: WasmMemory,
  x: FloatArray,
  y: FloatArray,
  w: FloatArray,
  batch: number,
  first: number,
  count: number,
): number {
  const { numbers } = memory;
  const [xSize, ySize] = batch === 0 ? [0, 0] : [x.length / batch, y.length / batch];
  return memory.call(
    () => {
      const [px, py, pw] = [
        memory.reserve(count * xSize, x),
        memory.reserve(count * ySize, y),
        memory.reserve(w.length, w),
      ];
      if (!px || !py || !pw) return OUT_OF_MEMORY;
      memory.copyIn(x, first * xSize, count * xSize, px);
      memory.copyIn(y, first * ySize, count * ySize, py);
      numbers[0] = count;
      memory.putNumbers();
      const done = memory.exports.conv(2, isDouble(w), px, py, pw);
      if (done === DONE) memory.copyOut(pw, w, 0, w.length);
      return done;
    },
    multiplyAdds(numbers, count),
  );
}

/** Those of a convolution of `images` images, whose geometry is in the numbers: groups, channels and all extents of y. */
function multiplyAdds(numbers: Float64Array, images: number): number {
  const [, groups, inChannels, outChannels] = numbers;
  let product = images * groups * inChannels * outChannels;
  // The extents of the kernel and of y, three of each: see `shapeOf` in simd/arguments.h.
  for (let i = 7; i < 13; i++) product *= numbers[i];
  return product;
}

function imagesPerPiece(batch: number, x: FloatArray, y: FloatArray, piece: number): number {
  const bytes = (x.byteLength + y.byteLength) / Math.max(1, batch);
  return Math.max(1, Math.floor(piece / Math.max(1, bytes)));
}

/** What matrices that start at `starts[first…]` and reach by two strides cover. */
function span(starts: Float64Array, first: number, count: number, one: number, two: number) {
  let low = Infinity;
  let high = -Infinity;
  for (let t = first; t < first + count; t++) {
    low = Math.min(low, starts[t] + Math.min(0, one) + Math.min(0, two));
    high = Math.max(high, starts[t] + Math.max(0, one) + Math.max(0, two));
  }
  return { first: low, length: high - low + 1 };
}
