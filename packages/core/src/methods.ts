// Puts the ops on Tensor as methods. Loaded by the root entry only: sub-path entries offer the functions alone.

import { backward } from './autograd/backward.ts';
import { registerHook } from './autograd/hooks.ts';
import type { DType } from './dtype.ts';
import { formatShape, ShapeError } from './errors.ts';
import type * as sources from './method-sources.ts';
import { add, div, mul, neg, sub } from './ops/arithmetic.ts';
import { flatten, flip, movedim, roll, squeeze, unflatten, unsqueeze } from './ops/axes.ts';
import { clamp, hardtanh } from './ops/bounds.ts';
import { cast } from './ops/cast.ts';
import { allclose, equal, isclose } from './ops/close.ts';
import { eq, ge, gt, isfinite, isinf, isnan, le, lt, ne } from './ops/compare.ts';
import { diagonal, trace, tril, triu } from './ops/diagonal.ts';
import { diff } from './ops/differences.ts';
import { floorDivide, remainder } from './ops/division.ts';
import { expand, mean, sum } from './ops/expand-sum.ts';
import { exp, exp2, expm1, log, log1p, log2, log10 } from './ops/exponential.ts';
import { amax, amin, argmax, argmin, max, min } from './ops/extremes.ts';
import { gather, scatter, scatterAdd } from './ops/gather.ts';
import { acosh, asinh, atanh, cosh, hypot, sinh, tanh } from './ops/hyperbolic.ts';
import { index } from './ops/index-advanced.ts';
import { clone, contiguous, permute, reshape, transpose, view } from './ops/layout.ts';
import { lerp } from './ops/lerp.ts';
import { logicalAnd, logicalNot, logicalOr, logicalXor } from './ops/logic.ts';
import { indexSelect, take } from './ops/lookup.ts';
import { maskedFill, maskedSelect } from './ops/masked.ts';
import { matmul } from './ops/matmul.ts';
import { median } from './ops/median.ts';
import { add_, clamp_, copy_, div_, fill_, mul_, sub_, zero_ } from './ops/mutate.ts';
import { nanToNum } from './ops/nan-to-num.ts';
import type { Operand } from './ops/operand.ts';
import { pad } from './ops/pad.ts';
import { pow, reciprocal, rsqrt, sqrt, square } from './ops/powers.ts';
import { bmm, dot, outer } from './ops/products.ts';
import { all, any, countNonzero } from './ops/quantifiers.ts';
import { celu, elu, hardsigmoid, hardswish, leakyRelu, prelu, relu, relu6, selu } from './ops/rectifiers.ts';
import { repeat, repeatInterleave, tile } from './ops/repeat.ts';
import { cumprod, cumsum, prod } from './ops/scan.ts';
import { nonzero, unique } from './ops/search.ts';
import { abs, maximum, minimum, where } from './ops/select.ts';
import { erf, erfc, gelu, logSigmoid, mish, sigmoid, silu, softplus, softsign } from './ops/sigmoids.ts';
import { narrow, select, slice } from './ops/slice.ts';
import { logaddexp, logSoftmax, logsumexp, softmax } from './ops/softmax.ts';
import { argsort, sort, topk } from './ops/sort.ts';
import { chunk, split, unbind } from './ops/split.ts';
import { norm, std, type VarianceOptions, variance } from './ops/statistics.ts';
import { ceil, floor, round, sign, trunc } from './ops/steps.ts';
import { bincount, indexAdd } from './ops/sums-by-index.ts';
import { acos, asin, atan, atan2, cos, sin, tan } from './ops/trigonometry.ts';
import { Tensor } from './tensor.ts';

/** Turns `(x, ...rest) => result`, with one signature or two, into the type of the method `x.name(...rest)`. */
type Method<F> = F extends {
  (x: Tensor, ...rest: infer RestA): infer A;
  (x: Tensor, ...rest: infer RestB): infer B;
}
  ? [RestA, A] extends [RestB, B]
    ? (...rest: RestB) => B
    : { (...rest: RestA): A; (...rest: RestB): B }
  : never;

const methods = {
  add,
  sub,
  mul,
  div,
  neg,
  matmul,
  sum,
  mean,
  reshape,
  permute,
  transpose,
  expand,
  view,
  flatten,
  unflatten,
  squeeze,
  unsqueeze,
  movedim,
  flip,
  roll,
  repeat,
  repeatInterleave,
  tile,
  slice,
  select,
  narrow,
  split,
  chunk,
  unbind,
  gather,
  scatter,
  scatterAdd,
  indexAdd,
  bincount,
  indexSelect,
  take,
  maskedFill,
  maskedSelect,
  index,
  sort,
  argsort,
  topk,
  nonzero,
  unique,
  pad,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  logicalAnd,
  logicalOr,
  logicalXor,
  logicalNot,
  isnan,
  isinf,
  isfinite,
  nanToNum,
  isclose,
  allclose,
  equal,
  exp,
  exp2,
  expm1,
  log,
  log2,
  log10,
  log1p,
  sign,
  floor,
  ceil,
  round,
  trunc,
  where: (x: Tensor, condition: Tensor, other: Operand) => where(condition, x, other),
  maximum,
  minimum,
  abs,
  pow,
  square,
  sqrt,
  rsqrt,
  reciprocal,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  atan2,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  hypot,
  sigmoid,
  logSigmoid,
  softplus,
  silu,
  mish,
  gelu,
  erf,
  erfc,
  softsign,
  relu,
  leakyRelu,
  prelu,
  elu,
  celu,
  selu,
  relu6,
  hardsigmoid,
  hardswish,
  clamp,
  hardtanh,
  softmax,
  logSoftmax,
  logsumexp,
  logaddexp,
  amax,
  amin,
  max,
  min,
  argmax,
  argmin,
  var: variance,
  std,
  norm,
  any,
  all,
  countNonzero,
  cumsum,
  cumprod,
  diff,
  prod,
  floorDivide,
  remainder,
  lerp,
  bmm,
  dot,
  outer,
  diagonal,
  trace,
  triu,
  tril,
  median,
  clone,
  contiguous,
  to: cast,
  copy_,
  fill_,
  zero_,
  add_,
  sub_,
  mul_,
  div_,
  clamp_,
  backward,
  registerHook,
};

// By way of the modules that declare them, so that editors show a method with the comment of its function.
type Declared = Pick<typeof sources, Exclude<keyof typeof methods, keyof Renamed>>;
type Methods = { [K in keyof Declared]: Method<(typeof methods)[K]> };

/** Methods whose name, or the place of their tensor, is another than their function's. */
interface Renamed {
  /**
   * Converts to another element type; the same tensor if it has it already. The function is `cast`. PyTorch's `Tensor.to(dtype)`.
   *
   * @throws DTypeError if `dtype` is not one of the seven types.
   * @example
   * tensor([1.5, -2.5]).to('int32').toArray(); // [1, -2]
   */
  to(dtype: DType): Tensor;
  /**
   * The variance over axes, all by default. The function is `variance`. PyTorch's `Tensor.var`.
   *
   * @throws ArgumentError for axes out of range or named twice.
   * @example
   * tensor([1, 2, 4]).var({ correction: 0 }).item(); // 1.5555555820465088
   */
  var(options?: VarianceOptions): Tensor;
  /**
   * Takes this tensor's elements where `condition` holds and those of `other` elsewhere, with broadcasting and type promotion.
   * PyTorch's `Tensor.where`.
   *
   * @param condition bool.
   * @throws DTypeError if `condition` is not bool; ShapeError if the shapes do not broadcast.
   * @example
   * tensor([1, 2]).where(tensor([true, false]), 0).toArray(); // [1, 0]
   */
  where(condition: Tensor, other: Operand): Tensor;
}

/**
 * What PyTorch has as properties. A loop over the first axis is `for (const row of x.unbind())`: a tensor is no iterable by itself, for
 * test runners compare iterables part by part, and the parts of a tensor are tensors over the same storage, without end.
 */
interface Conveniences {
  /**
   * The transpose of a matrix, a view; a vector or a number is its own. PyTorch's `x.T`.
   *
   * @throws ShapeError for three axes or more, where PyTorch has deprecated it: `mT` transposes each matrix of a stack, `permute` the rest.
   * @example
   * tensor([[1, 2, 3]]).T.shape; // [3, 1]
   */
  readonly T: Tensor;
  /**
   * The transposes of a stack of matrices: the last two axes swapped, a view. PyTorch's `x.mT`.
   *
   * @throws ShapeError for fewer than two axes.
   * @example
   * zeros([5, 2, 3]).mT.shape; // [5, 3, 2]
   */
  readonly mT: Tensor;
  /** The number of elements, which is `size`. PyTorch's `x.numel()`. */
  numel(): number;
}

declare module './tensor.ts' {
  interface Tensor extends Methods, Renamed, Conveniences {}
}

const properties: { readonly [K in 'T' | 'mT']: (x: Tensor) => Tensor } = {
  T: (x) => {
    if (x.ndim <= 2) return x.ndim === 2 ? transpose(x) : x;
    throw wrongAxes('T', x, 'two axes at most', 'mT transposes the matrices of a stack, permute any axes');
  },
  mT: (x) => {
    if (x.ndim >= 2) return transpose(x);
    throw wrongAxes('mT', x, 'two axes at least', 'a vector is a column after unsqueeze(1)');
  },
};

for (const [name, get] of Object.entries(properties)) {
  Object.defineProperty(Tensor.prototype, name, {
    get(this: Tensor) {
      return get(this);
    },
    configurable: true,
  });
}

Object.defineProperty(Tensor.prototype, 'numel', {
  value(this: Tensor) {
    return this.size;
  },
  writable: true,
  configurable: true,
});

function wrongAxes(op: string, x: Tensor, expected: string, remedy: string): ShapeError {
  return new ShapeError(`the tensor has shape ${formatShape(x.shape)}; it takes ${expected}: ${remedy}.`, {
    op,
    operand: 'tensor',
    actual: x.shape,
    expected,
  });
}

for (const [name, fn] of Object.entries(methods)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return (fn as (x: Tensor, ...rest: unknown[]) => unknown)(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
