import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { S3BlobsConfig } from './config.ts';
import { type Copied, copyStore, type OnProgress } from './store-copy.ts';
import type { BlobStore } from './stores/blob-store.ts';
import type { ImportTarget } from './stores/import-target.ts';
import type { KvStore } from './stores/kv-store.ts';

/** Copies an embedded store, which nobody has open, to PostgreSQL and an S3-compatible store. */

export interface MigrationOptions {
  readonly dataDir: string;
  /** `postgres://…` */
  readonly store: string;
  /** Undefined: blobs stay in the data directory. */
  readonly blobs: S3BlobsConfig | undefined;
  readonly onProgress: OnProgress;
}

/** What stands in the way of a copy, or makes it worthless. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/**
 * Copies what is not copied yet, then compares every entry and every blob of both. Versions, and so ETags,
 * stay what they are. Rejects with MigrationError, or as the stores do; the same call again goes on where
 * it stopped.
 */
export async function migrate(options: MigrationOptions): Promise<Copied> {
  const warnings: string[] = [];
  const { openLevelStoreReadOnly } = await import('./drivers/level/level-store.ts');
  const { openFileBlobStore } = await import('./drivers/file/file-blob-store.ts');
  const { openImportTarget } = await import('./drivers/postgres/import-target.ts');
  const from = await openLevelStoreReadOnly(options.dataDir, (message) => warnings.push(message));
  let to: ImportTarget | undefined;
  try {
    checkWhole(warnings);
    to = await openImportTarget(options.store);
    const source = {
      identity: await identityOf(from),
      entries: (after?: string) => from.range({ prefix: '', after }),
      blobs: await openFileBlobStore(join(options.dataDir, 'blobs')),
    };
    const blobs = options.blobs && (await openBlobs(options.blobs));
    const migrated = await copyStore(source, { store: to, blobs }, (...progress) => {
      checkWhole(warnings);
      options.onProgress(...progress);
    });
    checkWhole(warnings);
    await to.finish(await from.sequence());
    return migrated;
  } finally {
    await to?.close();
    await from.close();
  }
}

async function openBlobs(location: S3BlobsConfig): Promise<BlobStore> {
  const { openS3BlobStore } = await import('./drivers/s3/s3-blob-store.ts');
  return openS3BlobStore({ ...location, now: Date.now });
}

/** What is damaged would be left out without a word. */
function checkWhole(warnings: readonly string[]): void {
  const [first] = warnings;
  if (first === undefined) return;
  throw new MigrationError(`${first} Mend the data directory, or restore a backup, first.`);
}

/** A store's own mark, and its state. */
async function identityOf(from: KvStore): Promise<string> {
  const witness = await from.get('meta/master-key');
  const hash = createHash('sha256').update(witness?.value ?? '');
  return hash.update(String(await from.sequence())).digest('hex');
}
