// Kernels of lines on a machine: softmax, its logarithm, the logarithm of a sum of exponentials, cross entropy, and gradients. Few
// elements stay in JavaScript: a call has its price.

import type { ClassGeometry, FloatArray, Kernels, SoftmaxGradKernel, Strided } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import { linesAlong, runLines, scanOf } from './lines.ts';
import type { Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, writes } from './units.ts';

/** Elements from which a call is worth it. */
const LEAST = 128;

type RowName =
  | 'softmax'
  | 'logSoftmax'
  | 'softmaxGrad'
  | 'logSoftmaxGrad'
  | 'logsumexp'
  | 'crossEntropy'
  | 'crossEntropyGrad';

export function rows(machine: Machine, copy: Kernels['copy']): Pick<Kernels, RowName> {
  return {
    softmax: scanOf(machine, copy, 'softmax', LEAST),
    logSoftmax: scanOf(machine, copy, 'logSoftmax', LEAST),
    softmaxGrad: softmaxGradOf(machine, 'softmaxGrad'),
    logSoftmaxGrad: softmaxGradOf(machine, 'logSoftmaxGrad'),
    logsumexp: logsumexpOf(machine, copy),
    crossEntropy: crossEntropyOf(machine),
    crossEntropyGrad: crossEntropyGradOf(machine),
  };
}

function softmaxGradOf(machine: Machine, name: 'softmaxGrad' | 'logSoftmaxGrad'): SoftmaxGradKernel {
  return (g, y, shape, axis, out) => {
    if (out.length >= LEAST && sameFloats(g, y, out)) {
      const { inner, unit } = linesAlong(shape, axis, axis);
      const arrays = [reads(g, unit), reads(y, unit), writes(out, unit)];
      if (runUnits(machine, name, out.length / unit, [shape[axis], inner], arrays)) return;
    }
    reference[name](g, y, shape, axis, out);
  };
}

function logsumexpOf(machine: Machine, copy: Kernels['copy']): Kernels['logsumexp'] {
  return (a, axes, out) => {
    const fits = elementCount(a.shape) >= LEAST && axes.length > 0 && sameFloats(a.data, a.data, out);
    if (fits) {
      const neighbours = axes[axes.length - 1] - axes[0] === axes.length - 1;
      // Axes that are apart are brought together at the end: those that stay keep their order.
      const first = neighbours ? axes[0] : a.shape.length - axes.length;
      const last = first + axes.length - 1;
      const together = neighbours ? a : withAxesLast(a, axes);
      if (runLines(machine, copy, 'logsumexp', { a: together, first, last, out, perLine: 1 })) return;
    }
    reference.logsumexp(a, axes, out);
  };
}

function withAxesLast({ data, shape, strides, offset }: Strided, axes: readonly number[]): Strided {
  const order = [...shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  return {
    data,
    shape: order.map((axis) => shape[axis]),
    strides: order.map((axis) => strides[axis]),
    offset,
  };
}

/** Whether the logits are worth a call, and all floats of one type. */
function fitsClasses(logits: FloatArray, other: FloatArray): boolean {
  return logits.length >= LEAST && sameFloats(logits, logits, other);
}

const classNumbers = ({ classes, places, smoothing }: ClassGeometry): number[] => [
  classes,
  places,
  smoothing,
];

function crossEntropyOf(machine: Machine): Kernels['crossEntropy'] {
  return (g, logits, target, losses, logs) => {
    if (fitsClasses(logits, losses)) {
      const { batch, classes, places } = g;
      const arrays = [
        reads(logits, classes * places),
        reads(target, places),
        writes(losses, places),
        writes(logs, places),
      ];
      if (runUnits(machine, 'crossEntropy', batch, classNumbers(g), arrays)) return;
    }
    reference.crossEntropy(g, logits, target, losses, logs);
  };
}

function crossEntropyGradOf(machine: Machine): Kernels['crossEntropyGrad'] {
  return (g, cotangent, logits, target, logs, out) => {
    if (fitsClasses(logits, out) && sameFloats(logits, logits, cotangent)) {
      const { batch, classes, places } = g;
      const own = [reads(cotangent, places), reads(logits, classes * places), reads(target, places)];
      const arrays = [...own, reads(logs, places), writes(out, classes * places)];
      if (runUnits(machine, 'crossEntropyGrad', batch, classNumbers(g), arrays)) return;
    }
    reference.crossEntropyGrad(g, cotangent, logits, target, logs, out);
  };
}
