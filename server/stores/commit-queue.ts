import { KeystowError } from '../../shared/errors.ts';
import { MAX_QUEUED_COMMIT_BYTES, MAX_QUEUED_COMMITS } from '../../shared/limits.ts';
import type { KvCheck, KvMutation } from './kv-store.ts';

/**
 * Group commit: whatever is waiting becomes one batch, and while that is being written the next one
 * gathers. Batches follow one another, so that checks see every commit that was called before.
 */

/** A commit that waits, or is being written. */
export interface Member {
  readonly checks: readonly KvCheck[];
  readonly mutations: readonly KvMutation[];
  readonly bytes: number;
  /** With the number of the first mutation. */
  resolve(first: number): void;
  reject(error: Error): void;
}

/** What is on disk now: for who watches the store. */
export interface WrittenBatch {
  /** Those whose checks held. */
  readonly commits: number;
  readonly bytes: number;
  /** What writing and syncing it took. */
  readonly milliseconds: number;
}

export interface CommitQueue {
  commit(checks: readonly KvCheck[], mutations: readonly KvMutation[]): Promise<number>;
  /** From now on, and for what is waiting, every commit is refused. */
  refuse(refusal: KeystowError): void;
  /** Later commits are refused; resolves once what waits is written. */
  close(): Promise<void>;
}

export interface CommitQueueOptions {
  /** Of one batch; what is more waits for the next. */
  readonly maxMembers: number;
  readonly maxBytes: number;
  /** Settles each of the members, or rejects: then all that are left are rejected with it. */
  write(members: readonly Member[]): Promise<void>;
}

export function createCommitQueue(options: CommitQueueOptions): CommitQueue {
  let queue: Member[] = [];
  let queuedBytes = 0;
  let running: Promise<void> | undefined;
  let refusal: KeystowError | undefined;

  function commit(checks: readonly KvCheck[], mutations: readonly KvMutation[]): Promise<number> {
    if (refusal) return Promise.reject(refusal);
    const bytes = mutations.reduce((sum, mutation) => sum + mutationBytes(mutation), 0);
    if (
      queue.length >= MAX_QUEUED_COMMITS ||
      (queue.length > 0 && queuedBytes + bytes > MAX_QUEUED_COMMIT_BYTES)
    ) {
      return Promise.reject(
        new KeystowError('unavailable', 'Too many writes are waiting for the disk: try again.', {
          headers: { 'Retry-After': '1' },
        }),
      );
    }
    return new Promise((resolve, reject) => {
      queue.push({ checks, mutations, bytes, resolve, reject });
      queuedBytes += bytes;
      running ??= run();
    });
  }

  async function run(): Promise<void> {
    // Let everything that arrives in this turn of the event loop join the first batch.
    await new Promise(setImmediate);
    while (queue.length > 0) {
      const members = takeBatch();
      try {
        await options.write(members);
      } catch (error) {
        for (const member of members) member.reject(asError(error));
      }
    }
    running = undefined;
  }

  function takeBatch(): Member[] {
    let bytes = 0;
    let count = 0;
    for (const member of queue) {
      const isFull = count >= options.maxMembers || bytes + member.bytes > options.maxBytes;
      if (count > 0 && isFull) break;
      bytes += member.bytes;
      count += 1;
    }
    const members = queue.slice(0, count);
    queue = queue.slice(count);
    queuedBytes -= bytes;
    return members;
  }

  return {
    commit,

    refuse(error) {
      refusal = error;
      const waiting = queue;
      queue = [];
      queuedBytes = 0;
      for (const member of waiting) member.reject(error);
    },

    async close() {
      refusal ??= new KeystowError('unavailable', 'The server is stopping: nothing was stored.');
      await running;
    },
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** About what a mutation takes in a log: the key stands there twice. */
function mutationBytes(mutation: KvMutation): number {
  const value = mutation.type === 'put' ? mutation.value.byteLength : 0;
  return value + 2 * mutation.key.length + 64;
}
