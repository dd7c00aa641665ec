// Compiles the kernels to WebAssembly with a clang that is WebAssembly itself (@yowasp/clang), so that no system compiler is
// needed and the same sources give the same bytes everywhere. The result is committed: node scripts/wasm.mjs writes it.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const simd = join(root, 'simd');

/** The committed artefact. */
export const artefactPath = join(root, 'src/tiers/wasm-modules.ts');

const variants = [
  { name: 'simd128', flags: [] },
  { name: 'relaxed', flags: ['-mrelaxed-simd', '-DADJOINT_RELAXED'] },
];

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
        '-O2',
        '-msimd128',
        '-mbulk-memory',
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
        `-DADJOINT_NAMESPACE=isa_${name}`,
        `-DADJOINT_INSTRUCTION_SET="${name}"`,
        '-DADJOINT_VECTOR_BYTES=16',
        '-DADJOINT_TILE_ROWS=4',
        '-DADJOINT_DEPTH_BLOCK=256',
        'simd/kernels.cc',
        'simd/wasm/module.cc',
        '-Wl,--no-entry',
        '-Wl,--strip-all',
        '-Wl,-z,stack-size=262144',
        '-Wl,--stack-first',
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

/** The text of src/tiers/wasm-modules.ts. */
export async function compileWasm() {
  const lines = [
    '// Written by scripts/wasm.mjs from simd/: the kernels as WebAssembly, in base64. Do not edit; a test compares the bytes.',
    `// Sources: ${sourceHash()}`,
    '',
    '/** Modules by instruction set, the fastest first. */',
    'export const wasmModules: readonly { readonly instructionSet: string; readonly base64: string }[] = [',
  ];
  for (const variant of [...variants].reverse()) {
    const bytes = await compileModule(variant);
    const base64 = Buffer.from(bytes).toString('base64');
    lines.push('  {', `    instructionSet: '${variant.name}',`, '    base64:', `      '${base64}',`, '  },');
  }
  lines.push('];', '');
  return lines.join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await compileWasm();
  if (process.argv.includes('--check')) {
    if (readFileSync(artefactPath, 'utf8') !== text)
      throw new Error(`${artefactPath} is not what the sources give: run node scripts/wasm.mjs.`);
    console.log('The WebAssembly modules are what the sources give, byte for byte.');
  } else {
    writeFileSync(artefactPath, text);
    console.log(`Wrote ${artefactPath}: ${Math.round(text.length / 1024)} KiB.`);
  }
}
