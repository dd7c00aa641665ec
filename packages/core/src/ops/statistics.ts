// Spread and size: variance, standard deviation and norms. Half-precision operands are squared in float32.

import { kernels } from '@adjoint/kernels-cpu';
import { toFloatDType } from '../dtype.ts';
import { ArgumentError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { reducedShape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { mul, sub } from './arithmetic.ts';
import { cast, inFloat32 } from './cast.ts';
import { eq, ne } from './compare.ts';
import { mean, type ReduceAttrs, type ReduceOptions, reduceAttrs, sum, unreduce } from './expand-sum.ts';
import { amaxOp, aminOp, requireElements } from './extremes.ts';
import { flopsPerElement, inferFloat } from './infer.ts';
import { pow, sqrt } from './powers.ts';
import { abs, where } from './select.ts';
import { trunc } from './steps.ts';

interface VarAttrs extends ReduceAttrs {
  readonly correction: number;
}

/** `Σ (x - mean)² / max(0, n - correction)` over axes; NaN where that is 0 / 0. */
export const varOp = defineOp<readonly ['x'], VarAttrs>({
  name: 'var',
  operands: ['x'],
  infer: ([x], { axes, keepdim }) => {
    const { dtype } = inferFloat([x]);
    return { shape: reducedShape(x.shape, axes, keepdim), dtype, compute: dtype };
  },
  forward: ([x], out, { axes, correction }) => kernels.variance(x, axes, correction, out),
  layout: 'strided',
  flops: flopsPerElement,
  vjps: [vjpRule('x', (g, x, { attrs }) => mul(unreduce(g, attrs), slope(x, attrs)))],
  recycles: true,
  forwardMode: ([tangent], [x], _, { attrs }) =>
    sum(mul(tangent!, slope(x, attrs)), { axes: attrs.axes, keepdim: attrs.keepdim }),
});

function slope(x: Tensor, { axes, correction }: VarAttrs): Tensor {
  const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
  return mul(sub(x, mean(x, { axes, keepdim: true })), 2 / (count - correction));
}

/** `Σ x²` over axes. */
export const sumOfSquaresOp = defineOp<readonly ['x'], ReduceAttrs>({
  name: 'sumOfSquares',
  operands: ['x'],
  infer: ([x], { axes, keepdim }) => {
    const { dtype } = inferFloat([x]);
    return { shape: reducedShape(x.shape, axes, keepdim), dtype, compute: dtype };
  },
  forward: ([x], out, { axes }) => kernels.sumOfSquares(x, axes, out),
  layout: 'strided',
  flops: flopsPerElement,
  vjps: [vjpRule('x', (g, x, { attrs }) => mul(unreduce(mul(g, 2), attrs), x))],
  recycles: true,
  forwardMode: ([tangent], [x], _, { attrs: { axes, keepdim } }) =>
    mul(sum(mul(tangent!, x), { axes, keepdim }), 2),
});

/** Options of {@link variance} and {@link std}. */
export interface VarianceOptions extends ReduceOptions {
  /** What is taken off the number of elements in the divisor. Default 1 (Bessel's); 0 for the mean square deviation. */
  readonly correction?: number | undefined;
}

/**
 * The variance over axes, all by default: `Σ (x - mean)² / (n - correction)`. NaN of one element with the default
 * correction. Integers give float32. PyTorch's `torch.var` (`var` is a reserved word here; the method is `x.var()`).
 *
 * @throws ArgumentError for axes out of range or named twice.
 * @example
 * variance(tensor([1, 2, 4])).item(); // 2.3333332538604736
 */
export function variance(x: Tensor, options: VarianceOptions = noOptions): Tensor {
  requireOptions('variance', options, { axes: 'own', correction: 'number', keepdim: 'boolean' });
  const { correction = 1 } = options;
  return apply(varOp, [x], { ...reduceAttrs(x, options, 'var'), correction });
}

/**
 * The standard deviation over axes, all by default: the root of {@link variance}. Where it is 0 its gradient is 0. PyTorch's
 * `torch.std`. Options, errors as {@link variance}.
 *
 * @example
 * std(tensor([1, 2, 4])).item(); // 1.5275252316519468
 */
export function std(x: Tensor, options: VarianceOptions = noOptions): Tensor {
  requireOptions('std', options, { axes: 'own', correction: 'number', keepdim: 'boolean' });
  const { correction = 1 } = options;
  const attrs = { ...reduceAttrs(x, options, 'std'), correction };
  return inFloat32(x, (wide) => root(apply(varOp, [wide], attrs), 2));
}

// The n-th root, 0 and with derivatives of 0 at 0. There the root of 1 is taken: where a branch is not taken, backward
// multiplies its derivative by 0, and that of the root at 0 is infinite.
function root(x: Tensor, n: number): Tensor {
  const zero = eq(x, 0);
  const safe = where(zero, 1, x);
  return where(zero, n < 0 ? Number.POSITIVE_INFINITY : 0, n === 2 ? sqrt(safe) : pow(safe, 1 / n));
}

/** Options of {@link norm}. */
export interface NormOptions extends ReduceOptions {
  /** The exponent: any number, Infinity and -Infinity included, or 'fro' for 2. Default 2. */
  readonly p?: number | 'fro' | undefined;
}

/**
 * The p-norm over axes, all by default: `(Σ |x|^p)^(1/p)`. Infinity gives the largest `|x|`, -Infinity the smallest, 0 the
 * number of elements that are not 0. Integers give float32. PyTorch's `torch.linalg.vector_norm`, with its gradients: 0 where
 * the norm is 0 (p > 0), 0 for elements that are 0 (p < 1), shared alike among the largest (p infinite).
 *
 * @throws ArgumentError for another `p`, for axes out of range or named twice, and of no elements with infinite or negative p.
 * @example
 * norm(tensor([3, 4])).item(); // 5
 * norm(tensor([[1, -2], [3, 4]]), { p: 1, axes: 1 }).toArray(); // [3, 7]
 */
export function norm(x: Tensor, options: NormOptions = noOptions): Tensor {
  requireOptions('norm', options, { p: 'own', axes: 'own', keepdim: 'boolean' });
  const { p = 2, axes, keepdim = false } = options;
  const exponent = p === 'fro' ? 2 : p;
  if (typeof exponent !== 'number' || Number.isNaN(exponent)) {
    throw new ArgumentError(`p is ${JSON.stringify(p)}; give a number, or 'fro' for 2.`, {
      op: 'norm',
      operand: 'p',
      actual: p,
      expected: "number | 'fro'",
    });
  }
  const reduce = reduceAttrs(x, axes === undefined ? { keepdim } : { axes, keepdim }, 'norm');
  // Below 0 the smallest element decides, and of nothing there is no smallest.
  if (exponent < 0) for (const axis of reduce.axes) requireElements('norm', x.shape, axis);
  const numbers = cast(x, toFloatDType(x.dtype));
  return inFloat32(numbers, (wide) => vectorNorm(wide, exponent, reduce));
}

function vectorNorm(x: Tensor, p: number, reduce: ReduceAttrs): Tensor {
  const over = { axes: reduce.axes, keepdim: reduce.keepdim };
  if (p === 2) return root(apply(sumOfSquaresOp, [x], reduce), 2);
  if (p === 1) return sum(abs(x), over);
  if (p === Infinity) return apply(amaxOp, [abs(x)], { ...reduce, op: 'norm' });
  if (p === -Infinity) return apply(aminOp, [abs(x)], { ...reduce, op: 'norm' });
  // Through trunc the count hangs on x, with a gradient of 0.
  if (p === 0) return sum(where(ne(x, 0), 1, trunc(x)), over);
  return root(sum(powerOfSize(x, p), over), p);
}

// |x|^p. An even whole power is smooth at 0; all others get derivatives of 0 there, as `root` does.
function powerOfSize(x: Tensor, p: number): Tensor {
  if (p > 0 && p % 2 === 0) return pow(x, p);
  const zero = eq(x, 0);
  return where(zero, p < 0 ? Number.POSITIVE_INFINITY : 0, pow(abs(where(zero, 1, x)), p));
}
