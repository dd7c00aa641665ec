// What a fast tier offers: functions on flat arrays, with their numbers in one shared array. ./accelerate.ts makes kernels of it.

import type {
  BinaryName,
  DerivativeName,
  FloatArray,
  NumericArray,
  ReduceName,
  UnaryName,
} from '../kernels.ts';

/** What a {@link Machine} function returns: see `Status` in simd/runtime.h. */
export const DONE = 0;
export const OUT_OF_MEMORY = 1;
export const NOT_HERE = 2;

/** Most numbers that one call takes. */
export const NUMBERS = 128;

/** Most axes that a view may have after merging: see simd/layout.h. */
export const MOST_AXES = 8;

/** The types of elements by number, as in simd/layout.h. */
export const ELEMENT_TYPES = [
  'float32',
  'float64',
  'int32',
  'uint8',
  'uint16',
  'float16',
  'bfloat16',
] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];

/** The type of the elements of an array; of 16 bits it does not say whether they are floats. */
export function elementTypeOf(array: NumericArray): ElementType {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Float64Array) return 'float64';
  if (array instanceof Int32Array) return 'int32';
  return array instanceof Uint8Array ? 'uint8' : 'uint16';
}

/** Most operands of an element-wise op. */
const MOST_OPERANDS = 3;

/** Functions that take some nanoseconds per element; exp, which takes less, is none of them. */
export const FUNCTIONS = [
  'exp2',
  'expm1',
  'log',
  'log2',
  'log10',
  'log1p',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'erf',
  'erfc',
  'sigmoid',
  'logSigmoid',
] as const satisfies readonly UnaryName[];

/** The element-wise ops that a machine has, by number and number of operands. The order of all is that of the table in simd/map-ops.h. */
export const UNARY_OPS = [
  'copy',
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
  ...FUNCTIONS,
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
  'celu',
  'cube',
  'clamp',
] as const satisfies readonly (UnaryName | 'copy')[];
export const BINARY_OPS = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'remainder',
  'floorDivide',
  'maximum',
  'minimum',
  'atan2',
  'hypot',
  'reluGrad',
  'logisticLoss',
  'binaryCrossEntropy',
] as const satisfies readonly BinaryName[];
export const DERIVATIVE_OPS = [
  'leakyReluGrad',
  'eluGrad',
  'celuGrad',
  'clampGrad',
  'hardtanhGrad',
  'hardsigmoidGrad',
  'hardswishGrad',
  'sigmoidGrad',
  'tanhGrad',
  'logSigmoidGrad',
  'softplusGrad',
  'siluGrad',
  'mishGrad',
  'geluGrad',
  'geluTanhGrad',
] as const satisfies readonly DerivativeName[];
export const TERNARY_OPS = ['where', 'lerp'] as const;
/** Those that give 0 or 1. */
export const UNARY_PREDICATES = [
  'logicalNot',
  'isNaN',
  'isInf',
  'isFinite',
] as const satisfies readonly UnaryName[];
export const BINARY_PREDICATES = [
  'equal',
  'notEqual',
  'less',
  'lessEqual',
  'greater',
  'greaterEqual',
  'logicalAnd',
  'logicalOr',
  'logicalXor',
] as const satisfies readonly BinaryName[];
/** All of them: an op's number is its place. */
export const MAP_OPS: readonly MapName[] = [
  ...UNARY_OPS,
  ...BINARY_OPS,
  ...DERIVATIVE_OPS,
  ...TERNARY_OPS,
  ...UNARY_PREDICATES,
  ...BINARY_PREDICATES,
];
export type MapName =
  | (typeof UNARY_OPS)[number]
  | (typeof BINARY_OPS)[number]
  | (typeof DERIVATIVE_OPS)[number]
  | (typeof TERNARY_OPS)[number]
  | (typeof UNARY_PREDICATES)[number]
  | (typeof BINARY_PREDICATES)[number];

/** Where in the numbers of a map its parts are: op, p, q, how many operands, the types of those and of the result, layout. */
export const MAP_TYPES = 4;
export const MAP_LAYOUT = MAP_TYPES + MOST_OPERANDS + 1;

/** In the order of `reduce` in simd/reduce.h. */
export const REDUCE_OPS = [
  'sum',
  'max',
  'min',
  'prod',
  'sumOfSquares',
] as const satisfies readonly ReduceName[];

/** The kernels that work unit by unit (rows, planes, flat pieces), in the order of the table in simd/unit-table.h. */
export const UNIT_KERNELS = [
  'softmax',
  'logSoftmax',
  'softmaxGrad',
  'logSoftmaxGrad',
  'logsumexp',
  'crossEntropy',
  'crossEntropyGrad',
  'groupMoments',
  'normaliseSamples',
  'normaliseBy',
  'normaliseSamplesGrad',
  'normaliseByGrad',
  'normaliseSums',
  'sgdStep',
  'adamStep',
  'rmspropStep',
  'maxPool',
  'avgPool',
  'avgPoolInputGrad',
  'gather',
  'scatterAdd',
  'indexSelect',
  'indexAdd',
  'sparseAlong',
  'randomWords',
  'randomUniform',
  'randomNormal',
  'randomBelow',
  'cumsum',
  'cumprod',
  'argmax',
  'argmin',
  'any',
  'all',
  'recurrence',
  'adaptiveMaxPool',
  'overlap',
  'maxPoolInputGrad',
  'argsort',
  'maxPoolValues',
  'argtopk',
  'attention',
  'attentionGrad',
] as const;
export type UnitKernel = (typeof UNIT_KERNELS)[number];

/** Elements from which a call is worth it: below, JavaScript is done before a call has begun. */
export interface WorthACall {
  /** Of ops that are an instruction or two per element, and of reductions. */
  readonly cheap: number;
  /** Of functions, such as exp. */
  readonly dear: number;
  /** Of an optimiser's step. */
  readonly step: number;
}

/** The boundary of the native addon and of the WebAssembly module. Arguments are trusted: what is wrong is memory corruption. */
export interface Machine {
  /** Arguments that are numbers; read during the call. */
  readonly numbers: Float64Array;
  readonly worth: WorthACall;
  /** numbers: m, n, depth, row and column stride of a, of b; offset and stride of the bias. `starts`: of a per product, then of b. */
  matmul(
    a: FloatArray,
    b: FloatArray,
    starts: Float64Array,
    out: FloatArray,
    bias: FloatArray | null,
  ): number;
  /** numbers: the geometry as `putGeometry` writes it; so for all three. */
  convForward(x: FloatArray, w: FloatArray, y: FloatArray): number;
  convInputGrad(w: FloatArray, y: FloatArray, x: FloatArray): number;
  convWeightGrad(x: FloatArray, y: FloatArray, w: FloatArray): number;
  /** One of MAP_OPS on one to three operands, the result last; numbers: see MAP_TYPES, and `putLayout` in ./views.ts. */
  map(...arrays: readonly NumericArray[]): number;
  /** numbers: op, then as `putReduction` in ./views.ts writes it. */
  reduce(a: FloatArray, out: FloatArray): number;
  /** Moves elements of one type to a target; numbers: bytes of one, how many there are, length of the target's array, layout of both as `putLayout` writes it. */
  move(a: NumericArray, target: NumericArray): number;
  /** As `move`, but adds floats to those of the target. */
  addTo(a: FloatArray, target: FloatArray): number;
  /** Runs one of UNIT_KERNELS; numbers: as `runUnits` in ./units.ts writes them. */
  units(...arrays: readonly NumericArray[]): number;
}
