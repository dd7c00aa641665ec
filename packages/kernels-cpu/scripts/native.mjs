// Builds the native tier with whatever C++ compiler is there: the kernels once per instruction set, and one addon of all.
// Nothing is downloaded; the headers of Node-API come with the package.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const simd = join(root, 'simd');

/** Where the addon is built, and where the native tier looks for it. */
export const addonPath = join(root, 'build', 'adjoint.node');
const stampPath = join(root, 'build', 'stamp');

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

/** The first compiler that answers: `CXX`, g++, clang++, c++. Undefined if none does. */
function findCompiler() {
  const candidates = process.env.CXX ? [process.env.CXX] : ['g++', 'clang++', 'c++'];
  for (const command of candidates) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { command, version: stdout.split('\n')[0] };
  }
  return undefined;
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
    child.on('close', (code) =>
      code === 0
        ? resolve(output)
        : reject(new Error(`${command} ${args.join(' ')} failed (${code}):\n${output}`)),
    );
  });
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
 * Builds the addon unless an up-to-date one is there. Returns what was done, as a sentence.
 *
 * @param {{ flags?: readonly string[], output?: string }} options - `flags` for compiler and linker, `output` in place of
 * build/adjoint.node
 * @throws Error without a compiler, on a platform that is not supported, or when the compiler fails
 */
export async function buildNative({ flags = [], output = addonPath } = {}) {
  if (process.platform === 'win32') throw new Error('the native tier is not built on Windows yet');
  const compiler = findCompiler();
  if (!compiler) throw new Error('no C++ compiler was found (CXX, g++, clang++ or c++)');
  const stamp = fingerprint(compiler, flags);
  const isDefault = output === addonPath;
  if (
    isDefault &&
    existsSync(addonPath) &&
    existsSync(stampPath) &&
    readFileSync(stampPath, 'utf8') === stamp
  )
    return 'The native kernels are up to date.';
  const headers = headersPath();
  const work = `${output}.${process.pid}.tmp`;
  mkdirSync(work, { recursive: true });
  try {
    const objects = [];
    const compile = (source, name, args) => {
      const object = join(work, `${name}.o`);
      objects.push(object);
      return run(compiler.command, [...common, ...args, ...flags, '-c', join(simd, source), '-o', object]);
    };
    await Promise.all([
      ...(variants[process.arch] ?? variants.other).map(({ name, bytes, rows, depth, flags: own }) =>
        compile('kernels.cc', name, [
          '-O2',
          '-fno-exceptions',
          '-fno-rtti',
          '-fno-math-errno',
          ...own,
          `-DADJOINT_NAMESPACE=isa_${name}`,
          `-DADJOINT_INSTRUCTION_SET="${name}"`,
          `-DADJOINT_VECTOR_BYTES=${bytes}`,
          `-DADJOINT_TILE_ROWS=${rows}`,
          `-DADJOINT_DEPTH_BLOCK=${depth}`,
        ]),
      ),
      compile('native/pool.cc', 'pool', ['-O2', `-I${simd}`]),
      compile('native/addon.cc', 'addon', ['-O2', `-I${simd}`, `-I${headers}`]),
    ]);
    const shared =
      process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-pthread'];
    const addon = join(work, 'adjoint.node');
    await run(compiler.command, [...shared, ...flags, '-o', addon, ...objects]);
    if (isDefault) {
      // A binary that does not load is worse than none.
      await run(process.execPath, ['-e', `process.dlopen({ exports: {} }, ${JSON.stringify(addon)})`]);
      // Running processes keep the file they have open; new ones see the whole of the new one.
      renameSync(addon, addonPath);
      writeFileSync(stampPath, stamp);
    } else {
      renameSync(addon, output);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return `Built the native kernels with ${compiler.version}.`;
}

/** Whether the addon that is there was built from the sources as they are, with the compiler that is there. */
export function isUpToDate() {
  const compiler = findCompiler();
  if (!compiler || !existsSync(stampPath)) return false;
  return readFileSync(stampPath, 'utf8') === fingerprint(compiler, []);
}
