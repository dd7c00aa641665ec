// Kernels of rows on a machine: softmax and its logarithm. Few elements stay in JavaScript: a call has its price.

import type { Kernels, ScanKernel, Strided } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { contiguousStrides, elementCount } from '../reference/strided.ts';
import type { Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, writes } from './units.ts';
import { isInside } from './views.ts';

/** Elements from which a call is worth it. */
const LEAST = 128;

export function rows(machine: Machine): Pick<Kernels, 'softmax' | 'logSoftmax'> {
  return { softmax: softmaxOf(machine, 'softmax'), logSoftmax: softmaxOf(machine, 'logSoftmax') };
}

function softmaxOf(machine: Machine, name: 'softmax' | 'logSoftmax'): ScanKernel {
  return (a, axis, out) => {
    const n = a.shape[axis];
    if (
      out.length < LEAST ||
      axis !== a.shape.length - 1 ||
      !sameFloats(a.data, a.data, out) ||
      out.length !== elementCount(a.shape) ||
      !isInside(a)
    ) {
      reference[name](a, axis, out);
      return;
    }
    const { data, offset } = contiguousOf(a, out.length);
    if (!runUnits(machine, name, out.length / n, [n], [reads(data, n, offset), writes(out, n)]))
      reference[name](a, axis, out);
  };
}

/** The same elements row-major: the same elements give the same bits, however they lie. */
function contiguousOf(a: Strided, length: number): Pick<Strided, 'data' | 'offset'> {
  const expected = contiguousStrides(a.shape);
  if (a.shape.every((extent, axis) => extent === 1 || a.strides[axis] === expected[axis])) return a;
  const data = a.data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  reference.copy(a, data);
  return { data, offset: 0 };
}
