// Which implementation of the kernels runs. Decided once, when this module is first imported.

import { KernelTierError } from '../errors.ts';
import type { Kernels } from '../kernels.ts';
import { reference } from '../reference/index.ts';

/** The implementations, fastest first. */
export type KernelTier = 'native' | 'wasm' | 'reference';

/** What {@link kernelInfo} reports. */
export interface KernelInfo {
  readonly tier: KernelTier;
  /** The instruction set that the tier was compiled for; the reference is JavaScript. */
  readonly instructionSet: string;
  /** How many threads share the work of one kernel. */
  readonly threads: number;
  /** Why this tier was chosen, as a sentence. */
  readonly note: string;
}

/** A tier as the selection sees it: how it is reported, and what it computes. */
export interface SelectedTier {
  readonly info: KernelInfo;
  readonly kernels: Kernels;
}

/**
 * Picks a tier.
 *
 * @param requested - the value of `ADJOINT_KERNELS`: a tier's name; empty or undefined for the fastest available
 * @throws {@link KernelTierError} if that tier does not exist or is not available
 */
export function selectTier(requested: string | undefined): SelectedTier {
  if (requested && requested !== 'reference') throw new KernelTierError(requested, ['reference']);
  const note = requested ? 'Chosen by ADJOINT_KERNELS.' : 'The only tier of this version: plain JavaScript.';
  return { info: { tier: 'reference', instructionSet: 'javascript', threads: 1, note }, kernels: reference };
}

/** `process` where there is one: browsers have none. */
interface Host {
  readonly process?: { readonly env?: { readonly ADJOINT_KERNELS?: string } };
}

const active = selectTier((globalThis as Host).process?.env?.ADJOINT_KERNELS);

/**
 * The kernels of the active tier.
 *
 * @example
 * ```ts
 * const view = (data: Float32Array) => ({ data, shape: [data.length], strides: [1], offset: 0 });
 * const out = new Float32Array(2);
 * kernels.add(view(Float32Array.of(1, 2)), view(Float32Array.of(3, 4)), out, [2]); // out is [4, 6]
 * ```
 */
export const kernels: Kernels = active.kernels;

/**
 * Which tier runs, and why.
 *
 * @example
 * ```ts
 * kernelInfo().tier; // 'reference'
 * ```
 */
export function kernelInfo(): KernelInfo {
  return active.info;
}
