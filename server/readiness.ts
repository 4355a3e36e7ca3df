import { KeystowError } from '../shared/errors.ts';
import { UNREADY_AFTER_FAILURE_MS } from '../shared/limits.ts';
import type { DiskSpace } from './disk-space.ts';
import type { BlobStore } from './stores/blob-store.ts';
import type { KvStore } from './stores/kv-store.ts';

/** Whether load balancers should send requests here. */
export interface Readiness {
  /** Rejects with `unavailable`, in a sentence for the operator. */
  check(): Promise<void>;
  stopping(): void;
  /** The store refuses every write until a restart. */
  storeFailed(): void;
  /** The same, watched: a full disk that only a write shows counts for a while. */
  watchStore(store: KvStore): KvStore;
  /** The same for writes to a disk of this machine, whatever they fail with. */
  watchBlobs(blobs: BlobStore): BlobStore;
}

export function createReadiness(options: {
  readonly space: Pick<DiskSpace, 'isLow'>;
  readonly sequence: () => Promise<unknown>;
}): Readiness {
  let isStopping = false;
  let hasFailed = false;
  let failedAt = Number.NEGATIVE_INFINITY;

  function note(error: unknown, codes: readonly string[]): void {
    if (error instanceof KeystowError && codes.includes(error.code)) failedAt = performance.now();
  }

  return {
    async check() {
      if (isStopping) throw unready('The server is stopping.');
      if (hasFailed) {
        throw unready('A write failed: writes are refused until a restart, reads go on.');
      }
      if (options.space.isLow()) {
        throw unready('The disk is nearly full: writes are refused until some of it is free.');
      }
      if (performance.now() - failedAt < UNREADY_AFTER_FAILURE_MS) {
        throw unready('A write failed a moment ago: the log tells why.');
      }
      await options.sequence();
    },

    stopping() {
      isStopping = true;
    },

    storeFailed() {
      hasFailed = true;
    },

    watchStore: (store) => ({
      ...store,
      commit(checks, mutations) {
        const committed = store.commit(checks, mutations);
        committed.catch((error) => note(error, ['disk-full']));
        return committed;
      },
    }),

    watchBlobs: (blobs) => ({
      ...blobs,
      put(source, id) {
        const stored = blobs.put(source, id);
        stored.catch((error) => note(error, ['disk-full', 'unavailable']));
        return stored;
      },
    }),
  };
}

function unready(sentence: string): KeystowError {
  return new KeystowError('unavailable', sentence);
}
