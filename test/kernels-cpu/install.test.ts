// The install script never fails, and says in one line what it did.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const source = join(import.meta.dirname, '../../packages/kernels-cpu');
const folder = mkdtempSync(join(tmpdir(), 'adjoint-install-'));
afterAll(() => rmSync(folder, { recursive: true }));

// A copy, so that the addon that is in use stays.
function install(name: string, files: readonly string[], env: Record<string, string>): string {
  const copy = join(folder, name);
  for (const file of files) cpSync(join(source, file), join(copy, file), { recursive: true });
  return execFileSync(process.execPath, [join(copy, 'scripts/install.mjs')], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}

describe('an install', () => {
  it('without a compiler says so, and how to change it', () => {
    const printed = install('no-compiler', ['package.json', 'scripts', 'simd'], {
      CXX: '/nonexistent/c++',
      PATH: '',
    });
    expect(printed.trim().split('\n')).toHaveLength(1);
    expect(printed).toMatch(
      /native kernels were not built .*WebAssembly or JavaScript runs instead\. .*C\+\+ compiler/,
    );
  });

  it('without the sources does not fail either', () => {
    const printed = install('no-sources', ['package.json', 'scripts'], {});
    expect(printed.trim().split('\n')).toHaveLength(1);
    expect(printed).toMatch(/native kernels were not built/);
  });
});
