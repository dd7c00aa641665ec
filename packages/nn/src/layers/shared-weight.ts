// Weights that a layer does not own alone: the same Parameter in two layers, trained once.

import { ArgumentError, DTypeError, type FloatDType, formatShape, ShapeError } from '@adjoint/core';
import { Parameter } from '../module/parameter.ts';

/**
 * Throws unless `weight` is left out or a parameter of the layer's own shape, and of the dtype that was asked for, if one was.
 *
 * @throws ArgumentError for a tensor that is no Parameter, and would not be trained; ShapeError for another shape; DTypeError for another
 *   dtype.
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
  if (String(weight.shape) !== String(shape)) {
    throw new ShapeError(
      `the weight to share has shape ${formatShape(weight.shape)}; these sizes take ${formatShape(shape)}.`,
      { op, operand: 'weight', actual: weight.shape, expected: formatShape(shape) },
    );
  }
  if (dtype === undefined || dtype === weight.dtype) return;
  throw new DTypeError(
    `the weight to share is ${weight.dtype}, and dtype ${dtype}; leave dtype out: the layer takes that of the weight.`,
    { op, operand: 'dtype', actual: dtype, expected: weight.dtype },
  );
}
