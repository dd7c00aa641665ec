// Every TypeScript block of the documents is a program that runs, and what its comments say is checked.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Example, importsOf, runExample } from './run-example.ts';

const root = join(import.meta.dirname, '../..');

function documents(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || ['node_modules', 'dist'].includes(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? documents(path) : path.endsWith('.md') ? [path] : [];
  });
}

function blocksOf(path: string): Example[] {
  const source = readFileSync(path, 'utf8');
  return [...source.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(({ 1: code, index }) => ({
    name: `${relative(root, path)}:${source.slice(0, index).split('\n').length}`,
    code,
  }));
}

describe('the documents', () => {
  const files = documents(root);

  it.each(files.flatMap(blocksOf))('run: $name', async ({ code }) => {
    const scope: Record<string, unknown> = {};
    for (const { names, from } of importsOf(code)) {
      const module: Record<string, unknown> = await import(from);
      for (const name of names) scope[name] = module[name];
    }
    await runExample(code, scope);
  });

  it.each(files.map((file) => relative(root, file)))('link to files that exist: %s', (file) => {
    const source = readFileSync(join(root, file), 'utf8');
    const links = [...source.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target]) => target);
    expect(links.filter((target) => !existsSync(join(root, dirname(file), target)))).toEqual([]);
  });
});
