// How fixtures call indexing, selection and ordering: index tensors are operands there, axes and fills are options.

import {
  argsort,
  bincount,
  countNonzero,
  diff,
  embedding,
  gather,
  type IndexEntry,
  index,
  indexAdd,
  indexSelect,
  logaddexp,
  maskedFill,
  maskedSelect,
  nanToNum,
  nonzero,
  oneHot,
  padSequence,
  scatter,
  scatterAdd,
  searchsorted,
  sort,
  type Tensor,
  take,
  topk,
  unique,
  type ValuesAndIndices,
} from '@adjoint/core';
import type { Adapters } from '../suite.ts';
import { operandOf, optionalTensor, tensorOf, tensorsOf, withOptions } from './read.ts';

const both = ({ values, indices }: ValuesAndIndices): Tensor[] => [values, indices];

export const indexingAdapters: Adapters = {
  gather: ([x, index], { axis }) => gather(tensorOf(x), axis as number, tensorOf(index)),
  scatter: ([x, index, source], { axis }) =>
    scatter(tensorOf(x), axis as number, tensorOf(index), operandOf(source)),
  scatterAdd: ([x, index, source], { axis }) =>
    scatterAdd(tensorOf(x), axis as number, tensorOf(index), tensorOf(source)),
  indexAdd: ([x, index, source], { axis }) =>
    indexAdd(tensorOf(x), axis as number, tensorOf(index), tensorOf(source)),
  bincount: ([x, weights], options) =>
    bincount(tensorOf(x), { ...options, weights: optionalTensor(weights) }),
  diff: withOptions(diff),
  countNonzero: ([x], { axis }) => countNonzero(tensorOf(x), { axes: axis as number | undefined }),
  padSequence: ([sequences], options) => padSequence(tensorsOf(sequences), options),
  logaddexp: ([a, b]) => logaddexp(tensorOf(a), operandOf(b)),
  nanToNum: withOptions(nanToNum),
  indexSelect: ([x, index], { axis }) => indexSelect(tensorOf(x), axis as number, tensorOf(index)),
  take: ([x, index]) => take(tensorOf(x), tensorOf(index)),
  maskedSelect: ([x, mask]) => maskedSelect(tensorOf(x), tensorOf(mask)),
  maskedFill: ([x, mask], { value }) => maskedFill(tensorOf(x), tensorOf(mask), Number(value)),
  embedding: ([indices, weight], { paddingIdx }) =>
    embedding(
      tensorOf(indices),
      tensorOf(weight),
      paddingIdx === undefined ? {} : { paddingIdx: paddingIdx as number },
    ),
  index: ([x, indices]) => index(tensorOf(x), indices as IndexEntry[]),
  sort: ([x], options) => both(sort(tensorOf(x), options)),
  argsort: withOptions(argsort),
  topk: ([x], { k, ...options }) => both(topk(tensorOf(x), k as number, options)),
  nonzero: ([x]) => nonzero(tensorOf(x)),
  unique: ([x], { returnInverse }) => {
    const { values, inverse, counts } = unique(tensorOf(x));
    return returnInverse === true ? [values, inverse, counts] : values;
  },
  searchsorted: ([sorted, values], options) => searchsorted(tensorOf(sorted), tensorOf(values), options),
  oneHot: withOptions(oneHot),
};
