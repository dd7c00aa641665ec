// The variables of the environment that the package reads, where the host has an environment and gives it away.

interface Host {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

// Through a name: bundlers for browsers replace `globalThis.process.env`, though what they make may run in Node, too.
const host = globalThis as Host;

/** The value of a variable; undefined if it is not set, is empty, or there is no environment: browsers have none. */
export function environment(
  name: 'ADJOINT_KERNELS' | 'ADJOINT_NUM_THREADS' | 'ADJOINT_ADDON',
): string | undefined {
  try {
    return host.process?.env?.[name] || undefined;
  } catch {
    // Deno asks for a permission. A program that was denied it has set nothing that it could mean.
    return undefined;
  }
}
