// MNIST and what is laid out like it (Fashion-MNIST, KMNIST, EMNIST, QMNIST) from a directory; Node only when called.

import { ArgumentError } from '@adjoint/core/errors';
import { DataFileError, DataFormatError } from './errors.ts';
import { DEFAULT_MAX_BYTES, gunzipIfNeeded } from './gzip.ts';
import { type IdxArray, parseIdx } from './idx.ts';

/** Grey images with one label each. */
export interface LabelledImages {
  /** `count · height · width` bytes, row-major, 0 black to 255 white. */
  readonly images: Uint8Array;
  /** `count` class numbers. */
  readonly labels: Uint8Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/** The two halves of MNIST: 60,000 images to train on, 10,000 (`t10k`) to test on. */
export type MnistSplit = 'train' | 'test';

/** Options of {@link readMnist}. */
export interface ReadMnistOptions {
  /** Which half. Default: `'train'` if the directory has it, else `'test'`. */
  readonly split?: MnistSplit;
  /** How many images to keep, from the first. Default: all. */
  readonly limit?: number;
  /** The largest file to read, in bytes, before and after decompression. Default {@link DEFAULT_MAX_BYTES}. */
  readonly maxBytes?: number;
}

const PREFIX: Readonly<Record<MnistSplit, string>> = { train: 'train', test: 't10k' };

/**
 * Read MNIST's images and labels from `directory`.
 *
 * Files are found under the names they are spread by: `t10k-images-idx3-ubyte` and `t10k-images.idx3-ubyte`, each
 * with or without `.gz`; `train-…` and `…-labels-idx1-…` alike. Images of any size are taken; the twin in PyTorch
 * is `torchvision.datasets.MNIST`.
 *
 * @returns `images` as `count · height · width` bytes, `labels`, and the extents, besides the `split` that was read.
 * @throws {@link DataFileError} if a file is missing or cannot be read, {@link DataFormatError} if one is corrupt,
 * holds other dtypes or ranks than MNIST, or if there are not as many labels as images; ArgumentError if `limit`
 * is not a positive integer.
 *
 * @example
 * ```ts
 * const { images, labels, count, height, width } = await readMnist('data/mnist', { split: 'test', limit: 1000 });
 * ```
 */
export async function readMnist(
  directory: string,
  { split, limit, maxBytes = DEFAULT_MAX_BYTES }: ReadMnistOptions = {},
): Promise<LabelledImages & { readonly split: MnistSplit }> {
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0)) {
    throw new ArgumentError(
      `limit must be a positive integer, found ${limit}; leave it out to read all images.`,
      {
        op: 'readMnist',
        operand: 'limit',
        actual: limit,
        expected: 'a positive integer',
      },
    );
  }
  const found = await findSplit(directory, split);
  const [images, labels] = await Promise.all([
    readIdx(found.images, directory, maxBytes),
    readIdx(found.labels, directory, maxBytes),
  ]);
  expectBytes(images, found.images, ['count', 'height', 'width']);
  expectBytes(labels, found.labels, ['count']);
  const [available, height, width] = images.shape;
  if (labels.shape[0] !== available) {
    throw new DataFormatError({
      op: 'readMnist',
      file: found.labels,
      offset: 4,
      expected: `${available} labels, as ${found.images} has images`,
      actual: String(labels.shape[0]),
      remedy: 'The two files are not of one set.',
    });
  }
  const count = Math.min(limit ?? available, available);
  return {
    images: images.data.slice(0, count * height * width),
    labels: labels.data.slice(0, count),
    count,
    height,
    width,
    split: found.split,
  };
}

/** The paths of one half. */
interface FoundSplit {
  readonly split: MnistSplit;
  readonly images: string;
  readonly labels: string;
}

async function findSplit(directory: string, split: MnistSplit | undefined): Promise<FoundSplit> {
  const present = new Set(await list(directory));
  const splits: readonly MnistSplit[] = split === undefined ? ['train', 'test'] : [split];
  const tried: string[] = [];
  const missing: string[] = [];
  for (const candidate of splits) {
    const [images, labels] = ['images-idx3', 'labels-idx1'].map((kind) => {
      const names = spellings(candidate, kind);
      const name = names.find((spelling) => present.has(spelling));
      if (name === undefined) {
        tried.push(...names);
        missing.push(names[0]);
      }
      return name;
    });
    if (images !== undefined && labels !== undefined) {
      return { split: candidate, images: `${directory}/${images}`, labels: `${directory}/${labels}` };
    }
  }
  throw new DataFileError(
    `${directory} holds no whole ${splits.join(' or ')} set of MNIST: missing ${missing.join(', ')} ` +
      '(as such, with .gz, or with a dot for the hyphen before idx). Point to the directory that the files are in.',
    { op: 'readMnist', directory, tried },
  );
}

function spellings(split: MnistSplit, kind: string): string[] {
  const hyphened = `${PREFIX[split]}-${kind}-ubyte`;
  const dotted = hyphened.replace('-idx', '.idx');
  return [hyphened, `${hyphened}.gz`, dotted, `${dotted}.gz`];
}

async function list(directory: string): Promise<string[]> {
  const { readdir } = await import('node:fs/promises');
  return readdir(directory).catch((cause: unknown) => {
    throw new DataFileError(
      `The data directory ${directory} cannot be listed (${reasonOf(cause)}).`,
      { op: 'readMnist', directory, tried: [] },
      { cause },
    );
  });
}

async function readIdx(path: string, directory: string, maxBytes: number): Promise<IdxArray> {
  const { readFile, stat } = await import('node:fs/promises');
  const unreadable = (cause: unknown): never => {
    throw new DataFileError(
      `${path} cannot be read (${reasonOf(cause)}).`,
      { op: 'readMnist', directory, tried: [path] },
      { cause },
    );
  };
  const { size } = await stat(path).catch(unreadable);
  if (size > maxBytes) {
    throw new DataFormatError({
      op: 'readMnist',
      file: path,
      offset: maxBytes,
      expected: `a file of at most ${maxBytes} bytes`,
      actual: `${size} bytes`,
      remedy: 'Raise maxBytes if the file is meant to be that large.',
    });
  }
  const bytes = await readFile(path).catch(unreadable);
  return parseIdx(await gunzipIfNeeded(bytes, { name: path, maxBytes }), { name: path });
}

function expectBytes(
  array: IdxArray,
  file: string,
  axes: readonly string[],
): asserts array is Extract<IdxArray, { dtype: 'uint8' }> {
  const wrong = (offset: number, expected: string, actual: string): DataFormatError =>
    new DataFormatError({ op: 'readMnist', file, offset, expected, actual });
  if (array.dtype !== 'uint8') throw wrong(2, 'elements of type uint8 (0x08), as MNIST has', array.dtype);
  if (array.shape.length !== axes.length) {
    throw wrong(3, `a rank of ${axes.length} (${axes.join(', ')})`, String(array.shape.length));
  }
  for (const [axis, extent] of array.shape.entries()) {
    if (extent === 0) throw wrong(4 + 4 * axis, `a ${axes[axis]} of at least 1`, '0');
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
