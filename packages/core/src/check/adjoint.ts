// adjointCheck: whether one linear map is the transpose of another, tested exactly.
//
// On small integers every sum and product of a linear map with integer coefficients is exact in floating point, so the
// identity that defines the adjoint, <A x, y> = <x, Aᵀ y>, holds to the last bit or not at all.

import { requireInteger } from '../arguments.ts';
import { type DType, isFloat } from '../dtype.ts';
import { ArgumentError, formatShape } from '../errors.ts';
import { tensor } from '../ops/create.ts';
import { noOptions, requireOptions } from '../options.ts';
import { Generator } from '../random/generator.ts';
import { checkShape, type Shape, sameShape, sizeOf } from '../shape.ts';
import { noGrad } from '../tape/mode.ts';
import type { Tensor } from '../tensor.ts';
import { diagnose } from './adjoint-diagnose.ts';
import {
  AdjointCheckError,
  type AdjointEntry,
  type AdjointReport,
  type AdjointVerdictKind,
  messageOf,
} from './adjoint-report.ts';
import { inexactness, isLinear, type LinearMap, resultOf } from './linear-map.ts';
import { numbersOf } from './numbers.ts';
import type { Filled } from './options.ts';
import { dot } from './reverse.ts';

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

/** The kinds of what all checks of adjoints take. */
export const trialOptions = { trials: 'number', range: 'number', scale: 'number', seed: 'number' } as const;

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
  requireOptions('adjointCheck', options, { dtype: 'dtype', ...trialOptions });
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
  requireOptions('assertAdjoint', options, { dtype: 'dtype', ...trialOptions });
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
    requireInteger('adjointCheck', operand, value, 1);
    return value;
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
