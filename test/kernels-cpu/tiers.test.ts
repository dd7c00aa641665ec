// Which tier runs, and what ADJOINT_KERNELS may ask for.

import { execFileSync } from 'node:child_process';
import { kernelInfo, kernels } from '@adjoint/kernels-cpu';
import { expect, test } from 'vitest';

const module = new URL('../../packages/kernels-cpu/src/index.ts', import.meta.url).href;

/** Imports the package in a process of its own and prints what `expression` gives; on a failure, the error's fields. */
function inProcess(expression: string, environment: Record<string, string>): unknown {
  const script = `
    const report = (value) => console.log(JSON.stringify(value));
    import(${JSON.stringify(module)}).then(
      ({ kernelInfo }) => report(${expression}),
      ({ name, message, requested, available }) => report({ name, message, requested, available }),
    );`;
  const { ADJOINT_KERNELS: _, ...inherited } = process.env;
  const env = { ...inherited, ...environment };
  return JSON.parse(
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      env,
      encoding: 'utf8',
    }),
  );
}

test('kernelInfo says what runs', () => {
  const info = kernelInfo();
  expect(['native', 'wasm', 'reference']).toContain(info.tier);
  expect(info.threads).toBeGreaterThanOrEqual(1);
  expect(info.note).toMatch(/\.$/);
  expect(Object.values(kernels).every((kernel) => typeof kernel === 'function')).toBe(true);
});

test('ADJOINT_KERNELS picks the reference', () => {
  expect(inProcess('kernelInfo().tier', { ADJOINT_KERNELS: 'reference' })).toBe('reference');
});

test('an unknown tier is an error that lists those there are', () => {
  const error = inProcess('kernelInfo().tier', { ADJOINT_KERNELS: 'cuda' });
  expect(error).toMatchObject({ name: 'KernelTierError', requested: 'cuda' });
  expect(error).toHaveProperty('available', expect.arrayContaining(['reference']));
  expect(error).toHaveProperty(
    'message',
    expect.stringMatching(/ADJOINT_KERNELS is 'cuda'.*reference.*unset it/),
  );
});

test('without process, as in a browser, the package loads', () => {
  expect(inProcess('kernelInfo().tier', {})).toBe('reference');
  const script = `delete globalThis.process; import(${JSON.stringify(module)}).then(({ kernelInfo }) => console.log(kernelInfo().tier));`;
  const out = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(out.trim()).toBe('reference');
});
