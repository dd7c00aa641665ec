// What a sample of an op is: operands to draw, a call that runs the op on them, and calls that it must refuse.
//
// The suite beside this file takes it from there: what must hold of an op follows from its record. So a table of samples
// (./samples) says only what a record cannot: where numbers may lie, and how the op is called.

import { type CheckOptions, type Op, type Shape, ShapeError, type Tensor, zeros } from '@adjoint/core';

/** A source of numbers in [0, 1). */
export type Random = () => number;

/** Draws the values of one operand, in row-major order. */
export type Domain = (random: Random, size: number) => number[];

/** An operand to draw. `numbers` are differentiated and tried in every dtype; `fixed` ones (indices, masks) are not. */
export interface OperandSample {
  readonly kind: 'numbers' | 'fixed';
  readonly dtype: 'float64' | 'int32' | 'bool';
  readonly shape: Shape;
  readonly domain: Domain;
}

/** A legal call of an op. */
export interface Sample {
  /** What is special about it; the suite adds the shapes. */
  readonly name: string;
  readonly operands: readonly OperandSample[];
  /** Runs the op, through its public function where there is one. */
  readonly call: (...operands: Tensor[]) => Tensor;
  /** The values that must come out, from those that go in, by a formula of its own: where PyTorch does not cover the op. */
  readonly expected?: (...operands: number[][]) => number[];
}

/** An illegal call, and the error that says so before anything is computed. */
export interface Refusal {
  readonly name: string;
  readonly call: () => unknown;
  readonly error: abstract new (...args: never[]) => Error;
  /** The name that the error gives, where the user called another function than the op is named for. */
  readonly op?: string;
  /** The operand of the record, or the option of the call, that the error names. */
  readonly names?: { readonly operand: string } | { readonly option: string };
}

/** An op of which nothing is known but what every op has. */
// biome-ignore lint/suspicious/noExplicitAny: a table holds ops of any attributes
export type AnyOp = Op<any>;

/** All that is known of an op beside its record. */
export interface OpSamples {
  readonly op: AnyOp;
  readonly samples: readonly Sample[];
  readonly refusals: readonly Refusal[];
  /** Why there is no sample with an operand without elements. */
  readonly neverEmpty?: string;
  /** Why there is no sample with a 0-d operand. */
  readonly neverScalar?: string;
  /** Trailing axes that do not broadcast, as the two of a matrix. Default 0. */
  readonly coreAxes?: number;
  /** A number that makes the coefficients of a linear op whole, for the exact adjoint test. Default 1. */
  readonly scale?: number;
  /** How its derivatives are compared with difference quotients, where the defaults will not do. */
  readonly check?: CheckOptions;
}

/** Numbers from `low` to `high`. */
export const between =
  (low: number, high: number): Domain =>
  (random, size) =>
    Array.from({ length: size }, () => low + (high - low) * random());

/** Numbers of a domain, none within 0.1 of a place where the op has a kink or a jump. */
export const away =
  (domain: Domain, ...kinks: number[]): Domain =>
  (random, size) =>
    Array.from({ length: size }, () => {
      for (;;) {
        const [value] = domain(random, 1);
        if (kinks.every((kink) => Math.abs(value - kink) > 0.1)) return value;
      }
    });

/** Numbers that lie between whole ones, at least 0.1 from each. */
export const betweenWhole =
  (low: number, high: number): Domain =>
  (random, size) =>
    Array.from({ length: size }, () => low + Math.floor((high - low) * random()) + 0.1 + 0.8 * random());

/** Numbers of both signs, no two closer than 0.2, none closer to 0 than 0.1: order is safe from small steps. */
export const distinct: Domain = (random, size) => {
  const values = Array.from(
    { length: size },
    (_, i) => (i - (size >> 1)) * 0.3 + 0.15 + 0.1 * (random() - 0.5),
  );
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor((i + 1) * random());
    [values[i], values[j]] = [values[j], values[i]];
  }
  return values;
};

/** Numbers around 0, of both signs. */
export const real: Domain = between(-2, 2);

/** An operand of numbers. */
export function numbers(shape: Shape, domain: Domain = real): OperandSample {
  return { kind: 'numbers', dtype: 'float64', shape, domain };
}

/** An operand of positions from 0 to `below` - 1. */
export function positions(shape: Shape, below: number): OperandSample {
  const domain: Domain = (random, size) => Array.from({ length: size }, () => Math.floor(below * random()));
  return { kind: 'fixed', dtype: 'int32', shape, domain };
}

/** An operand of exactly these integers, of shape (n,) unless another is given. */
export function integers(values: readonly number[], shape: Shape = [values.length]): OperandSample {
  return { kind: 'fixed', dtype: 'int32', shape, domain: () => [...values] };
}

/** An operand of true and false. */
export function choices(shape: Shape): OperandSample {
  const domain: Domain = (random, size) => Array.from({ length: size }, () => (random() < 0.5 ? 1 : 0));
  return { kind: 'fixed', dtype: 'bool', shape, domain };
}

/** Samples of an op that goes element by element: a matrix, one number, nothing; of all operands alike. */
export function pointwise(
  op: AnyOp,
  call: Sample['call'],
  domains: readonly Domain[],
  more: Partial<OpSamples> = {},
): OpSamples {
  const samples = [[2, 3], [], [0, 3]].map(
    (shape): Sample => ({ name: '', operands: domains.map((domain) => numbers(shape, domain)), call }),
  );
  const misfit: Refusal[] =
    domains.length < 2
      ? []
      : [
          {
            name: 'shapes that do not broadcast',
            call: () => call(...domains.map((_, i) => zeros(i === 1 ? [2, 4] : [2, 3]))),
            error: ShapeError,
          },
        ];
  return {
    op,
    ...more,
    samples: [...samples, ...(more.samples ?? [])],
    refusals: [...misfit, ...(more.refusals ?? [])],
  };
}
