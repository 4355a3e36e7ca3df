import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { BlobStore } from './stores/blob-store.ts';
import type { WrittenBatch } from './stores/commit-queue.ts';
import type { KvStore } from './stores/kv-store.ts';

/** The drivers that the configuration names; each is loaded where it is used alone. */

/** Who wants to know how the store is doing. */
export interface StoreHooks {
  /** Every commit is refused until a restart. */
  readonly onFailed?: () => void;
  readonly onBatch?: (batch: WrittenBatch) => void;
}

/** Opens the store that the configuration names. */
export async function openStore(
  config: Config,
  log: Logger,
  hooks: StoreHooks = {},
): Promise<KvStore> {
  const { changesKeep } = config;
  if (config.store !== 'level') {
    const { openPostgresStore } = await import('./drivers/postgres/postgres-store.ts');
    return openPostgresStore({
      url: config.store.url,
      changesKeep,
      now: Date.now,
      onIdleError: (error) => log.warn({ err: error }, 'a connection to the database was lost'),
      onBatch: hooks.onBatch,
    });
  }
  const { openLevelStore } = await import('./drivers/level/level-store.ts');
  return openLevelStore({
    dataDir: config.dataDir,
    changesKeep,
    now: Date.now,
    onFailed(error) {
      log.fatal({ err: error }, 'a write failed: writes are refused until a restart, reads go on');
      hooks.onFailed?.();
    },
    onBatch: hooks.onBatch,
    onDamaged: (error) => log.error({ err: error }, 'a damaged entry was left out of a list'),
  });
}

/** Opens the blob store that the configuration names. */
export async function openBlobStore(config: Config, now = Date.now): Promise<BlobStore> {
  if (config.blobs !== 'file') {
    const { openS3BlobStore } = await import('./drivers/s3/s3-blob-store.ts');
    return openS3BlobStore({ ...config.blobs, now });
  }
  const { openFileBlobStore } = await import('./drivers/file/file-blob-store.ts');
  return openFileBlobStore(join(config.dataDir, 'blobs'));
}
