// TensorBoard's event files: protocol buffers in TFRecord frames, with nothing but what scalars, pictures and histograms need.
//
// The fields are those of tensorflow/core/util/event.proto and framework/summary.proto; the frame is that of lib/io/record_writer.h:
// length (8 bytes), masked CRC-32C of it, data, masked CRC-32C of the data, all little-endian.

import { requireArgument } from '@adjoint/core';
import { requireOptions } from '@adjoint/core/options';
import { requireInteger } from '../layers/options.ts';

/**
 * Numbers sorted into buckets: bucket i holds those from `limits[i − 1]` (the first: from `min`) up to `limits[i]`, which is `max` for the
 * last; a number on the limit of two is in the upper one.
 */
export interface Histogram {
  /** The least of the numbers. */
  readonly min: number;
  /** The greatest of the numbers. */
  readonly max: number;
  /** How many numbers there are. */
  readonly count: number;
  /** Their sum. */
  readonly sum: number;
  /** The sum of their squares. */
  readonly sumOfSquares: number;
  /** The upper limit of each bucket, ascending. */
  readonly limits: readonly number[];
  /** How many numbers each bucket holds. */
  readonly counts: readonly number[];
}

/** What stands in one event; one of the last four fields, or none for the first event of a file. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  /** The training step that it belongs to. */
  readonly step: number;
  /** The first event of a file says 'brain.Event:2'. */
  readonly fileVersion?: string;
  /** Numbers by tag; `a/b` puts the tag into the group a. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** PNG files by tag. */
  readonly images?: Readonly<
    Record<string, { readonly png: Uint8Array; readonly width: number; readonly height: number }>
  >;
  /** Histograms by tag. */
  readonly histograms?: Readonly<Record<string, Histogram>>;
}

/**
 * One event as it stands in an event file, frame and checksums included.
 *
 * @throws ArgumentError if the step is no integer.
 * @example
 * const bytes = encodeEvent({ wallTime: 0, step: 3, scalars: { loss: 0.5 } });
 * new DataView(bytes.buffer).getUint32(0, true) === bytes.length - 16; // the frame is 16 bytes around the data
 */
export function encodeEvent(event: TensorBoardEvent): Uint8Array<ArrayBuffer> {
  requireOptions('encodeEvent', event, {
    wallTime: 'number',
    step: 'number',
    fileVersion: 'string',
    scalars: 'own',
    images: 'own',
    histograms: 'own',
  });
  requireInteger('encodeEvent', 'step', event.step, Number.MIN_SAFE_INTEGER);
  const values: number[][] = [];
  for (const [tag, value] of Object.entries(event.scalars ?? {})) {
    values.push([...text(1, tag), ...float(2, value)]);
  }
  for (const [tag, { png, width, height }] of Object.entries(event.images ?? {})) {
    values.push([
      ...text(1, tag),
      ...nested(4, [...integer(1, height), ...integer(2, width), ...bytes(4, png)]),
    ]);
  }
  for (const [tag, histogram] of Object.entries(event.histograms ?? {})) {
    const { min, max, count, sum, sumOfSquares, limits, counts } = histogram;
    const fields = [min, max, count, sum, sumOfSquares].flatMap((value, i) => double(i + 1, value));
    values.push([...text(1, tag), ...nested(5, [...fields, ...doubles(6, limits), ...doubles(7, counts)])]);
  }
  const summary = values.flatMap((value) => nested(1, value));
  return frame([
    ...double(1, event.wallTime),
    ...integer(2, event.step),
    ...(event.fileVersion === undefined ? [] : text(3, event.fileVersion)),
    ...(values.length === 0 ? [] : nested(5, summary)),
  ]);
}

/**
 * Sorts numbers into buckets of equal width, as TensorBoard shows them. NaN and infinities are left out. Numbers that are all the same
 * make one bucket of no width, and no numbers none, which is how TensorBoard itself writes these cases.
 *
 * @param buckets how many: an integer, at least 1. Default 30.
 * @throws ArgumentError for another number of buckets.
 * @example
 * histogramOf([0, 1, 2, 3], 2).counts; // [2, 2]
 */
export function histogramOf(values: ArrayLike<number>, buckets = 30): Histogram {
  requireInteger('histogramOf', 'buckets', buckets, 1);
  requireArgument('histogramOf', 'values', values, Object);
  const finite = Array.from(values).filter(Number.isFinite);
  const min = finite.reduce((a, b) => Math.min(a, b), finite[0] ?? 0);
  const max = finite.reduce((a, b) => Math.max(a, b), finite[0] ?? 0);
  const size = min < max ? buckets : Math.min(1, finite.length);
  // The distance of the ends may be more than a number holds; that of their halves is not.
  const scale = Number.isFinite(max - min) ? 1 : 0.5;
  const width = max * scale - min * scale || 1;
  const counts = new Array<number>(size).fill(0);
  for (const value of finite) {
    const bucket = Math.floor(size * ((value * scale - min * scale) / width));
    counts[Math.min(size - 1, bucket)]++;
  }
  return {
    min,
    max,
    count: finite.length,
    sum: finite.reduce((total, value) => total + value, 0),
    sumOfSquares: finite.reduce((total, value) => total + value * value, 0),
    limits: counts.map((_, i) => min * (1 - (i + 1) / size) + max * ((i + 1) / size)),
    counts,
  };
}

// Wire types of protocol buffers.
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

function varint(value: number): number[] {
  // A negative int64 is its two's complement of 64 bits.
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  while (rest >= 128n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return out;
}

function key(field: number, wire: number): number[] {
  return varint(field * 8 + wire);
}

function integer(field: number, value: number): number[] {
  return [...key(field, VARINT), ...varint(value)];
}

function double(field: number, value: number): number[] {
  return [
    ...key(field, FIXED64),
    ...new Uint8Array(littleEndian(8, (view) => view.setFloat64(0, value, true))),
  ];
}

function float(field: number, value: number): number[] {
  return [
    ...key(field, FIXED32),
    ...new Uint8Array(littleEndian(4, (view) => view.setFloat32(0, value, true))),
  ];
}

function doubles(field: number, values: readonly number[]): number[] {
  const packed = littleEndian(8 * values.length, (view) => {
    values.forEach((value, i) => {
      view.setFloat64(8 * i, value, true);
    });
  });
  return nested(field, Array.from(new Uint8Array(packed)));
}

function bytes(field: number, value: Uint8Array): number[] {
  return nested(field, Array.from(value));
}

function text(field: number, value: string): number[] {
  return bytes(field, new TextEncoder().encode(value));
}

function nested(field: number, message: readonly number[]): number[] {
  return key(field, LENGTH).concat(varint(message.length), message);
}

function littleEndian(length: number, write: (view: DataView) => void): ArrayBuffer {
  const buffer = new ArrayBuffer(length);
  write(new DataView(buffer));
  return buffer;
}

function frame(message: readonly number[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(message.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(message.length), true);
  view.setUint32(8, maskedCrc(out.subarray(0, 8)), true);
  out.set(message, 12);
  view.setUint32(12 + message.length, maskedCrc(out.subarray(12, 12 + message.length)), true);
  return out;
}

// CRC-32C (Castagnoli) by table; masked, so that a checksum of data that holds checksums stays sound (LevelDB's crc32c.h).
const POLYNOMIAL = 0x82f63b78;
let table: Uint32Array | null = null;

function maskedCrc(data: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = (c & 1) === 1 ? POLYNOMIAL ^ (c >>> 1) : c >>> 1;
    return c;
  });
  let crc = 0xffffffff;
  for (const byte of data) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
