// What readers and writers of zip archives share: marks, lengths and methods of PKWARE's APPNOTE.TXT, sections 4.3 and 4.4, and the checksum.

// The record at the end of the directory, which a comment may follow.
export const END = 0x06054b50;
export const END_BYTES = 22;
export const MAX_COMMENT = 0xffff;

// What the directory says of an entry, and what stands before the entry itself.
export const CENTRAL = 0x02014b50;
export const CENTRAL_BYTES = 46;
export const LOCAL = 0x04034b50;
export const LOCAL_BYTES = 30;

// Flags.
export const ENCRYPTED = 1;
export const UTF8 = 1 << 11;

// Methods.
export const STORED = 0;
export const DEFLATED = 8;

/** Sizes and offsets from here on need zip64. */
export const ZIP_LIMIT = 0xffffffff;

// The remainders of one byte by the reversed polynomial of IEEE 802.3.
const REMAINDERS = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  return remainder;
});

/** The checksum of an entry. */
export function crc32(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (let i = 0; i < bytes.length; i++)
    remainder = (remainder >>> 8) ^ REMAINDERS[(remainder ^ bytes[i]) & 0xff];
  return ~remainder >>> 0;
}
