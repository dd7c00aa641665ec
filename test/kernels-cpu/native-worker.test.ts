// The native kernels in workers alone: Node closes an addon with the last worker that used it, while threads of its pool still run its code.

import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { fastTiers } from './tiers-available.ts';

const module = new URL('../../packages/kernels-cpu/src/index.ts', import.meta.url).href;
const hasNative = fastTiers.some(([, { tier }]) => tier === 'native');

// Workers do not take over what `--import` registered.
const worker = `
  import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))})
    .then(({ register }) => register())
    .then(() => import(${JSON.stringify(module)}))
    .then(({ setNumThreads }) => setNumThreads(4));`;
// Where the process's memory is mapped, when the worker has ended.
const program = `
  import { readFileSync } from 'node:fs';
  import { Worker } from 'node:worker_threads';
  const isMapped = () => readFileSync('/proc/self/maps', 'utf8').includes('adjoint.node');
  const before = isMapped();
  new Worker(${JSON.stringify(worker)}, { eval: true }).on('exit', (code) => {
    setTimeout(() => console.log(JSON.stringify({ code, before, after: isMapped() })), 50);
  });`;

test.skipIf(!hasNative || process.platform !== 'linux')('their code outlives the worker', () => {
  const printed = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    env: { ...process.env, ADJOINT_KERNELS: 'native' },
    encoding: 'utf8',
  });
  expect(JSON.parse(printed)).toEqual({ code: 0, before: false, after: true });
});
