// The oracle's side of parity: what a case is, how fixtures are read, and when two tensors agree. Knows nothing of Adjoint.
//
// generate.py writes the fixtures; families/record.py says what each field means.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A tensor as it stands in a fixture; numbers that JSON lacks are strings. */
interface EncodedTensor {
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  readonly data: readonly (number | 'NaN' | 'Infinity' | '-Infinity')[];
}

/** Names of element types, as both sides spell them. */
export type DTypeName = 'float64' | 'float32' | 'float16' | 'bfloat16' | 'int32' | 'uint8' | 'bool';

/** A tensor's values in row-major order. 16-bit and 32-bit floats come as the numbers they stand for; bool as 0 and 1. */
export interface Values {
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  readonly data: Float64Array | Int32Array | Uint8Array;
}

/** An argument of a call: a tensor, a number, nothing (an operand left out), or a list of these. */
export type Argument = Values | number | null | readonly Argument[];

/** Options under Adjoint's names. */
export type CaseOptions = Readonly<Record<string, unknown>>;

/** Tensors by the path of the argument they belong to ('0', '1.2'; 'cotangent'). Null: there is no path, so it is zero. */
export type ByPath = Readonly<Record<string, Values | null>>;

/** What every record of a fixture has. */
export interface Call {
  readonly op: string;
  readonly name: string;
  readonly args: readonly Argument[];
  readonly options: CaseOptions;
}

/** A call with its value and, where there are any, first and second derivatives. */
export interface ParityCase extends Call {
  /** A list where the op gives several tensors. */
  readonly output: Values | readonly Values[];
  /** Every number is exact in float64 in whatever order it is summed: compare with `===`. */
  readonly exact?: boolean;
  /** The sign of a zero in the output is part of the convention. */
  readonly signed?: boolean;
  /** Absolute tolerance of the output. */
  readonly atol?: number;
  /** What the output (each differentiable one of several) is multiplied with before it is summed. */
  readonly cotangent?: Values | readonly (Values | null)[];
  readonly grads?: ByPath;
  /** What the gradients are multiplied with before they are summed. */
  readonly secondCotangents?: ByPath;
  readonly secondGrads?: ByPath;
}

/** An optimiser's run: gradients fed in and parameters after each step. */
export interface Trajectory extends Call {
  readonly args: readonly Values[];
  readonly gradients: readonly (readonly (Values | null)[])[];
  readonly trajectory: readonly (readonly Values[])[];
}

const committed = fileURLToPath(new URL('fixtures/', import.meta.url));

/** Cases of a family, from the committed fixtures or from a folder that generate.py wrote. */
export function loadFixtures(family: string, directory: string = committed): ParityCase[] {
  return load(family, directory) as ParityCase[];
}

/** Calls that must be refused. */
export function loadIllegal(directory: string = committed): Call[] {
  return load('illegal', directory) as Call[];
}

/** Optimiser runs. */
export function loadTrajectories(directory: string = committed): Trajectory[] {
  return load('optimisers', directory) as Trajectory[];
}

function load(family: string, directory: string): unknown[] {
  const records = JSON.parse(readFileSync(`${directory}/${family}.json`, 'utf8')) as unknown[];
  return records.map(revive);
}

function revive(value: unknown): unknown {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== 'object' || value === null) return value;
  if ('dtype' in value && 'shape' in value && 'data' in value) return decode(value as EncodedTensor);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]));
}

/** The values of a fixture's tensor. */
export function decode({ dtype, shape, data }: EncodedTensor): Values {
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (data.length !== size) {
    throw new Error(
      `a fixture's tensor of shape [${shape.join(', ')}] has ${data.length} values, not ${size}`,
    );
  }
  const numbers = data.map(Number);
  if (dtype === 'int32') return { dtype, shape, data: Int32Array.from(numbers) };
  if (dtype === 'uint8' || dtype === 'bool') return { dtype, shape, data: Uint8Array.from(numbers) };
  return { dtype, shape, data: Float64Array.from(numbers) };
}

/** Whether an argument is a tensor. */
export function isValues(argument: unknown): argument is Values {
  return typeof argument === 'object' && argument !== null && 'dtype' in argument && 'data' in argument;
}

/** The exact cases with float32 in place of float64: their numbers are exact there too, so PyTorch's remain the truth. */
export function exactInFloat32(cases: readonly ParityCase[]): ParityCase[] {
  return cases.filter(({ exact }) => exact).map((parityCase) => narrow(parityCase) as ParityCase);
}

function narrow(value: unknown): unknown {
  if (isValues(value)) return value.dtype === 'float64' ? { ...value, dtype: 'float32' } : value;
  if (Array.isArray(value)) return value.map(narrow);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, narrow(inner)]));
}

/** How closely values must agree, and what to call them when they do not. */
export interface Comparison {
  /** What is compared, e.g. `conv2d 'no bias': gradient of argument 1`. */
  readonly what: string;
  /** Relative tolerance. Default 1e-10. */
  readonly rtol?: number;
  /** Absolute tolerance. Default 1e-12: sums that cancel to nearly 0 keep an error of the size of their terms. */
  readonly atol?: number;
  /** Ask for equality with `===`. */
  readonly exact?: boolean;
  /** Tell 0 from -0. */
  readonly signed?: boolean;
}

/**
 * Throws unless dtype and shape are the same and each pair of values agrees: finite ones within `atol + rtol·|expected|`, infinities
 * exactly, NaN with NaN. The message names the comparison, the worst coordinate, both numbers and how many disagree.
 */
export function expectClose(actual: Values, expected: Values, comparison: Comparison): void {
  const { what, rtol = 1e-10, atol = 1e-12, exact = false, signed = false } = comparison;
  if (actual.dtype !== expected.dtype) {
    throw new Error(`${what}: dtype is ${actual.dtype}, PyTorch has ${expected.dtype}`);
  }
  if (actual.shape.join() !== expected.shape.join()) {
    throw new Error(
      `${what}: shape is [${actual.shape.join(', ')}], PyTorch has [${expected.shape.join(', ')}]`,
    );
  }
  let worst = -1;
  let excess = 0;
  let wrong = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const a = actual.data[i];
    const e = expected.data[i];
    const allowed = exact || !Number.isFinite(e) ? 0 : atol + rtol * Math.abs(e);
    const agrees =
      Object.is(a, e) ||
      (a === e && !(signed && a === 0)) ||
      (Number.isFinite(e) && Math.abs(a - e) <= allowed && !(signed && e === 0));
    if (agrees) continue;
    wrong++;
    const by = Number.isFinite(a) && Number.isFinite(e) ? Math.abs(a - e) : Infinity;
    if (worst < 0 || by > excess) {
      worst = i;
      excess = by;
    }
  }
  if (wrong === 0) return;
  const e = expected.data[worst];
  const rule = exact ? 'must be equal' : `may differ by ${(atol + rtol * Math.abs(e)).toExponential(2)}`;
  throw new Error(
    `${what}: at [${coordinates(worst, expected.shape).join(', ')}] there is ${print(actual.data[worst])}, PyTorch has ${print(e)}` +
      ` (off by ${excess.toExponential(2)}, ${rule}); ${wrong} of ${expected.data.length} values disagree`,
  );
}

const print = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

function coordinates(position: number, shape: readonly number[]): number[] {
  const result: number[] = [];
  for (let axis = shape.length - 1, rest = position; axis >= 0; axis--) {
    result.unshift(rest % shape[axis]);
    rest = Math.floor(rest / shape[axis]);
  }
  return result;
}
