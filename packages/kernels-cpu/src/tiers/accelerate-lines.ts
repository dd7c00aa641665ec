// Kernels along lines of a machine, but for softmax and its kin: running sums and products, recurrences, order and the first of it, places of
// extremes, any and all. Few elements stay in JavaScript: a call has its price.

import type { Kernels, ReduceKernel, ScanKernel } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import { contiguousOf, linesAlong } from './lines.ts';
import { ELEMENT_TYPES, elementTypeOf, type Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, writes } from './units.ts';

/** Elements from which a call is worth it. */
const LEAST = 256;

type LineName =
  | 'cumsum'
  | 'cumprod'
  | 'recurrence'
  | 'argsort'
  | 'argtopk'
  | 'argmax'
  | 'argmin'
  | 'any'
  | 'all';

export function lines(machine: Machine, copy: Kernels['copy']): Pick<Kernels, LineName> {
  return {
    cumsum: scanOf(machine, copy, 'cumsum'),
    cumprod: scanOf(machine, copy, 'cumprod'),
    recurrence(a, b, axis, out) {
      if (out.length >= LEAST && sameFloats(a.data, b.data, out)) {
        const [first, second] = [contiguousOf(a, out.length, copy), contiguousOf(b, out.length, copy)];
        const { inner, unit } = linesAlong(a.shape, axis, axis);
        const arrays = [
          reads(first.data, unit, first.offset),
          reads(second.data, unit, second.offset),
          writes(out, unit),
        ];
        if (runUnits(machine, 'recurrence', out.length / unit, [a.shape[axis], inner], arrays)) return;
      }
      reference.recurrence(a, b, axis, out);
    },
    argsort(a, axis, direction, out) {
      if (out.length >= LEAST && sameFloats(a.data, a.data, a.data) && out instanceof Int32Array) {
        const { data, offset } = contiguousOf(a, out.length, copy);
        const { inner, unit } = linesAlong(a.shape, axis, axis);
        const own = [a.shape[axis], inner, direction === 'descending' ? 1 : 0];
        const arrays = [reads(data, unit, offset), writes(out, unit)];
        if (runUnits(machine, 'argsort', out.length / unit, own, arrays)) return;
      }
      reference.argsort(a, axis, direction, out);
    },
    argtopk(a, axis, k, direction, out) {
      const count = elementCount(a.shape);
      if (k > 0 && count >= LEAST && sameFloats(a.data, a.data, a.data) && out instanceof Int32Array) {
        const { data, offset } = contiguousOf(a, count, copy);
        const { inner, unit } = linesAlong(a.shape, axis, axis);
        const own = [a.shape[axis], inner, k, direction === 'descending' ? 1 : 0];
        const arrays = [reads(data, unit, offset), writes(out, k * inner)];
        if (runUnits(machine, 'argtopk', count / unit, own, arrays)) return;
      }
      reference.argtopk(a, axis, k, direction, out);
    },
    argmax: placeOf(machine, copy, 'argmax'),
    argmin: placeOf(machine, copy, 'argmin'),
    any: quantifierOf(machine, copy, 'any'),
    all: quantifierOf(machine, copy, 'all'),
  };
}

function scanOf(machine: Machine, copy: Kernels['copy'], name: 'cumsum' | 'cumprod'): ScanKernel {
  return (a, axis, out) => {
    if (out.length >= LEAST && sameFloats(a.data, a.data, out)) {
      const { data, offset } = contiguousOf(a, out.length, copy);
      const { inner, unit } = linesAlong(a.shape, axis, axis);
      const arrays = [reads(data, unit, offset), writes(out, unit)];
      if (runUnits(machine, name, out.length / unit, [a.shape[axis], inner], arrays)) return;
    }
    reference[name](a, axis, out);
  };
}

function placeOf(machine: Machine, copy: Kernels['copy'], name: 'argmax' | 'argmin'): Kernels['argmax'] {
  return (a, axis, out) => {
    const count = elementCount(a.shape);
    if (count >= LEAST && sameFloats(a.data, a.data, a.data) && out instanceof Int32Array) {
      const { data, offset } = contiguousOf(a, count, copy);
      const { inner, unit } = linesAlong(a.shape, axis, axis);
      const arrays = [reads(data, unit, offset), writes(out, inner)];
      if (runUnits(machine, name, count / unit, [a.shape[axis], inner], arrays)) return;
    }
    reference[name](a, axis, out);
  };
}

function quantifierOf(machine: Machine, copy: Kernels['copy'], name: 'any' | 'all'): ReduceKernel {
  return (a, axes, out) => {
    const count = elementCount(a.shape);
    const [first, last] = [axes[0], axes[axes.length - 1]];
    const fits = count >= LEAST && last - first === axes.length - 1 && out instanceof Uint8Array;
    if (fits) {
      const { data, offset } = contiguousOf(a, count, copy);
      const { inner, unit } = linesAlong(a.shape, first, last);
      const own = [unit / inner, inner, ELEMENT_TYPES.indexOf(elementTypeOf(data))];
      if (runUnits(machine, name, count / unit, own, [reads(data, unit, offset), writes(out, inner)])) return;
    }
    reference[name](a, axes, out);
  };
}
