// Kernels of lines on a machine: softmax, its logarithm, the logarithm of a sum of exponentials, and gradients. Few elements
// stay in JavaScript: a call has its price.

import type { FloatArray, Kernels, ScanKernel, SoftmaxGradKernel, Strided } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { contiguousStrides, elementCount } from '../reference/strided.ts';
import type { Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, writes } from './units.ts';
import { isInside } from './views.ts';

/** Elements from which a call is worth it. */
const LEAST = 128;

export function rows(
  machine: Machine,
): Pick<Kernels, 'softmax' | 'logSoftmax' | 'softmaxGrad' | 'logSoftmaxGrad' | 'logsumexp'> {
  return {
    softmax: softmaxOf(machine, 'softmax'),
    logSoftmax: softmaxOf(machine, 'logSoftmax'),
    softmaxGrad: softmaxGradOf(machine, 'softmaxGrad'),
    logSoftmaxGrad: softmaxGradOf(machine, 'logSoftmaxGrad'),
    logsumexp: logsumexpOf(machine),
  };
}

function softmaxOf(machine: Machine, name: 'softmax' | 'logSoftmax'): ScanKernel {
  return (a, axis, out) => {
    const fits =
      out.length >= LEAST &&
      sameFloats(a.data, a.data, out) &&
      out.length === elementCount(a.shape) &&
      isInside(a);
    if (fits) {
      const { data, offset } = contiguousOf(a, out.length);
      const { inner, unit } = linesAlong(a.shape, axis, axis);
      const arrays = [reads(data, unit, offset), writes(out, unit)];
      if (runUnits(machine, name, out.length / unit, [a.shape[axis], inner], arrays)) return;
    }
    reference[name](a, axis, out);
  };
}

function softmaxGradOf(machine: Machine, name: 'softmaxGrad' | 'logSoftmaxGrad'): SoftmaxGradKernel {
  return (g, y, shape, axis, out) => {
    if (out.length >= LEAST && sameFloats(g, y, out) && out.length === elementCount(shape)) {
      const { inner, unit } = linesAlong(shape, axis, axis);
      const arrays = [reads(g, unit), reads(y, unit), writes(out, unit)];
      if (runUnits(machine, name, out.length / unit, [shape[axis], inner], arrays)) return;
    }
    reference[name](g, y, shape, axis, out);
  };
}

function logsumexpOf(machine: Machine): Kernels['logsumexp'] {
  return (a, axes, out) => {
    const count = elementCount(a.shape);
    const [first, last] = [axes[0], axes[axes.length - 1]];
    const fits =
      count >= LEAST &&
      last - first === axes.length - 1 &&
      sameFloats(a.data, a.data, out) &&
      isInside(a) &&
      out.length === count / elementCount(a.shape.slice(first, last + 1));
    if (fits) {
      const { data, offset } = contiguousOf(a, count);
      const { inner, unit } = linesAlong(a.shape, first, last);
      const arrays = [reads(data, unit, offset), writes(out, inner)];
      if (runUnits(machine, 'logsumexp', count / unit, [unit / inner, inner], arrays)) return;
    }
    reference.logsumexp(a, axes, out);
  };
}

/** How many lines along these axes lie side by side, and how many elements those have. */
function linesAlong(shape: readonly number[], first: number, last: number): { inner: number; unit: number } {
  const inner = elementCount(shape.slice(last + 1));
  return { inner, unit: inner * elementCount(shape.slice(first, last + 1)) };
}

/** The same elements row-major: the same elements give the same bits, however they lie. */
export function contiguousOf(a: Strided, length: number): { data: FloatArray; offset: number } {
  const expected = contiguousStrides(a.shape);
  if (a.shape.every((extent, axis) => extent === 1 || a.strides[axis] === expected[axis]))
    return { data: a.data as FloatArray, offset: a.offset };
  const data = a.data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  reference.copy(a, data);
  return { data, offset: 0 };
}
