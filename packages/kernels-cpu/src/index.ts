// @adjoint/kernels-cpu: typed arrays in, typed arrays out. Knows no tensor and no gradient.

export {
  GeometryError,
  type GeometryFault,
  IntegerDivisionError,
  KernelTierError,
  OperandError,
  type OperandFault,
} from './errors.ts';
export {
  type ConvGeometry,
  type ConvGeometryOptions,
  type ConvTransposeGeometryOptions,
  convGeometry,
  convTransposeGeometry,
} from './geometry.ts';
export { wordsOf } from './kernels/random.ts';
export type * from './kernels.ts';
export { MAX_ELEMENTS, type OptionRule, type PerAxis, perAxis } from './options.ts';
export { type PoolGeometry, type PoolGeometryOptions, poolGeometry } from './pool-geometry.ts';
export { normalQuantile, portableLog } from './reference/normal-quantile.ts';
export { KernelMemoryError, KernelThreadsError } from './tiers/errors.ts';
export {
  type KernelInfo,
  type KernelTier,
  kernelInfo,
  kernels,
  type OpenTier,
  openTier,
  setNumThreads,
} from './tiers/select.ts';
