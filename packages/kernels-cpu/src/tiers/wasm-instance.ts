// Starts a WebAssembly module: unpacks and compiles it, and gives it a memory.

import { type Memory, type WebAssemblyApi, webAssembly } from './wasm-host.ts';
import type { InstructionSet } from './wasm-instructions.ts';
import type { Instance, MemoryKind } from './wasm-memory.ts';
import { packedModule } from './wasm-modules.ts';
import { unpackModule } from './wasm-unpack.ts';

/**
 * Starts the module of an instruction set, on a memory of a kind; undefined if there is no memory to be had.
 *
 * @param copySome - what the calling thread does while others work on its tasks: see simd/wasm/team.cc
 */
export function startInstance(
  instructionSet: InstructionSet,
  kind: MemoryKind,
  copySome: () => number,
): Instance | undefined {
  const api = webAssembly();
  const memory = api && newMemory(api, kind);
  if (!memory) return undefined;
  const module = new api.Module(unpackModule(instructionSet, kind));
  const { exports } = new api.Instance(module, { env: { memory, copySome } });
  return { module, memory, exports: exports as Instance['exports'] };
}

function newMemory(api: WebAssemblyApi, kind: MemoryKind): Memory | undefined {
  try {
    return new api.Memory({ ...packedModule.pages, shared: kind === 'shared' });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
