// Runs when the package is installed: builds the native kernels if it can. An install never fails for want of them, and says
// in a line what it got and, where that is not the fastest, what would change it.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const prebuilt = join(root, `prebuilds/${process.platform}-${process.arch}/adjoint.node`);
const INSTEAD = 'WebAssembly or JavaScript runs instead.';
// Not by a package manager: some run no scripts unless told to, each in its own way.
const AGAIN = `then: node ${fileURLToPath(import.meta.url)}`;

function say(text) {
  console.log(`@adjoint/kernels-cpu: ${text}`);
}

/** What an addon exports; undefined if this process cannot load it: a prebuilt one may be for another C library. */
function load(addon) {
  const module = { exports: {} };
  try {
    process.dlopen(module, addon);
    return module.exports;
  } catch {
    return undefined;
  }
}

/** The hash of the package's own tables of kernels; undefined in a checkout, which is not compiled, where Node reads no TypeScript. */
async function ownTables() {
  const compiled = join(root, 'dist/tiers/boundary.js');
  const place = existsSync(compiled) ? compiled : join(root, 'src/tiers/boundary.ts');
  try {
    return (await import(pathToFileURL(place).href)).boundaryHash();
  } catch {
    return undefined;
  }
}

/** Whether the addon that came with the package loads here, and has the kernels that this package calls by their numbers. */
async function prebuiltFits() {
  if (!existsSync(prebuilt)) return false;
  const addon = load(prebuilt);
  if (addon === undefined) return false;
  const own = await ownTables();
  if (own !== undefined && addon.version?.() === own) return true;
  const why =
    own === undefined
      ? 'this package is not compiled, so its tables cannot be compared with theirs'
      : 'their tables are not those of this package, so they are of another version';
  say(`the native kernels in prebuilds/ are not used: ${why}.`);
  return false;
}

async function build() {
  const start = Date.now();
  // Imported here, so that whatever is wrong with the build ends in a line below.
  const { buildNative } = await import('./native.mjs');
  const { built, compiler, instructionSets } = await buildNative({
    onStart: (version) => say(`building the native kernels with ${version}: this takes up to a minute.`),
  });
  const seconds = Math.round((Date.now() - start) / 1000);
  say(
    built
      ? `built the native kernels (${instructionSets.join(', ')}) in ${seconds} s.`
      : `the native kernels are up to date (${compiler}).`,
  );
}

/** Why there are no native kernels and what to do about it, as fits the case. */
function explain(error) {
  if (error?.name === 'NoCompilerError')
    return `no native kernels, because ${error.message}: ${INSTEAD} Install one (Debian and Ubuntu: apt-get install g++; macOS: xcode-select --install) or name one in CXX; ${AGAIN}`;
  if (error?.name === 'CompilerError') {
    const lines = error.output.trimEnd().split('\n');
    // The first error says what is wrong; the last lines are what follows from it.
    const first = lines.findIndex((line) => /\berror\b/i.test(line));
    const shown = first < 0 ? lines.slice(-8) : lines.slice(first, first + 8);
    return `no native kernels, because ${error.command} failed: ${INSTEAD} It says:\n${shown.map((line) => `  ${line}`).join('\n')}\nAnother one can be named in CXX (g++ does from version 11 on); ${AGAIN}`;
  }
  const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
  return `no native kernels, because the build could not run (${reason}): ${INSTEAD}`;
}

if (await prebuiltFits()) {
  say('the native kernels that came with the package load here: nothing to build.');
} else {
  try {
    await build();
  } catch (error) {
    say(explain(error));
  }
}
