import type pg from 'pg';
import type { KvEntry, KvSnapshot } from '../../stores/kv-store.ts';
import { BOUNDS, type Bounds } from './change-log.ts';
import { toStoreError } from './database.ts';
import { allEntries, endTransaction } from './reader.ts';

/** One transaction, with a connection of its own until it is closed. */
export async function takeSnapshot(pool: pg.Pool): Promise<KvSnapshot> {
  const client = await pool.connect().catch((error) => {
    throw toStoreError(error);
  });
  let failure: Error | undefined;
  let isOpen = true;

  async function attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      failure = toStoreError(error);
      throw failure;
    }
  }

  async function close(): Promise<void> {
    if (!isOpen) return;
    isOpen = false;
    await endTransaction(client, failure);
  }

  async function* entries(): AsyncGenerator<KvEntry[]> {
    const pages = allEntries(client);
    for (;;) {
      const page = await attempt(() => pages.next());
      if (page.done) return;
      yield page.value;
    }
  }

  try {
    // The state is that of the first statement: of the head itself.
    const { rows } = await attempt(async () => {
      await client.query('begin isolation level repeatable read read only');
      return client.query<Bounds>(BOUNDS);
    });
    return { sequence: Number(rows[0]?.head ?? 0), entries, close };
  } catch (error) {
    await close();
    throw error;
  }
}
