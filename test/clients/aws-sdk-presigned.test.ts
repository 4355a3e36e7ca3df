import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRest } from '../support/rest.ts';
import { readMembers } from '../support/s3-client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { signV2 } from '../support/sign-form.ts';
import { presignV2 } from '../support/sign-request.ts';
import { BUCKET, keys } from './s3-server.ts';
import { codeOf, createSdkClient, readText } from './sdk-client.ts';

/** URLs that the AWS SDK signs, used by who has nothing but the URL. */

const TEXT = 'by whoever has the URL';
const Key = 'a b/ü+1.txt';
const object = { Bucket: BUCKET, Key };

let server: TestServer;
let s3: S3Client;
let clock = 0;

beforeAll(async () => {
  server = await startServer({
    env: { ACCESS_KEY_ID: keys.accessKeyId, SECRET_ACCESS_KEY: keys.secretAccessKey },
    now: () => Date.now() + clock,
  });
  await createRest(server.url)('PUT', `/api/buckets/${BUCKET}`, {});
  s3 = createSdkClient(server.url);
});

beforeEach(async () => {
  clock = 0;
  await s3.send(new PutObjectCommand({ ...object, Body: TEXT, ContentType: 'text/plain' }));
});

afterAll(async () => {
  s3.destroy();
  await server.stop();
});

function presignPut(input: Partial<PutObjectCommandInput> = {}, options = {}): Promise<string> {
  return getSignedUrl(s3, new PutObjectCommand({ ...object, ...input }), options);
}

function send(url: string, method: string, body?: string, headers = {}): Promise<Response> {
  return fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
}

async function expectRefused(answer: Response, code: string, status = 403): Promise<void> {
  const text = await answer.text();
  expect([answer.status, readMembers(text)['Code']], text).toEqual([status, code]);
}

function head(key = Key) {
  return s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key, ChecksumMode: 'ENABLED' }));
}

describe('a URL of version 4', () => {
  it('reads, for this method and object alone', async () => {
    const url = await getSignedUrl(s3, new GetObjectCommand(object));
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([200, TEXT]);
    const part = await send(url, 'GET', undefined, { range: 'bytes=0-1' });
    expect([part.status, await part.text()]).toEqual([206, 'by']);
    await expectRefused(await send(url, 'DELETE'), 'SignatureDoesNotMatch');
    await expectRefused(await send(url, 'PUT', 'x'), 'SignatureDoesNotMatch');
    await expectRefused(await fetch(url.replace('1.txt', '2.txt')), 'SignatureDoesNotMatch');
    expect((await send(url, 'HEAD')).status).toBe(403);
    expect(await readText(s3, Key)).toBe(TEXT);
  });

  it('reads with other headers for the answer', async () => {
    const command = new GetObjectCommand({
      ...object,
      ResponseContentType: 'application/json',
      ResponseContentDisposition: 'attachment; filename="ü b.json"',
    });
    const url = await getSignedUrl(s3, command);
    const answer = await fetch(url);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename=/);
    await expectRefused(await fetch(`${url}&response-expires=0`), 'SignatureDoesNotMatch');
  });

  it('asks, and deletes', async () => {
    const answer = await send(await getSignedUrl(s3, new HeadObjectCommand(object)), 'HEAD');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(TEXT)));
    const url = await getSignedUrl(s3, new DeleteObjectCommand(object));
    expect((await send(url, 'DELETE')).status).toBe(204);
    expect(await codeOf(head())).toEqual(['NotFound', 404]);
  });

  it('puts, whatever the bytes are', async () => {
    // The SDK signs a checksum of no bytes into it, which S3 ignores.
    const url = await presignPut();
    expect(url).toContain('x-amz-checksum-crc32=AAAAAA%3D%3D');
    for (const body of ['first', 'second', '']) {
      const answer = await send(url, 'PUT', body);
      expect(answer.status, await answer.text()).toBe(200);
      expect(answer.headers.get('etag')).toBe(`"${createHash('md5').update(body).digest('hex')}"`);
      expect(await readText(s3, Key)).toBe(body);
    }
    await expectRefused(await fetch(url), 'SignatureDoesNotMatch');
  });

  it('says what is said of the object', async () => {
    const url = await presignPut({
      ACL: 'public-read',
      Metadata: { level: '7', owner: 'a & b' },
      Tagging: 'a=b&c=%C3%BC',
      StorageClass: 'STANDARD_IA',
    });
    for (const name of ['x-amz-acl', 'x-amz-meta-level', 'x-amz-tagging']) {
      expect(url).toContain(`${name}=`);
    }
    const answer = await send(url, 'PUT', 'said');
    expect(answer.status, await answer.text()).toBe(200);
    expect(await head()).toMatchObject({
      Metadata: { level: '7', owner: 'a & b' },
      StorageClass: 'STANDARD_IA',
    });
    const { TagSet } = await s3.send(new GetObjectTaggingCommand(object));
    expect(TagSet).toEqual([
      { Key: 'a', Value: 'b' },
      { Key: 'c', Value: 'ü' },
    ]);
    const { Grants = [] } = await s3.send(new GetObjectAclCommand(object));
    expect(Grants.map(({ Permission }) => Permission)).toContain('READ');
    expect(
      (await fetch(url.replace('public-read', 'private'), { method: 'PUT', body: 'x' })).status,
    ).toBe(403);
  });

  it('cannot be given more than was signed', async () => {
    const url = await presignPut();
    for (const headers of [
      { 'x-amz-acl': 'public-read' },
      { 'x-amz-meta-a': 'b' },
      { 'x-amz-tagging': 'a=b' },
      { 'x-amz-copy-source': `${BUCKET}/other` },
      { 'x-amz-storage-class': 'GLACIER' },
    ]) {
      await expectRefused(await send(url, 'PUT', 'x', headers), 'AccessDenied');
    }
    for (const more of ['x-amz-acl=public-read', 'x-amz-copy-source=a%2Fb', 'uploadId=1', 'acl']) {
      await expectRefused(await send(`${url}&${more}`, 'PUT', 'x'), 'SignatureDoesNotMatch');
    }
    expect(await readText(s3, Key)).toBe(TEXT);
    // What browsers add is no promise of the signer's.
    const typed = await send(url, 'PUT', 'typed', { 'content-type': 'image/png' });
    expect(typed.status).toBe(200);
    expect((await head()).ContentType).toBe('image/png');
  });

  it('enforces the headers that were signed', async () => {
    const signableHeaders = new Set(['content-type']);
    const url = await presignPut({ ContentType: 'image/png' }, { signableHeaders });
    const other = await send(url, 'PUT', 'x', { 'content-type': 'text/html' });
    await expectRefused(other, 'SignatureDoesNotMatch');
    const right = await send(url, 'PUT', 'x', { 'content-type': 'image/png' });
    expect(right.status, await right.text()).toBe(200);
  });

  it('verifies a checksum that was signed as a header', async () => {
    const checksum = createHash('sha256').update('right').digest('base64');
    const unhoistableHeaders = new Set(['x-amz-checksum-sha256']);
    const url = await presignPut({ ChecksumSHA256: checksum }, { unhoistableHeaders });
    const headers = { 'x-amz-checksum-sha256': checksum };
    await expectRefused(await send(url, 'PUT', 'wrong', headers), 'BadDigest', 400);
    expect(await readText(s3, Key)).toBe(TEXT);
    const right = await send(url, 'PUT', 'right', headers);
    expect(right.status, await right.text()).toBe(200);
    expect(right.headers.get('x-amz-checksum-sha256')).toBe(checksum);
    expect((await head()).ChecksumSHA256).toBe(checksum);
  });

  it('puts only where nothing is, if that was signed', async () => {
    const unhoistableHeaders = new Set(['if-none-match']);
    const signableHeaders = new Set(['if-none-match']);
    const url = await presignPut({ IfNoneMatch: '*' }, { unhoistableHeaders, signableHeaders });
    const headers = { 'if-none-match': '*' };
    await expectRefused(await send(url, 'PUT', 'x', headers), 'PreconditionFailed', 412);
    await expectRefused(await send(url, 'PUT', 'x'), 'SignatureDoesNotMatch');
    expect(await readText(s3, Key)).toBe(TEXT);
  });

  it('relies on whose bucket it is', async () => {
    const url = await presignPut({ ExpectedBucketOwner: '111122223333' });
    await expectRefused(await send(url, 'PUT', 'x'), 'AccessDenied');
    expect(await readText(s3, Key)).toBe(TEXT);
  });

  it('copies, if that was signed', async () => {
    const source = `${BUCKET}/${Key.split('/').map(encodeURIComponent).join('/')}`;
    const headers = { 'x-amz-copy-source': source };
    const command = new CopyObjectCommand({ Bucket: BUCKET, Key: 'copied', CopySource: source });
    for (const options of [{}, { unhoistableHeaders: new Set(['x-amz-copy-source']) }]) {
      const url = await getSignedUrl(s3, command, options);
      const isHoisted = url.includes('x-amz-copy-source=');
      const answer = await send(url, 'PUT', undefined, isHoisted ? {} : headers);
      expect(answer.status, await answer.text()).toBe(200);
      expect(await readText(s3, 'copied')).toBe(TEXT);
    }
  });

  it('expires, for uploads too', async () => {
    const get = await getSignedUrl(s3, new GetObjectCommand(object), { expiresIn: 60 });
    const put = await presignPut({}, { expiresIn: 60 });
    clock = 55_000;
    expect((await fetch(get)).status).toBe(200);
    expect((await send(put, 'PUT', 'in time')).status).toBe(200);
    clock = 62_000;
    for (const answer of [await fetch(get), await send(put, 'PUT', 'too late')]) {
      const text = await answer.text();
      expect(answer.status).toBe(403);
      expect(readMembers(text)).toMatchObject({
        Code: 'AccessDenied',
        Message: 'Request has expired',
        Expires: expect.stringMatching(/Z$/),
      });
    }
    clock = 0;
    expect(await readText(s3, Key)).toBe('in time');
  });

  it('counts from a clock that is a little off, not from another day', async () => {
    const signingDate = new Date(Date.now() + 5 * 60_000);
    const ahead = await getSignedUrl(s3, new GetObjectCommand(object), { signingDate });
    expect((await fetch(ahead)).status).toBe(200);
    const tomorrow = new Date(Date.now() + 24 * 3_600_000);
    const early = await getSignedUrl(s3, new GetObjectCommand(object), { signingDate: tomorrow });
    await expectRefused(await fetch(early), 'AccessDenied');
  });

  it('dies with its key', async () => {
    const rest = createRest(server.url);
    const made = await rest('POST', '/api/access-keys', {});
    const pair = made.json as { accessKeyId: string; secretAccessKey: string };
    const client = createSdkClient(server.url, { credentials: pair });
    const url = await getSignedUrl(client, new PutObjectCommand(object));
    client.destroy();
    expect((await send(url, 'PUT', 'alive')).status).toBe(200);
    await rest('DELETE', `/api/access-keys/${pair.accessKeyId}`);
    await expectRefused(await send(url, 'PUT', 'dead'), 'InvalidAccessKeyId');
    expect(await readText(s3, Key)).toBe('alive');
  });
});

describe('a URL of version 2', () => {
  const path = `/${BUCKET}/${Key.split('/').map(encodeURIComponent).join('/')}`;

  const expires = String(Math.floor(Date.now() / 1_000) + 60);

  function presign(method: string): string {
    const host = new URL(server.url).host;
    return `${server.url}${presignV2({ pair: keys, method, path, host })}`;
  }

  it('reads, asks, puts and deletes', async () => {
    const read = await fetch(presign('GET'));
    expect([read.status, await read.text()]).toEqual([200, TEXT]);
    expect((await send(presign('HEAD'), 'HEAD')).status).toBe(200);
    // A body of bytes has no type of its own, which the signature would cover.
    const body = Buffer.from('version 2');
    const put = await fetch(presign('PUT'), { method: 'PUT', body });
    expect(put.status, await put.text()).toBe(200);
    expect(await readText(s3, Key)).toBe('version 2');
    expect((await send(presign('DELETE'), 'DELETE')).status).toBe(204);
    expect(await codeOf(head())).toEqual(['NotFound', 404]);
  });

  it('covers the method and the headers of S3', async () => {
    await expectRefused(await send(presign('GET'), 'DELETE'), 'SignatureDoesNotMatch');
    const headers = { 'x-amz-acl': 'public-read' };
    const put = await fetch(presign('PUT'), { method: 'PUT', body: Buffer.from('x'), headers });
    await expectRefused(put, 'SignatureDoesNotMatch');
    expect(await readText(s3, Key)).toBe(TEXT);
  });

  it('covers what is said of the object in its parameters', async () => {
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'secret', Body: 'secret' }));
    for (const more of [
      'x-amz-acl=public-read',
      'x-amz-meta-a=b',
      `x-amz-copy-source=${BUCKET}%2Fsecret`,
    ]) {
      const url = `${presign('PUT')}&${more}`;
      await expectRefused(await fetch(url, { method: 'PUT' }), 'SignatureDoesNotMatch');
    }

    const host = new URL(server.url).host;
    const signed = signV2(
      keys.secretAccessKey,
      `PUT\n\n\n${expires}\nx-amz-acl:private\nx-amz-meta-a:b\n${path}`,
    );
    const query = new URLSearchParams({
      AWSAccessKeyId: keys.accessKeyId,
      Expires: expires,
      Signature: signed,
    });
    const url = `http://${host}${path}?x-amz-acl=private&x-amz-meta-a=b&${query}`;
    const put = await fetch(url, { method: 'PUT', body: Buffer.from('version 2') });
    expect(put.status, await put.text()).toBe(200);
    expect((await head()).Metadata).toEqual({ a: 'b' });
    // What was signed cannot be replaced, neither by a header nor by a second parameter.
    const open = { 'x-amz-acl': 'public-read' };
    for (const [other, headers] of [
      [url, open],
      [url.replace('?', '?x-amz-acl=public-read&'), {}],
      [url.replace('?', '?X-Amz-Acl=public-read&'), {}],
      [`${url}&x-amz-acl=public-read`, {}],
    ] as const) {
      const answer = await fetch(other, { method: 'PUT', headers, body: Buffer.from('x') });
      await expectRefused(answer, 'SignatureDoesNotMatch');
    }
    expect((await fetch(`${server.url}${path}`)).status).toBe(403);
    expect(await readText(s3, Key)).toBe('version 2');
  });

  it('expires', async () => {
    const [get, put] = [presign('GET'), presign('PUT')];
    clock = 62_000;
    for (const answer of [
      await fetch(get),
      await fetch(put, { method: 'PUT', body: Buffer.from('x') }),
    ]) {
      await expectRefused(answer, 'AccessDenied');
    }
    clock = 0;
    expect(await readText(s3, Key)).toBe(TEXT);
  });
});
