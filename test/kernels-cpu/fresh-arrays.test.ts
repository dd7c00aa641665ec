// A loop that allocates the same arrays over and over gets memory that the process has already: the native tier sees to it.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fastTiers } from './tiers-available.ts';

const isNative = fastTiers.some(([, { tier }]) => tier === 'native');
const { glibcVersionRuntime } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } })
  .header;
const { ADJOINT_ADDON } = process.env;

// A sanitizer has an allocator of its own.
test.runIf(isNative && glibcVersionRuntime !== undefined && ADJOINT_ADDON === undefined)(
  'fresh arrays are not fresh pages',
  () => {
    const script = join(import.meta.dirname, 'fresh-arrays.ts');
    const pages = Number(execFileSync(process.execPath, ['--import', 'tsx', script], { encoding: 'utf8' }));
    // 256 each where memory goes back to the system in between.
    expect(pages).toBeLessThan(64);
  },
);
