import type pg from 'pg';
import type { WrittenBatch } from '../../stores/commit-queue.ts';
import type { KvStore } from '../../stores/kv-store.ts';
import { checkCommit } from '../../stores/kv-store.ts';
import { createChangeLog } from './change-log.ts';
import { createCommitter } from './committer.ts';
import { createPool, isUnreachable } from './database.ts';
import { migrate, NewerSchemaError } from './migrations.ts';
import { createNotifications } from './notifications.ts';
import { createReader } from './reader.ts';
import { takeSnapshot } from './snapshot.ts';

export interface PostgresStoreOptions {
  /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, as libpq has it. */
  readonly url: string;
  /** Entries of the change log to keep. */
  readonly changesKeep: number;
  readonly now: () => number;
  readonly onIdleError: (error: Error) => void;
  readonly onBatch?: ((batch: WrittenBatch) => void) | undefined;
}

/** What an operator has to change before the store can be used. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
}

/**
 * Opens the store in a PostgreSQL database, which many nodes may do at once; makes its tables where
 * there are none. Rejects with PostgresError for a database that cannot be reached, does not write to disk
 * before it answers, or belongs to a newer Keystow.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<KvStore> {
  const { changesKeep, now } = options;
  const pool = createPool(options);
  try {
    await prepare(pool);
  } catch (error) {
    await pool.end();
    throw asPostgresError(error);
  }
  const committer = createCommitter({ pool, now, changesKeep, onBatch: options.onBatch });
  const notifications = createNotifications(options);
  return {
    ...createReader(pool),
    commit(checks, mutations) {
      checkCommit(checks, mutations);
      return committer.commit(checks, mutations);
    },
    ...createChangeLog(pool),
    snapshot: () => takeSnapshot(pool),
    onCommit: notifications.listen,
    async close() {
      await committer.close();
      await notifications.close();
      await pool.end();
    },
  };
}

export async function prepare(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await checkDurability(client);
    await migrate(client);
  } finally {
    client.release();
  }
}

/** A 2xx means that a write is on disk. */
async function checkDurability(client: pg.PoolClient): Promise<void> {
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    const { rows } = await client.query<{ value: string }>('select current_setting($1) as value', [
      setting,
    ]);
    if (rows[0]?.value === 'off') {
      throw new PostgresError(
        `The database of STORE has ${setting} = off, so that it may lose what it has acknowledged: turn it on.`,
      );
    }
  }
}

/** In one line, and without the URL, which may have a password in it. */
export function asPostgresError(error: unknown): Error {
  if (error instanceof PostgresError) return error;
  if (error instanceof NewerSchemaError) return new PostgresError(error.message);
  const reason = error instanceof Error && error.message !== '' ? error.message : String(error);
  const isAway = isUnreachable(error) || error instanceof AggregateError;
  return new PostgresError(
    isAway
      ? `The database of STORE cannot be reached (${reason}): start it, or mend STORE.`
      : `The database of STORE cannot be used (${reason}): mend it, or STORE.`,
    { cause: error },
  );
}
