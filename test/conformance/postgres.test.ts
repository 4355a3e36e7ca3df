import { openPostgresStore } from '../../server/drivers/postgres/postgres-store.ts';
import { createSchema } from '../support/database.ts';
import { testKvStore } from './kv-store.ts';

testKvStore('postgres', async () => {
  const url = await createSchema();
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
