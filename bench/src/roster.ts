// Who takes part: how each contestant's process is started, and which of them this machine has.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One way of running a contestant. Of several under one label the best counts, case by case. */
export interface Entry {
  readonly label: string;
  readonly variant: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const here = import.meta.dirname;
const python = '/usr/bin/python3';

function script(label: string, module: string, threads: number, env: Record<string, string> = {}): Entry {
  const args = [
    '--import',
    join(here, '../register.mjs'),
    join(here, 'contestants/serve.ts'),
    module,
    String(threads),
  ];
  return { label, variant: '', command: process.execPath, args, env };
}

/** The folders in which Debian, or whoever sets BENCH_LIBRARY_PATH, keeps libraries that make PyTorch faster. */
function libraryFolders(): string[] {
  const given = (process.env.BENCH_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '');
  const system = '/usr/lib';
  const multiarch = existsSync(system)
    ? readdirSync(system).filter((name) => name.endsWith('-linux-gnu'))
    : [];
  return [
    ...given,
    ...multiarch.flatMap((name) => [
      join(system, name),
      join(system, name, 'openblas-openmp'),
      join(system, name, 'openblas-pthread'),
    ]),
  ];
}

/**
 * PyTorch as it comes, with its allocator kept from returning memory, with tcmalloc, with OpenBLAS, with threads that sleep
 * while they wait: whatever is there.
 */
function pytorch(threads: number): Entry[] {
  const found = spawnSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0;
  if (!found) return [];
  const entry = (label: string, variant: string, env: Record<string, string>): Entry => ({
    label,
    variant,
    command: python,
    args: [join(here, 'contestants/torch_peer.py'), String(threads)],
    env: { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads), ...env },
  });
  const folders = libraryFolders();
  // Of OpenBLAS's builds the one whose threads are PyTorch's own: two pools of threads that wait busily are in each other's way.
  const builds = folders.filter((folder) => existsSync(join(folder, 'libopenblas.so.0')));
  const openblas = builds.find((folder) => folder.endsWith('openmp')) ?? builds[0];
  const tcmalloc = folders.find((folder) => existsSync(join(folder, 'libtcmalloc_minimal.so.4')));
  // Memory that was freed stays with the process, so that a result of megabytes costs no page faults.
  const keeping = {
    GLIBC_TUNABLES:
      'glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=68719476736:glibc.malloc.top_pad=268435456',
  };
  const blas =
    openblas === undefined
      ? {}
      : { LD_LIBRARY_PATH: folders.join(':'), LD_PRELOAD: join(openblas, 'libblas.so.3') };
  const best = { ...keeping, ...blas };
  const entries = [entry('PyTorch', 'as it comes', {}), entry('PyTorch', 'allocator tuned', keeping)];
  if (openblas !== undefined) entries.push(entry('PyTorch', 'OpenBLAS, allocator tuned', best));
  if (tcmalloc !== undefined) {
    const preload = [join(tcmalloc, 'libtcmalloc_minimal.so.4'), blas.LD_PRELOAD].filter(Boolean).join(':');
    entries.push(entry('PyTorch', 'tcmalloc', { ...blas, LD_PRELOAD: preload }));
  }
  // Where anything else runs, threads that wait busily hold up those they wait for, by milliseconds.
  const asleep = { ...best, OMP_WAIT_POLICY: 'passive' };
  if (threads > 1) entries.push(entry('PyTorch', 'threads that sleep', asleep));
  const deconvolution = { BENCH_DECONVOLUTION: 'onednn' };
  entries.push(entry('PyTorch, oneDNN deconvolution', '', { ...best, ...deconvolution }));
  if (threads > 1)
    entries.push(
      entry('PyTorch, oneDNN deconvolution', 'threads that sleep', { ...asleep, ...deconvolution }),
    );
  return entries;
}

/**
 * How fast a product could be at most, by the multiply-adds of this machine. Compiled as it starts, for the processor that is there; without
 * a compiler it does not start.
 */
function peak(threads: number): Entry {
  const compile =
    'dir=$(mktemp -d) && "$CXX" -O3 -march=native -ffp-contract=fast -pthread -o "$dir/peak" "$0" && exec "$dir/peak" "$1"';
  return {
    label: 'multiply-add peak',
    variant: '',
    command: 'sh',
    args: ['-c', compile, join(here, 'contestants/peak.cc'), String(threads)],
    env: { CXX: process.env.CXX ?? 'c++' },
  };
}

/** Everyone who takes part on `threads` threads. Those whose process does not start are reported and left out. */
export function roster(threads: number): Entry[] {
  const env = { ADJOINT_NUM_THREADS: String(threads) };
  return [
    script('Adjoint', 'adjoint', threads, { ...env, ADJOINT_KERNELS: 'native' }),
    script('Adjoint wasm', 'adjoint', threads, { ...env, ADJOINT_KERNELS: 'wasm' }),
    ...pytorch(threads),
    script('TensorFlow.js wasm', 'tfjs', threads),
    // In Node it has no workers: one thread, whatever is asked for.
    ...(threads === 1 ? [script('jax-js wasm', 'jax', threads)] : []),
    script('ONNX Runtime node', 'onnx-node', threads),
    script('ONNX Runtime web', 'onnx-web', threads),
    peak(threads),
  ];
}

/** What makes a comparison between these unfair, as sentences. */
export function caveats(entries: readonly Entry[]): string[] {
  const pytorchs = entries.filter(({ label }) => label === 'PyTorch');
  if (pytorchs.length === 0 || pytorchs.some(({ variant }) => variant.includes('OpenBLAS'))) return [];
  return [
    "OpenBLAS was not found. Debian's PyTorch then multiplies matrices with the reference BLAS, tens of times slower: ratios to it " +
      'in matmul, training and whatever else multiplies matrices mean nothing. See README.md for how to give it OpenBLAS.',
  ];
}
