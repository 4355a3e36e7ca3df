import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { KeystowError } from '../../../shared/errors.ts';
import { CommitUncertain } from '../../stores/kv-store.ts';

/** Connections to PostgreSQL, and what its errors mean. */

export interface DatabaseOptions {
  readonly url: string;
  /** Something went wrong with a connection that nobody was using. */
  readonly onIdleError: (error: Error) => void;
}

/** Connections of one node; each of its reads takes one for a round trip. */
const MAX_CONNECTIONS = 10;
/** How long a connection may take to be made, and a statement to be answered, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 20_000;
/**
 * How long a statement waits for a lock. While the primary waits for its standby with a commit, it keeps
 * those that wait for the head: given up by their clients alone, they would take up all connections. A
 * row that several want is two locks, one after the other: both together take less than a statement may.
 */
const LOCK_TIMEOUT_MS = 6_000;

export function createPool({ url, onIdleError }: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // Of a server that is cut off nothing is heard: the client has to end it.
    query_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'keystow',
    onConnect: prepareConnection,
  });
  pool.on('error', onIdleError);
  // Who uses a connection that is lost is told by the query; without a listener the process would end.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** The address of the primary may lead to its standby before that is promoted. */
class StandbyError extends Error {
  override readonly name = 'StandbyError';
  /** As PostgreSQL calls it where something is written. */
  readonly code = '25006';

  constructor() {
    super('it is a standby that is not promoted');
  }
}

/** Rejects with StandbyError: what is read there may be older than what was acknowledged. */
export async function prepareConnection(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ standby: boolean }>(
    `select pg_is_in_recovery() as standby, set_config('lock_timeout', $1, false)`,
    [`${LOCK_TIMEOUT_MS}ms`],
  );
  if (rows[0]?.standby) throw new StandbyError();
}

/** The state of the connection, or of the server, not of what was asked: it may go well another time. */
export function isUnreachable(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined) {
    return error instanceof Error && /timeout|terminated|not queryable|ended/i.test(error.message);
  }
  return (
    /^(E[A-Z]+|08...|57P0.|53300)$/.test(code) ||
    // A standby that is not promoted yet.
    code === '25006' ||
    // The same, as keystow_commit meets it behind a pooler that did not tell of the change.
    code === '55000'
  );
}

/** Serialisation failures and deadlocks: PostgreSQL asks for another attempt. */
export function isClash(error: unknown): boolean {
  return codeOf(error) === '40001' || codeOf(error) === '40P01';
}

/** What clients are told; the cause is for the log. */
export function toStoreError(error: unknown, cause: unknown = error): KeystowError {
  if (error instanceof KeystowError) return error;
  if (codeOf(error) === '53100') {
    return new KeystowError('disk-full', 'The disk of the database is full: nothing was stored.', {
      cause,
    });
  }
  // Who may have been heard must look before writing again: a client repeats what has Retry-After.
  if (cause instanceof CommitUncertain) {
    const message = 'The database stopped answering: look whether it was stored.';
    return new KeystowError('unavailable', message, { cause });
  }
  return new KeystowError('unavailable', 'The database does not answer: try again.', {
    cause,
    headers: { 'Retry-After': '1' },
  });
}

/** A random time, so that nodes that lost the same database do not come back all at once. */
export function pause(attempt: number): Promise<void> {
  const longest = Math.min(1_000, 50 * 2 ** attempt);
  return sleep(longest / 2 + (Math.random() * longest) / 2);
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
