import { defineConfig } from 'vitest/config';

/** What needs a PostgreSQL: one is started for all of them, and only for them. */
const shared = [
  'test/scale/**/*.test.ts',
  'test/conformance/postgres.test.ts',
  'test/drivers/postgres-*.test.ts',
];

export default defineConfig({
  test: {
    // Some wait for processes and time-outs: more than two cores' worth.
    maxWorkers: 3,
    isolate: false,
    // The built server runs as Node loads it: Vite would load copies.
    server: { deps: { external: [/\/dist\/server\//] } },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: { name: 'embedded', include: ['test/**/*.test.ts'], exclude: shared },
      },
      {
        extends: true,
        test: { name: 'shared', include: shared, globalSetup: 'test/support/postgres-setup.ts' },
      },
    ],
  },
});
