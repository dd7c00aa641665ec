// Gunzip: one whole member, with a bound on what may come out.

import { ArgumentError } from '@adjoint/core/errors';
import { requireBytes } from '@adjoint/core/io';
import { requireOptions } from '@adjoint/core/options';
import { DataFormatError } from './errors.ts';
import { inflate } from './inflate.ts';

/** The default of `maxBytes`: 1 GiB, eighteen times the largest file of MNIST. */
export const DEFAULT_MAX_BYTES = 2 ** 30;

// Ten bytes of header, at least two of deflate, four of CRC-32, four of length.
const SMALLEST_MEMBER = 20;

/**
 * Decompress `bytes` if they begin as gzip does (`1f 8b`), and give them back as they are if not.
 *
 * The stream must be one gzip member, whole, with a matching checksum and length, and nothing after it. Runs in
 * browsers and Node alike.
 *
 * @param bytes The whole file.
 * @param options.name What to call the file in errors. Default `'gzip data'`.
 * @param options.maxBytes The most that may come out, in bytes; memory stays within a small multiple of it.
 * Default {@link DEFAULT_MAX_BYTES}.
 * @throws {@link DataFormatError} on a stream that is cut off, corrupt, has bytes after its end, or holds more
 * than `maxBytes`. A decompressor notices a flaw at or after its place, so `offset` is a bound: the flaw lies at
 * that byte or before. ArgumentError if `maxBytes` is negative or NaN.
 *
 * @example
 * ```ts
 * // needs MNIST's files
 * const idx = parseIdx(await gunzipIfNeeded(bytes, { name: 'labels.gz' }), { name: 'labels.gz' });
 * ```
 */
export async function gunzipIfNeeded(
  bytes: Uint8Array,
  options: { readonly name?: string | undefined; readonly maxBytes?: number | undefined } = {},
): Promise<Uint8Array> {
  requireOptions('gunzipIfNeeded', options, { name: 'string', maxBytes: 'number' });
  requireBytes('gunzipIfNeeded', bytes);
  const { name = 'gzip data', maxBytes = DEFAULT_MAX_BYTES } = options;
  if (!(maxBytes >= 0)) {
    throw new ArgumentError(`maxBytes must be a number of bytes, at least 0, found ${maxBytes}.`, {
      op: 'gunzipIfNeeded',
      operand: 'maxBytes',
      actual: maxBytes,
      expected: 'a number of bytes, at least 0',
    });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  if (bytes.length < SMALLEST_MEMBER) {
    throw new DataFormatError({
      op: 'gunzipIfNeeded',
      file: name,
      offset: bytes.length,
      expected: `a gzip member, ${SMALLEST_MEMBER} bytes at least`,
      actual: `the end of the file after ${bytes.length} bytes`,
      remedy: 'The file is cut off: fetch it again.',
    });
  }
  checkHeader(bytes, name);
  const inflated = await inflate(bytes, {
    format: 'gzip',
    op: 'gunzipIfNeeded',
    file: name,
    start: 0,
    expected: 'one whole gzip member with a matching checksum',
    maxBytes,
    remedy: 'Raise maxBytes if the file is meant to be that large.',
  });
  checkLength(bytes, inflated.length, name);
  return inflated;
}

// What the decompressor can only call corrupt, without a place.
function checkHeader(bytes: Uint8Array, name: string): void {
  const wrong = (offset: number, expected: string): DataFormatError =>
    new DataFormatError({
      op: 'gunzipIfNeeded',
      file: name,
      offset,
      expected,
      actual: String(bytes[offset]),
      remedy: 'Fetch the file again.',
    });
  if (bytes[2] !== 8) throw wrong(2, 'the compression method 8 (deflate), the only one gzip has');
  if (bytes[3] > 31) throw wrong(3, 'flags below 32, as the upper three are reserved');
}

// Engines differ on what follows a gzip member: some refuse it, older Node skips zeros and reads further members.
// The last four bytes of a file that is one member are its length; checking them makes all engines agree.
function checkLength(bytes: Uint8Array, length: number, name: string): void {
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);
  if (trailer === length % 2 ** 32) return;
  throw new DataFormatError({
    op: 'gunzipIfNeeded',
    file: name,
    offset: bytes.length - 4,
    expected: `the length of the decompressed data, ${length}`,
    actual: String(trailer),
    remedy: 'Bytes were appended to the file, or it is several gzip members in a row: make it one.',
  });
}
