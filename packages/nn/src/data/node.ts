// @adjoint/nn/data/node: readers of data on disk. For Node; the parsers in ./index.ts run in browsers too.

import { readdir, readFile, stat } from 'node:fs/promises';
import { DataFileError, DataFormatError } from './errors.ts';
import { DEFAULT_MAX_BYTES } from './gzip.ts';
import { type LabelledImages, type NamedBytes, type ParseMnistOptions, parseMnist } from './mnist.ts';

export type { LabelledImages } from './mnist.ts';

/** The two halves of MNIST: 60,000 images to train on, 10,000 (`t10k`) to test on. */
export type MnistSplit = 'train' | 'test';

/** Options of {@link readMnist}; `maxBytes` bounds the files on disk too. */
export interface ReadMnistOptions extends ParseMnistOptions {
  /** Which half. Default: `'train'` if the directory has it, else `'test'`. */
  readonly split?: MnistSplit;
}

const PREFIX: Readonly<Record<MnistSplit, string>> = { train: 'train', test: 't10k' };

/**
 * Read MNIST's images and labels from `directory`.
 *
 * Files are found under the names they are spread by: `t10k-images-idx3-ubyte` and `t10k-images.idx3-ubyte`, each
 * with or without `.gz`; `train-…` and `…-labels-idx1-…` alike. The twin in PyTorch is `torchvision.datasets.MNIST`.
 *
 * @returns What {@link parseMnist} makes of them, besides the `split` that was read.
 * @throws {@link DataFileError} if a file is missing or cannot be read; what {@link parseMnist} throws.
 *
 * @example
 * ```ts
 * const { images, labels, count, height, width } = await readMnist('data/mnist', { split: 'test', limit: 1000 });
 * ```
 */
export async function readMnist(
  directory: string,
  { split, maxBytes = DEFAULT_MAX_BYTES, ...options }: ReadMnistOptions = {},
): Promise<LabelledImages & { readonly split: MnistSplit }> {
  const found = await findSplit(directory, split);
  const images = await read(found.images, directory, maxBytes);
  const labels = await read(found.labels, directory, maxBytes);
  const parsed = await parseMnist({ images, labels }, { ...options, maxBytes });
  return { ...parsed, split: found.split };
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
  return readdir(directory).catch((cause: unknown) => {
    throw new DataFileError(
      `The data directory ${directory} cannot be listed (${reasonOf(cause)}).`,
      { op: 'readMnist', directory, tried: [] },
      { cause },
    );
  });
}

async function read(path: string, directory: string, maxBytes: number): Promise<NamedBytes> {
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
  return { name: path, bytes: await readFile(path).catch(unreadable) };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
