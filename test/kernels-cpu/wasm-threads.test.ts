// The threads of the WebAssembly tier: that workers take part, and that nothing waits for one that is slow, dead or not to be had.

import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { DONE, OUT_OF_MEMORY } from '../../packages/kernels-cpu/src/tiers/machine.ts';
import { loadWasm, type WasmTier } from '../../packages/kernels-cpu/src/tiers/wasm.ts';
import {
  type Assignment,
  type StartWorker,
  workerStarter,
} from '../../packages/kernels-cpu/src/tiers/wasm-host.ts';
import { startInstance } from '../../packages/kernels-cpu/src/tiers/wasm-instance.ts';
import {
  type Instance,
  type MemoryKind,
  WasmMemory,
} from '../../packages/kernels-cpu/src/tiers/wasm-memory.ts';
import { convForward, matmul } from '../../packages/kernels-cpu/src/tiers/wasm-products.ts';
import { WasmTeam } from '../../packages/kernels-cpu/src/tiers/wasm-team.ts';
import { differentBits } from './tiers-available.ts';

const realStarter = workerStarter() as StartWorker;

/** A team of four on an instance of its own, which ends with the test. */
function open(startWorker: StartWorker) {
  const team = new WasmTeam(startWorker);
  onTestFinished(() => team.disband());
  const instances: Instance[] = [];
  const kinds: MemoryKind[] = [];
  let copied = 0;
  const memory = new WasmMemory((kind, copySome) => {
    const instance = startInstance('simd128', kind, () => {
      const more = copySome();
      copied += more;
      return more;
    });
    if (instance) instances.push(instance);
    kinds.push(kind);
    return instance;
  }, team);
  team.threads = 4;
  /** A product of matrices of whole numbers, as exact as can be; large enough to be shared. */
  const product = (n: number): Float64Array => {
    memory.numbers.set([n, n, n, n, 1, n, 1]);
    const a = Float64Array.from({ length: n * n }, (_, i) => (i % 7) - 3);
    const b = Float64Array.from({ length: n * n }, (_, i) => (i % 11) - 5);
    const out = new Float64Array(n * n);
    expect(matmul(memory, a, b, Float64Array.of(0, 0), out, null)).toBe(DONE);
    return out;
  };
  return { team, memory, instances, kinds, product, copied: () => copied };
}

function expected(n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) {
      const a = ((i * n + k) % 7) - 3;
      for (let j = 0; j < n; j++) out[i * n + j] += a * (((k * n + j) % 11) - 5);
    }
  return out;
}

test('all workers take tasks, and the results are right whoever does', () => {
  const assignments: Assignment[] = [];
  const { team, product } = open((assignment, onFailure) => {
    assignments.push(assignment);
    return realStarter(assignment, onFailure);
  });
  const right = new Map([131, 150, 192, 257].map((n) => [n, expected(n)]));
  // Who has run a task has left something on its stack.
  const hasWorked = ({ memory, stack }: Assignment) =>
    new Float64Array(memory.buffer, stack - 4096, 512).some((value) => value !== 0);
  const end = performance.now() + 60_000;
  do for (const [n, result] of right) expect(differentBits(product(n), result)).toEqual([]);
  while (!assignments.every(hasWorked) && performance.now() < end);
  expect(assignments.map(({ thread }) => thread)).toEqual([1, 2, 3]);
  expect(assignments.map(hasWorked)).toEqual([true, true, true]);
  // Alternately many and few, so that late threads meet jobs that are not theirs.
  for (let i = 0; i < 60; i++) {
    team.threads = 1 + ((i * 3) % 4);
    for (const [n, result] of right) expect(differentBits(product(n), result)).toEqual([]);
  }
});

test('workers that never begin delay nothing', () => {
  const { team, product } = open(() => ({ stop() {} }));
  expect(differentBits(product(150), expected(150))).toEqual([]);
  expect(team.threads).toBe(4);
});

test('workers that have ended delay nothing, and are no longer counted', async () => {
  const stops: (() => void)[] = [];
  const failures: (() => void)[] = [];
  const { team, product } = open((assignment, onFailure) => {
    const worker = realStarter(assignment, (why) => {
      onFailure(why);
      for (const failure of failures) failure();
    });
    stops.push(worker.stop);
    return worker;
  });
  expect(differentBits(product(150), expected(150))).toEqual([]);
  const failed = new Promise<void>((resolve) => failures.push(resolve));
  stops[1]();
  await failed;
  expect(team.threads).toBe(1);
  expect(team.limit).toBe(
    'There is one thread of 4, because a worker could not begin or has ended (it has ended).',
  );
  team.threads = 1;
  expect(team.limit).toBe(undefined);
  expect(differentBits(product(150), expected(150))).toEqual([]);
});

test.each([
  { what: 'of all channels is shared', groups: 1, kernel: 3, first: 'shared' },
  { what: 'by channel is shared', groups: 64, kernel: 3, first: 'shared' },
  { what: 'of one tap by channel is sooner done than copied', groups: 64, kernel: 1, first: 'alone' },
] as const)('a convolution $what', ({ groups, kernel, first }) => {
  const kinds: MemoryKind[] = [];
  const team = new WasmTeam(() => ({ stop() {} }));
  team.threads = 4;
  // There is none to be had; which one is asked for first is what matters.
  const memory = new WasmMemory((kind) => {
    kinds.push(kind);
    return undefined;
  }, team);
  const channels = 64 / groups;
  memory.numbers.set([64, groups, channels, channels, 1, 28, 28, 1, kernel, kernel, 1, 28, 28]);
  const images = new Float32Array(64 * 64 * 28 * 28);
  const weight = new Float32Array(64 * channels * kernel ** 2);
  expect(convForward(memory, images, weight, images.slice())).toBe(OUT_OF_MEMORY);
  expect(kinds[0]).toBe(first);
});

test('a host that gives fewer workers than asked for has fewer threads', () => {
  const { team, product } = open((assignment, onFailure) => {
    if (assignment.thread > 2) throw new Error('no more of them');
    return realStarter(assignment, onFailure);
  });
  expect(differentBits(product(150), expected(150))).toEqual([]);
  expect(team.threads).toBe(3);
  expect(team.limit).toBe(
    'There are 3 threads of 4, because the host starts no more workers (no more of them).',
  );
});

test('a task that fails on another thread is an error, and the next call starts afresh', () => {
  const { instances, product } = open(realStarter);
  expect(differentBits(product(150), expected(150))).toEqual([]);
  // What a worker does whose task has trapped.
  (instances[0].exports as unknown as { resign(): void }).resign();
  expect(() => product(150)).toThrow(/unreachable/);
  expect(differentBits(product(150), expected(150))).toEqual([]);
  expect(instances).toHaveLength(2);
});

test('after its workers are sent home an instance is told how many threads share it, even if that is one', () => {
  const told: number[] = [];
  const failures: ((why: string) => void)[] = [];
  const team = new WasmTeam((_, onFailure) => {
    failures.push(onFailure);
    return { stop() {} };
  });
  const exports = {
    hire: () => 4096,
    share: (threads: number) => void told.push(threads),
    allowWaiting() {},
  };
  const instance = { module: {}, memory: { buffer: new ArrayBuffer(8) }, exports };
  team.threads = 3;
  team.prepare(instance);
  team.prepare(instance);
  expect(told).toEqual([3]);
  failures[0]('that is the test');
  expect(team.threads).toBe(1);
  team.prepare(instance);
  expect(told).toEqual([3, 1]);
});

test('what threads do not share stays in a memory that is not shared, and so does everything where they fail', () => {
  const { team, memory, kinds, product } = open(realStarter);
  const small = new Float64Array(1);
  memory.numbers.set([1, 1, 300, 300, 1, 1, 1]);
  const [a, b] = [new Float64Array(300).fill(2), new Float64Array(300).fill(3)];
  expect(matmul(memory, a, b, Float64Array.of(0, 0), small, null)).toBe(DONE);
  expect(small[0]).toBe(1800);
  expect(kinds).toEqual(['alone']);
  expect(differentBits(product(150), expected(150))).toEqual([]);
  expect(kinds).toEqual(['alone', 'shared']);
  team.giveUp('that is the test');
  expect(differentBits(product(150), expected(150))).toEqual([]);
  expect(kinds).toEqual(['alone', 'shared']);
});

test('a host without room for a shared memory goes on with one thread, even in the middle of a call in pieces', () => {
  for (const n of [150, 700]) {
    const team = new WasmTeam(realStarter);
    const memory = new WasmMemory(
      (kind, copySome) => (kind === 'shared' ? undefined : startInstance('simd128', kind, copySome)),
      team,
    );
    team.threads = 4;
    memory.numbers.set([n, n, n, n, 1, n, 1]);
    const ones = new Float64Array(n * n).fill(1);
    const out = new Float64Array(n * n);
    // What the kernel packs makes a memory that is not shared grow, into another buffer.
    expect(matmul(memory, ones, ones, Float64Array.of(0, 0), out, null)).toBe(DONE);
    expect(out.every((value) => value === n)).toBe(true);
    expect(team.threads).toBe(1);
    expect(team.limit).toMatch(/no room for a memory that they share\.$/);
  }
});

test('while workers compute, the caller copies what comes next and what came before', () => {
  const { instances, product, copied } = open(realStarter);
  // Three blocks of the depth: two of them come, and none goes, beside a block that is computed.
  expect(differentBits(product(300), expected(300))).toEqual([]);
  expect(instances).toHaveLength(1);
  expect(copied()).toBeGreaterThanOrEqual(2);
});

test('functions of many elements give the same bits on any number of threads', () => {
  const { kernels, setThreads } = loadWasm() as WasmTier;
  const n = 2 ** 18 + 1001;
  for (const Type of [Float32Array, Float64Array]) {
    const data = new Type(n);
    for (let i = 0; i < n; i++) data[i] = Math.sin(i) * 10;
    const run = (threads: number) => {
      setThreads(threads);
      const [flat, turned] = [new Type(n), new Type(2 ** 18)];
      kernels.tanh({ data, shape: [n], strides: [1], offset: 0 }, flat);
      kernels.tanh({ data, shape: [512, 512], strides: [1, 512], offset: 1001 }, turned);
      return [flat, turned];
    };
    const alone = run(1);
    for (const threads of [2, 3, 4])
      run(threads).forEach((result, k) => {
        expect(differentBits(result, alone[k])).toEqual([]);
      });
    expect(alone[1][1]).toBe(alone[0][1001 + 512]);
  }
  setThreads(1);
});

test('workers start with the first large product, and keep no process alive', () => {
  const module = new URL('../../packages/kernels-cpu/src/index.ts', import.meta.url).href;
  const script = `
    const seen = [];
    process.on('worker', () => seen.push('worker'));
    const { kernelInfo, kernels } = await import(${JSON.stringify(module)});
    // The event comes a turn later; what loads TypeScript has a worker too.
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    await turn();
    seen.length = 0;
    const product = async (n) => {
      const view = { data: new Float32Array(n * n).fill(1), shape: [n, n], strides: [n, 1], offset: 0 };
      const out = new Float32Array(n * n);
      kernels.matmul(view, view, out, [n, n]);
      await turn();
      seen.push(out[n * n - 1]);
    };
    await product(100);
    await product(256);
    await product(200);
    console.log(JSON.stringify([...seen, kernelInfo().threads]));
  `;
  const out = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    env: { ...process.env, ADJOINT_KERNELS: 'wasm', ADJOINT_NUM_THREADS: '4' },
    encoding: 'utf8',
    timeout: 120_000,
  });
  expect(JSON.parse(out)).toEqual([100, 'worker', 'worker', 'worker', 256, 200, 4]);
});
