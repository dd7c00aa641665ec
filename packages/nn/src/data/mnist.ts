// MNIST and what is laid out like it (Fashion-MNIST, KMNIST, EMNIST, QMNIST), from bytes; ./node.ts reads the files.

import { requireArgument } from '@adjoint/core';
import { ArgumentError } from '@adjoint/core/errors';
import { requireOptions } from '@adjoint/core/options';
import { DataFormatError } from './errors.ts';
import { DEFAULT_MAX_BYTES, gunzipIfNeeded } from './gzip.ts';
import { type IdxArray, parseIdx } from './idx.ts';

/** Grey images with one label each. */
export interface LabelledImages {
  /** `count · height · width` bytes, row-major, 0 black to 255 white. */
  readonly images: Uint8Array;
  /** `count` class numbers. */
  readonly labels: Uint8Array;
  /** How many images there are. */
  readonly count: number;
  /** Rows of an image. */
  readonly height: number;
  /** Columns of an image. */
  readonly width: number;
}

/** A file's content, and what to call it in errors. */
export interface NamedBytes {
  /** What errors call it. */
  readonly name: string;
  /** The content, from the first byte to the last. */
  readonly bytes: Uint8Array;
}

/** Options of {@link parseMnist}. */
export interface ParseMnistOptions {
  /** How many images to keep, from the first. Default: all. */
  readonly limit?: number | undefined;
  /** The most that either file may inflate to, in bytes. Default {@link DEFAULT_MAX_BYTES}. */
  readonly maxBytes?: number | undefined;
}

/**
 * Parse MNIST's two files, each gzipped or not; images of any size are taken.
 *
 * @returns `images` as `count · height · width` bytes, `labels`, and the extents.
 * @throws {@link DataFormatError} if a file is corrupt, holds another dtype or rank than MNIST's or no images, or if
 * there are not as many labels as images; ArgumentError if `limit` is not a positive integer.
 *
 * @example
 * ```ts
 * // needs MNIST's files
 * const fetchBytes = async (name: string) => ({ name, bytes: new Uint8Array(await (await fetch(name)).arrayBuffer()) });
 * const digits = await parseMnist({
 *   images: await fetchBytes('t10k-images-idx3-ubyte.gz'),
 *   labels: await fetchBytes('t10k-labels-idx1-ubyte.gz'),
 * });
 * ```
 */
export async function parseMnist(
  files: { readonly images: NamedBytes; readonly labels: NamedBytes },
  options: ParseMnistOptions = {},
): Promise<LabelledImages> {
  requireOptions('parseMnist', options, { limit: 'number', maxBytes: 'number' });
  const { limit, maxBytes = DEFAULT_MAX_BYTES } = options;
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0)) {
    throw new ArgumentError(
      `limit must be a positive integer, found ${limit}; leave it out to keep all images.`,
      { op: 'parseMnist', operand: 'limit', actual: limit, expected: 'a positive integer' },
    );
  }
  for (const part of ['images', 'labels'] as const)
    requireArgument('parseMnist', `files.${part}`, files?.[part], Object);
  const images = await parseFile(files.images, maxBytes);
  const labels = await parseFile(files.labels, maxBytes);
  expectBytes(images, files.images.name, ['count', 'height', 'width']);
  expectBytes(labels, files.labels.name, ['count']);
  const [available, height, width] = images.shape;
  if (labels.shape[0] !== available) {
    throw new DataFormatError({
      op: 'parseMnist',
      file: files.labels.name,
      offset: 4,
      expected: `${available} labels, as ${files.images.name} has images`,
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
  };
}

async function parseFile({ name, bytes }: NamedBytes, maxBytes: number): Promise<IdxArray> {
  return parseIdx(await gunzipIfNeeded(bytes, { name, maxBytes }), { name });
}

function expectBytes(
  array: IdxArray,
  file: string,
  axes: readonly string[],
): asserts array is Extract<IdxArray, { dtype: 'uint8' }> {
  const wrong = (offset: number, expected: string, actual: string): DataFormatError =>
    new DataFormatError({ op: 'parseMnist', file, offset, expected, actual });
  if (array.dtype !== 'uint8') throw wrong(2, 'elements of type uint8 (0x08), as MNIST has', array.dtype);
  if (array.shape.length !== axes.length) {
    throw wrong(3, `a rank of ${axes.length} (${axes.join(', ')})`, String(array.shape.length));
  }
  for (const [axis, extent] of array.shape.entries()) {
    if (extent === 0) throw wrong(4 + 4 * axis, `a ${axes[axis]} of at least 1`, '0');
  }
}
