// Regular patterns: counted and evenly spaced numbers, the identity matrix, and grids of coordinates.

import type { NumericArray } from '@adjoint/kernels-cpu';
import { requireOneOf } from '../arguments.ts';
import { allocate, checkDType, computeDType, type DType, isFloat } from '../dtype.ts';
import { ArgumentError, quote, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { checkShape, sizeOf } from '../shape.ts';
import { makeTensor } from '../tape/tracing.ts';
import { fromArray, requireTensor, type Tensor } from '../tensor.ts';
import { cast } from './cast.ts';
import type { TensorOptions } from './create.ts';
import { expand } from './expand-sum.ts';
import { reshape } from './layout.ts';

/** Options of {@link arange}. */
export interface ArangeOptions extends TensorOptions {
  /** Distance between neighbours; not 0, negative to count down. Default 1. */
  readonly step?: number | undefined;
}

/**
 * The numbers `start, start + step, …` before `end`. PyTorch's `torch.arange`, but that the dtype is float32 unless told otherwise,
 * for whole numbers too; for indices ask for int32.
 *
 * @throws ArgumentError for numbers that are not finite, a step of 0, or a step that leads away from `end`.
 * @example
 * arange(3).toArray(); // [0, 1, 2]
 * arange(1, 2, { step: 0.25 }).toArray(); // [1, 1.25, 1.5, 1.75]
 */
export function arange(end: number, options?: ArangeOptions): Tensor;
export function arange(start: number, end: number, options?: ArangeOptions): Tensor;
export function arange(
  first: number,
  second: number | ArangeOptions = noOptions,
  third: ArangeOptions = noOptions,
): Tensor {
  const [start, end, options] = typeof second === 'number' ? [first, second, third] : [0, first, second];
  requireOptions('arange', options, { step: 'number', dtype: 'dtype', requiresGrad: 'boolean' });
  const { step = 1 } = options;
  for (const [name, value] of Object.entries({ start, end, step })) requireFinite('arange', name, value);
  if (step === 0 || (end - start) / step < 0) {
    throw new ArgumentError(
      `a step of ${step} does not lead from ${start} to ${end}; it must not be 0 and must have the sign of end - start.`,
      { op: 'arange', operand: 'step', actual: step, expected: 'a step towards end' },
    );
  }
  const count = Math.ceil((end - start) / step);
  return counted('arange', count, options, (i) => start + i * step);
}

/**
 * `steps` evenly spaced numbers from `start` to `end`, both included. PyTorch's `torch.linspace`.
 *
 * @throws ArgumentError for numbers that are not finite, or unless `steps` is a non-negative integer.
 * @example
 * linspace(0, 1, 5).toArray(); // [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace(
  start: number,
  end: number,
  steps: number,
  options: TensorOptions = noOptions,
): Tensor {
  requireOptions('linspace', options, { dtype: 'dtype', requiresGrad: 'boolean' });
  for (const [name, value] of Object.entries({ start, end })) requireFinite('linspace', name, value);
  const step = (end - start) / (steps - 1);
  // From both ends, so that both are exact and the numbers are symmetric.
  return counted('linspace', steps, options, (i) =>
    i < steps / 2 ? start + i * (steps === 1 ? 0 : step) : end - (steps - 1 - i) * step,
  );
}

/**
 * The identity matrix, or the first rows or columns of one. PyTorch's `torch.eye`.
 *
 * @param columns default: as many as rows; may be left out before the options.
 * @throws ShapeError unless both are non-negative integers.
 * @example
 * eye(2).toArray(); // [[1, 0], [0, 1]]
 * eye(2, { dtype: 'bool' }).logicalNot().toArray(); // [[0, 1], [1, 0]]
 */
export function eye(rows: number, options?: TensorOptions): Tensor;
export function eye(rows: number, columns?: number, options?: TensorOptions): Tensor;
export function eye(rows: number, second?: number | TensorOptions, third?: TensorOptions): Tensor {
  // Options may stand in the place of the columns, if nothing stands behind them.
  if (typeof second === 'object' && third === undefined) return eye(rows, rows, second);
  const columns = second === undefined ? rows : (second as number);
  const options = third === undefined ? noOptions : third;
  requireOptions('eye', options, { dtype: 'dtype', requiresGrad: 'boolean' });
  checkShape([rows, columns], 'eye');
  return filled('eye', [rows, columns], options, (data) => {
    for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = 1;
  });
}

function counted(op: string, count: number, options: TensorOptions, value: (i: number) => number): Tensor {
  checkCount(op, count);
  return filled(op, [count], options, (data) => {
    for (let i = 0; i < count; i++) data[i] = value(i);
  });
}

// A tensor of an array that is filled in the type that numbers are computed in.
function filled(
  op: string,
  shape: readonly number[],
  { dtype = 'float32', requiresGrad = false }: TensorOptions,
  fill: (data: NumericArray) => void,
): Tensor {
  const wanted: DType = checkDType(dtype, op);
  // 16-bit floats are rounded once, from double precision; bool is whatever is not 0.
  const held =
    isFloat(wanted) && wanted !== computeDType(wanted) ? 'float64' : wanted === 'bool' ? 'float64' : wanted;
  const made = makeTensor(op, [], { shape, dtype: wanted }, () => {
    const data = allocate(held, sizeOf(shape));
    fill(data);
    return cast(fromArray(data, shape, held), wanted);
  });
  if (requiresGrad) made.requiresGrad = true;
  return made;
}

function checkCount(op: string, count: number): void {
  if (Number.isInteger(count) && count >= 0 && count < 2 ** 31) return;
  throw new ArgumentError(
    `the number of elements is ${quote(count)}; it takes an integer from 0 to 2^31 - 1.`,
    {
      op,
      operand: 'steps',
      actual: count,
      expected: 'a non-negative integer',
    },
  );
}

function requireFinite(op: string, name: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw new ArgumentError(`${name} is ${quote(value)}; give a finite number.`, {
    op,
    operand: name,
    actual: value,
    expected: 'a finite number',
  });
}

/** Options of {@link meshgrid}. */
export interface MeshgridOptions {
  /** Axis i of the grid belongs to tensor i ('ij'); or the first two are swapped, as on a plot ('xy'). Default 'ij'. */
  readonly indexing?: 'ij' | 'xy' | undefined;
}

/**
 * Grids of coordinates: each vector repeated along the axes of the others. Views. PyTorch's `torch.meshgrid`.
 *
 * @param tensors vectors (or numbers, 0-d); at least one.
 * @returns one grid per vector, all of one shape.
 * @throws ShapeError for a tensor of more axes; ArgumentError for an empty list or unknown indexing.
 * @example
 * const [rows, columns] = meshgrid([tensor([1, 2]), tensor([3, 4, 5])]); // rows.toArray(): [[1, 1, 1], [2, 2, 2]]
 */
export function meshgrid(tensors: readonly Tensor[], options: MeshgridOptions = noOptions): Tensor[] {
  requireOptions('meshgrid', options, { indexing: 'string' });
  const { indexing = 'ij' } = options;
  const op = 'meshgrid';
  requireOneOf(op, 'indexing', indexing, ['ij', 'xy']);
  if (!Array.isArray(tensors)) {
    throw new ArgumentError(`tensors is ${quote(tensors)}; give a list of tensors: meshgrid([a, b]).`, {
      op,
      operand: 'tensors',
      actual: tensors,
      expected: 'a list of tensors',
    });
  }
  if (tensors.length === 0) {
    throw new ArgumentError('the list of tensors is empty; give at least one.', {
      op,
      operand: 'tensors',
      actual: tensors,
      expected: 'at least one tensor',
    });
  }
  for (const [i, tensor] of tensors.entries()) requireTensor(op, `tensors[${i}]`, tensor);
  const wide = tensors.findIndex((tensor) => tensor.ndim > 1);
  if (wide >= 0) {
    throw new ShapeError(
      `tensor ${wide} has ${tensors[wide].ndim} axes; coordinates of one axis are vectors.`,
      {
        op,
        operand: `tensors[${wide}]`,
        actual: tensors[wide].shape,
        expected: 'at most one axis',
      },
    );
  }
  const swap = indexing === 'xy' && tensors.length > 1;
  const axisOf = (i: number): number => (swap && i < 2 ? 1 - i : i);
  const shape = new Array<number>(tensors.length);
  tensors.forEach((tensor, i) => {
    shape[axisOf(i)] = tensor.size;
  });
  return tensors.map((tensor, i) =>
    expand(
      reshape(
        tensor,
        shape.map((size, axis) => (axis === axisOf(i) ? size : 1)),
      ),
      shape,
    ),
  );
}
