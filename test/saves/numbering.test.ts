import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectS3Error, type S3Answer } from '../support/s3-client.ts';
import { AS_ADMIN, pathOf } from '../support/s3-server.ts';
import { keyOf, LARGE, PREFIX, type SaveServer, SLOT, startSaveServer } from './save-server.ts';

/** Which versions a slot takes, and which it refuses. */

let server: SaveServer;
let bucket: string;
let made = 0;

beforeAll(async () => {
  server = await startSaveServer();
});

beforeEach(async () => {
  made += 1;
  bucket = `saves-${made}`;
  await server.makeSaves(bucket);
});

afterAll(() => server.stop());

const save = (version: number, file: string | Buffer = `v${version}`): Promise<S3Answer> =>
  server.save(bucket, keyOf(version), file);

async function expectSaved(version: number, file: string | Buffer = `v${version}`): Promise<void> {
  const answer = await save(version, file);
  expect(answer.status, answer.text).toBe(204);
  expect(answer.text).toBe('');
  const found = await server.read(bucket, keyOf(version));
  expect(found.status).toBe(200);
  expect(found.bytes.equals(Buffer.from(file))).toBe(true);
}

/** Refused, and nothing was stored: neither an object nor a file. */
async function expectRefused(key: string, file: string | Buffer = 'refused'): Promise<void> {
  const before = (await server.blobs()).sort();
  const stored = await server.read(bucket, key);
  expectS3Error(await server.save(bucket, key, file), 403, 'AccessDenied');
  expect((await server.blobs()).sort()).toEqual(before);
  const found = await server.read(bucket, key);
  expect([found.status, found.headers.get('etag')]).toEqual([
    stored.status,
    stored.headers.get('etag'),
  ]);
}

async function remove(version: number): Promise<void> {
  const path = pathOf(bucket, keyOf(version));
  expect((await server.admin('DELETE', path)).status).toBe(204);
}

describe('the first', () => {
  it.each([0, 1, 7, 500, 99_999])('sets the start: %i', async (version) => {
    await expectSaved(version);
  });

  it('sets it for its slot alone', async () => {
    await expectSaved(7);
    for (const other of [{ slot: '12345678902' }, { n: 2 }, { prefix: '11' }, { prefix: 'a/b' }]) {
      expect((await server.save(bucket, keyOf(3, other), 'x')).status).toBe(204);
      await expectRefused(keyOf(8, other));
    }
    await expectSaved(8);
  });
});

describe.each([
  ['small', 'refused'],
  ['large', Buffer.alloc(LARGE, 'r')],
])('after it, a %s file', (_size, file) => {
  it('is stored as the latest version plus one', async () => {
    await expectSaved(7);
    await expectSaved(8, file);
    await expectSaved(9, file);
    expect(await server.versions(bucket)).toEqual([7, 8, 9]);
  });

  it.each([0, 1, 5, 6, 9, 10, 99_999])('is refused as version %i after 7', async (version) => {
    await expectSaved(7);
    await expectRefused(keyOf(version), file);
    await expectSaved(8);
  });

  it('is refused as an older version, stored or not', async () => {
    for (const version of [3, 4, 5]) await expectSaved(version);
    await remove(3);
    await expectRefused(keyOf(3), file);
    await expectRefused(keyOf(4), file);
    await expectRefused(keyOf(4), 'v4');
    await expectSaved(6);
  });

  it('is refused past 99999', async () => {
    await expectSaved(99_998);
    await expectSaved(99_999);
    await expectRefused(keyOf(100_000), file);
    await expectRefused(keyOf(0), file);
    await expectRefused(keyOf(1), file);
    expect((await save(99_999)).status).toBe(204);
  });

  it('is refused under a key of another shape', async () => {
    for (const key of otherShapes) await expectRefused(key, file);
    await server.expectEmptyBucket(bucket);
  });
});

const otherShapes = [
  'k',
  PREFIX,
  `${PREFIX}/ds/1/data/`,
  `${PREFIX}/ds/1/data/${SLOT}`,
  `${PREFIX}/ds/1/data/${SLOT}-`,
  `${PREFIX}/ds/1/data/${SLOT}-7`,
  `${PREFIX}/ds/1/data/${SLOT}-0007`,
  `${PREFIX}/ds/1/data/${SLOT}-000007`,
  `${PREFIX}/ds/1/data/${SLOT}-00007 `,
  `${PREFIX}/ds/1/data/${SLOT}-00007/`,
  `${PREFIX}/ds/1/data/${SLOT}-00007\n`,
  `${PREFIX}/ds/1/data/${SLOT}_00007`,
  `${PREFIX}/ds/1/data/${SLOT}-0000a`,
  `${PREFIX}/ds/1/data/${SLOT}--0007`,
  `${PREFIX}/ds/1/data/${SLOT}-٠٠٠٠٧`,
  `${PREFIX}/ds/1/data/1234567890-00007`,
  `${PREFIX}/ds/1/data/123456789012-00007`,
  `${PREFIX}/ds/1/data/+2345678901-00007`,
  `${PREFIX}/ds/1/data/x/${SLOT}-00007`,
  `${PREFIX}/ds/1/DATA/${SLOT}-00007`,
  `${PREFIX}/ds/01/data/${SLOT}-00007`,
  `${PREFIX}/ds/-1/data/${SLOT}-00007`,
  `${PREFIX}/ds/x/data/${SLOT}-00007`,
  `${PREFIX}/ds//data/${SLOT}-00007`,
  `${PREFIX}/ds/1/${SLOT}-00007`,
  `/ds/1/data/${SLOT}-00007`,
  `ds/1/data/${SLOT}-00007`,
];

describe('the latest again', () => {
  it.each([
    ['small', 'bytes', 'other'],
    ['empty', '', 'x'],
    ['large', Buffer.alloc(LARGE, 'a'), Buffer.alloc(LARGE, 'b')],
    ['large and small', Buffer.alloc(LARGE, 'a'), 'other'],
    ['small and large', 'bytes', Buffer.alloc(LARGE, 'b')],
    ['of one beginning', 'bytes', 'bytes and more'],
  ])(
    'is the same success with the same bytes, refused with others: %s',
    async (_n, file, other) => {
      await expectSaved(6);
      const first = await save(7, file);
      const before = await server.read(bucket, keyOf(7));
      const files = await server.blobs();
      for (let times = 0; times < 3; times += 1) {
        const again = await save(7, file);
        expect([again.status, again.text]).toEqual([204, '']);
        expect(stableHeaders(again)).toEqual(stableHeaders(first));
      }
      await expectRefused(keyOf(7), other);
      const after = await server.read(bucket, keyOf(7));
      expect(after.bytes.equals(Buffer.from(file))).toBe(true);
      expect(stableHeaders(after)).toEqual(stableHeaders(before));
      expect(await server.blobs()).toEqual(files);
      expect(await server.versions(bucket)).toEqual([6, 7]);
      await expectSaved(8);
      await expectRefused(keyOf(7), file);
    },
  );

  it('answers as its form asks, every time', async () => {
    const form = { bucket, fields: { key: keyOf(1), success_action_status: '201' } };
    const first = await server.uploadSigned(form, { file: 'x' });
    const again = await server.uploadSigned(form, { file: 'x' });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.text).toBe(first.text);
    expect(again.xml).toMatchObject({ Bucket: bucket, Key: keyOf(1) });
  });

  it('at once, many times: all succeed, with one file', async () => {
    const files = (await server.blobs()).length;
    const file = Buffer.alloc(LARGE, 'x');
    const all = await Promise.all(Array.from({ length: 8 }, () => save(1, file)));
    expect(all.map(({ status }) => status)).toEqual(Array(8).fill(204));
    expect(new Set(all.map(({ headers }) => headers.get('etag'))).size).toBe(1);
    expect(await server.versions(bucket)).toEqual([1]);
    expect(await server.blobs()).toHaveLength(files + 1);
  });

  it('still needs a form that is valid', async () => {
    await expectSaved(1);
    const fields = { key: keyOf(1) };
    const expired = new Date(Date.now() - 60_000).toISOString();
    for (const form of [{ expiration: expired }, { more: [['content-length-range', 9, 9]] }]) {
      const answer = await server.uploadSigned({ bucket, fields, ...form }, { file: 'v1' });
      expect(answer.status, answer.text).toBe(403);
    }
  });
});

/** All but what is the request's own. */
function stableHeaders({ headers }: S3Answer): Record<string, string> {
  const own = ['date', 'x-request-id', 'x-amz-request-id', 'x-amz-id-2'];
  return Object.fromEntries([...headers].filter(([name]) => !own.includes(name)));
}

it('two at once of one version: exactly one is stored', async () => {
  for (const [version, size] of [
    [1, 10],
    [2, LARGE],
    [3, 10],
  ] as const) {
    const files = Array.from({ length: 6 }, (_, at) => Buffer.alloc(size, `${at}`));
    const all = await Promise.all(files.map((file) => save(version, file)));
    const won = all.flatMap(({ status }, at) => (status === 204 ? [at] : []));
    expect(won).toHaveLength(1);
    for (const answer of all) {
      if (answer.status !== 204) expectS3Error(answer, 403, 'AccessDenied');
    }
    const stored = await server.read(bucket, keyOf(version));
    expect(stored.bytes.equals(files[won[0] ?? 0] ?? Buffer.alloc(0))).toBe(true);
  }
  for (const version of [1, 2, 3]) await remove(version);
  await server.expectEmptyBucket(bucket);
});

describe('deleting', () => {
  it('never lowers the counter', async () => {
    for (const version of [1, 2, 3]) await expectSaved(version);
    await remove(3);
    await expectRefused(keyOf(3), 'other');
    await expectRefused(keyOf(2));
    await expectSaved(4);
    for (const version of [1, 2, 4]) await remove(version);
    await expectRefused(keyOf(1));
    await expectSaved(5);
  });

  it('a version that is not there changes nothing', async () => {
    await expectSaved(1);
    await remove(2);
    await expectSaved(2);
  });

  it('the bucket and making it again starts anew', async () => {
    for (const version of [4, 5]) await expectSaved(version);
    for (const version of [4, 5]) await remove(version);
    await server.expectEmptyBucket(bucket);
    await server.makeSaves(bucket);
    expect((await server.admin('GET', `/api/saves/${bucket}`)).json).toEqual([]);
    await expectSaved(2);
    await expectRefused(keyOf(6));
    await expectSaved(3);
  });
});

it('forms are for the version that the counter says', async () => {
  await expectSaved(41);
  await remove(41);
  const { json } = await server.admin('POST', `/api/saves/${bucket}/${SLOT}`, {});
  expect(json).toMatchObject({ version: 42 });
});

describe('a bucket without saves', () => {
  it('takes any key, any version, any time', async () => {
    await server.makeSaves(bucket, { saves: false });
    for (const key of ['k', keyOf(9), keyOf(3), keyOf(3), keyOf(100_000)]) {
      const answer = await server.save(bucket, key, key.repeat(2));
      expect(answer.status, answer.text).toBe(204);
    }
    const policy = { bucket, fields: { key: 'k' }, more: [['content-length-range', 9, 9]] };
    expectS3Error(await server.uploadSigned(policy, { file: 'x' }), 400, 'EntityTooSmall');
  });

  it('can become one with saves: what was there stays', async () => {
    await server.makeSaves(bucket, { saves: false });
    for (const key of ['k', keyOf(9), keyOf(7)]) await server.save(bucket, key, key);
    await server.makeSaves(bucket);
    for (const key of ['k', keyOf(9), keyOf(7)]) {
      expect((await server.read(bucket, key)).text).toBe(key);
    }
    await expectRefused('k');
    await expectSaved(3);
    await expectSaved(4);
    await expectRefused(keyOf(9));
  });

  it('keeps the counters for when it has saves again', async () => {
    await expectSaved(5);
    await server.makeSaves(bucket, { saves: false });
    expect((await server.save(bucket, keyOf(50), 'x')).status).toBe(204);
    await server.makeSaves(bucket);
    await expectRefused(keyOf(51));
    await expectSaved(6);
  });
});

it('a key is taken literally: a reader finds it under its path', async () => {
  const key = keyOf(1, { prefix: 'a b/ü/ds/1/data/+%41' });
  expect((await server.save(bucket, key, 'x')).status).toBe(204);
  expect((await server.read(bucket, key)).text).toBe('x');
  const { json } = await server.admin('GET', '/api/buckets', undefined, AS_ADMIN);
  expect(json).toContainEqual(expect.objectContaining({ name: bucket, saves: true }));
});
