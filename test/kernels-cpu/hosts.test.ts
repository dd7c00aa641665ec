// Hosts that lack, forbid or hide something: the package loads there, computes, and says in `kernelInfo().note` what is missing and what
// would change it.

import { execFileSync } from 'node:child_process';
import type { KernelInfo } from '@adjoint/kernels-cpu';
import { expect, test } from 'vitest';
import { readsTypeScript } from './tiers-available.ts';

const module = new URL('../../packages/kernels-cpu/src/index.ts', import.meta.url).href;

interface Report {
  readonly asked: number;
  readonly info: KernelInfo;
  readonly right: boolean;
}

/** Runs `host`, which makes a process like another host, then products on four threads that workers would share. */
function on(host: string, flags: readonly string[] = []): Report {
  const script = `
    ${host}
    const { kernelInfo, kernels, setNumThreads } = await import(${JSON.stringify(module)});
    const asked = setNumThreads(4);
    const view = { data: new Float32Array(40_000).fill(1), shape: [200, 200], strides: [200, 1], offset: 0 };
    const product = () => {
      const out = new Float32Array(40_000);
      kernels.matmul(view, view, out, [200, 200]);
      return out.every((value) => value === 200);
    };
    const first = product();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const right = first && product();
    console.log(JSON.stringify({ asked, info: kernelInfo(), right }));
  `;
  const { ADJOINT_KERNELS: _, ADJOINT_ADDON: __, ADJOINT_NUM_THREADS: ___, ...inherited } = process.env;
  const args = [...flags, ...readsTypeScript, '--input-type=module', '-e', script];
  const printed = execFileSync(process.execPath, args, {
    env: inherited,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return JSON.parse(printed) as Report;
}

const PAGE = 'delete globalThis.process; delete globalThis.Buffer;';
const isolated = (value: boolean) => `globalThis.crossOriginIsolated = ${value};`;

test('a page that is not isolated has one thread, and says which headers would isolate it', () => {
  const { asked, info, right } = on(`${PAGE} ${isolated(false)}`);
  expect(right).toBe(true);
  expect(asked).toBe(1);
  expect(info).toMatchObject({ tier: 'wasm', threads: 1 });
  expect(info.note).toMatch(/one thread.*not cross-origin isolated.*Opener-Policy.*Embedder-Policy/);
});

test('a page whose policy forbids workers from blobs goes on with one thread, and says what to allow', () => {
  // What a browser does: the constructor returns, and an event without a message follows.
  const { asked, info, right } = on(`${PAGE} ${isolated(true)}
    globalThis.Worker = class {
      constructor() { setTimeout(() => this.onerror({}), 0); }
      postMessage() {}
      terminate() {}
    };`);
  expect(right).toBe(true);
  expect(asked).toBe(4);
  expect(info).toMatchObject({ tier: 'wasm', threads: 1 });
  expect(info.note).toMatch(/one thread of 4.*Content-Security-Policy.*blob: in worker-src/);
});

test('a page whose policy forbids WebAssembly runs the reference, and says what to allow', () => {
  const { info, right } = on(`${PAGE} ${isolated(true)}
    const { Module } = WebAssembly;
    WebAssembly.Module = class {
      constructor(bytes) {
        // Node's own reader of TypeScript is a module, too, and a large one.
        if (bytes.length > 2 ** 20) return new Module(bytes);
        throw new Error('blocked by CSP');
      }
    };`);
  expect(right).toBe(true);
  expect(info.tier).toBe('reference');
  expect(info.note).toMatch(/blocked by CSP.*'wasm-unsafe-eval' in script-src/);
});

test('a host without shared memory has one thread, and says so once more are asked for', () => {
  const { info, right } = on(`${PAGE} delete globalThis.SharedArrayBuffer;`);
  expect(right).toBe(true);
  expect(info).toMatchObject({ tier: 'wasm', threads: 1 });
  expect(info.note).toMatch(/no workers that share memory/);
});

test('a process whose addons are disabled runs WebAssembly, and is not told to build them', () => {
  const { info, right } = on('', ['--no-addons']);
  expect(right).toBe(true);
  expect(info.tier).toBe('wasm');
  expect(info.note).toMatch(/addons are disabled in this process\.$/);
});

test('an environment that may not be read is one in which nothing is set', () => {
  const { info, right } = on(`
    const get = (env, name) => {
      if (String(name).startsWith('ADJOINT')) throw new Error('denied');
      return env[name];
    };
    Object.defineProperty(process, 'env', { value: new Proxy(process.env, { get }) });`);
  expect(right).toBe(true);
  expect(info.note).toMatch(/^The fastest tier that is available\./);
});
