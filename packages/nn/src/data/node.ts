// @adjoint/nn/data/node: readers of data on disk. For Node; the parsers in ./index.ts run in browsers too.

import { requireOptions } from '@adjoint/core/options';
import { type CifarImages, type CifarVariant, parseCifar } from './cifar.ts';
import { DataFileError } from './errors.ts';
import { list, read } from './files.ts';
import { DEFAULT_MAX_BYTES } from './gzip.ts';
import { type LabelledImages, type ParseMnistOptions, parseMnist } from './mnist.ts';

export type { CifarImages, CifarVariant } from './cifar.ts';
export {
  ImageFolder,
  type ImageFolderOptions,
  type LabelledPicture,
  openImageFolder,
} from './image-folder.ts';
export type { LabelledImages } from './mnist.ts';

/** The two halves of MNIST: 60,000 images to train on, 10,000 (`t10k`) to test on. */
export type MnistSplit = 'train' | 'test';

/** Options of {@link readMnist}; `maxBytes` bounds the files on disk too. */
export interface ReadMnistOptions extends ParseMnistOptions {
  /** Which half. Default: `'train'` if the directory has it, else `'test'`. */
  readonly split?: MnistSplit | undefined;
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
 * // needs MNIST's files
 * const { images, labels, count, height, width } = await readMnist('data/mnist', { split: 'test', limit: 1000 });
 * const greys = tensor(images, { shape: [count, 1, height, width], dtype: 'float32' }).div(255);
 * const dataset = new TensorDataset(greys, tensor(labels, { dtype: 'int32' }));
 * ```
 */
export async function readMnist(
  directory: string,
  options: ReadMnistOptions = {},
): Promise<LabelledImages & { readonly split: MnistSplit }> {
  requireOptions('readMnist', options, { split: 'string', limit: 'number', maxBytes: 'number' });
  const { split, maxBytes = DEFAULT_MAX_BYTES, limit } = options;
  const found = await findSplit(directory, split);
  const reading = { op: 'readMnist', directory, maxBytes };
  const images = await read(found.images, reading);
  const labels = await read(found.labels, reading);
  const parsed = await parseMnist(
    { images, labels },
    { maxBytes, ...(limit === undefined ? {} : { limit }) },
  );
  return { ...parsed, split: found.split };
}

/** The paths of one half. */
interface FoundSplit {
  readonly split: MnistSplit;
  readonly images: string;
  readonly labels: string;
}

async function findSplit(directory: string, split: MnistSplit | undefined): Promise<FoundSplit> {
  const present = new Set((await list(directory, 'readMnist')).map(({ name }) => name));
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

/** Options of {@link readCifar}. */
export interface ReadCifarOptions {
  /** Default: the one whose files are in the directory; CIFAR-10 where both are. */
  readonly variant?: CifarVariant | undefined;
  /** 50,000 pictures to train on, or 10,000 to test on. Default `'train'`. */
  readonly split?: 'train' | 'test' | undefined;
  /** The most that a file may hold, in bytes. Default {@link DEFAULT_MAX_BYTES}. */
  readonly maxBytes?: number | undefined;
}

const CIFAR_FILES = {
  cifar10: {
    train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
    test: ['test_batch.bin'],
  },
  cifar100: { train: ['train.bin'], test: ['test.bin'] },
} as const;

/**
 * Read CIFAR-10 or CIFAR-100 from the unpacked archive of their binary version. The twin in PyTorch is `torchvision.datasets.CIFAR10`.
 *
 * @returns What {@link parseCifar} makes of the files, besides the `variant` that was read.
 * @throws {@link DataFileError} if a file is missing or cannot be read; what {@link parseCifar} throws.
 *
 * @example
 * // needs the data
 * const { images, labels, count } = await readCifar('data/cifar-10-batches-bin', { split: 'test' });
 */
export async function readCifar(
  directory: string,
  options: ReadCifarOptions = {},
): Promise<CifarImages & { readonly variant: CifarVariant }> {
  const op = 'readCifar';
  requireOptions(op, options, { variant: 'string', split: 'string', maxBytes: 'number' });
  const { variant, split = 'train', maxBytes = DEFAULT_MAX_BYTES } = options;
  const present = new Set((await list(directory, op)).map(({ name }) => name));
  const variants: readonly CifarVariant[] = variant === undefined ? ['cifar10', 'cifar100'] : [variant];
  const found = variants.find((candidate) =>
    CIFAR_FILES[candidate][split].every((name) => present.has(name)),
  );
  if (found === undefined) {
    const tried = variants.flatMap((candidate) => CIFAR_FILES[candidate][split]);
    const missing = tried.filter((name) => !present.has(name));
    throw new DataFileError(
      `${directory} holds no whole ${split} set of ${variants.join(' or ')} in the binary version: missing ${missing.join(', ')}. Point to the directory that the files are in.`,
      { op, directory, tried },
    );
  }
  const files = [];
  for (const name of CIFAR_FILES[found][split])
    files.push(await read(`${directory}/${name}`, { op, directory, maxBytes }));
  return { ...parseCifar(files, found), variant: found };
}
