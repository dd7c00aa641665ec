// Gunzip by the platform's own DecompressionStream, with a bound on what may come out.

import { ArgumentError } from '@adjoint/core/errors';
import { DataFormatError } from './errors.ts';

/** The default of `maxBytes`: 1 GiB, eighteen times the largest file of MNIST. */
export const DEFAULT_MAX_BYTES = 2 ** 30;

// Small pieces bound what a hostile stream can inflate to before anyone counts: deflate expands at most 1032 times.
const PIECE_BYTES = 1024;

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
 * const idx = parseIdx(await gunzipIfNeeded(bytes, { name: 'labels.gz' }), { name: 'labels.gz' });
 * ```
 */
export async function gunzipIfNeeded(
  bytes: Uint8Array,
  {
    name = 'gzip data',
    maxBytes = DEFAULT_MAX_BYTES,
  }: { readonly name?: string; readonly maxBytes?: number } = {},
): Promise<Uint8Array> {
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
  const inflated = await inflate(bytes, name, maxBytes);
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

async function inflate(bytes: Uint8Array, name: string, maxBytes: number): Promise<Uint8Array> {
  const { readable, writable } = new DecompressionStream('gzip');
  let fed = 0;
  let length = 0;
  const unreadable = (cause: unknown): DataFormatError =>
    corruptOrCutOff({ name, fed, size: bytes.length, length }, cause);

  // Piece by piece, each awaited: a pipe would queue the whole file and leave no idea of where it went wrong.
  const feed = async (): Promise<void> => {
    const writer = writable.getWriter();
    while (fed < bytes.length) {
      const piece = bytes.slice(fed, fed + PIECE_BYTES);
      fed += piece.length;
      await writer.write(piece);
    }
    await writer.close();
  };

  const drain = async (): Promise<Uint8Array> => {
    const reader = readable.getReader();
    const chunks: Uint8Array[] = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return concatenate(chunks, length);
      length += value.length;
      if (length > maxBytes) {
        const tooLarge = new DataFormatError({
          op: 'gunzipIfNeeded',
          file: name,
          offset: fed,
          expected: `at most ${maxBytes} bytes when decompressed`,
          actual: 'more',
          remedy: 'Raise maxBytes if the file is meant to be that large.',
        });
        await reader.cancel(tooLarge);
        throw tooLarge;
      }
      chunks.push(value);
    }
  };

  // A failure of one end reaches the other; the reader's is the one that tells what went wrong.
  const [drained, feeding] = await Promise.allSettled([drain(), feed()]);
  if (drained.status === 'rejected') {
    throw drained.reason instanceof DataFormatError ? drained.reason : unreadable(drained.reason);
  }
  if (feeding.status === 'rejected') throw unreadable(feeding.reason);
  return drained.value;
}

function corruptOrCutOff(
  at: { readonly name: string; readonly fed: number; readonly size: number; readonly length: number },
  cause: unknown,
): DataFormatError {
  // Node says "cut off" by a code; a browser says one TypeError for all.
  const cutOff = cause instanceof Error && 'code' in cause && cause.code === 'Z_BUF_ERROR';
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DataFormatError(
    {
      op: 'gunzipIfNeeded',
      file: at.name,
      offset: at.fed,
      expected: 'one whole gzip member with a matching checksum',
      actual: cutOff
        ? `the end of the file in the middle of it, after ${at.size} bytes`
        : `gzip data corrupt at or before this byte (${reason}; ${at.length} bytes were decompressed)`,
      remedy: cutOff ? 'The file is cut off: fetch it again.' : 'Fetch the file again.',
    },
    { cause },
  );
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

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
