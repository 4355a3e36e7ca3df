import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../server/drivers/postgres/postgres-store.ts';
import type { WrittenBatch } from '../../server/stores/commit-queue.ts';
import { isUncertain, type KvMutation, type KvStore } from '../../server/stores/kv-store.ts';
import { createDatabase } from '../support/database.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** What the contract's suite cannot see: several nodes, lost connections, settings of the database. */

function open(url: string): Promise<KvStore> {
  return openPostgresStore({ url, changesKeep: 1_000, now: Date.now, onIdleError: () => {} });
}

function through(url: string, proxy: TcpProxy): string {
  const changed = new URL(url);
  changed.port = String(proxy.port);
  return changed.href;
}

async function query<T>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

function put(key: string, value = 'v'): KvMutation {
  return { type: 'put', key, value: Buffer.from(value) };
}

describe('many nodes', () => {
  it('start at once on an empty database', async () => {
    const url = await createDatabase();
    const stores = await Promise.all(Array.from({ length: 10 }, () => open(url)));
    const numbers = await Promise.all(stores.map((store, i) => store.commit([], [put(`k${i}`)])));
    expect(numbers.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('leave no gap that a reader of the change log could step over', async () => {
    const url = await createDatabase();
    const stores = await Promise.all([open(url), open(url), open(url)]);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const seen: number[] = [];
    const tail = async (): Promise<void> => {
      const { rows } = await client.query(
        `select sequence from keystow_changes where sequence > ${seen.at(-1) ?? 0} order by sequence`,
      );
      seen.push(...rows.map(({ sequence }) => Number(sequence)));
    };
    let isWriting = true;
    const writing = Promise.all(
      stores.map(async (store, node) => {
        for (let round = 0; round < 12; round += 1) {
          await Promise.all(
            Array.from({ length: 8 }, (_, i) => store.commit([], [put(`${node}/${round}/${i}`)])),
          );
        }
      }),
    ).finally(() => {
      isWriting = false;
    });
    while (isWriting) await tail();
    await writing;
    await tail();
    expect(seen).toEqual(Array.from({ length: 3 * 12 * 8 }, (_, i) => i + 1));
    await client.end();
    await Promise.all(stores.map((store) => store.close()));
  });

  it('let one of many creates of a key succeed', async () => {
    const url = await createDatabase();
    const stores = await Promise.all([open(url), open(url), open(url)]);
    for (let round = 0; round < 8; round += 1) {
      const key = `once/${round}`;
      const outcomes = await Promise.allSettled(
        stores.flatMap((store, node) =>
          [1, 2].map((i) => store.commit([{ key, version: null }], [put(key, `${node}.${i}`)])),
        ),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }
    await Promise.all(stores.map((store) => store.close()));
  });
});

describe('a lost connection', () => {
  it('neither writes a batch twice nor answers it wrongly', async () => {
    const url = await createDatabase();
    // Answers are lost at random: the batch was committed, and its node does not know it.
    let lost = 0;
    let answers = 0;
    const proxy = await startTcpProxy({
      ports: [Number(new URL(url).port)],
      letsThrough: (chunk) => {
        if (!chunk.includes('results')) return true;
        answers += 1;
        if (answers % 3 !== 0) return true;
        lost += 1;
        return false;
      },
    });
    const store = await open(through(url, proxy));
    for (let i = 0; i < 30; i += 1) {
      const key = `created/${i}`;
      // Were it sent again as another batch, its own key would be in its way.
      await store.commit([{ key, version: null }], [put(key)]);
    }
    expect(lost).toBeGreaterThan(5);
    expect(await store.sequence()).toBe(30);
    await store.close();
    await proxy.stop();
  });

  it('is a 503 while the database is away, and none once it is back', async () => {
    const url = await createDatabase();
    const proxy = await startTcpProxy({ ports: [Number(new URL(url).port)] });
    const store = await open(through(url, proxy));
    await store.commit([], [put('before')]);
    proxy.cut();
    await expect(store.get('before')).rejects.toMatchObject({
      code: 'unavailable',
      headers: { 'Retry-After': '1' },
    });
    // Commits wait for a while: a promotion takes no longer.
    const waiting = store.commit([], [put('meanwhile')]);
    await expect(store.sequence()).rejects.toMatchObject({ code: 'unavailable' });
    proxy.restore();
    expect(await waiting).toBe(2);
    expect((await store.get('before'))?.version).toBe(1);
    await store.close();
    await proxy.stop();
  });

  it('leaves a batch uncertain, whatever the next attempt is told', async () => {
    const url = await createDatabase();
    let isLost = false;
    const proxy = await startTcpProxy({
      ports: [Number(new URL(url).port)],
      letsThrough: (chunk) => {
        if (isLost || !chunk.includes('results')) return true;
        isLost = true;
        proxy.cut();
        return false;
      },
    });
    const store = await open(through(url, proxy));
    const outcome = store.commit([], [put('stored')]).catch((error) => error);
    await expect.poll(() => isLost).toBe(true);
    await query(url, 'alter function keystow_commit rename to keystow_commit_gone');
    proxy.restore();
    // It is there: who took it for refused would remove the bytes that it names.
    expect(isUncertain(await outcome)).toBe(true);
    expect((await store.get('stored'))?.version).toBe(1);
    await store.close();
    await proxy.stop();
  });

  it('that the database itself ends is made anew', async () => {
    const url = await createDatabase();
    const store = await open(url);
    await store.commit([], [put('a')]);
    await query(
      url,
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    expect((await store.get('a'))?.value.toString()).toBe('v');
    expect(await store.commit([], [put('b')])).toBe(2);
    await store.close();
  });
});

describe('a database', () => {
  it.each(['synchronous_commit'])('with %s off is refused', async (setting) => {
    const url = await createDatabase();
    await query(
      url,
      `alter role postgres in database ${new URL(url).pathname.slice(1)} set ${setting} = off`,
    );
    await expect(open(url)).rejects.toThrow(`${setting} = off`);
  });

  it('of a newer Keystow is refused', async () => {
    const url = await createDatabase();
    await (await open(url)).close();
    await query(url, 'insert into keystow_migrations (step) values (1000)');
    await expect(open(url)).rejects.toThrow('newer Keystow');
  });

  it('that cannot be reached is told in a sentence without its password', async () => {
    const failure = await open('postgres://me:secret@127.0.0.1:1/x').catch((error) => error);
    expect(failure.message).toMatch(
      /^The database of STORE cannot be reached \(.*\): start it, or mend STORE\.$/,
    );
    expect(failure.message).not.toContain('secret');
  });
});

describe('after a promotion', () => {
  it('numbers go on 2^32 higher', async () => {
    const url = await createDatabase();
    const store = await open(url);
    await store.commit([], [put('a'), put('b')]);
    // As if what is written now were written on another timeline.
    await query(url, 'update keystow_head set timeline = timeline + 7');
    expect(await store.commit([], [put('c')])).toBe(2 + 2 ** 32 + 1);
    expect(await store.commit([], [put('d')])).toBe(2 + 2 ** 32 + 2);
    expect((await store.get('a'))?.version).toBe(1);
    await store.close();
  });
});

it('tells of each batch, with the commits whose checks held', async () => {
  const batches: WrittenBatch[] = [];
  const store = await openPostgresStore({
    url: await createDatabase(),
    changesKeep: 10,
    now: Date.now,
    onIdleError: () => {},
    onBatch: (batch) => batches.push(batch),
  });
  const absent = { key: 'a', version: null };
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, () => store.commit([absent], [put('a')])),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await store.commit([], [put('b')]);
  await store.close();
  expect(batches.map(({ commits }) => commits)).toEqual([1, 1]);
  for (const { bytes, milliseconds } of batches) {
    expect(bytes).toBeGreaterThan(0);
    expect(milliseconds).toBeGreaterThan(0);
  }
});

describe('the tables', () => {
  it('keep as many changes as they should, and batches of an hour', async () => {
    const url = await createDatabase();
    const store = await openPostgresStore({
      url,
      changesKeep: 10,
      now: Date.now,
      onIdleError: () => {},
    });
    await query(
      url,
      `insert into keystow_batches select gen_random_uuid(), '{1}', now() - interval '2 hours' from generate_series(1, 20)`,
    );
    for (let i = 0; i < 40; i += 1) await store.commit([], [put('a')]);
    const [changes] = await query<{ count: string }>(url, 'select count(*) from keystow_changes');
    expect(Number(changes?.count)).toBe(10);
    const [old] = await query<{ count: string }>(
      url,
      "select count(*) from keystow_batches where at < now() - interval '1 hour'",
    );
    expect(Number(old?.count)).toBe(0);
    await store.close();
  });
});
