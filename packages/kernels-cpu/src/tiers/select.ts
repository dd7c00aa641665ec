// Which implementation of the kernels runs. Decided once, when this module is first imported.

import { KernelTierError } from '../errors.ts';
import type { Kernels } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { checked } from './checked.ts';
import { environment } from './environment.ts';
import { KernelThreadsError } from './errors.ts';
import { loadNative, type NoTier } from './native.ts';
import { processors } from './processors.ts';
import { loadWasm } from './wasm.ts';

/** The implementations, fastest first. */
export type KernelTier = 'native' | 'wasm' | 'reference';

/** What {@link kernelInfo} reports. */
export interface KernelInfo {
  readonly tier: KernelTier;
  /** The instruction set that the tier was compiled for; the reference is JavaScript. */
  readonly instructionSet: string;
  /** How many threads share the work of one kernel. */
  readonly threads: number;
  /** Why this tier was chosen, and why there are fewer threads than asked for where it knows, in sentences. */
  readonly note: string;
}

/** A tier that is ready to run. */
export interface OpenTier {
  readonly tier: KernelTier;
  readonly kernels: Kernels;
  /** The instruction set that it uses. */
  readonly instructionSet: string;
  /** What else this host could use, fastest first. */
  readonly instructionSets: readonly string[];
  /** How many threads share the work of one kernel. */
  threads(): number;
  /** Sets how many threads share the work of one kernel, and returns how many there will be. */
  setThreads(count: number): number;
  /** Why there are fewer threads than asked for, as a sentence; undefined where there are as many, or the tier does not know. */
  threadsLimit?(): string | undefined;
}

const openReference: OpenTier = {
  tier: 'reference',
  kernels: checked(reference),
  instructionSet: 'javascript',
  instructionSets: ['javascript'],
  threads: () => 1,
  setThreads: () => 1,
};

function tryOpen(tier: KernelTier, instructionSet?: string): OpenTier | NoTier {
  if (tier === 'native') {
    const native = loadNative(instructionSet);
    return 'reason' in native ? native : { tier, ...native, kernels: checked(native.kernels) };
  }
  if (tier === 'wasm') {
    const wasm = loadWasm(instructionSet);
    return 'reason' in wasm ? wasm : { tier, ...wasm, kernels: checked(wasm.kernels) };
  }
  return openReference;
}

const all: readonly KernelTier[] = ['native', 'wasm', 'reference'];

/**
 * Opens a tier beside the one that is active: to compare two, or to time them.
 *
 * @param tier - its name
 * @param instructionSet - one of its `instructionSets`; default the fastest
 * @throws {@link KernelTierError} if that tier or instruction set is not available here
 *
 * @example
 * ```ts
 * const { kernels: plain, instructionSet } = openTier('reference');
 * const out = new Float64Array(1);
 * plain.sum({ data: Float64Array.of(1, 2), shape: [2], strides: [1], offset: 0 }, [0], out); // out is [3]
 * instructionSet; // 'javascript'
 * ```
 */
export function openTier(tier: KernelTier, instructionSet?: string): OpenTier {
  const opened = all.includes(tier) ? tryOpen(tier, instructionSet) : { reason: '' };
  if ('kernels' in opened) return opened;
  const available = all.filter((other) => 'kernels' in tryOpen(other));
  throw new KernelTierError(tier, available, opened.reason);
}

interface Active {
  readonly opened: OpenTier;
  readonly note: string;
}

function activate(): Active {
  const requested = environment('ADJOINT_KERNELS');
  const wanted = environment('ADJOINT_NUM_THREADS');
  const threads = wanted ? threadsFrom(wanted) : processors();
  if (requested) {
    const opened = openTier(requested as KernelTier);
    opened.setThreads(threads);
    return { opened, note: 'Chosen by ADJOINT_KERNELS.' };
  }
  const reasons: string[] = [];
  for (const tier of all) {
    const opened = tryOpen(tier);
    if ('kernels' in opened) {
      opened.setThreads(threads);
      return { opened, note: ['The fastest tier that is available.', ...reasons].join(' ') };
    }
    reasons.push(opened.reason);
  }
  return { opened: openReference, note: reasons.join(' ') };
}

function threadsFrom(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new KernelThreadsError('ADJOINT_NUM_THREADS', text);
  return count;
}

const active = activate();

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
export const kernels: Kernels = active.opened.kernels;

/**
 * Which tier runs, and why.
 *
 * @example
 * ```ts
 * ['native', 'wasm', 'reference'].includes(kernelInfo().tier); // true
 * ```
 */
export function kernelInfo(): KernelInfo {
  const { opened, note } = active;
  const { tier, instructionSet } = opened;
  const limit = opened.threadsLimit?.();
  return { tier, instructionSet, threads: opened.threads(), note: limit ? `${note} ${limit}` : note };
}

/**
 * Sets how many threads share the work of one kernel; `ADJOINT_NUM_THREADS` does so from outside. The default is the number
 * of processors that the process may use, by its affinity and its control group's quota. Results do not depend on it: the same
 * input gives the same bits on any number of threads. The native tier's threads are one pool for the whole process, workers included.
 * Those of WebAssembly start with the first product or convolution that is worth it; they need shared memory and workers, in a browser a
 * cross-origin isolated page, and without there is one thread.
 *
 * @param count - at least 1
 * @returns how many there will be: the reference has one, and a system may give fewer than asked for
 * @throws {@link KernelThreadsError} if `count` is no positive integer
 *
 * @example
 * ```ts
 * setNumThreads(1); // 1
 * ```
 */
export function setNumThreads(count: number): number {
  if (!Number.isInteger(count) || count < 1) throw new KernelThreadsError('setNumThreads', count);
  return active.opened.setThreads(count);
}
