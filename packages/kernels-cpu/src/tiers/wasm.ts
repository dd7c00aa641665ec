// The WebAssembly tier: the modules that simd/ is compiled to. Operands are copied into the module's memory and results out
// of it; batches and long flat arrays go through it in pieces, so its memory does not grow with them.

import type { FloatArray, Kernels, NumericArray } from '../kernels.ts';
import { accelerate } from './accelerate.ts';
import { DONE, type Machine, NOT_HERE, NUMBERS, OUT_OF_MEMORY } from './machine.ts';
import type { NoTier } from './native.ts';
import { FIRST_UNIT, isRead, isWritten, perUnitOf, startOf, UNIT_COUNT } from './units.ts';
import { wasmModules } from './wasm-modules.ts';

/** A WebAssembly tier that is ready to run. */
export interface WasmTier {
  readonly kernels: Kernels;
  readonly instructionSet: string;
  readonly instructionSets: readonly string[];
  setThreads(count: number): number;
}

/** What a module exports: see simd/wasm/module.cc. Pointers are byte positions in its memory. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  reserve(bytes: number): number;
  /** How much is reserved, and back to that: what was reserved since is forgotten. */
  mark(): number;
  release(mark: number): void;
  numbers(): number;
  matmul(isDouble: number, a: number, b: number, starts: number, batch: number, out: number): number;
  conv(kind: number, isDouble: number, a: number, b: number, out: number): number;
  unary(isDouble: number, a: number, out: number, count: number): number;
  binary(isDouble: number, isCompare: number, a: number, b: number, out: number, count: number): number;
  where(isDouble: number, condition: number, a: number, b: number, out: number, count: number): number;
  reduce(isDouble: number, a: number, out: number): number;
  units(): number;
}

/** The parts of the WebAssembly API that this file uses; where a host lacks it, there is no such tier. */
interface Host {
  readonly WebAssembly?: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: unknown };
    validate(bytes: Uint8Array): boolean;
  };
  atob?(text: string): string;
}

/**
 * Compiles the module of an instruction set.
 *
 * @param instructionSet - one of `instructionSets`; by default the fastest that this host validates
 */
export function loadWasm(instructionSet?: string): WasmTier | NoTier {
  const { WebAssembly, atob } = globalThis as Host;
  if (!WebAssembly || !atob) return { reason: 'This host has no WebAssembly.' };
  const usable: { readonly instructionSet: string; readonly bytes: Uint8Array }[] = [];
  for (const { instructionSet: name, base64 } of wasmModules) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    // The feature test: a host that lacks an instruction does not validate a module that holds it.
    if (WebAssembly.validate(bytes)) usable.push({ instructionSet: name, bytes });
  }
  const chosen =
    instructionSet === undefined
      ? usable[0]
      : usable.find((module) => module.instructionSet === instructionSet);
  if (!chosen) return { reason: 'This host has no WebAssembly SIMD.' };
  try {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(chosen.bytes));
    return {
      kernels: accelerate(new WasmMachine(instance.exports as Exports)),
      instructionSet: chosen.instructionSet,
      instructionSets: usable.map((module) => module.instructionSet),
      setThreads: () => 1,
    };
  } catch (error) {
    // A page's content security policy may forbid compilation.
    return {
      reason: `WebAssembly could not be compiled (${error instanceof Error ? error.message : String(error)}).`,
    };
  }
}

/** Bytes of operands in the module's memory at once, about; more is done in pieces, or where it cannot be, elsewhere. */
const PIECE = 2 ** 24;
const MOST = 2 ** 28;
/** Elements of a piece of a flat element-wise kernel: operands and result stay in a first- or second-level cache. */
const FLAT_PIECE = 2 ** 13;
/** Bytes of a piece of a kernel that works unit by unit, for the same reason. */
const UNIT_PIECE = 2 ** 17;

class WasmMachine implements Machine {
  readonly numbers = new Float64Array(NUMBERS);
  readonly #exports: Exports;

  constructor(exports: Exports) {
    this.#exports = exports;
  }

  matmul(a: FloatArray, b: FloatArray, starts: Float64Array, out: FloatArray): number {
    const [m, n, depth, aRow, aColumn, bRow, bColumn] = this.numbers;
    const batch = starts.length / 2;
    const aSpan = span(starts, 0, batch, (m - 1) * aRow, (depth - 1) * aColumn);
    const bSpan = span(starts, batch, batch, (depth - 1) * bRow, (n - 1) * bColumn);
    const bytes = (aSpan.length + bSpan.length + out.length) * out.BYTES_PER_ELEMENT;
    if (bytes > MOST) return NOT_HERE;
    return this.#call(() => {
      const [pa, pb, po] = [
        this.#reserve(aSpan.length, out),
        this.#reserve(bSpan.length, out),
        this.#reserve(out.length, out),
      ];
      const ps = this.#reserve(starts.length, starts);
      if (!pa || !pb || !po || !ps) return OUT_OF_MEMORY;
      this.#copyIn(a, aSpan.first, aSpan.length, pa);
      this.#copyIn(b, bSpan.first, bSpan.length, pb);
      this.#copyIn(
        starts.map((start, t) => start - (t < batch ? aSpan.first : bSpan.first)),
        0,
        starts.length,
        ps,
      );
      this.#putNumbers();
      const status = this.#exports.matmul(isDouble(out), pa, pb, ps, batch, po);
      if (status === DONE) this.#copyOut(po, out, 0, out.length);
      return status;
    });
  }

  convForward(x: FloatArray, w: FloatArray, y: FloatArray): number {
    return this.#convByImages(0, x, w, y);
  }

  convInputGrad(w: FloatArray, y: FloatArray, x: FloatArray): number {
    return this.#convByImages(1, y, w, x);
  }

  convWeightGrad(x: FloatArray, y: FloatArray, w: FloatArray): number {
    const batch = this.numbers[0];
    const images = imagesPerPiece(batch, x, y);
    let status = this.#convWeightGrad(x, y, w, 0, Math.min(images, batch));
    if (status !== DONE || images >= batch) return status;
    const part = w.slice();
    for (let first = images; first < batch && status === DONE; first += images) {
      status = this.#convWeightGrad(x, y, part, first, Math.min(images, batch - first), batch);
      for (let i = 0; i < w.length; i++) w[i] += part[i];
    }
    return status;
  }

  unary(a: FloatArray, out: FloatArray): number {
    const single = isDouble(out);
    return this.#mapped(3, [a], out, (pointers, po, count) =>
      this.#exports.unary(single, pointers[0], po, count),
    );
  }

  binary(a: FloatArray, b: FloatArray, out: FloatArray | Uint8Array): number {
    const isCompare = out instanceof Uint8Array ? 1 : 0;
    return this.#mapped(1, [a, b], out, (pointers, po, count) =>
      this.#exports.binary(isDouble(a), isCompare, pointers[0], pointers[1], po, count),
    );
  }

  where(condition: Uint8Array, a: FloatArray, b: FloatArray, out: FloatArray): number {
    return this.#mapped(0, [condition, a, b], out, (pointers, po, count) =>
      this.#exports.where(isDouble(out), pointers[0], pointers[1], pointers[2], po, count),
    );
  }

  reduce(a: FloatArray, out: FloatArray): number {
    const { numbers } = this;
    // The offset is followed by two lists of extents and strides.
    let low = numbers[1];
    let high = low;
    for (let list = 0, at = 2; list < 2; list++) {
      const rank = numbers[at];
      for (let axis = 0; axis < rank; axis++) {
        const reach = (numbers[at + 1 + axis] - 1) * numbers[at + 1 + rank + axis];
        if (reach < 0) low += reach;
        else high += reach;
      }
      at += 1 + 2 * rank;
    }
    const length = high - low + 1;
    if (length * a.BYTES_PER_ELEMENT > MOST) return NOT_HERE;
    return this.#call(() => {
      const [pa, po] = [this.#reserve(length, a), this.#reserve(out.length, out)];
      if (!pa || !po) return OUT_OF_MEMORY;
      this.#copyIn(a, low, length, pa);
      numbers[1] -= low;
      this.#putNumbers();
      const status = this.#exports.reduce(isDouble(a), pa, po);
      if (status === DONE) this.#copyOut(po, out, 0, out.length);
      return status;
    });
  }

  /** As many units at a time as make a piece; shared arrays stay in the module's memory from the first to the last. */
  units(...arrays: readonly NumericArray[]): number {
    const { numbers } = this;
    const units = numbers[UNIT_COUNT];
    const starts = arrays.map((_, p) => numbers[startOf(p)]);
    const perUnit = arrays.map((_, p) => numbers[perUnitOf(p)]);
    const bytesPerUnit = arrays.reduce((sum, array, p) => sum + perUnit[p] * array.BYTES_PER_ELEMENT, 0);
    const most = Math.min(units, Math.max(1, Math.floor(UNIT_PIECE / Math.max(1, bytesPerUnit))));
    const lengths = arrays.map((array, p) => (perUnit[p] > 0 ? most * perUnit[p] : array.length - starts[p]));
    if (arrays.reduce((sum, array, p) => sum + lengths[p] * array.BYTES_PER_ELEMENT, 0) > MOST)
      return NOT_HERE;
    return this.#call(() => {
      const pointers = arrays.map((array, p) => this.#reserve(lengths[p], array));
      if (pointers.includes(0)) return OUT_OF_MEMORY;
      for (let p = 0; p < arrays.length; p++) {
        numbers[startOf(p)] = pointers[p];
        if (perUnit[p] === 0) this.#copyIn(arrays[p], starts[p], lengths[p], pointers[p]);
      }
      for (let first = 0; first < units; first += most) {
        const count = Math.min(most, units - first);
        const mark = this.#exports.mark();
        for (let p = 0; p < arrays.length; p++) {
          if (perUnit[p] > 0 && isRead(numbers, p))
            this.#copyIn(arrays[p], starts[p] + first * perUnit[p], count * perUnit[p], pointers[p]);
        }
        numbers[FIRST_UNIT] = first;
        numbers[UNIT_COUNT] = count;
        this.#putNumbers();
        const status = this.#exports.units();
        this.#exports.release(mark);
        if (status !== DONE) return status;
        for (let p = 0; p < arrays.length; p++) {
          if (perUnit[p] > 0 && isWritten(numbers, p))
            this.#copyOut(pointers[p], arrays[p], starts[p] + first * perUnit[p], count * perUnit[p]);
        }
      }
      for (let p = 0; p < arrays.length; p++) {
        if (perUnit[p] === 0 && isWritten(numbers, p))
          this.#copyOut(pointers[p], arrays[p], starts[p], lengths[p]);
      }
      return DONE;
    });
  }

  /** Forward or input gradient, as many images at a time as make a piece. */
  #convByImages(kind: number, from: FloatArray, w: FloatArray, to: FloatArray): number {
    const { numbers } = this;
    const batch = numbers[0];
    const images = imagesPerPiece(batch, from, to);
    const [fromSize, toSize] = [from.length / batch, to.length / batch];
    for (let first = 0; first < batch; first += images) {
      const count = Math.min(images, batch - first);
      const status = this.#call(() => {
        const pw = this.#reserve(w.length, w);
        const [pf, pt] = [this.#reserve(count * fromSize, w), this.#reserve(count * toSize, w)];
        if (!pw || !pf || !pt) return OUT_OF_MEMORY;
        this.#copyIn(w, 0, w.length, pw);
        this.#copyIn(from, first * fromSize, count * fromSize, pf);
        numbers[0] = count;
        this.#putNumbers();
        const [pa, pb] = kind === 0 ? [pf, pw] : [pw, pf];
        const done = this.#exports.conv(kind, isDouble(w), pa, pb, pt);
        if (done === DONE) this.#copyOut(pt, to, first * toSize, count * toSize);
        return done;
      });
      if (status !== DONE) return status;
    }
    return DONE;
  }

  #convWeightGrad(
    x: FloatArray,
    y: FloatArray,
    w: FloatArray,
    first: number,
    count: number,
    batch = this.numbers[0],
  ): number {
    const { numbers } = this;
    const [xSize, ySize] = batch === 0 ? [0, 0] : [x.length / batch, y.length / batch];
    return this.#call(() => {
      const [px, py, pw] = [
        this.#reserve(count * xSize, x),
        this.#reserve(count * ySize, y),
        this.#reserve(w.length, w),
      ];
      if (!px || !py || !pw) return OUT_OF_MEMORY;
      this.#copyIn(x, first * xSize, count * xSize, px);
      this.#copyIn(y, first * ySize, count * ySize, py);
      numbers[0] = count;
      this.#putNumbers();
      const done = this.#exports.conv(2, isDouble(w), px, py, pw);
      if (done === DONE) this.#copyOut(pw, w, 0, w.length);
      return done;
    });
  }

  /** An element-wise kernel whose layout is at `at` of the numbers: in pieces if all operands are flat, else whole. */
  #mapped(
    at: number,
    operands: readonly NumericArray[],
    out: FloatArray | Uint8Array,
    run: (pointers: readonly number[], out: number, count: number) => number,
  ): number {
    const { numbers } = this;
    const rank = numbers[at];
    const offsets = operands.map((_, p) => at + 1 + rank + p * (1 + rank));
    const isFlat = rank === 1 && offsets.every((o) => numbers[o + 1] === 0 || numbers[o + 1] === 1);
    if (isFlat) return this.#mappedFlat(at, offsets, operands, out, run);
    const spans = offsets.map((o) => {
      let low = numbers[o];
      let high = low;
      for (let axis = 0; axis < rank; axis++) {
        const reach = (numbers[at + 1 + axis] - 1) * numbers[o + 1 + axis];
        if (reach < 0) low += reach;
        else high += reach;
      }
      return { first: low, length: high - low + 1 };
    });
    const bytes = spans.reduce(
      (sum, { length }, p) => sum + length * operands[p].BYTES_PER_ELEMENT,
      out.byteLength,
    );
    if (bytes > MOST) return NOT_HERE;
    return this.#call(() => {
      const pointers = spans.map(({ length }, p) => this.#reserve(length, operands[p]));
      const po = this.#reserve(out.length, out);
      if (!po || pointers.includes(0)) return OUT_OF_MEMORY;
      spans.forEach(({ first, length }, p) => {
        this.#copyIn(operands[p], first, length, pointers[p]);
        numbers[offsets[p]] -= first;
      });
      this.#putNumbers();
      const status = run(pointers, po, out.length);
      if (status === DONE) this.#copyOut(po, out, 0, out.length);
      return status;
    });
  }

  #mappedFlat(
    at: number,
    offsets: readonly number[],
    operands: readonly NumericArray[],
    out: FloatArray | Uint8Array,
    run: (pointers: readonly number[], out: number, count: number) => number,
  ): number {
    const { numbers } = this;
    const steps = offsets.map((o) => numbers[o + 1]);
    const starts = offsets.map((o) => numbers[o]);
    return this.#call(() => {
      const most = Math.min(FLAT_PIECE, out.length);
      const pointers = operands.map((operand) => this.#reserve(most, operand));
      const po = this.#reserve(most, out);
      if (!po || pointers.includes(0)) return OUT_OF_MEMORY;
      for (const o of offsets) numbers[o] = 0;
      for (let first = 0; first < out.length; first += most) {
        const count = Math.min(most, out.length - first);
        for (let p = 0; p < operands.length; p++) {
          if (steps[p] === 1) this.#copyIn(operands[p], starts[p] + first, count, pointers[p]);
          else if (first === 0) this.#copyIn(operands[p], starts[p], 1, pointers[p]);
        }
        numbers[at + 1] = count;
        this.#putNumbers();
        const status = run(pointers, po, count);
        if (status !== DONE) return status;
        this.#copyOut(po, out, first, count);
      }
      return DONE;
    });
  }

  /** Runs with an empty memory, and leaves it so. */
  #call(body: () => number): number {
    try {
      return body();
    } finally {
      this.#exports.release(0);
    }
  }

  /** A place for `length` elements like those of `like`; 0 if there is none. */
  #reserve(length: number, like: NumericArray): number {
    // As unsigned: the upper half of a full memory has negative numbers.
    return this.#exports.reserve(length * like.BYTES_PER_ELEMENT) >>> 0;
  }

  #copyIn(from: NumericArray, first: number, length: number, pointer: number): void {
    const to = viewLike(from, this.#exports.memory.buffer, pointer, length);
    to.set(first === 0 && length === from.length ? from : from.subarray(first, first + length));
  }

  #copyOut(pointer: number, to: NumericArray, first: number, length: number): void {
    to.set(viewLike(to, this.#exports.memory.buffer, pointer, length), first);
  }

  #putNumbers(): void {
    this.#copyIn(this.numbers, 0, NUMBERS, this.#exports.numbers() >>> 0);
  }
}

function isDouble(array: FloatArray): number {
  return array instanceof Float64Array ? 1 : 0;
}

function viewLike(like: NumericArray, buffer: ArrayBuffer, pointer: number, length: number): NumericArray {
  if (like instanceof Float32Array) return new Float32Array(buffer, pointer, length);
  if (like instanceof Float64Array) return new Float64Array(buffer, pointer, length);
  if (like instanceof Int32Array) return new Int32Array(buffer, pointer, length);
  if (like instanceof Uint16Array) return new Uint16Array(buffer, pointer, length);
  return new Uint8Array(buffer, pointer, length);
}

function imagesPerPiece(batch: number, x: FloatArray, y: FloatArray): number {
  const bytes = (x.byteLength + y.byteLength) / Math.max(1, batch);
  return Math.max(1, Math.floor(PIECE / Math.max(1, bytes)));
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
