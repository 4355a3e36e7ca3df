import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import { crc32 } from 'node:zlib';
import {
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  NoSuchBucket,
  NoSuchKey,
  NotFound,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { createPresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from '../support/server.ts';
import { BUCKET, keys, startS3Server } from './s3-server.ts';

/** The AWS SDK against a real listener, told nothing but where it is. */

const TEXT = 'saved by the SDK';
const FILENAME = '$' + '{filename}';

let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startS3Server();
  s3 = createClient();
});

afterAll(async () => {
  s3.destroy();
  await server.stop();
});

function createClient(config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    region: 'us-east-1',
    endpoint: server.url,
    forcePathStyle: true,
    credentials: keys,
    maxAttempts: 1,
    ...config,
  });
}

/** A form that createPresignedPost made, sent with fetch's own FormData. */
async function post(
  options: Omit<PresignedPostOptions, 'Bucket'>,
  file: Blob | string = TEXT,
  filename?: string,
): Promise<Response> {
  const { url, fields } = await createPresignedPost(s3, { Bucket: BUCKET, ...options });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const blob = typeof file === 'string' ? new Blob([file]) : file;
  if (filename === undefined) form.append('file', blob);
  else form.append('file', blob, filename);
  return fetch(url, { method: 'POST', body: form, redirect: 'manual' });
}

async function getText(Key: string): Promise<string | undefined> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Body?.transformToString();
}

async function refusalOf(sent: Promise<unknown>): Promise<S3ServiceException> {
  const error: unknown = await sent.then(
    () => new Error('It should have been refused.'),
    (reason: unknown) => reason,
  );
  if (error instanceof S3ServiceException) return error;
  throw error;
}

function md5(bytes: string | Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

describe('createPresignedPost', () => {
  it('signs a form that is accepted with 204', async () => {
    const answer = await post({ Key: 'plain.txt' });
    expect(answer.status, await answer.text()).toBe(204);
    expect(answer.headers.get('etag')).toBe(`"${md5(TEXT)}"`);
    expect(answer.headers.get('location')).toBe(`${server.url}/${BUCKET}/plain.txt`);
    expect(await getText('plain.txt')).toBe(TEXT);
  });

  it('signs one with conditions, fields and the name of the file', async () => {
    const redirect = 'https://app.example/done?form=1';
    const answer = await post(
      {
        Key: `user/${FILENAME}`,
        Expires: 60,
        Conditions: [
          ['content-length-range', 1, 100],
          ['starts-with', '$Content-Type', 'text/'],
          { acl: 'private' },
        ],
        Fields: {
          acl: 'private',
          'Content-Type': 'text/plain',
          'x-amz-meta-Owner': 'größer',
          success_action_redirect: redirect,
        },
      },
      TEXT,
      'C:\\saves\\slot 1.txt',
    );
    expect(answer.status, await answer.text()).toBe(303);
    expect(answer.headers.get('location')).toBe(
      `${redirect}&${new URLSearchParams({
        bucket: BUCKET,
        key: 'user/slot 1.txt',
        etag: `"${md5(TEXT)}"`,
      })}`,
    );
    const found = await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'user/slot 1.txt' }));
    expect(found).toMatchObject({ ContentType: 'text/plain', ContentLength: TEXT.length });
    expect(Object.keys(found.Metadata ?? {})).toEqual(['owner']);
  });

  it('signs what is then enforced', async () => {
    const options = { Key: 'small.bin', Conditions: [['content-length-range', 2, 4]] } satisfies {
      Key: string;
      Conditions: PresignedPostOptions['Conditions'];
    };
    for (const [bytes, status, code] of [
      ['1', 400, 'EntityTooSmall'],
      ['12', 204, undefined],
      ['1234', 204, undefined],
      ['12345', 400, 'EntityTooLarge'],
    ] as const) {
      const answer = await post(options, bytes);
      expect(answer.status).toBe(status);
      expect(/<Code>(.*)<\/Code>/.exec(await answer.text())?.[1]).toBe(code);
    }
    expect(await getText('small.bin')).toBe('1234');
  });

  it('takes large files, with their checksum', async () => {
    const bytes = Buffer.alloc(3_000_000, 'Keystow\r\n--');
    const checksum = createHash('sha256').update(bytes).digest('base64');
    const Fields = { 'x-amz-checksum-sha256': checksum, success_action_status: '201' };
    const answer = await post({ Key: 'large.bin', Fields }, new Blob([bytes]), 'large.bin');
    const text = await answer.text();
    expect(answer.status, text).toBe(201);
    expect(text).toContain('<Key>large.bin</Key>');

    const { Body, ChecksumSHA256 } = await s3.send(
      new GetObjectCommand({ Bucket: BUCKET, Key: 'large.bin', ChecksumMode: 'ENABLED' }),
    );
    expect(ChecksumSHA256).toBe(checksum);
    // The SDK compares what it reads with the checksum.
    expect(bytes.equals((await Body?.transformToByteArray()) ?? new Uint8Array())).toBe(true);

    const wrong = { 'x-amz-checksum-sha256': createHash('sha256').digest('base64') };
    const refused = await post({ Key: 'large.bin', Fields: wrong }, new Blob([bytes]));
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('<Code>BadDigest</Code>');
  });

  it.each([
    'a b+c&d=e%2f?#.txt',
    'ü/日本/😀',
    'double//slash/',
    'quotes\'()*!~"<>',
    'dots/../up',
    './here',
  ])('takes the key %s', async (Key) => {
    const answer = await post({ Key });
    expect(answer.status, await answer.text()).toBe(204);
    expect(await getText(Key)).toBe(TEXT);
    await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    await expect(getText(Key)).rejects.toBeInstanceOf(NoSuchKey);
  });

  it('signs for another server, or with another secret: refused', async () => {
    const other = createClient({ credentials: { ...keys, secretAccessKey: 'not the secret' } });
    const { url, fields } = await createPresignedPost(other, { Bucket: BUCKET, Key: 'forged' });
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new Blob([TEXT]));
    const answer = await fetch(url, { method: 'POST', body: form });
    other.destroy();
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('<Code>SignatureDoesNotMatch</Code>');
  });
});

describe('objects', () => {
  const Key = 'objects/notes.txt';
  const object = { Bucket: BUCKET, Key };

  beforeAll(async () => {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(TEXT));
    const answer = await post({
      Key,
      Fields: {
        'Content-Type': 'text/plain; charset=utf-8',
        'Cache-Control': 'max-age=60',
        'Content-Disposition': 'attachment; filename="notes.txt"',
        'Content-Encoding': 'identity',
        Expires: 'Wed, 21 Oct 2065 07:28:00 GMT',
        'x-amz-meta-level': '7',
        'x-amz-checksum-crc32': crc.toString('base64'),
        tagging: '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>',
      },
    });
    expect(answer.status, await answer.text()).toBe(204);
  });

  it('GetObject and HeadObject tell what the form said', async () => {
    const told = {
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="notes.txt"',
      ContentEncoding: 'identity',
      ExpiresString: 'Wed, 21 Oct 2065 07:28:00 GMT',
      ContentLength: TEXT.length,
      AcceptRanges: 'bytes',
      ETag: `"${md5(TEXT)}"`,
      Metadata: { level: '7' },
    };
    const found = await s3.send(new GetObjectCommand(object));
    expect(found).toMatchObject({ ...told, TagCount: 1 });
    expect(await found.Body?.transformToString()).toBe(TEXT);
    const head = await s3.send(new HeadObjectCommand(object));
    expect(head).toMatchObject(told);
    const age = Date.now() - (head.LastModified?.getTime() ?? 0);
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(60_000);
  });

  // The SDK asks for checksums by itself, and compares: one of the whole does not fit a part.
  it('GetObject takes ranges', async () => {
    const part = await s3.send(new GetObjectCommand({ ...object, Range: 'bytes=6-7' }));
    expect(part).toMatchObject({ ContentLength: 2, ContentRange: `bytes 6-7/${TEXT.length}` });
    expect(await part.Body?.transformToString()).toBe(TEXT.slice(6, 8));
    const tail = await s3.send(new GetObjectCommand({ ...object, Range: 'bytes=-3' }));
    expect(await tail.Body?.transformToString()).toBe('SDK');
  });

  it('GetObject tells which ranges and conditions it cannot meet', async () => {
    const ask = (input: Partial<GetObjectCommandInput>) =>
      refusalOf(s3.send(new GetObjectCommand({ ...object, ...input })));
    expect(await ask({ Range: 'bytes=99-' })).toMatchObject({
      name: 'InvalidRange',
      $metadata: { httpStatusCode: 416 },
    });
    expect(await ask({ IfMatch: '"other"' })).toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    const same = await ask({ IfNoneMatch: `"${md5(TEXT)}"` });
    expect(same.$metadata.httpStatusCode).toBe(304);
  });

  it('GetObject takes other headers for its answer', async () => {
    const found = await s3.send(
      new GetObjectCommand({
        ...object,
        ResponseContentType: 'application/json',
        ResponseContentDisposition: 'inline; filename="a b.json"',
        ResponseCacheControl: 'no-store',
      }),
    );
    expect(found).toMatchObject({
      ContentType: 'application/json',
      ContentDisposition: 'inline; filename="a b.json"',
      CacheControl: 'no-store',
    });
  });

  it('absent objects and buckets are the SDK’s own exceptions', async () => {
    const absent = { Bucket: BUCKET, Key: 'absent' };
    const noKey = await refusalOf(s3.send(new GetObjectCommand(absent)));
    expect(noKey).toBeInstanceOf(NoSuchKey);
    expect(noKey).toMatchObject({
      message: 'The specified key does not exist.',
      $metadata: {
        httpStatusCode: 404,
        requestId: expect.any(String),
        extendedRequestId: expect.any(String),
      },
    });
    const noHead = await refusalOf(s3.send(new HeadObjectCommand(absent)));
    expect(noHead).toBeInstanceOf(NotFound);
    const Bucket = 'absent-bucket';
    const noBucket = await refusalOf(s3.send(new GetObjectCommand({ Bucket, Key })));
    expect(noBucket).toBeInstanceOf(NoSuchBucket);
  });

  it('DeleteObject deletes, and says nothing of what was not there', async () => {
    await post({ Key: 'short-lived' });
    for (const _again of [1, 2]) {
      const deleted = await s3.send(
        new DeleteObjectCommand({ Bucket: BUCKET, Key: 'short-lived' }),
      );
      expect(deleted.$metadata.httpStatusCode).toBe(204);
    }
    await expect(getText('short-lived')).rejects.toBeInstanceOf(NoSuchKey);
  });

  it('wrong credentials are refused by name', async () => {
    for (const [credentials, name] of [
      [{ ...keys, secretAccessKey: 'not the secret' }, 'SignatureDoesNotMatch'],
      [{ ...keys, accessKeyId: 'AKIDNOBODY' }, 'InvalidAccessKeyId'],
      [{ ...keys, sessionToken: 'of no session' }, 'InvalidToken'],
    ] as const) {
      const stranger = createClient({ credentials });
      const refusal = await refusalOf(stranger.send(new GetObjectCommand(object)));
      stranger.destroy();
      expect(refusal.name).toBe(name);
    }
  });

  it('a region is the client’s business', async () => {
    const far = createClient({ region: 'eu-central-1' });
    expect((await far.send(new HeadObjectCommand(object))).ETag).toBe(`"${md5(TEXT)}"`);
    far.destroy();
  });

  it('the bucket may be in the Host', async () => {
    // Not every system resolves names below localhost.
    const httpAgent = new Agent({
      lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    const virtual = createClient({
      endpoint: server.url.replace('127.0.0.1', 'localhost'),
      forcePathStyle: false,
      requestHandler: { httpAgent },
    });
    const hosts: string[] = [];
    virtual.middlewareStack.add(
      (next) => async (args) => {
        const { request } = args;
        if (typeof request === 'object' && request && 'hostname' in request) {
          hosts.push(String(request.hostname));
        }
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    expect((await virtual.send(new HeadObjectCommand(object))).ETag).toBe(`"${md5(TEXT)}"`);
    await virtual.send(new HeadBucketCommand({ Bucket: BUCKET }));
    expect(hosts).toEqual([`${BUCKET}.localhost`, `${BUCKET}.localhost`]);
    virtual.destroy();
  });
});

describe('buckets', () => {
  it('CreateBucket with an ACL, HeadBucket, ListBuckets, DeleteBucket', async () => {
    const Bucket = 'made-by-the-sdk';
    await expect(s3.send(new HeadBucketCommand({ Bucket }))).rejects.toBeInstanceOf(NotFound);
    const made = await s3.send(new CreateBucketCommand({ Bucket, ACL: 'public-read' }));
    expect(made.Location).toBe(`/${Bucket}`);
    const again = s3.send(new CreateBucketCommand({ Bucket }));
    await expect(again).rejects.toBeInstanceOf(BucketAlreadyOwnedByYou);

    const head = await s3.send(new HeadBucketCommand({ Bucket }));
    expect(head.BucketRegion).toBe('us-east-1');
    const { Buckets = [], Owner } = await s3.send(new ListBucketsCommand({}));
    expect(Owner).toMatchObject({ DisplayName: 'keystow', ID: expect.stringMatching(/^\w{64}$/) });
    expect(Buckets.map(({ Name }) => Name)).toEqual(
      [BUCKET, Bucket, 'open-files', 'submissions', 'uploads'].sort(),
    );
    for (const { CreationDate } of Buckets) expect(CreationDate).toBeInstanceOf(Date);

    // Anybody may look at what its ACL says.
    expect((await fetch(`${server.url}/${Bucket}`, { method: 'HEAD' })).status).toBe(200);
    const removed = await s3.send(new DeleteBucketCommand({ Bucket }));
    expect(removed.$metadata.httpStatusCode).toBe(204);
    await expect(s3.send(new DeleteBucketCommand({ Bucket }))).rejects.toBeInstanceOf(NoSuchBucket);
  });

  it('CreateBucket takes a region in its body', async () => {
    const Bucket = 'made-elsewhere';
    const CreateBucketConfiguration = { LocationConstraint: 'eu-central-1' } as const;
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
    await s3.send(new DeleteBucketCommand({ Bucket }));
  });

  it('refuses what cannot be', async () => {
    const name = s3.send(new CreateBucketCommand({ Bucket: 'Upper-Case' }));
    expect(await refusalOf(name)).toMatchObject({
      name: 'InvalidBucketName',
      $metadata: { httpStatusCode: 400 },
    });
    await post({ Key: 'keeps-it' });
    expect(await refusalOf(s3.send(new DeleteBucketCommand({ Bucket: BUCKET })))).toMatchObject({
      name: 'BucketNotEmpty',
      $metadata: { httpStatusCode: 409 },
    });
  });
});
