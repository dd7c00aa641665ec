// The options of the derivative checks, and their defaults.

import { requireOneOf } from '../arguments.ts';
import { ArgumentError } from '../errors.ts';
import type { OptionKinds } from '../options.ts';
import type { CheckPrecision } from './probe.ts';

/** Options of `gradcheck`, `gradgradcheck` and `jvpcheck`. */
export interface CheckOptions {
  /**
   * `full` (default) compares every entry of the Jacobian: two runs per input element. `fast` compares a few random
   * projections `vᵀ J u`, a handful of runs in all; it looks at entries only where a projection is wrong and the
   * Jacobian is small enough.
   */
  readonly mode?: 'full' | 'fast' | undefined;
  /** How far inputs are moved to either side. Default 1e-5, and 1e-2 with `precision: 'float32'`. */
  readonly step?: number | undefined;
  /** Error allowed beside the relative one. Default 1e-8, and 1e-3 with `precision: 'float32'`. */
  readonly atol?: number | undefined;
  /** Error allowed per unit of the numeric derivative. Default 1e-6, and 1e-2 with `precision: 'float32'`. */
  readonly rtol?: number | undefined;
  /** `float64` (default) refuses float32 inputs; `float32` accepts them, for a coarse check. */
  readonly precision?: CheckPrecision | undefined;
  /** Projections per pair in fast mode. Default 4. */
  readonly projections?: number | undefined;
  /** Most entries that a Jacobian may have to be looked at entry by entry after fast mode found it wrong. Default 65536. */
  readonly detailLimit?: number | undefined;
  /** Seed of the random directions. Default 0. */
  readonly seed?: number | undefined;
}

/** The kinds of all {@link CheckOptions}. */
export const checkOptions: OptionKinds<CheckOptions> = {
  mode: 'string',
  step: 'number',
  atol: 'number',
  rtol: 'number',
  precision: 'string',
  projections: 'number',
  detailLimit: 'number',
  seed: 'number',
};

/** Options none of which is left out. */
export type Filled<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** Options with their defaults filled in. */
export type ResolvedOptions = Filled<CheckOptions>;

/**
 * Fills in defaults.
 *
 * @throws ArgumentError for an option that is none of the values it may have.
 */
export function resolveOptions(op: string, options: CheckOptions): ResolvedOptions {
  const { precision = 'float64', mode = 'full' } = options;
  requireOneOf(op, 'precision', precision, ['float64', 'float32']);
  requireOneOf(op, 'mode', mode, ['full', 'fast']);
  const coarse = precision === 'float32';
  return {
    mode,
    step: atLeast(op, 'step', options.step ?? (coarse ? 1e-2 : 1e-5), Number.MIN_VALUE),
    atol: atLeast(op, 'atol', options.atol ?? (coarse ? 1e-3 : 1e-8), 0),
    rtol: atLeast(op, 'rtol', options.rtol ?? (coarse ? 1e-2 : 1e-6), 0),
    precision,
    projections: Math.ceil(atLeast(op, 'projections', options.projections ?? 4, 1)),
    detailLimit: atLeast(op, 'detailLimit', options.detailLimit ?? 65536, 0),
    seed: atLeast(op, 'seed', options.seed ?? 0, 0),
  };
}

function atLeast(op: string, operand: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return value;
  throw new ArgumentError(
    `${operand} is ${value}; give a finite number ${least === Number.MIN_VALUE ? 'above 0' : `of at least ${least}`}.`,
    { op, operand, actual: value, expected: `a finite number >= ${least}` },
  );
}
