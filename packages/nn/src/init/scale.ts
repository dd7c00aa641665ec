// How large weights should be, so that signals keep their size: what feeds what, and what a nonlinearity takes away.

import { ArgumentError, formatShape, quote, requireArgument, ShapeError } from '@adjoint/core';

/** How many inputs feed one output of a layer, and how many outputs one input feeds. */
export interface Fans {
  /** Inputs that feed one output. */
  readonly fanIn: number;
  /** Outputs that one input feeds. */
  readonly fanOut: number;
}

/** Names of functions that {@link gainOf} knows. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'convTranspose1d'
  | 'convTranspose2d'
  | 'convTranspose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leakyRelu'
  | 'selu';

/**
 * The fans of a weight: axis 1 counts inputs, axis 0 outputs, further axes are the kernel. PyTorch's
 * `_calculate_fan_in_and_fan_out`.
 *
 * @throws ShapeError for fewer than two axes.
 */
export function fansOf(shape: readonly number[], op = 'fansOf'): Fans {
  requireArgument(op, 'shape', shape, 'list');
  if (shape.length < 2) {
    throw new ShapeError(
      `shape ${formatShape(shape)} has no fans: a weight has at least two axes; pass { fans }.`,
      {
        op,
        operand: 'tensor',
        actual: shape,
        expected: 'at least two axes',
      },
    );
  }
  const kernel = shape.slice(2).reduce((product, size) => product * size, 1);
  return { fanIn: shape[1] * kernel, fanOut: shape[0] * kernel };
}

/**
 * The factor by which a nonlinearity asks for larger weights, so that signals keep their size. PyTorch's `calculate_gain`.
 *
 * @param slope negative slope of 'leakyRelu'. Default 0.01.
 * @example
 * init.gainOf('relu'); // 1.4142135623730951
 */
export function gainOf(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + slope * slope));
    case 'selu':
      return 3 / 4;
    case 'linear':
    case 'conv1d':
    case 'conv2d':
    case 'conv3d':
    case 'convTranspose1d':
    case 'convTranspose2d':
    case 'convTranspose3d':
    case 'sigmoid':
      return 1;
    default:
      throw new ArgumentError(
        `nonlinearity is ${quote(nonlinearity)}, which has no known gain; pass a gain.`,
        {
          op: 'gainOf',
          operand: 'nonlinearity',
          actual: nonlinearity,
        },
      );
  }
}
