// Inflate by the platform's own DecompressionStream, with a bound on what may come out.

import { DataFormatError } from './errors.ts';

// Small pieces bound what a hostile stream can inflate to before anyone counts: deflate expands at most 1032 times.
const PIECE_BYTES = 1024;

/** What to inflate to, and what to say of what cannot be. */
export interface InflateOptions {
  /** What stands around the deflated bytes: gzip's header and checksum, zlib's ('deflate'), or nothing ('deflate-raw'). */
  readonly format: 'gzip' | 'deflate' | 'deflate-raw';
  /** The function that was called. */
  readonly op: string;
  /** The file, as the caller named it. */
  readonly file: string;
  /** Where in the file the bytes begin. */
  readonly start: number;
  /** What the bytes ought to be. */
  readonly expected: string;
  /** The most that may come out. */
  readonly maxBytes: number;
  /** What to do about more than that. */
  readonly remedy: string;
}

/**
 * Decompresses `bytes`; memory stays within a small multiple of `maxBytes`.
 *
 * @throws DataFormatError on a stream that is cut off, corrupt, or holds more than `maxBytes`. A decompressor notices a
 * flaw at or after its place, so `offset` is a bound: the flaw lies at that byte or before.
 */
export async function inflate(bytes: Uint8Array, options: InflateOptions): Promise<Uint8Array> {
  const { format, op, file, start, maxBytes } = options;
  const { readable, writable } = new DecompressionStream(format);
  let fed = 0;
  let length = 0;
  const unreadable = (cause: unknown): DataFormatError =>
    corruptOrCutOff(options, { fed, size: bytes.length, length }, cause);

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
          op,
          file,
          offset: start + fed,
          expected: `at most ${maxBytes} bytes when decompressed`,
          actual: 'more',
          remedy: options.remedy,
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
  { format, op, file, start, expected }: InflateOptions,
  at: { readonly fed: number; readonly size: number; readonly length: number },
  cause: unknown,
): DataFormatError {
  // Node says "cut off" by a code; a browser says one TypeError for all.
  const cutOff = cause instanceof Error && 'code' in cause && cause.code === 'Z_BUF_ERROR';
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DataFormatError(
    {
      op,
      file,
      offset: start + at.fed,
      expected,
      actual: cutOff
        ? `the end of the file in the middle of it, after ${start + at.size} bytes`
        : `${format} data corrupt at or before this byte (${reason}; ${at.length} bytes were decompressed)`,
      remedy: cutOff ? 'The file is cut off: fetch it again.' : 'Fetch the file again.',
    },
    { cause },
  );
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
