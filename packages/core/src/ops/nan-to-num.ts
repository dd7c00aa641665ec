// Numbers in the place of what is none.

import type { FloatDType } from '../dtype.ts';
import { isFloat } from '../dtype.ts';
import { noOptions, requireOptions } from '../options.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { eq, isnan } from './compare.ts';
import { where } from './select.ts';

/** Options of {@link nanToNum}. */
export interface NanToNumOptions {
  /** What stands in the place of NaN. Default 0. */
  readonly nan?: number | undefined;
  /** What stands in the place of Infinity. Default: the largest number of the type. */
  readonly posinf?: number | undefined;
  /** What stands in the place of -Infinity. Default: the lowest number of the type. */
  readonly neginf?: number | undefined;
}

const LARGEST: Readonly<Record<FloatDType, number>> = {
  float64: Number.MAX_VALUE,
  float32: (2 - 2 ** -23) * 2 ** 127,
  bfloat16: (2 - 2 ** -7) * 2 ** 127,
  float16: 65504,
};

/**
 * Puts numbers in the place of NaN and of infinities; their gradient is 0. Integers and bools are given back as they are. PyTorch's
 * `torch.nan_to_num`.
 *
 * @example
 * nanToNum(tensor([NaN, 1, -Infinity]), { neginf: -9 }).toArray(); // [0, 1, -9]
 */
export function nanToNum(x: Tensor, options: NanToNumOptions = noOptions): Tensor {
  requireOptions('nanToNum', options, { nan: 'number', posinf: 'number', neginf: 'number' });
  requireTensor('nanToNum', 'x', x);
  const { dtype } = x;
  if (!isFloat(dtype)) return x;
  const { nan = 0, posinf = LARGEST[dtype], neginf = -LARGEST[dtype] } = options;
  const below = where(eq(x, -Infinity), neginf, x);
  return where(isnan(x), nan, where(eq(x, Infinity), posinf, below));
}
