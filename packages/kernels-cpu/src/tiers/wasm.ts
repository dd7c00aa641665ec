// The WebAssembly tier: chooses among the modules that simd/ is compiled to, and makes a machine of one.

import type { Kernels } from '../kernels.ts';
import { accelerate } from './accelerate.ts';
import type { Machine } from './machine.ts';
import type { NoTier } from './native.ts';
import { binary, reduce, unary, where } from './wasm-maps.ts';
import { type Exports, WasmMemory } from './wasm-memory.ts';
import { wasmModules } from './wasm-modules.ts';
import { convForward, convInputGrad, convWeightGrad, matmul } from './wasm-products.ts';
import { units } from './wasm-units.ts';

/** A WebAssembly tier that is ready to run. */
export interface WasmTier {
  readonly kernels: Kernels;
  readonly instructionSet: string;
  readonly instructionSets: readonly string[];
  setThreads(count: number): number;
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
      kernels: accelerate(machineOn(new WasmMemory(instance.exports as Exports))),
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

/** All kernels on one instance. */
export function machineOn(memory: WasmMemory): Machine {
  return {
    numbers: memory.numbers,
    matmul: (a, b, starts, out) => matmul(memory, a, b, starts, out),
    convForward: (x, w, y) => convForward(memory, x, w, y),
    convInputGrad: (w, y, x) => convInputGrad(memory, w, y, x),
    convWeightGrad: (x, y, w) => convWeightGrad(memory, x, y, w),
    unary: (a, out) => unary(memory, a, out),
    binary: (a, b, out) => binary(memory, a, b, out),
    where: (condition, a, b, out) => where(memory, condition, a, b, out),
    reduce: (a, out) => reduce(memory, a, out),
    units: (...arrays) => units(memory, ...arrays),
  };
}
