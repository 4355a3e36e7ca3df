import { createHash } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRest, type Rest } from '../support/rest.ts';
import type { TestServer } from '../support/server.ts';
import { BUCKET, OPEN_BUCKET, startS3Server } from './s3-server.ts';
import { codeOf, createSdkClient, readText } from './sdk-client.ts';

/** CopyObject with the AWS SDK. */

const TEXT = 'to be copied';
const ETAG = `"${createHash('md5').update(TEXT).digest('hex')}"`;
const SOURCE = 'source of copies';
const CopySource = `${BUCKET}/${encodeURIComponent(SOURCE)}`;
const said = {
  ContentType: 'text/plain',
  CacheControl: 'no-store',
  ContentLanguage: 'de',
  Metadata: { level: '7' },
} as const;
const tags = [{ Key: 'a', Value: 'b' }];

let server: TestServer;
let rest: Rest;
let s3: S3Client;

beforeAll(async () => {
  server = await startS3Server();
  rest = createRest(server.url);
  s3 = createSdkClient(server.url);
  await put(SOURCE);
});

afterAll(async () => {
  s3.destroy();
  await server.stop();
});

async function put(Key: string, Body: string | Buffer = TEXT): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...said, Tagging: 'a=b' }));
}

function copy(Key: string, input: Partial<CopyObjectCommandInput> = {}, client = s3) {
  return client.send(new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource, ...input }));
}

function head(Key: string, Bucket = BUCKET) {
  return s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
}

async function tagsOf(Key: string) {
  return (await s3.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key }))).TagSet;
}

async function expectAbsent(Key: string): Promise<void> {
  expect(await codeOf(head(Key))).toEqual(['NotFound', 404]);
}

describe('CopyObject', () => {
  it('copies the bytes and what is said of them', async () => {
    const { CopyObjectResult } = await copy('copy');
    expect(CopyObjectResult?.ETag).toBe(ETAG);
    expect(CopyObjectResult?.LastModified).toBeInstanceOf(Date);
    expect(await readText(s3, 'copy')).toBe(TEXT);
    const found = await head('copy');
    expect(found).toMatchObject({ ...said, ETag: ETAG });
    expect(found.ChecksumCRC32).toBe((await head(SOURCE)).ChecksumCRC32);
    expect(await tagsOf('copy')).toEqual(tags);
  });

  it('says something else with REPLACE, of the metadata or of the tags', async () => {
    const other = { ContentType: 'text/html', Metadata: { other: '1' }, Tagging: 'c=d' };
    await copy('kept', other);
    expect(await head('kept')).toMatchObject(said);
    expect(await tagsOf('kept')).toEqual(tags);

    await copy('replaced', { ...other, MetadataDirective: 'REPLACE' });
    const replaced = await head('replaced');
    expect(replaced).toMatchObject({ ContentType: 'text/html', Metadata: { other: '1' } });
    expect([replaced.CacheControl, replaced.ContentLanguage]).toEqual([undefined, undefined]);
    expect(replaced.Metadata).toEqual({ other: '1' });
    expect(await tagsOf('replaced')).toEqual(tags);

    await copy('retagged', { ...other, TaggingDirective: 'REPLACE' });
    expect(await head('retagged')).toMatchObject(said);
    expect(await tagsOf('retagged')).toEqual([{ Key: 'c', Value: 'd' }]);
    await copy('untagged', { TaggingDirective: 'REPLACE' });
    expect(await tagsOf('untagged')).toEqual([]);
  });

  it('gives the copy an ACL and a storage class of its own', async () => {
    await put('public');
    await copy('public', {
      CopySource: `${BUCKET}/public`,
      ...{ StorageClass: 'GLACIER_IR', ACL: 'public-read' },
    });
    expect((await fetch(`${server.url}/${BUCKET}/public`)).status).toBe(200);
    await copy('private', { CopySource: `${BUCKET}/public` });
    expect((await fetch(`${server.url}/${BUCKET}/private`)).status).toBe(403);
    const classes = await Promise.all([head('public'), head('private')]);
    expect(classes.map(({ StorageClass }) => StorageClass)).toEqual(['GLACIER_IR', undefined]);
  });

  it('calculates the checksum that is asked for', async () => {
    const { CopyObjectResult } = await copy('checked', { ChecksumAlgorithm: 'SHA256' });
    const sha256 = createHash('sha256').update(TEXT).digest('base64');
    expect(CopyObjectResult).toMatchObject({ ChecksumSHA256: sha256, ChecksumType: 'FULL_OBJECT' });
    const found = await head('checked');
    expect([found.ChecksumSHA256, found.ChecksumCRC32]).toEqual([sha256, undefined]);
  });

  it('to itself only changes something', async () => {
    const CopySource = `${BUCKET}/itself`;
    await put('itself');
    expect(await codeOf(copy('itself', { CopySource }))).toEqual(['InvalidRequest', 400]);
    await copy('itself', {
      ...{ CopySource, MetadataDirective: 'REPLACE', Metadata: { level: '8' } },
    });
    expect((await head('itself')).Metadata).toEqual({ level: '8' });
    await copy('itself', { CopySource, StorageClass: 'STANDARD_IA' });
    expect((await head('itself')).StorageClass).toBe('STANDARD_IA');
    expect((await head('itself')).Metadata).toEqual({ level: '8' });
    expect(await readText(s3, 'itself')).toBe(TEXT);
  });

  it('of a large object to itself, many at once, leaves it whole', async () => {
    const large = Buffer.alloc(150_000, 'large ');
    await put('large itself', large);
    const all = Array.from({ length: 5 }, (_, n) =>
      copy('large itself', {
        CopySource: `${BUCKET}/large%20itself`,
        ...{ MetadataDirective: 'REPLACE', Metadata: { n: String(n) } },
      }),
    );
    await Promise.all(all);
    expect(await readText(s3, 'large itself')).toBe(large.toString());
  });

  it('relies on what the source is', async () => {
    const before = new Date('2015-01-01');
    const after = new Date('2099-01-01');
    for (const condition of [
      { CopySourceIfMatch: '"other"' },
      { CopySourceIfNoneMatch: ETAG },
      { CopySourceIfUnmodifiedSince: before },
      { CopySourceIfModifiedSince: after },
      { CopySourceIfNoneMatch: ETAG, CopySourceIfModifiedSince: before },
    ]) {
      expect(await codeOf(copy('unmet', condition))).toEqual(['PreconditionFailed', 412]);
    }
    await expectAbsent('unmet');
    for (const condition of [
      { CopySourceIfMatch: ETAG },
      { CopySourceIfNoneMatch: '"other"' },
      { CopySourceIfUnmodifiedSince: after },
      { CopySourceIfModifiedSince: before },
      { CopySourceIfMatch: ETAG, CopySourceIfUnmodifiedSince: before },
    ]) {
      expect((await copy('met', condition)).CopyObjectResult?.ETag).toBe(ETAG);
    }
  });

  it('relies on what the copy replaces', async () => {
    await copy('conditional', { IfNoneMatch: '*' });
    const again = copy('conditional', { IfNoneMatch: '*' });
    expect(await codeOf(again)).toEqual(['PreconditionFailed', 412]);
    await copy('conditional', { IfMatch: ETAG });
    const other = copy('conditional', { IfMatch: '"other"' });
    expect(await codeOf(other)).toEqual(['PreconditionFailed', 412]);
    expect(await codeOf(copy('absent', { IfMatch: ETAG }))).toEqual(['NoSuchKey', 404]);
    await expectAbsent('absent');
  });

  it('of an object of parts is one of one', async () => {
    const Key = 'of parts';
    const object = { Bucket: BUCKET, Key };
    const parts = [Buffer.alloc(5 * 1024 * 1024, 'p'), Buffer.from('the end')];
    const created = new CreateMultipartUploadCommand({ ...object, ContentType: 'text/plain' });
    const { UploadId } = await s3.send(created);
    const Parts = await Promise.all(
      parts.map(async (Body, at) => {
        const part = { ...object, UploadId, PartNumber: at + 1, Body };
        const { ETag, ChecksumCRC32 } = await s3.send(new UploadPartCommand(part));
        return { ETag, ChecksumCRC32, PartNumber: at + 1 };
      }),
    );
    await s3.send(
      new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }),
    );
    const last = { ...object, PartNumber: 2 };
    for (const command of [new HeadObjectCommand(last), new GetObjectCommand(last)]) {
      expect(await s3.send(command as HeadObjectCommand)).toMatchObject({
        ...{ PartsCount: 2, ContentLength: 7 },
        ContentRange: 'bytes 5242880-5242886/5242887',
      });
    }
    const { CopyObjectResult } = await copy('whole', { CopySource: `${BUCKET}/of%20parts` });
    const whole = Buffer.concat(parts);
    const etag = `"${createHash('md5').update(whole).digest('hex')}"`;
    expect(CopyObjectResult?.ETag).toBe(etag);
    const whole1 = new HeadObjectCommand({ Bucket: BUCKET, Key: 'whole', PartNumber: 1 });
    expect((await s3.send(whole1)).PartsCount).toBeUndefined();
    const found = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'whole' }));
    expect(found).toMatchObject({ ETag: etag, ContentType: 'text/plain' });
    expect(whole.equals((await found.Body?.transformToByteArray()) ?? new Uint8Array())).toBe(true);
  });

  it('across buckets', async () => {
    await copy('from elsewhere', { Bucket: OPEN_BUCKET });
    expect(await readText(s3, 'from elsewhere', OPEN_BUCKET)).toBe(TEXT);
  });

  it.each([
    'a b+c&d=e%2f?#.txt',
    'ü/日本/😀',
    'double//slash/',
    '/leading',
    'dots/../up',
    '?versionId=null',
  ])('from and to the key %s', async (Key) => {
    await put(Key, `bytes of ${Key}`);
    const path = Key.split('/').map(encodeURIComponent).join('/');
    await copy(`copy of ${Key}`, { CopySource: `/${BUCKET}/${path}` });
    expect(await readText(s3, `copy of ${Key}`)).toBe(`bytes of ${Key}`);
    await copy(`${Key} 2`, { CopySource: encodeURIComponent(`${BUCKET}/copy of ${Key}`) });
    expect(await readText(s3, `${Key} 2`)).toBe(`bytes of ${Key}`);
  });

  it('of the null version, and of no other', async () => {
    await copy('version', { CopySource: `${CopySource}?versionId=null` });
    const other = copy('version', { CopySource: `${CopySource}?versionId=1` });
    expect(await codeOf(other)).toEqual(['NoSuchVersion', 404]);
  });

  it('tells what is wrong with its source', async () => {
    for (const [source, code, status] of [
      [`${BUCKET}/absent`, 'NoSuchKey', 404],
      ['absent-bucket/k', 'NoSuchBucket', 404],
      [BUCKET, 'InvalidArgument', 400],
      [`${BUCKET}/`, 'InvalidArgument', 400],
      [`${BUCKET}/%zz`, 'InvalidArgument', 400],
    ] as const) {
      expect(await codeOf(copy('bad', { CopySource: source }))).toEqual([code, status]);
    }
    const directive = { MetadataDirective: 'MERGE' as 'COPY' };
    expect(await codeOf(copy('bad', directive))).toEqual(['InvalidArgument', 400]);
    await expectAbsent('bad');
  });

  it('reads nothing that the caller may not read, and writes nothing else', async () => {
    const prefix = `${BUCKET}/mine/`;
    const grants = [{ prefix, access: 'write' }];
    await rest('PUT', '/api/users/member', { password: 'p', role: 'member', grants });
    const { json } = await rest('POST', '/api/access-keys', { user: 'member' });
    const credentials = json as { accessKeyId: string; secretAccessKey: string };
    const member = createSdkClient(server.url, { credentials });
    await put('mine/own');

    const denied = ['AccessDenied', 403];
    expect(await codeOf(copy('mine/stolen', {}, member))).toEqual(denied);
    const absent = { CopySource: `${BUCKET}/absent` };
    expect(await codeOf(copy('mine/stolen', absent, member))).toEqual(denied);
    await expectAbsent('mine/stolen');
    const own = { CopySource: `${BUCKET}/mine/own` };
    expect(await codeOf(copy('elsewhere', own, member))).toEqual(denied);
    await expectAbsent('elsewhere');
    await copy('mine/copy', own, member);
    expect(await readText(s3, 'mine/copy')).toBe(TEXT);
    // What anybody may read, the member may copy.
    await copy('shared', { ACL: 'public-read' });
    await copy('mine/shared', { CopySource: `${BUCKET}/shared` }, member);
    expect(await readText(s3, 'mine/shared')).toBe(TEXT);
    member.destroy();
  });
});
