// Reductions of a machine. Few elements stay in JavaScript: a call has its price.

import type { FloatArray, Kernels, ReduceKernel } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import { type Machine, REDUCE_OPS } from './machine.ts';
import { done, sameFloats } from './status.ts';
import { isInside, putReduction } from './views.ts';

/** Elements from which a call is worth it. */
const LEAST = 1024;

export function reductions(machine: Machine): Partial<Kernels> {
  const table: Partial<Record<(typeof REDUCE_OPS)[number], ReduceKernel>> = {};
  REDUCE_OPS.forEach((name, op) => {
    table[name] = reduceOf(machine, name, op);
  });
  return table;
}

function reduceOf(machine: Machine, name: (typeof REDUCE_OPS)[number], op: number): ReduceKernel {
  const { numbers } = machine;
  return (a, axes, out) => {
    const count = elementCount(a.shape);
    if (
      count >= LEAST &&
      sameFloats(a.data, a.data, out) &&
      out.length * axes.reduce((product, axis) => product * a.shape[axis], 1) === count &&
      isInside(a) &&
      putReduction(numbers, 1, a, axes)
    ) {
      numbers[0] = op;
      if (done(machine.reduce(a.data as FloatArray, out as FloatArray), name)) return;
    }
    reference[name](a, axes, out);
  };
}
