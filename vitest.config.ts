import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Some wait for processes and time-outs: more than two cores' worth.
    maxWorkers: 3,
    isolate: false,
    // The built server runs as Node loads it: Vite would load copies.
    server: { deps: { external: [/\/dist\/server\//] } },
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
