// Random numbers on a machine: an element is a unit. A few stay in JavaScript: a call has its price.

import type { RandomKernels, RandomSource } from '../kernels/random.ts';
import { randomKernels as reference } from '../reference/random.ts';
import { ELEMENT_TYPES, elementTypeOf, type Machine } from './machine.ts';
import { runUnits, updates, writes } from './units.ts';

/** Elements from which a call is worth it. */
const LEAST = 64;

/** As `readSource` in simd/random.h takes them. */
const numbersOf = ({ key, stream, position }: RandomSource): number[] => [...key, ...stream, position];

export function random(machine: Machine): RandomKernels {
  return {
    randomWords(source, out) {
      const isDone =
        out.length >= LEAST &&
        runUnits(machine, 'randomWords', out.length, numbersOf(source), [writes(out, 1)]);
      if (!isDone) reference.randomWords(source, out);
    },
    randomUniform(source, bits, out) {
      const own = [...numbersOf(source), bits];
      const isDone =
        out.length >= LEAST && runUnits(machine, 'randomUniform', out.length, own, [writes(out, 1)]);
      if (!isDone) reference.randomUniform(source, bits, out);
    },
    randomNormal(source, out) {
      const isDone =
        out.length >= LEAST &&
        runUnits(machine, 'randomNormal', out.length, numbersOf(source), [writes(out, 1)]);
      if (!isDone) reference.randomNormal(source, out);
    },
    randomBelow(source, limit, low, out) {
      if (out.length < LEAST) return reference.randomBelow(source, limit, low, out);
      const own = [...numbersOf(source), limit, low, ELEMENT_TYPES.indexOf(elementTypeOf(out))];
      const unfair = new Int32Array(1);
      const arrays = [writes(out, 1), updates(unfair, 0)];
      if (!runUnits(machine, 'randomBelow', out.length, own, arrays))
        return reference.randomBelow(source, limit, low, out);
      return unfair[0] === 0;
    },
  };
}
