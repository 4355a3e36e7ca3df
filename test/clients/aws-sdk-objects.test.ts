import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type ChecksumAlgorithm,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createChecksum } from '../../server/s3/checksum.ts';
import type { ChecksumAlgorithm as Known } from '../../server/s3/expected-checksums.ts';
import { blobFiles } from '../support/blob-files.ts';
import type { TestServer } from '../support/server.ts';
import { BUCKET, startS3Server } from './s3-server.ts';
import { codeOf, createSdkClient, readText, recordHeaders } from './sdk-client.ts';

/** PutObject and what GetObject and HeadObject tell of it, with the AWS SDK. */

const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
const SMALL = Buffer.from('saved by the SDK');
/** More than lies beside an index entry, and more than one chunk of a stream. */
const LARGE = randomBytes(200_000);

let server: TestServer;
let s3: S3Client;
let tls: S3Client;

beforeAll(async () => {
  server = await startS3Server({ TLS: 'on', HTTP_PORT: '0' });
  s3 = createSdkClient(server.url);
  tls = createSdkClient(server.tlsUrl);
});

afterAll(async () => {
  s3.destroy();
  tls.destroy();
  await server.stop();
});

function checksumOf(algorithm: string, bytes: Uint8Array): string {
  const checksum = createChecksum(algorithm.toLowerCase() as Known);
  checksum.update(bytes);
  return checksum.digest();
}

function md5(bytes: Uint8Array, encoding: 'hex' | 'base64' = 'hex'): string {
  return createHash('md5').update(bytes).digest(encoding);
}

function put(input: Omit<PutObjectCommandInput, 'Bucket'>, client = s3) {
  return client.send(new PutObjectCommand({ Bucket: BUCKET, ...input }));
}

/** As an SDK's user passes a file: nobody knows what is in it before it is sent. */
function stream(bytes: Buffer): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
    })(),
    { objectMode: false },
  );
}

async function expectStored(Key: string, bytes: Buffer, algorithm?: ChecksumAlgorithm) {
  const found = await s3.send(
    new GetObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: 'ENABLED' }),
  );
  // The SDK compares what it reads with the checksum.
  expect(bytes.equals((await found.Body?.transformToByteArray()) ?? new Uint8Array())).toBe(true);
  expect(found).toMatchObject({ ETag: `"${md5(bytes)}"`, ContentLength: bytes.length });
  if (algorithm) {
    const value = checksumOf(algorithm, bytes);
    const told = { [`Checksum${algorithm}`]: value, ChecksumType: 'FULL_OBJECT' };
    expect(found).toMatchObject(told);
    const head = { Bucket: BUCKET, Key, ChecksumMode: 'ENABLED' } as const;
    expect(await s3.send(new HeadObjectCommand(head))).toMatchObject(told);
  }
}

async function expectRefused(
  Key: string,
  send: () => Promise<unknown>,
  code: string,
): Promise<void> {
  const before = await blobFiles(server.dataDir);
  expect(await codeOf(send())).toEqual([code, 400]);
  const head = s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
  expect(await codeOf(head)).toEqual(['NotFound', 404]);
  // Others may still be removing what an earlier test replaced.
  const left = await blobFiles(server.dataDir);
  expect(left.filter((name) => !before.includes(name))).toEqual([]);
}

describe.each(ALGORITHMS)('PutObject with %s', (ChecksumAlgorithm) => {
  const field = `Checksum${ChecksumAlgorithm}`;
  const header = `x-amz-checksum-${ChecksumAlgorithm.toLowerCase()}`;

  it.each([
    ['small', SMALL],
    ['large', LARGE],
    ['empty', Buffer.alloc(0)],
  ])('in a header: %s', async (name, Body) => {
    const Key = `${ChecksumAlgorithm}/${name}`;
    const stored = await put({ Key, Body, ChecksumAlgorithm });
    expect(stored).toMatchObject({
      ETag: `"${md5(Body)}"`,
      [field]: checksumOf(ChecksumAlgorithm, Body),
      ChecksumType: 'FULL_OBJECT',
    });
    await expectStored(Key, Body, ChecksumAlgorithm);
  });

  it('in the trailer of a stream, over http and https', async () => {
    for (const [client, name] of [
      [createSdkClient(server.url), 'http'],
      [createSdkClient(server.tlsUrl, { requestHandler: tls.config.requestHandler }), 'https'],
    ] as const) {
      const sent = recordHeaders(client);
      for (const bytes of [SMALL, LARGE]) {
        const Key = `${ChecksumAlgorithm}/stream-${name}`;
        const ContentLength = bytes.length;
        const stored = await put(
          { Key, Body: stream(bytes), ContentLength, ChecksumAlgorithm },
          client,
        );
        expect(stored).toMatchObject({ [field]: checksumOf(ChecksumAlgorithm, bytes) });
        expect(sent.pop()).toMatchObject({
          'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
          'x-amz-trailer': header,
          'content-encoding': 'aws-chunked',
        });
        await expectStored(Key, bytes, ChecksumAlgorithm);
        // How it came is not what it is.
        const { ContentEncoding } = await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
        expect(ContentEncoding).toBeUndefined();
      }
      if (name === 'http') client.destroy();
    }
  });

  it('refused when the bytes are others', async () => {
    const wrong = { [field]: checksumOf(ChecksumAlgorithm, Buffer.from('other bytes')) };
    const Key = `${ChecksumAlgorithm}/wrong`;
    for (const Body of [SMALL, LARGE]) {
      await expectRefused(Key, () => put({ Key, Body, ...wrong }), 'BadDigest');
    }
    const none = { [field]: 'bm8=' };
    await expectRefused(Key, () => put({ Key, Body: SMALL, ...none }), 'InvalidRequest');
  });
});

describe('PutObject', () => {
  it('takes a stream with the checksum that the SDK chooses', async () => {
    await put({ Key: 'stream', Body: stream(LARGE), ContentLength: LARGE.length });
    await expectStored('stream', LARGE, 'CRC32');
  });

  it('without a checksum keeps none', async () => {
    const plain = createSdkClient(server.url, { requestChecksumCalculation: 'WHEN_REQUIRED' });
    const { ChecksumCRC32 } = await put({ Key: 'plain', Body: SMALL }, plain);
    plain.destroy();
    expect(ChecksumCRC32).toBeUndefined();
    await expectStored('plain', SMALL);
  });

  it('verifies Content-MD5', async () => {
    await put({ Key: 'md5', Body: SMALL, ContentMD5: md5(SMALL, 'base64') });
    await expectStored('md5', SMALL);
    const other = md5(LARGE, 'base64');
    for (const Body of [SMALL, Buffer.concat([LARGE, SMALL])]) {
      await expectRefused(
        'md5-no',
        () => put({ Key: 'md5-no', Body, ContentMD5: other }),
        'BadDigest',
      );
    }
    const sent = () => put({ Key: 'md5-no', Body: SMALL, ContentMD5: 'AAAA' });
    await expectRefused('md5-no', sent, 'InvalidDigest');
  });

  it('keeps what is said of an object', async () => {
    const Key = 'described';
    const told = {
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="notes.txt"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de, fr',
      Metadata: { level: '7', owner: 'somebody, else', empty: '' },
      StorageClass: 'STANDARD_IA',
    } as const;
    await put({
      ...{ Key, Body: SMALL, ...told, ACL: 'public-read' },
      Expires: new Date('2065-10-21T07:28:00Z'),
      Tagging: 'a=b&c+d=%C3%BC',
    });
    const found = await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
    expect(found).toMatchObject({ ...told, ExpiresString: 'Wed, 21 Oct 2065 07:28:00 GMT' });
    expect(await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }))).toMatchObject({
      ...told,
      TagCount: 2,
    });
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key }));
    expect(TagSet).toEqual([
      { Key: 'a', Value: 'b' },
      { Key: 'c d', Value: 'ü' },
    ]);
    const { Grants } = await s3.send(new GetObjectAclCommand({ Bucket: BUCKET, Key }));
    expect(Grants?.map(({ Permission }) => Permission)).toEqual(['FULL_CONTROL', 'READ']);
    const anybody = await fetch(`${server.url}/${BUCKET}/${Key}`, {
      headers: { 'accept-encoding': 'identity' },
      method: 'HEAD',
    });
    expect(anybody.status).toBe(200);
  });

  it('keeps the encoding that remains once the chunks are taken off', async () => {
    for (const [ContentEncoding, Body] of [
      ['gzip', stream(SMALL)],
      ['aws-chunked,gzip', SMALL],
      ['gzip, aws-chunked', SMALL],
    ] as const) {
      const Key = `encoded ${ContentEncoding}`;
      await put({ Key, Body, ContentLength: SMALL.length, ContentEncoding });
      const found = await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
      expect(found.ContentEncoding).toBe('gzip');
    }
  });

  it('replaces all of what was said before', async () => {
    const Key = 'replaced';
    await put({ Key, Body: LARGE, Metadata: { a: '1' }, Tagging: 'a=b', ContentLanguage: 'de' });
    await put({ Key, Body: SMALL });
    const found = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    expect(await found.Body?.transformToString()).toBe(SMALL.toString());
    expect(found.Metadata).toEqual({});
    expect([found.TagCount, found.ContentLanguage]).toEqual([undefined, undefined]);
  });

  it.each([
    'a b+c&d=e%2f?#.txt',
    'ü/日本/😀',
    'double//slash/',
    '/leading',
    'quotes\'()*!~"<>',
    'dots/../up',
    './here',
    'k'.repeat(1_024),
    'ü'.repeat(512),
  ])('takes the key %s', async (Key) => {
    await put({ Key, Body: `bytes of ${Key}` });
    expect(await readText(s3, Key)).toBe(`bytes of ${Key}`);
  });

  it('refuses what it cannot keep', async () => {
    const refused = (input: Partial<PutObjectCommandInput>) =>
      codeOf(put({ Key: 'refused', Body: SMALL, ...input }));
    expect(await refused({ Key: 'k'.repeat(1_025) })).toEqual(['KeyTooLongError', 400]);
    expect(await refused({ Metadata: { a: 'm'.repeat(2_048) } })).toEqual([
      'MetadataTooLarge',
      400,
    ]);
    expect(await refused({ Tagging: 'a=b&a=c' })).toEqual(['InvalidArgument', 400]);
    const eleven = Array.from({ length: 11 }, (_, n) => `t${n}=`).join('&');
    expect(await refused({ Tagging: eleven })).toEqual(['BadRequest', 400]);
    expect(await refused({ GrantRead: 'uri="x"' })).toEqual(['NotImplemented', 501]);
    expect(await refused({ WebsiteRedirectLocation: '/x' })).toEqual(['NotImplemented', 501]);
    expect(await refused({ ObjectLockLegalHoldStatus: 'ON' })).toEqual(['NotImplemented', 501]);
    expect(await refused({ ServerSideEncryption: 'aws:kms' })).toEqual(['NotImplemented', 501]);
    const tlsOnly = tls.send(
      new PutObjectCommand({
        ...{ Bucket: BUCKET, Key: 'refused', Body: SMALL, SSECustomerAlgorithm: 'AES256' },
        SSECustomerKey: 'k'.repeat(32),
      }),
    );
    expect(await codeOf(tlsOnly)).toEqual(['NotImplemented', 501]);
    const elsewhere = s3.send(
      new PutObjectCommand({ Bucket: 'absent-bucket', Key: 'k', Body: 'x' }),
    );
    expect(await codeOf(elsewhere)).toEqual(['NoSuchBucket', 404]);
    const head = s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'refused' }));
    expect(await codeOf(head)).toEqual(['NotFound', 404]);
  });

  it('takes the encryption that S3 has by default', async () => {
    await put({ Key: 'sse', Body: SMALL, ServerSideEncryption: 'AES256' });
    await expectStored('sse', SMALL);
  });

  it('relies on whose bucket it is, if the client says so', async () => {
    const ExpectedBucketOwner = '111122223333';
    const sent = put({ Key: 'owned', Body: SMALL, ExpectedBucketOwner });
    expect(await codeOf(sent)).toEqual(['AccessDenied', 403]);
    const read = s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'sse', ExpectedBucketOwner }));
    expect(await codeOf(read)).toEqual(['AccessDenied', 403]);
  });
});

describe('GetObject and HeadObject', () => {
  const object = { Bucket: BUCKET, Key: 'parts' };

  beforeAll(async () => {
    await put({ Key: 'parts', Body: LARGE, ChecksumAlgorithm: 'CRC32C' });
  });

  it('tell a checksum to who asks, and of the whole only', async () => {
    const quiet = createSdkClient(server.url, { responseChecksumValidation: 'WHEN_REQUIRED' });
    const asked = { ...object, ChecksumMode: 'ENABLED' } as const;
    const of = async (command: GetObjectCommand | HeadObjectCommand) => {
      const found = await quiet.send(command as HeadObjectCommand);
      return found.ChecksumCRC32C;
    };
    const value = checksumOf('CRC32C', LARGE);
    expect(await of(new HeadObjectCommand(object))).toBeUndefined();
    expect(await of(new HeadObjectCommand(asked))).toBe(value);
    expect(await of(new HeadObjectCommand({ ...asked, Range: 'bytes=0-1' }))).toBeUndefined();
    quiet.destroy();
  });

  it('take ranges', async () => {
    for (const [Range, start, end] of [
      ['bytes=0-0', 0, 0],
      ['bytes=70000-140000', 70_000, 140_000],
      ['bytes=-5', 199_995, 199_999],
      ['bytes=199990-', 199_990, 199_999],
    ] as const) {
      const told = {
        ContentRange: `bytes ${start}-${end}/200000`,
        ContentLength: end - start + 1,
        $metadata: { httpStatusCode: 206 },
      };
      const found = await s3.send(new GetObjectCommand({ ...object, Range }));
      expect(found).toMatchObject(told);
      const bytes = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
      expect(LARGE.subarray(start, end + 1).equals(bytes)).toBe(true);
      expect(await s3.send(new HeadObjectCommand({ ...object, Range }))).toMatchObject(told);
    }
  });

  it('take an object that was sent whole for one of one part', async () => {
    const first = await s3.send(new GetObjectCommand({ ...object, PartNumber: 1 }));
    expect(first.ContentLength).toBe(LARGE.length);
    expect(first.PartsCount).toBeUndefined();
    expect(LARGE.equals((await first.Body?.transformToByteArray()) ?? new Uint8Array())).toBe(true);
    const second = s3.send(new GetObjectCommand({ ...object, PartNumber: 2 }));
    expect(await codeOf(second)).toEqual(['InvalidPartNumber', 416]);
    const both = { ...object, PartNumber: 1, Range: 'bytes=0-1' };
    expect(await codeOf(s3.send(new GetObjectCommand(both)))).toEqual(['InvalidRequest', 400]);
  });

  it('know one version, null', async () => {
    const found = await s3.send(new HeadObjectCommand({ ...object, VersionId: 'null' }));
    expect(found.ContentLength).toBe(LARGE.length);
    const other = s3.send(new GetObjectCommand({ ...object, VersionId: 'abc' }));
    expect(await codeOf(other)).toEqual(['NoSuchVersion', 404]);
  });
});
