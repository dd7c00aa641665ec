// Importing one thing brings what that thing needs and no more: `sideEffects` tells the truth to bundlers.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { afterAll, describe, expect, test } from 'vitest';
import { folders, manifests, root, specifier } from './packages.ts';

/** The chunks that a bundler makes of a program. */
async function bundle(program: string, format: 'es' | 'cjs' = 'es') {
  const entry = join(import.meta.dirname, 'program.ts');
  const output = await build({
    configFile: false,
    logLevel: 'silent',
    root: import.meta.dirname,
    plugins: [
      {
        name: 'program',
        enforce: 'pre',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? program : null),
      },
    ],
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      rollupOptions: {
        input: entry,
        external: /^node:/,
        preserveEntrySignatures: 'strict',
        output: { format },
      },
    },
  });
  if (!('output' in output)) throw new Error('vite built more than one output, or watches');
  return output.output.flatMap((part) => (part.type === 'chunk' ? [part] : []));
}

/** The source files of our packages that a bundler keeps for a program, relative to the repository. */
async function bundledFiles(program: string): Promise<readonly string[]> {
  return (await bundle(program))
    .flatMap(({ modules }) => Object.entries(modules))
    .filter(([, module]) => module.renderedLength > 0)
    .map(([file]) => file.slice(root.length + 1).replaceAll('\\', '/'))
    .filter((file) => file.startsWith('packages/'));
}

const entries = folders.flatMap((folder) =>
  Object.keys(manifests[folder].exports).map((entry) => specifier(manifests[folder].name, entry)),
);

// The root of core puts methods on Tensor: an import of it is never free, nor is one that passes through it.
const methods = 'packages/core/src/methods.ts';

describe('an import that is not used', () => {
  test.each(entries.filter((name) => name !== '@adjoint/core'))('of %s leaves nothing', async (name) => {
    const files = await bundledFiles(`import * as unused from '${name}'; export const x = 1;`);
    expect(files).toEqual([]);
  });

  test('of @adjoint/core still puts the methods on Tensor', async () => {
    expect(await bundledFiles(`import '@adjoint/core'; export const x = 1;`)).toContain(methods);
  });
});

describe('one op', () => {
  test('from @adjoint/core/conv brings neither methods nor tools nor families it does not use', async () => {
    const files = await bundledFiles(`export { conv2d } from '@adjoint/core/conv';`);
    expect(files).toContain('packages/core/src/ops/conv.ts');
    const unneeded = [
      /^packages\/core\/src\/(index|methods)\.ts$/,
      /^packages\/core\/src\/(check|graph|io|random)\//,
      /^packages\/core\/src\/ops\/(table|compare|exponential|gather|join|matmul|norm|pool|select|sort|unary)\.ts$/,
    ];
    expect(files.filter((file) => unneeded.some((pattern) => pattern.test(file)))).toEqual([]);
  });

  test('convGeometry from @adjoint/kernels-cpu brings no kernel', async () => {
    const files = await bundledFiles(`export { convGeometry } from '@adjoint/kernels-cpu';`);
    expect(files).toContain('packages/kernels-cpu/src/geometry.ts');
    expect(files.filter((file) => /\/(reference|tiers)\//.test(file))).toEqual([]);
  });
});

describe.each(['es', 'cjs'] as const)('a program for Node in one file, as %s,', (format) => {
  const folder = mkdtempSync(join(tmpdir(), 'adjoint-bundle-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const built = join(root, 'packages/kernels-cpu/build/adjoint.node');

  test('runs, and says why not on the native kernels', async () => {
    const [{ code }, ...others] = await bundle(
      `import { kernelInfo } from '@adjoint/kernels-cpu';
       import { tensor } from '@adjoint/core';
       console.log(JSON.stringify({ ...kernelInfo(), sum: tensor([1, 2]).sum().item() }));`,
      format,
    );
    expect(others).toEqual([]);
    const program = join(folder, format === 'es' ? 'program.mjs' : 'program.cjs');
    writeFileSync(program, code);
    const run = (more: Readonly<Record<string, string>>): unknown => {
      const { ADJOINT_KERNELS: _, ADJOINT_ADDON: __, NODE_OPTIONS: ___, ...env } = process.env;
      return JSON.parse(
        execFileSync(process.execPath, [program], { env: { ...env, ...more }, encoding: 'utf8' }),
      );
    };
    expect(run({})).toMatchObject({
      tier: 'wasm',
      sum: 3,
      note: expect.stringMatching(/not beside this code: leave @adjoint\/kernels-cpu out of a bundle/),
    });
    if (existsSync(built)) expect(run({ ADJOINT_ADDON: built })).toMatchObject({ tier: 'native', sum: 3 });
  });
});
