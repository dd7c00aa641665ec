// Dropout: elements or whole channels set to 0 at random, the rest scaled up so that the mean stays.

import { ArgumentError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { Generator, rand } from '../random/index.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { mul } from './arithmetic.ts';
import { ge } from './compare.ts';
import { zerosLike } from './create.ts';
import { requireFloat } from './infer.ts';
import { readImages } from './pool.ts';
import { where } from './select.ts';

/** Options of {@link dropout} and its like. */
export interface DropoutOptions {
  /** Probability with which an element becomes 0, from 0 to 1. Default 0.5. */
  readonly p?: number | undefined;
  /** Without it the operand itself is the result. Default true. */
  readonly training?: boolean | undefined;
  /** Where the random numbers come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

const dropoutOptions = { p: 'number', training: 'boolean', generator: Generator } as const;

/**
 * Sets elements to 0 with probability `p` and multiplies the rest by `1 / (1 - p)`. PyTorch's
 * `torch.nn.functional.dropout` (Srivastava et al. 2014).
 *
 * @throws ArgumentError for a p outside [0, 1]; DTypeError for integers.
 * @example
 * dropout(ones([4]), { p: 0.5, generator: new Generator(1) }).shape; // [4]: 0 or 2 in each place
 */
export function dropout(x: Tensor, options: DropoutOptions = noOptions): Tensor {
  requireOptions('dropout', options, dropoutOptions);
  requireFloat('dropout', 'x', x);
  return drop('dropout', x, x.shape, options);
}

/** Sets whole channels of (N, C, L) or (C, L) to 0. PyTorch's `torch.nn.functional.dropout1d`; as {@link dropout2d}. */
export function dropout1d(x: Tensor, options: DropoutOptions = noOptions): Tensor {
  requireOptions('dropout1d', options, dropoutOptions);
  return dropChannels('dropout1d', 1, x, options);
}

/**
 * Sets whole channels to 0 with probability `p` and multiplies the rest by `1 / (1 - p)`. PyTorch's
 * `torch.nn.functional.dropout2d` (Tompson et al. 2015).
 *
 * @param x shape (N, C, H, W) or (C, H, W).
 * @throws ShapeError for other axes; ArgumentError for a p outside [0, 1]; DTypeError for integers.
 * @example
 * dropout2d(ones([1, 3, 2, 2])); // each of the three channels is all 0 or all 2
 */
export function dropout2d(x: Tensor, options: DropoutOptions = noOptions): Tensor {
  requireOptions('dropout2d', options, dropoutOptions);
  return dropChannels('dropout2d', 2, x, options);
}

/** Sets whole channels of (N, C, D, H, W) or (C, D, H, W) to 0. PyTorch's `torch.nn.functional.dropout3d`; as {@link dropout2d}. */
export function dropout3d(x: Tensor, options: DropoutOptions = noOptions): Tensor {
  requireOptions('dropout3d', options, dropoutOptions);
  return dropChannels('dropout3d', 3, x, options);
}

function dropChannels(op: string, dims: number, x: Tensor, options: DropoutOptions): Tensor {
  const { images, unbatch } = readImages(op, dims, x);
  const [batch, channels, ...spatial] = images.shape;
  return unbatch(drop(op, images, [batch, channels, ...spatial.map(() => 1)], options));
}

// Draws one number for each element of `shape`, which broadcasts to that of `x`.
function drop(op: string, x: Tensor, shape: Shape, options: DropoutOptions): Tensor {
  const { p = 0.5, training = true, generator } = options;
  if (!(p >= 0 && p <= 1)) {
    throw new ArgumentError(`p is ${p}; it is a probability, from 0 to 1.`, {
      op,
      operand: 'p',
      actual: p,
      expected: 'a number in [0, 1]',
    });
  }
  if (!training || p === 0) return x;
  const kept = ge(rand(shape, { generator }), p);
  return where(kept, p === 1 ? zerosLike(x) : mul(x, 1 / (1 - p)), 0);
}
