// Kernels from a machine: decides per call whether it pays, writes the arguments down, and falls through to the reference
// for everything else. What is too small to gain runs in JavaScript.

import type { Kernels } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { attention } from './accelerate-attention.ts';
import { descent } from './accelerate-descent.ts';
import { elementwise } from './accelerate-elementwise.ts';
import { lines } from './accelerate-lines.ts';
import { lookup } from './accelerate-lookup.ts';
import { moving } from './accelerate-moving.ts';
import { norms } from './accelerate-norms.ts';
import { pooling } from './accelerate-planes.ts';
import { convolutions, products } from './accelerate-products.ts';
import { random } from './accelerate-random.ts';
import { reductions } from './accelerate-reductions.ts';
import { rows } from './accelerate-rows.ts';
import { varianceOf } from './accelerate-variance.ts';
import type { Machine } from './machine.ts';

/** All kernels: those that the machine has, over the reference. */
export function accelerate(machine: Machine): Kernels {
  const maps = elementwise(machine);
  const copy = maps.copy ?? reference.copy;
  return {
    ...reference,
    ...products(machine),
    ...convolutions(machine),
    ...maps,
    ...reductions(machine),
    ...rows(machine, copy),
    ...attention(machine),
    ...descent(machine),
    ...pooling(machine),
    ...lookup(machine),
    ...lines(machine, copy),
    ...moving(machine),
    ...random(machine),
    ...norms(machine),
    variance: varianceOf(machine, copy),
  };
}
