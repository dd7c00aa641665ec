// Reads safetensors: tensors by name in one file, with no code to run. A length, a JSON header, the elements.
//
// The format and its limits are those of https://github.com/huggingface/safetensors; what its Rust implementation refuses
// is refused here, and besides what its README forbids and that lets pass (keys that stand twice, a header that does not begin with '{').

import { MAX_ELEMENTS } from '@adjoint/kernels-cpu';
import { bytesPerElement, type DType } from '../dtype.ts';
import { ArgumentError, type DataFormatError, formatShape } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import type { Shape } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { requireBytes } from './bytes.ts';
import { type Complain, complaintsOf, cutOff, quote, requireEnd, shorten } from './complaints.ts';
import {
  findNonBoolean,
  readElements,
  readIntegers,
  type WideInteger,
  wideIntegerBytes,
} from './elements.ts';
import { JsonReader } from './json-reader.ts';
import { LENGTH_BYTES, MAX_HEADER_BYTES, METADATA, tagOf, writeOrder } from './safetensors-format.ts';

const dtypeOf = new Map<string, DType>(writeOrder.map((dtype) => [tagOf[dtype], dtype]));
const integerOf = new Map<string, WideInteger>([
  ['I8', 'int8'],
  ['I16', 'int16'],
  ['U16', 'uint16'],
  ['U32', 'uint32'],
  ['I64', 'int64'],
  ['U64', 'uint64'],
]);

/** What a safetensors file holds. */
export interface SafetensorsContent {
  /** The tensors by name, in the order of their bytes: what `module.loadStateDict` takes. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** The file's `__metadata__`; empty if it has none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Options of {@link parseSafetensors}. */
export interface ParseSafetensorsOptions {
  /** What to call the file in errors. Default `'safetensors data'`. */
  readonly name?: string | undefined;
  /** The longest header to read, in bytes. Default {@link MAX_HEADER_BYTES}. */
  readonly maxHeaderBytes?: number | undefined;
}

/**
 * Reads a safetensors file: https://github.com/huggingface/safetensors, "Format". The twin in Python is
 * `safetensors.torch.load`.
 *
 * F64, F32, BF16, F16, I32, U8 and BOOL become tensors of these types. Integers of other widths (PyTorch counts batches
 * in I64) become int32, if int32 holds every value. Each tensor gets an array of its own: nothing keeps `bytes` alive.
 *
 * The whole header is checked against the length of the file before anything is allocated: names once each, offsets that
 * cover the data without holes and overlaps, sizes that follow from shape and type. Bytes of BOOL must be 0 or 1.
 *
 * @param bytes the whole file.
 * @throws DataFormatError that names the file, the byte, what the format wants there and what is there; also for types
 * that tensors here do not have (F8, complex). ArgumentError for a `maxHeaderBytes` that is no number of bytes.
 * @example
 * const bytes = serializeSafetensors({ weight: tensor([[1, 2], [3, 4]]) }, { metadata: { format: 'pt' } });
 * const { tensors, metadata } = parseSafetensors(bytes, { name: 'model.safetensors' });
 * tensors.weight.toArray(); // [[1, 2], [3, 4]]
 * metadata.format; // 'pt'
 */
export function parseSafetensors(
  bytes: Uint8Array,
  options: ParseSafetensorsOptions = noOptions,
): SafetensorsContent {
  requireOptions('parseSafetensors', options, { name: 'string', maxHeaderBytes: 'number' });
  requireBytes('parseSafetensors', bytes);
  const { name = 'safetensors data', maxHeaderBytes = MAX_HEADER_BYTES } = options;
  if (!(Number.isInteger(maxHeaderBytes) && maxHeaderBytes >= 0)) {
    throw new ArgumentError(`maxHeaderBytes is ${maxHeaderBytes}; give a number of bytes.`, {
      op: 'parseSafetensors',
      operand: 'maxHeaderBytes',
      actual: maxHeaderBytes,
      expected: 'an integer >= 0',
    });
  }
  const complain = complaintsOf('parseSafetensors', name);
  const dataStart = readLength(bytes, maxHeaderBytes, complain);
  const { entries, metadata } = readHeader(bytes, dataStart, complain);
  checkLayout(entries, bytes, dataStart, complain);
  const tensors = entries.map((entry) => [entry.name, readTensor(bytes, entry, dataStart, complain)]);
  return { tensors: Object.fromEntries(tensors), metadata };
}

/** What the header says of one tensor. */
interface Entry {
  readonly name: string;
  /** Where in the file it says so. */
  readonly at: number;
  readonly tag: string;
  readonly shape: Shape;
  /** The tensor's first byte and the one after its last, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

// Gives the byte after the header.
function readLength(bytes: Uint8Array, maxHeaderBytes: number, complain: Complain): number {
  if (bytes.length < LENGTH_BYTES)
    throw cutOff(complain, bytes, `${LENGTH_BYTES} bytes that say how long the header is`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw complain(
      0,
      `a header of at most ${maxHeaderBytes} bytes`,
      `${length}`,
      'This is not a safetensors file, or maxHeaderBytes must be raised for it.',
    );
  }
  const dataStart = LENGTH_BYTES + Number(length);
  if (bytes.length < dataStart) throw cutOff(complain, bytes, `a header of ${length} bytes`);
  if (bytes[LENGTH_BYTES] !== 0x7b) {
    const actual = length === 0n ? 'an empty header' : `the byte 0x${hex(bytes[LENGTH_BYTES])}`;
    throw complain(LENGTH_BYTES, "the '{' that a header begins with", actual);
  }
  return dataStart;
}

function readHeader(
  bytes: Uint8Array,
  end: number,
  complain: Complain,
): { readonly entries: Entry[]; readonly metadata: Readonly<Record<string, string>> } {
  const json = new JsonReader(bytes, { start: LENGTH_BYTES, end }, complain);
  const entries: Entry[] = [];
  const metadata: [string, string][] = [];
  json.object((name, at) => {
    if (name !== METADATA) entries.push(readEntry(json, name, at, complain));
    else if (!json.takeNull()) json.object((key) => void metadata.push([key, json.string()]));
  });
  json.finish();
  return { entries, metadata: Object.fromEntries(metadata) };
}

function readEntry(json: JsonReader, name: string, at: number, complain: Complain): Entry {
  let tag: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  json.object((key) => {
    if (key === 'dtype') {
      const place = json.offset;
      tag = json.string();
      if (!dtypeOf.has(tag) && !integerOf.has(tag)) {
        throw complain(
          place,
          `one of the types ${[...dtypeOf.keys(), ...integerOf.keys()].join(', ')} for ${quote(name)}`,
          quote(tag),
          'Convert the tensor to one of these where the file is written.',
        );
      }
    } else if (key === 'shape') {
      shape = readCounts(json, 'an extent: an integer from 0 to 2^53 - 1');
    } else if (key === 'data_offsets') {
      const place = json.offset;
      offsets = readCounts(json, 'an offset: an integer from 0 to 2^53 - 1');
      if (offsets.length !== 2) throw complain(place, `two offsets for ${quote(name)}`, `${offsets.length}`);
    } else {
      // As the reference implementation does: fields of later versions of the format are no flaw.
      json.skip();
    }
  });
  const missing = (key: string): DataFormatError =>
    complain(at, `${quote(name)} to have "${key}"`, 'an object without it');
  if (tag === undefined) throw missing('dtype');
  if (shape === undefined) throw missing('shape');
  if (offsets === undefined) throw missing('data_offsets');
  return { name, at, tag, shape, begin: offsets[0], end: offsets[1] };
}

function readCounts(json: JsonReader, expected: string): number[] {
  const counts: number[] = [];
  json.array(() => void counts.push(json.count(expected)));
  return counts;
}

// Sorts the entries by their place in the data, and checks that they cover it.
function checkLayout(entries: Entry[], bytes: Uint8Array, dataStart: number, complain: Complain): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, at, tag, shape, begin, end } of entries) {
    const of = `${quote(name)}, ${tag} of shape ${shorten(formatShape(shape))},`;
    if (begin !== covered) {
      const flaw = begin > covered ? 'a hole' : 'an overlap';
      throw complain(
        at,
        `${quote(name)} to begin at data offset ${covered}, where the tensor before it ends`,
        `${begin}, which leaves ${flaw}`,
      );
    }
    const size = byteSize(tag, shape);
    if (size === null) throw complain(at, `${of} to have at most ${MAX_ELEMENTS} elements`, 'more than that');
    if (end - begin !== size)
      throw complain(at, `${of} to take ${size} bytes`, `data_offsets [${begin}, ${end}]`);
    covered = end;
  }
  const total = dataStart + covered;
  requireEnd(complain, bytes, total, `${total} bytes, as the header says`, 'the last tensor');
}

// null if the extents exceed what a tensor holds, or, as in the reference implementation, if they overflow on the way.
function byteSize(tag: string, shape: Shape): number | null {
  let elements = 1;
  for (const extent of shape) {
    elements *= extent;
    if (elements > Number.MAX_SAFE_INTEGER) return null;
  }
  if (elements > MAX_ELEMENTS) return null;
  const integer = integerOf.get(tag);
  return elements * (integer === undefined ? bytesPerElement[dtypeOf.get(tag)!] : wideIntegerBytes[integer]);
}

function readTensor(bytes: Uint8Array, entry: Entry, dataStart: number, complain: Complain): Tensor {
  const { name, tag, shape } = entry;
  const begin = dataStart + entry.begin;
  const data = bytes.subarray(begin, dataStart + entry.end);
  const integer = integerOf.get(tag);
  if (integer !== undefined) {
    const read = readIntegers(data, integer, shape, 'little');
    if (read instanceof Tensor) return read;
    throw complain(
      begin + read.index * wideIntegerBytes[integer],
      `${quote(name)}, whose ${tag} becomes int32, to hold integers from -2147483648 to 2147483647`,
      read.value,
      'Convert the tensor to F64 where the file is written.',
    );
  }
  const dtype = dtypeOf.get(tag)!;
  const stray = dtype === 'bool' ? findNonBoolean(data) : -1;
  if (stray >= 0) throw complain(begin + stray, `0 or 1 in ${quote(name)}, which is BOOL`, `${data[stray]}`);
  return readElements(data, dtype, shape, 'little');
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
