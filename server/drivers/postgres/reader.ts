import type pg from 'pg';
import { checkStoreKey, type KvEntry, type KvRange, type KvStore } from '../../stores/kv-store.ts';
import { isUnreachable, toStoreError } from './database.ts';
import { createPlaces } from './places.ts';

/** Keys of one statement, and rows that a cursor gives at a time. */
const MAX_KEYS = 200;
const PAGE_ROWS = 1_000;
/** Cursors at a time: each has a connection as long as its reader takes, and the others go on without. */
const MAX_CURSORS = 5;
/** How long a reader waits for one, in milliseconds. */
const CURSOR_PATIENCE_MS = 5_000;

interface Row {
  readonly key: Buffer;
  readonly version: string;
  readonly value: Buffer;
}

export function createReader(pool: pg.Pool): Pick<KvStore, 'get' | 'range' | 'keys'> {
  const getEntry = createGetter(pool);
  const cursors = createPlaces(MAX_CURSORS, CURSOR_PATIENCE_MS);

  async function* rows(range: KvRange, columns: string): AsyncGenerator<Row[]> {
    const { text, values } = selection(range, columns);
    if (range.limit !== undefined && range.limit <= PAGE_ROWS) {
      const page = await read(pool, (client) => client.query<Row>(text, values));
      if (page.rows.length > 0) yield page.rows;
      return;
    }
    const giveBack = await cursors.take();
    yield* cursorPages(pool, text, values, giveBack);
  }

  return {
    get(key) {
      checkStoreKey(key);
      return getEntry(key);
    },
    async *range(range) {
      for await (const page of rows(range, 'key, version, value')) yield page.map(toEntry);
    },
    async *keys(range) {
      for await (const page of rows(range, 'key')) yield page.map(({ key }) => key.toString());
    },
  };
}

/** All of one snapshot. The connection is free again before the last of them is given out. */
async function* cursorPages(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[],
  onEnd: () => void,
): AsyncGenerator<Row[]> {
  const client = await pool.connect().catch((error) => {
    onEnd();
    throw toStoreError(error);
  });
  let failure: Error | undefined;
  let last: Row[] = [];
  try {
    await client.query('begin isolation level repeatable read read only');
    await client.query(`declare page no scroll cursor for ${text}`, [...values]);
    for (;;) {
      const page = await client.query<Row>(`fetch ${PAGE_ROWS} from page`);
      if (page.rows.length < PAGE_ROWS) {
        last = page.rows;
        break;
      }
      yield page.rows;
    }
  } catch (error) {
    failure = toStoreError(error);
    throw failure;
  } finally {
    await endTransaction(client, failure);
    onEnd();
  }
  if (last.length > 0) yield last;
}

/** What is asked for in one turn of the event loop is one statement. */
function createGetter(pool: pg.Pool): (key: string) => Promise<KvEntry | undefined> {
  interface Wanted {
    readonly key: string;
    resolve(entry: KvEntry | undefined): void;
    reject(error: unknown): void;
  }
  let waiting: Wanted[] = [];

  async function readAll(wanted: readonly Wanted[]): Promise<void> {
    const keys = [...new Set(wanted.map(({ key }) => key))].map((key) => Buffer.from(key));
    const query = {
      name: 'keystow_get',
      text: 'select key, version, value from keystow_entries where key = any($1)',
      values: [keys],
    };
    try {
      const { rows } = await read(pool, (client) => client.query<Row>(query));
      const entries = new Map(rows.map((row) => [row.key.toString(), toEntry(row)]));
      for (const { key, resolve } of wanted) resolve(entries.get(key));
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    }
  }

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (waiting.length > 1) return;
      setImmediate(() => {
        const wanted = waiting;
        waiting = [];
        for (let at = 0; at < wanted.length; at += MAX_KEYS) {
          void readAll(wanted.slice(at, at + MAX_KEYS));
        }
      });
    });
}

/** Reads once more where the connection was lost: a pool may hold several that are dead. */
async function read<T>(pool: pg.Pool, query: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    let client: pg.PoolClient | undefined;
    try {
      client = await pool.connect();
      const result = await query(client);
      client.release();
      return result;
    } catch (error) {
      const isGone = isUnreachable(error);
      client?.release(isGone);
      if (!isGone || !client || attempt >= pool.options.max) throw toStoreError(error);
    }
  }
}

/** The end, or a reader that stops in the middle: nothing was written. */
async function endTransaction(client: pg.PoolClient, failure: Error | undefined): Promise<void> {
  if (failure) return client.release(failure);
  try {
    await client.query('rollback');
    client.release();
  } catch (error) {
    client.release(error instanceof Error ? error : true);
  }
}

function selection({ prefix, after, limit }: KvRange, columns: string) {
  const values: (Buffer | number)[] = [Buffer.from(prefix)];
  const conditions = ['key >= $1'];
  const end = successor(Buffer.from(prefix));
  if (end) {
    values.push(end);
    conditions.push(`key < $${values.length}`);
  }
  if (after !== undefined) {
    values.push(Buffer.from(after));
    conditions.push(`key > $${values.length}`);
  }
  let text = `select ${columns} from keystow_entries where ${conditions.join(' and ')} order by key`;
  if (limit !== undefined) {
    values.push(limit);
    text += ` limit $${values.length}`;
  }
  return { text, values };
}

/** The smallest bytes after all that begin with the prefix; UTF-8 has no byte 0xff. */
function successor(prefix: Buffer): Buffer | undefined {
  const last = prefix.at(-1);
  if (last === undefined) return undefined;
  return Buffer.concat([prefix.subarray(0, -1), Buffer.from([last + 1])]);
}

function toEntry({ key, version, value }: Row): KvEntry {
  return { key: key.toString(), version: Number(version), value };
}
