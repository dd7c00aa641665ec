// Options that are given once or per spatial axis: checked number by number, always handed on as one per axis.

import { GeometryError } from './errors.ts';

/** One integer for all spatial axes, or one per axis. */
export type PerAxis = number | readonly number[];

/** The largest number of elements in one array, and the largest single extent: what an int32 index can reach. */
export const MAX_ELEMENTS = 2 ** 31 - 1;

/** Which option of which op is being read, and the smallest legal value. */
export interface OptionRule {
  readonly op: string;
  readonly option: string;
  readonly minimum: number;
}

/** Throws for an option that is not among those known: types do not reach plain JavaScript, and it would be passed over in silence. */
export function requireKnown(op: string, options: object, known: readonly string[]): void {
  for (const option in options) {
    if (known.includes(option)) continue;
    throw new GeometryError({
      op,
      parameter: option,
      actual: (options as Readonly<Record<string, unknown>>)[option],
      expected: 'no such option',
      remedy: `Options are ${known.join(', ')}.`,
    });
  }
}

/** The integer `value`, or a {@link GeometryError} that says why it is not a legal one. */
export function integer(value: unknown, rule: OptionRule, axis?: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= rule.minimum && value <= MAX_ELEMENTS)
    return value;
  throw new GeometryError({
    op: rule.op,
    parameter: rule.option,
    axis,
    actual: value,
    expected: `an integer >= ${rule.minimum}${typeof value === 'number' && value > MAX_ELEMENTS ? ` and <= ${MAX_ELEMENTS}` : ''}`,
    remedy: `Pass a whole number of at least ${rule.minimum} as ${rule.option}.`,
  });
}

/**
 * Normalises an option to one integer per spatial axis.
 *
 * @param value - a number for all axes, or an array of exactly `dims` numbers
 * @param dims - the number of spatial axes
 * @returns a new array of length `dims`
 * @throws {@link GeometryError} if the length is wrong or an element is no integer >= `rule.minimum`
 *
 * @example
 * ```ts
 * perAxis(2, 3, { op: 'conv3d', option: 'stride', minimum: 1 }); // [2, 2, 2]
 * ```
 */
export function perAxis(value: unknown, dims: number, rule: OptionRule): number[] {
  if (!Array.isArray(value)) return new Array<number>(dims).fill(integer(value, rule));
  if (value.length !== dims) {
    throw new GeometryError({
      op: rule.op,
      parameter: rule.option,
      actual: value,
      expected: `a number or an array of ${dims} numbers, one per spatial axis (it has ${value.length})`,
      remedy: `Pass one number for all ${dims} spatial axes or exactly ${dims} numbers.`,
    });
  }
  // Not map(): it would skip the holes of a sparse array.
  const values = new Array<number>(dims);
  for (let axis = 0; axis < dims; axis++) values[axis] = integer(value[axis], rule, axis);
  return values;
}

/** How many spatial axes there are: as many as the input has extents, 1 to 3. */
export function spatialAxes(op: string, inputSize: unknown): number {
  if (Array.isArray(inputSize) && inputSize.length >= 1 && inputSize.length <= 3) return inputSize.length;
  throw new GeometryError({
    op,
    parameter: 'inputSize',
    actual: inputSize,
    expected: 'an array of 1 to 3 spatial extents',
    remedy: 'Pass the spatial extents of the input, without batch and channels.',
  });
}

/** Throws if an array of these extents would hold more elements than an int32 index can reach. */
export function requireAddressable(op: string, operand: string, extents: readonly number[]): void {
  let elements = 1;
  for (let axis = 0; axis < extents.length; axis++) elements *= extents[axis];
  if (elements <= MAX_ELEMENTS) return;
  throw new GeometryError({
    op,
    parameter: operand,
    actual: extents,
    expected: `a shape of at most 2^31 - 1 = ${MAX_ELEMENTS} elements (this has ${elements})`,
    remedy: 'Split the batch or reduce the sizes.',
  });
}
