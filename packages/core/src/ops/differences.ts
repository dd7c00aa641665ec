// What is between neighbours: the inverse of a running sum.

import { requireInteger } from '../arguments.ts';
import { DTypeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { checkAxis } from '../shape.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { sub } from './arithmetic.ts';
import { requireSomeAxis } from './infer.ts';
import { narrow } from './slice.ts';

/** Options of {@link diff}. */
export interface DiffOptions {
  /** How often differences are taken. Default 1. */
  readonly n?: number | undefined;
  /** The axis along which neighbours stand. Default -1. */
  readonly axis?: number | undefined;
}

/**
 * Each element less the one before it, along an axis: one fewer than there are. PyTorch's `torch.diff`, whose `prepend` and `append` are `cat`.
 *
 * @returns the shape of `x` with `n` fewer on the axis, or 0 of them.
 * @throws ArgumentError for an axis out of range or an `n` that is no integer of at least 0; ShapeError for a 0-d tensor;
 *   DTypeError for bools.
 * @example
 * diff(tensor([1, 4, 9, 16])).toArray(); // [3, 5, 7]
 * diff(tensor([1, 4, 9, 16]), { n: 2 }).toArray(); // [2, 2]
 */
export function diff(x: Tensor, options: DiffOptions = noOptions): Tensor {
  const op = 'diff';
  requireOptions(op, options, { n: 'number', axis: 'number' });
  const { n = 1, axis = -1 } = options;
  requireTensor(op, 'x', x);
  requireInteger(op, 'n', n, 0);
  if (x.dtype === 'bool') {
    throw new DTypeError("x is bool; convert it with to('int32'), or compare neighbours with ne.", {
      op,
      operand: 'x',
      actual: 'bool',
      expected: 'numbers',
    });
  }
  requireSomeAxis(op, 'x', x);
  const along = checkAxis(axis, x.ndim, op);
  // Of fewer elements than that nothing is left.
  if (n >= x.shape[along]) return narrow(x, along, 0, 0);
  let result = x;
  for (let i = 0; i < n; i++) {
    const rest = result.shape[along] - 1;
    result = sub(narrow(result, along, 1, rest), narrow(result, along, 0, rest));
  }
  return result;
}
