// What the records of normalisations have in common: how they see their operand, and what is normalised together.
//
// The operand is seen as (batch, groups, channels, places); weight and bias have shape (1, groups, channels, 1), and statistics have
// size 1 on the axes that are normalised over.

import type { FloatArray, NormGeometry, Strided } from '@adjoint/kernels-cpu';
import { formatShape, ShapeError } from '../errors.ts';
import type { OperandSpec } from '../record.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { sub } from './arithmetic.ts';
import { ones } from './create.ts';
import { mean } from './expand-sum.ts';
import { requireFloat } from './infer.ts';

/** What is normalised together, and how. */
export interface NormAttrs {
  /** `'sample'`: each group of each sample; `'batch'`: each group of all samples. */
  readonly over: 'sample' | 'batch';
  /** Whether the mean is taken off. */
  readonly centred: boolean;
}

/** And what is added to the variance before its root is taken. */
export interface NormaliseAttrs extends NormAttrs {
  readonly eps: number;
}

export const axesOf = ({ over }: NormAttrs): number[] => (over === 'sample' ? [2, 3] : [0, 2, 3]);

export const statisticsShape = ([batch, groups]: Shape, { over }: NormAttrs): Shape => [
  over === 'sample' ? batch : 1,
  groups,
  1,
  1,
];

export const parameterShape = ([, groups, channels]: Shape): Shape => [1, groups, channels, 1];

export function geometryOf(x: Strided, { over, centred }: NormAttrs, eps = 0): NormGeometry {
  const [batch, groups, channels, places] = x.shape;
  return { batch, groups, channels, places, over, centred, eps };
}

/** @throws DTypeError unless it is floating-point; ShapeError unless it has the four axes. */
export function requireRank(op: string, x: OperandSpec): void {
  requireFloat(op, 'x', x);
  if (x.shape.length === 4) return;
  throw new ShapeError(
    `x has shape ${formatShape(x.shape)}; it takes four axes, (batch, groups, channels, places).`,
    { op, operand: 'x', actual: x.shape, expected: '(batch, groups, channels, places)' },
  );
}

/** The elements, of which a shape rule has seen that they are floats. */
export const floats = ({ data }: Strided): FloatArray => data as FloatArray;

/** Ten or so operations an element, of which a result has one for each of the first operand. */
export const flops = ([x]: readonly OperandSpec[]): number =>
  10 * x.shape.reduce((product, size) => product * size, 1);

/** The mean over some axes, kept with size 1. */
export const average = (x: Tensor, attrs: NormAttrs): Tensor =>
  mean(x, { axes: axesOf(attrs), keepdim: true });

/** What is left when the mean is taken off, if it is. */
export const deviation = (x: Tensor, attrs: NormAttrs): Tensor =>
  attrs.centred ? sub(x, average(x, attrs)) : x;

/** A weight that leaves everything as it is, of the shape and dtype of this one. */
export const unit = (weight: Tensor): Tensor => ones(weight.shape, { dtype: weight.dtype });
