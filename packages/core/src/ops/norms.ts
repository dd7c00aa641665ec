// Normalisations over axes of a tensor. What they share is one step, `(x - mean) / sqrt(variance + eps)`.
//
// 16-bit floats are normalised in float32 and rounded once, as in PyTorch.

import { computeDType, type FloatDType } from '../dtype.ts';
import { ArgumentError, DTypeError, formatShape, quote, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { requireList, type Shape, sameShape } from '../shape.ts';
import { apply, applyKeeping } from '../tape/apply.ts';
import { noGrad } from '../tape/mode.ts';
import { Tensor } from '../tensor.ts';
import { add, div, mul } from './arithmetic.ts';
import { cast, inFloat32 } from './cast.ts';
import { ones, zeros } from './create.ts';
import { requireFloat } from './infer.ts';
import { reshape } from './layout.ts';
import { normaliseOp, normMomentsOp } from './norm-records.ts';
import type { NormAttrs } from './norm-shapes.ts';
import { requireTensor } from './operand.ts';
import { pad } from './pad.ts';
import { pow, square } from './powers.ts';
import { narrow } from './slice.ts';

/** Options of normalisations with a scale and a shift. */
export interface NormalisationOptions {
  /** Multiplies what was normalised. Default: none. */
  readonly weight?: Tensor | undefined;
  /** Added in the end. Default: none. */
  readonly bias?: Tensor | undefined;
  /** Added to the variance before its root is taken. Default 1e-5. */
  readonly eps?: number | undefined;
}

/** An operand seen as (batch, groups, channels, places), in that order; how many of each, and what is normalised together. */
export interface NormalisedShape extends NormAttrs {
  readonly seen: readonly [batch: number, groups: number, channels: number, places: number];
}

/** `(x - mean) / sqrt(variance + eps)`, then scale and shift, with the mean square deviation as variance. */
export function standardise(
  x: Tensor,
  { seen, over, centred }: NormalisedShape,
  options: NormalisationOptions,
  eps: number,
): Tensor {
  const operands = [reshape(x, seen), ...parameters(x, seen, options)];
  return reshape(apply(normaliseOp, operands, { over, centred, eps }), x.shape);
}

/** What was normalised together: means and mean square deviations, one for each set. */
export interface Moments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** As {@link standardise}, with the moments of x, through which no derivative goes. */
export function standardiseKeeping(
  x: Tensor,
  { seen, over, centred }: NormalisedShape,
  options: NormalisationOptions,
  eps: number,
): { readonly output: Tensor; readonly moments: Moments } {
  const operands = [reshape(x, seen), ...parameters(x, seen, options)];
  const attrs = { over, centred, eps };
  const { output, kept } = applyKeeping(normaliseOp, operands, attrs);
  const [centre, , variance] = kept ?? [];
  const moments = kept === null ? momentsOf(operands[0], attrs) : { mean: centre, variance };
  return { output: reshape(output, x.shape), moments };
}

function momentsOf(x: Tensor, attrs: NormAttrs & { readonly eps: number }): Moments {
  // Not through forward mode either: numbers that are kept carry no derivative.
  const both = noGrad(() => apply(normMomentsOp, [x.detach()], attrs));
  const part = (i: number): Tensor => noGrad(() => reshape(narrow(both, 0, i, 1), both.shape.slice(1)));
  return { mean: part(0), variance: part(1) };
}

/** Weight and bias as the records take them: 1 and 0 where there is none. */
export function parameters(
  x: Tensor,
  [, groups, channels]: NormalisedShape['seen'],
  { weight, bias }: NormalisationOptions,
): [weight: Tensor, bias: Tensor] {
  const dtype = x.dtype as FloatDType;
  const shape = [1, groups, channels, 1];
  return [
    weight === undefined ? ones(shape, { dtype }) : cast(reshape(weight, shape), dtype),
    bias === undefined ? zeros(shape, { dtype }) : cast(reshape(bias, shape), dtype),
  ];
}

/** Runs a normalisation, of 16-bit floats in float32; its result is rounded once. */
export function normalise(op: string, x: Tensor, run: (x: Tensor) => Tensor): Tensor {
  requireFloat(op, 'x', x);
  return inFloat32(x, run);
}

/**
 * Checks that a scale, shift or statistic has the one shape it can have, and the dtype of `x` (or float32 beside 16-bit floats).
 */
export function requireParameter(
  op: string,
  name: string,
  parameter: Tensor | undefined,
  shape: Shape,
  x: Tensor,
): void {
  if (parameter === undefined) return;
  if (!sameShape(parameter.shape, shape)) {
    throw new ShapeError(
      `${name} has shape ${formatShape(parameter.shape)}; it takes ${formatShape(shape)}, one element for each that is normalised alike.`,
      { op, operand: name, actual: parameter.shape, expected: formatShape(shape) },
    );
  }
  if (parameter.dtype === x.dtype || parameter.dtype === computeDType(x.dtype)) return;
  throw new DTypeError(`${name} is ${parameter.dtype} beside ${x.dtype}; convert it with to('${x.dtype}').`, {
    op,
    operand: name,
    actual: parameter.dtype,
    expected: x.dtype,
  });
}

/**
 * Normalises over the last axes: mean 0, variance 1, then scale and shift. PyTorch's `torch.nn.functional.layer_norm`.
 *
 * @param normalizedShape the last sizes of `x`; `weight` and `bias` have this shape.
 * @throws ShapeError if `x` does not end in `normalizedShape` or a parameter has another shape; DTypeError for integers.
 * @example
 * layerNorm(tensor([[1, 3]]), [2]).toArray(); // [[-0.999995, 0.999995]]
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: Shape,
  options: NormalisationOptions = noOptions,
): Tensor {
  requireTensor('layerNorm', 'x', x);
  requireOptions('layerNorm', options, { weight: Tensor, bias: Tensor, eps: 'number' });
  const { weight, bias, eps = 1e-5 } = options;
  const op = 'layerNorm';
  const axes = lastAxes(op, x, normalizedShape);
  requireParameter(op, 'weight', weight, normalizedShape, x);
  requireParameter(op, 'bias', bias, normalizedShape, x);
  return normalise(op, x, (wide) => standardise(wide, rowsOf(x, axes), { weight, bias }, eps));
}

/** Options of {@link rmsNorm}. */
export interface RmsNormOptions {
  /** Multiplies what was normalised. Default: none. */
  readonly weight?: Tensor | undefined;
  /** Added to the mean square before its root is taken. Default: the distance from 1 to the next number of the dtype. */
  readonly eps?: number | undefined;
}

const epsilons: Readonly<Record<FloatDType, number>> = {
  float64: 2 ** -52,
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};

/**
 * Divides by the root of the mean square over the last axes, then scales. PyTorch's `torch.nn.functional.rms_norm`
 * (Zhang and Sennrich 2019).
 *
 * @param normalizedShape the last sizes of `x`; `weight` has this shape.
 * @throws ShapeError if `x` does not end in `normalizedShape` or the weight has another shape; DTypeError for integers.
 * @example
 * rmsNorm(tensor([[3, 4]]), [2], { eps: 0 }).toArray(); // [[0.8485281, 1.1313708]]
 */
export function rmsNorm(x: Tensor, normalizedShape: Shape, options: RmsNormOptions = noOptions): Tensor {
  requireTensor('rmsNorm', 'x', x);
  requireOptions('rmsNorm', options, { weight: Tensor, eps: 'number' });
  const { weight, eps } = options;
  const op = 'rmsNorm';
  const axes = lastAxes(op, x, normalizedShape);
  requireParameter(op, 'weight', weight, normalizedShape, x);
  const shape = { ...rowsOf(x, axes), centred: false };
  return normalise(op, x, (wide) =>
    standardise(wide, shape, { weight }, eps ?? epsilons[x.dtype as FloatDType]),
  );
}

/** Each row, over the last axes, by itself. */
function rowsOf({ shape }: Tensor, axes: readonly number[]): NormalisedShape {
  const product = (sizes: Shape): number => sizes.reduce((total, size) => total * size, 1);
  const lead = shape.length - axes.length;
  return {
    seen: [product(shape.slice(0, lead)), 1, product(shape.slice(lead)), 1],
    over: 'sample',
    centred: true,
  };
}

function lastAxes(op: string, x: Tensor, normalizedShape: Shape): number[] {
  requireList(normalizedShape, op, 'normalizedShape');
  const lead = x.ndim - normalizedShape.length;
  if (normalizedShape.length === 0 || lead < 0 || !sameShape(x.shape.slice(lead), normalizedShape)) {
    throw new ShapeError(
      `x has shape ${formatShape(x.shape)} and normalizedShape is ${formatShape(normalizedShape)}; it must be the last sizes of x, one at least.`,
      {
        op,
        operand: 'normalizedShape',
        actual: normalizedShape,
        expected: `the end of ${formatShape(x.shape)}`,
      },
    );
  }
  return normalizedShape.map((_, i) => lead + i);
}

/**
 * Normalises groups of channels of each sample, then scales and shifts each channel. PyTorch's
 * `torch.nn.functional.group_norm` (Wu and He 2018).
 *
 * @param x shape (N, C, …).
 * @param numGroups divides C.
 * @param options `weight` and `bias` have shape (C,).
 * @throws ShapeError for fewer than two axes, one value per group in the whole batch, or a parameter of another shape;
 *   ArgumentError unless `numGroups` divides C; DTypeError for integers.
 * @example
 * groupNorm(tensor([[1, 3, 10, 30]]), 2).toArray(); // [[-0.999995, 0.999995, -1, 1]]
 */
export function groupNorm(x: Tensor, numGroups: number, options: NormalisationOptions = noOptions): Tensor {
  requireTensor('groupNorm', 'x', x);
  requireOptions('groupNorm', options, { weight: Tensor, bias: Tensor, eps: 'number' });
  const { weight, bias, eps = 1e-5 } = options;
  const op = 'groupNorm';
  requireChannelAxis(op, x);
  const [batch, channels, ...spatial] = x.shape;
  if (!Number.isInteger(numGroups) || numGroups < 1 || channels % numGroups !== 0) {
    throw new ArgumentError(
      `numGroups is ${quote(numGroups)} and x of shape ${formatShape(x.shape)} has ${channels} channels; it takes a divisor of them.`,
      { op, operand: 'numGroups', actual: numGroups, expected: `a divisor of ${channels}` },
    );
  }
  requireParameter(op, 'weight', weight, [channels], x);
  requireParameter(op, 'bias', bias, [channels], x);
  const members = spatial.reduce((product, size) => product * size, channels / numGroups);
  requireSeveral(op, x, batch * members, 'group');
  const places = spatial.reduce((product, size) => product * size, 1);
  const seen = [batch, numGroups, channels / numGroups, places] as const;
  return normalise(op, x, (wide) =>
    standardise(wide, { seen, over: 'sample', centred: true }, { weight, bias }, eps),
  );
}

/** @throws ShapeError unless there is an axis of channels. */
export function requireChannelAxis(op: string, x: Tensor): void {
  if (x.ndim >= 2) return;
  throw new ShapeError(`x has shape ${formatShape(x.shape)}; it takes (N, C, …), channels on axis 1.`, {
    op,
    operand: 'x',
    actual: x.shape,
    expected: 'at least two axes',
  });
}

/** @throws ShapeError for a single value, whose deviation from itself says nothing. */
export function requireSeveral(op: string, x: Tensor, count: number, of: string): void {
  if (count !== 1) return;
  throw new ShapeError(
    `x of shape ${formatShape(x.shape)} has one value per ${of}, which has no variance; give more.`,
    { op, operand: 'x', actual: x.shape, expected: `more than one value per ${of}` },
  );
}

/** Options of {@link localResponseNorm}. */
export interface LocalResponseNormOptions {
  /** Weight of the mean square. Default 1e-4. */
  readonly alpha?: number | undefined;
  /** Exponent of the divisor. Default 0.75. */
  readonly beta?: number | undefined;
  /** Added to the weighted mean square. Default 1. */
  readonly k?: number | undefined;
}

/**
 * Divides each element by `(k + alpha · mean of squares)^beta` over neighbouring channels at the same place. PyTorch's
 * `torch.nn.functional.local_response_norm` (Krizhevsky et al. 2012).
 *
 * @param x shape (N, C, …) with at least one spatial axis.
 * @param size number of channels in the mean; those that do not exist count as 0.
 * @throws ShapeError for fewer than three axes; ArgumentError for a size below 1; DTypeError for integers.
 * @example
 * localResponseNorm(ones([1, 3, 1]), 1, { alpha: 3, beta: 0.5 }).toArray(); // [[[0.5], [0.5], [0.5]]]
 */
export function localResponseNorm(
  x: Tensor,
  size: number,
  options: LocalResponseNormOptions = noOptions,
): Tensor {
  requireOptions('localResponseNorm', options, { alpha: 'number', beta: 'number', k: 'number' });
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  const op = 'localResponseNorm';
  requireTensor(op, 'x', x);
  if (x.ndim < 3) {
    throw new ShapeError(`x has shape ${formatShape(x.shape)}; it takes (N, C, …) with a spatial axis.`, {
      op,
      operand: 'x',
      actual: x.shape,
      expected: 'at least three axes',
    });
  }
  if (!Number.isInteger(size) || size < 1) {
    throw new ArgumentError(`size is ${quote(size)}; it takes an integer of at least 1.`, {
      op,
      operand: 'size',
      actual: size,
      expected: 'an integer >= 1',
    });
  }
  return normalise(op, x, (wide) => {
    const spatial = new Array<number>(2 * (x.ndim - 2)).fill(0);
    // Farther than all channels there are none, however large the size.
    const before = Math.min(Math.floor(size / 2), x.shape[1]);
    const after = Math.min(Math.floor((size - 1) / 2), x.shape[1]);
    const squares = pad(square(wide), [...spatial, before, after]);
    let total = narrow(squares, 1, 0, x.shape[1]);
    for (let i = 1; i <= before + after; i++) total = add(total, narrow(squares, 1, i, x.shape[1]));
    return div(wide, pow(add(mul(total, alpha / size), k), beta));
  });
}
