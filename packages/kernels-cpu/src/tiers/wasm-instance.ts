// Starts a WebAssembly module: unpacks and compiles it, and gives it a memory.

import { type Memory, type WebAssemblyApi, webAssembly } from './wasm-host.ts';
import type { Instance } from './wasm-memory.ts';
import { packedModules } from './wasm-modules.ts';
import { unpackModule } from './wasm-unpack.ts';

export type InstructionSet = (typeof packedModules.instructionSets)[number];

/** Whether threads may work on a memory. What they may work on takes three times as long to copy into and out of. */
export type MemoryKind = 'shared' | 'alone';

/** Starts the module of an instruction set, on a memory of a kind; undefined if there is no memory to be had. */
export function startInstance(instructionSet: InstructionSet, kind: MemoryKind): Instance | undefined {
  const api = webAssembly();
  const memory = api && newMemory(api, kind);
  if (!memory) return undefined;
  const index = packedModules.instructionSets.indexOf(instructionSet);
  const module = new api.Module(unpackModule(index, kind));
  const { exports } = new api.Instance(module, { env: { memory } });
  return { module, memory, exports: exports as Instance['exports'] };
}

function newMemory(api: WebAssemblyApi, kind: MemoryKind): Memory | undefined {
  try {
    return new api.Memory({ ...packedModules.pages, shared: kind === 'shared' });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
