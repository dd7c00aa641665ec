// The packages resolve to their sources inside the workspace, with no build in between.
import { expect, test } from 'vitest';

test.each([
  ['@adjoint/kernels-cpu', 'packages/kernels-cpu/src/index.ts'],
  ['@adjoint/core', 'packages/core/src/index.ts'],
  ['@adjoint/core/conv', 'packages/core/src/conv.ts'],
  ['@adjoint/core/check', 'packages/core/src/check/index.ts'],
  ['@adjoint/nn', 'packages/nn/src/index.ts'],
  ['@adjoint/nn/optim', 'packages/nn/src/optim/index.ts'],
])('%s is %s', (specifier, path) => {
  expect(import.meta.resolve(specifier)).toMatch(new RegExp(`/${path}$`));
});
