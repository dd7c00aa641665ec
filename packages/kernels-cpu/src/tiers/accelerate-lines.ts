// Kernels along lines of a machine, but for softmax and its kin: running sums and products, recurrences, order and the first of it, places of
// extremes, any and all. Few elements stay in JavaScript: a call has its price.

import type { Kernels, ReduceKernel, Strided } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import { contiguousOf, linesAlong, runLines, scanOf } from './lines.ts';
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
    cumsum: scanOf(machine, copy, 'cumsum', LEAST),
    cumprod: scanOf(machine, copy, 'cumprod', LEAST),
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
      const fits = out.length >= LEAST && isFloats(a) && out instanceof Int32Array;
      if (fits) {
        const own = [direction === 'descending' ? 1 : 0];
        const perLine = a.shape[axis];
        if (runLines(machine, copy, 'argsort', { a, first: axis, last: axis, out, perLine, own })) return;
      }
      reference.argsort(a, axis, direction, out);
    },
    argtopk(a, axis, k, direction, out) {
      const fits = k > 0 && elementCount(a.shape) >= LEAST && isFloats(a) && out instanceof Int32Array;
      if (fits) {
        const own = [k, direction === 'descending' ? 1 : 0];
        if (runLines(machine, copy, 'argtopk', { a, first: axis, last: axis, out, perLine: k, own })) return;
      }
      reference.argtopk(a, axis, k, direction, out);
    },
    argmax: placeOf(machine, copy, 'argmax'),
    argmin: placeOf(machine, copy, 'argmin'),
    any: quantifierOf(machine, copy, 'any'),
    all: quantifierOf(machine, copy, 'all'),
  };
}

const isFloats = ({ data }: Strided): boolean => sameFloats(data, data, data);

function placeOf(machine: Machine, copy: Kernels['copy'], name: 'argmax' | 'argmin'): Kernels['argmax'] {
  return (a, axis, out) => {
    const fits = elementCount(a.shape) >= LEAST && isFloats(a) && out instanceof Int32Array;
    if (fits && runLines(machine, copy, name, { a, first: axis, last: axis, out, perLine: 1 })) return;
    reference[name](a, axis, out);
  };
}

function quantifierOf(machine: Machine, copy: Kernels['copy'], name: 'any' | 'all'): ReduceKernel {
  return (a, axes, out) => {
    const [first, last] = [axes[0], axes[axes.length - 1]];
    const fits =
      elementCount(a.shape) >= LEAST && last - first === axes.length - 1 && out instanceof Uint8Array;
    if (fits) {
      const own = [ELEMENT_TYPES.indexOf(elementTypeOf(a.data))];
      if (runLines(machine, copy, name, { a, first, last, out, perLine: 1, own })) return;
    }
    reference[name](a, axes, out);
  };
}
