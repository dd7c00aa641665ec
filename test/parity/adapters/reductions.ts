// How fixtures call reductions, scans and softmax.

import {
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  cumprod,
  cumsum,
  logSoftmax,
  logsumexp,
  max,
  median,
  min,
  norm,
  prod,
  softmax,
  std,
  type Tensor,
  type ValuesAndIndices,
  variance,
} from '@adjoint/core';
import type { Adapter, Adapters } from '../suite.ts';
import { tensorOf, withOptions } from './read.ts';

interface Selection {
  (x: Tensor): Tensor;
  (x: Tensor, options: { readonly axis: number; readonly keepdim?: boolean }): ValuesAndIndices;
}

/** An op that gives one number without an axis, and values with their places along one. */
const selection =
  (op: Selection): Adapter =>
  ([x], options) => {
    if (!('axis' in options)) return op(tensorOf(x));
    const { values, indices } = op(tensorOf(x), options as { axis: number });
    return [values, indices];
  };

/** PyTorch reduces one axis at most, where Adjoint takes any number of them. */
const overAxis =
  (op: (x: Tensor, options: { readonly axes?: number; readonly keepdim?: boolean }) => Tensor): Adapter =>
  ([x], { axis, ...options }) =>
    op(tensorOf(x), axis === undefined ? options : { ...options, axes: axis as number });

export const reductionAdapters: Adapters = {
  all: overAxis(all),
  amax: withOptions(amax),
  amin: withOptions(amin),
  any: overAxis(any),
  argmax: withOptions(argmax),
  argmin: withOptions(argmin),
  cumprod: withOptions(cumprod),
  cumsum: withOptions(cumsum),
  logSoftmax: withOptions(logSoftmax),
  logsumexp: withOptions(logsumexp),
  max: selection(max),
  median: selection(median),
  min: selection(min),
  norm: withOptions(norm),
  prod: overAxis(prod),
  softmax: withOptions(softmax),
  std: withOptions(std),
  var: withOptions(variance),
};
