// Imports run one way, nn -> core -> kernels-cpu, read from the sources themselves.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Folder, filesBelow, folders, manifests, root } from './packages.ts';

/** The packages that each may name in an import. */
const allowed: Readonly<Record<Folder, readonly string[]>> = {
  'kernels-cpu': [],
  core: ['@adjoint/kernels-cpu'],
  nn: ['@adjoint/core'],
};

/** Every module specifier in a source: static, type-only, re-exported, dynamic or inside a type. Comments do not count. */
function specifiersOf(code: string): readonly string[] {
  const bare = code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const pattern = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"])([^'"\n]+)\1/g;
  return [...bare.matchAll(pattern)].map((match) => match[2] as string);
}

/** Files that reach each other by their imports, types included: the strongly connected sets (Tarjan 1972) of more than one. */
function circlesOf(files: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): number => {
    index.set(file, index.size);
    let low = index.get(file)!;
    open.push(file);
    for (const next of files.get(file) ?? []) {
      if (!index.has(next)) low = Math.min(low, visit(next));
      else if (open.includes(next)) low = Math.min(low, index.get(next)!);
    }
    if (low === index.get(file)) {
      const set = open.splice(open.indexOf(file));
      if (set.length > 1) circles.push(set.sort());
    }
    return low;
  };
  for (const file of files.keys()) if (!index.has(file)) visit(file);
  return circles;
}

test('circles are found, and trees are none', () => {
  const graph = (edges: Readonly<Record<string, string>>) =>
    new Map(Object.entries(edges).map(([file, to]) => [file, [...to]]));
  expect(circlesOf(graph({ a: 'bc', b: 'd', c: 'd', d: '' }))).toEqual([]);
  expect(circlesOf(graph({ a: 'b', b: 'c', c: 'bd', d: '' }))).toEqual([['b', 'c']]);
  expect(circlesOf(graph({ a: 'b', b: 'ca', c: 'd', d: 'b', e: 'f', f: 'e' }))).toEqual([
    ['a', 'b', 'c', 'd'],
    ['e', 'f'],
  ]);
});

/** Tensor, node and op (with its record) name each other, as a graph, its points and its steps must (ARCHITECTURE.md). No other types do. */
const mutual: readonly string[] = [
  'record.ts',
  'registry.ts',
  'tape/node.ts',
  'tape/observer.ts',
  'tape/tracing.ts',
  'tensor.ts',
];

/** `@adjoint/core/conv` is of `@adjoint/core`, `fflate/esm` of `fflate`. */
function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

test('specifiers are found in every form that an import can take', () => {
  const code = `
    import { a } from './a.ts';
    import type { B } from "@adjoint/core";
    export * from './c.ts';
    import './d.ts';
    const e = await import('node:fs');
    type F = import('@adjoint/nn').Module;
    /** import { no } from './comment.ts'; */
    // import { no } from './comment.ts';
    export {
      g,
    } from './g.ts';
  `;
  expect(specifiersOf(code)).toEqual([
    './a.ts',
    '@adjoint/core',
    './c.ts',
    './d.ts',
    'node:fs',
    '@adjoint/nn',
    './g.ts',
  ]);
});

describe.each(folders)('%s', (folder) => {
  const source = join(root, 'packages', folder, 'src');
  const imports = filesBelow(source)
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      specifiersOf(readFileSync(join(source, file), 'utf8')).map((name) => ({ file, name })),
    );
  const foreign = imports.filter(({ name }) => !name.startsWith('.'));
  const relative = imports.filter(({ name }) => name.startsWith('.'));

  test('names no package but those below it and the libraries it declares', () => {
    const packages = foreign.filter(({ name }) => !name.startsWith('node:'));
    const libraries = Object.keys(manifests[folder].dependencies ?? {}).filter(
      (name) => !name.startsWith('@adjoint/'),
    );
    const known = [...allowed[folder], ...libraries];
    expect(packages.filter(({ name }) => !known.includes(packageOf(name)))).toEqual([]);
  });

  test('names only entries that the package below it offers', () => {
    const offered = new Set(
      folders.flatMap((other) =>
        Object.keys(manifests[other].exports).map((entry) => manifests[other].name + entry.slice(1)),
      ),
    );
    const ours = foreign.filter(({ name }) => name.startsWith('@adjoint/'));
    expect(ours.filter(({ name }) => !offered.has(name))).toEqual([]);
  });

  test('reaches by relative path only its own files, with their extension', () => {
    expect(relative).not.toEqual([]);
    for (const { file, name } of relative) {
      const target = normalize(join(source, dirname(file), name));
      expect(target.startsWith(source), `${file} imports ${name}`).toBe(true);
      expect(name, file).toMatch(/\.ts$/);
      expect(existsSync(target), `${file} imports ${name}`).toBe(true);
    }
  });

  test('runs in no circle, but where three types name each other', () => {
    const files = new Map<string, string[]>();
    for (const { file, name } of relative)
      files.set(file, [...(files.get(file) ?? []), normalize(join(dirname(file), name))]);
    expect(circlesOf(files)).toEqual(folder === 'core' ? [mutual] : []);
  });

  test('describes the same entries to the workspace and to the registry', () => {
    const { exports, publishConfig } = manifests[folder];
    expect(Object.keys(publishConfig.exports ?? {})).toEqual(Object.keys(exports));
    for (const file of Object.values(exports)) {
      expect(existsSync(join(root, 'packages', folder, String(file))), String(file)).toBe(true);
    }
  });
});
