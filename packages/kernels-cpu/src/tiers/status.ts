// What every accelerated kernel asks: are these arrays ours, and was it done?

import { KernelMemoryError } from './errors.ts';
import { DONE, NOT_HERE } from './machine.ts';

/** Whether the machine has done it; false if the reference must. */
export function done(status: number, op: string): boolean {
  if (status === DONE) return true;
  if (status === NOT_HERE) return false;
  throw new KernelMemoryError(op);
}

/** Whether all arrays are of one floating-point type. */
export function sameFloats(a: unknown, b: unknown, out: unknown): boolean {
  return (
    (out instanceof Float32Array && a instanceof Float32Array && b instanceof Float32Array) ||
    (out instanceof Float64Array && a instanceof Float64Array && b instanceof Float64Array)
  );
}
