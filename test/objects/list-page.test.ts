import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ListQuery, listPage, type Page } from '../../server/services/list-page.ts';
import { runs } from '../support/long-runs.ts';
import {
  anyDelimiter,
  anyKey,
  anyKeys,
  anyMarker,
  anyPrefix,
  byteOrder,
  type Entry,
  modelEntries,
  readerOf,
} from './list-model.ts';

/** Pages of a list: compared with a plain model, and what is read for them. */

async function allPages(
  keys: Iterable<string>,
  query: ListQuery,
): Promise<readonly Page<string>[]> {
  const { read } = readerOf(keys);
  const pages: Page<string>[] = [];
  let { after } = query;
  do {
    const page = await listPage({ ...query, after }, read);
    pages.push(page);
    after = page.next;
  } while (after !== undefined);
  return pages;
}

function entriesOf({ items, commonPrefixes }: Page<string>): Entry[] {
  return [
    ...items.map((name) => ({ name, isCommonPrefix: false })),
    ...commonPrefixes.map((name) => ({ name, isCommonPrefix: true })),
  ].sort((one, other) => byteOrder(one.name, other.name));
}

const visible = fc
  .array(fc.oneof(anyPrefix, anyKey), { minLength: 1, maxLength: 4 })
  .map((prefixes) =>
    [...new Set(prefixes)]
      .sort(byteOrder)
      .filter((one, _at, all) => !all.some((other) => other !== one && one.startsWith(other))),
  );

describe('all pages put together', () => {
  it('are what there is: each once, in byte order, and no page is larger than asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyKeys,
        anyPrefix,
        anyDelimiter,
        anyMarker,
        fc.integer({ min: 1, max: 7 }),
        async (keys, prefix, delimiter, after, limit) => {
          const query = { prefix, within: [prefix], delimiter, after, limit };
          const pages = await allPages(keys, query);
          expect(pages.flatMap(entriesOf)).toEqual(modelEntries(keys, query));
          // Only the last one may be shorter, and none promises more where there is nothing.
          for (const page of pages.slice(0, -1)) expect(entriesOf(page)).toHaveLength(limit);
          const last = pages.at(-1);
          expect(last && entriesOf(last).length).toBeLessThanOrEqual(limit);
          if (pages.length > 1) expect(last && entriesOf(last).length).toBeGreaterThan(0);
        },
      ),
      { numRuns: runs(300, 40_000) },
    );
  });

  it('are what may be seen where that is only some of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyKeys,
        visible,
        anyPrefix,
        anyDelimiter,
        anyMarker,
        fc.integer({ min: 1, max: 7 }),
        async (keys, grants, prefix, delimiter, after, limit) => {
          const within = grants
            .filter((grant) => grant.startsWith(prefix) || prefix.startsWith(grant))
            .map((grant) => (grant.length > prefix.length ? grant : prefix));
          const query = { prefix, within, delimiter, after, limit };
          const pages = await allPages(keys, query);
          expect(pages.flatMap(entriesOf)).toEqual(modelEntries(keys, query));
        },
      ),
      { numRuns: runs(300, 50_000) },
    );
  });

  it('end, where a common prefix is as long as a key can be', async () => {
    const longest = `${'k'.repeat(1_023)}/`;
    const query = { prefix: '', within: [''], delimiter: '/', limit: 1 };
    const pages = await allPages([longest, 'l', 'm'], query);
    expect(pages.flatMap(entriesOf).map(({ name }) => name)).toEqual([longest, 'l', 'm']);
  });
});

describe('reads little more than the page shows', () => {
  const FOLDERS = 50;
  const names = Array.from(
    { length: 10_000 },
    (_, n) => `folder-${String(n % FOLDERS).padStart(2, '0')}/${String(n).padStart(5, '0')}`,
  );

  it('of 10,000 keys under 50 common prefixes', async () => {
    const reader = readerOf(names);
    const page = await listPage(
      { prefix: '', within: [''], delimiter: '/', limit: 1_000 },
      reader.read,
    );
    expect([page.commonPrefixes.length, page.items.length, page.next]).toEqual([50, 0, undefined]);
    expect(reader.count).toBeLessThan(2 * FOLDERS);
    expect(reader.calls).toBeLessThan(2 * FOLDERS);
  });

  it('of a page without a delimiter', async () => {
    const reader = readerOf(names);
    const query = { prefix: '', within: [''], limit: 100, after: 'folder-25/' };
    const { items, next } = await listPage(query, reader.read);
    expect([items.length, next]).toEqual([100, items.at(-1)]);
    expect([reader.count, reader.calls]).toEqual([101, 1]);
  });

  it('of one folder among many', async () => {
    const reader = readerOf(names);
    const query = { prefix: 'folder-07/', within: ['folder-07/'], delimiter: '/', limit: 1_000 };
    expect((await listPage(query, reader.read)).items).toHaveLength(200);
    expect(reader.count).toBe(200);
    expect(reader.calls).toBeLessThan(6);
  });

  it('of a page of nothing', async () => {
    const reader = readerOf(names);
    const page = await listPage({ prefix: '', within: [''], limit: 0 }, reader.read);
    expect([page, reader.calls]).toEqual([{ items: [], commonPrefixes: [] }, 0]);
  });
});
