import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { KeystowError } from '../../shared/errors.ts';
import { BACKUP_LEASE_MS, BACKUP_RENEW_MS } from '../../shared/limits.ts';
import { BACKUP_LEASE_KEY } from '../backup/backup-files.ts';
import { CommitConflict, type KvEntry, type KvStore } from '../stores/kv-store.ts';

/** One backup at a time; while it is made, blobs that it may still have to read are kept. */
export interface BackupLease {
  /** Resolves with what ends it. Rejects with `conflict` where a backup is under way. */
  acquire(): Promise<() => Promise<void>>;
  /** Whether a backup is under way, here or on another node. */
  isHeld(): Promise<boolean>;
}

/** Of the only node: nothing is written, so that a store that takes no more writes can still be backed up. */
export function createLocalLease(): BackupLease {
  let isHeld = false;
  return {
    acquire() {
      if (isHeld) return Promise.reject(underWay());
      isHeld = true;
      return Promise.resolve(() => {
        isHeld = false;
        return Promise.resolve();
      });
    },
    isHeld: () => Promise.resolve(isHeld),
  };
}

interface LeaseRecord {
  /** For people. */
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Of many nodes: an entry that is written anew every minute, and runs out where its node is gone. */
export function createSharedLease(options: {
  readonly store: KvStore;
  readonly log: Logger;
  readonly now: () => number;
}): BackupLease {
  const { store, log, now } = options;
  const key = BACKUP_LEASE_KEY;

  function isValid(entry: KvEntry | undefined): boolean {
    if (!entry) return false;
    const { until }: LeaseRecord = JSON.parse(entry.value.toString());
    return until > now();
  }

  function write(version: number | null): Promise<number> {
    const record = { holder: `${hostname()}:${process.pid}`, until: now() + BACKUP_LEASE_MS };
    const value = Buffer.from(JSON.stringify(record satisfies LeaseRecord));
    return store.commit([{ key, version }], [{ type: 'put', key, value }]);
  }

  async function begin(): Promise<number> {
    const entry = await store.get(key);
    if (isValid(entry)) throw underWay();
    try {
      return await write(entry?.version ?? null);
    } catch (error) {
      throw error instanceof CommitConflict ? underWay() : error;
    }
  }

  return {
    async acquire() {
      let version = await begin();
      let renewing = Promise.resolve();
      const renew = async (): Promise<void> => {
        try {
          version = await write(version);
        } catch (error) {
          log.warn({ err: error }, 'the lease of a backup was not renewed: blobs may go meanwhile');
        }
      };
      const timer = setInterval(() => {
        renewing = renewing.then(renew);
      }, BACKUP_RENEW_MS).unref();
      return async () => {
        clearInterval(timer);
        await renewing;
        try {
          await store.commit([{ key, version }], [{ type: 'delete', key }]);
        } catch (error) {
          log.warn({ err: error }, 'the lease of a backup was not ended: it runs out in minutes');
        }
      };
    },

    isHeld: async () => isValid(await store.get(key)),
  };
}

function underWay(): KeystowError {
  return new KeystowError('conflict', 'A backup is under way: try again when it is done.');
}
