// The oracle live: runs generate.py with a fresh seed where PyTorch is installed for Debian's own Python.

import { execFileSync, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Debian's python3-torch is built for this interpreter; one that a version manager puts first on the path lacks it.
const python = '/usr/bin/python3';
const generator = fileURLToPath(new URL('generate.py', import.meta.url));

/** The version of PyTorch that `/usr/bin/python3` imports, or null. */
export function pytorchVersion(): string | null {
  const found = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : null;
}

/** The seed of this run: ADJOINT_PARITY_SEED, or a fresh one. */
export function paritySeed(): string {
  return process.env.ADJOINT_PARITY_SEED || String(randomInt(1e9));
}

/** Generates fixtures into a folder of its own, hands it to `read`, and removes it. */
export function withGenerated<T>(
  options: { readonly seed: string; readonly values: 'dyadic' | 'real' },
  read: (directory: string) => T,
): T {
  const directory = mkdtempSync(join(tmpdir(), 'adjoint-parity-'));
  try {
    execFileSync(
      python,
      [generator, '--out', directory, '--seed', options.seed, '--values', options.values],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    return read(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
