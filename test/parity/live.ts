// The oracle live: runs generate.py with a fresh seed where PyTorch is installed for Debian's own Python.

import { execFile, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

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

/** What to generate. */
export interface GenerateOptions {
  readonly seed: string;
  /** Short dyadic numbers, exact in sums of products, or numbers with all 53 bits. */
  readonly values: 'dyadic' | 'real';
  /** One family in place of all that are committed. */
  readonly family?: string;
}

/** Generates fixtures into a folder of its own, hands it to `read`, and removes it. */
export async function withGenerated<T>(options: GenerateOptions, read: (directory: string) => T): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'adjoint-parity-'));
  try {
    const { seed, values, family } = options;
    const args = [generator, '--out', directory, '--seed', seed, '--values', values];
    if (family !== undefined) args.push('--family', family);
    await promisify(execFile)(python, args);
    return read(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
