// Starts a WebAssembly module: unpacks and compiles it, and gives it a memory.

import { type Memory, type WebAssemblyApi, webAssembly } from './wasm-host.ts';
import type { Instance } from './wasm-memory.ts';
import { packedModules } from './wasm-modules.ts';
import type { WasmTeam } from './wasm-team.ts';
import { unpackModule } from './wasm-unpack.ts';

export type InstructionSet = (typeof packedModules.instructionSets)[number];

/**
 * Starts the module of an instruction set, on a memory that the team shares if there is a team; undefined if there is no memory
 * to be had.
 */
export function startInstance(
  instructionSet: InstructionSet,
  team: WasmTeam | undefined,
): Instance | undefined {
  const api = webAssembly();
  if (!api) return undefined;
  const shared = team && newMemory(api, 'shared');
  // The host has no room for a memory that could grow to its limit where it is.
  if (!shared) team?.giveUp();
  const memory = shared ?? newMemory(api, 'alone');
  if (!memory) return undefined;
  const index = packedModules.instructionSets.indexOf(instructionSet);
  const module = new api.Module(unpackModule(index, shared ? 'shared' : 'alone'));
  const { exports } = new api.Instance(module, { env: { memory } });
  return { module, memory, exports: exports as Instance['exports'] };
}

function newMemory(api: WebAssemblyApi, kind: 'shared' | 'alone'): Memory | undefined {
  try {
    return new api.Memory({ ...packedModules.pages, shared: kind === 'shared' });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
