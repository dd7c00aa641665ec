// What an addon must have in common with this package: its kernels are called by number, so the tables must be the same, in the same order.

import { MAP_OPS, REDUCE_OPS, UNIT_KERNELS } from './machine.ts';

/** `BOUNDARY_VERSION` in simd/names.h: raised whenever the meaning of an argument changes. */
const VERSION = 7;

const hashOn = (hash: number, value: number): number => Math.imul(hash ^ value, 16777619);

function hashOf(name: string): number {
  let hash = 2166136261;
  for (let i = 0; i < name.length; i++) hash = hashOn(hash, name.charCodeAt(i) | 32);
  return hash;
}

/** A hash of the names of all kernels that have a number, as simd/names.h works it out from its own tables: a whole number of 32 bits. */
export function boundaryHash(): number {
  let hash = hashOn(2166136261, VERSION);
  for (const name of [...MAP_OPS, ...REDUCE_OPS, ...UNIT_KERNELS]) hash = hashOn(hash, hashOf(name));
  return hash >>> 0;
}
