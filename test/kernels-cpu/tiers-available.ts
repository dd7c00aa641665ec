// The fast tiers of this machine, one entry per instruction set, for the differential tests.

import { type KernelTier, type OpenTier, openTier } from '@adjoint/kernels-cpu';

function tryOpen(tier: KernelTier): OpenTier[] {
  try {
    const fastest = openTier(tier);
    return fastest.instructionSets.map((instructionSet) => openTier(tier, instructionSet));
  } catch {
    return [];
  }
}

/** Name and tier; empty where there is neither a native build nor WebAssembly. ADJOINT_KERNELS narrows them to one. */
export const fastTiers: readonly (readonly [string, OpenTier])[] = (['native', 'wasm'] as const)
  .filter((tier) => (process.env.ADJOINT_KERNELS ?? tier) === tier)
  .flatMap(tryOpen)
  .map((opened) => [`${opened.tier} ${opened.instructionSet}`, opened]);

/** The same bits, counting every NaN as one and telling 0 from −0. */
export function differentBits(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  const different: number[] = [];
  // Mostly there are none, and bytes are compared a hundred times faster than numbers.
  if (
    ArrayBuffer.isView(a) &&
    ArrayBuffer.isView(b) &&
    a.constructor === b.constructor &&
    bytes(a).equals(bytes(b))
  )
    return different;
  for (let i = 0; i < a.length && different.length < 5; i++) if (!Object.is(a[i], b[i])) different.push(i);
  return different;
}

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** What has a Node of its own import TypeScript. Newer ones do so themselves, and there tsx needs the `process` that some tests take away. */
export const readsTypeScript: readonly string[] =
  'typescript' in process.features && process.features.typescript ? [] : ['--import', 'tsx'];
