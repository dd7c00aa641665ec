// What a user installs: each package, packed, works alone under plain Node and TypeScript, and carries nothing else.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Entry,
  type Folder,
  filesBelow,
  folders,
  type Manifest,
  manifests,
  packAll,
  readManifest,
  root,
  specifier,
} from './packages.ts';

/** What must lie in node_modules for each package to work, itself included: its own name and those below it. */
const closure: Readonly<Record<Folder, readonly Folder[]>> = {
  'kernels-cpu': ['kernels-cpu'],
  core: ['kernels-cpu', 'core'],
  nn: ['kernels-cpu', 'core', 'nn'],
};

let packed: string;

beforeAll(() => {
  packed = mkdtempSync(join(tmpdir(), 'adjoint-packages-'));
  packAll(packed);
}, 180_000);

afterAll(() => {
  rmSync(packed, { recursive: true, force: true });
});

/** The dependencies that are not packages of this workspace. */
function thirdParty(manifest: Manifest): readonly string[] {
  return Object.keys(manifest.dependencies ?? {}).filter((name) => !name.startsWith('@adjoint/'));
}

/** An empty project with one package in node_modules, beside only those it may depend on. */
function project(folder: Folder): string {
  const directory = join(packed, `project-${folder}`);
  if (!existsSync(directory)) {
    mkdirSync(join(directory, 'node_modules/@adjoint'), { recursive: true });
    writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n');
    for (const name of closure[folder]) {
      cpSync(join(packed, name), join(directory, 'node_modules/@adjoint', name), { recursive: true });
    }
    // Libraries of others are linked from where the workspace has them: no registry is asked.
    for (const name of thirdParty(readManifest(join(packed, folder)))) {
      symlinkSync(
        join(root, 'packages', folder, 'node_modules', name),
        join(directory, 'node_modules', name),
        'dir',
      );
    }
  }
  return directory;
}

/** Runs a script in an empty project under plain Node: no loader, no flags of the test run. */
function runNode(directory: string, script: string): string {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: directory,
    env,
    encoding: 'utf8',
  });
}

function entriesOf(manifest: Manifest): readonly (readonly [string, Entry])[] {
  return Object.entries(manifest.exports) as unknown as readonly (readonly [string, Entry])[];
}

describe.each(folders)('%s, packed', (folder) => {
  const source = manifests[folder];

  test('holds the build, README, LICENSE and its manifest, and nothing else', () => {
    const files = filesBelow(join(packed, folder));
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    const others = files.filter((file) => !/^(LICENSE|README\.md|package\.json)$/.test(file));
    expect(others).not.toEqual([]);
    // kernels-cpu brings what an install builds the native kernels from.
    const extra =
      folder === 'kernels-cpu'
        ? /^(simd\/.+\.(h|cc)|scripts\/(install|native)\.mjs|include\/.+\.h|include\/COPYING)$/
        : /^$/;
    const unknown = others.filter(
      (file) => !/^dist\/.+\.(d\.ts|js|js\.map)$/.test(file) && !extra.test(file),
    );
    expect(unknown).toEqual([]);
  });

  test('offers every entry of the workspace, each with code and types', () => {
    const manifest = readManifest(join(packed, folder));
    expect(Object.keys(manifest.exports)).toEqual(Object.keys(source.exports));
    for (const [name, entry] of entriesOf(manifest)) {
      const stem = String(source.exports[name]).replace('./src/', './dist/').replace(/\.ts$/, '');
      expect(entry, name).toEqual({ types: `${stem}.d.ts`, default: `${stem}.js` });
      expect(existsSync(join(packed, folder, entry.types)), entry.types).toBe(true);
      expect(existsSync(join(packed, folder, entry.default)), entry.default).toBe(true);
    }
  });

  test('depends on the packages below it by version', () => {
    const manifest = readManifest(join(packed, folder));
    const ours = Object.entries(manifest.dependencies ?? {}).filter(([name]) => name.startsWith('@adjoint/'));
    const below = { 'kernels-cpu': [], core: ['kernels-cpu'], nn: ['core'] }[folder];
    expect(ours).toEqual(below.map((name) => [`@adjoint/${name}`, `^${manifest.version}`]));
    expect(manifest.optionalDependencies ?? {}).toEqual({});
    expect(manifest.peerDependencies ?? {}).toEqual({});
    if (folder !== 'nn') expect(thirdParty(manifest)).toEqual([]);
  });

  test('names only files that exist as having side effects', () => {
    const { sideEffects } = readManifest(join(packed, folder));
    for (const file of sideEffects === false ? [] : (sideEffects as readonly string[])) {
      const place = file.startsWith('./src/') ? join(root, 'packages', folder) : join(packed, folder);
      expect(existsSync(join(place, file)), file).toBe(true);
    }
  });

  test.each(Object.keys(source.exports))(
    '%s imports alone under plain Node, with the names of its source',
    async (entry) => {
      const name = specifier(source.name, entry);
      const printed = runNode(
        project(folder),
        `console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(name)}))))`,
      );
      const names = JSON.parse(printed) as readonly string[];
      expect(names).not.toEqual([]);
      expect(names).toEqual(Object.keys((await import(name)) as object).sort());
    },
  );

  test('type checks in a strict project that has no other types', () => {
    const directory = project(folder);
    const imports = Object.keys(source.exports).map(
      (entry, index) => `import * as entry${index} from '${specifier(source.name, entry)}';`,
    );
    const names = imports.map((_, index) => `entry${index}`);
    // Each namespace must have members: an entry whose types were lost would be empty, and `keyof` it never.
    const uses = names.map(
      (name) => `export const key_${name}: keyof typeof ${name} = Object.keys(${name})[0] as never;`,
    );
    const members = names.map(
      (name) => `export const has_${name}: [keyof typeof ${name}] extends [never] ? false : true = true;`,
    );
    writeFileSync(join(directory, 'use.ts'), [...imports, ...uses, ...members, ''].join('\n'));
    writeConfig(directory, 'use.ts');
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    expect(compile(tsc, directory)).toBe('');
  });
});

test('a program type checks with every check of the compiler turned on', () => {
  const directory = project('nn');
  cpSync(join(import.meta.dirname, 'strict-program.ts'), join(directory, 'strict-program.ts'));
  writeConfig(directory, 'strict-program.ts', { noUncheckedIndexedAccess: true });
  expect(compile(join(root, 'node_modules/typescript/bin/tsc'), directory)).toBe('');
});

describe('a package alone, under plain Node,', () => {
  test('kernels-cpu convolves typed arrays, forth and back', () => {
    const printed = runNode(
      project('kernels-cpu'),
      `import { convGeometry, kernels } from '@adjoint/kernels-cpu';
       const g = convGeometry({ batch: 1, inChannels: 1, outChannels: 1, inputSize: [3], kernelSize: 2 });
       const w = Float64Array.of(10, 1);
       const y = new Float64Array(2);
       kernels.convForward(g, Float64Array.of(1, 2, 3), w, y);
       const x = new Float64Array(3);
       kernels.convInputGrad(g, w, Float64Array.of(1, 2), x);
       console.log(JSON.stringify([...y, ...x]));`,
    );
    // y[o] = 10 x[o] + x[o + 1]; its adjoint spreads (1, 2) over x.
    expect(JSON.parse(printed)).toEqual([12, 23, 10, 21, 2]);
  });

  test('core differentiates twice', () => {
    const printed = runNode(
      project('core'),
      `import { grad, tensor } from '@adjoint/core';
       const x = tensor([1, 2, 3], { dtype: 'float64', requiresGrad: true });
       const [first] = grad(x.mul(x).mul(x).sum(), [x], { createGraph: true });
       const [second] = grad(first.sum(), [x]);
       console.log(JSON.stringify([first.toArray(), second.toArray()]));`,
    );
    // The derivatives of x^3 are 3 x^2 and 6 x.
    expect(JSON.parse(printed)).toEqual([
      [3, 12, 27],
      [6, 12, 18],
    ]);
  });
});

/** A strict project of one file that has no types but its own. */
function writeConfig(directory: string, file: string, more: Readonly<Record<string, boolean>> = {}): void {
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2022'],
    types: [],
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    ...more,
  };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
}

/** What the compiler prints about a project; nothing when it is right. */
function compile(tsc: string, directory: string): string {
  try {
    return execFileSync(process.execPath, [tsc, '--project', directory], { encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
