// Compiles the kernels to WebAssembly with a clang that is WebAssembly itself (@yowasp/clang), so that no system compiler is
// needed and the same sources give the same bytes everywhere. The result is committed: node scripts/wasm.mjs writes it.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compress } from 'lzma1';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const simd = join(root, 'simd');

/** The committed artefact. */
export const artefactPath = join(root, 'src/tiers/wasm-modules.ts');

/** What src/tiers/wasm-instructions.ts fits the module to, the fastest first. */
const instructionSets = ['relaxed', 'simd128'];

/** The memory that a module imports, in pages of 64 KiB: what its stack and data take, and the most it grows to. */
const pages = { initial: 16, maximum: 16384 };

/** The headers and sources as the compiler's file system sees them. */
function sourceTree(directory) {
  const tree = {};
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) tree[entry.name] = sourceTree(path);
    else if (/\.(h|cc)$/.test(entry.name)) tree[entry.name] = readFileSync(path, 'utf8');
  }
  return tree;
}

/** The module's bytes, as the compiler gives them. */
async function compileModule() {
  const { commands } = await import('@yowasp/clang');
  const text = [];
  const collect = (bytes) => {
    if (bytes) text.push(Buffer.from(bytes).toString());
  };
  try {
    const files = await commands['clang++'](
      [
        '--target=wasm32',
        '-std=c++17',
        // The loops that matter are written out in vectors, so -O2 is a third larger and no faster.
        '-Os',
        // What it makes of the addresses in a loop engines cannot fold into loads: an addition for each, a tenth of a product's time.
        '-mllvm',
        '-disable-lsr',
        '-msimd128',
        '-mrelaxed-simd',
        '-mbulk-memory',
        '-matomics',
        '-ffp-contract=off',
        '-fno-exceptions',
        '-fno-rtti',
        '-fno-math-errno',
        '-ffreestanding',
        '-nostdlib',
        '-Wall',
        '-Wextra',
        '-Isimd',
        '-DADJOINT_NAMESPACE=isa_wasm',
        '-DADJOINT_INSTRUCTION_SET="wasm"',
        '-DADJOINT_VECTOR_BYTES=16',
        '-DADJOINT_TILE_ROWS=4',
        '-DADJOINT_DEPTH_BLOCK=256',
        'simd/kernels.cc',
        'simd/wasm/module.cc',
        'simd/wasm/team.cc',
        '-Wl,--no-entry',
        '-Wl,--strip-all',
        '-Wl,-z,stack-size=262144',
        '-Wl,--stack-first',
        // Shared, for threads; the same module runs on a memory that is not, once the flag in its import says so.
        '-Wl,--import-memory',
        '-Wl,--shared-memory',
        `-Wl,--initial-memory=${pages.initial << 16}`,
        `-Wl,--max-memory=${pages.maximum << 16}`,
        '-Wl,--export=__stack_pointer',
        '-o',
        'out.wasm',
      ],
      { simd: sourceTree(simd) },
      { stdout: collect, stderr: collect },
    );
    return files['out.wasm'];
  } catch (error) {
    // The error itself carries the whole file system of the compiler.
    throw new Error(`clang failed (${error.message}):\n${text.join('')}`);
  }
}

/** A hash of all that the modules are made from, the compiler's version included. */
export function sourceHash() {
  const hash = createHash('sha256');
  const add = (tree) => {
    for (const name of Object.keys(tree).sort()) {
      hash.update(name);
      if (typeof tree[name] === 'string') hash.update(tree[name]);
      else add(tree[name]);
    }
  };
  const { native: _, ...compiled } = sourceTree(simd);
  add(compiled);
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const tool of ['@yowasp/clang', 'lzma1']) hash.update(manifest.devDependencies[tool]);
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  return hash.digest('hex');
}

/** Where a module says that the memory it imports (as env.memory) is shared. */
function memoryFlags(module) {
  const entry = Buffer.concat([
    Buffer.from([3]),
    Buffer.from('env'),
    Buffer.from([6]),
    Buffer.from('memory'),
    Buffer.from([2]),
  ]);
  const at = Buffer.from(module).indexOf(entry) + entry.length;
  if (at < entry.length || module[at] !== 3)
    throw new Error('the module does not import a shared memory as env.memory');
  return at;
}

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&,>()[]{}@%~#';

/** Bytes as digits of 85, five for each four bytes; behind the last, zeros are added. */
function base85(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    let value = 0;
    for (let i = 0; i < 4; i++) value = value * 256 + (bytes[at + i] ?? 0);
    let digits = '';
    for (let i = 0; i < 5; i++, value = Math.floor(value / 85)) digits = DIGITS[value % 85] + digits;
    text += digits;
  }
  return text;
}

/** Without the header, which says what the artefact says. */
export function rawLzma(bytes) {
  return Uint8Array.from(compress(bytes, 9)).subarray(13);
}

/** The text of src/tiers/wasm-modules.ts. */
export async function compileWasm() {
  const module = await compileModule();
  const packed = rawLzma(module);
  return [
    '// Written by scripts/wasm.mjs from simd/: the kernels as WebAssembly, packed as ./wasm-unpack.ts says. Do not edit; a test',
    '// compares the hash of the sources, and wasm.mjs --check all of it.',
    `// Sources: ${sourceHash()}`,
    '',
    'export const packedModule = {',
    '  /** Instruction sets that it can be fitted to, the fastest first. */',
    `  instructionSets: [${instructionSets.map((name) => `'${name}'`).join(', ')}],`,
    '  /** The memory that it imports, in pages of 64 KiB. */',
    `  pages: { initial: ${pages.initial}, maximum: ${pages.maximum} },`,
    '  /** Where in its bytes it says whether that is shared. */',
    `  memoryFlags: ${memoryFlags(module)},`,
    '  /** How many bytes there are, unpacked and packed. */',
    `  bytes: ${module.length},`,
    `  packedBytes: ${packed.length},`,
    '  base85:',
    `    '${base85(packed)}',`,
    '} as const;',
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await compileWasm();
  if (process.argv.includes('--check')) {
    if (readFileSync(artefactPath, 'utf8') !== text)
      throw new Error(`${artefactPath} is not what the sources give: run node scripts/wasm.mjs.`);
    console.log('The WebAssembly module is what the sources give, byte for byte.');
  } else {
    writeFileSync(artefactPath, text);
    console.log(`Wrote ${artefactPath}: ${Math.round(text.length / 1024)} KiB.`);
  }
}
