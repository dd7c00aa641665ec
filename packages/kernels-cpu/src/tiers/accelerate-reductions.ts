// Reductions of a machine. Few elements stay in JavaScript: a call has its price.

import type { FloatArray, Kernels, ReduceKernel } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import { type Machine, REDUCE_OPS } from './machine.ts';
import { writable } from './singles.ts';
import { done, sameFloats } from './status.ts';
import { putReduction } from './views.ts';

export function reductions(machine: Machine): Partial<Kernels> {
  const table: Partial<Record<(typeof REDUCE_OPS)[number], ReduceKernel>> = {};
  REDUCE_OPS.forEach((name, op) => {
    table[name] = reduceOf(machine, name, op);
  });
  return table;
}

function reduceOf(machine: Machine, name: (typeof REDUCE_OPS)[number], op: number): ReduceKernel {
  const { numbers, worth } = machine;
  return (a, axes, out) => {
    const count = elementCount(a.shape);
    if (count >= worth.cheap && sameFloats(a.data, a.data, out) && putReduction(numbers, 1, a, axes)) {
      numbers[0] = op;
      const result = writable(out as FloatArray);
      if (done(machine.reduce(a.data as FloatArray, result), name)) {
        if (result !== out) out[0] = result[0];
        return;
      }
    }
    reference[name](a, axes, out);
  };
}
