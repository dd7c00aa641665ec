// How fixtures call products, einsum, diagonals and triangles.

import { bmm, diagonal, dot, einsum, linear, outer, trace, tril, triu } from '@adjoint/core';
import type { Adapters } from '../suite.ts';
import { optionalTensor, tensorOf, unary, withOptions } from './read.ts';

export const productAdapters: Adapters = {
  bmm: ([a, b]) => bmm(tensorOf(a), tensorOf(b)),
  diagonal: withOptions(diagonal),
  dot: ([a, b]) => dot(tensorOf(a), tensorOf(b)),
  einsum: (operands, { equation }) => einsum(equation as string, ...operands.map(tensorOf)),
  linear: ([x, weight, bias]) => linear(tensorOf(x), tensorOf(weight), optionalTensor(bias)),
  outer: ([a, b]) => outer(tensorOf(a), tensorOf(b)),
  trace: unary(trace),
  tril: withOptions(tril),
  triu: withOptions(triu),
};
