import { join } from 'node:path';
import { BackupError } from './backup/backup-error.ts';
import { backupFiles } from './backup/backup-files.ts';
import type { Backup } from './backup/backup-folder.ts';
import { writeBackup } from './backup/backup-writer.ts';
import type { S3BlobsConfig } from './config.ts';
import type { BlobStore } from './stores/blob-store.ts';

/** Backs up a data directory that no server has open. Rejects with BackupError, or as the stores do. */
export async function backUpDataDir(options: {
  readonly dataDir: string;
  readonly blobs: 'file' | S3BlobsConfig;
  readonly folder: string;
  readonly onProgress: (files: number, bytes: number) => void;
}): Promise<Backup> {
  const { dataDir, folder, onProgress } = options;
  const { openLevelStoreReadOnly } = await import('./drivers/level/level-store.ts');
  const lost: string[] = [];
  const store = await openLevelStoreReadOnly(dataDir, (message) => lost.push(message));
  try {
    const [first] = lost;
    if (first !== undefined) throw new BackupError(first);
    const snapshot = await store.snapshot();
    const blobs = await openBlobs(options);
    const files = backupFiles({ snapshot, blobs, takenAt: Date.now() });
    return await writeBackup(files, folder, { onProgress });
  } finally {
    await store.close();
  }
}

async function openBlobs({
  dataDir,
  blobs,
}: {
  readonly dataDir: string;
  readonly blobs: 'file' | S3BlobsConfig;
}): Promise<BlobStore> {
  if (blobs !== 'file') {
    const { openS3BlobStore } = await import('./drivers/s3/s3-blob-store.ts');
    return openS3BlobStore({ ...blobs, now: Date.now });
  }
  const { openFileBlobStore } = await import('./drivers/file/file-blob-store.ts');
  return openFileBlobStore(join(dataDir, 'blobs'));
}
