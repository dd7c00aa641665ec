// A folder of PNG pictures as a dataset, a sub-folder per class; pictures are read when they are asked for.

import { requireArgument, requireOptions, type Tensor, tensor } from '@adjoint/core';
import { type Dataset, requireIndex } from './dataset.ts';
import { DataFileError } from './errors.ts';
import { list, read } from './files.ts';
import { DEFAULT_MAX_BYTES } from './gzip.ts';
import { type DecodePngOptions, decodePng } from './png.ts';

/** Options of {@link openImageFolder}; `channels` defaults to 3, so that pictures of a folder can be put together. */
export type ImageFolderOptions = Omit<DecodePngOptions, 'name'>;

const folderOptions = { channels: 'number', maxBytes: 'number' } as const;

/** A picture of shape (C, H, W) from 0 to 1, and its class as an int32 tensor without axes. */
export type LabelledPicture = readonly [picture: Tensor, label: Tensor];

/** What {@link openImageFolder} found; anything like it may be built by hand. */
export class ImageFolder implements Dataset<LabelledPicture> {
  /** The folder, as it was named. */
  readonly directory: string;
  /** The names of the sub-folders, in order; empty if the pictures lie in the folder itself, all of class 0. */
  readonly classes: readonly string[];
  /** Paths of the pictures, with the numbers of their classes. */
  readonly files: readonly { readonly path: string; readonly label: number }[];
  readonly #options: ImageFolderOptions;

  constructor(
    directory: string,
    found: Pick<ImageFolder, 'classes' | 'files'>,
    options: ImageFolderOptions = {},
  ) {
    requireOptions('ImageFolder', options, folderOptions);
    requireArgument('ImageFolder', 'directory', directory, 'string');
    requireArgument('ImageFolder', 'found.classes', found?.classes, 'list');
    requireArgument('ImageFolder', 'found.files', found.files, 'list');
    this.directory = directory;
    this.classes = found.classes;
    this.files = found.files;
    this.#options = options;
  }

  get length(): number {
    return this.files.length;
  }

  /** @throws DataFileError or DataFormatError, naming file and byte, for a picture that is missing or corrupt. */
  async get(index: number): Promise<LabelledPicture> {
    const op = 'ImageFolder.get';
    requireIndex(op, index, this.length);
    const { path, label } = this.files[index];
    const { channels = 3, maxBytes = DEFAULT_MAX_BYTES } = this.#options;
    const { bytes } = await read(path, { op, directory: this.directory, maxBytes });
    const picture = await decodePng(bytes, { ...this.#options, name: path, channels });
    return [picture, tensor(label, { dtype: 'int32' })];
  }
}

/**
 * Lists the PNG pictures of a folder: `folder/<class>/*.png`, or `folder/*.png`. The twin in PyTorch is torchvision's `ImageFolder`.
 *
 * Classes and pictures come in the order of their names. Hidden files and files of other kinds are passed over.
 *
 * @throws DataFileError if the folder cannot be listed, holds no picture, or a class none.
 * @example
 * // needs a folder of pictures
 * const flowers = await openImageFolder('data/flowers', { channels: 3 });
 * for await (const [x, y] of new DataLoader(flowers, { batchSize: 32, shuffle: true, prefetch: 4 })) console.log(x.shape);
 */
export async function openImageFolder(
  directory: string,
  options: ImageFolderOptions = {},
): Promise<ImageFolder> {
  const op = 'openImageFolder';
  requireOptions(op, options, folderOptions);
  const entries = (await list(directory, op)).filter(({ name }) => !name.startsWith('.'));
  const classes = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const none = (place: string): DataFileError =>
    new DataFileError(`${place} holds no picture (*.png).`, { op, directory, tried: [`${place}/*.png`] });
  const picturesIn = (place: string, names: readonly { readonly name: string }[], label: number) => {
    const found = names.filter(({ name }) => /\.png$/i.test(name) && !name.startsWith('.'));
    if (found.length === 0) throw none(place);
    return found.map(({ name }) => ({ path: `${place}/${name}`, label }));
  };
  if (classes.length === 0) {
    return new ImageFolder(directory, { classes, files: picturesIn(directory, entries, 0) }, options);
  }
  const files = [];
  for (const [label, name] of classes.entries()) {
    const place = `${directory}/${name}`;
    files.push(...picturesIn(place, await list(place, op), label));
  }
  return new ImageFolder(directory, { classes, files }, options);
}
