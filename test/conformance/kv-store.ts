import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ChangesGone,
  CommitConflict,
  type KvMutation,
  type KvRange,
  type KvStore,
  MAX_COMMIT_MUTATIONS,
  MAX_STORE_KEY_BYTES,
} from '../../server/stores/kv-store.ts';
import { KeystowError } from '../../shared/errors.ts';

/** What a driver gives the suite: a store of its own for each test, which can be opened again. */
export interface KvStoreFixture {
  open(): Promise<KvStore>;
  /** Removes what the store kept. */
  remove(): Promise<void>;
}

/** The contract of KvStore: every driver runs it. */
export function testKvStore(name: string, createFixture: () => Promise<KvStoreFixture>): void {
  describe(`KvStore: ${name}`, () => {
    let fixture: KvStoreFixture;
    let store: KvStore;

    beforeEach(async () => {
      fixture = await createFixture();
      store = await fixture.open();
    });

    afterEach(async () => {
      await store.close();
      await fixture.remove();
    });

    async function reopen(): Promise<void> {
      await store.close();
      store = await fixture.open();
    }

    describe('the change log', () => {
      test('has every write once, in order, with its number, what was done and when', async () => {
        const before = Date.now();
        await store.commit([], [put('a'), put('b')]);
        await store.commit([], [{ type: 'delete', key: 'a' }, put('\u{10000}/é')]);
        const changes = await store.changes(0, 10);
        expect(changes.map(({ sequence, type, key }) => [sequence, type, key])).toEqual([
          [1, 'put', 'a'],
          [2, 'put', 'b'],
          [3, 'delete', 'a'],
          [4, 'put', '\u{10000}/é'],
        ]);
        for (const { at } of changes) {
          expect(at).toBeGreaterThanOrEqual(before);
          expect(at).toBeLessThanOrEqual(Date.now());
        }
        expect((await store.changes(1, 2)).map(({ sequence }) => sequence)).toEqual([2, 3]);
        expect(await store.changes(4, 10)).toEqual([]);
        expect(await store.oldestChange()).toBe(0);
      });

      test('is there after it was opened again', async () => {
        await store.commit([], [put('a'), put('b')]);
        await reopen();
        await store.commit([], [put('c')]);
        expect((await store.changes(0, 10)).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
      });

      test('a refused commit leaves nothing in it', async () => {
        await store.commit([], [put('a')]);
        await expect(store.commit([{ key: 'a', version: null }], [put('a')])).rejects.toThrow();
        expect(await store.changes(1, 10)).toEqual([]);
      });

      test('refuses a number that was never given', async () => {
        await store.commit([], [put('a')]);
        await expect(store.changes(2, 10)).rejects.toMatchObject({
          name: 'ChangesGone',
          oldest: 0,
        });
      });

      // What every fixture is opened with.
      const KEPT = 1_000;

      async function putMany(count: number): Promise<void> {
        await store.commit(
          [],
          Array.from({ length: count }, (_, i) => put(`many/${i}`)),
        );
      }

      test('keeps the last entries, and says from where on it can be read', async () => {
        await putMany(1_500);
        // LevelDB keeps what its log files have, until it is opened.
        await reopen();
        await putMany(600);
        await putMany(100);
        const oldest = 2_200 - KEPT;
        expect(await store.oldestChange()).toBe(oldest);
        for (const gone of [0, oldest - 1, 2_201]) {
          const reading = store.changes(gone, 10);
          await expect(reading).rejects.toBeInstanceOf(ChangesGone);
          await expect(reading).rejects.toMatchObject({ oldest });
        }
        const kept = await store.changes(oldest, 5_000);
        expect(kept.map(({ sequence }) => sequence)).toEqual(
          Array.from({ length: KEPT }, (_, i) => oldest + 1 + i),
        );
        expect(await store.changes(2_200, 1)).toEqual([]);
        await reopen();
        expect(await store.oldestChange()).toBe(oldest);
        expect(await store.changes(oldest, 5_000)).toEqual(kept);
      });

      test('has a whole page, or says that it is gone, while it is trimmed', async () => {
        await putMany(1_500);
        await reopen();
        let isOver = false;
        const trimming = (async () => {
          for (let i = 0; i < 40; i += 1) await putMany(30);
          isOver = true;
        })();
        while (!isOver) {
          const after = await store.oldestChange();
          try {
            const page = await store.changes(after, 50);
            expect(page.map(({ sequence }) => sequence)).toEqual(
              Array.from({ length: 50 }, (_, i) => after + 1 + i),
            );
          } catch (error) {
            if (!(error instanceof ChangesGone)) throw error;
            // What it leads to is ahead: otherwise a client would go round in circles.
            expect(error.oldest).toBeGreaterThan(after);
          }
        }
        await trimming;
      });

      test('has every one of many concurrent commits once, in order', async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 300 }, async (_, i) => ({
            key: `key/${i}`,
            first: await store.commit([], [put(`key/${i}`), { type: 'delete', key: `other/${i}` }]),
          })),
        );
        const expected = outcomes
          .sort((a, b) => a.first - b.first)
          .flatMap(({ key, first }) => [
            [first, 'put', key],
            [first + 1, 'delete', key.replace('key', 'other')],
          ]);
        const changes = await store.changes(0, 1_000);
        expect(changes.map(({ sequence, type, key }) => [sequence, type, key])).toEqual(expected);
      });

      test('a reader that goes on where it was has every entry while others write', async () => {
        let cursor = 0;
        const seen: number[] = [];
        let isOver = false;
        const writing = Promise.all(
          Array.from({ length: 10 }, async (_, lane) => {
            for (let i = 0; i < 20; i += 1) await store.commit([], [put(`${lane}/${i}`)]);
          }),
        ).then(() => {
          isOver = true;
        });
        for (let isLast = false; !isLast; ) {
          isLast = isOver;
          const page = await store.changes(cursor, 7);
          // At the head nothing is read: others have to get their turn.
          await new Promise(setImmediate);
          seen.push(...page.map(({ sequence }) => sequence));
          cursor = page.at(-1)?.sequence ?? cursor;
          if (page.length > 0) isLast = false;
        }
        await writing;
        expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
      });

      test('tells of commits that it has, and no more once nobody listens', async () => {
        const heads: number[] = [];
        let seen = 0;
        const end = store.onCommit(() => {
          void store.changes(seen, 100).then((changes) => {
            seen = changes.at(-1)?.sequence ?? seen;
            heads.push(seen);
          });
        });
        await Promise.all(['a', 'b', 'c'].map((key) => store.commit([], [put(key)])));
        await expect.poll(() => seen).toBe(3);
        end();
        const calls = heads.length;
        await store.commit([], [put('d')]);
        expect(await store.sequence()).toBe(4);
        expect(heads.length).toBe(calls);
      });
    });

    describe('commit', () => {
      test('numbers every mutation from 1 on, consecutively', async () => {
        expect(await store.sequence()).toBe(0);
        expect(await store.commit([], [put('a')])).toBe(1);
        expect(await store.commit([], [put('b'), put('c'), { type: 'delete', key: 'a' }])).toBe(2);
        expect(await store.sequence()).toBe(4);
        expect(await store.commit([], [put('d')])).toBe(5);
        expect((await store.get('c'))?.version).toBe(3);
      });

      test('goes on with its numbers after it was opened again', async () => {
        await store.commit([], [put('a'), put('b')]);
        await reopen();
        expect(await store.sequence()).toBe(2);
        expect(await store.commit([], [put('c')])).toBe(3);
      });

      test('keeps values byte for byte over a reopening, the empty one too', async () => {
        const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
        await store.commit([], [put('bytes', bytes), put('empty', Buffer.alloc(0))]);
        await reopen();
        expect((await store.get('bytes'))?.value.equals(bytes)).toBe(true);
        expect((await store.get('empty'))?.value.length).toBe(0);
      });

      test('keeps a value of 16 MiB', async () => {
        const value = Buffer.alloc(16 * 1_048_576, 'large ');
        await store.commit([], [put('large', value)]);
        expect((await store.get('large'))?.value.equals(value)).toBe(true);
      });

      test('writes where the checked version and absence still hold', async () => {
        const version = await store.commit([{ key: 'a', version: null }], [put('a')]);
        const checks = [
          { key: 'a', version },
          { key: 'b', version: null },
        ];
        await store.commit(checks, [put('b')]);
        expect(await store.get('b')).toBeDefined();
      });

      test.each([
        ['another version', 'a', 7],
        ['absence where there is an entry', 'a', null],
        ['a version where there is none', 'b', 1],
      ])('refuses %s, writes nothing and takes no number', async (_, key, version) => {
        await store.commit([], [put('a')]);
        const refused = store.commit([{ key, version }], [put('c'), put('d')]);
        await expect(refused).rejects.toBeInstanceOf(CommitConflict);
        await expect(refused).rejects.toMatchObject({ key });
        expect(await store.get('c')).toBeUndefined();
        expect(await store.sequence()).toBe(1);
        expect(await store.commit([], [put('e')])).toBe(2);
      });

      test('names the first check that failed', async () => {
        const checks = [
          { key: 'a', version: null },
          { key: 'b', version: 1 },
          { key: 'c', version: 1 },
        ];
        await expect(store.commit(checks, [put('d')])).rejects.toMatchObject({ key: 'b' });
      });

      test('lets a check see what was called before it and is not yet answered', async () => {
        const outcomes = await Promise.allSettled([
          store.commit([{ key: 'a', version: null }], [put('a')]),
          store.commit([{ key: 'a', version: 1 }], [{ type: 'delete', key: 'a' }]),
          store.commit([{ key: 'a', version: 1 }], [put('a')]),
          store.commit([{ key: 'a', version: null }], [put('a', Buffer.from('last'))]),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual([
          'fulfilled',
          'fulfilled',
          'rejected',
          'fulfilled',
        ]);
        expect(await store.get('a')).toMatchObject({ version: 3 });
        expect((await store.get('a'))?.value.toString()).toBe('last');
      });

      test('lets exactly one of 200 creates of a key win', async () => {
        const creates = Array.from({ length: 200 }, (_, index) =>
          store.commit([{ key: 'one', version: null }], [put('one', Buffer.from(String(index)))]),
        );
        const outcomes = await Promise.allSettled(creates);
        const winners = outcomes.flatMap(({ status }, index) =>
          status === 'fulfilled' ? [index] : [],
        );
        expect(winners).toHaveLength(1);
        expect((await store.get('one'))?.value.toString()).toBe(String(winners[0]));
        expect(await store.sequence()).toBe(1);
      });

      test('gives concurrent commits distinct numbers without a gap', async () => {
        const commits = Array.from({ length: 3_000 }, (_, index) =>
          store.commit([], [put(`k${index}`), put(`l${index}`)]),
        );
        const firsts = (await Promise.all(commits)).sort((a, b) => a - b);
        expect(firsts).toEqual(Array.from({ length: 3_000 }, (_, index) => 2 * index + 1));
      });

      test('gives a key that was deleted and made again a new version', async () => {
        await store.commit([], [put('a')]);
        await store.commit([], [{ type: 'delete', key: 'a' }]);
        expect(await store.get('a')).toBeUndefined();
        await store.commit([], [put('a')]);
        expect((await store.get('a'))?.version).toBe(3);
      });

      test('deletes an absent key and takes a number for it', async () => {
        expect(await store.commit([], [{ type: 'delete', key: 'none' }])).toBe(1);
        expect(await store.sequence()).toBe(1);
      });

      test('is refused after closing, and what was called before is on disk', async () => {
        const before = store.commit([], [put('a')]);
        await store.close();
        await expect(before).resolves.toBe(1);
        await expect(store.commit([], [put('b')])).rejects.toMatchObject({ code: 'unavailable' });
        await expect(store.commit([], [put('b')])).rejects.toBeInstanceOf(KeystowError);
        store = await fixture.open();
        expect(await store.get('a')).toBeDefined();
        expect(await store.get('b')).toBeUndefined();
      });

      test.each<[string, KvMutation[]]>([
        ['no mutation', []],
        [
          'too many mutations',
          Array.from({ length: MAX_COMMIT_MUTATIONS + 1 }, (_, i) => put(`${i}`)),
        ],
        ['a key twice', [put('a'), put('a')]],
        ['an empty key', [put('')]],
        ['a key with NUL', [put('a\0b')]],
        ['a lone surrogate', [put('a\ud800')]],
        ['a key that is too long', [put('é'.repeat(MAX_STORE_KEY_BYTES / 2 + 1))]],
      ])('throws a TypeError for %s', async (_, mutations) => {
        await expect((async () => store.commit([], mutations))()).rejects.toBeInstanceOf(TypeError);
        expect(await store.sequence()).toBe(0);
      });
    });

    describe('range', () => {
      // Byte order of UTF-8, which is not the order of UTF-16: U+FFFD before U+10000.
      const keys = [
        'a',
        'a!',
        'a/',
        'a/b',
        'aa',
        'b',
        'é',
        '\ud7ff',
        '\ue000',
        '\ufffd',
        '\u{10000}',
        '\u{10ffff}',
        '\u{10ffff}\u{10ffff}z',
      ];

      beforeEach(async () => {
        await store.commit(
          [],
          [...keys].reverse().map((key) => put(key, Buffer.from(key))),
        );
      });

      test('goes in byte order of UTF-8 and gives values and versions', async () => {
        const entries = await all(store, { prefix: '' });
        expect(entries.map(({ key }) => key)).toEqual(keys);
        expect(entries.map(({ value }) => value.toString())).toEqual(keys);
        expect(entries.map(({ version }) => version)).toEqual(keys.map((_, i) => keys.length - i));
        expect(await allKeys(store, { prefix: '' })).toEqual(keys);
      });

      test.each<[KvRange, string[]]>([
        [{ prefix: 'a' }, ['a', 'a!', 'a/', 'a/b', 'aa']],
        [{ prefix: 'a/' }, ['a/', 'a/b']],
        [{ prefix: 'a', after: 'a!' }, ['a/', 'a/b', 'aa']],
        [{ prefix: 'a', after: 'a0' }, ['aa']],
        [{ prefix: 'a/', after: 'Z' }, ['a/', 'a/b']],
        [{ prefix: 'a/', after: 'b' }, []],
        [{ prefix: 'a', limit: 2 }, ['a', 'a!']],
        [{ prefix: 'a', after: 'a', limit: 1 }, ['a!']],
        [{ prefix: '\u{10ffff}' }, ['\u{10ffff}', '\u{10ffff}\u{10ffff}z']],
        [{ prefix: '\ud7ff' }, ['\ud7ff']],
        [{ prefix: '', after: '\ufffd', limit: 1 }, ['\u{10000}']],
        [{ prefix: 'none' }, []],
      ])('%j', async (range, expected) => {
        expect((await all(store, range)).map(({ key }) => key)).toEqual(expected);
        expect(await allKeys(store, range)).toEqual(expected);
      });

      test('sees one state, whatever is written meanwhile', async () => {
        await store.commit(
          [],
          Array.from({ length: 2_000 }, (_, index) =>
            put(`many/${String(index).padStart(4, '0')}`),
          ),
        );
        const seen: string[] = [];
        for await (const page of store.keys({ prefix: 'many/' })) {
          if (seen.length === 0) {
            await store.commit([], [put('many/9999'), { type: 'delete', key: 'many/1999' }]);
          }
          seen.push(...page);
        }
        expect(seen).toHaveLength(2_000);
        expect(seen.at(-1)).toBe('many/1999');
      });

      test('can be left early, and the store still closes', async () => {
        for await (const page of store.range({ prefix: '', limit: 3 })) {
          expect(page.length).toBeGreaterThan(0);
          break;
        }
        await reopen();
        expect(await allKeys(store, { prefix: 'b' })).toEqual(['b']);
      });
    });

    describe('a snapshot', () => {
      test('has everything up to its number, and nothing after, whatever is being written', async () => {
        const KEYS = 40;
        let isStopped = false;
        let acknowledged = 0;
        const lanes = Array.from({ length: 8 }, async (_, lane) => {
          for (let round = 0; !isStopped; round += 1) {
            const key = `lane${lane}/${round % KEYS}`;
            const mutation: KvMutation = round % 3 === 2 ? { type: 'delete', key } : put(key);
            const first = await store.commit([], [mutation, put(`twin${lane}`)]);
            acknowledged = Math.max(acknowledged, first + 1);
          }
        });
        const taken: { sequence: number; versions: Map<string, number> }[] = [];
        for (let count = 0; count < 5; count += 1) {
          const before = acknowledged + 20;
          while (acknowledged < before) await new Promise(setImmediate);
          const asked = acknowledged;
          const snapshot = await store.snapshot();
          expect(snapshot.sequence).toBeGreaterThanOrEqual(asked);
          while (acknowledged < snapshot.sequence + 20) await new Promise(setImmediate);
          const versions = new Map<string, number>();
          for await (const page of snapshot.entries()) {
            for (const { key, version } of page) versions.set(key, version);
          }
          await snapshot.close();
          taken.push({ sequence: snapshot.sequence, versions });
        }
        isStopped = true;
        await Promise.all(lanes);
        for (const { sequence, versions } of taken) {
          const expected = new Map<string, number>();
          for (let after = 0; after < sequence; ) {
            for (const change of await store.changes(after, Math.min(1_000, sequence - after))) {
              after = change.sequence;
              if (change.type === 'put') expected.set(change.key, after);
              else expected.delete(change.key);
            }
          }
          expect(versions).toEqual(expected);
        }
      });

      test('gives entries in byte order with their values, over many pages', async () => {
        const value = randomBytes(700);
        for (let at = 0; at < 3_000; at += 1_000) {
          const keys = Array.from({ length: 1_000 }, (_, index) => `k${at + index}`);
          await store.commit(
            [],
            keys.map((key) => put(key, value)),
          );
        }
        const snapshot = await store.snapshot();
        const seen: string[] = [];
        for await (const page of snapshot.entries()) {
          for (const entry of page) if (entry.value.equals(value)) seen.push(entry.key);
        }
        await snapshot.close();
        expect(seen).toHaveLength(3_000);
        expect(seen).toEqual([...seen].sort());
      });

      test('can be closed before it was read, or in the middle', async () => {
        await store.commit([], [put('a')]);
        await (await store.snapshot()).close();
        const snapshot = await store.snapshot();
        for await (const page of snapshot.entries()) if (page.length > 0) break;
        await snapshot.close();
        await reopen();
        const again = await store.snapshot();
        expect(again.sequence).toBe(1);
        await again.close();
      });
    });

    test('agrees with a sorted map over any commits', async () => {
      const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }).filter(isStoreKey);
      const mutation = fc.oneof(
        fc.record({
          type: fc.constant('put' as const),
          key,
          value: fc.uint8Array({ maxLength: 20 }),
        }),
        fc.record({ type: fc.constant('delete' as const), key }),
      );
      const commit = fc.uniqueArray(mutation, {
        selector: (m) => m.key,
        minLength: 1,
        maxLength: 6,
      });
      const model = new Map<string, { value: Buffer; version: number }>();
      let head = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(commit, { minLength: 1, maxLength: 8 }), async (commits) => {
          const written = commits.map((mutations) =>
            store.commit(
              [],
              mutations.map((m) => (m.type === 'put' ? put(m.key, Buffer.from(m.value)) : m)),
            ),
          );
          for (const m of commits.flat()) {
            head += 1;
            if (m.type === 'put') model.set(m.key, { value: Buffer.from(m.value), version: head });
            else model.delete(m.key);
          }
          await Promise.all(written);
          const expected = [...model]
            .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
            .map(([name, entry]) => [name, entry.value.toString('hex'), entry.version]);
          const found = (await all(store, { prefix: '' })).map((entry) => [
            entry.key,
            entry.value.toString('hex'),
            entry.version,
          ]);
          expect(found).toEqual(expected);
        }),
        { numRuns: 50 },
      );
    });
  });
}

function put(key: string, value: Buffer = Buffer.from('value')): KvMutation {
  return { type: 'put', key, value };
}

function isStoreKey(key: string): boolean {
  return key.isWellFormed() && !key.includes('\0');
}

async function all(store: KvStore, range: KvRange) {
  const entries = [];
  for await (const page of store.range(range)) entries.push(...page);
  return entries;
}

async function allKeys(store: KvStore, range: KvRange): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of store.keys(range)) keys.push(...page);
  return keys;
}
