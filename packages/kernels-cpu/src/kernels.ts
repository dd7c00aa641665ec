// The one interface between whoever computes (a tier: native, wasm, reference) and whoever asks (core, or you).
//
// Arrays in, arrays out. Inputs may be strided views; every output is a contiguous row-major array that the caller
// allocated with exactly the right length, and a kernel writes all of it. Lengths, layouts and shapes are checked before
// anything is done (./tiers/checked.ts has the rules); the values of indices are trusted.

import type { DescentKernels } from './descent.ts';
import type { ConvGeometry } from './geometry.ts';
import type { PoolGeometry } from './pool-geometry.ts';
import type { RandomKernels } from './random.ts';

/** An array of real numbers that kernels compute with in floating point. */
export type FloatArray = Float32Array | Float64Array;

/** Every element type that kernels read and write; `Uint16Array` holds the bits of 16-bit floats, which are moved but never computed with. */
export type NumericArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array;

/**
 * A read-only view of an array: element `(i0, i1, …)` is `data[offset + i0 * strides[0] + i1 * strides[1] + …]`.
 * Strides count elements and may be 0 (broadcast) or negative (reversed).
 */
export interface Strided<A extends NumericArray = NumericArray> {
  readonly data: A;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** A sparse matrix by rows: row `i` has `values[n]` in column `columns[n]`, for n from `starts[i]` up to `starts[i + 1]`. */
export interface SparseMatrix {
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/**
 * Windows that slide over the 1 to 3 spatial axes of planes: element `q` of the one at place `o` is at `o · stride + q · dilation`. All
 * lie within the plane, of the size `inputSize`.
 */
export interface WindowGeometry {
  readonly planes: number;
  readonly inputSize: readonly number[];
  readonly kernelSize: readonly number[];
  readonly outputSize: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
}

/** `out[i] = f(a[i], p, q)`; `p` and `q` are the op's own parameters (slope, alpha, lower and upper bound). */
export type UnaryKernel = (a: Strided, out: NumericArray, p?: number, q?: number) => void;

/** `out[i] = f(a[i], b[i])`, with `a` and `b` broadcast to `shape`, the shape of `out`. */
export type BinaryKernel = (a: Strided, b: Strided, out: NumericArray, shape: readonly number[]) => void;

/**
 * `out[i] = g[i] · f′(a[i], p, q)`: a cotangent times the derivative of a function with parameters p and q, both broadcast to `shape`. Of
 * sigmoid and tanh, `a` is what the function gave, of the others what it was given.
 */
export type DerivativeKernel = (
  g: Strided,
  a: Strided,
  out: NumericArray,
  shape: readonly number[],
  p?: number,
  q?: number,
) => void;

/** `out[i] = f(a[i], b[i], c[i])`, all three broadcast to `shape`, the shape of `out`. */
export type TernaryKernel = (
  a: Strided,
  b: Strided,
  c: Strided,
  out: NumericArray,
  shape: readonly number[],
) => void;

/** Reduces `axes` (sorted, distinct, non-negative) of `a`; `out` has the shape of the axes that stay. */
export type ReduceKernel = (a: Strided, axes: readonly number[], out: NumericArray) => void;

/** Runs along one axis; `out` has the shape of `a`. */
export type ScanKernel = (a: Strided, axis: number, out: NumericArray) => void;

/** `g` and `y` are contiguous and of `shape`, as is `out`; sums run along `axis`. */
export type SoftmaxGradKernel = (
  g: FloatArray,
  y: FloatArray,
  shape: readonly number[],
  axis: number,
  out: FloatArray,
) => void;

/**
 * What is normalised: contiguous arrays of `batch` × `groups` × `channels` × `places` elements, with a weight and a bias per group and
 * channel, and one mean and one `rstd` (the reciprocal of the deviation) per set of elements that are normalised together.
 */
export interface NormGeometry {
  readonly batch: number;
  readonly groups: number;
  readonly channels: number;
  readonly places: number;
  /** The sets: `'sample'`, each group of each sample; `'batch'`, each group of all samples. Statistics lie in that order. */
  readonly over: 'sample' | 'batch';
  /** Whether the mean is taken off; if not, it counts as 0, and the mean square as the variance. */
  readonly centred: boolean;
  /** Added to the variance before its root is taken. */
  readonly eps: number;
}

/** Logits: a contiguous array of `batch` × `classes` × `places` elements, with a target class at each place of each sample. */
export interface ClassGeometry {
  readonly batch: number;
  readonly classes: number;
  readonly places: number;
  /** How much of each target is spread evenly over all classes, from 0 to 1. */
  readonly smoothing: number;
}

/** One of each per group and channel. */
export interface NormParameters {
  readonly weight: FloatArray;
  readonly bias: FloatArray;
}

/** One of each per set. */
export interface NormStatistics {
  readonly mean: FloatArray;
  readonly rstd: FloatArray;
}

/** What a normalisation finds out: statistics by which it can be repeated, and the mean square deviation. One of each per set. */
export interface NormMoments extends NormStatistics {
  readonly variance: FloatArray;
}

/** Names of the element-wise kernels of one operand. Parameters, where there are any, are `(p, q)`. */
export type UnaryName =
  // arithmetic
  | 'neg'
  | 'abs'
  | 'sign'
  | 'square'
  | 'cube'
  | 'sqrt'
  | 'rsqrt'
  | 'reciprocal'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'trunc'
  // exponentials and logarithms
  | 'exp'
  | 'exp2'
  | 'expm1'
  | 'log'
  | 'log2'
  | 'log10'
  | 'log1p'
  // trigonometric and hyperbolic functions
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'asinh'
  | 'acosh'
  | 'atanh'
  // special functions
  | 'erf'
  | 'erfc'
  | 'sigmoid'
  | 'logSigmoid'
  // activations: leakyRelu(slope), elu(alpha, scale), celu(alpha), softplus(beta, threshold), clamp(lower, upper)
  | 'relu'
  | 'leakyRelu'
  | 'elu'
  | 'celu'
  | 'softplus'
  | 'silu'
  | 'mish'
  | 'gelu'
  | 'geluTanh'
  | 'hardsigmoid'
  | 'hardswish'
  | 'clamp'
  // predicates (0 or 1)
  | 'logicalNot'
  | 'isNaN'
  | 'isInf'
  | 'isFinite';

/** Names of the element-wise kernels of two operands. The comparisons and logical ones give 0 or 1. */
export type BinaryName =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'remainder'
  | 'floorDivide'
  | 'maximum'
  | 'minimum'
  | 'atan2'
  | 'hypot'
  // the gradient of relu from a cotangent and the result: the first, but 0 where the second is 0 or less
  | 'reluGrad'
  // losses: of a logit, and of a probability whose logarithms stop at -100, against a target probability
  | 'logisticLoss'
  | 'binaryCrossEntropy'
  | 'equal'
  | 'notEqual'
  | 'less'
  | 'lessEqual'
  | 'greater'
  | 'greaterEqual'
  | 'logicalAnd'
  | 'logicalOr'
  | 'logicalXor';

/** Names of the kernels of derivatives, with the parameters of their functions; hardtanh is clamp, which passes nothing on its bounds. */
export type DerivativeName =
  | 'leakyReluGrad'
  | 'eluGrad'
  | 'celuGrad'
  | 'clampGrad'
  | 'hardtanhGrad'
  | 'hardsigmoidGrad'
  | 'hardswishGrad'
  | 'sigmoidGrad'
  | 'tanhGrad'
  | 'logSigmoidGrad'
  | 'softplusGrad'
  | 'siluGrad'
  | 'mishGrad'
  | 'geluGrad'
  | 'geluTanhGrad';

/** Names of the kernels that reduce any set of axes; `sumOfSquares` is of floats. */
export type ReduceName = 'sum' | 'sumOfSquares' | 'prod' | 'max' | 'min' | 'any' | 'all';

type ElementwiseKernels = { readonly [K in UnaryName]: UnaryKernel } & {
  readonly [K in BinaryName]: BinaryKernel;
} & {
  readonly [K in DerivativeName]: DerivativeKernel;
};
type ReduceKernels = { readonly [K in ReduceName]: ReduceKernel };

/** Everything that a tier can compute. The reference implements all of it; a faster tier may implement a part. */
export interface Kernels extends ElementwiseKernels, ReduceKernels, DescentKernels, RandomKernels {
  /** `out[i] = condition[i] ? a[i] : b[i]`. */
  readonly where: TernaryKernel;
  /** `out[i] = a[i] + c[i] * (b[i] - a[i])`, computed as PyTorch's `lerp` does. */
  readonly lerp: TernaryKernel;

  /** Index of the largest element along `axis`, the first of equals; NaN counts as largest. `out` lacks the axis. */
  readonly argmax: (a: Strided, axis: number, out: Int32Array) => void;
  /** Index of the smallest element along `axis`, the first of equals; NaN counts as smallest. `out` lacks the axis. */
  readonly argmin: (a: Strided, axis: number, out: Int32Array) => void;
  readonly cumsum: ScanKernel;
  readonly cumprod: ScanKernel;
  /** `out[i] = a[i] * out[i - 1] + b[i]` along `axis`, from `out[-1] = 0`; `a`, `b` and `out` share a shape. */
  readonly recurrence: (a: Strided, b: Strided, axis: number, out: NumericArray) => void;
  /** `exp(a[i]) / Σ exp(a[j])` along `axis`, without overflow. */
  readonly softmax: ScanKernel;
  /** `a[i] - log(Σ exp(a[j]))` along `axis`, without overflow. */
  readonly logSoftmax: ScanKernel;
  /** The gradient of `softmax` that gave `y`: `y · (g - Σ g y)` along `axis`. All are contiguous, of `shape`. */
  readonly softmaxGrad: SoftmaxGradKernel;
  /** The gradient of `logSoftmax` that gave `y`: `g - exp(y) Σ g`. */
  readonly logSoftmaxGrad: SoftmaxGradKernel;
  /** `log(Σ exp(a[i]))`, without overflow; -Infinity of no elements. */
  readonly logsumexp: ReduceKernel;
  /**
   * The cross entropy between softmax of logits and target distributions (1 - smoothing in the target class, and its share of smoothing in
   * each); `logs`, log(Σ exp(logit)), is written too. All but the logits are of `batch` × `places`. A target below 0 has no loss.
   */
  readonly crossEntropy: (
    g: ClassGeometry,
    logits: FloatArray,
    target: Int32Array,
    losses: FloatArray,
    logs: Float64Array,
  ) => void;
  /** The gradient of `crossEntropy` in the logits: `cotangent · (softmax - target distribution)`, with the `logs` that it wrote. */
  readonly crossEntropyGrad: (
    g: ClassGeometry,
    cotangent: FloatArray,
    logits: FloatArray,
    target: Int32Array,
    logs: Float64Array,
    out: FloatArray,
  ) => void;
  /** `Σ (a[i] - mean)² / max(0, n - correction)`, in two passes; NaN where that is 0 / 0. */
  readonly variance: (a: Strided, axes: readonly number[], correction: number, out: NumericArray) => void;
  /**
   * `y = (x - mean) · rstd · weight + bias` with the mean and `rstd = 1 / √(variance + eps)` of each set, which are written too, as is
   * the variance, which is the mean square deviation.
   */
  readonly normalise: (
    g: NormGeometry,
    x: FloatArray,
    affine: NormParameters,
    y: FloatArray,
    moments: NormMoments,
  ) => void;
  /** As `normalise`, with statistics that are given. */
  readonly normaliseBy: (
    g: NormGeometry,
    x: FloatArray,
    affine: NormParameters,
    statistics: NormStatistics,
    y: FloatArray,
  ) => void;
  /** The gradient of `normalise` in x, from the cotangent: `rstd · (c - mean(c) - x̂ mean(c x̂))` with c = cotangent · weight; without mean(c) unless centred. */
  readonly normaliseGrad: (
    g: NormGeometry,
    cotangent: FloatArray,
    x: FloatArray,
    weight: FloatArray,
    statistics: NormStatistics,
    out: FloatArray,
  ) => void;
  /** The gradient of `normalise` in the weight: `Σ cotangent · (x - mean) · rstd` over samples and places. */
  readonly normaliseWeightGrad: (
    g: NormGeometry,
    cotangent: FloatArray,
    x: FloatArray,
    statistics: NormStatistics,
    out: FloatArray,
  ) => void;
  /** Stable order of the elements along `axis`; NaN sorts as largest. `out` has the shape of `a`. */
  readonly argsort: (
    a: Strided,
    axis: number,
    direction: 'ascending' | 'descending',
    out: Int32Array,
  ) => void;

  /** `out[...batch, i, j] = Σk a[...batch, i, k] · b[...batch, k, j]`; the batch axes of both broadcast to those of `shape`. */
  readonly matmul: BinaryKernel;

  /** The trilinear convolution family of ./geometry.ts. All arrays are contiguous; `out` comes last. */
  readonly convForward: (g: ConvGeometry, x: FloatArray, w: FloatArray, y: FloatArray) => void;
  readonly convInputGrad: (g: ConvGeometry, w: FloatArray, y: FloatArray, x: FloatArray) => void;
  readonly convWeightGrad: (g: ConvGeometry, x: FloatArray, y: FloatArray, w: FloatArray) => void;

  /** Largest element per window and its flat index within its (channel's) plane; padding never wins. NaN wins. */
  readonly maxPool: (g: PoolGeometry, x: FloatArray, y: FloatArray, indices: Int32Array) => void;
  /**
   * The adjoint of reading x at the `indices` that `maxPool` gave for the same geometry: adds each element of y to the one of x that it was. What
   * other indices do is not said, but that nothing outside of their plane is touched.
   */
  readonly maxPoolInputGrad: (g: PoolGeometry, y: FloatArray, indices: Int32Array, x: FloatArray) => void;
  /** Mean per window, divided by `divisor(window)` as the geometry says. */
  readonly avgPool: (g: PoolGeometry, x: FloatArray, y: FloatArray) => void;
  /** The adjoint of `avgPool`. */
  readonly avgPoolInputGrad: (g: PoolGeometry, y: FloatArray, x: FloatArray) => void;

  /** `out[…, i, …] = Σk matrix[i, k] · a[…, k, …]` along `axis`, summed in double precision. */
  readonly sparseAlong: (matrix: SparseMatrix, a: Strided, axis: number, out: NumericArray) => void;
  /**
   * For each of `planes` contiguous planes, the flat index of the largest element of every window of adaptive pooling: along an
   * axis window `o` covers `floor(o · in / out)` up to, but not with, `ceil((o + 1) · in / out)`. NaN wins.
   */
  readonly adaptiveMaxPool: (
    planes: number,
    inputSize: readonly number[],
    outputSize: readonly number[],
    x: FloatArray,
    indices: Int32Array,
  ) => void;

  /**
   * Adds windows up where they overlap: `out` is 0 but for `out[p, o · stride + q · dilation] += windows[p, q, o]`, for each plane `p`,
   * element `q` of the kernel and place `o`, in this order. Both arrays are row-major.
   */
  readonly overlap: (g: WindowGeometry, windows: NumericArray, out: NumericArray) => void;

  /** Writes the elements of `a` into `out`, row-major; converts as a JavaScript assignment between the arrays does. */
  readonly copy: (a: Strided, out: NumericArray) => void;
  /** Writes the elements of `a` into the view `target` of the same shape. */
  readonly assign: (a: Strided, target: Strided) => void;
  /** `out[..., i, ...] = a[..., index[..., i, ...], ...]` along `axis`; `index` and `out` share a shape (PyTorch `gather`). */
  readonly gather: (a: Strided, axis: number, index: Strided, out: NumericArray) => void;
  /** `target[..., index[..., i, ...], ...] = a[..., i, ...]` along `axis`; `target` is contiguous with shape `targetShape`. */
  readonly scatter: (
    a: Strided,
    axis: number,
    index: Strided,
    target: NumericArray,
    targetShape: readonly number[],
  ) => void;
  /** As `scatter`, but adds: the adjoint of `gather`. */
  readonly scatterAdd: (
    a: Strided,
    axis: number,
    index: Strided,
    target: NumericArray,
    targetShape: readonly number[],
  ) => void;
  /** Picks whole slices: `out[..., j, ...] = a[..., index[j], ...]` along `axis`; `index` has one axis (or is a flat run). */
  readonly indexSelect: (a: Strided, axis: number, index: Int32Array, out: NumericArray) => void;
  /** As the adjoint of `indexSelect`: `target[..., index[j], ...] += a[..., j, ...]`. */
  readonly indexAdd: (
    a: Strided,
    axis: number,
    index: Int32Array,
    target: NumericArray,
    targetShape: readonly number[],
  ) => void;

  /** IEEE binary16 bits to numbers, exact. */
  readonly decodeFloat16: (bits: Uint16Array, out: FloatArray) => void;
  /** Numbers to IEEE binary16 bits, rounded once to nearest even (from float64 too: no double rounding). */
  readonly encodeFloat16: (a: FloatArray, bits: Uint16Array) => void;
  /** bfloat16 bits to numbers, exact. */
  readonly decodeBfloat16: (bits: Uint16Array, out: FloatArray) => void;
  /** Numbers to bfloat16 bits, rounded once to nearest even. */
  readonly encodeBfloat16: (a: FloatArray, bits: Uint16Array) => void;
}
