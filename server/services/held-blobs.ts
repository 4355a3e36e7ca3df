import type { Logger } from 'pino';
import { KeystowError } from '../../shared/errors.ts';
import { BACKUP_RENEW_MS, MAX_HELD_BLOBS } from '../../shared/limits.ts';
import type { BlobStore } from '../stores/blob-store.ts';
import type { BackupLease } from './backup-lease.ts';

/**
 * A blob store whose blobs stay while a backup is made: its snapshot may name what was replaced or deleted since. A blob
 * is asked to be deleted after the commit that made it nobody's. So where there is no lease then, no later snapshot names
 * it, and it goes at once.
 */
export interface HeldBlobs extends BlobStore {
  /** Deletes what was kept, unless there is a backup under way (again). Never rejects. */
  release(): Promise<void>;
  close(): void;
}

export function holdBlobs(options: {
  readonly blobs: BlobStore;
  readonly lease: BackupLease;
  readonly log: Logger;
}): HeldBlobs {
  const { blobs, lease, log } = options;
  const held = new Set<string>();
  /** For the backups of other nodes: nobody tells when they are done. */
  let timer: NodeJS.Timeout | undefined;

  function close(): void {
    clearInterval(timer);
    timer = undefined;
  }

  async function release(): Promise<void> {
    // Before the question: what comes after it may be named by the next backup.
    const ids = [...held];
    try {
      if (ids.length === 0 || (await lease.isHeld())) return;
      for (const id of ids) {
        await blobs.delete(id);
        held.delete(id);
      }
      if (held.size === 0) close();
    } catch (error) {
      log.warn({ err: error }, 'blobs that were kept for a backup were not removed yet');
    }
  }

  return {
    ...blobs,
    release,
    close,

    async delete(id) {
      if (!(await lease.isHeld())) return blobs.delete(id);
      // It stays where it is, nobody's, until the next start or sweep.
      if (held.size >= MAX_HELD_BLOBS) return;
      held.add(id);
      timer ??= setInterval(() => void release(), BACKUP_RENEW_MS).unref();
    },

    sweep: (referencedIds) =>
      blobs.sweep(async (prefix) => {
        const ids = await referencedIds(prefix);
        // Asked after it, for the same reason.
        if (await lease.isHeld()) {
          throw new KeystowError('conflict', 'A backup is under way: blobs are swept after it.');
        }
        return ids;
      }),
  };
}
