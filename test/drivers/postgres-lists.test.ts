import { describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../server/drivers/postgres/postgres-store.ts';
import type { KvMutation } from '../../server/stores/kv-store.ts';
import { createDatabase } from '../support/database.ts';
import { isLongRun } from '../support/long-runs.ts';

/** Long lists have a connection each, for as long as their reader takes, and a page of it in memory. */

const READERS = 12;
const ENTRIES = 1_500;

function puts(count: number): KvMutation[] {
  return Array.from({ length: count }, (_, i) => ({
    type: 'put',
    key: `k${String(i).padStart(5, '0')}`,
    value: Buffer.from('v'),
  }));
}

describe.runIf(isLongRun)('readers that stop in the middle of long lists', () => {
  it('keep nobody from reading and writing; those that are too many are told so, and get them later', async () => {
    const url = await createDatabase();
    const store = await openPostgresStore({
      url,
      changesKeep: 10_000,
      now: Date.now,
      onIdleError: () => {},
    });
    await store.commit([], puts(ENTRIES));
    const readers = Array.from({ length: READERS }, () =>
      store.keys({ prefix: '' })[Symbol.asyncIterator](),
    );
    const begun = Promise.allSettled(readers.map((reader) => reader.next()));
    expect((await store.get('k00001'))?.value.toString()).toBe('v');
    expect(await store.commit([], [{ type: 'delete', key: 'k00001' }])).toBe(ENTRIES + 1);
    const refusals = (await begun).flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason] : [],
    );
    expect(refusals).toHaveLength(READERS - 5);
    for (const refusal of refusals) expect(refusal.code).toBe('unavailable');
    for (const reader of readers) await reader.return?.();
    const all: string[] = [];
    for await (const page of store.keys({ prefix: '' })) all.push(...page);
    expect(all).toHaveLength(ENTRIES - 1);
    await store.close();
  });

  it('are none of these where the list is short, however many they are', async () => {
    const url = await createDatabase();
    const options = { url, changesKeep: 10_000, now: Date.now, onIdleError: () => {} };
    const store = await openPostgresStore(options);
    await store.commit([], puts(10));
    const readers = Array.from({ length: READERS }, () =>
      store.keys({ prefix: '' })[Symbol.asyncIterator](),
    );
    const begun = await Promise.all(readers.map((reader) => reader.next()));
    for (const { value } of begun) expect(value).toHaveLength(10);
    await store.close();
  });
});

describe.runIf(isLongRun)('pages', () => {
  const MIB = 1_048_576;

  it.each<{ limit?: number }>([{}, { limit: 40 }, { limit: 7 }])(
    'of large values hold a few of them at a time, and all in the end: %j',
    async (some) => {
      const url = await createDatabase();
      const options = { url, changesKeep: 10_000, now: Date.now, onIdleError: () => {} };
      const store = await openPostgresStore(options);
      const sizes = Array.from({ length: 20 }, (_, i) => (i % 5 === 0 ? 10 : MIB / 2));
      for (const [i, size] of sizes.entries()) {
        const key = `k${String(i).padStart(2, '0')}`;
        await store.commit([], [{ type: 'put', key, value: Buffer.alloc(size, i) }]);
      }
      const found: number[] = [];
      for await (const page of store.range({ prefix: 'k', ...some })) {
        const bytes = page.reduce((sum, { value }) => sum + value.length, 0);
        expect(bytes).toBeLessThan(2 * MIB);
        for (const { value } of page) {
          expect(value.equals(Buffer.alloc(value.length, found.length))).toBe(true);
          found.push(value.length);
        }
      }
      expect(found).toEqual(sizes.slice(0, some.limit ?? sizes.length));
      await store.close();
    },
  );
});
