// The install script never fails, says what it does and what would change it; and the package then runs what it says.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { KernelInfo } from '@adjoint/kernels-cpu';
import { transformWithEsbuild } from 'vite';
import { afterAll, describe, expect, it } from 'vitest';

const source = join(import.meta.dirname, '../../packages/kernels-cpu');
const built = join(source, 'build/adjoint.node');
const prebuilt = `prebuilds/${process.platform}-${process.arch}/adjoint.node`;
const folder = mkdtempSync(join(tmpdir(), 'adjoint-install-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of parts of the package, so that the addon that is in use stays. */
function copy(name: string, files: readonly string[]): string {
  const to = join(folder, name);
  for (const file of files) cpSync(join(source, file), join(to, file), { recursive: true });
  return to;
}

/** Compiles the tables of kernels in that copy, as they are in a package from the registry. `change` is done to them before. */
async function compileTables(root: string, change = (text: string) => text): Promise<void> {
  mkdirSync(join(root, 'dist/tiers'), { recursive: true });
  for (const name of ['boundary', 'machine']) {
    const text = change(readFileSync(join(source, `src/tiers/${name}.ts`), 'utf8'));
    const { code } = await transformWithEsbuild(text, `${name}.ts`, { sourcemap: false });
    writeFileSync(join(root, `dist/tiers/${name}.js`), code.replaceAll('./machine.ts', './machine.js'));
  }
}

const environment = (env: Record<string, string>) => {
  const { ADJOINT_KERNELS: _, ADJOINT_ADDON: __, ...inherited } = process.env;
  return { ...inherited, ...env };
};

/** Runs the install of that copy and gives the lines that it prints. It fails the test if the exit status is not 0. */
function install(root: string, env: Record<string, string> = {}): string[] {
  const script = join(root, 'scripts/install.mjs');
  return execFileSync(process.execPath, [script], { encoding: 'utf8', env: environment(env) })
    .trim()
    .split('\n');
}

function kernelInfoOf(root: string, env: Record<string, string> = {}): KernelInfo {
  const module = new URL(`file://${join(root, 'src/index.ts')}`).href;
  const script = `import { kernelInfo } from ${JSON.stringify(module)}; console.log(JSON.stringify(kernelInfo()));`;
  const printed = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: environment(env),
  });
  return JSON.parse(printed) as KernelInfo;
}

/** A program that stands for a compiler: it knows its version, and does what `body` (of a shell script) says. */
function compiler(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n[ "$1" = --version ] && { echo "${name} 1.0"; exit 0; }\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

const sources = ['package.json', 'scripts', 'simd'];

describe('an install', () => {
  it('without a compiler says so, and how to change it', () => {
    const root = copy('no-compiler', sources);
    const lines = install(root, { CXX: '', PATH: '' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /no native kernels, because there is no C\+\+ compiler.*WebAssembly or JavaScript runs instead\..*apt-get install g\+\+.*then: node .*install\.mjs$/,
    );
    expect(install(root, { CXX: '/nonexistent/c++' })[0]).toMatch(
      /CXX names \/nonexistent\/c\+\+, which does not run/,
    );
  });

  it('without the sources does not fail either', () => {
    const lines = install(copy('no-sources', ['package.json', 'scripts']));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/no native kernels/);
  });

  it('with a compiler that fails shows what the compiler says', () => {
    const CXX = compiler(
      'failing',
      'echo "some.h:1: warning: no matter"; echo "some.h:7: error: no such thing" >&2; exit 3',
    );
    const root = copy('failing-compiler', sources);
    const lines = install(root, { CXX });
    expect(lines[0]).toMatch(/building the native kernels with failing 1\.0/);
    expect(lines[1]).toMatch(
      /no native kernels, because .*failing failed: WebAssembly or JavaScript runs instead/,
    );
    expect(lines[2]).toBe('  some.h:7: error: no such thing');
    expect(lines.at(-1)).toMatch(/CXX.*then: node .*install\.mjs$/);
    expect(existsSync(join(root, 'build/adjoint.node'))).toBe(false);
  });

  it('with a compiler whose result does not load keeps nothing of it', () => {
    const CXX = compiler('confused', 'while [ "$1" != -o ]; do shift; done; echo no binary > "$2"');
    const root = copy('confused-compiler', sources);
    expect(install(root, { CXX }).join('\n')).toMatch(/no native kernels/);
    expect(existsSync(join(root, 'build/adjoint.node'))).toBe(false);
  });
});

describe.runIf(existsSync(built))('with native kernels', () => {
  it('an install builds once, and says before and after what it does', () => {
    const CXX = compiler('copying', `while [ "$1" != -o ]; do shift; done; cp '${built}' "$2"`);
    const root = copy('building', [...sources, 'src']);
    const lines = install(root, { CXX });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/building the native kernels with copying 1\.0/);
    expect(lines[1]).toMatch(/built the native kernels \(\w.*\) in \d+ s\.$/);
    expect(install(root, { CXX })).toEqual([expect.stringMatching(/up to date/)]);
    expect(kernelInfoOf(root).tier).toBe('native');
  });

  it('those that came with the package for this platform are used, and nothing is compiled', async () => {
    const root = copy('prebuilt', [...sources, 'src']);
    mkdirSync(dirname(join(root, prebuilt)), { recursive: true });
    cpSync(built, join(root, prebuilt));
    await compileTables(root);
    const lines = install(root, { CXX: compiler('unwanted', 'exit 1') });
    expect(lines).toEqual([expect.stringMatching(/came with the package/)]);
    expect(existsSync(join(root, 'build'))).toBe(false);
    expect(kernelInfoOf(root).tier).toBe('native');
  });

  it('those that came with the package but are of another version are not used, and a line says so', async () => {
    const root = copy('outdated', [...sources, 'src']);
    mkdirSync(dirname(join(root, prebuilt)), { recursive: true });
    cpSync(built, join(root, prebuilt));
    const CXX = '/nonexistent/c++';
    const passedOver = (why: RegExp) => [
      expect.stringMatching(why),
      expect.stringMatching(/no native kernels/),
    ];
    await compileTables(root, (text) => text.replace("'add',\n  'sub'", "'sub',\n  'add'"));
    expect(install(root, { CXX })).toEqual(
      passedOver(/not used: their tables are not those of this package/),
    );
    writeFileSync(join(root, 'dist/tiers/boundary.js'), 'no JavaScript');
    expect(install(root, { CXX })).toEqual(passedOver(/not used: this package is not compiled/));
    await compileTables(root);
    expect(install(root, { CXX })).toEqual([expect.stringMatching(/came with the package/)]);
  });

  it('those that do not load here are passed over, and kernelInfo says why', () => {
    const root = copy('foreign', [...sources, 'src']);
    mkdirSync(dirname(join(root, prebuilt)), { recursive: true });
    writeFileSync(join(root, prebuilt), 'for another machine');
    expect(install(root, { CXX: '/nonexistent/c++' })).toEqual([expect.stringMatching(/no native kernels/)]);
    expect(kernelInfoOf(root)).toMatchObject({
      tier: 'wasm',
      note: expect.stringMatching(
        /native kernels could not be loaded \(.*adjoint\.node.*: node .*install\.mjs builds them/,
      ),
    });
  });

  it.each([
    ['two element-wise ops have changed places', 'machine.ts', /'add',\n {2}'sub'/, "'sub',\n  'add'"],
    ['two reductions have', 'machine.ts', /'max',\n {2}'min'/, "'min',\n  'max'"],
    ['a kernel is gone', 'machine.ts', / {2}'gather',\n/, ''],
    ['arguments mean something else', 'boundary.ts', /VERSION = \d+/, 'VERSION = 999'],
  ])('those in whose table %s are not called', (what, file, before, after) => {
    const root = copy(what, ['package.json', 'src']);
    mkdirSync(join(root, 'build'));
    cpSync(built, join(root, 'build/adjoint.node'));
    const path = join(root, 'src/tiers', file);
    const text = readFileSync(path, 'utf8');
    expect(text).toMatch(before);
    writeFileSync(path, text.replace(before, after));
    expect(kernelInfoOf(root)).toMatchObject({
      tier: 'wasm',
      note: expect.stringMatching(
        /adjoint\.node was built from other sources.*: node .*install\.mjs builds them/,
      ),
    });
  });

  it('ADJOINT_ADDON names another one, and then it is that or none', () => {
    const root = copy('other', ['package.json', 'scripts', 'src']);
    expect(kernelInfoOf(root)).toMatchObject({
      tier: 'wasm',
      note: expect.stringMatching(/were not built.*, node .*install\.mjs builds them/),
    });
    expect(kernelInfoOf(root, { ADJOINT_ADDON: built }).tier).toBe('native');
    expect(kernelInfoOf(root, { ADJOINT_ADDON: '/nonexistent.node' }).note).toMatch(
      /ADJOINT_ADDON names \/nonexistent\.node, which is not there/,
    );
  });
});
