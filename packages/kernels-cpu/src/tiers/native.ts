// The native tier: the addon that simd/ is compiled to, on Node-API. Arrays are read and written in place.

import type { Kernels } from '../kernels.ts';
import { accelerate } from './accelerate.ts';
import { boundaryHash } from './boundary.ts';
import { environment } from './environment.ts';
import { type Machine, NUMBERS, type WorthACall } from './machine.ts';

/** What the addon exports: see simd/native/addon.cc. */
interface Addon extends Omit<Machine, 'numbers'> {
  /** What {@link boundaryHash} is here. */
  version(): number;
  shareNumbers(numbers: Float64Array): void;
  setThreads(count: number): number;
  instructionSets(): string[];
  useInstructionSet(index: number): void;
}

/** A native tier that is ready to run. */
export interface NativeTier {
  readonly kernels: Kernels;
  readonly instructionSet: string;
  /** All instruction sets that this processor can run, fastest first. */
  readonly instructionSets: readonly string[];
  /** How many threads there are, as `setThreads` has left it. */
  threads(): number;
  /** Sets the number of threads for the whole process and returns how many there are. */
  setThreads(count: number): number;
}

/** Why there is no native tier, as a sentence. */
export interface NoTier {
  readonly reason: string;
}

/** The parts of Node's `process` that loading an addon takes; other hosts have none or some of them. */
interface Host {
  readonly process?: {
    readonly platform?: string;
    readonly arch?: string;
    readonly versions?: { readonly node?: string };
    dlopen?(module: { exports: unknown }, path: string): void;
    getBuiltinModule?(name: string): unknown;
  };
}

// A call takes half a microsecond: as long as some hundred elements of what is cheap, and thirty of a function.
const worth: WorthACall = { cheap: 128, dear: 32, step: 96 };

/**
 * Loads the addon.
 *
 * @param instructionSet - one of `instructionSets`; the fastest by default
 */
export function loadNative(instructionSet?: string): NativeTier | NoTier {
  const host = (globalThis as Host).process;
  if (!host?.versions?.node) return { reason: 'This host loads no Node-API addons.' };
  const loaded = openAddon(host);
  if ('reason' in loaded) return loaded;
  const { addon } = loaded;
  const instructionSets = addon.instructionSets();
  const index = instructionSet === undefined ? 0 : instructionSets.indexOf(instructionSet);
  if (index < 0)
    return {
      reason: `This processor or build has no ${instructionSet}: it has ${instructionSets.join(', ')}.`,
    };
  const numbers = new Float64Array(new ArrayBuffer(8 * NUMBERS));
  addon.shareNumbers(numbers);
  addon.useInstructionSet(index);
  let threads = 1;
  return {
    kernels: accelerate(Object.assign(addon, { numbers, worth })),
    instructionSet: instructionSets[index],
    instructionSets,
    threads: () => threads,
    setThreads: (count) => {
      threads = addon.setThreads(count);
      return threads;
    },
  };
}

/**
 * The addon that was built here at install, or the one that came with the package for this platform. For developers:
 * `ADJOINT_ADDON` is the path of another one, and then it is that or none (scripts/sanitize.mjs runs the tests on one so).
 */
function openAddon(host: NonNullable<Host['process']>): { readonly addon: Addon } | NoTier {
  const { platform, arch } = host;
  const named = environment('ADJOINT_ADDON');
  const root = packageRoot();
  const places = named
    ? [named]
    : ['build/adjoint.node', `prebuilds/${platform}-${arch}/adjoint.node`].map((place) => root + place);
  const files = host.getBuiltinModule?.('node:fs') as { existsSync(path: string): boolean } | undefined;
  const failures: string[] = [];
  for (const place of places) {
    try {
      // What is not there is no failure: dlopen would say the same words of a library that is missing.
      if (files && !files.existsSync(place)) continue;
      const module: { exports: unknown } = { exports: {} };
      host.dlopen?.(module, place);
      const addon = module.exports as Addon;
      if (addon.version() === boundaryHash()) return { addon };
      failures.push(
        `${place} was built from other sources than this package: its table of kernels is another one`,
      );
    } catch (error) {
      const { code, message = String(error) } = error as {
        readonly code?: string;
        readonly message?: string;
      };
      // By a flag of this process: another addon would not load either.
      if (code === 'ERR_DLOPEN_DISABLED')
        return { reason: 'The native kernels may not be loaded: addons are disabled in this process.' };
      failures.push(message);
    }
  }
  if (named && failures.length === 0) return { reason: `ADJOINT_ADDON names ${named}, which is not there.` };
  if (failures.length > 0)
    return {
      reason: `The native kernels could not be loaded (${failures.join('; ')}): node ${root}scripts/install.mjs builds them for this machine.`,
    };
  const install = `${root}scripts/install.mjs`;
  return {
    reason: files?.existsSync(install)
      ? `The native kernels were not built: with a C++ compiler, node ${install} builds them.`
      : 'The native kernels are not beside this code: leave @adjoint/kernels-cpu out of a bundle (external), or name its build/adjoint.node in ADJOINT_ADDON.',
  };
}

/**
 * The folder of this package, which is two above the one of this file, in src/ as in dist/; that of another thing in a bundle, and '' in
 * one without `import.meta`. Not by `new URL(…, import.meta.url)`: bundlers would take that for an asset to copy.
 */
function packageRoot(): string {
  const { url = '' } = import.meta as unknown as { readonly url?: string };
  const path = decodeURIComponent(url.replace(/^file:\/\//, '').replace(/[?#].*$/, ''));
  return path.replace(/[^/]*\/[^/]*\/[^/]*$/, '');
}
