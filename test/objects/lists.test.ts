import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runs } from '../support/long-runs.ts';
import { sendS3 } from '../support/s3-client.ts';
import { AS_ADMIN, pathOf, type S3Server, startS3Server } from '../support/s3-server.ts';
import {
  anyDelimiter,
  anyKey,
  anyMarker,
  anyPrefix,
  byteOrder,
  modelEntries,
} from './list-model.ts';
import { LISTS, type ListedPage, listAll } from './list-pages.ts';

/** S3's lists over HTTP, of keys that tell UTF-8 from UTF-16 and that XML cannot hold. */

const seed = Math.floor(Math.random() * 2 ** 31);
const KEYS = [
  ...new Set([
    ...fc.sample(anyKey, { numRuns: 60, seed }),
    ...['a/1', 'a/2', 'a//1', '/a', '//', 'a/', '\u0001', '\u0001\u0001', 'a\u0001', 'a\u0001b'],
    `${'k'.repeat(1_023)}/`,
    '\u0001'.repeat(1_024),
  ]),
];
/** Some keys have several uploads. */
const UPLOADED = [...KEYS, ...KEYS.slice(0, 10), ...KEYS.slice(0, 5)];

let server: S3Server;
const ids = new Map<string, string[]>();

beforeAll(async () => {
  server = await startS3Server();
  await server.makeBucket('listed');
  await server.makeBucket('uploading');
  const put = (key: string) =>
    sendS3(server.url, {
      method: 'PUT',
      path: pathOf('listed', key),
      headers: AS_ADMIN,
      body: key,
    });
  for (const answer of await Promise.all(KEYS.map(put))) expect(answer.status).toBe(200);
  for (const key of UPLOADED) {
    const path = `${pathOf('uploading', key)}?uploads`;
    const answer = await sendS3(server.url, { method: 'POST', path, headers: AS_ADMIN });
    expect([key, answer.status]).toEqual([key, 200]);
    ids.set(key, [...(ids.get(key) ?? []), answer.xml['UploadId'] ?? ''].sort());
  }
});

afterAll(() => server.stop());

const anyCall = fc.record({
  prefix: anyPrefix,
  delimiter: anyDelimiter,
  after: anyMarker,
  limit: fc.integer({ min: 1, max: 40 }),
});

function entriesOf(pages: readonly ListedPage[]) {
  return pages.flatMap(({ entries }) =>
    [...entries].sort((one, other) => byteOrder(one.name, other.name)),
  );
}

function expectSizes(pages: readonly ListedPage[], limit: number): void {
  for (const { entries, isTruncated } of pages) {
    if (isTruncated) expect(entries).toHaveLength(limit);
    else expect(entries.length).toBeLessThanOrEqual(limit);
  }
  if (pages.length > 1) expect(pages.at(-1)?.entries.length).toBeGreaterThan(0);
}

describe(`any list, page by page, is what there is (seed ${seed})`, () => {
  it.each(LISTS)('%s', async (name) => {
    await fc.assert(
      fc.asyncProperty(anyCall, async (call) => {
        const pages = await listAll(server.url, 'listed', name, call);
        expect(entriesOf(pages)).toEqual(modelEntries(KEYS, call));
        expectSizes(pages, call.limit);
        if (name !== 'ListObjectsV2') return;
        for (const { xml, entries } of pages) expect(xml['KeyCount']).toBe(`${entries.length}`);
      }),
      { numRuns: runs(12, 400) },
    );
  });

  it('ListMultipartUploads, those of one key as they began', async () => {
    await fc.assert(
      fc.asyncProperty(anyCall, async (call) => {
        const pages = await listAll(server.url, 'uploading', 'ListMultipartUploads', call);
        const expected = modelEntries(KEYS, call);
        const times = (key: string): readonly string[] => ids.get(key) ?? [];
        expect(entriesOf(pages)).toEqual(
          expected.flatMap((entry) =>
            entry.isCommonPrefix ? [entry] : times(entry.name).map(() => entry),
          ),
        );
        expect(pages.flatMap((page) => page.ids)).toEqual(
          expected.flatMap(({ name, isCommonPrefix }) => (isCommonPrefix ? [] : times(name))),
        );
        expectSizes(pages, call.limit);
      }),
      { numRuns: runs(12, 400) },
    );
  });
});
