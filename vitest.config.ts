import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    // To end what hangs, not to judge speed: some tests start several processes, and a machine of two cores may be busy.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'threads',
    // By default one core stays idle, which on a machine of two is half of it.
    maxWorkers: '100%',
    reporters: ['default'],
  },
});
