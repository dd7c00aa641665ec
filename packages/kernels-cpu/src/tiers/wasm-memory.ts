// The memory of a WebAssembly module, and the copying of operands into it and of results out of it. It is handed out from one
// end during a call, and all of it is free again after the call.

import type { FloatArray, NumericArray } from '../kernels.ts';
import { NUMBERS, OUT_OF_MEMORY } from './machine.ts';
import { copyShared } from './wasm-host.ts';
import type { SharedInstance, WasmTeam } from './wasm-team.ts';

/** What a module exports: see simd/wasm/module.cc. Pointers are byte positions in its memory. */
interface Exports {
  reserve(bytes: number): number;
  /** How much is reserved, and back to that: what was reserved since is forgotten. */
  mark(): number;
  release(mark: number): void;
  numbers(): number;
  matmul(
    isDouble: number,
    a: number,
    b: number,
    starts: number,
    batch: number,
    out: number,
    accumulate: number,
    bias: number,
  ): number;
  conv(kind: number, isDouble: number, a: number, b: number, out: number): number;
  map(a: number, b: number, c: number, out: number, count: number): number;
  reduce(isDouble: number, a: number, out: number): number;
  units(): number;
}

/** Whether threads may work on a memory. What they may work on takes three times as long to copy into and out of. */
export type MemoryKind = 'shared' | 'alone';

/** A module that runs. */
export interface Instance extends SharedInstance {
  readonly exports: SharedInstance['exports'] & Exports;
}

/** Bytes of operands that may be in memory at once; more is done elsewhere. */
export const MOST_BYTES = 2 ** 28;

/** Multiply-adds from which on a call is shared among threads: a tenth of a millisecond. */
const WORTH_SHARING = 2 ** 21;

/** Starts an instance, unless there is no memory for it: see `startInstance`. */
type Start = (kind: MemoryKind, copySome: () => number) => Instance | undefined;

/** Bytes that are copied at once while others compute: some microseconds. */
const COPIED_AT_ONCE = 2 ** 17;

/** Bytes of an array's buffer, into the memory or out of it. Which buffer that has is asked when they are copied: it may grow before. */
interface Copy {
  readonly way: 'in' | 'out';
  readonly buffer: ArrayBufferLike;
  readonly place: number;
  readonly pointer: number;
  readonly bytes: number;
}

/**
 * The memory of the kernels: that of an instance which works alone, and that of one which threads share. Each is started when the first call
 * comes for it.
 */
export class WasmMemory {
  /** The arguments of a call that are numbers: `putNumbers` hands them over. */
  readonly numbers = new Float64Array(NUMBERS);
  readonly #start: Start;
  readonly #team: WasmTeam | undefined;
  readonly #instances: Record<MemoryKind, Instance | undefined> = { alone: undefined, shared: undefined };
  #running: Instance | undefined;
  /** Copies that are to come, and how many bytes of the first of them are done. */
  #pending: Copy[] = [];
  #copied = 0;

  /** @param team - the threads that may work on an instance */
  constructor(start: Start, team: WasmTeam | undefined) {
    this.#start = start;
    this.#team = team;
  }

  /** What the module exports; only during a call. */
  get exports(): Exports {
    return this.#instance.exports;
  }

  /** Whether threads share a call of so much work. */
  isShared(multiplyAdds: number): boolean {
    return multiplyAdds >= WORTH_SHARING && (this.#team?.threads ?? 1) > 1;
  }

  /**
   * Runs with an empty memory, and leaves it so.
   *
   * @param body - reserves, copies and computes; returns a status
   * @param multiplyAdds - how much work that is, if threads may share it
   */
  call(body: () => number, multiplyAdds = 0): number {
    const kind = this.#prepare(multiplyAdds);
    const instance = this.#open(kind);
    if (!instance) return OUT_OF_MEMORY;
    this.#running = instance;
    try {
      return body();
    } catch (error) {
      // A trap leaves the module in the middle of something: no later call may build on that.
      if (kind === 'shared') this.#team?.disband();
      this.#instances[kind] = undefined;
      throw error;
    } finally {
      instance.exports.release(0);
      this.#running = undefined;
      this.#pending = [];
      this.#copied = 0;
    }
  }

  /** Chooses the memory of a call, and gathers the threads that share it. */
  #prepare(multiplyAdds: number): MemoryKind {
    if (!this.#team || !this.isShared(multiplyAdds)) return 'alone';
    const instance = this.#open('shared');
    if (instance) {
      this.#team.prepare(instance);
      return 'shared';
    }
    // The host has no room for a memory that could grow to its limit where it is.
    this.#team.giveUp('the host has no room for a memory that they share');
    return 'alone';
  }

  #open(kind: MemoryKind): Instance | undefined {
    this.#instances[kind] ??= this.#start(kind, () => this.#copySome());
    return this.#instances[kind];
  }

  /** A place for `length` elements like those of `like`; 0 if there is none. */
  reserve(length: number, like: NumericArray): number {
    // As unsigned: the upper half of a full memory has negative numbers.
    return this.exports.reserve(length * like.BYTES_PER_ELEMENT) >>> 0;
  }

  copyIn(from: NumericArray, first: number, length: number, pointer: number): void {
    this.#copy(copyOf('in', from, first, length, pointer), 0);
  }

  copyOut(pointer: number, to: NumericArray, first: number, length: number): void {
    this.#copy(copyOf('out', to, first, length, pointer), 0);
  }

  /** As `copyIn`, by the end of `settle`: what can is done while threads compute what is called before that. */
  copyInSoon(from: NumericArray, first: number, length: number, pointer: number): void {
    this.#pending.push(copyOf('in', from, first, length, pointer));
  }

  /** As `copyOut`, by the end of `settle`. */
  copyOutSoon(pointer: number, to: NumericArray, first: number, length: number): void {
    this.#pending.push(copyOf('out', to, first, length, pointer));
  }

  settle(): void {
    for (const copy of this.#pending) {
      this.#copy(copy, this.#copied);
      this.#copied = 0;
    }
    this.#pending.length = 0;
  }

  /** Makes a part of the copies that are to come; 0 if there are none. */
  #copySome(): number {
    const [next] = this.#pending;
    if (!next) return 0;
    this.#copy(next, this.#copied, COPIED_AT_ONCE);
    this.#copied += COPIED_AT_ONCE;
    if (this.#copied >= next.bytes) {
      this.#pending.shift();
      this.#copied = 0;
    }
    return 1;
  }

  #copy({ way, buffer, place, pointer, bytes }: Copy, done: number, most = bytes): void {
    const count = Math.min(bytes - done, most);
    if (count <= 0) return;
    const outside = new Uint8Array(buffer, place + done, count);
    const inside = new Uint8Array(this.#instance.memory.buffer, pointer + done, count);
    const [to, from] = way === 'in' ? [inside, outside] : [outside, inside];
    if (this.#running === this.#instances.shared) copyShared(to, from);
    else to.set(from);
  }

  putNumbers(): void {
    this.copyIn(this.numbers, 0, NUMBERS, this.exports.numbers() >>> 0);
  }

  mark(): number {
    return this.exports.mark();
  }

  release(mark: number): void {
    this.exports.release(mark);
  }

  get #instance(): Instance {
    if (!this.#running) throw new Error('The memory of the WebAssembly kernels is used outside a call.');
    return this.#running;
  }
}

function copyOf(way: Copy['way'], array: NumericArray, first: number, length: number, pointer: number): Copy {
  const size = array.BYTES_PER_ELEMENT;
  return { way, buffer: array.buffer, place: array.byteOffset + first * size, pointer, bytes: length * size };
}

export function isDouble(array: FloatArray): number {
  return array instanceof Float64Array ? 1 : 0;
}
