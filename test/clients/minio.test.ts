import { text } from 'node:stream/consumers';
import { Client, S3Error } from 'minio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from '../support/server.ts';
import { BUCKET, keys, startS3Server } from './s3-server.ts';

/** MinIO's client, an S3 client that is not Amazon's, against a real listener. */

const TEXT = 'saved by MinIO';

let server: TestServer;

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => server.stop());

/** Without a region it asks the server for that of the bucket (GetBucketLocation). */
function createClient(options: { region?: string; secretKey?: string } = {}): Client {
  const { hostname, port } = new URL(server.url);
  return new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey: keys.accessKeyId,
    secretKey: keys.secretAccessKey,
    ...options,
  });
}

async function post(minio: Client, key: string, type = 'text/plain'): Promise<Response> {
  const policy = minio.newPostPolicy();
  policy.setBucket(BUCKET);
  policy.setKey(key);
  policy.setExpires(new Date(Date.now() + 3_600_000));
  policy.setContentType(type);
  policy.setContentDisposition('inline');
  policy.setContentLengthRange(1, 1_000);
  policy.setUserMetaData({ level: '7' });
  const { postURL, formData } = await minio.presignedPostPolicy(policy);
  const form = new FormData();
  for (const [name, value] of Object.entries(formData)) form.append(name, String(value));
  form.append('file', new Blob([TEXT]), 'slot.txt');
  return fetch(postURL, { method: 'POST', body: form });
}

describe.each([
  { says: 'a region', options: { region: 'us-east-1' } },
  { says: 'no region', options: {} },
])('a client that was told $says', ({ options }) => {
  let minio: Client;
  beforeAll(() => {
    minio = createClient(options);
  });

  it('signs a form that is accepted', async () => {
    const answer = await post(minio, 'forms/slot.txt');
    expect(answer.status, await answer.text()).toBe(204);
    const stat = await minio.statObject(BUCKET, 'forms/slot.txt');
    expect(stat).toMatchObject({ size: TEXT.length, metaData: { level: '7' } });
    expect(stat.metaData).toMatchObject({ 'content-type': 'text/plain' });
    expect(stat.etag).toBe(answer.headers.get('etag')?.replaceAll('"', ''));
    expect(stat.lastModified).toBeInstanceOf(Date);
  });

  it('reads, looks and removes', async () => {
    const key = 'späße/ä+b c.txt';
    expect((await post(minio, key)).status).toBe(204);
    expect(await text(await minio.getObject(BUCKET, key))).toBe(TEXT);
    expect(await text(await minio.getPartialObject(BUCKET, key, 6, 2))).toBe(TEXT.slice(6, 8));
    await minio.removeObject(BUCKET, key);
    await minio.removeObject(BUCKET, key);
    await expect(minio.getObject(BUCKET, key)).rejects.toMatchObject({ code: 'NoSuchKey' });
    await expect(minio.statObject(BUCKET, key)).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('signs links', async () => {
    await post(minio, 'linked.txt');
    const link = await minio.presignedGetObject(BUCKET, 'linked.txt', 60, {
      'response-content-type': 'application/json',
    });
    const answer = await fetch(link);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.text()).toBe(TEXT);
    const forged = await fetch(link.replace('linked.txt', 'linked.tx'));
    expect(forged.status).toBe(403);
    expect(await forged.text()).toContain('<Code>SignatureDoesNotMatch</Code>');

    const removal = await minio.presignedUrl('DELETE', BUCKET, 'linked.txt', 60);
    expect((await fetch(removal, { method: 'DELETE' })).status).toBe(204);
    expect((await fetch(link)).status).toBe(404);
  });

  it('makes, finds, lists and removes buckets', async () => {
    expect(await minio.bucketExists('made-by-minio')).toBe(false);
    await minio.makeBucket('made-by-minio');
    expect(await minio.bucketExists('made-by-minio')).toBe(true);
    const again = minio.makeBucket('made-by-minio');
    await expect(again).rejects.toMatchObject({ code: 'BucketAlreadyOwnedByYou' });
    const listed = await minio.listBuckets();
    expect(listed.map(({ name }) => name)).toContain('made-by-minio');
    for (const { creationDate } of listed) expect(creationDate).toBeInstanceOf(Date);
    await minio.removeBucket('made-by-minio');
    expect(await minio.bucketExists('made-by-minio')).toBe(false);
  });

  it('makes a bucket in a region', async () => {
    await minio.makeBucket('made-far-away', options.region ?? 'eu-central-1');
    expect(await minio.bucketExists('made-far-away')).toBe(true);
    await minio.removeBucket('made-far-away');
  });
});

it('is refused with a wrong secret', async () => {
  const stranger = createClient({ region: 'us-east-1', secretKey: 'not the secret' });
  expect((await post(stranger, 'forged')).status).toBe(403);
  const listed = stranger.listBuckets();
  await expect(listed).rejects.toBeInstanceOf(S3Error);
  await expect(listed).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
});
