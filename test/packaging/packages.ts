// The three packages as the workspace describes them, and as the registry would receive them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly sideEffects: boolean | readonly string[];
  readonly exports: Readonly<Record<string, unknown>>;
  readonly publishConfig: { readonly exports?: Readonly<Record<string, unknown>> };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Entry {
  readonly types: string;
  readonly default: string;
}

/** Folder names under `packages/`, ground floor first: each may import only from those before it. */
export const folders = ['kernels-cpu', 'core', 'nn'] as const;
export type Folder = (typeof folders)[number];

export function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}

export const manifests: Readonly<Record<Folder, Manifest>> = {
  'kernels-cpu': readManifest(join(root, 'packages/kernels-cpu')),
  core: readManifest(join(root, 'packages/core')),
  nn: readManifest(join(root, 'packages/nn')),
};

/** The name that a user writes for an entry of a package: `@adjoint/core` and `./conv` give `@adjoint/core/conv`. */
export function specifier(name: string, entry: string): string {
  return name + entry.slice(1);
}

/** All files below a directory, as paths relative to it with forward slashes, sorted. */
export function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) =>
      join(file.parentPath, file.name)
        .slice(directory.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

/**
 * Packs every package as `pnpm publish` would (their `prepack` builds afresh) and unpacks each tarball.
 * Afterwards the directory holds one folder per package.
 */
export function packAll(directory: string): void {
  // Under `pnpm test` the running pnpm is on PATH; under a bare `vitest` npx brings the pinned one.
  const underPnpm = process.env.npm_config_user_agent?.startsWith('pnpm/') ?? false;
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    packageManager: string;
  };
  const [command, ...prefix] = underPnpm ? ['pnpm'] : ['npx', '--yes', packageManager];
  try {
    execFileSync(
      command as string,
      [...prefix, '--filter', './packages/*', 'pack', '--pack-destination', directory],
      { cwd: root, stdio: 'pipe', encoding: 'utf8' },
    );
  } catch (error) {
    // The compiler says on stdout what is wrong; an error of a child process carries stderr alone.
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`The packages could not be packed.\n${stdout}\n${stderr}`, { cause: error });
  }
  for (const folder of folders) {
    const unpacked = join(directory, folder);
    mkdirSync(unpacked);
    const tarball = join(directory, `adjoint-${folder}-${manifests[folder].version}.tgz`);
    execFileSync('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1']);
  }
}
