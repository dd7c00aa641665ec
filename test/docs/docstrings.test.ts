// Every @example in the packages' sources is run, and what its comments say is checked. One whose first line is
// `// needs …` (a folder with data, a terminal) is left out.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import * as core from '@adjoint/core';
import * as check from '@adjoint/core/check';
import * as conv from '@adjoint/core/conv';
import * as ops from '@adjoint/core/ops';
import * as kernels from '@adjoint/kernels-cpu';
import * as nn from '@adjoint/nn';
import * as data from '@adjoint/nn/data';
import * as optim from '@adjoint/nn/optim';
import * as train from '@adjoint/nn/train';
import { describe, expect, it } from 'vitest';
import { type Example, runExample } from './run-example.ts';

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

const scopes: Record<string, Record<string, unknown>> = {
  'kernels-cpu': { ...kernels },
  core: { ...kernels, ...conv, ...check, ...ops, ...core },
  nn: { ...core, ...nn, ...data, ...optim, ...train },
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
      await runExample(code, scope);
    });
  });
}
