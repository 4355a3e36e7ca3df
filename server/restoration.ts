import { join } from 'node:path';
import { RESTORED_AHEAD } from '../shared/limits.ts';
import { BackupError } from './backup/backup-error.ts';
import { openBackup } from './backup/backup-folder.ts';
import type { Manifest } from './backup/manifest.ts';
import type { Config } from './config.ts';
import { copyStore, type OnProgress } from './store-copy.ts';
import type { BlobStore } from './stores/blob-store.ts';
import type { ImportTarget } from './stores/import-target.ts';

/** `keystow restore`: a backup becomes a store, which no server has open. */

export interface RestoreOptions {
  readonly folder: string;
  readonly dataDir: string;
  readonly store: Config['store'];
  readonly blobs: Config['blobs'];
  readonly onProgress: OnProgress;
}

/** Reads all of a backup. Rejects with BackupError where a bit is not as it was written. */
export async function checkBackup({
  folder,
  onProgress,
}: Pick<RestoreOptions, 'folder' | 'onProgress'>): Promise<Manifest> {
  const backup = await openBackup(folder);
  await backup.verify((entries, bytes) => onProgress('checking', entries, bytes));
  return backup.manifest;
}

/**
 * Checks the backup, copies it into empty stores, and compares both. The copy's numbers go on 2^32 higher: none is
 * given twice. Until it is done nobody serves the copy; the same call again goes on where it stopped. Rejects with
 * BackupError, or as the stores do.
 */
export async function restore(options: RestoreOptions): Promise<Manifest> {
  const { folder, onProgress } = options;
  const manifest = await checkBackup(options);
  const backup = await openBackup(folder);
  const store = await openTarget(options);
  try {
    const blobs = await openBlobs(options);
    const checkEmpty = async (): Promise<void> => {
      if (await blobs.isEmpty()) return;
      throw new BackupError(
        'There are blobs where those of the backup are to go: name an empty place.',
      );
    };
    await copyStore(backup, { store, blobs, checkEmpty }, onProgress);
    await store.finish(manifest.sequence + RESTORED_AHEAD);
    return manifest;
  } finally {
    await store.close();
  }
}

async function openTarget({ dataDir, store }: RestoreOptions): Promise<ImportTarget> {
  if (store !== 'level') {
    const { openImportTarget } = await import('./drivers/postgres/import-target.ts');
    return openImportTarget(store.url);
  }
  const { openLevelImportTarget } = await import('./drivers/level/import-target.ts');
  return openLevelImportTarget(dataDir);
}

async function openBlobs({ dataDir, blobs }: RestoreOptions): Promise<BlobStore> {
  if (blobs !== 'file') {
    const { openS3BlobStore } = await import('./drivers/s3/s3-blob-store.ts');
    return openS3BlobStore({ ...blobs, now: Date.now });
  }
  const { openFileBlobStore } = await import('./drivers/file/file-blob-store.ts');
  return openFileBlobStore(join(dataDir, 'blobs'));
}
