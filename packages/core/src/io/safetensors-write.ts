// Writes safetensors: tensors by name in one file, as https://github.com/huggingface/safetensors lays them out.

import { bytesPerElement } from '../dtype.ts';
import { ArgumentError, quote as show } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { quote } from './complaints.ts';
import { writeElements } from './elements.ts';
import { LENGTH_BYTES, MAX_HEADER_BYTES, METADATA, tagOf, writeOrder } from './safetensors-format.ts';
import { compareUtf8, encodeUtf8, isWellFormed } from './utf8.ts';

/** Options of {@link serializeSafetensors}. */
export interface SerializeSafetensorsOptions {
  /** Strings by name, for the file's `__metadata__`. Default: none. (Programs of PyTorch's world look for `{ format: 'pt' }`.) */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Writes tensors as a safetensors file. The twin in Python is `safetensors.torch.save`.
 *
 * The same tensors, names and metadata give the same bytes, in whatever order they are given. As in the reference
 * implementation, tensors are sorted by descending alignment of their type (F64, F32, I32, BF16, F16, U8, BOOL) and then
 * by name, and the header is padded with spaces to a multiple of 8 bytes, so that every tensor is aligned in the file.
 * (It leaves the order of metadata to chance; here they are sorted by key.) Names sort by code point.
 *
 * @param tensors of any dtype, shape and strides; graphs and gradients are not written.
 * @throws ArgumentError for names that UTF-8 cannot hold or the format reserves (`__metadata__`), for values that are no
 * tensors or, in the metadata, no strings, and for what exceeds {@link MAX_HEADER_BYTES} or the size of an array.
 * @example
 * const bytes = serializeSafetensors({ x: tensor([1, 2, 3]) });
 * bytes.length % 4; // 0
 * parseSafetensors(bytes).tensors.x.toArray(); // [1, 2, 3]
 */
export function serializeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  options: SerializeSafetensorsOptions = noOptions,
): Uint8Array<ArrayBuffer> {
  requireOptions('serializeSafetensors', options, { metadata: 'own' });
  const { metadata = {} } = options;
  requireNamed(tensors);
  requireByName('metadata', metadata);
  const named = Object.entries(tensors);
  for (const entry of Object.entries(metadata)) checkMetadata(entry);
  named.sort(
    ([nameA, a], [nameB, b]) =>
      writeOrder.indexOf(a.dtype) - writeOrder.indexOf(b.dtype) || compareUtf8(nameA, nameB),
  );
  const begins: number[] = [];
  let dataBytes = 0;
  for (const [, x] of named) {
    begins.push(dataBytes);
    dataBytes += sizeOf(x.shape) * bytesPerElement[x.dtype];
  }
  const ends = [...begins.slice(1), dataBytes];
  const header = encodeHeader(
    named.map(([name, { dtype, shape }], i) => {
      const info = { dtype: tagOf[dtype], shape, data_offsets: [begins[i], ends[i]] };
      return `${JSON.stringify(name)}:${JSON.stringify(info)}`;
    }),
    metadata,
  );
  const bytes = allocateFile(LENGTH_BYTES + header.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, LENGTH_BYTES);
  const dataStart = LENGTH_BYTES + header.length;
  for (const [i, [, x]] of named.entries())
    writeElements(x, bytes.subarray(dataStart + begins[i], dataStart + ends[i]));
  return bytes;
}

function encodeHeader(members: readonly string[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const notes = Object.entries(metadata)
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const all = notes.length === 0 ? members : [`"${METADATA}":{${notes.join(',')}}`, ...members];
  const text = encodeUtf8(`{${all.join(',')}}`);
  const header = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  header.set(text);
  if (header.length <= MAX_HEADER_BYTES) return header;
  throw refusal(
    'metadata',
    header.length,
    `names and metadata make a header of ${header.length} bytes, and no one reads more than ${MAX_HEADER_BYTES}; write large data as tensors.`,
  );
}

function allocateFile(length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    const error = refusal(
      'tensors',
      length,
      `the file would have ${length} bytes, more than this platform gives to one array; split the tensors among files.`,
    );
    error.cause = cause;
    throw error;
  }
}

/** @throws ArgumentError unless these are tensors in a plain object: of a Map or a list nothing, or numbers for names, would be written. */
export function requireNamed(tensors: Readonly<Record<string, unknown>>): void {
  requireByName('tensors', tensors);
  for (const [name, x] of Object.entries(tensors)) checkNamed(name, x);
}

function requireByName(operand: string, value: unknown): void {
  const byName = Object.prototype.toString.call(value) === '[object Object]' && !(value instanceof Tensor);
  if (!byName)
    throw refusal(operand, value, `${operand} is ${show(value)}; give an object, its keys as names.`);
}

function checkNamed(name: string, value: unknown): void {
  if (!(value instanceof Tensor))
    throw refusal('tensors', value, `${quote(name)} is ${typeof value}; give a tensor.`);
  if (name === METADATA)
    throw refusal('tensors', name, `the format reserves the name ${METADATA}; rename the tensor.`);
  if (!isWellFormed(name))
    throw refusal('tensors', name, `the name ${quote(name)} holds half a surrogate pair; rename the tensor.`);
}

function checkMetadata([key, value]: readonly [string, unknown]): void {
  if (typeof value !== 'string')
    throw refusal(
      'metadata',
      value,
      `${quote(key)} is ${typeof value}; give a string, as by JSON.stringify.`,
    );
  if (!isWellFormed(key) || !isWellFormed(value))
    throw refusal('metadata', value, `${quote(key)} holds half a surrogate pair; give whole characters.`);
}

function refusal(operand: string, actual: unknown, message: string): ArgumentError {
  return new ArgumentError(message, { op: 'serializeSafetensors', operand, actual });
}
