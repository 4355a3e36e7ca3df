import { rm } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLevelStore } from '../../server/drivers/level/level-store.ts';
import type { KvMutation, KvRange, KvStore } from '../../server/stores/kv-store.ts';
import { runs } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';

/** Pages of keys are kept in memory: they must stay what a read would give. */

let dataDir: string;

beforeEach(async () => {
  dataDir = await makeFolder();
});

afterEach(() => rm(dataDir, { recursive: true }));

function open(): Promise<KvStore> {
  return openLevelStore({
    dataDir,
    changesKeep: 1_000,
    now: Date.now,
    onFailed: () => {},
    onDamaged: () => {},
  });
}

const keys = ['a', 'a/1', 'a/2', 'a/é', 'a/\u{10000}', 'a/\uffff', 'b', 'b/1', 'ba'];
const key = fc.constantFrom(...keys);
const mutation: fc.Arbitrary<KvMutation> = fc.oneof(
  key.map((name): KvMutation => ({ type: 'put', key: name, value: Buffer.from('{}') })),
  key.map((name): KvMutation => ({ type: 'delete', key: name })),
);
const range: fc.Arbitrary<KvRange> = fc.record(
  {
    prefix: fc.constantFrom('', 'a', 'a/', 'b', 'c'),
    limit: fc.integer({ min: 1, max: 4 }),
    after: key,
  },
  { requiredKeys: ['prefix', 'limit'] },
);
const ranges: KvRange[] = ['', 'a', 'a/', 'b'].map((prefix) => ({ prefix, limit: 3 }));
/** Commits that run together, and pages that are read while they do. */
const step = fc.record({
  commits: fc.array(mutation, { maxLength: 3 }),
  reads: fc.array(range, { maxLength: 3 }),
});

async function page(store: KvStore, wanted: KvRange): Promise<string[]> {
  const found: string[] = [];
  for await (const some of store.keys(wanted)) found.push(...some);
  return found;
}

function expected(present: ReadonlySet<string>, { prefix, after, limit }: KvRange): string[] {
  const bytes = (text: string) => Buffer.from(text);
  return [...present]
    .filter((name) => name.startsWith(prefix))
    .filter((name) => after === undefined || Buffer.compare(bytes(name), bytes(after)) > 0)
    .sort((a, b) => Buffer.compare(bytes(a), bytes(b)))
    .slice(0, limit);
}

test('whatever is written while pages are read, the next page shows it', async () => {
  const store = await open();
  const present = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      for (const { commits, reads } of steps) {
        const writing = commits.map((change) => store.commit([], [change]));
        const reading = reads.map((wanted) => page(store, wanted));
        await Promise.all([...writing, ...reading]);
        for (const { type, key: name } of commits) {
          if (type === 'put') present.add(name);
          else present.delete(name);
        }
        for (const wanted of [...ranges, ...reads]) {
          expect(await page(store, wanted)).toEqual(expected(present, wanted));
        }
      }
    }),
    { numRuns: runs(100, 2_000) },
  );
  await store.close();
});

test('a page that its reader changes is not changed for the next one', async () => {
  const store = await open();
  await store.commit([], [{ type: 'put', key: 'a', value: Buffer.from('{}') }]);
  for await (const some of store.keys({ prefix: '', limit: 10 })) some.length = 0;
  expect(await page(store, { prefix: '', limit: 10 })).toEqual(['a']);
  await store.close();
});
