// What normalisations share: the one step `(x - mean) / sqrt(variance + eps)`, with a scale and a shift, and the checks of operands.
//
// 16-bit floats are normalised in float32 and rounded once, as in PyTorch.

import { computeDType, type FloatDType } from '../dtype.ts';
import { DTypeError, formatShape, ShapeError } from '../errors.ts';
import { type Shape, sameShape } from '../shape.ts';
import { apply, applyKeeping } from '../tape/apply.ts';
import { noGrad } from '../tape/mode.ts';
import type { Tensor } from '../tensor.ts';
import { cast, inFloat32 } from './cast.ts';
import { ones, zeros } from './create.ts';
import { requireFloat } from './infer.ts';
import { reshape } from './layout.ts';
import { normaliseOp, normMomentsOp } from './norm-records.ts';
import type { NormAttrs } from './norm-shapes.ts';
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
