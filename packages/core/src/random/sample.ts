// Draws whose odds are given by a tensor: yes or no per element, and categories by weight.

import { type FloatArray, kernels, type NumericArray, portableLog, type Strided } from '@adjoint/kernels-cpu';
import { requireInteger } from '../arguments.ts';
import { computeDType, isFloat, isHalf } from '../dtype.ts';
import { ArgumentError, DTypeError, formatShape, ShapeError } from '../errors.ts';
import { encodeHalf } from '../half.ts';
import { noOptions, requireOptions } from '../options.ts';
import { makeTensor } from '../tape/tracing.ts';
import { fromArray, requireTensor, type Tensor } from '../tensor.ts';
import { allocateUnfilled } from '../unfilled.ts';
import { uniform53 } from './create.ts';
import { defaultGenerator, Generator } from './generator.ts';

/** Options of {@link bernoulli}. */
export interface BernoulliOptions {
  /** Where the draws come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

/**
 * 1 with the probability that the element gives, else 0. PyTorch's `torch.bernoulli`.
 *
 * @param probabilities floating-point, each in [0, 1]. One probability for a shape: `expand(tensor(p), shape)`.
 * @returns a tensor of the shape and dtype of `probabilities`; no gradient flows through it.
 * @throws DTypeError for a type that is not floating-point; ArgumentError for a number that is no probability.
 * @example
 * bernoulli(tensor([0, 1])).toArray(); // [0, 1]
 */
export function bernoulli(probabilities: Tensor, options: BernoulliOptions = noOptions): Tensor {
  requireOptions('bernoulli', options, { generator: Generator });
  const { generator = defaultGenerator } = options;
  const op = 'bernoulli';
  requireFloat(op, 'probabilities', probabilities);
  return makeTensor(op, [probabilities], probabilities, ([p]) => drawBinary(op, p, generator));
}

function drawBinary(op: string, probabilities: Tensor, generator: Generator): Tensor {
  const odds = probabilities.toTypedArray();
  for (let i = 0; i < odds.length; i++) {
    if (!(odds[i] >= 0 && odds[i] <= 1)) {
      throw new ArgumentError(`element ${i} is ${odds[i]}; probabilities lie in [0, 1].`, {
        op,
        operand: 'probabilities',
        actual: odds[i],
        expected: 'numbers in [0, 1]',
      });
    }
  }
  const { dtype, shape } = probabilities;
  // A word of 32 bits as a fraction, which float64 holds.
  const fractions = allocateUnfilled('float64', odds.length) as Float64Array;
  kernels.randomUniform(generator.pass(odds.length), 32, fractions);
  const drawn = allocateUnfilled(computeDType(dtype), odds.length) as FloatArray;
  kernels.less(flat(fractions), flat(odds), drawn, [odds.length]);
  return fromArray(isHalf(dtype) ? encodeHalf(dtype, drawn) : drawn, shape, dtype);
}

const flat = (data: NumericArray): Strided => ({ data, shape: [data.length], strides: [1], offset: 0 });

/** Options of {@link multinomial}. */
export interface MultinomialOptions {
  /** Whether a category may be drawn more than once. Default false, as in PyTorch. */
  readonly replacement?: boolean | undefined;
  /** Where the draws come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

/**
 * Indices of categories drawn with odds proportional to `weights`. PyTorch's `torch.multinomial`.
 *
 * Without replacement, each draw is made among the categories that are left, in proportion to their weights.
 *
 * @param weights shape (categories) or (rows, categories); floating-point, finite, not negative, not all 0 in a row.
 * @param count how many to draw per row.
 * @returns int32 of shape (count) or (rows, count).
 * @throws ShapeError, DTypeError, ArgumentError for weights that are none, or too few categories without replacement.
 * @example
 * multinomial(tensor([0, 1, 0]), 2, { replacement: true }).toArray(); // [1, 1]
 */
export function multinomial(weights: Tensor, count: number, options: MultinomialOptions = noOptions): Tensor {
  requireOptions('multinomial', options, { replacement: 'boolean', generator: Generator });
  const { replacement = false, generator = defaultGenerator } = options;
  const op = 'multinomial';
  requireFloat(op, 'weights', weights);
  if (weights.ndim < 1 || weights.ndim > 2) {
    throw new ShapeError(
      `weights have shape ${formatShape(weights.shape)}; give (categories) or (rows, categories).`,
      {
        op,
        operand: 'weights',
        actual: weights.shape,
        expected: 'one or two axes',
      },
    );
  }
  requireInteger(op, 'count', count, 1);
  const categories = weights.shape[weights.ndim - 1];
  const rows = weights.ndim === 1 ? 1 : weights.shape[0];
  const shape = weights.ndim === 1 ? [count] : [rows, count];
  return makeTensor(op, [weights], { shape, dtype: 'int32' }, ([odds]) => {
    const values = odds.toTypedArray();
    const row = (i: number) => values.subarray(i * categories, (i + 1) * categories);
    for (let i = 0; i < rows; i++) checkRow(row(i), i, replacement ? 1 : count);
    const draw = replacement ? drawAgain : drawOnce;
    const out = new Int32Array(rows * count);
    for (let i = 0; i < rows; i++) draw(row(i), out.subarray(i * count, (i + 1) * count), generator);
    return fromArray(out, shape, 'int32');
  });
}

function checkRow(odds: ArrayLike<number>, row: number, needed: number): void {
  let possible = 0;
  for (let i = 0; i < odds.length; i++) {
    if (!(odds[i] >= 0 && odds[i] < Infinity)) {
      throw new ArgumentError(
        `weight ${i} of row ${row} is ${odds[i]}; weights are finite and not negative.`,
        {
          op: 'multinomial',
          operand: 'weights',
          actual: odds[i],
          expected: 'finite numbers >= 0',
        },
      );
    }
    if (odds[i] > 0) possible++;
  }
  if (possible < needed) {
    throw new ArgumentError(
      `row ${row} has ${possible} weights above 0, and ${needed} different categories are wanted; draw fewer, or with { replacement: true }.`,
      { op: 'multinomial', operand: 'count', actual: needed, expected: `at most ${possible}` },
    );
  }
}

function drawAgain(odds: ArrayLike<number>, drawn: Int32Array, generator: Generator): void {
  const upTo = new Float64Array(odds.length);
  let total = 0;
  for (let i = 0; i < odds.length; i++) upTo[i] = total += odds[i];
  for (let k = 0; k < drawn.length; k++) {
    const point = uniform53(generator) * total;
    // The first category whose running sum passes the point; a weight of 0 is never the first.
    let low = 0;
    let high = odds.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upTo[middle] > point) high = middle;
      else low = middle + 1;
    }
    // The product may have rounded up to the total: the last category that has a weight takes it.
    while (odds[low] === 0) low--;
    drawn[k] = low;
  }
}

// A race: category i arrives after a time that is exponential with rate odds[i]. The order of arrival is that of draws
// without replacement (Efraimidis and Spirakis, 2006).
function drawOnce(odds: ArrayLike<number>, drawn: Int32Array, generator: Generator): void {
  const times = new Float64Array(odds.length);
  for (let i = 0; i < odds.length; i++) {
    const exponential = -portableLog(uniform53(generator) + 2 ** -54);
    times[i] = odds[i] === 0 ? Infinity : exponential / odds[i];
  }
  const order = Array.from({ length: odds.length }, (_, i) => i).sort((a, b) =>
    times[a] === times[b] ? a - b : times[a] - times[b],
  );
  drawn.set(order.slice(0, drawn.length));
}

function requireFloat(op: string, operand: string, x: Tensor): void {
  requireTensor(op, operand, x);
  if (isFloat(x.dtype)) return;
  throw new DTypeError(`${operand} are ${x.dtype}; convert them to a floating-point type first.`, {
    op,
    operand,
    actual: x.dtype,
    expected: 'a floating-point dtype',
  });
}
