// A model in several safetensors files, and the index that says which tensor is in which.
//
// The layout of https://huggingface.co/docs/huggingface_hub/package_reference/serialization: model-00001-of-00003.safetensors and so on, beside
// model.safetensors.index.json: { "metadata": { "total_size": … }, "weight_map": { name: file, … } }.

import { bytesPerElement } from '../dtype.ts';
import { ArgumentError, DataFormatError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import type { Tensor } from '../tensor.ts';
import { requireBytes } from './bytes.ts';
import { JsonReader } from './json-reader.ts';
import { parseSafetensors, type SafetensorsContent } from './safetensors-read.ts';
import { requireNamed, serializeSafetensors } from './safetensors-write.ts';
import { compareUtf8, encodeUtf8 } from './utf8.ts';

/** Options of {@link serializeSafetensorsShards}. */
export interface SerializeShardsOptions {
  /** The most bytes of tensors in one file, unless one tensor alone has more. Default 5e9. */
  readonly maxShardBytes?: number | undefined;
  /** What the files' names begin with. Default `'model'`. */
  readonly stem?: string | undefined;
  /** Strings by name, for the `__metadata__` of every file. Default: none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Writes tensors as several safetensors files and their index. The twin in Python is
 * `huggingface_hub.save_torch_state_dict`.
 *
 * Tensors are put into the files in the order of their names. What fits into one file becomes one, `model.safetensors`, without an
 * index.
 *
 * @returns the files by name.
 * @throws ArgumentError for a `maxShardBytes` that is no positive number, a stem with a slash, and as `serializeSafetensors` does.
 * @example
 * const files = serializeSafetensorsShards({ a: zeros([10]), b: zeros([10]) }, { maxShardBytes: 50 });
 * Object.keys(files);
 * // ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors', 'model.safetensors.index.json']
 */
export function serializeSafetensorsShards(
  tensors: Readonly<Record<string, Tensor>>,
  options: SerializeShardsOptions = noOptions,
): Record<string, Uint8Array<ArrayBuffer>> {
  requireOptions('serializeSafetensorsShards', options, {
    maxShardBytes: 'number',
    stem: 'string',
    metadata: 'own',
  });
  const { maxShardBytes = 5e9, stem = 'model', metadata = {} } = options;
  const refuse = (operand: string, actual: unknown, message: string): ArgumentError =>
    new ArgumentError(message, { op: 'serializeSafetensorsShards', operand, actual });
  if (!(maxShardBytes > 0))
    throw refuse(
      'maxShardBytes',
      maxShardBytes,
      `maxShardBytes is ${maxShardBytes}; give a number of bytes.`,
    );
  if (!isFileName(`${stem}.safetensors`))
    throw refuse(
      'stem',
      stem,
      `the stem ${JSON.stringify(stem)} is no part of a file's name; give one without slashes.`,
    );
  requireNamed(tensors);
  const shards: [string, Tensor][][] = [];
  let room = 0;
  let totalBytes = 0;
  for (const [name, x] of Object.entries(tensors).sort(([a], [b]) => compareUtf8(a, b))) {
    const bytes = x.size * bytesPerElement[x.dtype];
    if (shards.length === 0 || bytes > room) {
      shards.push([]);
      room = maxShardBytes;
    }
    shards[shards.length - 1].push([name, x]);
    room -= bytes;
    totalBytes += bytes;
  }
  if (shards.length <= 1) return { [`${stem}.safetensors`]: serializeSafetensors(tensors, { metadata }) };
  const number = (count: number): string => String(count).padStart(5, '0');
  const files: [string, Uint8Array<ArrayBuffer>][] = [];
  const fileOf: [string, string][] = [];
  for (const [i, shard] of shards.entries()) {
    const file = `${stem}-${number(i + 1)}-of-${number(shards.length)}.safetensors`;
    files.push([file, serializeSafetensors(Object.fromEntries(shard), { metadata })]);
    for (const [name] of shard) fileOf.push([name, file]);
  }
  const index = { metadata: { total_size: totalBytes }, weight_map: Object.fromEntries(fileOf) };
  const text = encodeUtf8(`${JSON.stringify(index, null, 2)}\n`);
  files.push([`${stem}.safetensors.index.json`, Uint8Array.from(text)]);
  return Object.fromEntries(files);
}

/** Options of {@link parseSafetensorsShards}. */
export interface ParseShardsOptions {
  /** What to call the index in errors. Default `'safetensors index'`. */
  readonly name?: string | undefined;
  /** The longest header to read of each file, in bytes. Default that of `parseSafetensors`. */
  readonly maxHeaderBytes?: number | undefined;
}

/**
 * Reads the files of an index, one after another, and puts their tensors together.
 *
 * @param index the bytes of `model.safetensors.index.json`.
 * @param read gives the bytes of a file that the index names: a bare name, without slashes.
 * @returns all tensors, and the metadata of all files (of equal keys, those of the last file).
 * @throws DataFormatError if the index is no such index, names files by paths, or does not agree with the files in which tensor is
 * where; as `parseSafetensors` does for the files; and whatever `read` throws.
 * @example
 * const { 'model.safetensors.index.json': index, ...files } = serializeSafetensorsShards(
 *   { a: zeros([10]), b: ones([10]) },
 *   { maxShardBytes: 50 },
 * );
 * const { tensors } = await parseSafetensorsShards(index, async (file) => files[file]);
 * Object.keys(tensors); // ['a', 'b']
 */
export async function parseSafetensorsShards(
  index: Uint8Array,
  read: (file: string) => Uint8Array | Promise<Uint8Array>,
  options: ParseShardsOptions = noOptions,
): Promise<SafetensorsContent> {
  requireOptions('parseSafetensorsShards', options, { name: 'string', maxHeaderBytes: 'number' });
  requireBytes('parseSafetensorsShards', index);
  const { name = 'safetensors index', ...limits } = options;
  const tensors: [string, Tensor][] = [];
  const metadata: [string, string][] = [];
  for (const [file, places] of readIndex(index, name)) {
    const content = parseSafetensors(await read(file), { name: file, ...limits });
    const complain = (offset: number, expected: string, actual: string): DataFormatError =>
      new DataFormatError({
        op: 'parseSafetensorsShards',
        file: name,
        offset,
        expected,
        actual,
        remedy: 'The index and the files are not of one model, or one was changed.',
      });
    for (const [tensor, offset] of places) {
      if (!Object.hasOwn(content.tensors, tensor))
        throw complain(offset, `${JSON.stringify(tensor)} to be in ${file}`, 'a file without it');
    }
    for (const [tensor, x] of Object.entries(content.tensors)) {
      if (!places.has(tensor))
        throw complain(0, `all tensors of ${file}`, `no ${JSON.stringify(tensor)}, which the file has`);
      tensors.push([tensor, x]);
    }
    metadata.push(...Object.entries(content.metadata));
  }
  return { tensors: Object.fromEntries(tensors), metadata: Object.fromEntries(metadata) };
}

// The tensors of each file, with their places in the index.
function readIndex(index: Uint8Array, name: string): Map<string, Map<string, number>> {
  const complain = (offset: number, expected: string, actual: string): DataFormatError =>
    new DataFormatError({ op: 'parseSafetensorsShards', file: name, offset, expected, actual });
  const json = new JsonReader(index, { start: 0, end: index.length }, complain);
  const files = new Map<string, Map<string, number>>();
  let found = false;
  json.object((key) => {
    if (key !== 'weight_map') {
      json.skip();
      return;
    }
    found = true;
    json.object((tensor, offset) => {
      const place = json.offset;
      const file = json.string("a file's name");
      if (!isFileName(file)) throw complain(place, "a file's name, without a path", JSON.stringify(file));
      const places = files.get(file) ?? new Map<string, number>();
      files.set(file, places.set(tensor, offset));
    });
  });
  json.finish();
  if (!found) throw complain(0, 'an index with "weight_map"', 'an object without it');
  return files;
}

function isFileName(name: string): boolean {
  return /^[^/\\\0]+$/.test(name) && name !== '.' && name !== '..';
}
