import { afterAll, beforeAll } from 'vitest';
import { openPostgresStore } from '../../server/drivers/postgres/postgres-store.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { testKvStore } from './kv-store.ts';

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

afterAll(() => postgres.stop());

testKvStore('postgres', async () => {
  const url = await postgres.createDatabase();
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
