import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  type CommitQueue,
  createCommitQueue,
  type Member,
  type WrittenBatch,
} from '../../stores/commit-queue.ts';
import { CommitConflict, CommitUncertain } from '../../stores/kv-store.ts';
import { batchOperations } from './commit-batch.ts';
import { isClash, isUnreachable, pause, toStoreError } from './database.ts';

/**
 * One call of `keystow_commit` for each batch. Its id makes it safe to be sent again after a lost
 * connection: a batch that was committed says so, and is not committed twice.
 */

/** Members and bytes of one batch; what is more waits for the next. */
const MAX_BATCH_MEMBERS = 1_024;
const MAX_BATCH_BYTES = 4 * 1_048_576;
/** How long a batch waits for a database that is away, in milliseconds: a promotion takes a few seconds. */
const PATIENCE_MS = 8_000;

const CALL = {
  name: 'keystow_commit',
  text: 'select keystow_commit($1, $2, $3, $4, $5, $6, $7, $8, $9) as results',
};

export interface CommitterOptions {
  readonly pool: pg.Pool;
  readonly now: () => number;
  /** Entries of the change log to keep. */
  readonly changesKeep: number;
  readonly onBatch?: ((batch: WrittenBatch) => void) | undefined;
}

export function createCommitter({
  pool,
  now,
  changesKeep,
  onBatch,
}: CommitterOptions): CommitQueue {
  // Once the database was away for long, nobody waits for it until it is back.
  let isAway = false;

  async function write(members: readonly Member[]): Promise<void> {
    const operations = batchOperations(members);
    const start = performance.now();
    const results = await call([
      randomUUID(),
      members.length,
      operations.members,
      operations.kinds,
      operations.keys,
      operations.versions,
      operations.values,
      now(),
      changesKeep,
    ]);
    const milliseconds = performance.now() - start;
    let commits = 0;
    let bytes = 0;
    for (const [index, member] of members.entries()) {
      const result = Number(results[index]);
      if (result > 0) {
        commits += 1;
        bytes += member.bytes;
        member.resolve(result);
      } else member.reject(new CommitConflict(operations.keys[-result - 1]?.toString() ?? ''));
    }
    if (commits > 0) onBatch?.({ commits, bytes, milliseconds });
  }

  async function call(values: unknown[]): Promise<readonly string[]> {
    const begin = performance.now();
    let mayBeCommitted = false;
    for (let attempt = 0; ; attempt += 1) {
      let client: pg.PoolClient | undefined;
      try {
        client = await pool.connect();
        const { rows } = await client.query<{ results: string[] }>({ ...CALL, values });
        client.release();
        isAway = false;
        return rows[0]?.results ?? [];
      } catch (error) {
        const isGone = isUnreachable(error);
        const isRefused = error instanceof pg.DatabaseError && !isGone;
        client?.release(!isRefused);
        // What PostgreSQL says no to was not committed; but an attempt before it may have been.
        if (client && !isRefused) mayBeCommitted = true;
        const cause = mayBeCommitted ? new CommitUncertain(asError(error)) : error;
        if (!isGone && !isClash(error)) throw toStoreError(error, cause);
        if (isAway || performance.now() - begin > PATIENCE_MS) {
          isAway = true;
          throw toStoreError(error, cause);
        }
        await pause(attempt);
      }
    }
  }

  return createCommitQueue({ maxMembers: MAX_BATCH_MEMBERS, maxBytes: MAX_BATCH_BYTES, write });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
