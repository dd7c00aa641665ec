// npz: NumPy's archives are read, what is written comes back, and what is flawed, or a bomb, is a typed error.
import { deflateRawSync } from 'node:zlib';
import { ArgumentError, DataFormatError, DTypeError, Tensor, tensor, zeros } from '@adjoint/core';
import { serializeNpy } from '@adjoint/core/io';
import { parseNpz, serializeNpz } from '@adjoint/nn/data';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultIn, faultThrown, refused } from '../../core/io/faults.ts';
import numpy from '../../core/io/numpy-files.json' with { type: 'json' };
import { essence, names, tensors } from '../../core/io/tensors.ts';

const NAME = 'x.npz';

async function attempt(bytes: Uint8Array, maxBytes = 1e7): Promise<Record<string, Tensor> | DataFormatError> {
  try {
    return await parseNpz(bytes, { name: NAME, maxBytes });
  } catch (error) {
    const fault = faultThrown(error);
    if (fault.file.startsWith(`${NAME}/`)) return fault;
    return faultIn(bytes, NAME, error);
  }
}

async function refusal(bytes: Uint8Array, maxBytes?: number): Promise<DataFormatError> {
  return refused(await attempt(bytes, maxBytes));
}

/** A file with some bytes changed. */
function changed(file: Uint8Array, at: number, put: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(file);
  copy.set(put, at < 0 ? file.length + at : at);
  return copy;
}

const u32 = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];

const writable = fc.uniqueArray(
  fc.tuple(
    names,
    tensors.filter(({ dtype }) => dtype !== 'bfloat16'),
  ),
  { selector: ([name]) => name, maxLength: 4 },
);

describe(`NumPy ${numpy.version}`, () => {
  test.each(Object.entries(numpy.npz))('its %s archives are read', async (_, file) => {
    const read = await parseNpz(Buffer.from(file, 'base64'));
    expect(Object.keys(read).sort()).toEqual(['count', 'empty', 'flags', 'long', 'weight']);
    expect(read.weight.toArray()).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9, 10, 11],
    ]);
    expect([read.count.dtype, read.count.item()]).toEqual(['int32', 7]);
    expect([read.empty.dtype, read.empty.shape]).toEqual(['float64', [0, 2]]);
    expect([read.flags.dtype, read.flags.toArray()]).toEqual(['bool', [1, 0]]);
    expect(read.long.toArray()).toEqual(Array<number>(500).fill(0));
  });
});

describe('round trips', () => {
  test('every array comes back bit for bit under its name', async () => {
    await fc.assert(
      fc.asyncProperty(writable, fc.boolean(), async (entries, compressed) => {
        const read = await parseNpz(await serializeNpz(Object.fromEntries(entries), { compressed }));
        expect(Object.keys(read).sort()).toEqual(entries.map(([name]) => name).sort());
        for (const [name, x] of entries) expect(essence(read[name])).toEqual(essence(x));
      }),
    );
  });

  test('the same arrays give the same bytes, in whatever order', async () => {
    const [a, b] = [tensor([1]), tensor([2])];
    expect(await serializeNpz({ a, b })).toEqual(await serializeNpz({ b, a }));
  });
});

describe('flaws', () => {
  const one = serializeNpz({ a: tensor([1, 2]) });
  // Of an archive with the one entry a.npy: 30 + 5 bytes of local header, 136 of data, 46 + 5 of directory, 22 at the end.
  const directory = 30 + 5 + 136;
  const end = directory + 46 + 5;

  test.each<[string, (file: Uint8Array) => Uint8Array, RegExp]>([
    [
      'no bytes',
      () => new Uint8Array(),
      /a zip archive, which ends with its directory, found the end of the file after 0/,
    ],
    ['an end that is cut off', (file) => file.slice(0, -1), /a zip archive, which ends with its directory/],
    ['bytes in front', (file) => Uint8Array.from([0, ...file]), /a directory that ends at byte 223/],
    [
      'an archive in parts',
      (file) => changed(file, end + 4, [1]),
      /an archive in one file, found a part of one/,
    ],
    [
      'zip64',
      (file) => changed(file, end + 16, u32(0xffffffff)),
      /a zip archive below 4 GiB, found one of zip64/,
    ],
    ['zip64 in an entry', (file) => changed(file, directory + 24, u32(0xffffffff)), /an entry below 4 GiB/],
    [
      'a directory elsewhere',
      (file) => changed(file, end + 16, u32(1)),
      /a directory that ends at byte 222, found one of 51 bytes from byte 1/,
    ],
    [
      'too few entries',
      (file) => changed(file, end + 8, [2, 0, 2, 0]),
      /an entry of the directory, found something else/,
    ],
    [
      'too many entries',
      (file) => changed(file, end + 8, [0, 0, 0, 0]),
      /the end of the directory, after 0 entries, found 51 more bytes/,
    ],
    ['encryption', (file) => changed(file, directory + 8, [1]), /an entry that is not encrypted/],
    [
      'another compression',
      (file) => changed(file, directory + 10, [12]),
      /the method 0 \(stored\) or 8 \(deflated\), found 12/,
    ],
    [
      'two sizes of what is stored',
      (file) => changed(file, directory + 20, u32(135)),
      /136 bytes, as the entry is stored, found 135/,
    ],
    ['a name that is not UTF-8', (file) => changed(file, directory + 46, [0xff]), /a name in UTF-8/],
    [
      'two names',
      (file) => changed(file, 30, [0x62]),
      /the name "a\.npy", as in the directory, found another/,
    ],
    [
      'an entry that is elsewhere',
      (file) => changed(file, directory + 42, u32(1)),
      /where the local header of "a\.npy" is, found 1/,
    ],
    [
      'an entry beyond the file',
      (file) => changed(file, directory + 42, u32(0x7fffffff)),
      /where the local header/,
    ],
    [
      'an entry that reaches into the directory',
      (file) => changed(changed(file, directory + 20, u32(137)), directory + 24, u32(137)),
      /"a\.npy" to end before byte 171, found an end at 172/,
    ],
    ['a byte of the data', (file) => changed(file, directory - 1, [9]), /"a\.npy" to have the checksum 0x/],
    [
      'a name that reaches beyond',
      (file) => changed(file, directory + 28, [0xff, 0xff]),
      /an entry that ends at byte 222 at the latest/,
    ],
  ])('%s', async (_, wound, message) => {
    expect((await refusal(wound(await one))).message).toMatch(message);
  });

  /** An archive by the format's definition, with whatever the directory is to claim of each entry. */
  function archive(
    entries: readonly {
      name: string;
      content: Uint8Array;
      method?: number;
      size?: number;
      begin?: number;
      crc?: number;
    }[],
  ): Uint8Array {
    const parts: Buffer[] = [];
    const central: Buffer[] = [];
    let at = 0;
    for (const { name, content, method = 0, size = content.length, begin = at, crc = 0 } of entries) {
      const local = Buffer.alloc(30);
      local.writeUInt32LE(0x04034b50, 0);
      local.writeUInt16LE(name.length, 26);
      const record = Buffer.alloc(46);
      record.writeUInt32LE(0x02014b50, 0);
      record.writeUInt16LE(method, 10);
      record.writeUInt32LE(crc, 16);
      record.writeUInt32LE(content.length, 20);
      record.writeUInt32LE(size, 24);
      record.writeUInt16LE(name.length, 28);
      record.writeUInt32LE(begin, 42);
      central.push(record, Buffer.from(name));
      if (begin === at) {
        parts.push(local, Buffer.from(name), Buffer.from(content));
        at += 30 + name.length + content.length;
      }
    }
    const directory = Buffer.concat(central);
    const last = Buffer.alloc(22);
    last.writeUInt32LE(0x06054b50, 0);
    last.writeUInt16LE(entries.length, 8);
    last.writeUInt16LE(entries.length, 10);
    last.writeUInt32LE(directory.length, 12);
    last.writeUInt32LE(at, 16);
    return new Uint8Array(Buffer.concat([...parts, directory, last]));
  }

  test('a name that stands twice', async () => {
    const content = serializeNpy(zeros([1]));
    const file = archive([
      { name: 'a.npy', content },
      { name: 'a.npy', content },
    ]);
    expect((await refusal(file)).message).toMatch(/each name once, found "a\.npy" for the second time/);
  });

  test('entries that overlap, as in a bomb that is read many times over', async () => {
    // A local header inside the data of another entry.
    const inner = archive([{ name: 'b.npy', content: new Uint8Array(10) }]).slice(0, 45);
    const outer = new Uint8Array(100);
    outer.set(inner);
    const nested = archive([
      { name: 'a.npy', content: outer },
      { name: 'b.npy', content: new Uint8Array(10), begin: 35 },
    ]);
    expect((await refusal(nested)).message).toMatch(
      /"b\.npy" to begin at byte 135 at the earliest, where "a\.npy" ends, found 35, an overlap/,
    );
  });

  test('an entry that is no npy file', async () => {
    expect((await refusal(archive([{ name: 'a.txt', content: new Uint8Array() }]))).message).toMatch(
      /files that end in \.npy, found "a\.txt"/,
    );
    const error = await refusal(archive([{ name: 'a.npy', content: new Uint8Array() }]));
    expect(error.file).toBe(`${NAME}/a.npy`);
    expect(error.message).toContain('magic number');
  });

  test('deflated data that are cut off, corrupt, shorter or longer than the directory says', async () => {
    const content = deflateRawSync(Buffer.alloc(1000, 'abc'));
    const entry = { name: 'a.npy', method: 8 };
    for (const [data, size] of [
      [content.subarray(0, -1), 1000],
      [Buffer.from([0xff, 0xff]), 1000],
      [content, 999],
      [content, 1001],
    ] as const) {
      const { message } = await refusal(archive([{ ...entry, content: data, size }]));
      expect(message).toMatch(/"a\.npy", deflated from \d+ bytes|at most 999 bytes when decompressed/);
    }
  });

  test('a bomb costs no memory, whether the directory tells of it or not', async () => {
    const bomb = deflateRawSync(Buffer.alloc(300_000_000));
    for (const size of [300_000_000, 1000]) {
      const before = process.memoryUsage().arrayBuffers;
      const error = await refusal(archive([{ name: 'a.npy', content: bomb, method: 8, size }]), 1_000_000);
      expect(error.message).toMatch(/at most (1000000|1000) bytes when decompressed/);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32_000_000);
    }
    const many = Array.from({ length: 20 }, (_, i) => ({
      name: `${i}.npy`,
      content: new Uint8Array(100_000),
    }));
    expect((await refusal(archive(many), 1_000_000)).message).toMatch(
      /at most 1000000 bytes when decompressed, found 1100000 or more/,
    );
  });

  test('mutated archives give a typed error, or arrays that are whole', async () => {
    const wounded = fc.tuple(writable, fc.boolean()).chain(([entries, compressed]) => {
      const file = serializeNpz(Object.fromEntries(entries), { compressed });
      const change = fc.tuple(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: 0, max: 2 }),
      );
      return change.map(([place, byte, kind]) => ({ file, place, byte, kind }));
    });
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(wounded, async ({ file, place, byte, kind }) => {
        const bytes = await file;
        const at = Math.floor(place * (bytes.length - 1));
        const wound = [
          () => changed(bytes, at, [byte]),
          () => bytes.slice(0, at),
          () => Uint8Array.from([...bytes.subarray(0, at), byte, ...bytes.subarray(at)]),
        ][kind]();
        const outcome = await attempt(wound);
        if (outcome instanceof DataFormatError) refused++;
        else for (const x of Object.values(outcome)) expect(x).toBeInstanceOf(Tensor);
      }),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(500);
  });
});

test('what cannot be written is refused', async () => {
  await expect(serializeNpz({ x: zeros([1], { dtype: 'bfloat16' }) })).rejects.toThrow(DTypeError);
  await expect(serializeNpz({ '\ud800': zeros([1]) })).rejects.toThrow(ArgumentError);
  await expect(serializeNpz({ ['x'.repeat(65_532)]: zeros([1]) })).rejects.toThrow(ArgumentError);
});

test('a limit that is no limit is refused', async () => {
  for (const maxBytes of [Number.NaN, -1]) {
    await expect(parseNpz(new Uint8Array(), { maxBytes })).rejects.toThrow(ArgumentError);
  }
});
