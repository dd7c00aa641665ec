// adjointCheck: whether one linear map is the transpose of another, tested exactly.
//
// On small integers every sum and product of a linear map with integer coefficients is exact in floating point, so the
// identity that defines the adjoint, <A x, y> = <x, Aᵀ y>, holds to the last bit or not at all.

import { type DType, isFloat } from '../dtype.ts';
import { AdjointError, ArgumentError, formatShape } from '../errors.ts';
import { tensor, zeros } from '../ops/create.ts';
import { noOptions, requireOptions } from '../options.ts';
import { Generator } from '../random/generator.ts';
import { checkShape, indexOf, type Shape, sameShape, sizeOf } from '../shape.ts';
import { noGrad } from '../tape/mode.ts';
import { Tensor } from '../tensor.ts';
import { guess } from './hypotheses.ts';
import { numbersOf } from './numbers.ts';
import type { Filled } from './options.ts';
import type { VerdictKind } from './report.ts';
import { dot } from './reverse.ts';

/** A map from one tensor to one tensor. */
export type LinearMap = (x: Tensor) => Tensor;

/** Options of {@link adjointCheck}. */
export interface AdjointCheckOptions {
  /** Element type of both sides: floating-point or int32. Default float64. */
  readonly dtype?: Exclude<DType, 'bool' | 'uint8'> | undefined;
  /** How many pairs of random tensors are tried. Default 8. */
  readonly trials?: number | undefined;
  /** Elements are integers from −range to range. Default 4. */
  readonly range?: number | undefined;
  /** Elements are multiplied by this, so that a map which divides (an average over 9, say) stays exact. Default 1. */
  readonly scale?: number | undefined;
  /** Seed of the random integers. Default 0. */
  readonly seed?: number | undefined;
}

/**
 * What an adjoint check found, in the words of {@link VerdictKind}, and two of its own:
 * - `notLinear`: the forward or the transposed map is not linear;
 * - `inexact`: results are not integers, or too large to be exact, so that equality proves nothing.
 */
export type AdjointVerdictKind = VerdictKind | 'notLinear' | 'inexact';

/** An entry of the matrix that differs: `forward` is A[output, input], `transpose` is Aᵀ[input, output]. */
export interface AdjointEntry {
  readonly output: readonly number[];
  readonly input: readonly number[];
  readonly forward: number;
  readonly transpose: number;
}

/** What an adjoint check answers. */
export interface AdjointReport {
  readonly ok: boolean;
  readonly verdict: { readonly kind: AdjointVerdictKind; readonly text: string };
  /** Shapes of x and of A x. */
  readonly input: Shape;
  readonly output: Shape;
  /** `<A x, y>` and `<x, Aᵀ y>` of each trial that was made. */
  readonly products: readonly { readonly forward: number; readonly transpose: number }[];
  /** Entries that differ, found by unit vectors where the matrix is small; at most five. */
  readonly entries: readonly AdjointEntry[];
  /** The report as text: what the assertion's error says. */
  readonly message: string;
}

/** Thrown by {@link assertAdjoint}; carries the report. */
export class AdjointCheckError extends AdjointError {
  override readonly name = 'AdjointCheckError';
  readonly report: AdjointReport;

  constructor(report: AdjointReport) {
    super(report.message, { op: 'adjointCheck', actual: report.verdict.kind, expected: 'ok' });
    this.report = report;
  }
}

const largestMatrix = 65536;

// Integers up to here are exact in the type.
const exactBelow: Readonly<Record<DType, number>> = {
  float64: 2 ** 53,
  float32: 2 ** 24,
  float16: 2 ** 11,
  bfloat16: 2 ** 8,
  int32: 2 ** 31,
  uint8: 2 ** 8,
  bool: 2,
};

/**
 * Tests whether `transpose` is the adjoint of the linear map `forward`: `<A x, y> === <x, Aᵀ y>`, exactly, for random
 * tensors of small integers. Also tests that both are linear.
 *
 * @param forward x ↦ A x; its coefficients must be integers (see `scale`).
 * @param transpose y ↦ Aᵀ y.
 * @param shape the shape of x; that of y follows.
 * @throws ArgumentError for options out of range; ShapeError for a shape that is none.
 * @example
 * const first = (x: Tensor) => narrow(x, 0, 0, 2);
 * const padded = (y: Tensor) => pad(y, [0, 3]);
 * adjointCheck(first, padded, [5]).ok; // true
 */
export function adjointCheck(
  forward: LinearMap,
  transpose: LinearMap,
  shape: Shape,
  options: AdjointCheckOptions = noOptions,
): AdjointReport {
  requireOptions('adjointCheck', options, ['dtype', 'trials', 'range', 'scale', 'seed']);
  checkShape(shape, 'adjointCheck');
  const settings = resolve(options);
  const integers = integerSource(settings);
  return noGrad(() => {
    const base = integers(shape);
    const output = resultOf(forward, base).shape;
    const products: { forward: number; transpose: number }[] = [];
    const report = (
      kind: AdjointVerdictKind,
      text: string,
      entries: readonly AdjointEntry[] = [],
    ): AdjointReport => ({
      ok: kind === 'ok',
      verdict: { kind, text },
      input: shape,
      output,
      products,
      entries,
      message: messageOf(kind, text, shape, output, entries),
    });

    for (let trial = 0; trial < settings.trials; trial++) {
      const [x, x2, y, y2] = [integers(shape), integers(shape), integers(output), integers(output)];
      const back = resultOf(transpose, y);
      if (!sameShape(back.shape, shape)) {
        const got = formatShape(back.shape);
        return report(
          'shape',
          `The transpose gives shape ${got} for an input of shape ${formatShape(shape)}.`,
        );
      }
      const [ax, aty] = [resultOf(forward, x), back];
      if (!isLinear(forward, x, x2)) return report('notLinear', 'The forward map is not linear.');
      if (!isLinear(transpose, y, y2)) return report('notLinear', 'The transposed map is not linear.');
      for (const [result, what] of [
        [ax, 'forward'],
        [aty, 'transposed'],
      ] as const) {
        const flaw = inexactness(result);
        if (flaw !== null) return report('inexact', `A value of the ${what} map ${flaw}.`);
      }
      const pair = {
        forward: dot(numbersOf(ax), numbersOf(y)),
        transpose: dot(numbersOf(x), numbersOf(aty)),
      };
      products.push(pair);
      if (Math.abs(pair.forward) >= 2 ** 53 || Math.abs(pair.transpose) >= 2 ** 53) {
        return report('inexact', 'The inner products exceed 2^53; use a smaller shape, range or scale.');
      }
      if (pair.forward === pair.transpose) continue;
      const { kind, text, entries } = diagnose(forward, transpose, shape, output, settings);
      return report(kind, `<A x, y> is ${pair.forward} and <x, Aᵀ y> is ${pair.transpose}. ${text}`, entries);
    }
    return report('ok', `<A x, y> equals <x, Aᵀ y> in all ${settings.trials} trials.`);
  });
}

/**
 * Throws unless {@link adjointCheck} finds the maps adjoint.
 *
 * @throws AdjointCheckError with the report; and whatever `adjointCheck` throws.
 */
export function assertAdjoint(
  forward: LinearMap,
  transpose: LinearMap,
  shape: Shape,
  options: AdjointCheckOptions = noOptions,
): void {
  requireOptions('assertAdjoint', options, ['dtype', 'trials', 'range', 'scale', 'seed']);
  const report = adjointCheck(forward, transpose, shape, options);
  if (!report.ok) throw new AdjointCheckError(report);
}

type Settings = Filled<AdjointCheckOptions>;

function resolve(options: AdjointCheckOptions): Settings {
  const dtype = options.dtype ?? 'float64';
  if (!isFloat(dtype) && dtype !== 'int32') {
    throw new ArgumentError(`dtype is ${String(dtype)}; use a floating-point type or int32.`, {
      op: 'adjointCheck',
      operand: 'dtype',
      actual: dtype,
      expected: 'a floating-point type or int32',
    });
  }
  const positive = (operand: string, value: number): number => {
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new ArgumentError(`${operand} is ${value}; give a positive integer.`, {
      op: 'adjointCheck',
      operand,
      actual: value,
      expected: 'a positive integer',
    });
  };
  return {
    dtype,
    trials: positive('trials', options.trials ?? 8),
    range: positive('range', options.range ?? 4),
    scale: positive('scale', options.scale ?? 1),
    seed: options.seed ?? 0,
  };
}

function integerSource({ dtype, range, scale, seed }: Settings): (shape: Shape) => Tensor {
  const generator = new Generator(seed);
  return (shape) =>
    tensor(
      Float64Array.from(
        { length: sizeOf(shape) },
        () => (generator.nextBelow(2 * range + 1) - range) * scale,
      ),
      { shape, dtype },
    );
}

function resultOf(map: LinearMap, x: Tensor): Tensor {
  const result = map(x);
  if (result instanceof Tensor) return result;
  throw new ArgumentError('a map must return a tensor.', {
    op: 'adjointCheck',
    operand: 'forward, transpose',
    actual: result,
    expected: 'a tensor',
  });
}

function inexactness(result: Tensor): string | null {
  const limit = exactBelow[result.dtype];
  for (const value of result.toTypedArray()) {
    if (!Number.isInteger(value)) {
      return `is ${value}, not an integer, so equality would prove nothing; give the map integer coefficients, or inputs a scale that they divide`;
    }
    if (Math.abs(value) >= limit) {
      return `is ${value}, where ${result.dtype} rounds; use a smaller shape, range or scale`;
    }
  }
  return null;
}

// Whether A 0 = 0 and A(x + x2) = A x + A x2, but for the rounding of a map whose coefficients are not integers.
function isLinear(map: LinearMap, x: Tensor, x2: Tensor): boolean {
  const values = numbersOf(x2);
  const sum = tensor(
    numbersOf(x).map((value, k) => value + values[k]),
    { shape: x.shape, dtype: x.dtype },
  );
  const none = zeros(x.shape, { dtype: x.dtype });
  const [whole, first, second, zero] = [sum, x, x2, none].map((each) => numbersOf(resultOf(map, each)));
  const slack = [...first, ...second].reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 64;
  return (
    zero.every((value) => value === 0) &&
    whole.every((value, k) => Math.abs(value - (first[k] + second[k])) <= slack)
  );
}

interface Diagnosis {
  readonly kind: AdjointVerdictKind;
  readonly text: string;
  readonly entries: readonly AdjointEntry[];
}

// Both matrices in full, by unit vectors, where that is affordable.
function diagnose(
  forward: LinearMap,
  transpose: LinearMap,
  input: Shape,
  output: Shape,
  settings: Settings,
): Diagnosis {
  const [rows, columns] = [sizeOf(output), sizeOf(input)];
  if (rows * columns > largestMatrix) {
    return { kind: 'wrong', text: 'Check a smaller shape to see which entries differ.', entries: [] };
  }
  const image = (map: LinearMap, shape: Shape, k: number): Float64Array => {
    const unit = new Float64Array(sizeOf(shape));
    unit[k] = settings.scale;
    return numbersOf(resultOf(map, tensor(unit, { shape, dtype: settings.dtype })));
  };
  const given = new Float64Array(rows * columns);
  const wanted = new Float64Array(rows * columns);
  for (let j = 0; j < columns; j++) {
    const column = image(forward, input, j);
    for (let i = 0; i < rows; i++) wanted[i * columns + j] = column[i];
  }
  for (let i = 0; i < rows; i++) given.set(image(transpose, output, i), i * columns);
  const wrong = Array.from(given.keys()).filter((k) => given[k] !== wanted[k]);
  const entries = wrong.slice(0, 5).map((k) => ({
    output: indexOf(Math.floor(k / columns), output),
    input: indexOf(k % columns, input),
    forward: wanted[k],
    transpose: given[k],
  }));
  const guessed = guess({ analytic: given, numeric: wanted, blur: 0 }, { output, input });
  const count = `${wrong.length} of ${given.length} entries differ`;
  return guessed === null
    ? { kind: 'wrong', text: `${count}.`, entries }
    : { kind: guessed.kind, text: `${count}. ${guessed.text.replace('gradient', 'transpose')}`, entries };
}

function messageOf(
  kind: AdjointVerdictKind,
  text: string,
  input: Shape,
  output: Shape,
  entries: readonly AdjointEntry[],
): string {
  const lines = [`${formatShape(input)} -> ${formatShape(output)}: ${kind}. ${text}`];
  for (const { output: row, input: column, forward, transpose } of entries) {
    lines.push(`  A[${row.join(', ')} | ${column.join(', ')}] is ${forward}, the transpose has ${transpose}`);
  }
  return lines.join('\n');
}
