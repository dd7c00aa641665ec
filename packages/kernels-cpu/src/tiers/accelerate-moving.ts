// Moving elements into a view, or adding them to it, on a machine. Others go element by element: views of different types, targets whose
// elements may share places, views that may lie in one memory, and few elements.

import type { FloatArray, Kernels, NumericArray, Strided } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import type { Machine } from './machine.ts';
import { done } from './status.ts';
import { putLayout } from './views.ts';

/** Elements from which a call is worth it. */
const LEAST = 512;

export function moving(machine: Machine): Pick<Kernels, 'assign' | 'addTo'> {
  const { numbers } = machine;
  /** Writes what a call takes into the numbers of the machine; false if the reference must do it. */
  const put = (a: Strided, target: Strided): boolean => {
    const count = elementCount(target.shape);
    if (
      count < LEAST ||
      a.data.constructor !== target.data.constructor ||
      a.data.buffer === target.data.buffer
    )
      return false;
    const order = outermostFirst(target);
    const [from, to] = [inOrder(a, order), inOrder(target, order)];
    if (!isInjective(to) || !putLayout(numbers, 3, to.shape, [from, to])) return false;
    numbers[0] = a.data.BYTES_PER_ELEMENT;
    numbers[1] = count;
    numbers[2] = target.data.length;
    return true;
  };
  return {
    assign(a, target) {
      if (!put(a, target) || !done(machine.move(a.data, target.data), 'assign')) reference.assign(a, target);
    },
    addTo(a, target) {
      const isFast = isFloats(a.data) && isFloats(target.data) && put(a, target);
      if (!isFast || !done(machine.addTo(a.data, target.data), 'addTo')) reference.addTo(a, target);
    },
  };
}

const isFloats = (data: NumericArray): data is FloatArray =>
  data instanceof Float32Array || data instanceof Float64Array;

/** The axes, those whose steps in memory are longest first: so that what is written is written in order. */
function outermostFirst({ shape, strides }: Strided): number[] {
  return [...shape.keys()]
    .filter((axis) => shape[axis] !== 1)
    .sort((x, y) => Math.abs(strides[y]) - Math.abs(strides[x]));
}

function inOrder({ data, shape, strides, offset }: Strided, order: readonly number[]): Strided {
  return {
    data,
    shape: order.map((axis) => shape[axis]),
    strides: order.map((axis) => strides[axis]),
    offset,
  };
}

/** Whether every element has a place of its own: each step is longer than all that lies within it. Axes are the outermost first. */
function isInjective({ shape, strides }: Strided): boolean {
  let reach = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const step = Math.abs(strides[axis]);
    if (step <= reach) return false;
    reach += step * (shape[axis] - 1);
  }
  return true;
}
