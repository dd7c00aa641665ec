// How fixtures call indexing, selection and ordering: index tensors are operands there, axes and fills are options.

import {
  embedding,
  gather,
  indexSelect,
  maskedFill,
  maskedSelect,
  oneHot,
  scatter,
  scatterAdd,
  take,
} from '@adjoint/core';
import type { Adapters } from '../suite.ts';
import { operandOf, tensorOf, withOptions } from './read.ts';

export const indexingAdapters: Adapters = {
  gather: ([x, index], { axis }) => gather(tensorOf(x), axis as number, tensorOf(index)),
  scatter: ([x, index, source], { axis }) =>
    scatter(tensorOf(x), axis as number, tensorOf(index), operandOf(source)),
  scatterAdd: ([x, index, source], { axis }) =>
    scatterAdd(tensorOf(x), axis as number, tensorOf(index), tensorOf(source)),
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
  oneHot: withOptions(oneHot),
};
