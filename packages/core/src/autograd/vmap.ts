// vmap: a function of single examples, mapped over an axis of its inputs.
//
// The records hold no batching rules, so the function runs once per example and the results are stacked. What is promised is the
// meaning (derivatives of any order, every op, control flow by example), not speed: for speed write the batch into the function.

import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { stack } from '../ops/join.ts';
import { select } from '../ops/slice.ts';
import { noOptions, requireOptions } from '../options.ts';
import { checkAxis } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import {
  type Alike,
  inFormOf,
  listOf,
  requireCurried,
  type TensorFunction,
  type Tensors,
} from './variables.ts';

/** Options of {@link vmap}. */
export interface VmapOptions {
  /** The axis of each input that is mapped over; null hands the input on whole. One entry for all inputs, or one each. Default 0. */
  readonly inAxes?: number | null | readonly (number | null)[] | undefined;
  /** Where the mapped axis stands in the results. Default 0. */
  readonly outAxis?: number | undefined;
}

/**
 * Maps a function of single examples over an axis of its inputs. PyTorch's `torch.func.vmap`, JAX's `jax.vmap`.
 *
 * It runs `fn` once per example, in order, and stacks the results: it takes as long as that, and a function that draws random
 * numbers draws anew for each example. All derivatives pass through it.
 *
 * @param fn takes one example of each input, returns a tensor or a list, of the same shapes and dtypes for every example.
 * @returns a function of the whole inputs, which gives the results stacked, in the form that `fn` gives them.
 * @throws ArgumentError if no input is mapped, an axis is out of range or there are no examples; ShapeError if the inputs have
 *   different numbers of examples.
 * @example
 * const squareNorm = (x: Tensor) => sum(mul(x, x));
 * vmap(squareNorm)(tensor([[1, 2], [3, 4]])).toArray(); // [5, 25]
 * const gradients = vmap((x) => valueAndGrad(squareNorm, x)[1]);
 * gradients(tensor([[1, 2], [3, 4]])).toArray(); // [[2, 4], [6, 8]]
 */
export function vmap<const R extends Tensors>(
  fn: TensorFunction<R>,
  options: VmapOptions = noOptions,
): (...inputs: Tensor[]) => Alike<R> {
  requireCurried('vmap', options);
  requireOptions('vmap', options, { inAxes: 'own', outAxis: 'number' });
  const { inAxes = 0, outAxis = 0 } = options;
  return (...inputs) => {
    const axes = axesOf(inputs, inAxes);
    const count = countOf(inputs, axes);
    const results = Array.from({ length: count }, (_, i) =>
      fn(...inputs.map((input, k) => (axes[k] === null ? input : select(input, axes[k], i)))),
    );
    const lists = results.map((result) => listOf(result, 'vmap', 'the result of fn'));
    const stacked = lists[0].map((_, k) =>
      stack(
        lists.map((list) => list[k]),
        { axis: outAxis },
      ),
    );
    return inFormOf(results[0], stacked);
  };
}

function axesOf(
  inputs: readonly Tensor[],
  inAxes: number | null | readonly (number | null)[],
): (number | null)[] {
  const given = Array.isArray(inAxes)
    ? (inAxes as readonly (number | null)[])
    : inputs.map(() => inAxes as number | null);
  if (given.length !== inputs.length) {
    throw new ArgumentError(
      `inAxes has ${given.length} entries, and there are ${inputs.length} inputs; give one for each, or a single one for all.`,
      { op: 'vmap', operand: 'inAxes', actual: given, expected: `${inputs.length} entries` },
    );
  }
  const axes = inputs.map(({ ndim }, k) => {
    const axis = given[k];
    return axis === null ? null : checkAxis(axis, ndim, 'vmap');
  });
  if (axes.some((axis) => axis !== null)) return axes;
  throw new ArgumentError('no input is mapped; give at least one axis in inAxes.', {
    op: 'vmap',
    operand: 'inAxes',
    actual: given,
    expected: 'an axis for one input at least',
  });
}

function countOf(inputs: readonly Tensor[], axes: readonly (number | null)[]): number {
  const mapped = inputs.flatMap(({ shape }, k) =>
    axes[k] === null ? [] : [{ k, shape, size: shape[axes[k]] }],
  );
  const [first] = mapped;
  for (const { k, shape, size } of mapped) {
    if (size === first.size) continue;
    throw new ShapeError(
      `input ${k} of shape ${formatShape(shape)} has ${size} examples, and input ${first.k} of shape ${formatShape(first.shape)} has ${first.size}; they must be equal.`,
      { op: 'vmap', operand: `inputs[${k}]`, actual: size, expected: `${first.size} examples` },
    );
  }
  if (first.size > 0) return first.size;
  throw new ArgumentError(
    `input ${first.k} of shape ${formatShape(first.shape)} has no examples, so the shape of the results is unknown.`,
    { op: 'vmap', operand: `inputs[${first.k}]`, actual: 0, expected: 'one example at least' },
  );
}
