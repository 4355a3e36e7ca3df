import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { SWEEP_LEASE_MS } from '../../shared/limits.ts';
import { SWEEP_LEASE_KEY } from '../backup/backup-files.ts';
import { CommitConflict, type KvStore } from '../stores/kv-store.ts';
import type { DirectUploads } from './direct-uploads.ts';
import type { MultipartUploads } from './multipart-uploads.ts';
import type { ObjectBytes } from './object-bytes.ts';

/** Removes what is nobody's any more: now and then, and what a crash has left. */
export interface Sweeper {
  /** Old uploads and their parts. Never rejects. */
  uploads(): Promise<void>;
  /** Those, and bytes that no object has. To be called before anything is received. */
  everything(): Promise<void>;
  /** The same, unless another node is at it. Never rejects. */
  leased(): Promise<void>;
}

/** Which node sweeps, and until when it keeps others from it. */
interface Lease {
  /** For people. */
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

const LEASE_KEY = SWEEP_LEASE_KEY;

export function createSweeper(options: {
  readonly store: KvStore;
  readonly uploads: MultipartUploads;
  readonly objectBytes: ObjectBytes;
  readonly direct: DirectUploads | undefined;
  readonly log: Logger;
  readonly now: () => number;
}): Sweeper {
  const { store, uploads, objectBytes, direct, log, now } = options;
  const holder = `${hostname()}:${process.pid}`;

  async function everything(): Promise<void> {
    await uploads.sweep();
    await direct?.sweep();
    const swept = await objectBytes.sweep();
    if (swept > 0) log.info({ swept }, 'removed what unfinished uploads had left');
  }

  /** The version of the lease; undefined where another node has it. */
  async function acquire(): Promise<number | undefined> {
    const entry = await store.get(LEASE_KEY);
    const lease: Lease | undefined = entry && JSON.parse(entry.value.toString());
    if (lease && lease.until > now()) return undefined;
    const value = Buffer.from(JSON.stringify({ holder, until: now() + SWEEP_LEASE_MS }));
    try {
      const check = { key: LEASE_KEY, version: entry?.version ?? null };
      return await store.commit([check], [{ type: 'put', key: LEASE_KEY, value }]);
    } catch (error) {
      if (error instanceof CommitConflict) return undefined;
      throw error;
    }
  }

  return {
    everything,

    async uploads() {
      await uploads.sweep().catch((error) => {
        log.warn({ err: error }, 'old uploads were not aborted');
      });
    },

    async leased() {
      try {
        if ((await acquire()) === undefined) return;
        // Kept until its end, so that nodes that start one after another do not all sweep.
        await everything();
      } catch (error) {
        log.warn({ err: error }, 'what unfinished uploads have left was not removed');
      }
    },
  };
}
