import { defineConfig } from 'vitest/config';

/** What needs a PostgreSQL: one is started for all of them, and only for them. */
const shared = [
  'test/scale/**/*.test.ts',
  'test/conformance/postgres.test.ts',
  'test/drivers/postgres-*.test.ts',
];

/** Many processes, or slow on purpose: .ci/run has them, npm test stays under two minutes. */
const slow = [
  'test/backups/damage.test.ts',
  'test/backups/kill-9.test.ts',
  'test/backups/schedule.test.ts',
  'test/backups/under-load.test.ts',
  'test/changes/slow-readers.test.ts',
  'test/cli/bad-servers.test.ts',
  'test/cli/buckets.test.ts',
  'test/cli/connection.test.ts',
  'test/cli/import-export.test.ts',
  'test/cli/keys.test.ts',
  'test/cli/upload.test.ts',
  'test/cli/users.test.ts',
  'test/clients/aws-sdk-multipart.test.ts',
  'test/drivers/postgres-store.test.ts',
  'test/faults/damage.test.ts',
  'test/faults/data-dir.test.ts',
  'test/faults/interrupted-uploads.test.ts',
  'test/faults/small-disk.test.ts',
  'test/faults/upload-kill-9.test.ts',
  'test/http/access-key-settings.test.ts',
  'test/http/batch-model.test.ts',
  'test/http/full-disk.test.ts',
  'test/http/password-time.test.ts',
  'test/objects/grants.test.ts',
  'test/objects/multipart-bytes.test.ts',
  'test/objects/races.test.ts',
  'test/objects/subresources.test.ts',
  'test/saves/put-saves.test.ts',
  'test/scale/backups.test.ts',
  'test/scale/direct-uploads.test.ts',
  'test/scale/migrate.test.ts',
  'test/socket/garbage.test.ts',
  'test/socket/hostile-nesting.test.ts',
];
const isLongRun = process.env['KEYSTOW_LONG'] === '1';
const left = isLongRun ? [] : slow;
/** Only what hangs is to meet it: long searches share a slow disk with three other tests. */
const timeout = isLongRun ? 300_000 : 60_000;
/** As polls last only until they succeed, a busy machine gets its time. */
const pollTimeout = isLongRun ? 120_000 : 30_000;

export default defineConfig({
  test: {
    // Some wait for processes and time-outs: more than two cores' worth.
    maxWorkers: 3,
    isolate: false,
    // The built server runs as Node loads it: Vite would load copies.
    server: { deps: { external: [/\/dist\/(?:server|shared)\//] } },
    testTimeout: timeout,
    hookTimeout: timeout,
    expect: { poll: { timeout: pollTimeout } },
    projects: [
      {
        extends: true,
        test: {
          name: 'embedded',
          include: ['test/**/*.test.ts'],
          exclude: [...shared, ...left],
        },
      },
      {
        extends: true,
        test: {
          name: 'shared',
          include: shared,
          exclude: left,
          globalSetup: 'test/support/postgres-setup.ts',
        },
      },
    ],
  },
});
