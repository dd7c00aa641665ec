// A model in several files: what is written comes back from any number of them, and an index that lies is found out.
import { ArgumentError, DataFormatError, tensor, zeros } from '@adjoint/core';
import {
  parseSafetensors,
  parseSafetensorsShards,
  serializeSafetensors,
  serializeSafetensorsShards,
} from '@adjoint/core/io';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { essence, names, tensors } from './tensors.ts';

const INDEX = 'model.safetensors.index.json';
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

async function failure(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.catch((thrown: unknown) => thrown);
  if (!(error instanceof Error)) throw new Error('it succeeded');
  return error;
}

const contents = fc.uniqueArray(fc.tuple(names, tensors), { selector: ([name]) => name, maxLength: 6 });

test('every tensor comes back, and no file is larger than it may be, but for one tensor', async () => {
  await fc.assert(
    fc.asyncProperty(contents, fc.integer({ min: 1, max: 300 }), async (entries, maxShardBytes) => {
      const metadata = { format: 'pt' };
      const { [INDEX]: index, ...files } = serializeSafetensorsShards(Object.fromEntries(entries), {
        maxShardBytes,
        metadata,
      });
      const shards = Object.values(files).map((bytes) => parseSafetensors(bytes));
      for (const shard of shards) {
        const sizes = Object.values(shard.tensors).map((x) => x.data.byteLength);
        expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(Math.max(maxShardBytes, ...sizes));
        expect(shard.metadata).toEqual(metadata);
      }
      if (index === undefined) {
        expect(Object.keys(files)).toEqual(['model.safetensors']);
        expect(Object.keys(shards[0].tensors).length).toBe(entries.length);
        return;
      }
      const asked: string[] = [];
      const read = await parseSafetensorsShards(index, (file) => {
        asked.push(file);
        return files[file];
      });
      expect(asked.sort()).toEqual(Object.keys(files).sort());
      expect(read.metadata).toEqual(metadata);
      expect(Object.keys(read.tensors).sort()).toEqual(entries.map(([name]) => name).sort());
      for (const [name, x] of entries) expect(essence(read.tensors[name])).toEqual(essence(x));
      const bytes = shards
        .flatMap(({ tensors: all }) => Object.values(all))
        .reduce((a, x) => a + x.data.byteLength, 0);
      expect(JSON.parse(new TextDecoder().decode(index)).metadata).toEqual({ total_size: bytes });
    }),
    { numRuns: 200 },
  );
});

describe('an index that does not fit', () => {
  const files: Record<string, Uint8Array> = {
    one: serializeSafetensors({ a: tensor([1]) }),
    two: serializeSafetensors({ b: tensor([2]), c: tensor([3]) }),
  };
  const load = (index: Uint8Array): Promise<unknown> =>
    parseSafetensorsShards(index, (file) => files[file], { name: INDEX });

  test.each<[string, Uint8Array, RegExp]>([
    [
      'is no JSON',
      new TextEncoder().encode('{"weight_map":'),
      /byte 14: expected an object, found the end of the JSON/,
    ],
    [
      'has no map',
      encode({ metadata: {} }),
      /expected an index with "weight_map", found an object without it/,
    ],
    [
      'names a tensor that is not there',
      encode({ weight_map: { a: 'one', x: 'one' } }),
      /byte 25: expected "x" to be in one, found a file without it/,
    ],
    [
      'leaves a tensor out',
      encode({ weight_map: { b: 'two' } }),
      /all tensors of two, found no "c", which the file has/,
    ],
    [
      'names a tensor twice',
      new TextEncoder().encode('{"weight_map":{"a":"one","a":"two"}}'),
      /each key once, found "a" for the second time/,
    ],
    [
      'leads out of the folder',
      encode({ weight_map: { a: '../one' } }),
      /a file's name, without a path, found "\.\.\/one"/,
    ],
    ['leads to the folder above', encode({ weight_map: { a: '..' } }), /without a path/],
    ['leads elsewhere on Windows', encode({ weight_map: { a: 'C:\\one' } }), /without a path/],
    ['names a file by a number', encode({ weight_map: { a: 1 } }), /a file's name, found '1'/],
  ])('because it %s', async (_, index, message) => {
    const error = await failure(load(index));
    expect(error).toBeInstanceOf(DataFormatError);
    expect(error.message).toMatch(message);
  });

  test('is told from a damaged file, which is named', async () => {
    const index = encode({ weight_map: { a: 'one' } });
    const error = await failure(parseSafetensorsShards(index, () => new Uint8Array(5)));
    expect(error).toMatchObject({ file: 'one', offset: 5 });
  });

  test('is read where it does', async () => {
    expect(await load(encode({ weight_map: { a: 'one', b: 'two', c: 'two' } }))).toMatchObject({
      metadata: {},
    });
  });
});

test('options that mean nothing are refused', () => {
  for (const maxShardBytes of [0, -1, Number.NaN])
    expect(() => serializeSafetensorsShards({ a: zeros([1]) }, { maxShardBytes })).toThrow(ArgumentError);
  expect(() => serializeSafetensorsShards({ a: zeros([1]) }, { stem: 'a/b' })).toThrow(ArgumentError);
});
