// Bytes at run time: what `fetch` gives is an ArrayBuffer, a file that is still being read a promise, and types reach neither.

import { ArgumentError } from '../errors.ts';

/**
 * Checks that what a reader is given are bytes. For readers of your own formats.
 *
 * @param op the function, as errors name it.
 * @throws ArgumentError for anything but a `Uint8Array` (a Node `Buffer` is one); it says how to make one.
 * @example
 * requireBytes('parseMine', new Uint8Array(4));
 */
export function requireBytes(op: string, bytes: unknown): asserts bytes is Uint8Array {
  // By its tag: arrays of another realm are none of this one's class.
  const tag = Object.prototype.toString.call(bytes).slice(8, -1);
  if (tag === 'Uint8Array') return;
  const remedies: Readonly<Record<string, string>> = {
    ArrayBuffer: 'write new Uint8Array(buffer)',
    SharedArrayBuffer: 'write new Uint8Array(buffer)',
    Promise: 'await it first',
    String: 'of a text, write new TextEncoder().encode(text); of a path, read the file',
    Response: 'write new Uint8Array(await response.arrayBuffer())',
    Blob: 'write new Uint8Array(await blob.arrayBuffer())',
    File: 'write new Uint8Array(await file.arrayBuffer())',
  };
  throw new ArgumentError(
    `bytes is ${named(tag)}; give a Uint8Array: ${remedies[tag] ?? 'the bytes of a file'}.`,
    {
      op,
      operand: 'bytes',
      actual: bytes,
      expected: 'a Uint8Array',
    },
  );
}

function named(tag: string): string {
  if (tag === 'Undefined' || tag === 'Null') return tag.toLowerCase();
  return `${/^[AEIOU]/.test(tag) ? 'an' : 'a'} ${tag}`;
}
