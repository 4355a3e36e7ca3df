import { rm } from 'node:fs/promises';
import { openLevelStore } from '../../server/drivers/level/level-store.ts';
import { makeFolder } from '../support/make-folder.ts';
import { testKvStore } from './kv-store.ts';

testKvStore('level', async () => {
  const dataDir = await makeFolder();
  return {
    open: () =>
      openLevelStore({
        dataDir,
        changesKeep: 1_000,
        now: Date.now,
        onFailed: (error) => {
          throw error;
        },
        onDamaged: (error) => {
          throw error;
        },
      }),
    remove: () => rm(dataDir, { recursive: true }),
  };
});
