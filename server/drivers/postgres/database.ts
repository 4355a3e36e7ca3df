import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { KeystowError } from '../../../shared/errors.ts';

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

export function createPool({ url, onIdleError }: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // Of a server that is cut off nothing is heard: the client has to end it.
    query_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'keystow',
  });
  pool.on('error', onIdleError);
  // Who uses a connection that is lost is told by the query; without a listener the process would end.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
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
    code === '25006'
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
