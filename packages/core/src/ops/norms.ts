// Normalisations of one sample at a time, over axes of a tensor. Those over a batch are in ./norms-batch.ts.

import { requireInteger } from '../arguments.ts';
import type { FloatDType } from '../dtype.ts';
import { ArgumentError, formatShape, quote, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { requireList, type Shape, sameShape } from '../shape.ts';
import { requireTensor, Tensor } from '../tensor.ts';
import { add, div, mul } from './arithmetic.ts';
import { pad } from './pad.ts';
import { pow, square } from './powers.ts';
import { narrow } from './slice.ts';
import {
  type NormalisationOptions,
  type NormalisedShape,
  normalise,
  requireChannelAxis,
  requireParameter,
  requireSeveral,
  standardise,
} from './standardise.ts';

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
  requireInteger(op, 'size', size, 1);
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
