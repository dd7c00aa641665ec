// How many threads this process may run at once: the processors of its affinity, or fewer where a container's quota of
// processor time says so. A pool of more threads than that waits for its own, asleep in the middle of a task.

interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown };
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

/** The text of a file, or undefined. */
export type ReadFile = (path: string) => string | undefined;

/** The number of threads by default, at least 1. */
export function processors(): number {
  const { process, navigator } = globalThis as Host;
  const os = process?.getBuiltinModule?.('node:os') as { availableParallelism?(): number } | undefined;
  const available = os?.availableParallelism?.() ?? navigator?.hardwareConcurrency ?? 1;
  const fs = process?.getBuiltinModule?.('node:fs') as
    | { readFileSync(path: string, encoding: string): string }
    | undefined;
  if (!fs || available === 1) return available;
  const quota = cgroupQuota((path) => {
    try {
      return fs.readFileSync(path, 'utf8');
    } catch {
      // Another system, or another layout of the groups: no quota that we know of.
      return undefined;
    }
  });
  // Rounded down: what is over would be spent by threads that wait for one that is made to pause.
  return Math.max(1, Math.min(available, Math.floor(quota)));
}

/**
 * The quota of processor time of a Linux control group, in processors: the least of the group and those around it. Infinity if there
 * is none. Both versions of control groups are read, as far as a container shows them.
 */
export function cgroupQuota(read: ReadFile): number {
  const groups = read('/proc/self/cgroup');
  if (groups === undefined) return Infinity;
  let least = Infinity;
  for (const line of groups.trim().split('\n')) {
    const [, controllers, path = '/'] = line.match(/^\d+:([^:]*):(.*)$/) ?? [];
    if (controllers === '') {
      for (const folder of enclosing('/sys/fs/cgroup', path))
        least = Math.min(least, share(...(read(`${folder}/cpu.max`) ?? '').split(/\s+/)));
    } else if (controllers?.split(',').includes('cpu')) {
      for (const folder of enclosing(`/sys/fs/cgroup/${controllers}`, path))
        least = Math.min(
          least,
          share(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)),
        );
    }
  }
  return least;
}

/** Microseconds per period; no number ("max") or −1 is no limit. */
function share(quota?: string, period?: string): number {
  const processors = Number(quota?.trim() || Number.NaN) / Number(period?.trim() || Number.NaN);
  return processors > 0 ? processors : Infinity;
}

/** The folder of a group, then those around it. A container may see its own group as the root, whatever its path. */
function enclosing(root: string, path: string): string[] {
  const names = path.split('/').filter((name) => name !== '');
  return Array.from({ length: names.length + 1 }, (_, up) =>
    [root, ...names.slice(0, names.length - up)].join('/'),
  );
}
