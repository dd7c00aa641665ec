// Unpacks the WebAssembly module that scripts/wasm.mjs has packed: compressed, in digits of 85.

import { decompress } from './lzma.ts';
import { fitModule, type InstructionSet } from './wasm-instructions.ts';
import { packedModule } from './wasm-modules.ts';

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&,>()[]{}@%~#';

/** The module, as bytes to compile, for hosts with those instructions; its memory is imported as shared, or is not. */
export function unpackModule(instructionSet: InstructionSet, memory: 'shared' | 'alone'): Uint8Array {
  const packed = fromBase85(packedModule.base85, packedModule.packedBytes);
  const module = decompress(packed, packedModule.bytes);
  // The flags of an imported memory: 1 for a greatest size, 2 for shared. The instructions are the same.
  if (memory === 'alone') module[packedModule.memoryFlags] &= ~2;
  return fitModule(module, instructionSet);
}

/** Five digits make four bytes; zeros behind the last are dropped. */
function fromBase85(text: string, length: number): Uint8Array {
  const values = new Uint8Array(128);
  for (let i = 0; i < DIGITS.length; i++) values[DIGITS.charCodeAt(i)] = i;
  const bytes = new Uint8Array((text.length / 5) * 4);
  for (let i = 0, at = 0; i < text.length; at += 4) {
    let value = 0;
    for (const end = i + 5; i < end; i++) value = value * 85 + values[text.charCodeAt(i)];
    for (let k = 0; k < 4; k++) bytes[at + k] = value >>> (24 - 8 * k);
  }
  return bytes.subarray(0, length);
}
