// Groups of parameters with options of their own: as optimisers take them, and as they hold them.

import type { Tensor } from '@adjoint/core';

/** Options that every optimiser has. */
export interface BaseOptions {
  /** Learning rate. */
  lr: number;
}

/** Parameters with options of their own; what a group does not say, the optimiser's options say. */
export type ParamGroup<Options> = { readonly params: Iterable<Tensor> } & Partial<Readonly<Options>>;

/** What optimisers take: parameters or other leaves that require a gradient, or groups of them. */
export type ParamInput<Options> = Iterable<Tensor> | Iterable<ParamGroup<Options>>;

/** A group as the optimiser holds it. Options may be changed between steps, by schedulers or by hand. */
export type Group<Options> = { readonly params: Tensor[] } & Options;
