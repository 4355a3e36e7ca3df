import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLevelStore, openLevelStoreReadOnly } from '../../server/drivers/level/level-store.ts';
import { logKeySequence } from '../../server/drivers/level/record.ts';
import { CommitConflict, DamagedEntry, type KvMutation } from '../../server/stores/kv-store.ts';
import { makeFolder } from '../support/make-folder.ts';

let dataDir: string;
const damaged: Error[] = [];

beforeEach(async () => {
  dataDir = await makeFolder();
});

afterEach(() => rm(dataDir, { recursive: true }));

function open(changesKeep = 1_000) {
  return openLevelStore({
    dataDir,
    changesKeep,
    now: Date.now,
    onFailed: () => {},
    onDamaged: (error) => damaged.push(error),
  });
}

/** What lies in LevelDB itself, while no store has it open. */
async function withDatabase<T>(work: (database: Level<string, Buffer>) => Promise<T>): Promise<T> {
  const database = new Level<string, Buffer>(join(dataDir, 'level'), {
    keyEncoding: 'utf8',
    valueEncoding: 'buffer',
  });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

function loggedSequences(): Promise<number[]> {
  return withDatabase(async (database) =>
    (await database.keys({ gte: 'l', lt: 'm' }).all()).map(logKeySequence),
  );
}

describe('the change log', () => {
  test('holds every number, deletions and absent keys too', async () => {
    const store = await open();
    await store.commit([], [put('a'), put('b')]);
    await store.commit([], [{ type: 'delete', key: 'a' }]);
    await store.close();
    expect(await loggedSequences()).toEqual([1, 2, 3]);
  });

  test('is trimmed while writing, and opening finds no hole in what is left', async () => {
    const kilobyte = Buffer.alloc(1_024, 'x');
    for (let opening = 0; opening < 2; opening += 1) {
      const store = await open(100);
      for (let batch = 0; batch < 100; batch += 1) {
        const mutations = Array.from({ length: 200 }, (_, i) => put(`${batch}/${i}`, kilobyte));
        await store.commit([], mutations);
      }
      await store.close();
    }
    const logged = await loggedSequences();
    expect(logged.at(-1)).toBe(40_000);
    // What may still be in LevelDB's own log files stays beside the 100: some 16 MiB at most.
    expect(logged.length).toBeGreaterThanOrEqual(100);
    expect(logged.length).toBeLessThan(24_000);
    const [first = 0] = logged;
    expect(logged).toEqual(Array.from({ length: logged.length }, (_, index) => first + index));
  });
});

describe('lost writes', () => {
  async function writeHundred(): Promise<void> {
    const store = await open();
    for (let i = 1; i <= 100; i += 1) await store.commit([], [put(`k${i}`)]);
    await store.close();
  }

  test.each([
    ['in the middle', 41, 3, '3 acknowledged write(s) of the numbers 41 to 43'],
    ['at the end', 99, 2, '2 acknowledged write(s) of the numbers 99 to 100'],
  ])('a hole %s is noticed at every opening', async (_, from, count, words) => {
    await writeHundred();
    await withDatabase(async (database) => {
      // As LevelDB leaves it after a damaged block: the checkpoint is older, the records are gone.
      await database.put('m:checkpoint', Buffer.from('0 1'));
      for (let n = from; n < from + count; n += 1) {
        await database.del(`l${String(n).padStart(16, '0')}`);
        await database.del(`ek${n}`);
      }
    });
    await expect(open()).rejects.toThrow(words);
    await expect(open()).rejects.toThrow('keystow export --data-dir');

    const warnings: string[] = [];
    const store = await openLevelStoreReadOnly(dataDir, (message) => warnings.push(message));
    const keys: string[] = [];
    for await (const page of store.keys({ prefix: '' })) keys.push(...page);
    expect(keys).toHaveLength(100 - count);
    await expect(store.commit([], [put('x')])).rejects.toMatchObject({ code: 'unavailable' });
    await store.close();
    expect(warnings.join()).toContain(words);
  });

  test('an older or unreadable head file is no loss', async () => {
    await writeHundred();
    const head = join(dataDir, 'head');
    expect(await readFile(head, 'utf8')).toBe('0000000000000100\n');
    for (const text of ['0000000000000007\n', '', 'torn\0']) {
      await writeFile(head, text);
      const store = await open();
      expect(await store.sequence()).toBe(100);
      await store.close();
    }
  });
});

test('a damaged value is an error for its readers, and no check on it holds', async () => {
  const store = await open();
  const version = await store.commit([], [put('a'), put('b')]);
  await store.close();
  await withDatabase(async (database) => {
    const record = (await database.get('ea')) ?? Buffer.alloc(0);
    record.writeUInt8((record.at(-1) ?? 0) ^ 1, record.length - 1);
    await database.put('ea', record);
  });
  const again = await open();
  await expect(again.get('a')).rejects.toBeInstanceOf(DamagedEntry);
  const replaced = again.commit([{ key: 'a', version }], [put('a')]);
  await expect(replaced).rejects.toBeInstanceOf(CommitConflict);
  expect((await again.get('b'))?.version).toBe(2);
  for await (const page of again.range({ prefix: '' }))
    expect(page.map(({ key }) => key)).toEqual(['b']);
  expect(damaged.map(({ message }) => message)).toEqual([expect.stringContaining('"a"')]);
  await again.commit([{ key: 'a', version: 'damaged' }], [put('a')]);
  expect((await again.get('a'))?.version).toBe(3);
  await again.close();
});

test('a store opened to read only makes none where there is none', async () => {
  await expect(openLevelStoreReadOnly(dataDir, () => {})).rejects.toThrow('no Keystow store');
});

function put(key: string, value: Buffer = Buffer.from('value')): KvMutation {
  return { type: 'put', key, value };
}

test('the change log stays bounded over many short runs', async () => {
  for (let run = 0; run < 6; run += 1) {
    const store = await open(10);
    for (let batch = 0; batch < 4; batch += 1) {
      await store.commit(
        [],
        Array.from({ length: 100 }, (_, i) => put(`${i}`)),
      );
    }
    await store.close();
  }
  expect((await loggedSequences()).length).toBeLessThanOrEqual(410);
});

test('damaged values do not count where a range has a limit: there is more behind them', async () => {
  const store = await open();
  await store.commit(
    [],
    ['a', 'b', 'c', 'd', 'e'].map((key) => put(key)),
  );
  await store.close();
  await withDatabase(async (database) => {
    for (const key of ['ea', 'eb', 'ed']) {
      const record = await database.get(key);
      record?.writeUInt8((record.at(-1) ?? 0) ^ 1, record.length - 1);
      await database.put(key, record ?? Buffer.alloc(0));
    }
  });
  const again = await open();
  const read = async (limit: number): Promise<string[]> => {
    const keys: string[] = [];
    for await (const page of again.range({ prefix: '', limit })) {
      keys.push(...page.map(({ key }) => key));
    }
    return keys;
  };
  expect(await read(1)).toEqual(['c']);
  expect(await read(2)).toEqual(['c', 'e']);
  expect(await read(0)).toEqual([]);
  await again.close();
});
