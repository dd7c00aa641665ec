// Which tier runs, and what ADJOINT_KERNELS may ask for.

import { execFileSync } from 'node:child_process';
import { KernelThreadsError, kernelInfo, kernels, setNumThreads } from '@adjoint/kernels-cpu';
import { expect, test } from 'vitest';
import { fastTiers, readsTypeScript } from './tiers-available.ts';

const module = new URL('../../packages/kernels-cpu/src/index.ts', import.meta.url).href;

/** Imports the package in a process of its own and prints what `expression` gives; on a failure, the error's fields. */
function inProcess(expression: string, environment: Record<string, string>): unknown {
  const script = `
    const report = (value) => console.log(JSON.stringify(value));
    import(${JSON.stringify(module)}).then(
      ({ kernelInfo, openTier }) => report(${expression}),
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

test('without a request it is the fastest tier there is', () => {
  const available = inProcess(
    "['native', 'wasm', 'reference'].filter((tier) => { try { openTier(tier); return true; } catch { return false; } })",
    {},
  ) as string[];
  expect(inProcess('kernelInfo().tier', {})).toBe(available[0]);
});

test('every tier that is available can be asked for', () => {
  for (const [, { tier }] of fastTiers)
    expect(inProcess('kernelInfo().tier', { ADJOINT_KERNELS: tier })).toBe(tier);
});

test('ADJOINT_NUM_THREADS sets the threads, and says so if it is no number of threads', () => {
  expect(inProcess('kernelInfo().threads', { ADJOINT_NUM_THREADS: '1' })).toBe(1);
  expect(inProcess('kernelInfo().threads', { ADJOINT_NUM_THREADS: '3', ADJOINT_KERNELS: 'reference' })).toBe(
    1,
  );
  for (const wrong of ['0', '1.5', 'many'])
    expect(inProcess('kernelInfo().threads', { ADJOINT_NUM_THREADS: wrong })).toMatchObject({
      name: 'KernelThreadsError',
    });
});

test('setNumThreads says how many there will be, and refuses what is no number of threads', () => {
  const threads = kernelInfo().threads;
  expect(setNumThreads(1)).toBe(1);
  expect(kernelInfo().threads).toBe(1);
  expect(() => setNumThreads(0)).toThrow(KernelThreadsError);
  expect(() => setNumThreads(2.5)).toThrow(/integer of at least 1/);
  setNumThreads(threads);
  expect(kernelInfo().threads).toBe(threads);
});

test('an unknown tier is an error that lists those there are', () => {
  const error = inProcess('kernelInfo().tier', { ADJOINT_KERNELS: 'cuda' });
  expect(error).toMatchObject({ name: 'KernelTierError', requested: 'cuda' });
  expect(error).toHaveProperty('available', expect.arrayContaining(['reference']));
  expect(error).toHaveProperty('message', expect.stringMatching(/'cuda'.*reference.*unset it/));
});

test('without process, as in a browser, the package loads', () => {
  const script = `delete globalThis.process; import(${JSON.stringify(module)}).then(({ kernelInfo }) => console.log(kernelInfo().tier));`;
  const out = execFileSync(process.execPath, [...readsTypeScript, '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(['wasm', 'reference']).toContain(out.trim());
});
