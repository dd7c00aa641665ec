// How samples become a batch: tensors are stacked, numbers become a tensor, tuples and objects are gone through.

import {
  ArgumentError,
  formatShape,
  requireArgument,
  ShapeError,
  stack,
  Tensor,
  tensor,
} from '@adjoint/core';

/** The arrays of numbers that {@link collate} takes for the rows of a tensor. */
export type NumberArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** What {@link collate} makes of samples of a type. */
export type Collated<Sample> = Sample extends Tensor | number | boolean | NumberArray
  ? Tensor
  : Sample extends string
    ? string[]
    : Sample extends object
      ? { -readonly [K in keyof Sample]: Collated<Sample[K]> }
      : never;

/**
 * Puts samples together, with a new first axis. PyTorch's `default_collate`.
 *
 * Tensors are stacked; numbers become a float32 tensor and booleans a bool one; a typed array is a row of a tensor of its
 * type; strings become an array. Tuples and plain objects are collated part by part. A class number for `crossEntropy`
 * is a tensor, as in `tensor(3, { dtype: 'int32' })`, since a JavaScript number does not tell that it is an integer.
 *
 * @throws ShapeError for tensors of different shapes; ArgumentError for samples that differ in kind, for other kinds, and
 * for no samples: give a `collate` of your own.
 * @example
 * const [x, y] = collate([[tensor([1, 2]), 5], [tensor([3, 4]), 6]]);
 * x.toArray(); // [[1, 2], [3, 4]]
 * y.toArray(); // [5, 6]
 */
export function collate<Sample>(samples: readonly Sample[]): Collated<Sample> {
  requireArgument('collate', 'samples', samples, 'list');
  if (samples.length === 0) {
    throw new ArgumentError('there are no samples; an empty batch has no shape.', {
      op: 'collate',
      operand: 'samples',
    });
  }
  return gather(samples, 'samples') as Collated<Sample>;
}

function gather(parts: readonly unknown[], place: string): unknown {
  const kinds = new Set(parts.map(kindOf));
  const [kind] = kinds;
  if (kinds.size > 1) {
    throw refusal(place, `${place} are ${[...kinds].join(' here and ')} there; give samples of one kind.`, [
      ...kinds,
    ]);
  }
  switch (kind) {
    case 'tensor':
      return stackAll(parts as readonly Tensor[], place);
    case 'number':
      return tensor(parts as number[]);
    case 'boolean':
      return tensor((parts as boolean[]).map(Number), { dtype: 'bool' });
    case 'string':
      return [...parts];
    case 'Float32Array':
    case 'Float64Array':
    case 'Int32Array':
    case 'Uint8Array':
      return stackAll(
        (parts as NumberArray[]).map((row) => tensor(row)),
        place,
      );
    case 'array': {
      const rows = parts as readonly unknown[][];
      const [{ length }] = rows;
      const odd = rows.findIndex((row) => row.length !== length);
      if (odd >= 0) {
        throw refusal(
          place,
          `${place}[${odd}] has ${rows[odd].length} parts, and the first ${length}.`,
          rows[odd].length,
        );
      }
      return Array.from({ length }, (_, i) =>
        gather(
          rows.map((row) => row[i]),
          `${place}[·][${i}]`,
        ),
      );
    }
    case 'object': {
      const records = parts as readonly Readonly<Record<string, unknown>>[];
      const keys = Object.keys(records[0]);
      const odd = records.findIndex(
        (record) => String(Object.keys(record).sort()) !== String([...keys].sort()),
      );
      if (odd >= 0) {
        throw refusal(
          place,
          `${place}[${odd}] has the keys ${Object.keys(records[odd])}, and the first ${keys}.`,
          odd,
        );
      }
      return Object.fromEntries(
        keys.map((key) => [
          key,
          gather(
            records.map((record) => record[key]),
            `${place}[·].${key}`,
          ),
        ]),
      );
    }
    default:
      throw refusal(place, `${place} are ${kind}; make tensors of them, or give a collate function.`, kind);
  }
}

function stackAll(tensors: readonly Tensor[], place: string): Tensor {
  const [{ shape }] = tensors;
  const odd = tensors.findIndex((x) => String(x.shape) !== String(shape));
  if (odd < 0) return stack([...tensors]);
  throw new ShapeError(
    `${place}[${odd}] has shape ${formatShape(tensors[odd].shape)}, and the first ${formatShape(shape)}; crop or pad them to one shape, or give a collate function.`,
    { op: 'collate', operand: place, actual: tensors[odd].shape, expected: formatShape(shape) },
  );
}

function kindOf(value: unknown): string {
  if (value instanceof Tensor) return 'tensor';
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return 'object';
  return value.constructor.name;
}

function refusal(operand: string, message: string, actual: unknown): ArgumentError {
  return new ArgumentError(message, { op: 'collate', operand, actual });
}
