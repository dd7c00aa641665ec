// Weights that a layer is given: the same Parameter as another layer's, trained once, or a tensor to start from.

import {
  ArgumentError,
  DTypeError,
  type FloatDType,
  formatShape,
  ShapeError,
  type Tensor,
} from '@adjoint/core';
import { Parameter } from '../module/parameter.ts';

/**
 * Throws unless `weight` is left out or a parameter that fits the layer.
 *
 * @throws ArgumentError for a tensor that is no Parameter, and would not be trained; else as {@link requireFittingWeight}.
 */
export function requireSharedWeight(
  op: string,
  weight: Parameter | undefined,
  shape: readonly number[],
  dtype: FloatDType | undefined,
): void {
  if (weight === undefined) return;
  if (!(weight instanceof Parameter)) {
    throw new ArgumentError(
      'the weight to share is no Parameter, and would not be trained; give new Parameter(weight), or copy values with loadStateDict.',
      { op, operand: 'weight', actual: weight, expected: 'a Parameter' },
    );
  }
  requireFittingWeight(op, weight, shape, dtype);
}

/**
 * Throws unless `weight` has the layer's shape, and the dtype that was asked for, if one was.
 *
 * @throws ShapeError for another shape; DTypeError for another dtype.
 */
export function requireFittingWeight(
  op: string,
  weight: Tensor,
  shape: readonly number[],
  dtype: FloatDType | undefined,
): void {
  if (String(weight.shape) !== String(shape)) {
    throw new ShapeError(
      `the weight has shape ${formatShape(weight.shape)}; these sizes take ${formatShape(shape)}.`,
      { op, operand: 'weight', actual: weight.shape, expected: formatShape(shape) },
    );
  }
  if (dtype === undefined || dtype === weight.dtype) return;
  throw new DTypeError(
    `the weight is ${weight.dtype}, and dtype ${dtype}; leave dtype out: the layer takes that of the weight.`,
    { op, operand: 'dtype', actual: dtype, expected: weight.dtype },
  );
}
