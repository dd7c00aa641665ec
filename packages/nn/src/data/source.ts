// What a loader reads from: samples by number, or one after another.

import { ArgumentError } from '@adjoint/core';
import type { Dataset, IterableDataset } from './dataset.ts';

/** Samples by number, or a stream of them. */
export type Source<Sample> = Dataset<Sample> | IterableDataset<Sample>;

/**
 * What was given as a dataset, with arrays as samples by number.
 *
 * @throws ArgumentError for anything that has no samples.
 */
export function sourceOf<Sample>(dataset: Source<Sample>): Source<Sample> {
  if (Array.isArray(dataset)) {
    const samples = dataset as readonly Sample[];
    return { length: samples.length, get: (i) => samples[i] };
  }
  const isObject = typeof dataset === 'object' && dataset !== null;
  if (isObject && 'get' in dataset && 'length' in dataset) return dataset;
  if (isObject && (Symbol.iterator in dataset || Symbol.asyncIterator in dataset)) return dataset;
  throw new ArgumentError('the dataset has neither length and get, nor can it be iterated.', {
    op: 'DataLoader',
    operand: 'dataset',
    actual: dataset,
    expected: 'a dataset, an array or an iterable',
  });
}
