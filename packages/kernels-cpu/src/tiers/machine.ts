// What a fast tier offers: functions on flat arrays, with their numbers in one shared array. ./accelerate.ts makes kernels of it.

import type { FloatArray } from '../kernels.ts';

/** What a {@link Machine} function returns: see `Status` in simd/runtime.h. */
export const DONE = 0;
export const OUT_OF_MEMORY = 1;
export const NOT_HERE = 2;

/** Most numbers that one call takes. */
export const NUMBERS = 128;

/** The boundary of the native addon and of the WebAssembly module. Arguments are trusted: what is wrong is memory corruption. */
export interface Machine {
  /** Arguments that are numbers; read during the call. */
  readonly numbers: Float64Array;
  /** numbers: m, n, depth, row and column stride of a, of b. `starts`: of a per product, then of b. */
  matmul(a: FloatArray, b: FloatArray, starts: Float64Array, out: FloatArray): number;
  /** numbers: the geometry as `putGeometry` writes it; so for all three. */
  convForward(x: FloatArray, w: FloatArray, y: FloatArray): number;
  convInputGrad(w: FloatArray, y: FloatArray, x: FloatArray): number;
  convWeightGrad(x: FloatArray, y: FloatArray, w: FloatArray): number;
}
