// Every @example in the packages' sources is run, and what its comments say is checked. One whose first line is
// `// needs …` (a folder with data, a terminal) is left out.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Example, importsOf, runExample } from './run-example.ts';

const packages = join(import.meta.dirname, '../../packages');

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : sourceFiles(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

// The code after each @example, up to the next tag or the end of the comment; with or without a fence.
function examplesOf(path: string): Example[] {
  const source = readFileSync(path, 'utf8');
  const file = relative(packages, path);
  return [...source.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap(({ 0: comment, index }) =>
    [...comment.matchAll(/^ *\* @example\n((?: *\*(?! @| *\/).*\n)*)/gm)].map(([, body], i) => ({
      name: `${file}:${source.slice(0, index).split('\n').length}${i > 0 ? ` (${i + 1})` : ''}`,
      code: body
        .split('\n')
        .map((line) => line.replace(/^ *\* ?/, ''))
        .filter((line) => !line.startsWith('```'))
        .join('\n')
        .trim(),
    })),
  );
}

// All that the entries of a package export; where two have the same name, the root entry's. An example of the other
// one imports it.
async function exportsOf(name: string): Promise<Record<string, unknown>> {
  const folder = join(packages, name);
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { '.': root, ...others } = exports as Record<string, string>;
  const modules = [...Object.values(others), root].map((path) => import(join(folder, path)));
  return Object.assign({}, ...(await Promise.all(modules)));
}

const kernels = await exportsOf('kernels-cpu');
const core = await exportsOf('core');
const nn = await exportsOf('nn');
const scopes: Record<string, Record<string, unknown>> = {
  'kernels-cpu': kernels,
  core: { ...kernels, ...core },
  nn: { ...core, ...nn },
};

for (const [name, scope] of Object.entries(scopes)) {
  describe(`the examples of ${name}`, () => {
    const examples = sourceFiles(join(packages, name, 'src'))
      .flatMap(examplesOf)
      .filter(({ code }) => !code.startsWith('// needs '));

    it('are there', () => {
      expect(examples.length).toBeGreaterThan(0);
    });

    it.each(examples)('$name', async ({ code }) => {
      const imported: Record<string, unknown> = {};
      for (const { names, from } of importsOf(code)) {
        const module: Record<string, unknown> = await import(from);
        for (const name of names) imported[name] = module[name];
      }
      await runExample(code, { ...scope, ...imported });
    });
  });
}
