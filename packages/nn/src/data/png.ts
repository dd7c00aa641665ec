// PNG pictures as tensors. The picture's own bytes are checked and bounded here; fast-png undoes filters and interlacing.

import { ArgumentError, requireOptions, type Tensor } from '@adjoint/core';
import { requireBytes } from '@adjoint/core/io';
import { type DecodedPng, decode } from 'fast-png';
import { complaintsOf, DataFormatError } from './errors.ts';
import { inflate } from './inflate.ts';
import { pixelsOf } from './png-pixels.ts';

/** Options of {@link decodePng}. */
export interface DecodePngOptions {
  /** What to call the file in errors. Default `'PNG data'`. */
  readonly name?: string | undefined;
  /**
   * 1 for grey, 3 for red, green and blue, 4 with opacity. Default: as the file has them, without opacity. Colours become grey by
   * the weights of ITU-R BT.601, as in Pillow.
   */
  readonly channels?: 1 | 3 | 4 | undefined;
  /** The most that the pixels may inflate to, in bytes. Default 2^28: 8192 × 8192 in colour with opacity. */
  readonly maxBytes?: number | undefined;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const KNOWN = ['IHDR', 'PLTE', 'IDAT', 'IEND'];
const INDEXED = 3;
/** Channels by colour type. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/**
 * Read a PNG picture, as torchvision's `read_image` and `ToTensor` do together. Runs in browsers and Node alike.
 *
 * All colour types, depths and interlacing are read, but for interlaced pictures of less than 8 bits; chunks that do not matter to the pixels (profiles, gamma, text) are passed over.
 * Nothing of the size of the picture is allocated before the pixels are known to be there.
 *
 * @returns float32 of shape (C, H, W), from 0 to 1.
 * @throws {@link DataFormatError} for bytes that are no PNG, cut off, corrupt (checksums are compared), or more than `maxBytes`.
 * @example
 * // needs a file
 * const picture = await decodePng(new Uint8Array(await readFile('cat.png')), { name: 'cat.png', channels: 3 });
 */
export async function decodePng(bytes: Uint8Array, options: DecodePngOptions = {}): Promise<Tensor> {
  requireOptions('decodePng', options, { name: 'string', channels: 'number', maxBytes: 'number' });
  requireBytes('decodePng', bytes);
  const { name: file = 'PNG data', channels, maxBytes = 2 ** 28 } = options;
  if (channels !== undefined && ![1, 3, 4].includes(channels)) {
    throw new ArgumentError(`channels is ${channels}; give 1, 3 or 4, or leave it out.`, {
      op: 'decodePng',
      operand: 'channels',
      actual: channels,
      expected: '1 | 3 | 4',
    });
  }
  const { essence, colour } = await checked(file, bytes, { maxBytes, opacity: channels === 4 });
  let picture: DecodedPng;
  try {
    picture = decode(essence, { checkCrc: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataFormatError(
      {
        op: 'decodePng',
        file,
        offset: bytes.length,
        expected: 'a whole PNG picture up to there',
        actual: `one that cannot be decoded (${reason})`,
        remedy: 'Fetch the file again.',
      },
      { cause },
    );
  }
  return pixelsOf(picture, { file, indexed: colour === INDEXED, channels });
}

// The chunks that matter, after their pixels were inflated once to see that they are as many as the header says.
async function checked(
  file: string,
  bytes: Uint8Array,
  { maxBytes, opacity }: { readonly maxBytes: number; readonly opacity: boolean },
): Promise<{ readonly essence: Uint8Array; readonly colour: number }> {
  const op = 'decodePng';
  const wrong = complaintsOf(op, file);
  const cutOff = (expected: string): DataFormatError =>
    wrong(
      bytes.length,
      expected,
      `the end of the file after ${bytes.length} bytes`,
      'The file is cut off: fetch it again.',
    );
  for (const [offset, byte] of SIGNATURE.entries()) {
    if (offset >= bytes.length) throw cutOff('the signature of PNG');
    if (bytes[offset] !== byte)
      throw wrong(offset, 'the signature of PNG', `byte ${bytes[offset]}`, 'This is no PNG file.');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [bytes.subarray(0, 8)];
  const data: { readonly at: number; readonly length: number }[] = [];
  let [expected, colour, palette] = [0, 0, false];
  let at = 8;
  for (let type = ''; type !== 'IEND'; ) {
    if (at + 12 > bytes.length) throw cutOff('a chunk');
    const length = view.getUint32(at);
    type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) throw cutOff(`a chunk of ${length} bytes`);
    if ((at === 8) !== (type === 'IHDR'))
      throw wrong(at + 4, at === 8 ? 'IHDR' : 'one IHDR, the first', JSON.stringify(type));
    if (type === 'IHDR') {
      if (length !== 13) throw wrong(at, 'a header of 13 bytes', String(length));
      expected = pixelBytes(view, at + 8, wrong);
      colour = bytes[at + 17];
      if (expected > maxBytes) {
        throw wrong(
          at + 8,
          `pixels of at most ${maxBytes} bytes`,
          String(expected),
          'Raise maxBytes if the picture is meant to be that large.',
        );
      }
    }
    if (type === 'IDAT') data.push({ at: at + 8, length });
    // A palette of a picture that is not indexed is a hint to displays; what is transparent matters to those who ask for it.
    const matters = type === 'PLTE' ? colour === INDEXED : type === 'tRNS' ? opacity : KNOWN.includes(type);
    if (matters) kept.push(bytes.subarray(at, at + 12 + length));
    else if ((bytes[at + 4] & 0x20) === 0 && type !== 'PLTE')
      throw wrong(at + 4, `one of the chunks ${KNOWN.join(', ')}`, JSON.stringify(type));
    if (type === 'PLTE') palette = true;
    if (type === 'IDAT' && colour === INDEXED && !palette)
      throw wrong(at + 4, 'a palette (PLTE) before the pixels', '"IDAT"');
    at += 12 + length;
  }
  if (data.length === 0) throw wrong(at, 'pixels (IDAT)', 'none');
  const inflated = await inflate(
    concatenate(data.map((chunk) => bytes.subarray(chunk.at, chunk.at + chunk.length))),
    {
      format: 'deflate',
      op,
      file,
      start: data[0].at,
      expected: 'whole compressed pixels with a matching checksum',
      maxBytes: expected,
      remedy: 'There are more pixels than the header says.',
    },
  );
  if (inflated.length !== expected) {
    throw wrong(data[0].at, `pixels of ${expected} bytes, as the header says`, String(inflated.length));
  }
  return { essence: concatenate(kept), colour };
}

/** How many bytes the pixels inflate to: each row has a byte for its filter. */
function pixelBytes(
  view: DataView,
  at: number,
  wrong: (offset: number, expected: string, actual: string) => Error,
): number {
  const [width, height] = [view.getUint32(at), view.getUint32(at + 4)];
  const [depth, colour, compression, filter, interlace] = Array.from({ length: 5 }, (_, i) =>
    view.getUint8(at + 8 + i),
  );
  if (width === 0) throw wrong(at, 'a width of at least 1', '0');
  if (height === 0) throw wrong(at + 4, 'a height of at least 1', '0');
  const depths = DEPTHS[colour];
  if (depths === undefined) throw wrong(at + 9, 'a colour type of 0, 2, 3, 4 or 6', String(colour));
  if (!depths.includes(depth)) throw wrong(at + 8, `a depth of ${depths.join(', ')}`, String(depth));
  if (compression !== 0) throw wrong(at + 10, 'compression 0', String(compression));
  if (filter !== 0) throw wrong(at + 11, 'filter method 0', String(filter));
  if (interlace > 1) throw wrong(at + 12, 'interlacing 0 or 1', String(interlace));
  if (interlace === 1 && depth < 8) {
    throw wrong(
      at + 12,
      'no interlacing of less than 8 bits, which is not supported',
      `interlacing of ${depth} bits`,
    );
  }
  const bits = depth * CHANNELS[colour];
  const rows = (w: number, h: number): number => (w === 0 ? 0 : h * (1 + Math.ceil((w * bits) / 8)));
  if (interlace === 0) return rows(width, height);
  // Adam7: start and step of columns and rows in each of the seven passes.
  const passes = [
    [0, 8, 0, 8],
    [4, 8, 0, 8],
    [0, 4, 4, 8],
    [2, 4, 0, 4],
    [0, 2, 2, 4],
    [1, 2, 0, 2],
    [0, 1, 1, 2],
  ];
  return passes.reduce(
    (total, [x, dx, y, dy]) =>
      total + rows(Math.ceil(Math.max(0, width - x) / dx), Math.ceil(Math.max(0, height - y) / dy)),
    0,
  );
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
