import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rawRequest } from '../support/raw-http.ts';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import {
  ADMIN_KEY,
  AS_ADMIN,
  asBasic,
  md5Hex,
  pathOf,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import { headersV2, headersV4 } from '../support/sign-request.ts';

/** PutObject as clients without an SDK send it, and what its head may say. */

const BUCKET = 'puts';
const KEY = 'k';
const BODY = 'put by hand';

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
  await server.makeBucket(BUCKET);
  await server.makeBucket('open', 'public-read-write');
  await server.makeBucket('shown', 'public-read');
});

beforeEach(async () => {
  await server.admin('DELETE', `/${BUCKET}/${KEY}`);
});

afterAll(() => server.stop());

interface Put {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

function put({ path = `/${BUCKET}/${KEY}`, headers = AS_ADMIN, body = BODY }: Put = {}) {
  return sendS3(server.url, { method: 'PUT', path, headers, body });
}

function as(headers: Readonly<Record<string, string>>, body?: string) {
  return put({ headers: { ...AS_ADMIN, ...headers }, ...(body === undefined ? {} : { body }) });
}

async function expectRefused(answer: S3Answer, status: number, code: string, members = {}) {
  expectS3Error(answer, status, code, members);
  await server.expectAbsent(BUCKET, KEY);
  expect(await server.blobs()).toEqual([]);
}

describe('who may put', () => {
  it('anybody where the ACL says so, and nowhere else', async () => {
    const anonymous = { headers: {} };
    const stored = await put({ ...anonymous, path: '/open/anonymous' });
    expect(stored.status, stored.text).toBe(200);
    expect(stored.headers.get('etag')).toBe(`"${md5Hex(BODY)}"`);
    expect((await server.read('open', 'anonymous')).text).toBe(BODY);
    // What is stored is private unless it is said to be otherwise.
    expect((await sendS3(server.url, { path: '/open/anonymous' })).status).toBe(403);

    expectS3Error(await put({ ...anonymous, path: '/shown/k' }), 403, 'AccessDenied');
    await server.expectAbsent('shown', 'k');
    await expectRefused(await put(anonymous), 403, 'AccessDenied');
    expectS3Error(await put({ ...anonymous, path: '/absent/k' }), 404, 'NoSuchBucket');
  });

  it('anybody, but no copy of what they may not read', async () => {
    expect((await put({ path: `/${BUCKET}/secret` })).status).toBe(200);
    const copied = (source: string, headers: Readonly<Record<string, string>> = {}) =>
      put({ path: '/open/copy', headers: { ...headers, 'x-amz-copy-source': source }, body: '' });
    expectS3Error(await copied(`${BUCKET}/secret`), 403, 'AccessDenied');
    expectS3Error(await copied(`${BUCKET}/absent`), 403, 'AccessDenied');
    await server.expectAbsent('open', 'copy');
    const shared = { ...AS_ADMIN, 'x-amz-acl': 'public-read' };
    expect((await put({ path: `/${BUCKET}/shared`, headers: shared })).status).toBe(200);
    expect((await copied(`${BUCKET}/shared`)).status).toBe(200);
    expect((await server.read('open', 'copy')).text).toBe(BODY);
    // A page of another site copies nothing with what its visitor's browser adds.
    const foreign = { ...AS_ADMIN, origin: 'https://elsewhere.example' };
    expectS3Error(await copied(`${BUCKET}/secret`, foreign), 403, 'AccessDenied');
  });

  it('who has a grant, with Basic credentials', async () => {
    await server.makeMember('writer', [{ prefix: `${BUCKET}/mine/`, access: 'write' }]);
    await server.makeMember('reader', [{ prefix: BUCKET, access: 'read' }]);
    const mine = { path: `/${BUCKET}/mine/a` };
    const stored = await put({ ...mine, headers: asBasic('writer') });
    expect(stored.status, stored.text).toBe(200);
    expect((await server.read(BUCKET, 'mine/a')).text).toBe(BODY);
    await server.admin('DELETE', mine.path);
    await expectRefused(await put({ headers: asBasic('writer') }), 403, 'AccessDenied');
    await expectRefused(await put({ headers: asBasic('reader') }), 403, 'AccessDenied');
    const wrong = await put({ headers: asBasic('writer', 'wrong') });
    await expectRefused(wrong, 401, 'AccessDenied');
    expect(wrong.headers.get('www-authenticate')).toMatch(/^Basic /);
  });

  it('no page of another site with the credentials that the browser adds', async () => {
    const answer = await as({ origin: 'https://elsewhere.example' });
    await expectRefused(answer, 403, 'AccessDenied');
    const cross = await as({ 'sec-fetch-site': 'cross-site' });
    await expectRefused(cross, 403, 'AccessDenied');
  });

  it('whoever signed it, with version 4 or 2', async () => {
    const request = {
      pair: ADMIN_KEY,
      method: 'PUT',
      path: `/${BUCKET}/${KEY}`,
      host: server.host,
    };
    for (const headers of [
      headersV4({ ...request, body: BODY }),
      headersV4({ ...request, payloadHash: 'UNSIGNED-PAYLOAD' }),
      headersV2({ ...request, headers: { 'content-type': 'text/plain' } }),
    ]) {
      const answer = await put({ headers });
      expect(answer.status, answer.text).toBe(200);
      expect((await server.read(BUCKET, KEY)).text).toBe(BODY);
    }
    const acl = headersV2({ ...request, headers: { 'x-amz-acl': 'public-read' } });
    expect((await put({ headers: acl })).status).toBe(200);
    const forged = { ...headersV4({ ...request, body: BODY }), 'x-amz-acl': 'public-read' };
    expectS3Error(await put({ headers: forged }), 403, 'AccessDenied');
  });

  it('whoever signed it for the Host of the bucket', async () => {
    const host = `${BUCKET}.localhost`;
    const request = { pair: ADMIN_KEY, method: 'PUT', path: `/${KEY}`, host };
    for (const headers of [
      headersV4({ ...request, body: BODY }),
      headersV2(request, `/${BUCKET}/${KEY}`),
    ]) {
      const answer = await put({ path: `/${KEY}`, headers });
      expect(answer.status, answer.text).toBe(200);
      expect((await server.read(BUCKET, KEY)).text).toBe(BODY);
    }
  });

  it('whoever expects the right owner', async () => {
    const list = await sendS3(server.url, {
      path: '/',
      headers: headersV4({ pair: ADMIN_KEY, path: '/', host: server.host }),
    });
    const owner = list.xml['ID'] ?? '';
    expect((await as({ 'x-amz-expected-bucket-owner': owner })).status).toBe(200);
    await server.admin('DELETE', `/${BUCKET}/${KEY}`);
    const other = await as({ 'x-amz-expected-bucket-owner': '111122223333' });
    await expectRefused(other, 403, 'AccessDenied');
  });
});

describe('an answer', () => {
  it('tells the ETag and nothing else', async () => {
    const answer = await as({ 'content-type': 'text/plain' });
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers.get('etag')).toBe(`"${md5Hex(BODY)}"`);
    expect(answer.headers.get('content-length')).toBe('0');
    expect(answer.headers.get('content-type')).toBeNull();
    expect(answer.headers.get('x-amz-request-id')).toMatch(/./);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('what is said of an object', () => {
  it('is told again as it was said, in UTF-8', async () => {
    const disposition = 'attachment; filename="ü.txt"';
    const answer = await rawRequest(
      server.url,
      Buffer.from(
        `PUT /${BUCKET}/${KEY} HTTP/1.1\r\nHost: ${server.host}\r\n` +
          `Authorization: ${AS_ADMIN.authorization}\r\nContent-Length: 0\r\n` +
          `Content-Disposition: ${disposition}\r\n` +
          'X-Amz-Meta-Plain: a, b\r\nX-Amz-Meta-Size: größer\r\n\r\n',
      ),
    );
    expect(answer.status, answer.text).toBe(200);
    const found = await server.read(BUCKET, KEY);
    const told = found.headers.get('content-disposition') ?? '';
    expect(Buffer.from(told, 'latin1').toString()).toBe(disposition);
    expect(found.headers.get('x-amz-meta-plain')).toBe('a, b');
    expect(found.headers.get('x-amz-meta-size')).toBe('=?UTF-8?Q?gr=C3=B6=C3=9Fer?=');
    expect(found.headers.get('content-type')).toBe('binary/octet-stream');
  });

  it('in several headers of a name is one value', async () => {
    const answer = await rawRequest(
      server.url,
      `PUT /${BUCKET}/${KEY} HTTP/1.1\r\nHost: ${server.host}\r\n` +
        `Authorization: ${AS_ADMIN.authorization}\r\nContent-Length: 0\r\n` +
        'x-amz-meta-a: 1\r\nX-Amz-Meta-A: 2\r\n\r\n',
    );
    expect(answer.status, answer.text).toBe(200);
    expect((await server.read(BUCKET, KEY)).headers.get('x-amz-meta-a')).toBe('1,2');
  });

  it('has 2 KB of metadata at most', async () => {
    expect((await as({ 'x-amz-meta-a': 'm'.repeat(2_047) })).status).toBe(200);
    await server.admin('DELETE', `/${BUCKET}/${KEY}`);
    const more = await as({ 'x-amz-meta-a': 'm'.repeat(2_048) });
    await expectRefused(more, 400, 'MetadataTooLarge', { Size: '2049', MaxSizeAllowed: '2048' });
  });

  it.each([
    ['x-amz-acl', 'everybody', 400, 'InvalidArgument'],
    ['x-amz-storage-class', 'SHOEBOX', 400, 'InvalidStorageClass'],
    ['x-amz-tagging', 'a=b&a=c', 400, 'InvalidArgument'],
    ['x-amz-tagging', 'a=%zz', 400, 'InvalidArgument'],
    ['x-amz-grant-read', 'id="x"', 501, 'NotImplemented'],
    ['x-amz-grant-full-control', 'id="x"', 501, 'NotImplemented'],
    ['x-amz-object-lock-mode', 'GOVERNANCE', 501, 'NotImplemented'],
    ['x-amz-object-lock-legal-hold', 'ON', 501, 'NotImplemented'],
    ['x-amz-website-redirect-location', '/', 501, 'NotImplemented'],
    ['x-amz-write-offset-bytes', '5', 501, 'NotImplemented'],
    ['x-amz-server-side-encryption', 'aws:kms', 501, 'NotImplemented'],
    ['x-amz-server-side-encryption-customer-algorithm', 'AES256', 501, 'NotImplemented'],
    ['x-amz-server-side-encryption-aws-kms-key-id', 'x', 501, 'NotImplemented'],
    ['if-none-match', '"x"', 501, 'NotImplemented'],
    ['if-match', '"x"', 404, 'NoSuchKey'],
    ['content-md5', 'x', 400, 'InvalidDigest'],
    ['x-amz-checksum-crc32', 'x', 400, 'InvalidRequest'],
    ['x-amz-sdk-checksum-algorithm', 'CRC32', 400, 'InvalidRequest'],
    ['x-amz-sdk-checksum-algorithm', 'MD4', 400, 'InvalidRequest'],
  ])('cannot be %s: %s', async (name, value, status, code) => {
    await expectRefused(await as({ [name]: value }), status, code);
    await expectRefused(await as({ [name]: value }, 'x'.repeat(100_000)), status, code);
  });

  it('has one checksum', async () => {
    const sha = (name: string) => createHash(name).update(BODY).digest('base64');
    const two = { 'x-amz-checksum-sha1': sha('sha1'), 'x-amz-checksum-sha256': sha('sha256') };
    await expectRefused(await as(two), 400, 'InvalidRequest');
    const named = { 'x-amz-checksum-sha1': sha('sha1'), 'x-amz-sdk-checksum-algorithm': 'SHA256' };
    await expectRefused(await as(named), 400, 'InvalidRequest');
  });
});

describe('keys', () => {
  it('have 1,024 bytes at most', async () => {
    for (const key of ['k'.repeat(1_024), 'ü'.repeat(512)]) {
      expect((await put({ path: pathOf(BUCKET, key) })).status).toBe(200);
      expect((await server.read(BUCKET, key)).text).toBe(BODY);
      expectS3Error(await put({ path: pathOf(BUCKET, `${key}k`) }), 400, 'KeyTooLongError');
    }
  });

  it.each(['%00', 'a%00b', '%', '%zz', '%ff'])('are not %s', async (key) => {
    const answer = await put({ path: `/${BUCKET}/${key}` });
    expect(answer.status).toBe(400);
    expectS3Error(answer, 400, answer.xml['Code'] ?? '');
  });

  it('may end with a slash, and are not a folder then', async () => {
    const folder = `/${BUCKET}/folder/`;
    expect((await put({ path: folder, body: '' })).status).toBe(200);
    expect((await put({ path: `${folder}file` })).status).toBe(200);
    expect((await server.read(BUCKET, 'folder/')).text).toBe('');
    await server.expectAbsent(BUCKET, 'folder');
  });
});

describe('parameters', () => {
  it.each(['partNumber=1', 'versionId=null', 'versionId=1', 'partNumber=', 'versionId'])(
    '?%s is not taken for a put of the object',
    async (query) => {
      const answer = await put({ path: `/${BUCKET}/${KEY}?${query}` });
      await expectRefused(answer, 400, 'InvalidArgument');
    },
  );

  it.each(['uploadId=1', 'uploadId=1&partNumber=1', 'uploadId', 'uploadId=&partNumber=1'])(
    '?%s is of an upload that is not there',
    async (query) => {
      const answer = await put({ path: `/${BUCKET}/${KEY}?${query}` });
      expect([400, 404]).toContain(answer.status);
      await expectRefused(answer, answer.status, answer.xml['Code'] ?? '');
    },
  );

  it.each(['torrent', 'retention', 'legal-hold', 'restore', 'select', 'attributes'])(
    '?%s is another operation',
    async (query) => {
      const answer = await put({ path: `/${BUCKET}/${KEY}?${query}` });
      await expectRefused(answer, 501, 'NotImplemented');
    },
  );

  it('that SDKs add for themselves count for nothing', async () => {
    const answer = await put({ path: `/${BUCKET}/${KEY}?x-id=PutObject` });
    expect(answer.status, answer.text).toBe(200);
    // Unsigned, they are no headers either.
    const path = `/${BUCKET}/${KEY}?x-amz-acl=public-read&x-amz-meta-a=b`;
    expect((await put({ path })).status).toBe(200);
    expect((await sendS3(server.url, { path: `/${BUCKET}/${KEY}` })).status).toBe(403);
    expect((await server.read(BUCKET, KEY)).headers.get('x-amz-meta-a')).toBeNull();
  });
});
