// Element-wise kernels and reductions on WebAssembly: long flat operands go through its memory in pieces.

import type { FloatArray, NumericArray } from '../kernels.ts';
import { cheap } from './accelerate-elementwise.ts';
import {
  DERIVATIVE_OPS,
  DONE,
  FUNCTIONS,
  MAP_LAYOUT,
  MAP_OPS,
  type MapName,
  NOT_HERE,
  OUT_OF_MEMORY,
} from './machine.ts';
import { isDouble, MOST_BYTES, type WasmMemory } from './wasm-memory.ts';
import { inPieces, slotsFor } from './wasm-pieces.ts';

/** Elements of a piece of a flat element-wise kernel: operands and result stay in a first- or second-level cache. */
const FLAT_PIECE = 2 ** 13;

/** The same where threads share it: some tasks each. */
const SHARED_PIECE = 2 ** 17;

/**
 * The functions that threads share, which take some nanoseconds per element. Everything else is sooner done than copied, which no
 * threads can help with; and in browsers a memory that is shared is copied into and out of at a third of the speed.
 */
const dear: ReadonlySet<MapName> = new Set<MapName>([
  ...FUNCTIONS,
  'elu',
  'softplus',
  'silu',
  'mish',
  'gelu',
  'geluTanh',
  'pow',
  'atan2',
  'logisticLoss',
  'binaryCrossEntropy',
  'celu',
  ...DERIVATIVE_OPS.filter((name) => !cheap.has(name)),
]);

/** What an element of one of those costs at least, in multiply-adds. */
const DEAR_WORK = 16;

/** One to three operands, and the result. */
export function map(memory: WasmMemory, ...arrays: readonly NumericArray[]): number {
  return mapped(
    memory,
    MAP_LAYOUT,
    arrays.slice(0, -1),
    arrays[arrays.length - 1],
    ([a, b = 0, c = 0], out, count) => memory.exports.map(a, b, c, out, count),
  );
}

/** An element-wise kernel whose layout is at `at` of the numbers: in pieces if all operands are flat, else whole. */
function mapped(
  memory: WasmMemory,
  at: number,
  operands: readonly NumericArray[],
  out: NumericArray,
  run: (pointers: readonly number[], out: number, count: number) => number,
): number {
  const { numbers } = memory;
  const rank = numbers[at];
  const offsets = operands.map((_, p) => at + 1 + rank + p * (1 + rank));
  const isFlat = rank === 1 && offsets.every((o) => numbers[o + 1] === 0 || numbers[o + 1] === 1);
  if (isFlat) return mappedFlat(memory, at, offsets, operands, out, run);
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
  if (bytes > MOST_BYTES) return NOT_HERE;
  return memory.call(
    () => {
      const pointers = spans.map(({ length }, p) => memory.reserve(length, operands[p]));
      const po = memory.reserve(out.length, out);
      if (!po || pointers.includes(0)) return OUT_OF_MEMORY;
      spans.forEach(({ first, length }, p) => {
        memory.copyIn(operands[p], first, length, pointers[p]);
        numbers[offsets[p]] -= first;
      });
      memory.putNumbers();
      const status = run(pointers, po, out.length);
      if (status === DONE) memory.copyOut(po, out, 0, out.length);
      return status;
    },
    workOf(numbers, out.length),
  );
}

/** In multiply-adds, as far as threads are to share it. */
const workOf = (numbers: Float64Array, elements: number): number =>
  dear.has(MAP_OPS[numbers[0]]) ? elements * DEAR_WORK : 0;

function mappedFlat(
  memory: WasmMemory,
  at: number,
  offsets: readonly number[],
  operands: readonly NumericArray[],
  out: NumericArray,
  run: (pointers: readonly number[], out: number, count: number) => number,
): number {
  const { numbers } = memory;
  const steps = offsets.map((o) => numbers[o + 1]);
  const starts = offsets.map((o) => numbers[o]);
  const work = workOf(numbers, out.length);
  return memory.call(() => {
    const most = Math.min(memory.isShared(work) ? SHARED_PIECE : FLAT_PIECE, out.length);
    const count = Math.ceil(out.length / Math.max(1, most));
    const slots = slotsFor(memory, work, count);
    const pointers = operands.map((operand) => memory.reserve(slots * most, operand));
    const po = memory.reserve(slots * most, out);
    if (!po || pointers.includes(0)) return OUT_OF_MEMORY;
    for (const o of offsets) numbers[o] = 0;
    const lengthOf = (piece: number) => Math.min(most, out.length - piece * most);
    // What is broadcast stays where it is.
    const place = (p: number, slot: number) =>
      pointers[p] + (steps[p] === 1 ? slot * most * operands[p].BYTES_PER_ELEMENT : 0);
    const result = (slot: number) => po + slot * most * out.BYTES_PER_ELEMENT;
    return inPieces(memory, slots, {
      count,
      enter: (piece, slot) => {
        for (let p = 0; p < operands.length; p++) {
          if (steps[p] === 1)
            memory.copyInSoon(operands[p], starts[p] + piece * most, lengthOf(piece), place(p, slot));
          else if (piece === 0) memory.copyInSoon(operands[p], starts[p], 1, place(p, slot));
        }
      },
      run: (piece, slot) => {
        numbers[at + 1] = lengthOf(piece);
        memory.putNumbers();
        return run(
          pointers.map((_, p) => place(p, slot)),
          result(slot),
          lengthOf(piece),
        );
      },
      leave: (piece, slot) => memory.copyOutSoon(result(slot), out, piece * most, lengthOf(piece)),
    });
  }, work);
}

export function reduce(memory: WasmMemory, a: FloatArray, out: FloatArray): number {
  const { numbers } = memory;
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
  if (length * a.BYTES_PER_ELEMENT > MOST_BYTES) return NOT_HERE;
  return memory.call(() => {
    const [pa, po] = [memory.reserve(length, a), memory.reserve(out.length, out)];
    if (!pa || !po) return OUT_OF_MEMORY;
    memory.copyIn(a, low, length, pa);
    numbers[1] -= low;
    memory.putNumbers();
    const status = memory.exports.reduce(isDouble(a), pa, po);
    if (status === DONE) memory.copyOut(po, out, 0, out.length);
    return status;
  });
}
