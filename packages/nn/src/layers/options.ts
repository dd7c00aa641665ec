// Options that layers share, and the checks that name a bad one before anything is allocated.

import {
  ArgumentError,
  type FloatDType,
  formatShape,
  type Generator,
  quote,
  requireTensor,
  ShapeError,
  type Tensor,
} from '@adjoint/core';

/** Options of layers that make parameters. */
export interface ParameterizedOptions {
  /** Element type of the parameters. Default float32. */
  readonly dtype?: FloatDType | undefined;
  /** Where the initial values come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

/** The integer `value`, or an error that says what it is and what it should be. */
export function requireInteger(op: string, operand: string, value: unknown, minimum: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= minimum) return value as number;
  throw new ArgumentError(`${operand} is ${show(value)}; give an integer >= ${minimum}.`, {
    op,
    operand,
    actual: value,
    expected: `an integer >= ${minimum}`,
  });
}

/** The seed `value`, which may be any integer that a generator takes, or an error. */
export function requireSeed(op: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new ArgumentError(`seed is ${show(value)}; give an integer from 0 to 2^53 - 1.`, {
    op,
    operand: 'seed',
    actual: value,
    expected: 'an integer in [0, 9007199254740991]',
  });
}

/** Throws if a table of these sizes would hold more elements than a tensor can. */
export function requireRoom(op: string, operand: string, shape: readonly number[]): void {
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (size < 2 ** 31) return;
  throw new ShapeError(`${operand} would have ${size} elements; a tensor holds at most 2^31 - 1.`, {
    op,
    operand,
    actual: shape,
    expected: 'at most 2147483647 elements',
  });
}

/** The number `value` if it lies in [low, high], or an error. */
export function requireNumber(
  op: string,
  operand: string,
  value: unknown,
  low: number,
  high: number,
): number {
  if (typeof value === 'number' && value >= low && value <= high) return value;
  const range = high === Infinity ? `a number >= ${low}` : `a number from ${low} to ${high}`;
  throw new ArgumentError(`${operand} is ${show(value)}; give ${range}.`, {
    op,
    operand,
    actual: value,
    expected: range,
  });
}

/** `value` if it is one of the names, or an error that lists them. */
export function requireOneOf<T extends string>(
  op: string,
  operand: string,
  value: T,
  legal: readonly T[],
): T {
  if (legal.includes(value)) return value;
  const list = legal.map((name) => `'${name}'`).join(' or ');
  throw new ArgumentError(`${operand} is ${show(value)}; it takes ${list}.`, {
    op,
    operand,
    actual: value,
    expected: list,
  });
}

/** An operand, and the option of the layer that its last axis must agree with. */
export interface Features {
  readonly op: string;
  readonly operand: string;
  readonly option: string;
  readonly size: number;
}

/** Throws unless the last axis of `x` has as many elements as the option says. */
export function requireFeatures(x: Tensor, { op, operand, option, size }: Features): void {
  requireTensor(op, operand, x);
  const actual = x.shape[x.ndim - 1];
  if (actual === size) return;
  const last = actual === undefined ? 'it has no axes' : `its last axis is ${actual}`;
  throw new ShapeError(
    `${operand} has shape ${formatShape(x.shape)}: ${last}, and ${option} is ${size}; give (…, ${size}), or make the layer with another ${option}.`,
    { op, operand, actual: x.shape, expected: `(…, ${size})` },
  );
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : quote(value);
}

/** Arguments and options as `extraRepr` shows them: values, then `name=value`. */
export function optionsText(values: readonly unknown[], options: object = {}): string {
  const named = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${text(value)}`);
  return [...values.map(text), ...named].join(', ');
}

// Equal numbers per axis are shown as one.
function text(value: unknown): string {
  if (!Array.isArray(value)) return show(value);
  return value.every((element) => element === value[0]) ? show(value[0]) : `[${value.map(show).join(', ')}]`;
}
