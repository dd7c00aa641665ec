// readMnist: finds MNIST's files under every name they go by, and says which file and byte is wrong if one is.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ArgumentError } from '@adjoint/core/errors';
import { DataFileError, DataFormatError } from '@adjoint/nn/data';
import { readMnist } from '@adjoint/nn/data/node';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { imagesFile, mutated, writeIdx } from './idx-files.ts';

const labelsFile = (count: number) =>
  writeIdx({ dtype: 'uint8', shape: [count], data: Uint8Array.from({ length: count }, (_, i) => i % 10) });

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'adjoint-mnist-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const put = (name: string, bytes: Uint8Array) => writeFile(join(directory, name), bytes);

async function putSet(prefix: 't10k' | 'train', count: number): Promise<void> {
  await put(`${prefix}-images-idx3-ubyte`, imagesFile([count, 4, 3]));
  await put(`${prefix}-labels-idx1-ubyte`, labelsFile(count));
}

describe('readMnist', () => {
  test.each(['-idx', '.idx'].flatMap((mark) => ['', '.gz'].map((end) => [mark, end] as const)))(
    'reads files spelt …images%s3-ubyte%s',
    async (mark, end) => {
      const pack = end === '' ? (bytes: Uint8Array) => bytes : gzipSync;
      await put(`t10k-images${mark}3-ubyte${end}`, pack(imagesFile([5, 4, 3])));
      await put(`t10k-labels${mark}1-ubyte${end}`, pack(labelsFile(5)));
      const set = await readMnist(directory, { split: 'test' });
      expect(set).toEqual({
        images: imagesFile([5, 4, 3]).slice(16),
        labels: Uint8Array.of(0, 1, 2, 3, 4),
        count: 5,
        height: 4,
        width: 3,
        split: 'test',
      });
    },
  );

  test('takes the split that is there, the training set first', async () => {
    await putSet('t10k', 2);
    expect(await readMnist(directory)).toMatchObject({ split: 'test', count: 2 });
    await putSet('train', 3);
    expect(await readMnist(directory)).toMatchObject({ split: 'train', count: 3 });
    expect(await readMnist(directory, { split: 'test' })).toMatchObject({ split: 'test', count: 2 });
  });

  test('limit keeps the first images and their labels', async () => {
    await putSet('train', 7);
    const all = await readMnist(directory);
    for (const limit of [1, 3, 7, 8]) {
      const some = await readMnist(directory, { limit });
      expect(some.count).toBe(Math.min(limit, 7));
      expect(some.images).toEqual(all.images.slice(0, some.count * 12));
      expect(some.labels).toEqual(all.labels.slice(0, some.count));
    }
    for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(readMnist(directory, { limit })).rejects.toThrow(ArgumentError);
    }
  });

  test('a directory or a file that is missing is named', async () => {
    const nowhere = join(directory, 'nowhere');
    await expect(readMnist(nowhere)).rejects.toThrow(DataFileError);
    await expect(readMnist(nowhere)).rejects.toThrow(nowhere);
    await expect(readMnist(directory)).rejects.toMatchObject({
      directory,
      tried: expect.arrayContaining(['train-labels.idx1-ubyte.gz']),
    });
    await put('train-images-idx3-ubyte', imagesFile([1, 4, 3]));
    await expect(readMnist(directory, { split: 'train' })).rejects.toThrow(
      'missing train-labels-idx1-ubyte (',
    );
  });

  test('what cannot be read is named with the reason', async () => {
    await putSet('train', 1);
    await rm(join(directory, 'train-labels-idx1-ubyte'));
    await mkdir(join(directory, 'train-labels-idx1-ubyte'));
    await expect(readMnist(directory)).rejects.toThrow(DataFileError);
    await expect(readMnist(directory)).rejects.toThrow(/train-labels-idx1-ubyte cannot be read \(EISDIR/);
  });

  test('files that are IDX but not of MNIST are named by the byte', async () => {
    await putSet('train', 4);
    const images = join(directory, 'train-images-idx3-ubyte');
    const labels = join(directory, 'train-labels-idx1-ubyte');

    await put('train-labels-idx1-ubyte', labelsFile(5));
    await expect(readMnist(directory)).rejects.toMatchObject({ file: labels, offset: 4, actual: '5' });
    await put('train-labels-idx1-ubyte', imagesFile([4, 1]));
    await expect(readMnist(directory)).rejects.toMatchObject({ file: labels, offset: 3, actual: '2' });
    await put(
      'train-images-idx3-ubyte',
      writeIdx({ dtype: 'int8', shape: [4, 1, 1], data: new Int8Array(4) }),
    );
    await expect(readMnist(directory)).rejects.toMatchObject({ file: images, offset: 2, actual: 'int8' });
    await put('train-images-idx3-ubyte', imagesFile([4, 0, 3]));
    await expect(readMnist(directory)).rejects.toMatchObject({ file: images, offset: 8, actual: '0' });
  });

  test('maxBytes bounds files on disk and what they inflate to', async () => {
    await put('train-images-idx3-ubyte.gz', gzipSync(imagesFile([100, 28, 28])));
    await put('train-labels-idx1-ubyte', labelsFile(100));
    expect(await readMnist(directory, { maxBytes: 16 + 78400 })).toMatchObject({ count: 100 });
    await expect(readMnist(directory, { maxBytes: 16 + 78399 })).rejects.toMatchObject({
      file: join(directory, 'train-images-idx3-ubyte.gz'),
      actual: 'more',
    });
    await putSet('t10k', 20);
    const onDisk = readMnist(directory, { split: 'test', maxBytes: 100 });
    await expect(onDisk).rejects.toMatchObject({ offset: 100, actual: '256 bytes' });
  });

  test('wounded files, packed or not, give nothing but DataFormatError', async () => {
    const files = [
      ['train-images-idx3-ubyte', imagesFile([3, 4, 5])],
      ['train-labels-idx1-ubyte', labelsFile(3)],
    ] as const;
    const wounds = fc.constantFrom(0, 1).chain((which) =>
      fc.boolean().chain((packed) => {
        const [name, bytes] = files[which];
        const file = packed ? new Uint8Array(gzipSync(bytes)) : bytes;
        return mutated(file).map((wounded) => ({ name, wounded }));
      }),
    );
    let errors = 0;
    await fc.assert(
      fc.asyncProperty(wounds, async ({ name, wounded }) => {
        for (const [whole, bytes] of files) await put(whole, whole === name ? wounded : bytes);
        try {
          expect(await readMnist(directory)).toMatchObject({ count: 3, height: 4, width: 5 });
        } catch (error) {
          if (!(error instanceof DataFormatError)) throw error;
          expect(error.file).toContain('train-');
          errors++;
        }
      }),
      { numRuns: 150 },
    );
    expect(errors).toBeGreaterThan(75);
  });
});

const shared = new URL('../../../../shared/data/mnist/', import.meta.url).pathname;
const given = process.env.ADJOINT_DATA ?? shared;

describe.skipIf(!existsSync(given))('the files of MNIST or its kin', () => {
  test('are whole', async () => {
    const { images, labels, count, height, width } = await readMnist(given);
    expect(images).toHaveLength(count * height * width);
    expect(labels).toHaveLength(count);
    expect(new Set(labels).size).toBeGreaterThanOrEqual(10);
  });
});

describe.skipIf(!existsSync(shared))('the test set of MNIST', () => {
  test('has the extents, the labels and the first digit that it is known to have', async () => {
    const { images, labels, count, height, width } = await readMnist(shared, { split: 'test' });
    expect([count, height, width]).toEqual([10_000, 28, 28]);
    expect([...labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    const perClass = Array.from(
      { length: 10 },
      (_, digit) => labels.filter((label) => label === digit).length,
    );
    expect(perClass).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    // The bar of the first image, a 7: row 7 from column 6 on.
    expect([...images.subarray(7 * 28 + 5, 7 * 28 + 13)]).toEqual([0, 84, 185, 159, 151, 60, 36, 0]);
  });
});
