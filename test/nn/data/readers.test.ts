// CIFAR, CSV and PNG readers: what is written comes back; whatever the bytes, nothing but a DataFormatError comes out.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { Generator, rand } from '@adjoint/core';
import {
  DataFileError,
  DataFormatError,
  DataLoader,
  decodePng,
  parseCifar,
  parseCsv,
  parseNumericCsv,
} from '@adjoint/nn/data';
import { openImageFolder, readCifar } from '@adjoint/nn/data/node';
import fc from 'fast-check';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultThrown } from '../../core/io/faults.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adjoint-readers-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const text = (content: string) => new TextEncoder().encode(content);

/** A file with some bytes changed, inserted or cut off. */
const mutations = (file: Uint8Array) =>
  fc
    .record({
      edits: fc.array(fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      end: fc.integer({ min: 0, max: file.length + 9 }),
    })
    .map(({ edits, end }) => {
      const mutated = new Uint8Array(end);
      mutated.set(file.subarray(0, end));
      for (const [at, byte] of edits) if (at < end) mutated[at] = byte;
      return mutated;
    });

async function onlyTyped(read: () => unknown): Promise<void> {
  try {
    await read();
  } catch (error) {
    faultThrown(error);
  }
}

describe('CIFAR', () => {
  const record = (labels: readonly number[], pixel: number) => [
    ...labels,
    ...new Array<number>(3072).fill(pixel),
  ];

  test('records of both sets, across files', () => {
    const ten = parseCifar(
      [
        { name: 'a.bin', bytes: Uint8Array.from([...record([3], 1), ...record([9], 2)]) },
        { name: 'b.bin', bytes: Uint8Array.from(record([0], 3)) },
      ],
      'cifar10',
    );
    expect([Array.from(ten.labels), ten.coarseLabels, ten.count]).toEqual([[3, 9, 0], null, 3]);
    expect([0, 3071, 3072, 6144].map((i) => ten.images[i])).toEqual([1, 1, 2, 3]);
    const hundred = parseCifar([{ name: 'c.bin', bytes: Uint8Array.from(record([19, 99], 7)) }], 'cifar100');
    expect([hundred.coarseLabels![0], hundred.labels[0], hundred.images[0]]).toEqual([19, 99, 7]);
  });

  test('names file and byte of what is wrong', () => {
    const read = (bytes: number[]) =>
      parseCifar([{ name: 'x.bin', bytes: Uint8Array.from(bytes) }], 'cifar10');
    expect(() => read([...record([1], 0), ...record([10], 0)])).toThrow(
      /x\.bin, byte 3073: expected a class below 10/,
    );
    expect(() => read(record([1], 0).slice(0, -1))).toThrow(/byte 3072.*cut off/);
    expect(() => read(record([1, 2], 0))).toThrow(/whole as cifar100/);
    expect(() => read([])).toThrow(DataFormatError);
  });

  test('from a folder', async () => {
    const place = join(folder, 'cifar');
    await mkdir(place);
    await writeFile(join(place, 'test.bin'), Uint8Array.from(record([1, 2], 5)));
    expect(await readCifar(place, { split: 'test' })).toMatchObject({ variant: 'cifar100', count: 1 });
    await expect(readCifar(place)).rejects.toThrow(/missing data_batch_1\.bin/);
    await expect(readCifar(join(folder, 'nowhere'))).rejects.toThrow(DataFileError);
  });
});

describe('CSV', () => {
  // Written here by the rules of RFC 4180: quotes are doubled in quoted fields.
  const write = (rows: readonly (readonly string[])[], end: string, always: boolean) =>
    rows
      .map((row) =>
        row.map((f) => (always || /[",\r\n]/.test(f) ? `"${f.replaceAll('"', '""')}"` : f)).join(','),
      )
      .join(end) + end;

  test('any table of text comes back', () => {
    const fields = fc.string({
      unit: fc.constantFrom('a', '"', ',', '\r', '\n', ' ', 'é', '😀'),
      maxLength: 5,
    });
    const tables = fc
      .integer({ min: 1, max: 4 })
      .chain((width) =>
        fc.array(fc.array(fields, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }),
      );
    fc.assert(
      fc.property(tables, fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, end, always) => {
        expect(parseCsv(text(write(rows, end, always)), { header: false }).rows).toEqual(rows);
      }),
    );
  });

  test('numbers become a tensor; columns are chosen by name or number', () => {
    const table = text('id;x;y\na;1e3; -.5\nb;NaN;+7.\n');
    const { columns, values } = parseNumericCsv(table, {
      delimiter: ';',
      select: ['y', 1],
      dtype: 'float64',
    });
    expect([columns, values.dtype]).toEqual([['y', 'x'], 'float64']);
    expect(values.toArray()).toEqual([
      [-0.5, 1000],
      [7, Number.NaN],
    ]);
    expect(() => parseNumericCsv(table, { delimiter: ';', select: ['z'] })).toThrow(/no column "z"/);
  });

  test.each([
    ['a,b\n1,2\n3\n', 8, /row of 2 fields/],
    ['a\n"1\n2', 2, /quote that is closed/],
    ['a\n1"2\n', 3, /no quote inside/],
    ['a\n"1"2\n', 5, /delimiter or the end/],
    ['a\nx\n', 2, /a number/],
    ['a\n\n', 2, /a number/],
    ['a\n0x10\n', 2, /a number/],
    ['a\n', 2, /at least one row/],
    ['a,b,\n1,2,', 9, /a number/],
  ])('%j is wrong at byte %i', (content, offset, message) => {
    const read = () => parseNumericCsv(text(content), { name: 't.csv' });
    expect(read).toThrow(message);
    expect(read).toThrow(`t.csv, byte ${offset}`);
  });

  test('int32 takes integers only, and bytes that are no UTF-8 are told', () => {
    expect(() => parseNumericCsv(text('a\n1.5\n'), { dtype: 'int32' })).toThrow(/integer of 32 bits/);
    expect(() => parseNumericCsv(text('a\n3e9\n'), { dtype: 'int32' })).toThrow(/integer of 32 bits/);
    expect(() => parseCsv(Uint8Array.of(97, 10, 0xff))).toThrow(/byte 2: expected UTF-8/);
  });

  test('whatever the bytes', async () => {
    const file = text('a,b\n1,"2"\n3,4\n');
    await fc.assert(
      fc.asyncProperty(mutations(file), (bytes) => onlyTyped(() => parseNumericCsv(bytes))),
      { numRuns: 500 },
    );
  });
});

describe('PNG', () => {
  const pixels = (count: number, seed: number) =>
    Uint8Array.from(rand([count], { generator: new Generator(seed) }).toTypedArray(), (v) =>
      Math.floor(256 * v),
    );
  const make = (channels: 1 | 2 | 3 | 4) =>
    encode({ width: 5, height: 3, channels, depth: 8, data: pixels(15 * channels, channels) });

  test.each([1, 2, 3, 4] as const)('%i channels, written by fast-png', async (has) => {
    const data = pixels(15 * has, has);
    const plane = (c: number) => Array.from({ length: 15 }, (_, i) => Math.fround(data[i * has + c] / 255));
    const x = await decodePng(make(has));
    const colours = has < 3 ? [0] : [0, 1, 2];
    expect(x.shape).toEqual([colours.length, 3, 5]);
    expect(Array.from(x.toTypedArray())).toEqual(colours.flatMap(plane));
    const full = await decodePng(make(has), { channels: 4 });
    const opacity = has % 2 === 0 ? plane(has - 1) : new Array<number>(15).fill(1);
    expect(Array.from(full.toTypedArray())).toEqual([
      ...(has < 3 ? [0, 0, 0] : [0, 1, 2]).flatMap(plane),
      ...opacity,
    ]);
    if (has >= 3) {
      const [r, g, b] = [plane(0), plane(1), plane(2)];
      const grey = (await decodePng(make(has), { channels: 1 })).toTypedArray();
      r.forEach((red, i) => {
        expect(grey[i]).toBeCloseTo(0.299 * red + 0.587 * g[i] + 0.114 * b[i], 6);
      });
    }
  });

  // A PNG by hand: chunks with the checksum that zlib's own crc gives.
  const crcTable = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const chunk = (type: string, data: ArrayLike<number>) => {
    const body = [...text(type), ...Array.from(data)];
    let crc = 0xffffffff;
    for (const byte of body) crc = crcTable[(crc ^ byte) & 255] ^ (crc >>> 8);
    const word = (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
    return [...word(data.length), ...body, ...word((crc ^ 0xffffffff) >>> 0)];
  };
  const signature = [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10];
  const png = (
    [width, height, depth, colour, interlace = 0]: readonly number[],
    rows: readonly number[],
    extra: readonly number[] = [],
  ) =>
    Uint8Array.from([
      ...signature,
      ...chunk('IHDR', [0, 0, 0, width, 0, 0, 0, height, depth, colour, 0, 0, interlace]),
      ...extra,
      ...chunk('IDAT', deflateSync(Uint8Array.from(rows))),
      ...chunk('IEND', []),
    ]);

  test('bits, palettes with opacity, 16 bits and one transparent colour', async () => {
    // 10 pixels in a row of one bit each, two bytes a row.
    const bits = await decodePng(png([10, 1, 1, 0], [0, 0b10110000, 0b01000000]));
    expect(bits.toArray()).toEqual([[[1, 0, 1, 1, 0, 0, 0, 0, 0, 1]]]);
    const palette = [...chunk('PLTE', [255, 0, 0, 0, 0, 255]), ...chunk('tRNS', [51])];
    const indexed = png([3, 1, 2, 3], [0, 0b01000100], palette);
    expect((await decodePng(indexed)).toArray()).toEqual([[[0, 1, 0]], [[0, 0, 0]], [[1, 0, 1]]]);
    expect((await decodePng(indexed, { channels: 4 })).select(0, 3).toArray()).toEqual([
      [1, Math.fround(0.2), 1],
    ]);
    await expect(decodePng(png([1, 1, 2, 3], [0, 0b11000000], palette))).rejects.toThrow(
      /2 colours of the palette/,
    );
    const deep = await decodePng(png([1, 1, 16, 0], [0, 0x80, 0]));
    expect(deep.item()).toBeCloseTo(32768 / 65535, 7);
    const clear = png([2, 1, 8, 0], [0, 7, 9], chunk('tRNS', [0, 7]));
    expect((await decodePng(clear, { channels: 4 })).select(0, 3).toArray()).toEqual([[0, 1]]);
  });

  test('what it does not read, or must not, it says', async () => {
    await expect(decodePng(png([10, 1, 1, 0, 1], [0, 0, 0]))).rejects.toThrow(
      /interlacing of less than 8 bits/,
    );
    await expect(decodePng(png([1, 1, 8, 3], [0, 0]))).rejects.toThrow(/palette/);
    await expect(decodePng(png([1, 1, 8, 0], [0, 0, 0, 0]))).rejects.toThrow(/at most 2 bytes/);
    await expect(decodePng(png([2, 2, 8, 0], [0, 0]))).rejects.toThrow(/pixels of 6 bytes/);
    // 64 MiB of zeros in 64 KiB: memory stays with what the header says.
    const bomb = png(
      [4, 4, 8, 0],
      Array.from({ length: 2 ** 21 }, () => 0),
    );
    await expect(decodePng(bomb)).rejects.toThrow(/at most 20 bytes/);
    const huge = png([4, 4, 8, 0], [0]);
    huge.set([0x7f, 255, 255, 255, 0x7f, 255, 255, 255], 16);
    await expect(decodePng(huge)).rejects.toThrow(/Raise maxBytes/);
    await expect(decodePng(text('<html>'), { name: 'cat.png' })).rejects.toThrow(/cat\.png, byte 0.*no PNG/);
  });

  test('whatever the bytes', async () => {
    for (const file of [make(3), png([3, 1, 2, 3], [0, 0b01000100], chunk('PLTE', [1, 2, 3, 4, 5, 6]))]) {
      await fc.assert(
        fc.asyncProperty(mutations(file), (bytes) => onlyTyped(() => decodePng(bytes, { channels: 4 }))),
        { numRuns: 400 },
      );
    }
  });

  test('a folder of them is a dataset', async () => {
    for (const [name, file] of [
      ['cats', 'b.PNG'],
      ['cats', 'a.png'],
      ['dogs', 'c.png'],
    ]) {
      await mkdir(join(folder, 'pets', name), { recursive: true });
      await writeFile(join(folder, 'pets', name, file), make(3));
    }
    await writeFile(join(folder, 'pets/cats/notes.txt'), 'no picture');
    const pets = await openImageFolder(join(folder, 'pets'));
    expect([pets.classes, pets.length]).toEqual([['cats', 'dogs'], 3]);
    for await (const [x, y] of new DataLoader(pets, { batchSize: 3 })) {
      expect([x.shape, y.dtype, y.toArray()]).toEqual([[3, 3, 3, 5], 'int32', [0, 0, 1]]);
    }
    await writeFile(join(folder, 'pets/dogs/c.png'), make(3).subarray(0, 60));
    await expect(pets.get(2)).rejects.toThrow(/c\.png, byte 60/);
    await mkdir(join(folder, 'pets/empty'));
    await expect(openImageFolder(join(folder, 'pets'))).rejects.toThrow(/empty holds no picture/);
  });
});
