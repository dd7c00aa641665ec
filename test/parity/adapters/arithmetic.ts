// How fixtures call arithmetic, products, sums and layout ops.

import {
  add,
  cast,
  type DType,
  div,
  expand,
  matmul,
  mean,
  mul,
  neg,
  permute,
  reshape,
  sub,
  sum,
  transpose,
} from '@adjoint/core';
import type { Adapters } from '../suite.ts';
import { binary, tensorOf, unary, withOptions } from './read.ts';

export const arithmeticAdapters: Adapters = {
  to: ([x], { dtype }) => cast(tensorOf(x), dtype as DType),
  add: binary(add),
  sub: binary(sub),
  mul: binary(mul),
  div: binary(div),
  neg: unary(neg),
  matmul: ([a, b]) => matmul(tensorOf(a), tensorOf(b)),
  sum: withOptions(sum),
  mean: withOptions(mean),
  reshape: ([x], { shape }) => reshape(tensorOf(x), shape as number[]),
  permute: ([x], { axes }) => permute(tensorOf(x), axes as number[]),
  transpose: ([x], { axis0, axis1 }) => transpose(tensorOf(x), axis0 as number, axis1 as number),
  expand: ([x], { shape }) => expand(tensorOf(x), shape as number[]),
};
