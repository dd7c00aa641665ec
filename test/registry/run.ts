// Running a sample: operands drawn from it, the call to the op's own record that it comes down to, and comparisons.

import {
  AdjointError,
  cast,
  contiguous,
  type DType,
  expand,
  flip,
  fullLike,
  Generator,
  GeometryError,
  grad,
  IntegerDivisionError,
  isFloat,
  logicalNot,
  mul,
  narrow,
  noGrad,
  type Op,
  permute,
  select,
  stack,
  sum,
  type Tensor,
  tensor,
} from '@adjoint/core';
import { expect } from 'vitest';
import { type OpRun, observe } from '../../packages/core/src/tape/observer.ts';
import type { AnyOp, Random, Sample } from './sample.ts';

/** Numbers that depend on the name alone, so that a failure repeats and a new sample moves no other. */
export function randomOf(name: string): Random {
  let seed = 0;
  for (const char of name) seed = (seed * 31 + char.charCodeAt(0)) >>> 0;
  const generator = new Generator(seed);
  return () => generator.nextWord() / 2 ** 32;
}

/** Fresh operands of a sample, always with the same values. */
export function draw(op: AnyOp, sample: Sample): Tensor[] {
  const random = randomOf(`${op.name} ${sample.name}`);
  return sample.operands.map(({ shape, dtype, domain }) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    return tensor(Float64Array.from(domain(random, size)), { shape, dtype });
  });
}

/** Which operands of a sample are numbers. */
export function numbersOf(sample: Sample): number[] {
  return sample.operands.flatMap(({ kind }, i) => (kind === 'numbers' ? [i] : []));
}

/** The first run of the op's own record while `call` runs. */
export function recordRun(op: AnyOp, call: () => unknown): OpRun {
  const runs: OpRun[] = [];
  const opRan = (run: OpRun): void => {
    if (run.op === op) runs.push(run);
  };
  observe({ opRan }, () => noGrad(call));
  if (runs.length === 0) throw new Error(`the sample of '${op.name}' does not run it`);
  return runs[0];
}

/** Names of the ops that compute something while `call` runs; views compute nothing. */
export function computed(call: () => unknown): string[] {
  const names: string[] = [];
  const opRan = ({ op }: OpRun): void => {
    if (op.view === null) names.push(op.name);
  };
  observe({ opRan }, call);
  return names;
}

/** The typed errors: of tensors, and of the kernels below them. */
export type TypedError = AdjointError | GeometryError | IntegerDivisionError;

/** Whether an error is one that the framework throws on purpose. */
export function isTyped(error: unknown): error is TypedError {
  return (
    error instanceof AdjointError || error instanceof GeometryError || error instanceof IntegerDivisionError
  );
}

/** What an op makes of operands of one dtype: a result, or a typed error. */
export interface DTypeTrial {
  readonly operands: readonly Tensor[];
  readonly output: Tensor | TypedError;
}

/** Runs a sample with its numbers in another dtype, rounded where that holds integers. */
export function tryDType(op: AnyOp, sample: Sample, dtype: DType): DTypeTrial {
  const operands = draw(op, sample).map((x, i) =>
    sample.operands[i].kind === 'numbers' ? cast(rounded(x, dtype), dtype) : x,
  );
  try {
    return { operands, output: sample.call(...operands) };
  } catch (error) {
    if (isTyped(error)) return { operands, output: error };
    throw error;
  }
}

function rounded(x: Tensor, dtype: DType): Tensor {
  if (isFloat(dtype)) return x;
  const round = (value: number): number =>
    dtype === 'int32' ? Math.round(value) : Math.round(Math.abs(value));
  return tensor(Float64Array.from(x.toTypedArray(), round), { shape: x.shape, dtype: 'float64' });
}

/** A cotangent for a result: fixed numbers of its shape. */
export function cotangentFor({ shape, dtype, size }: Tensor): Tensor {
  const random = randomOf('cotangent');
  return tensor(
    Float64Array.from({ length: size }, () => 2 * random() - 1),
    { shape, dtype },
  );
}

/** A result and the gradients of all numbers that lead to it. */
export interface Outcome {
  readonly output: Tensor;
  readonly gradients: readonly Tensor[];
}

/** Runs a call forward and, if its result has a derivative, backward. Operands keep their layout. */
export function outcome(
  sample: Sample,
  operands: readonly Tensor[],
  cotangent: (output: Tensor) => Tensor = cotangentFor,
): Outcome {
  const places = numbersOf(sample);
  const leaves = operands.map((x, i) => (places.includes(i) ? x.detach().requiresGrad_() : x));
  const output = sample.call(...leaves);
  if (!output.requiresGrad) return { output, gradients: [] };
  const gradients = grad(
    sum(mul(output, cotangent(output))),
    places.map((i) => leaves[i]),
    { unused: 'zeros' },
  );
  return { output, gradients };
}

/** Throws unless two tensors are the same in dtype, shape and every value; NaN is NaN, and -0 is 0. */
export function expectSame(actual: Tensor, wanted: Tensor, what: string): void {
  expectWithin(actual, wanted, what, 0);
}

/** Throws unless two tensors agree within `tolerance`, relative to the largest value that is wanted, and 1 at least. */
export function expectWithin(actual: Tensor, wanted: Tensor, what: string, tolerance: number): void {
  expect(`${actual.dtype} [${actual.shape}]`, what).toBe(`${wanted.dtype} [${wanted.shape}]`);
  const [a, b] = [actual.toTypedArray(), wanted.toTypedArray()];
  const finite = Array.from(b, Math.abs).filter(Number.isFinite);
  const allowed = tolerance * Math.max(1, ...finite);
  const wrong = Array.from(a).findIndex(
    (value, i) =>
      !(value === b[i] || Math.abs(value - b[i]) <= allowed || (Number.isNaN(value) && Number.isNaN(b[i]))),
  );
  if (wrong >= 0) throw new Error(`${what}: element ${wrong} is ${a[wrong]}, wanted ${b[wrong]}`);
}

/** Throws unless result and gradients are the same. */
export function expectSameOutcome(actual: Outcome, wanted: Outcome, what: string): void {
  expectSame(actual.output, wanted.output, what);
  for (const [k, gradient] of actual.gradients.entries()) {
    expectSame(gradient, wanted.gradients[k], `${what}, gradient ${k}`);
  }
}

const poisons: { readonly [dtype in DType]?: number } = { int32: 1e6, uint8: 255 };

/** The same values in other layouts: axes stored in reverse order, read backwards, scattered over a larger array. */
export function layoutsOf(x: Tensor): [name: string, x: Tensor][] {
  const backwards = [...x.shape.keys()].reverse();
  // What lies between the elements is poison: NaN, a position out of range, the opposite.
  const poison = x.dtype === 'bool' ? logicalNot(x) : fullLike(x, poisons[x.dtype] ?? Number.NaN);
  const layouts: [string, Tensor][] = [
    ['scattered', select(stack([poison, x], { axis: -1 }), -1, 1)],
    ['transposed', permute(contiguous(permute(x, backwards)), backwards)],
    ['reversed', flip(contiguous(flip(x, backwards)), backwards)],
  ];
  return layouts.filter(([, other]) => other.ndim > 0 || other.offset > 0);
}

/** Every axis that has elements, once repeated without a copy: the first slice along it stands for all. */
export function expansionsOf(x: Tensor): Tensor[] {
  return [...x.shape.keys()]
    .filter((axis) => x.shape[axis] > 1)
    .map((axis) => expand(narrow(x, axis, 0, 1), x.shape));
}

/** What a sample is called in a test's title. */
export function titleOf({ name, operands }: Sample): string {
  const shapes = operands.map(({ shape }) => `(${shape.join(', ')})`).join(' ');
  return name === '' ? shapes : `${name}: ${shapes}`;
}

/** Whether the op is linear or multilinear by its record, so that an exact adjoint can be asked for. */
export function isLinear({ forwardMode }: Op<unknown>): boolean {
  return forwardMode === 'linear' || forwardMode === 'multilinear';
}
