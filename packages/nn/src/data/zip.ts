// Writes zip archives as far as npz needs them: entries that are stored or deflated, in one file below 4 GiB.

import {
  CENTRAL,
  CENTRAL_BYTES,
  crc32,
  DEFLATED,
  END,
  END_BYTES,
  LOCAL,
  LOCAL_BYTES,
  STORED,
  UTF8,
  ZIP_LIMIT,
} from './zip-format.ts';

// 1980-01-01, the first day that zip knows: the same input gives the same bytes on any day.
const DATE = (1 << 5) | 1;

/** An entry to be written: its content, and the same deflated, if it is to stand so in the archive. */
export interface ZipContent {
  readonly name: string;
  readonly content: Uint8Array;
  readonly deflated?: Uint8Array | undefined;
}

/** The length of the archive that {@link zip} would make. */
export function zipLength(entries: readonly ZipContent[]): number {
  let length = END_BYTES;
  for (const { name, content, deflated = content } of entries)
    length += LOCAL_BYTES + CENTRAL_BYTES + 2 * new TextEncoder().encode(name).length + deflated.length;
  return length;
}

/** An archive of the entries, in their order, dated 1980-01-01. Its length must be below {@link ZIP_LIMIT}. */
export function zip(entries: readonly ZipContent[]): Uint8Array<ArrayBuffer> {
  const archive = new Uint8Array(zipLength(entries));
  const view = new DataView(archive.buffer);
  let at = 0;
  const directory = entries.map(({ name, content, deflated }) => {
    const encoded = new TextEncoder().encode(name);
    const data = deflated ?? content;
    const begin = at;
    const describe = (offset: number): void => {
      view.setUint16(offset, 20, true);
      view.setUint16(offset + 2, encoded.length === name.length ? 0 : UTF8, true);
      view.setUint16(offset + 4, deflated === undefined ? STORED : DEFLATED, true);
      view.setUint16(offset + 8, DATE, true);
      view.setUint32(offset + 10, crc32(content), true);
      view.setUint32(offset + 14, data.length, true);
      view.setUint32(offset + 18, content.length, true);
      view.setUint16(offset + 22, encoded.length, true);
    };
    view.setUint32(at, LOCAL, true);
    describe(at + 4);
    archive.set(encoded, at + LOCAL_BYTES);
    archive.set(data, at + LOCAL_BYTES + encoded.length);
    at += LOCAL_BYTES + encoded.length + data.length;
    return { encoded, begin, describe };
  });
  const directoryBegin = at;
  for (const { encoded, begin, describe } of directory) {
    view.setUint32(at, CENTRAL, true);
    view.setUint16(at + 4, 20, true);
    describe(at + 6);
    view.setUint32(at + 42, begin, true);
    archive.set(encoded, at + CENTRAL_BYTES);
    at += CENTRAL_BYTES + encoded.length;
  }
  view.setUint32(at, END, true);
  view.setUint16(at + 8, entries.length, true);
  view.setUint16(at + 10, entries.length, true);
  view.setUint32(at + 12, at - directoryBegin, true);
  view.setUint32(at + 16, directoryBegin, true);
  return archive;
}
