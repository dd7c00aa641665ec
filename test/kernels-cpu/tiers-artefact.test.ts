// The WebAssembly modules that are committed, and the native kernels that were built, are of the sources as they are.

import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const scripts = new URL('../../packages/kernels-cpu/scripts/', import.meta.url);
const { artefactPath, sourceHash } = (await import(new URL('wasm.mjs', scripts).href)) as {
  artefactPath: string;
  sourceHash(): string;
};
const { addonPath, isUpToDate } = (await import(new URL('native.mjs', scripts).href)) as {
  addonPath: string;
  isUpToDate(): boolean;
};

test('the WebAssembly modules were compiled from these sources: else run node packages/kernels-cpu/scripts/wasm.mjs', () => {
  // Compiling takes a minute, so only continuous integration compares the bytes (wasm.mjs --check).
  expect(readFileSync(artefactPath, 'utf8').match(/^\/\/ Sources: (\w+)$/m)?.[1]).toBe(sourceHash());
});

test.runIf(existsSync(addonPath))(
  'the native kernels were built from these sources: else run node packages/kernels-cpu/scripts/install.mjs',
  () => {
    expect(isUpToDate()).toBe(true);
  },
);
