// Puts WebAssembly modules together from the functions that they share. Two instruction sets, and float32 beside float64, have
// most of their bytes in common: scripts/wasm.mjs keeps each function once, similar ones side by side, and compresses the lot.
//
// Packed: the functions, their number first; then per module what comes before its code section, which functions that holds, and
// what comes after. Numbers are LEB128, as in WebAssembly; a function and a stretch of bytes begin with their length.

import { inflate } from './inflate.ts';
import { packedModules } from './wasm-modules.ts';

const CODE_SECTION = 10;

/** The module number `index`, as bytes to compile; its memory is imported as shared, or is not. */
export function unpackModule(index: number, memory: 'shared' | 'alone'): Uint8Array {
  const letters = (globalThis as { atob?(text: string): string }).atob?.(packedModules.base64) ?? '';
  // A loop: `Uint8Array.from` takes longer over it than all the rest.
  const deflated = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) deflated[i] = letters.charCodeAt(i);
  const packed = inflate(deflated, packedModules.bytes);
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = packed[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const stretch = (): Uint8Array => {
    const length = number();
    at += length;
    return packed.subarray(at - length, at);
  };
  const functions = Array.from({ length: number() }, () => {
    const start = at;
    stretch();
    return packed.subarray(start, at);
  });
  for (let module = 0; ; module++) {
    const before = stretch();
    const code = Array.from({ length: number() }, () => functions[number()]);
    const after = stretch();
    if (module !== index) continue;
    const count = leb128(code.length);
    const codeLength = code.reduce((sum, { length }) => sum + length, count.length);
    const bytes = concatenate([before, [CODE_SECTION], leb128(codeLength), count, ...code, after]);
    // The flags of an imported memory: 1 for a greatest size, 2 for shared. The instructions are the same.
    if (memory === 'alone') bytes[packedModules.memoryFlags] &= ~2;
    return bytes;
  }
}

function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}

function concatenate(parts: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
