// Pooling and windows on a machine, plane by plane. Few elements stay in JavaScript: a call has its price.

import type { Kernels, WindowGeometry } from '../kernels.ts';
import type { PoolGeometry } from '../pool-geometry.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import { threeAxes } from '../reference/taps.ts';
import type { Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, writes } from './units.ts';

/** Elements from which a call is worth it. */
const LEAST = 128;

type PlaneName =
  | 'maxPool'
  | 'maxPoolInputGrad'
  | 'avgPool'
  | 'avgPoolInputGrad'
  | 'adaptiveMaxPool'
  | 'overlap';

export function pooling(machine: Machine): Pick<Kernels, PlaneName> {
  return {
    maxPool(g, x, y, indices) {
      const { planes, inPlane, outPlane } = sizesOf(g);
      const isDone =
        x.length >= LEAST &&
        sameFloats(x, x, y) &&
        indices instanceof Int32Array &&
        runUnits(machine, 'maxPool', planes, numbersOf(g), [
          reads(x, inPlane),
          writes(y, outPlane),
          writes(indices, outPlane),
        ]);
      if (!isDone) reference.maxPool(g, x, y, indices);
    },
    maxPoolInputGrad(g, y, indices, x) {
      const { planes, inPlane, outPlane } = sizesOf(g);
      const isDone =
        x.length >= LEAST &&
        sameFloats(x, x, y) &&
        indices instanceof Int32Array &&
        runUnits(machine, 'maxPoolInputGrad', planes, numbersOf(g), [
          reads(y, outPlane),
          reads(indices, outPlane),
          writes(x, inPlane),
        ]);
      if (!isDone) reference.maxPoolInputGrad(g, y, indices, x);
    },
    avgPool(g, x, y) {
      const { planes, inPlane, outPlane } = sizesOf(g);
      const isDone =
        x.length >= LEAST &&
        sameFloats(x, x, y) &&
        runUnits(machine, 'avgPool', planes, numbersOf(g), [reads(x, inPlane), writes(y, outPlane)]);
      if (!isDone) reference.avgPool(g, x, y);
    },
    avgPoolInputGrad(g, y, x) {
      const { planes, inPlane, outPlane } = sizesOf(g);
      const isDone =
        x.length >= LEAST &&
        sameFloats(x, x, y) &&
        runUnits(machine, 'avgPoolInputGrad', planes, numbersOf(g), [reads(y, outPlane), writes(x, inPlane)]);
      if (!isDone) reference.avgPoolInputGrad(g, y, x);
    },
    adaptiveMaxPool(planes, inputSize, outputSize, x, indices) {
      const [inPlane, outPlane] = [elementCount(inputSize), elementCount(outputSize)];
      const isDone =
        x.length >= LEAST &&
        outPlane > 0 &&
        sameFloats(x, x, x) &&
        indices instanceof Int32Array &&
        runUnits(
          machine,
          'adaptiveMaxPool',
          planes,
          [...threeAxes(inputSize, 1), ...threeAxes(outputSize, 1)],
          [reads(x, inPlane), writes(indices, outPlane)],
        );
      if (!isDone) reference.adaptiveMaxPool(planes, inputSize, outputSize, x, indices);
    },
    overlap(g, windows, out) {
      const perPlane = elementCount(g.kernelSize) * elementCount(g.outputSize);
      const isDone =
        windows.length >= LEAST &&
        sameFloats(windows, windows, out) &&
        runUnits(machine, 'overlap', g.planes, windowNumbersOf(g), [
          reads(windows, perPlane),
          writes(out, elementCount(g.inputSize)),
        ]);
      if (!isDone) reference.overlap(g, windows, out);
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
