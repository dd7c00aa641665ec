// What runs in browsers names nothing of Node's: a bundler stops at the first such import, needed or not.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const source = join(import.meta.dirname, '../../packages/nn/src');

/** Every module that a file reaches by relative imports, itself included, with the specifiers it names. */
function reachable(
  file: string,
  seen = new Map<string, readonly string[]>(),
): Map<string, readonly string[]> {
  if (seen.has(file)) return seen;
  const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const specifiers = [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]);
  seen.set(file, specifiers);
  for (const specifier of specifiers) {
    if (specifier.startsWith('.')) reachable(join(dirname(file), specifier), seen);
  }
  return seen;
}

/** Those that browsers lack: Node's own modules, and the library of the terminal, which imports them. */
function foreign(entry: string): string[] {
  return [...reachable(join(source, entry))].flatMap(([file, specifiers]) =>
    specifiers.filter((name) => /^(node:|log-update$)/.test(name)).map((name) => `${file} imports ${name}`),
  );
}

test.each(['index.ts', 'optim/index.ts', 'data/index.ts', 'train/index.ts', 'report/index.ts'])(
  '%s runs in browsers',
  (entry) => {
    expect(foreign(entry)).toEqual([]);
  },
);

test('the entries that are for Node are seen to be', () => {
  expect(foreign('data/node.ts')).toHaveLength(1);
  expect(foreign('train/progress.ts')).toHaveLength(1);
  expect(foreign('train/log-node.ts').length).toBeGreaterThan(0);
});
