// Kernels element by element: their names, and how those of one, two and three operands are called.

import type { NumericArray, Strided } from '../arrays.ts';

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

type Named = { readonly [K in UnaryName]: UnaryKernel } & {
  readonly [K in BinaryName]: BinaryKernel;
} & {
  readonly [K in DerivativeName]: DerivativeKernel;
};

/** Kernels that compute each element of the result from the elements of the operands at its place. */
export interface ElementwiseKernels extends Named {
  /** `out[i] = condition[i] ? a[i] : b[i]`. */
  readonly where: TernaryKernel;
  /** `out[i] = a[i] + c[i] * (b[i] - a[i])`, computed as PyTorch's `lerp` does. */
  readonly lerp: TernaryKernel;
}
