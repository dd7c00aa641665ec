// Pooling on a machine, plane by plane. Few elements stay in JavaScript: a call has its price.

import type { Kernels } from '../kernels.ts';
import type { PoolGeometry } from '../pool-geometry.ts';
import { reference } from '../reference/index.ts';
import { elementCount } from '../reference/strided.ts';
import { threeAxes } from '../reference/taps.ts';
import type { Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, writes } from './units.ts';

/** Elements from which a call is worth it. */
const LEAST = 128;

export function pooling(machine: Machine): Pick<Kernels, 'maxPool' | 'avgPool' | 'avgPoolInputGrad'> {
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
