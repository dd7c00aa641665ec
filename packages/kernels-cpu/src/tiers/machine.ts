// What a fast tier offers: functions on flat arrays, with their numbers in one shared array. ./accelerate.ts makes kernels of it.

import type { BinaryName, FloatArray, NumericArray, ReduceName, UnaryName } from '../kernels.ts';

/** What a {@link Machine} function returns: see `Status` in simd/runtime.h. */
export const DONE = 0;
export const OUT_OF_MEMORY = 1;
export const NOT_HERE = 2;

/** Most numbers that one call takes. */
export const NUMBERS = 128;

/** Most axes that a view may have after merging: see simd/layout.h. */
export const MOST_AXES = 8;

/** The element-wise ops that a machine has, by number. The order is that of the tables in simd/map.h. */
export const UNARY_OPS = [
  'neg',
  'abs',
  'sign',
  'square',
  'sqrt',
  'rsqrt',
  'reciprocal',
  'floor',
  'ceil',
  'round',
  'trunc',
  'exp',
  'expm1',
  'log',
  'log1p',
  'tanh',
  'erf',
  'sigmoid',
  'logSigmoid',
  'relu',
  'leakyRelu',
  'elu',
  'softplus',
  'silu',
  'mish',
  'gelu',
  'geluTanh',
  'hardsigmoid',
  'hardswish',
  'clamp',
  'copy',
] as const satisfies readonly (UnaryName | 'copy')[];
export const BINARY_OPS = [
  'add',
  'sub',
  'mul',
  'div',
  'maximum',
  'minimum',
] as const satisfies readonly BinaryName[];
export const COMPARE_OPS = [
  'equal',
  'notEqual',
  'less',
  'lessEqual',
  'greater',
  'greaterEqual',
] as const satisfies readonly BinaryName[];
/** In the order of `reduce` in simd/reduce.h. */
export const REDUCE_OPS = ['sum', 'max', 'min'] as const satisfies readonly ReduceName[];

/** The kernels that work unit by unit (rows, planes, flat pieces), in the order of the table in simd/unit-table.h. */
export const UNIT_KERNELS = ['softmax', 'logSoftmax', 'sgdStep', 'adamStep', 'rmspropStep'] as const;
export type UnitKernel = (typeof UNIT_KERNELS)[number];

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
  /** numbers: op, p, q, layout (see `putLayout` in ./views.ts). */
  unary(a: FloatArray, out: FloatArray): number;
  /** numbers: op, layout. Comparisons write bytes. */
  binary(a: FloatArray, b: FloatArray, out: FloatArray | Uint8Array): number;
  /** numbers: layout. */
  where(condition: Uint8Array, a: FloatArray, b: FloatArray, out: FloatArray): number;
  /** numbers: op, then as `putReduction` in ./views.ts writes it. */
  reduce(a: FloatArray, out: FloatArray): number;
  /** Runs one of UNIT_KERNELS; numbers: as `putUnits` in ./units.ts writes them. */
  units(...arrays: readonly NumericArray[]): number;
}
