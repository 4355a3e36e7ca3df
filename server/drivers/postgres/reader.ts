import type pg from 'pg';
import { checkStoreKey, type KvEntry, type KvRange, type KvStore } from '../../stores/kv-store.ts';
import { isUnreachable, toStoreError } from './database.ts';

/** Keys of one statement, and rows that a cursor gives at a time. */
const MAX_KEYS = 200;
const PAGE_ROWS = 1_000;
/** How long connections that turn out to be dead are exchanged for others, in milliseconds. */
const RETRY_MS = 8_000;

interface Row {
  readonly key: Buffer;
  readonly version: string;
  readonly value: Buffer;
}

export function createReader(pool: pg.Pool): Pick<KvStore, 'get' | 'range' | 'keys'> {
  const getEntry = createGetter(pool);

  async function* rows(range: KvRange, columns: string): AsyncGenerator<Row[]> {
    const { text, values } = selection(range, columns);
    if (range.limit !== undefined && range.limit <= PAGE_ROWS) {
      const page = await read(pool, (client) => client.query<Row>(text, values));
      if (page.rows.length > 0) yield page.rows;
      return;
    }
    // A cursor's pages are all of one snapshot.
    const client = await pool.connect().catch((error) => {
      throw toStoreError(error);
    });
    let failure: Error | undefined;
    try {
      await client.query('begin isolation level repeatable read read only');
      await client.query(`declare page no scroll cursor for ${text}`, values);
      for (;;) {
        const page = await client.query<Row>(`fetch ${PAGE_ROWS} from page`);
        if (page.rows.length > 0) yield page.rows;
        if (page.rows.length < PAGE_ROWS) break;
      }
      await client.query('commit');
    } catch (error) {
      failure = toStoreError(error);
      throw failure;
    } finally {
      await endTransaction(client, failure);
    }
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
  const begin = performance.now();
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
      const isLast = attempt >= pool.options.max || performance.now() - begin > RETRY_MS;
      if (!isGone || !client || isLast) throw toStoreError(error);
    }
  }
}

/** A reader may stop in the middle. */
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
