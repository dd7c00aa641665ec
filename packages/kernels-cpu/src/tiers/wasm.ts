// The WebAssembly tier: chooses what simd/ is fitted to, and makes a machine of it.

import type { Kernels } from '../kernels.ts';
import { accelerate } from './accelerate.ts';
import { type Machine, NOT_HERE } from './machine.ts';
import type { NoTier } from './native.ts';
import { compilationFailure, hasInstructions, webAssembly, workerStarter } from './wasm-host.ts';
import { startInstance } from './wasm-instance.ts';
import { map, reduce } from './wasm-maps.ts';
import { WasmMemory } from './wasm-memory.ts';
import { packedModule } from './wasm-modules.ts';
import { convForward, convInputGrad, convWeightGrad, matmul } from './wasm-products.ts';
import { WasmTeam } from './wasm-team.ts';
import { units } from './wasm-units.ts';

/** A WebAssembly tier that is ready to run. */
export interface WasmTier {
  readonly kernels: Kernels;
  readonly instructionSet: string;
  readonly instructionSets: readonly string[];
  /** How many threads share the work of one kernel. */
  threads(): number;
  setThreads(count: number): number;
  /** Why there are fewer threads than asked for, as a sentence; undefined if there are as many. */
  threadsLimit(): string | undefined;
}

/**
 * Opens the tier. Nothing is compiled before the first kernel is called.
 *
 * @param instructionSet - one of `instructionSets`; by default the fastest that this host has
 */
export function loadWasm(instructionSet?: string): WasmTier | NoTier {
  if (!webAssembly()) return { reason: 'This host has no WebAssembly.' };
  const usable = packedModule.instructionSets.filter(hasInstructions);
  const chosen = usable.find((name) => name === (instructionSet ?? usable[0]));
  if (!chosen) return { reason: 'This host has no WebAssembly SIMD.' };
  const failure = compilationFailure();
  if (failure)
    return {
      reason: `WebAssembly could not be compiled (${failure}): a Content-Security-Policy must have 'wasm-unsafe-eval' in script-src.`,
    };
  const starter = workerStarter();
  const team = 'reason' in starter ? undefined : new WasmTeam(starter);
  let wanted = 1;
  const memory = new WasmMemory((kind, copySome) => startInstance(chosen, kind, copySome), team);
  return {
    kernels: accelerate(machineOn(memory)),
    instructionSet: chosen,
    instructionSets: usable,
    threads: () => team?.threads ?? 1,
    threadsLimit: () => ('reason' in starter ? (wanted > 1 ? starter.reason : undefined) : team?.limit),
    setThreads: (count) => {
      wanted = count;
      if (team) team.threads = count;
      return team?.threads ?? 1;
    },
  };
}

/** All kernels on one instance. */
function machineOn(memory: WasmMemory): Machine {
  return {
    numbers: memory.numbers,
    worth: { cheap: 1024, dear: 128, step: 256 },
    matmul: (a, b, starts, out, bias) => matmul(memory, a, b, starts, out, bias),
    convForward: (x, w, y) => convForward(memory, x, w, y),
    convInputGrad: (w, y, x) => convInputGrad(memory, w, y, x),
    convWeightGrad: (x, y, w) => convWeightGrad(memory, x, y, w),
    map: (...arrays) => map(memory, ...arrays),
    // Copying views in and a target in and out costs more than it gains.
    move: () => NOT_HERE,
    addTo: () => NOT_HERE,
    reduce: (a, out) => reduce(memory, a, out),
    units: (...arrays) => units(memory, ...arrays),
  };
}
