// A call in pieces, on WebAssembly: where threads share it, the next piece is copied in and the last one out while they work on one.

import { DONE } from './machine.ts';
import type { WasmMemory } from './wasm-memory.ts';

/** The pieces of a call, from 0 on. Each has a slot in the module's memory, which a later one takes over. */
export interface Pieces {
  readonly count: number;
  /** Asks for what a piece reads (`copyInSoon`). */
  enter(piece: number, slot: number): void;
  /** Computes it; returns a status. */
  run(piece: number, slot: number): number;
  /** Asks for what it gave (`copyOutSoon`). */
  leave(piece: number, slot: number): void;
}

/** How many slots the pieces of a call take: one thread alone has nothing to do beside a piece, and one slot stays in its caches. */
export function slotsFor(memory: WasmMemory, multiplyAdds: number, pieces: number): number {
  return memory.isShared(multiplyAdds) ? Math.min(2, pieces) : 1;
}

/** Runs pieces in order, within a call, until one is not done. */
export function inPieces(memory: WasmMemory, slots: number, pieces: Pieces): number {
  const { count } = pieces;
  const ahead = slots > 1;
  for (let piece = 0; piece < count; piece++) {
    if (piece === 0 || !ahead) pieces.enter(piece, piece % slots);
    memory.settle();
    if (ahead && piece > 0) pieces.leave(piece - 1, (piece - 1) % slots);
    if (ahead && piece + 1 < count) pieces.enter(piece + 1, (piece + 1) % slots);
    // The kernel's own memory is free again after each piece.
    const mark = memory.mark();
    const status = pieces.run(piece, piece % slots);
    memory.release(mark);
    if (status !== DONE) return status;
    if (piece === count - 1 || !ahead) pieces.leave(piece, piece % slots);
  }
  memory.settle();
  return DONE;
}
