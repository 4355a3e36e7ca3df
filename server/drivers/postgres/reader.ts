import type pg from 'pg';
import { checkStoreKey, type KvEntry, type KvRange, type KvStore } from '../../stores/kv-store.ts';
import { isUnreachable, toStoreError } from './database.ts';
import { createPlaces } from './places.ts';

/** Keys of one statement. */
const MAX_KEYS = 200;
/** A page has so many entries at most, and ends with the value that makes it so large. */
const PAGE_ROWS = 1_000;
/** How long connections that turn out to be dead are exchanged for others, in milliseconds. */
const RETRY_MS = 8_000;
const PAGE_BYTES = 1_048_576;
/** Long lists at a time: each has a connection as long as its reader takes, and the others go on without. */
const MAX_LONG_LISTS = 5;
/** How long a reader waits for its turn, in milliseconds. */
const LONG_LIST_PATIENCE_MS = 5_000;

type Selected = 'keys' | 'entries';

interface Row {
  readonly key: Buffer;
  readonly version: string;
  readonly value: Buffer;
}

export function createReader(pool: pg.Pool): Pick<KvStore, 'get' | 'range' | 'keys'> {
  const getEntry = createGetter(pool);
  const longLists = createPlaces(MAX_LONG_LISTS, LONG_LIST_PATIENCE_MS);

  async function* pages(range: KvRange, what: Selected): AsyncGenerator<Row[]> {
    if (range.limit !== undefined && range.limit <= PAGE_ROWS) {
      const page = await read(pool, (client) => readPage(client, range, what));
      if (page.isLast) {
        if (page.rows.length > 0) yield page.rows;
        return;
      }
    }
    yield* snapshotPages(pool, range, what, await longLists.take());
  }

  return {
    get(key) {
      checkStoreKey(key);
      return getEntry(key);
    },
    async *range(range) {
      for await (const page of pages(range, 'entries')) yield page.map(toEntry);
    },
    async *keys(range) {
      for await (const page of pages(range, 'keys')) yield page.map(({ key }) => key.toString());
    },
  };
}

/** All of one snapshot. The connection is free again before the last of them is given out. */
async function* snapshotPages(
  pool: pg.Pool,
  range: KvRange,
  what: Selected,
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
    for (let rest = range; ; ) {
      const { rows, isLast } = await readPage(client, rest, what);
      if (isLast) {
        last = rows;
        break;
      }
      rest = restOf(rest, rows);
      yield rows;
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

/** All that a transaction sees. */
export async function* allEntries(client: pg.PoolClient): AsyncGenerator<KvEntry[]> {
  for (let rest: KvRange = { prefix: '' }; ; ) {
    const { rows, isLast } = await readPage(client, rest, 'entries');
    yield rows.map(toEntry);
    if (isLast) return;
    rest = restOf(rest, rows);
  }
}

/** What a page leaves of the range. */
function restOf(range: KvRange, page: readonly Row[]): KvRange {
  const { limit } = range;
  return {
    ...range,
    after: page.at(-1)?.key.toString(),
    ...(limit === undefined ? {} : { limit: limit - page.length }),
  };
}

async function readPage(
  client: pg.PoolClient,
  range: KvRange,
  what: Selected,
): Promise<{ rows: Row[]; isLast: boolean }> {
  const wanted = Math.min(range.limit ?? PAGE_ROWS, PAGE_ROWS);
  const { rows } = await client.query<Row>(selection(range, wanted, what));
  const isCut = what === 'entries' && bytesOf(rows) >= PAGE_BYTES;
  const isLast = !isCut && (rows.length < wanted || rows.length === range.limit);
  return { rows, isLast };
}

function bytesOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { value }) => sum + value.length, 0);
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
export async function read<T>(
  pool: pg.Pool,
  query: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
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

/** The end, or a reader that stops in the middle: nothing was written. */
export async function endTransaction(
  client: pg.PoolClient,
  failure: Error | undefined,
): Promise<void> {
  if (failure) return client.release(failure);
  try {
    await client.query('rollback');
    client.release();
  } catch (error) {
    client.release(error instanceof Error ? error : true);
  }
}

function selection({ prefix, after }: KvRange, limit: number, what: Selected) {
  const values: (Buffer | number)[] = [limit, Buffer.from(prefix)];
  const conditions = ['key >= $2'];
  const end = successor(Buffer.from(prefix));
  if (end) {
    values.push(end);
    conditions.push(`key < $${values.length}`);
  }
  if (after !== undefined) {
    values.push(Buffer.from(after));
    conditions.push(`key > $${values.length}`);
  }
  const page = (columns: string) =>
    `select ${columns} from keystow_entries where ${conditions.join(' and ')} order by key limit $1`;
  if (what === 'keys') return { text: page('key'), values };
  // octet_length reads no value that lies apart: what is not sent is not read.
  const text = `select key, version, value from (
      select key, version, value, sum(octet_length(value)) over (order by key rows unbounded preceding)
        - octet_length(value) as bytes_before from (${page('key, version, value')}) as page
    ) as counted where bytes_before < ${PAGE_BYTES} order by key`;
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
