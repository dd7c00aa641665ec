// Pooling and windows on a machine, plane by plane. Few elements stay in JavaScript: a call has its price.

import type { NumericArray, PlaneKernels, WindowGeometry } from '../kernels.ts';
import type { PoolGeometry } from '../pool-geometry.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import { threeAxes } from '../reference/taps.ts';
import type { Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, type UnitArray, writes } from './units.ts';

/** Elements from which a call is worth it. */
const LEAST = 128;

type PlaneName = Exclude<keyof PlaneKernels, 'sparseAlong'>;

const noIndices = new Int32Array(0);

/** Whether there are enough elements, of one type of floats, and indices (if there are any) are whole numbers. */
function suits(x: NumericArray, y: NumericArray, indices: unknown = noIndices): boolean {
  return x.length >= LEAST && sameFloats(x, y, y) && indices instanceof Int32Array;
}

export function pooling(machine: Machine): Pick<PlaneKernels, PlaneName> {
  const run = (
    kernel: PlaneName | 'maxPoolValues',
    planes: number,
    numbers: readonly number[],
    ...arrays: readonly UnitArray[]
  ): boolean => runUnits(machine, kernel, planes, numbers, arrays);
  return {
    maxPool(g, x, y, indices) {
      const { planes, inPlane, outPlane } = sizesOf(g);
      const arrays = [reads(x, inPlane), writes(y, outPlane)];
      const isDone =
        indices === null
          ? suits(x, y) && run('maxPoolValues', planes, numbersOf(g), ...arrays)
          : suits(x, y, indices) &&
            run('maxPool', planes, numbersOf(g), ...arrays, writes(indices, outPlane));
      if (!isDone) reference.maxPool(g, x, y, indices);
    },
    maxPoolInputGrad(g, y, indices, x) {
      const { planes, inPlane, outPlane } = sizesOf(g);
      const [from, places, to] = [reads(y, outPlane), reads(indices, outPlane), writes(x, inPlane)];
      if (!suits(x, y, indices) || !run('maxPoolInputGrad', planes, numbersOf(g), from, places, to))
        reference.maxPoolInputGrad(g, y, indices, x);
    },
    avgPool(g, x, y) {
      const { planes, inPlane, outPlane } = sizesOf(g);
      if (!suits(x, y) || !run('avgPool', planes, numbersOf(g), reads(x, inPlane), writes(y, outPlane)))
        reference.avgPool(g, x, y);
    },
    avgPoolInputGrad(g, y, x) {
      const { planes, inPlane, outPlane } = sizesOf(g);
      const [from, to] = [reads(y, outPlane), writes(x, inPlane)];
      if (!suits(x, y) || !run('avgPoolInputGrad', planes, numbersOf(g), from, to))
        reference.avgPoolInputGrad(g, y, x);
    },
    adaptiveMaxPool(planes, inputSize, outputSize, x, indices) {
      const [inPlane, outPlane] = [elementCount(inputSize), elementCount(outputSize)];
      const numbers = [inputSize, outputSize].flatMap((extents) => threeAxes(extents, 1));
      const [from, to] = [reads(x, inPlane), writes(indices, outPlane)];
      if (outPlane === 0 || !suits(x, x, indices) || !run('adaptiveMaxPool', planes, numbers, from, to))
        reference.adaptiveMaxPool(planes, inputSize, outputSize, x, indices);
    },
    overlap(g, windows, out) {
      const perPlane = elementCount(g.kernelSize) * elementCount(g.outputSize);
      const [from, to] = [reads(windows, perPlane), writes(out, elementCount(g.inputSize))];
      if (!suits(windows, out) || !run('overlap', g.planes, windowNumbersOf(g), from, to))
        reference.overlap(g, windows, out);
    },
  };
}

function sizesOf(g: PoolGeometry): { planes: number; inPlane: number; outPlane: number } {
  return {
    planes: g.batch * g.channels,
    inPlane: elementCount(g.inputSize),
    outPlane: elementCount(g.outputSize),
  };
}

/** As `readPooling` in simd/planes.h takes them. */
function numbersOf(g: PoolGeometry): number[] {
  return [
    ...threeAxes(g.inputSize, 1),
    ...threeAxes(g.kernelSize, 1),
    ...threeAxes(g.outputSize, 1),
    ...threeAxes(g.stride, 1),
    ...threeAxes(g.padding, 0),
    ...threeAxes(g.dilation, 1),
    g.countIncludePad ? 1 : 0,
    g.divisorOverride ?? 0,
  ];
}

/** As `overlapPlanes` in simd/windows.h takes them. */
function windowNumbersOf(g: WindowGeometry): number[] {
  return [g.inputSize, g.kernelSize, g.outputSize, g.stride, g.dilation].flatMap((extents) =>
    threeAxes(extents, 1),
  );
}
