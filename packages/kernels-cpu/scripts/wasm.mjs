// Compiles the kernels to WebAssembly with a clang that is WebAssembly itself (@yowasp/clang), so that no system compiler is
// needed and the same sources give the same bytes everywhere. The result is committed: node scripts/wasm.mjs writes it.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const simd = join(root, 'simd');

/** The committed artefact. */
export const artefactPath = join(root, 'src/tiers/wasm-modules.ts');

/** Instruction sets, the fastest first. */
const variants = [
  { name: 'relaxed', flags: ['-mrelaxed-simd', '-DADJOINT_RELAXED'] },
  { name: 'simd128', flags: [] },
];

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

/** One module's bytes. */
async function compileModule({ name, flags }) {
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
        ...flags,
        // The same for all variants, so that the functions which do not differ are the same bytes.
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
    throw new Error(`clang failed on ${name} (${error.message}):\n${text.join('')}`);
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
  hash.update(manifest.devDependencies['@yowasp/clang']).update(readFileSync(fileURLToPath(import.meta.url)));
  return hash.digest('hex');
}

const CODE_SECTION = 10;

function leb128(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

/** A module's functions, and what comes before and after the section that holds them. */
function dissect(module) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  for (;;) {
    const start = at;
    const section = module[at++];
    const end = number() + at;
    if (section === CODE_SECTION) {
      const functions = Array.from({ length: number() }, () => {
        const first = at;
        const length = number();
        at += length;
        return module.subarray(first, at);
      });
      return { before: module.subarray(0, start), functions, after: module.subarray(end) };
    }
    at = end;
  }
}

/** Modules in the form that src/tiers/wasm-unpack.ts reads; it says what form that is. */
function pack(modules) {
  const parts = modules.map((module) => dissect(Buffer.from(module)));
  // By length: the twins of an instruction set or element type have about the same, and land side by side.
  const functions = [
    ...new Map(parts.flatMap((part) => part.functions).map((f) => [f.toString('latin1'), f])).values(),
  ];
  functions.sort((a, b) => a.length - b.length || Buffer.compare(a, b));
  const places = new Map(functions.map((f, place) => [f.toString('latin1'), leb128(place)]));
  return Buffer.concat([
    leb128(functions.length),
    ...functions,
    ...parts.flatMap(({ before, functions: own, after }) => [
      leb128(before.length),
      before,
      leb128(own.length),
      ...own.map((f) => places.get(f.toString('latin1'))),
      leb128(after.length),
      after,
    ]),
  ]);
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

/** The text of src/tiers/wasm-modules.ts. */
export async function compileWasm() {
  const modules = [];
  for (const variant of variants) modules.push(await compileModule(variant));
  const packed = pack(modules);
  const flags = new Set(modules.map(memoryFlags));
  if (flags.size !== 1) throw new Error('the modules import their memory at different places');
  return [
    '// Written by scripts/wasm.mjs from simd/: the kernels as WebAssembly, packed as ./wasm-unpack.ts says. Do not edit; a test',
    '// compares the hash of the sources, and wasm.mjs --check the bytes of the modules.',
    `// Sources: ${sourceHash()}`,
    '',
    'export const packedModules = {',
    '  /** Instruction sets of the modules, the fastest first. */',
    `  instructionSets: [${variants.map(({ name }) => `'${name}'`).join(', ')}],`,
    '  /** The memory that each imports, in pages of 64 KiB. */',
    `  pages: { initial: ${pages.initial}, maximum: ${pages.maximum} },`,
    '  /** Where in its bytes each says whether that is shared. */',
    `  memoryFlags: ${[...flags][0]},`,
    '  /** How many bytes there are, unpacked. */',
    `  bytes: ${packed.length},`,
    '  base64:',
    `    '${deflateRawSync(packed, { level: 9, memLevel: 9 }).toString('base64')}',`,
    '} as const;',
    '',
  ].join('\n');
}

/** The parts of the text that must agree: other versions of zlib compress the same bytes to others. */
function comparable(text) {
  const base64 = /^ {4}'([^']*)',$/m;
  const [, packed = ''] = text.match(base64) ?? [];
  return { frame: text.replace(base64, ''), bytes: inflateRawSync(Buffer.from(packed, 'base64')) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await compileWasm();
  if (process.argv.includes('--check')) {
    const [committed, compiled] = [readFileSync(artefactPath, 'utf8'), text].map(comparable);
    if (committed.frame !== compiled.frame || !committed.bytes.equals(compiled.bytes))
      throw new Error(`${artefactPath} is not what the sources give: run node scripts/wasm.mjs.`);
    console.log('The WebAssembly modules are what the sources give, byte for byte.');
  } else {
    writeFileSync(artefactPath, text);
    console.log(`Wrote ${artefactPath}: ${Math.round(text.length / 1024)} KiB.`);
  }
}
