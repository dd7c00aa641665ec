// Runs the native kernels under the compiler's sanitizers; a finding is a failure. Two parts:
//
//   1. The differential tests of the native tier on an addon built with AddressSanitizer and UndefinedBehaviorSanitizer, which
//      see reads and writes past an array or a piece of scratch memory, and overflow, misalignment and the like.
//   2. ThreadSanitizer on a program of its own that presses on the thread pool and the scratch memory (Node itself is not
//      built for it, so an addon would report Node).
//
// The second runs while the addon of the first is compiled, which leaves processors idle: it is one job for each instruction set.
// A machine without a compiler or without its sanitizers says so in a line; that is no failure.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative, findCompiler } from './native.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const workspace = join(root, '../..');
const output = join(root, 'build/sanitize');

const ADDRESS = [
  '-fsanitize=address,undefined',
  // Pointers that are null, wrap around or leave their object are AddressSanitizer's to see, where they are used; to look at each of them
  // twice is a third of the compiler's time.
  '-fno-sanitize=vptr,pointer-overflow,null,object-size',
  // A finding ends the process either way: see UBSAN_OPTIONS.
  '-fno-sanitize-recover=all',
  '-fno-omit-frame-pointer',
  '-g1',
  '-O1',
  // Joins products and sums, as -O2 does: some functions are exact by it.
  '-fexpensive-optimizations',
];
const THREAD = ['-fsanitize=thread', '-g1', '-O1', '-std=c++17', '-pthread'];

/** Why these sanitizers do not work here, in a sentence; undefined if they do. */
function missing(compiler, flags) {
  const folder = mkdtempSync(join(tmpdir(), 'adjoint-sanitize-'));
  try {
    const [source, program] = [join(folder, 'empty.cc'), join(folder, 'empty')];
    writeFileSync(source, 'int main() { return 0; }\n');
    const built = spawnSync(compiler, [...flags, source, '-o', program], { encoding: 'utf8' });
    if (built.status !== 0) return `${compiler} ${flags[0]} does not link`;
    const ran = spawnSync(program, { encoding: 'utf8' });
    return ran.status === 0 ? undefined : `a program built with ${compiler} ${flags[0]} does not run here`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The runtime libraries that must be in the process before Node's first allocation, since Node is not built with them. */
function runtimeLibraries(compiler) {
  const paths = ['libasan.so', 'libubsan.so'].map((name) =>
    spawnSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim(),
  );
  // A name that the compiler does not know comes back as it is.
  return paths.every((path) => path.includes('/') && existsSync(path)) ? paths : undefined;
}

/** The exit code of a process, the signal that ended it, or why it did not start. */
function ended(child) {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
}

function report(part, status) {
  console.log(`${part}: ${status === 0 ? 'nothing found.' : `FAILED (${status}).`}`);
  return status === 0;
}

async function addressTests(compiler) {
  const part = 'AddressSanitizer and UndefinedBehaviorSanitizer';
  const libraries = process.platform === 'linux' ? runtimeLibraries(compiler) : undefined;
  const reason = libraries
    ? missing(compiler, ADDRESS)
    : `${compiler} has no libasan.so and libubsan.so to load before Node`;
  if (reason) {
    console.log(`${part}: skipped, because ${reason}.`);
    return true;
  }
  const addon = join(output, 'adjoint.node');
  mkdirSync(output, { recursive: true });
  await buildNative({
    flags: ADDRESS,
    output: addon,
    onStart: (version) => console.log(`Building with ${version} …`),
  });
  const tests = spawn(
    process.execPath,
    [join(workspace, 'node_modules/vitest/vitest.mjs'), 'run', 'test/kernels-cpu/tiers-', '--maxWorkers=2'],
    {
      cwd: workspace,
      stdio: 'inherit',
      env: {
        ...process.env,
        ADJOINT_ADDON: addon,
        ADJOINT_KERNELS: 'native',
        LD_PRELOAD: libraries.join(' '),
        // Node keeps what it allocates until it ends: leaks are not the subject. A refused allocation is an answer, not an end.
        ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:abort_on_error=0:exitcode=99',
        UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1:exitcode=99',
      },
    },
  );
  return report(part, await ended(tests));
}

/** What a process printed, and how it ended. */
async function run(command, args, env = process.env) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (piece) => (text += piece));
  child.stderr.on('data', (piece) => (text += piece));
  return { status: await ended(child), text };
}

async function threadStress(compiler) {
  const part = 'ThreadSanitizer';
  const reason = missing(compiler, THREAD);
  if (reason) {
    console.log(`${part}: skipped, because ${reason}.`);
    return true;
  }
  mkdirSync(output, { recursive: true });
  const program = join(output, 'stress');
  const simd = join(root, 'simd');
  const sources = ['stress.cc', 'pool.cc'].map((name) => join(simd, 'native', name));
  const built = await run(compiler, [...THREAD, `-I${simd}`, ...sources, '-o', program]);
  if (built.text) console.log(built.text.trimEnd());
  if (built.status !== 0) return report(part, built.status);
  const ran = await run(program, [], { ...process.env, TSAN_OPTIONS: 'halt_on_error=1:exitcode=99' });
  console.log(ran.text.trimEnd());
  return report(part, ran.status);
}

let compiler;
try {
  compiler = findCompiler().command;
} catch (error) {
  console.log(`Sanitizers: skipped, because ${error.message}.`);
}
if (compiler) {
  // Both are seen to their end, whatever the other one does.
  const parts = await Promise.allSettled([threadStress(compiler), addressTests(compiler)]);
  for (const { reason } of parts) if (reason) console.error(reason);
  if (!parts.every(({ value }) => value === true)) process.exitCode = 1;
}
