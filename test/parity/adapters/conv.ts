// How fixtures call the convolution family: args (input, weight, bias or null).

import {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  reshape,
  type Tensor,
} from '@adjoint/core';
import type { Adapter, Adapters } from '../suite.ts';
import { optionalTensor, tensorOf } from './read.ts';

type Conv<Options> = (input: Tensor, weight: Tensor, options: Options) => Tensor;

const conv =
  <Options extends ConvOptions>(op: Conv<Options>): Adapter =>
  ([input, weight, bias], options) =>
    op(tensorOf(input), tensorOf(weight), { ...options, bias: optionalTensor(bias) } as Options);

export const convAdapters: Adapters = {
  conv1d: conv(conv1d),
  conv2d: conv(conv2d),
  conv3d: conv(conv3d),
  convTranspose1d: conv<ConvTransposeOptions>(convTranspose1d),
  convTranspose2d: conv<ConvTransposeOptions>(convTranspose2d),
  convTranspose3d: conv<ConvTransposeOptions>(convTranspose3d),
};

/** The same calls with the weight in its grouped layout (groups, …, …, …kernel) and the bias as (1, out, 1, …). */
export const groupedConvAdapters: Adapters = Object.fromEntries(
  Object.entries(convAdapters).map(([name, adapter]): [string, Adapter] => [
    name,
    ([input, weight, bias], options) => {
      const groups = options.groups as number;
      const w = tensorOf(weight);
      const b = optionalTensor(bias);
      const spatial = w.shape.slice(2);
      const grouped = reshape(w, [groups, w.shape[0] / groups, w.shape[1], ...spatial]);
      const fullBias = b && reshape(b, [1, b.size, ...spatial.map(() => 1)]);
      // What the grouped layout says, the option need not.
      return adapter([input ?? null, grouped, fullBias ?? null], { ...options, groups: undefined });
    },
  ]),
);
