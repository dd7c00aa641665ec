// Datasets: samples by number, or one after another; and the views that split, join and transform them.

import {
  ArgumentError,
  formatShape,
  Generator,
  indexSelect,
  quote,
  randperm,
  requireArgument,
  requireOptions,
  requireTensor,
  ShapeError,
  select,
  type Tensor,
  tensor,
} from '@adjoint/core';

/**
 * Samples by number: anything with a `length` and a `get`. PyTorch's map-style `Dataset`.
 *
 * `get` may return a promise, as one that reads files does; a {@link DataLoader} over such a dataset is read with `for await`.
 */
export interface Dataset<Sample> {
  /** How many samples there are. */
  readonly length: number;
  /** The sample of a number from 0 to length − 1. */
  get(index: number): Sample | Promise<Sample>;
  /** Samples already put together, where that is quicker than one by one; must equal what collating them gives. */
  batch?(indices: readonly number[]): unknown;
}

/** Samples one after another, as a stream of lines is. PyTorch's `IterableDataset`; must start anew with each iteration. */
export type IterableDataset<Sample> = Iterable<Sample> | AsyncIterable<Sample>;

/** As many tensors as given. */
export type TensorTuple = readonly Tensor[];

/**
 * Rows of tensors: sample i is row i of each. PyTorch's `TensorDataset`.
 *
 * @throws ShapeError unless all tensors have one first extent; ArgumentError if there are none.
 * @example
 * const data = new TensorDataset(tensor([[1, 2], [3, 4], [5, 6]]), tensor([0, 1, 0], { dtype: 'int32' }));
 * data.length; // 3
 * data.get(1)[0].toArray(); // [3, 4]
 */
export class TensorDataset<T extends TensorTuple> implements Dataset<Readonly<T>> {
  /** The tensors; samples lie along their first axes. */
  readonly tensors: T;
  readonly length: number;

  constructor(...tensors: T) {
    const op = 'TensorDataset';
    tensors.forEach((tensor, i) => {
      requireTensor(op, `tensors[${i}]`, tensor);
    });
    if (tensors.length === 0) {
      throw new ArgumentError('there are no tensors; give one or more.', {
        op,
        operand: 'tensors',
        actual: 0,
      });
    }
    const count = tensors[0].shape[0];
    for (const [i, { shape }] of tensors.entries()) {
      if (shape.length > 0 && shape[0] === count) continue;
      throw new ShapeError(
        `tensor ${i} has shape ${formatShape(shape)}; all need the first extent of tensor 0, ${count ?? 'which has no axes'}.`,
        { op, operand: `tensors[${i}]`, actual: shape, expected: `(${count}, …)` },
      );
    }
    this.tensors = tensors;
    this.length = count;
  }

  /** @throws ArgumentError for a number that is none of a sample. */
  get(index: number): Readonly<T> {
    requireIndex('TensorDataset.get', index, this.length);
    return this.tensors.map((x) => select(x, 0, index)) as unknown as Readonly<T>;
  }

  batch(indices: readonly number[]): Readonly<T> {
    for (const i of indices) requireIndex('TensorDataset.batch', i, this.length);
    const rows = tensor(Int32Array.from(indices), { dtype: 'int32' });
    return this.tensors.map((x) => indexSelect(x, 0, rows)) as unknown as Readonly<T>;
  }
}

/**
 * Some samples of a dataset, in the order given. PyTorch's `Subset`.
 *
 * @throws ArgumentError for a number that is none of a sample.
 * @example
 * const rows = new TensorDataset(tensor([10, 20, 30]));
 * new Subset(rows, [2, 0]).get(0)[0].toArray(); // 30
 */
export class Subset<Sample> implements Dataset<Sample> {
  /** What the samples are of. */
  readonly dataset: Dataset<Sample>;
  /** Their numbers there. */
  readonly indices: readonly number[];
  readonly batch?: (indices: readonly number[]) => unknown;

  constructor(dataset: Dataset<Sample>, indices: Iterable<number>) {
    requireDataset('Subset', 'dataset', dataset);
    this.dataset = dataset;
    this.indices = listed('Subset', 'indices', indices);
    for (const index of this.indices) requireIndex('Subset', index, dataset.length);
    const inner = dataset.batch;
    if (inner !== undefined)
      this.batch = (own) =>
        inner.call(
          dataset,
          own.map((i) => this.#at(i)),
        );
  }

  get length(): number {
    return this.indices.length;
  }

  get(index: number): Sample | Promise<Sample> {
    return this.dataset.get(this.#at(index));
  }

  #at(index: number): number {
    requireIndex('Subset.get', index, this.length);
    return this.indices[index];
  }
}

/**
 * Datasets one behind the other. PyTorch's `ConcatDataset`.
 *
 * @example
 * const both = new ConcatDataset([new TensorDataset(tensor([1, 2])), new TensorDataset(tensor([3]))]);
 * both.length; // 3
 */
export class ConcatDataset<Sample> implements Dataset<Sample> {
  /** The datasets, in order. */
  readonly datasets: readonly Dataset<Sample>[];
  readonly length: number;

  constructor(datasets: Iterable<Dataset<Sample>>) {
    this.datasets = listed('ConcatDataset', 'datasets', datasets);
    for (const [i, dataset] of this.datasets.entries())
      requireDataset('ConcatDataset', `datasets[${i}]`, dataset);
    this.length = this.datasets.reduce((total, { length }) => total + length, 0);
  }

  get(index: number): Sample | Promise<Sample> {
    requireIndex('ConcatDataset.get', index, this.length);
    let rest = index;
    for (const dataset of this.datasets) {
      if (rest < dataset.length) return dataset.get(rest);
      rest -= dataset.length;
    }
    throw new ArgumentError('a dataset changed its length after it was joined to others.', {
      op: 'ConcatDataset.get',
      operand: 'index',
      actual: index,
    });
  }
}

/**
 * A dataset seen through a function, such as one that normalises. For random changes see `transform` of {@link DataLoader},
 * which resumes to the same bits.
 *
 * @example
 * const halves = mapDataset(new TensorDataset(tensor([1, 2])), ([x]) => div(x, 2));
 * halves.get(1); // 1
 */
export function mapDataset<Sample, Result>(
  dataset: Dataset<Sample>,
  fn: (sample: Sample) => Result,
): Dataset<Awaited<Result>> {
  return {
    get length() {
      return dataset.length;
    },
    get(index) {
      const sample = dataset.get(index);
      return (sample instanceof Promise ? sample.then(fn) : fn(sample)) as Awaited<Result>;
    },
  };
}

/** Options of {@link randomSplit}. */
export interface RandomSplitOptions {
  /** Where the order comes from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

/**
 * Splits a dataset at random into parts that do not overlap. PyTorch's `random_split`.
 *
 * @param parts numbers of samples that add up to all; or fractions that add up to 1, whose parts are rounded down and get
 * what is left over one by one from the first, as in PyTorch.
 * @throws ArgumentError for parts that are neither.
 * @example
 * const [train, test] = randomSplit(new TensorDataset(zeros([10, 2])), [0.75, 0.25]);
 * [train.length, test.length]; // [8, 2]
 */
export function randomSplit<Sample, const Parts extends readonly number[]>(
  dataset: Dataset<Sample>,
  parts: Parts,
  options: RandomSplitOptions = {},
): { -readonly [K in keyof Parts]: Subset<Sample> } {
  requireOptions('randomSplit', options, { generator: Generator });
  const { generator } = options;
  requireDataset('randomSplit', 'dataset', dataset);
  requireArgument('randomSplit', 'parts', parts, 'list');
  const lengths = partLengths(parts, dataset.length);
  const order = Array.from(randperm(dataset.length, { generator }).toTypedArray());
  let start = 0;
  return lengths.map((length) => {
    const part = new Subset(dataset, order.slice(start, start + length));
    start += length;
    return part;
  }) as { -readonly [K in keyof Parts]: Subset<Sample> };
}

function requireDataset(op: string, operand: string, value: unknown): void {
  const { length, get } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (Number.isSafeInteger(length) && typeof get === 'function') return;
  throw new ArgumentError(
    `${operand} is ${quote(value)}; give a dataset, which has a length and get(index).`,
    {
      op,
      operand,
      actual: value,
      expected: 'a dataset',
    },
  );
}

function partLengths(parts: readonly number[], count: number): readonly number[] {
  const sum = parts.reduce((total, part) => total + part, 0);
  const legal = Array.from(parts).every((part) => typeof part === 'number' && part >= 0);
  if (legal && sum === count && parts.every(Number.isInteger)) return parts;
  if (!legal || Math.abs(sum - 1) > 1e-9) {
    throw new ArgumentError(
      `the parts are ${quote(parts)} and add up to ${sum}; give numbers that add up to ${count}, or fractions that add up to 1.`,
      { op: 'randomSplit', operand: 'parts', actual: parts, expected: `a sum of ${count} or 1` },
    );
  }
  // 0.29 · 100 is 28.999…: what is that near to a whole number is meant to be it.
  const lengths = parts.map((part) => Math.floor(part * count + 1e-9));
  const left = count - lengths.reduce((total, length) => total + length, 0);
  for (let i = 0; i < left; i++) lengths[i % lengths.length]++;
  return lengths;
}

/** Throws ArgumentError unless there is a sample of that number. */
export function requireIndex(op: string, index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return;
  throw new ArgumentError(
    `there is no sample ${quote(index)} among ${length}; give an integer from 0 to ${length - 1}.`,
    {
      op,
      operand: 'index',
      actual: index,
      expected: `an integer in [0, ${length})`,
    },
  );
}

/** What can be iterated, as a list. @throws ArgumentError for what cannot. */
export function listed<T>(op: string, operand: string, values: Iterable<T>): readonly T[] {
  if (typeof values === 'object' && values !== null && Symbol.iterator in values) return [...values];
  throw new ArgumentError(`${operand} is ${quote(values)}; give a list.`, {
    op,
    operand,
    actual: values,
    expected: 'a list',
  });
}
