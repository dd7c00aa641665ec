// Kernels that work unit by unit, on WebAssembly: as many units at a time as make a piece.

import type { NumericArray } from '../kernels.ts';
import { DONE, NOT_HERE, OUT_OF_MEMORY } from './machine.ts';
import { FIRST_UNIT, isRead, isWritten, perUnitOf, startOf, UNIT_COUNT } from './units.ts';
import { MOST_BYTES, type WasmMemory } from './wasm-memory.ts';
import { inPieces } from './wasm-pieces.ts';

/** Bytes of a piece: operands and results stay in a first- or second-level cache. */
const UNIT_PIECE = 2 ** 17;

/** As many units at a time as make a piece; shared arrays stay in the module's memory from the first to the last. */
export function units(memory: WasmMemory, ...arrays: readonly NumericArray[]): number {
  const { numbers } = memory;
  const units = numbers[UNIT_COUNT];
  const starts = arrays.map((_, p) => numbers[startOf(p)]);
  const perUnit = arrays.map((_, p) => numbers[perUnitOf(p)]);
  const bytesPerUnit = arrays.reduce((sum, array, p) => sum + perUnit[p] * array.BYTES_PER_ELEMENT, 0);
  const most = Math.min(units, Math.max(1, Math.floor(UNIT_PIECE / Math.max(1, bytesPerUnit))));
  const lengths = arrays.map((array, p) => (perUnit[p] > 0 ? most * perUnit[p] : array.length - starts[p]));
  if (arrays.reduce((sum, array, p) => sum + lengths[p] * array.BYTES_PER_ELEMENT, 0) > MOST_BYTES)
    return NOT_HERE;
  return memory.call(() => {
    const pointers = arrays.map((array, p) => memory.reserve(lengths[p], array));
    if (pointers.includes(0)) return OUT_OF_MEMORY;
    for (let p = 0; p < arrays.length; p++) {
      numbers[startOf(p)] = pointers[p];
      if (perUnit[p] === 0) memory.copyIn(arrays[p], starts[p], lengths[p], pointers[p]);
    }
    const countOf = (piece: number) => Math.min(most, units - piece * most);
    const status = inPieces(memory, 1, {
      count: Math.ceil(units / Math.max(1, most)),
      enter: (piece) => {
        for (let p = 0; p < arrays.length; p++) {
          if (perUnit[p] > 0 && isRead(numbers, p))
            memory.copyInSoon(
              arrays[p],
              starts[p] + piece * most * perUnit[p],
              countOf(piece) * perUnit[p],
              pointers[p],
            );
        }
      },
      run: (piece) => {
        numbers[FIRST_UNIT] = piece * most;
        numbers[UNIT_COUNT] = countOf(piece);
        memory.putNumbers();
        return memory.exports.units();
      },
      leave: (piece) => {
        for (let p = 0; p < arrays.length; p++) {
          if (perUnit[p] > 0 && isWritten(numbers, p))
            memory.copyOutSoon(
              pointers[p],
              arrays[p],
              starts[p] + piece * most * perUnit[p],
              countOf(piece) * perUnit[p],
            );
        }
      },
    });
    if (status !== DONE) return status;
    for (let p = 0; p < arrays.length; p++) {
      if (perUnit[p] === 0 && isWritten(numbers, p))
        memory.copyOut(pointers[p], arrays[p], starts[p], lengths[p]);
    }
    return DONE;
  });
}
