// Builds the native tier with whatever C++ compiler is there: the kernels once per instruction set, and one addon of all.
// Nothing is downloaded; the headers of Node-API come with the package.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const simd = join(root, 'simd');

/** Where the addon is built, and where the native tier looks for it. */
export const addonPath = join(root, 'build', 'adjoint.node');

/** What an addon was built from lies beside it. */
const stampPath = (addon) => `${addon}.stamp`;

/** Per instruction set: bytes of a register, rows of a register tile, steps of depth that keep a panel in cache. */
const variants = {
  x64: [
    {
      name: 'avx512',
      bytes: 64,
      rows: 14,
      depth: 384,
      flags: [
        '-mavx512f',
        '-mavx512dq',
        '-mavx512bw',
        '-mavx512vl',
        '-mavx2',
        '-mfma',
        '-mprefer-vector-width=512',
      ],
    },
    { name: 'avx2', bytes: 32, rows: 6, depth: 256, flags: ['-mavx2', '-mfma'] },
    { name: 'sse2', bytes: 16, rows: 4, depth: 256, flags: [] },
  ],
  arm64: [{ name: 'neon', bytes: 16, rows: 12, depth: 256, flags: [] }],
  other: [{ name: 'portable', bytes: 16, rows: 4, depth: 256, flags: [] }],
};

const common = ['-std=c++17', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', '-ffp-contract=fast'];

/** There is no compiler to build with. */
export class NoCompilerError extends Error {
  name = 'NoCompilerError';
}

/** The compiler ran and failed; `output` is what it printed. */
export class CompilerError extends Error {
  name = 'CompilerError';
  constructor(command, args, code, output) {
    super(`${command} failed (${code}) on: ${[command, ...args].join(' ')}\n${output}`);
    this.command = command;
    this.output = output;
  }
}

/**
 * The first compiler that answers: `CXX`, or g++, clang++, c++.
 *
 * @throws NoCompilerError if none does
 */
export function findCompiler() {
  const named = process.env.CXX;
  const candidates = named ? [named] : ['g++', 'clang++', 'c++'];
  for (const command of candidates) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { command, version: stdout.split('\n')[0] };
  }
  throw new NoCompilerError(
    named ? `CXX names ${named}, which does not run` : `there is no C++ compiler (${candidates.join(', ')})`,
  );
}

function headersPath() {
  const bundled = join(root, 'include');
  if (existsSync(join(bundled, 'node_api.h'))) return bundled;
  return join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');
}

function sources(directory = simd) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && /\.(h|cc)$/.test(file.name))
    .map((file) => join(file.parentPath ?? file.path, file.name))
    .sort();
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code, signal) =>
      code === 0 ? resolve(output) : reject(new CompilerError(command, args, code ?? signal, output)),
    );
  });
}

/** Runs `jobs` in order, as many at once as there are processors; after a failure none is begun, and those that run are awaited. */
async function inParallel(jobs) {
  const waiting = [...jobs];
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      try {
        await job();
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(availableParallelism(), jobs.length) }, worker);
  const failed = (await Promise.allSettled(workers)).find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
}

/** What the build depends on. `extra` are flags for a special build (sanitizers). */
function fingerprint(compiler, extra) {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([compiler, process.platform, process.arch, extra]));
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  for (const file of sources()) hash.update(file.slice(root.length)).update(readFileSync(file));
  return hash.digest('hex');
}

/**
 * Builds the addon unless an up-to-date one is there.
 *
 * @param {{ flags?: readonly string[], output?: string, onStart?: (compiler: string) => void }} options - `flags` for compiler
 * and linker, after those of the build; `output` in place of build/adjoint.node; `onStart` is told what will compile, before
 * it does, which takes up to a minute
 * @returns {Promise<{ built: boolean, compiler: string, instructionSets: string[] }>} whether anything had to be built
 * @throws NoCompilerError; CompilerError; Error on Windows, or what the file system says
 */
export async function buildNative({ flags = [], output = addonPath, onStart } = {}) {
  if (process.platform === 'win32') throw new Error('there is no build for Windows yet');
  const compiler = findCompiler();
  const own = variants[process.arch] ?? variants.other;
  const result = { compiler: compiler.version, instructionSets: own.map(({ name }) => name) };
  const stamp = fingerprint(compiler, flags);
  if (isOf(output, stamp)) return { built: false, ...result };
  onStart?.(compiler.version);
  const headers = headersPath();
  const work = `${output}.${process.pid}.tmp`;
  mkdirSync(work, { recursive: true });
  try {
    const objects = [];
    const compile = (source, name, args) => () => {
      const object = join(work, `${name}.o`);
      objects.push(object);
      return run(compiler.command, [...common, ...args, ...flags, '-c', join(simd, source), '-o', object]);
    };
    // One process per file and instruction set, the longest first.
    await inParallel([
      ...own.map(({ name, bytes, rows, depth, flags: needed }) =>
        compile('kernels.cc', name, [
          '-O2',
          '-fno-exceptions',
          '-fno-rtti',
          '-fno-math-errno',
          ...needed,
          `-DADJOINT_NAMESPACE=isa_${name}`,
          `-DADJOINT_INSTRUCTION_SET="${name}"`,
          `-DADJOINT_VECTOR_BYTES=${bytes}`,
          `-DADJOINT_TILE_ROWS=${rows}`,
          `-DADJOINT_DEPTH_BLOCK=${depth}`,
        ]),
      ),
      ...['addon', 'pool', 'memory'].map((name) =>
        compile(`native/${name}.cc`, name, ['-O2', `-I${simd}`, `-I${headers}`]),
      ),
    ]);
    const shared =
      process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-pthread'];
    const addon = join(work, 'adjoint.node');
    await run(compiler.command, [...shared, ...flags, '-o', addon, ...objects]);
    // A binary that does not load is worse than none. (With a sanitizer it loads only where its library was loaded first.)
    if (flags.length === 0)
      await run(process.execPath, ['-e', `process.dlopen({ exports: {} }, ${JSON.stringify(addon)})`]);
    // Running processes keep the file they have open; new ones see the whole of the new one.
    rmSync(stampPath(output), { force: true });
    renameSync(addon, output);
    writeFileSync(stampPath(output), stamp);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return { built: true, ...result };
}

function isOf(addon, stamp) {
  return (
    existsSync(addon) && existsSync(stampPath(addon)) && readFileSync(stampPath(addon), 'utf8') === stamp
  );
}

/** Whether the addon that is there was built from the sources as they are, with the compiler that is there. */
export function isUpToDate() {
  return isOf(addonPath, fingerprint(findCompiler(), []));
}
