// Element-wise kernels and reductions of a machine. Few elements stay in JavaScript: a call has its price.

import type { BinaryKernel, FloatArray, Kernels, ReduceKernel, UnaryKernel } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import { BINARY_OPS, COMPARE_OPS, type Machine, REDUCE_OPS, UNARY_OPS } from './machine.ts';
import { done, sameFloats } from './status.ts';
import { isInside, putLayout, putReduction } from './views.ts';

/** Elements from which a call is worth it: of ops that are one instruction, and of functions. */
const CHEAP = 1024;
const DEAR = 128;

/** The ops that cost an instruction or two per element. */
const cheap: ReadonlySet<string> = new Set([
  'neg',
  'abs',
  'square',
  'sqrt',
  'reciprocal',
  'relu',
  'leakyRelu',
  'copy',
]);

/** Defaults of the parameters (p, q), as in the reference. */
const parameters: Readonly<Record<string, readonly [number, number]>> = {
  leakyRelu: [0.01, 0],
  elu: [1, 1],
  softplus: [1, 20],
  clamp: [-Infinity, Infinity],
};

export function elementwise(machine: Machine): Partial<Kernels> {
  const table: Record<string, unknown> = { where: whereOf(machine) };
  UNARY_OPS.forEach((name, op) => {
    table[name] = unaryOf(machine, name, op);
  });
  BINARY_OPS.forEach((name, op) => {
    table[name] = binaryOf(machine, name, op);
  });
  COMPARE_OPS.forEach((name, op) => {
    table[name] = compareOf(machine, name, op);
  });
  REDUCE_OPS.forEach((name, op) => {
    table[name] = reduceOf(machine, name, op);
  });
  return table as Partial<Kernels>;
}

function unaryOf(machine: Machine, name: (typeof UNARY_OPS)[number], op: number): UnaryKernel {
  const { numbers } = machine;
  const fallback = reference[name] as UnaryKernel;
  const least = cheap.has(name) ? CHEAP : DEAR;
  const [defaultP, defaultQ] = parameters[name] ?? [0, 0];
  return (a, out, p = defaultP, q = defaultQ) => {
    if (
      out.length >= least &&
      sameFloats(a.data, a.data, out) &&
      out.length === elementCount(a.shape) &&
      isInside(a) &&
      putLayout(numbers, 3, a.shape, [a])
    ) {
      numbers[0] = op;
      numbers[1] = p;
      numbers[2] = q;
      if (done(machine.unary(a.data as FloatArray, out as FloatArray), name)) return;
    }
    fallback(a, out, p, q);
  };
}

function binaryOf(machine: Machine, name: (typeof BINARY_OPS)[number], op: number): BinaryKernel {
  const { numbers } = machine;
  const fallback = reference[name];
  return (a, b, out, shape) => {
    if (
      out.length >= CHEAP &&
      sameFloats(a.data, b.data, out) &&
      out.length === elementCount(shape) &&
      isInside(a) &&
      isInside(b) &&
      putLayout(numbers, 1, shape, [a, b])
    ) {
      numbers[0] = op;
      if (done(machine.binary(a.data as FloatArray, b.data as FloatArray, out as FloatArray), name)) return;
    }
    fallback(a, b, out, shape);
  };
}

function compareOf(machine: Machine, name: (typeof COMPARE_OPS)[number], op: number): BinaryKernel {
  const { numbers } = machine;
  const fallback = reference[name];
  return (a, b, out, shape) => {
    if (
      out.length >= CHEAP &&
      out instanceof Uint8Array &&
      sameFloats(a.data, b.data, a.data) &&
      out.length === elementCount(shape) &&
      isInside(a) &&
      isInside(b) &&
      putLayout(numbers, 1, shape, [a, b])
    ) {
      numbers[0] = op;
      if (done(machine.binary(a.data as FloatArray, b.data as FloatArray, out), name)) return;
    }
    fallback(a, b, out, shape);
  };
}

function whereOf(machine: Machine): Kernels['where'] {
  const { numbers } = machine;
  return (condition, a, b, out, shape) => {
    if (
      out.length >= CHEAP &&
      condition.data instanceof Uint8Array &&
      sameFloats(a.data, b.data, out) &&
      out.length === elementCount(shape) &&
      isInside(condition) &&
      isInside(a) &&
      isInside(b) &&
      putLayout(numbers, 0, shape, [condition, a, b])
    ) {
      const status = machine.where(
        condition.data,
        a.data as FloatArray,
        b.data as FloatArray,
        out as FloatArray,
      );
      if (done(status, 'where')) return;
    }
    reference.where(condition, a, b, out, shape);
  };
}

function reduceOf(machine: Machine, name: (typeof REDUCE_OPS)[number], op: number): ReduceKernel {
  const { numbers } = machine;
  const fallback = reference[name];
  return (a, axes, out) => {
    const count = elementCount(a.shape);
    if (
      count >= CHEAP &&
      sameFloats(a.data, a.data, out) &&
      out.length * axes.reduce((product, axis) => product * a.shape[axis], 1) === count &&
      isInside(a) &&
      putReduction(numbers, 1, a, axes)
    ) {
      numbers[0] = op;
      if (done(machine.reduce(a.data as FloatArray, out as FloatArray), name)) return;
    }
    fallback(a, axes, out);
  };
}
