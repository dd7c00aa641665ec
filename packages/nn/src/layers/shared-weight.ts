// Weights that a layer does not own alone: the same Parameter in two layers, trained once.

import { ArgumentError, formatShape, ShapeError } from '@adjoint/core';
import { Parameter } from '../module/parameter.ts';

/**
 * Throws unless `weight` is left out or a parameter of the layer's own shape.
 *
 * @throws ArgumentError for a tensor that is no Parameter, and would not be trained; ShapeError for another shape.
 */
export function requireSharedWeight(
  op: string,
  weight: Parameter | undefined,
  shape: readonly number[],
): void {
  if (weight === undefined) return;
  if (!(weight instanceof Parameter)) {
    throw new ArgumentError(
      'the weight to share is no Parameter, and would not be trained; give new Parameter(weight), or copy values with loadStateDict.',
      { op, operand: 'weight', actual: weight, expected: 'a Parameter' },
    );
  }
  if (String(weight.shape) === String(shape)) return;
  throw new ShapeError(
    `the weight to share has shape ${formatShape(weight.shape)}; these sizes take ${formatShape(shape)}.`,
    { op, operand: 'weight', actual: weight.shape, expected: formatShape(shape) },
  );
}
