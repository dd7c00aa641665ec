// CIFAR-10 and CIFAR-100 in their binary version: records of one or two label bytes and 3 · 32 · 32 pixels.

import { requireArgument } from '@adjoint/core';
import { requireBytes } from '@adjoint/core/io';
import { requireOneOf } from '../layers/options.ts';
import { DataFormatError } from './errors.ts';
import type { NamedBytes } from './mnist.ts';

/** Which of the two sets. */
export type CifarVariant = 'cifar10' | 'cifar100';

/** Colour pictures with one class each. */
export interface CifarImages {
  /** `count · 3 · 32 · 32` bytes: each picture's red plane, then green, then blue, row-major, 0 to 255. */
  readonly images: Uint8Array;
  /** `count` class numbers: 0 to 9, or the fine ones, 0 to 99. */
  readonly labels: Uint8Array;
  /** The superclasses of CIFAR-100, 0 to 19; null for CIFAR-10. */
  readonly coarseLabels: Uint8Array | null;
  /** How many pictures there are. */
  readonly count: number;
  /** Red, green and blue. */
  readonly channels: 3;
  /** Rows of a picture. */
  readonly height: 32;
  /** Columns of a picture. */
  readonly width: 32;
}

const PIXELS = 3 * 32 * 32;
// The classes that each label byte counts, in the order of the bytes.
const CLASSES: Readonly<Record<CifarVariant, readonly number[]>> = { cifar10: [10], cifar100: [20, 100] };

/**
 * Parse CIFAR's binary files, one after another: <https://www.cs.toronto.edu/~kriz/cifar.html>, "binary version".
 *
 * @param files such as `data_batch_1.bin` to `data_batch_5.bin`; each holds whole records.
 * @param variant The files do not say which set they are of.
 * @throws {@link DataFormatError} for a file that is empty or cut off within a record, and for a label that is no class, which is
 * what a file of the other set looks like.
 *
 * @example
 * const record = new Uint8Array(1 + 3 * 32 * 32);
 * record[0] = 7;
 * parseCifar([{ name: 'test_batch.bin', bytes: record }], 'cifar10').labels; // [7]
 */
export function parseCifar(files: readonly NamedBytes[], variant: CifarVariant): CifarImages {
  requireArgument('parseCifar', 'files', files, 'list');
  requireOneOf('parseCifar', 'variant', variant, ['cifar10', 'cifar100']);
  const classes = CLASSES[variant];
  const record = classes.length + PIXELS;
  for (const { name, bytes } of files) {
    requireBytes('parseCifar', bytes);
    checkFile(name, bytes, variant, classes);
  }
  const count = files.reduce((total, { bytes }) => total + bytes.length / record, 0);
  const images = new Uint8Array(count * PIXELS);
  const labels = new Uint8Array(count);
  const coarseLabels = variant === 'cifar100' ? new Uint8Array(count) : null;
  let i = 0;
  for (const { bytes } of files) {
    for (let at = 0; at < bytes.length; at += record, i++) {
      if (coarseLabels !== null) coarseLabels[i] = bytes[at];
      labels[i] = bytes[at + classes.length - 1];
      images.set(bytes.subarray(at + classes.length, at + record), i * PIXELS);
    }
  }
  return { images, labels, coarseLabels, count, channels: 3, height: 32, width: 32 };
}

function checkFile(file: string, bytes: Uint8Array, variant: CifarVariant, classes: readonly number[]): void {
  const op = 'parseCifar';
  const record = classes.length + PIXELS;
  const rest = bytes.length % record;
  if (bytes.length === 0 || rest !== 0) {
    throw new DataFormatError({
      op,
      file,
      offset: bytes.length,
      expected: `whole records of ${variant}, ${record} bytes each`,
      actual: `the end of the file after ${bytes.length} bytes`,
      remedy:
        bytes.length > 0 && bytes.length % (PIXELS + 3 - classes.length) === 0
          ? `It would be whole as ${variant === 'cifar10' ? 'cifar100' : 'cifar10'}.`
          : 'The file is cut off: fetch it again.',
    });
  }
  for (let at = 0; at < bytes.length; at += record) {
    for (const [byte, limit] of classes.entries()) {
      if (bytes[at + byte] < limit) continue;
      throw new DataFormatError({
        op,
        file,
        offset: at + byte,
        expected: `a class below ${limit}, as ${variant} has`,
        actual: String(bytes[at + byte]),
        remedy: 'Is this a file of the other set, or the Python version?',
      });
    }
  }
}
