// Matrix products and convolutions on WebAssembly: batches go through its memory in pieces, so that does not grow with them.

import type { FloatArray } from '../kernels.ts';
import { DONE, NOT_HERE, OUT_OF_MEMORY } from './machine.ts';
import { isDouble, MOST_BYTES, type WasmMemory } from './wasm-memory.ts';

/** Bytes of the images of a convolution that are in memory at once, about. */
const PIECE = 2 ** 24;

/**
 * Multiply-adds per byte of its images from which on a convolution takes longer than copying them. Below (depthwise), images stay in a second-level
 * cache between copying and computing, and no threads share them: a memory that is shared is copied into and out of at a third of the speed.
 */
const WORTH_A_COPY = 4;
const CHEAP_PIECE = 2 ** 19;

/** Bytes of a row of the depth that a product sums up at a time, at most: see `depthBlock` in simd/gemm.h. */
const DEPTH_BLOCK = 1024;

export function matmul(
  memory: WasmMemory,
  a: FloatArray,
  b: FloatArray,
  starts: Float64Array,
  out: FloatArray,
): number {
  const { numbers } = memory;
  const [m, n, depth, aRow, aColumn, bRow, bColumn] = numbers;
  const batch = starts.length / 2;
  const steps = batch === 1 && bColumn > 0 && bRow >= n * bColumn ? blockOf(depth, out) : depth;
  const aSpan = span(starts, 0, batch, (m - 1) * aRow, (depth - 1) * aColumn);
  const bSpan = span(starts, batch, batch, (steps - 1) * bRow, (n - 1) * bColumn);
  const bytes = (aSpan.length + bSpan.length + out.length) * out.BYTES_PER_ELEMENT;
  if (bytes > MOST_BYTES) return NOT_HERE;
  return memory.call(
    () => {
      const [pa, pb, po] = [
        memory.reserve(aSpan.length, out),
        memory.reserve(bSpan.length, out),
        memory.reserve(out.length, out),
      ];
      const ps = memory.reserve(starts.length, starts);
      if (!pa || !pb || !po || !ps) return OUT_OF_MEMORY;
      memory.copyIn(a, aSpan.first, aSpan.length, pa);
      memory.copyIn(
        starts.map((start, t) => start - (t < batch ? aSpan.first : bSpan.first)),
        0,
        starts.length,
        ps,
      );
      // Rows of b are packed while they are still in a cache, a block of the depth at a time: the kernel would cut its sums there, too.
      for (let first = 0; first < Math.max(1, depth); first += steps) {
        const count = Math.min(steps, depth - first);
        const mark = memory.mark();
        memory.copyIn(b, bSpan.first + first * bRow, bSpan.length - (steps - count) * bRow, pb);
        numbers[2] = count;
        memory.putNumbers();
        const left = pa + first * aColumn * a.BYTES_PER_ELEMENT;
        const status = memory.exports.matmul(isDouble(out), left, pb, ps, batch, po, first > 0 ? 1 : 0);
        memory.release(mark);
        if (status !== DONE) return status;
      }
      memory.copyOut(po, out, 0, out.length);
      return DONE;
    },
    batch * m * n * depth,
  );
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
  const isCheap = work < WORTH_A_COPY * (from.byteLength + to.byteLength);
  const images = imagesPerPiece(batch, from, to, isCheap ? CHEAP_PIECE : PIECE);
  const forThreads = isCheap ? 0 : work;
  const [fromSize, toSize] = [from.length / batch, to.length / batch];
  for (let first = 0; first < batch; first += images) {
    const count = Math.min(images, batch - first);
    const status = memory.call(() => {
      const pw = memory.reserve(w.length, w);
      const [pf, pt] = [memory.reserve(count * fromSize, w), memory.reserve(count * toSize, w)];
      if (!pw || !pf || !pt) return OUT_OF_MEMORY;
      memory.copyIn(w, 0, w.length, pw);
      memory.copyIn(from, first * fromSize, count * fromSize, pf);
      numbers[0] = count;
      memory.putNumbers();
      const [pa, pb] = kind === 0 ? [pf, pw] : [pw, pf];
      const done = memory.exports.conv(kind, isDouble(w), pa, pb, pt);
      if (done === DONE) memory.copyOut(pt, to, first * toSize, count * toSize);
      return done;
    }, forThreads);
    if (status !== DONE) return status;
  }
  return DONE;
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
