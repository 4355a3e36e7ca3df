import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openRaw } from '../support/raw-http.ts';
import { expectS3Error, readMembers, type S3Answer, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, AS_ADMIN, md5Hex, pathOf } from '../support/s3-server.ts';
import { headersV4 } from '../support/sign-request.ts';
import { keyOf, LARGE, type SaveServer, startSaveServer } from './save-server.ts';

/** The numbering of saves holds whichever way they come, and a 400 is a 403 in their bucket. */

const MAX_UPLOAD_BYTES = 200_000;

let server: SaveServer;
let bucket: string;
let made = 0;
/** Those that were there before what is tested. */
let files: string[];

beforeAll(async () => {
  server = await startSaveServer({ MAX_UPLOAD_BYTES: String(MAX_UPLOAD_BYTES) });
  await server.makeBucket('sources');
});

beforeEach(async () => {
  made += 1;
  bucket = `saves-${made}`;
  await server.makeSaves(bucket);
  files = await server.blobs();
});

afterAll(() => server.stop());

type Body = string | Buffer;
type Headers = Readonly<Record<string, string>>;
type Way = (key: string, bytes: Body) => Promise<S3Answer>;

function send(method: string, path: string, body?: Body, headers: Headers = {}) {
  return sendS3(server.url, {
    ...{ method, path, headers: { ...AS_ADMIN, ...headers } },
    ...(body === undefined ? {} : { body }),
  });
}

const put: Way = (key, bytes) => send('PUT', pathOf(bucket, key), bytes);

const copy: Way = async (key, bytes) => {
  made += 1;
  const source = `sources/${made}`;
  expect((await send('PUT', `/${source}`, bytes)).status).toBe(200);
  const answer = await send('PUT', pathOf(bucket, key), undefined, { 'x-amz-copy-source': source });
  expect((await send('DELETE', `/${source}`)).status).toBe(204);
  return answer;
};

/** The answer of the first call that fails, or of the last. */
const multipart: Way = async (key, bytes) => {
  const path = pathOf(bucket, key);
  const created = await send('POST', `${path}?uploads`);
  if (created.status !== 200) return created;
  const upload = `${path}?uploadId=${created.xml['UploadId']}`;
  const part = await send('PUT', `${upload}&partNumber=1`, bytes);
  expect(part.status, part.text).toBe(200);
  const etag = part.headers.get('etag');
  const xml = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
  const completed = await send('POST', upload, xml);
  if (completed.status !== 200) expect((await send('DELETE', upload)).status).toBe(204);
  return completed;
};

const form: Way = (key, bytes) => server.save(bucket, key, bytes);

const ways: Readonly<Record<string, Way>> = { PutObject: put, CopyObject: copy, multipart };
const allWays: Readonly<Record<string, Way>> = { ...ways, form };

async function expectSaved(way: Way, version: number, bytes: Body = `v${version}`): Promise<void> {
  const answer = await way(keyOf(version), bytes);
  expect([200, 204], answer.text).toContain(answer.status);
  const found = await server.read(bucket, keyOf(version));
  expect(found.bytes.equals(Buffer.from(bytes))).toBe(true);
}

async function expectRefused(way: Way, key: string, bytes: Body = 'refused'): Promise<void> {
  const before = await server.read(bucket, key);
  files = await server.blobs();
  expectS3Error(await way(key, bytes), 403, 'AccessDenied');
  const after = await server.read(bucket, key);
  expect([after.status, after.headers.get('etag')]).toEqual([
    before.status,
    before.headers.get('etag'),
  ]);
  await expectNoNewFiles();
}

async function expectNoNewFiles(): Promise<void> {
  const newFiles = async () => (await server.blobs()).filter((name) => !files.includes(name));
  await expect.poll(newFiles).toEqual([]);
}

describe.each(Object.entries(ways))('by %s', (_name, way) => {
  it('the first sets the start, each later one is the next', async () => {
    await expectSaved(way, 7);
    await expectSaved(way, 8);
    for (const wrong of [6, 7, 10, 99_999]) await expectRefused(way, keyOf(wrong));
    await expectSaved(way, 9);
    expect(await server.versions(bucket)).toEqual([7, 8, 9]);
  });

  it('no other shape of a key, and no version past the last', async () => {
    for (const key of ['notes.txt', `${keyOf(1)}0`, keyOf(1).replace('/ds/', '/x/')]) {
      await expectRefused(way, key);
    }
    await expectSaved(way, 99_999);
    await expectRefused(way, `${keyOf(0).slice(0, -5)}100000`);
  });

  it('the latest again with the same bytes is the same success', async () => {
    for (const [version, bytes] of [
      [1, 'small'],
      [2, Buffer.alloc(LARGE, 'l')],
    ] as const) {
      await expectSaved(way, version, bytes);
      const { headers } = await server.read(bucket, keyOf(version));
      await expectSaved(way, version, bytes);
      const again = await server.read(bucket, keyOf(version));
      expect(again.headers.get('etag')).toBe(headers.get('etag'));
      await expectRefused(way, keyOf(version), 'other bytes');
    }
    expect(await server.versions(bucket)).toEqual([1, 2]);
  });

  it('deleting lowers nothing', async () => {
    await expectSaved(way, 1);
    await expectSaved(way, 2);
    expect((await send('DELETE', pathOf(bucket, keyOf(2)))).status).toBe(204);
    await expectRefused(way, keyOf(1), 'v1 again');
    await expectRefused(way, keyOf(2));
    await expectSaved(way, 3);
  });

  it('of many at once one is stored', async () => {
    await expectSaved(way, 1);
    const bodies = ['a', 'b', 'c', 'd', 'e', 'f'];
    const answers = await Promise.all(bodies.map((body) => way(keyOf(2), body)));
    const stored = answers.filter(({ status }) => status === 200);
    expect(stored).toHaveLength(1);
    for (const answer of answers)
      if (answer.status !== 200) expectS3Error(answer, 403, 'AccessDenied');
    const found = await server.read(bucket, keyOf(2));
    expect(bodies[answers.findIndex(({ status }) => status === 200)]).toBe(found.text);
  });
});

it.each(
  Object.keys(allWays).flatMap((first) => Object.keys(allWays).map((again) => [first, again])),
)('the latest by %s is the same success again by %s', async (first = '', again = '') => {
  const [one, other] = [allWays[first], allWays[again]];
  if (!one || !other) throw new Error('There is no such way.');
  const large = Buffer.alloc(LARGE, 'same');
  await expectSaved(one, 1, large);
  const { headers } = await server.read(bucket, keyOf(1));
  await expectSaved(other, 1, large);
  expect((await server.read(bucket, keyOf(1))).headers.get('etag')).toBe(headers.get('etag'));
  const changed = Buffer.concat([large.subarray(0, -1), Buffer.from('!')]);
  await expectRefused(other, keyOf(1), changed);
  await expectSaved(other, 2, changed);
});

it('a move within a bucket of saves is a version of its own', async () => {
  await expectSaved(put, 1);
  const copied = (from: number, to: number) =>
    send('PUT', pathOf(bucket, keyOf(to)), undefined, {
      'x-amz-copy-source': `${bucket}/${keyOf(from)}`,
    });
  expect((await copied(1, 2)).status).toBe(200);
  expectS3Error(await copied(1, 4), 403, 'AccessDenied');
  expect((await copied(1, 2)).status).toBe(200);
  expect(await server.versions(bucket)).toEqual([1, 2]);
});

describe('a 400 of a PUT is a 403 with the same code', () => {
  const none = Buffer.alloc(16).toString('base64');

  it.each([
    ['another MD5', 'BadDigest', { 'content-md5': none }],
    ['a broken MD5', 'InvalidDigest', { 'content-md5': 'x' }],
    ['another checksum', 'BadDigest', { 'x-amz-checksum-crc32': 'AAAAAA==' }],
    ['a broken checksum', 'InvalidRequest', { 'x-amz-checksum-crc32': 'x' }],
    ['an unknown ACL', 'InvalidArgument', { 'x-amz-acl': 'everybody' }],
    ['an unknown storage class', 'InvalidStorageClass', { 'x-amz-storage-class': 'SHOEBOX' }],
    ['broken tags', 'InvalidArgument', { 'x-amz-tagging': 'a=b&a=c' }],
    ['too much metadata', 'MetadataTooLarge', { 'x-amz-meta-a': 'm'.repeat(2_100) }],
    ['another hash', 'XAmzContentSHA256Mismatch', { 'x-amz-content-sha256': '0'.repeat(64) }],
    ['a broken copy source', 'InvalidArgument', { 'x-amz-copy-source': 'x' }],
    [
      'signed chunks without a signature',
      'InvalidRequest',
      { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' },
    ],
  ])('with %s', async (_name, code, headers) => {
    const key = keyOf(1);
    const answer = await send('PUT', pathOf(bucket, key), 'bytes', headers);
    expectS3Error(answer, 403, code);
    await server.expectAbsent(bucket, key);
    await expectNoNewFiles();
  });

  it('with a body that is too large, or a stream that is broken', async () => {
    const path = pathOf(bucket, keyOf(1));
    expectS3Error(
      await send('PUT', path, Buffer.alloc(MAX_UPLOAD_BYTES + 1)),
      403,
      'EntityTooLarge',
    );
    const request = { pair: ADMIN_KEY, method: 'PUT', path, host: server.host };
    const headers = headersV4({
      ...{ ...request, payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
      headers: { 'x-amz-decoded-content-length': '5' },
    });
    const broken = await sendS3(server.url, { method: 'PUT', path, headers, body: 'no chunks' });
    expectS3Error(broken, 403, 'IncompleteBody');
    const hash = createHash('sha256').update('other').digest('hex');
    const signed = headersV4({ ...request, payloadHash: hash });
    const other = await sendS3(server.url, { method: 'PUT', path, headers: signed, body: 'x' });
    expectS3Error(other, 403, 'XAmzContentSHA256Mismatch');
    await server.expectAbsent(bucket, keyOf(1));
    await expectNoNewFiles();
  });

  it('with parameters that a PUT does not have', async () => {
    const path = pathOf(bucket, keyOf(1));
    for (const query of ['partNumber=1', 'versionId=1']) {
      expectS3Error(await send('PUT', `${path}?${query}`, 'x'), 403, 'InvalidArgument');
    }
    expectS3Error(
      await send('PUT', pathOf(bucket, 'k'.repeat(1_025)), 'x'),
      403,
      'KeyTooLongError',
    );
  });

  it('of a multipart upload too', async () => {
    const path = pathOf(bucket, keyOf(1));
    const created = await send('POST', `${path}?uploads`);
    const upload = `${path}?uploadId=${created.xml['UploadId']}`;
    expectS3Error(await send('PUT', `${upload}&partNumber=0`, 'x'), 403, 'InvalidArgument');
    expectS3Error(await send('POST', upload, 'no XML'), 403, 'MalformedXML');
    const wrong = { 'content-md5': none };
    expectS3Error(await send('PUT', `${upload}&partNumber=1`, 'x', wrong), 403, 'BadDigest');
    expect((await send('DELETE', upload)).status).toBe(204);
  });

  it('and is no other status', async () => {
    const path = pathOf(bucket, keyOf(1));
    const noLength = await openRaw(server.url);
    noLength.send(
      `PUT ${path} HTTP/1.1\r\nHost: ${server.host}\r\nAuthorization: ${AS_ADMIN.authorization}\r\n\r\n`,
    );
    const answer = await noLength.answer();
    noLength.destroy();
    expect([answer.status, readMembers(answer.text)['Code']]).toEqual([
      411,
      'MissingContentLength',
    ]);
    const grants = await send('PUT', path, 'x', { 'x-amz-grant-read': 'id=x' });
    expectS3Error(grants, 501, 'NotImplemented');
    await expectSaved(put, 1);
    const condition = await send('PUT', pathOf(bucket, keyOf(2)), 'x', { 'if-match': md5Hex('y') });
    expectS3Error(condition, 404, 'NoSuchKey');
  });
});
