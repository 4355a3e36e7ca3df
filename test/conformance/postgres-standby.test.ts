import { afterAll, beforeAll, describe } from 'vitest';
import { openPostgresStore } from '../../server/drivers/postgres/postgres-store.ts';
import { isLongRun } from '../support/long-runs.ts';
import { type PostgresPair, startPostgresPair } from '../support/postgres-pair.ts';
import { testKvStore } from './kv-store.ts';

// Needs Debian's PostgreSQL, which .ci/run installs: the npm package cannot make a standby.
describe.skipIf(!isLongRun)('with a synchronous standby', () => {
  let pair: PostgresPair;

  beforeAll(async () => {
    pair = await startPostgresPair();
  });

  afterAll(() => pair?.stop());

  testKvStore("Debian's postgres", async () => {
    const url = await pair.createDatabase();
    return {
      open: () =>
        openPostgresStore({
          url,
          changesKeep: 1_000,
          now: Date.now,
          onIdleError: (error) => {
            throw error;
          },
        }),
      remove: async () => {},
    };
  });
});
