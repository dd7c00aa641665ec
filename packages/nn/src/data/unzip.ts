// Reads zip archives as far as npz needs them: entries that are stored or deflated, in one file below 4 GiB.
//
// The central directory at the end is what counts; a local header is read for its length and compared. Entries may not overlap, so that
// an archive inflates to 1032 times its own length at most.

import { type Complain, complaintsOf } from './errors.ts';
import { inflate } from './inflate.ts';
import {
  CENTRAL,
  CENTRAL_BYTES,
  crc32,
  DEFLATED,
  ENCRYPTED,
  END,
  END_BYTES,
  LOCAL,
  LOCAL_BYTES,
  MAX_COMMENT,
  STORED,
  ZIP_LIMIT,
} from './zip-format.ts';

/** How to read an archive, and what to call it in errors. */
export interface UnzipOptions {
  /** The function that was called, as errors name it. */
  readonly op: string;
  /** The archive, as errors name it. */
  readonly file: string;
  /** The most that all entries together may inflate to. */
  readonly maxBytes: number;
}

/** An entry as the central directory has it. */
interface Entry {
  readonly name: string;
  /** Where the directory describes it. */
  readonly at: number;
  readonly method: number;
  readonly checksum: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Where its local header begins. */
  readonly begin: number;
}

/**
 * The entries of an archive, decompressed and checked, in the order of the directory.
 *
 * @throws DataFormatError on an archive that is cut off or corrupt, on entries that overlap, stand twice, are encrypted
 * or compressed by another method than deflate, and on more than `maxBytes`. All that can be known from the directory is
 * checked before anything is decompressed.
 */
export async function unzip(
  bytes: Uint8Array,
  { op, file, maxBytes }: UnzipOptions,
): Promise<Map<string, Uint8Array>> {
  const complain = complaintsOf(op, file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = readDirectory(view, complain);
  const packed = locate(view, entries, complain);
  let total = 0;
  for (const entry of entries) {
    total += entry.bytes;
    if (total <= maxBytes) continue;
    const remedy = 'Raise maxBytes if the file is meant to be that large.';
    throw complain(entry.at, `at most ${maxBytes} bytes when decompressed`, `${total} or more`, remedy);
  }
  const contents = new Map<string, Uint8Array>();
  for (const [i, entry] of entries.entries()) {
    const { name, at, method, bytes: size, checksum } = entry;
    const { begin, end } = packed[i];
    const expected = `${JSON.stringify(name)}, deflated from ${size} bytes`;
    const content =
      method === STORED
        ? bytes.slice(begin, end)
        : await inflate(bytes.subarray(begin, end), {
            format: 'deflate-raw',
            op,
            file,
            start: begin,
            expected,
            maxBytes: size,
            remedy: 'The directory of the archive says that there is no more: fetch the file again.',
          });
    if (content.length !== size) throw complain(begin, expected, `${content.length} bytes`);
    const found = crc32(content);
    if (found !== checksum) {
      const actual = `${hex(found)} over what is there`;
      throw complain(
        at + 16,
        `${JSON.stringify(name)} to have the checksum ${hex(checksum)}`,
        actual,
        'Fetch the file again.',
      );
    }
    contents.set(name, content);
  }
  return contents;
}

function readDirectory(view: DataView, complain: Complain): Entry[] {
  const end = findEnd(view, complain);
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  const begin = view.getUint32(end + 16, true);
  if (count === 0xffff || size === ZIP_LIMIT || begin === ZIP_LIMIT)
    throw complain(end, 'a zip archive below 4 GiB', 'one of zip64');
  if (view.getUint32(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count)
    throw complain(end + 4, 'an archive in one file', 'a part of one');
  if (begin + size !== end)
    throw complain(
      end + 12,
      `a directory that ends at byte ${end}`,
      `one of ${size} bytes from byte ${begin}`,
    );
  const entries: Entry[] = [];
  const names = new Set<string>();
  let at = begin;
  for (let i = 0; i < count; i++) {
    const { entry, next } = readEntry(view, at, end, complain);
    if (names.has(entry.name))
      throw complain(at, 'each name once', `${JSON.stringify(entry.name)} for the second time`);
    names.add(entry.name);
    entries.push(entry);
    at = next;
  }
  if (at !== end)
    throw complain(at, `the end of the directory, after ${count} entries`, `${end - at} more bytes`);
  return entries;
}

// The last record stands at the end, but for a comment whose length it tells.
function findEnd(view: DataView, complain: Complain): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
    if (view.getUint32(at, true) === END && view.getUint16(at + 20, true) === last - at) return at;
  }
  throw complain(
    view.byteLength,
    'a zip archive, which ends with its directory',
    `the end of the file after ${view.byteLength} bytes without one`,
    'The file is cut off, or no zip archive.',
  );
}

function readEntry(
  view: DataView,
  at: number,
  end: number,
  complain: Complain,
): { readonly entry: Entry; readonly next: number } {
  if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL)
    throw complain(at, 'an entry of the directory', 'something else');
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const packedBytes = view.getUint32(at + 20, true);
  const bytes = view.getUint32(at + 24, true);
  const nameBytes = view.getUint16(at + 28, true);
  const next = at + CENTRAL_BYTES + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  const begin = view.getUint32(at + 42, true);
  if (next > end)
    throw complain(at + 28, `an entry that ends at byte ${end} at the latest`, `one that ends at ${next}`);
  if ((flags & ENCRYPTED) !== 0) throw complain(at + 8, 'an entry that is not encrypted', 'one that is');
  if (method !== STORED && method !== DEFLATED)
    throw complain(at + 10, 'the method 0 (stored) or 8 (deflated)', String(method));
  if (packedBytes === ZIP_LIMIT || bytes === ZIP_LIMIT || begin === ZIP_LIMIT)
    throw complain(at + 20, 'an entry below 4 GiB', 'one of zip64');
  if (method === STORED && packedBytes !== bytes)
    throw complain(at + 20, `${bytes} bytes, as the entry is stored`, String(packedBytes));
  const name = decodeName(view, at + CENTRAL_BYTES, nameBytes);
  if (name === null) throw complain(at + CENTRAL_BYTES, 'a name in UTF-8', 'bytes that are not');
  return {
    entry: { name, at, method, checksum: view.getUint32(at + 16, true), packedBytes, bytes, begin },
    next,
  };
}

// Where each entry's data lie, once none is found to reach into the next or into the directory.
function locate(
  view: DataView,
  entries: readonly Entry[],
  complain: Complain,
): { readonly begin: number; readonly end: number }[] {
  const directory = entries.length === 0 ? 0 : entries[0].at;
  const located = entries.map((entry) => {
    const { name, at, begin, packedBytes } = entry;
    if (begin + LOCAL_BYTES > directory || view.getUint32(begin, true) !== LOCAL)
      throw complain(at + 42, `where the local header of ${JSON.stringify(name)} is`, String(begin));
    const nameBytes = view.getUint16(begin + 26, true);
    const data = begin + LOCAL_BYTES + nameBytes + view.getUint16(begin + 28, true);
    if (data + packedBytes > directory)
      throw complain(
        begin,
        `${JSON.stringify(name)} to end before byte ${directory}`,
        `an end at ${data + packedBytes}`,
      );
    if (decodeName(view, begin + LOCAL_BYTES, nameBytes) !== name)
      throw complain(begin + LOCAL_BYTES, `the name ${JSON.stringify(name)}, as in the directory`, 'another');
    return { begin: data, end: data + packedBytes };
  });
  const order = entries
    .map((entry, i) => ({ entry, end: located[i].end }))
    .sort((a, b) => a.entry.begin - b.entry.begin);
  for (let i = 1; i < order.length; i++) {
    const { entry } = order[i];
    const before = order[i - 1];
    if (entry.begin >= before.end) continue;
    throw complain(
      entry.at + 42,
      `${JSON.stringify(entry.name)} to begin at byte ${before.end} at the earliest, where ${JSON.stringify(before.entry.name)} ends`,
      `${entry.begin}, an overlap`,
    );
  }
  return located;
}

function decodeName(view: DataView, at: number, length: number): string | null {
  try {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, length);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
