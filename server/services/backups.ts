import { type BackupFile, backupFiles } from '../backup/backup-files.ts';
import type { KvStore } from '../stores/kv-store.ts';
import type { BackupLease } from './backup-lease.ts';
import type { DirectUploads } from './direct-uploads.ts';
import type { HeldBlobs } from './held-blobs.ts';

/** Backups of the running server: one at a time, each of exactly one sequence number. */
export interface Backups {
  /** Rejects with `conflict` where one is under way, on whichever node. */
  begin(): Promise<OpenBackup>;
}

export interface OpenBackup {
  /** Everything up to the write of this number is in it, and nothing after. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly takenAt: number;
  /** Each to be read before the next. Throws BackupError for what is damaged or missing. */
  readonly files: AsyncIterable<BackupFile>;
  /** To be called in any case, also once the files were read to their end; later calls do nothing. */
  close(): Promise<void>;
}

export function createBackups(options: {
  readonly store: KvStore;
  readonly blobs: HeldBlobs;
  readonly lease: BackupLease;
  readonly direct: DirectUploads | undefined;
  readonly now: () => number;
}): Backups {
  const { store, blobs, lease, direct, now } = options;

  return {
    async begin() {
      const endLease = await lease.acquire();
      const end = async (): Promise<void> => {
        await endLease();
        await blobs.release();
      };
      try {
        // What has arrived is an object of somebody's.
        await direct?.sweep();
        const takenAt = now();
        const snapshot = await store.snapshot();
        let closing: Promise<void> | undefined;
        const close = (): Promise<void> => {
          closing ??= snapshot.close().finally(end);
          return closing;
        };
        async function* files(): AsyncGenerator<BackupFile> {
          try {
            yield* backupFiles({ snapshot, blobs, takenAt });
          } finally {
            await close();
          }
        }
        return { sequence: snapshot.sequence, takenAt, files: files(), close };
      } catch (error) {
        await end();
        throw error;
      }
    },
  };
}
