import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  NoSuchUpload,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createChecksum } from '../../server/s3/checksum.ts';
import type { TestServer } from '../support/server.ts';
import { BUCKET, keys, startS3Server } from './s3-server.ts';

/** Uploads in parts by the AWS SDK: by hand, and by lib-storage's Upload. */

const Bucket = BUCKET;
const MIB = 1_048_576;
const FIVE = Buffer.alloc(5 * MIB, 'five mebibytes of it. ');

let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startS3Server();
  s3 = new S3Client({
    region: 'us-east-1',
    endpoint: server.url,
    forcePathStyle: true,
    credentials: keys,
    maxAttempts: 1,
  });
});

afterAll(async () => {
  s3.destroy();
  await server.stop();
});

async function begin(
  Key: string,
  more: Partial<CreateMultipartUploadCommandInput> = {},
): Promise<{ Bucket: string; Key: string; UploadId: string }> {
  const { UploadId = '' } = await s3.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ...more }),
  );
  return { Bucket, Key, UploadId };
}

type Begun = Awaited<ReturnType<typeof begin>>;

async function part(
  upload: Begun,
  PartNumber: number,
  Body: Buffer | string,
  algorithm?: ChecksumAlgorithm,
): Promise<CompletedPart> {
  const { $metadata: _, ...sent } = await s3.send(
    new UploadPartCommand({
      ...upload,
      PartNumber,
      Body,
      ...(algorithm ? { ChecksumAlgorithm: algorithm } : {}),
    }),
  );
  return { PartNumber, ...sent };
}

function complete(
  upload: Begun,
  Parts: CompletedPart[],
  more: Partial<CompleteMultipartUploadCommandInput> = {},
) {
  return s3.send(
    new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }),
  );
}

async function bytesOf(Key: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

async function refusalOf(sent: Promise<unknown>): Promise<S3ServiceException> {
  const error: unknown = await sent.then(
    () => new Error('It should have been refused.'),
    (reason: unknown) => reason,
  );
  if (error instanceof S3ServiceException) return error;
  throw error;
}

function md5(bytes: Buffer | string): Buffer {
  return createHash('md5').update(bytes).digest();
}

/** As S3 makes it of parts. */
function etagOf(parts: readonly (Buffer | string)[]): string {
  return `"${md5(Buffer.concat(parts.map(md5))).toString('hex')}-${parts.length}"`;
}

describe('Upload of lib-storage', () => {
  it.each([
    ['nothing', 0],
    ['one byte', 1],
    ['5 MiB', 5 * MIB],
    ['5 MiB and a byte', 5 * MIB + 1],
    ['17 MiB', 17 * MIB],
  ])('stores %s from a stream', async (_what, size) => {
    const bytes = Buffer.alloc(size, 'a stream of them ');
    const Key = `streams/${size}`;
    // In pieces that fit no part.
    const pieces = Array.from({ length: Math.ceil(size / 1_000_003) }, (__, n) =>
      bytes.subarray(n * 1_000_003, (n + 1) * 1_000_003),
    );
    const Body = Readable.from(pieces, { objectMode: false });
    const upload = new Upload({ client: s3, params: { Bucket, Key, Body, ContentType: 'text/x' } });
    const loaded: number[] = [];
    upload.on('httpUploadProgress', (progress) => loaded.push(progress.loaded ?? 0));
    const { ETag, Location } = await upload.done();
    expect(Location).toBe(`${server.url}/${Bucket}/${Key}`);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head).toMatchObject({ ETag, ContentLength: size, ContentType: 'text/x' });
    expect((await bytesOf(Key)).equals(bytes)).toBe(true);
    const parts = Math.ceil(size / (5 * MIB));
    expect(ETag).toMatch(parts > 1 ? new RegExp(`^"\\w{32}-${parts}"$`) : /^"\w{32}"$/);
    expect(Math.max(...loaded)).toBe(size);
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'with %s of every part',
    async (algorithm) => {
      const Key = `checksums/${algorithm}`;
      const bytes = Buffer.concat([FIVE, Buffer.from('and more')]);
      const params = { Bucket, Key, Body: bytes, ChecksumAlgorithm: algorithm };
      await new Upload({ client: s3, params }).done();
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
      const isFull = algorithm === 'CRC64NVME';
      expect(head.ChecksumType).toBe(isFull ? 'FULL_OBJECT' : 'COMPOSITE');
      expect(head[`Checksum${algorithm}`]).toMatch(isFull ? /^[\w+/]+=$/ : /^[\w+/]+=*-2$/);
      expect((await bytesOf(Key)).equals(bytes)).toBe(true);
    },
  );

  it('leaves nothing behind when it is aborted', async () => {
    const Key = 'aborted';
    let sent = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        yield FIVE;
        sent += 1;
        if (sent === 3) void upload.abort();
      }
    }
    const upload: Upload = new Upload({
      client: s3,
      queueSize: 1,
      params: { Bucket, Key, Body: Readable.from(endless(), { objectMode: false }) },
    });
    await expect(upload.done()).rejects.toMatchObject({ name: 'AbortError' });
    await expect
      .poll(async () => {
        const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
        return Uploads ?? [];
      })
      .toEqual([]);
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });
});

describe('by hand', () => {
  it('an object has what its upload said, and the ETag of its parts', async () => {
    const upload = await begin('by hand/ü', {
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      Metadata: { level: '7' },
      Tagging: 'a=b',
      StorageClass: 'REDUCED_REDUNDANCY',
    });
    const parts = [await part(upload, 2, FIVE), await part(upload, 9, 'the end')];
    const done = await complete(upload, parts);
    const ETag = etagOf([FIVE, 'the end']);
    expect(done).toMatchObject({ Bucket, Key: upload.Key, ETag });
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: upload.Key }));
    expect(head).toMatchObject({
      ETag,
      ContentLength: FIVE.length + 7,
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      Metadata: { level: '7' },
      StorageClass: 'REDUCED_REDUNDANCY',
    });
    expect((await bytesOf(upload.Key)).equals(Buffer.concat([FIVE, Buffer.from('the end')]))).toBe(
      true,
    );
  });

  it.each([
    ['CRC32', 'COMPOSITE'],
    ['CRC32', 'FULL_OBJECT'],
    ['CRC32C', 'COMPOSITE'],
    ['CRC32C', 'FULL_OBJECT'],
    ['CRC64NVME', 'FULL_OBJECT'],
    ['SHA1', 'COMPOSITE'],
    ['SHA256', 'COMPOSITE'],
  ] as const)('%s of the kind %s is checked, kept and told', async (algorithm, ChecksumType) => {
    const name = `Checksum${algorithm}` as const;
    const upload = await begin(`${algorithm}/${ChecksumType}`, {
      ChecksumAlgorithm: algorithm,
      ChecksumType,
    });
    const bodies = [FIVE, Buffer.from('last one')];
    const parts = [
      await part(upload, 1, FIVE, algorithm),
      await part(upload, 2, 'last one', algorithm),
    ];
    const lower = algorithm.toLowerCase() as Lowercase<typeof algorithm>;
    const of = (bytes: Buffer): string => {
      const checksum = createChecksum(lower);
      checksum.update(bytes);
      return checksum.digest();
    };
    expect(parts.map((sent) => sent[name])).toEqual(bodies.map(of));
    const expected =
      ChecksumType === 'FULL_OBJECT'
        ? of(Buffer.concat(bodies))
        : `${of(Buffer.concat(bodies.map((body) => Buffer.from(of(body), 'base64'))))}-2`;

    const wrong = parts.map((sent) => ({ ...sent, [name]: of(Buffer.from('other')) }));
    expect(await refusalOf(complete(upload, wrong))).toMatchObject({ name: 'InvalidPart' });
    const other = complete(upload, parts, { [name]: of(Buffer.from('other')), ChecksumType });
    expect(await refusalOf(other)).toMatchObject({ name: 'BadDigest' });

    const done = await complete(upload, parts, { [name]: expected, ChecksumType });
    expect(done).toMatchObject({ [name]: expected, ChecksumType });
    const head = await s3.send(
      new HeadObjectCommand({ Bucket, Key: upload.Key, ChecksumMode: 'ENABLED' }),
    );
    expect(head).toMatchObject({ [name]: expected, ChecksumType });
  });

  it('kinds of checksums that do not exist are refused', async () => {
    for (const more of [
      { ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT' },
      { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'COMPOSITE' },
    ] as const) {
      expect(await refusalOf(begin('never', more))).toMatchObject({ name: 'InvalidRequest' });
    }
  });

  it('parts that are not as the client says are refused, and the upload goes on', async () => {
    const upload = await begin('refused');
    const one = await part(upload, 1, FIVE);
    const small = await part(upload, 2, 'small');
    const last = await part(upload, 3, 'last');
    const ETag = `"${md5('other').toString('hex')}"`;
    for (const [parts, refusal] of [
      [[one, small, last], { name: 'EntityTooSmall', PartNumber: '2' }],
      [[last, one], { name: 'InvalidPartOrder' }],
      [[one, one], { name: 'InvalidPartOrder' }],
      [[{ ...one, ETag }, last], { name: 'InvalidPart' }],
      [[one, { ...last, PartNumber: 4 }], { name: 'InvalidPart' }],
      [[], { name: 'MalformedXML' }],
      [[{ ...one, PartNumber: 10_001 }], { name: 'InvalidArgument' }],
    ] as const) {
      expect(await refusalOf(complete(upload, [...parts]))).toMatchObject({
        ...refusal,
        $metadata: { httpStatusCode: 400 },
      });
    }
    await complete(upload, [one, last]);
    expect((await bytesOf('refused')).length).toBe(FIVE.length + 4);
  });

  it('a part that is sent again takes the place of the first', async () => {
    const upload = await begin('again');
    const first = await part(upload, 1, 'first');
    const second = await part(upload, 1, 'second');
    expect(await refusalOf(complete(upload, [first]))).toMatchObject({ name: 'InvalidPart' });
    const { Parts } = await s3.send(new ListPartsCommand(upload));
    expect(Parts).toMatchObject([{ PartNumber: 1, ETag: second.ETag, Size: 6 }]);
    await complete(upload, [second]);
    expect(`${await bytesOf('again')}`).toBe('second');
  });

  it('completing again with the same parts is the same success, with others none', async () => {
    const upload = await begin('twice');
    const parts = [await part(upload, 1, 'once')];
    const first = await complete(upload, parts);
    const second = await complete(upload, parts);
    expect(second).toMatchObject({ ETag: first.ETag, Key: 'twice', Location: first.Location });
    const others = complete(upload, [{ PartNumber: 1, ETag: `"${'0'.repeat(32)}"` }]);
    expect(await refusalOf(others)).toBeInstanceOf(NoSuchUpload);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'twice', Body: 'newer' }));
    expect(await refusalOf(complete(upload, parts))).toBeInstanceOf(NoSuchUpload);
    expect(`${await bytesOf('twice')}`).toBe('newer');
  });

  it('nothing can be done with an upload that was aborted, or is of another key', async () => {
    const upload = await begin('gone');
    const parts = [await part(upload, 1, 'x')];
    const elsewhere = { ...upload, Key: 'elsewhere' };
    expect(await refusalOf(complete(elsewhere, parts))).toBeInstanceOf(NoSuchUpload);
    expect(await refusalOf(part(elsewhere, 1, 'y'))).toBeInstanceOf(NoSuchUpload);
    await s3.send(new AbortMultipartUploadCommand(upload));
    for (const sent of [
      () => complete(upload, parts),
      () => part(upload, 1, 'x'),
      () => s3.send(new ListPartsCommand(upload)),
      () => s3.send(new AbortMultipartUploadCommand(upload)),
      () => s3.send(new ListPartsCommand({ ...upload, UploadId: 'never' })),
    ]) {
      const refusal = await refusalOf(sent());
      expect(refusal).toMatchObject({ name: 'NoSuchUpload', $metadata: { httpStatusCode: 404 } });
    }
  });

  it('completes under conditions: a failed one leaves the upload open', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'there', Body: 'before' }));
    const upload = await begin('there');
    const parts = [await part(upload, 1, 'after')];
    for (const condition of [{ IfNoneMatch: '*' }, { IfMatch: `"${'0'.repeat(32)}"` }]) {
      expect(await refusalOf(complete(upload, parts, condition))).toMatchObject({
        name: 'PreconditionFailed',
      });
      expect(`${await bytesOf('there')}`).toBe('before');
    }
    const IfMatch = `"${md5('before').toString('hex')}"`;
    await complete(upload, parts, { IfMatch });
    expect(`${await bytesOf('there')}`).toBe('after');

    const fresh = await begin('not there yet');
    await complete(fresh, [await part(fresh, 1, 'new')], { IfNoneMatch: '*' });
    expect(`${await bytesOf('not there yet')}`).toBe('new');
  });

  it('takes the size that the client says the object has, or refuses it', async () => {
    const upload = await begin('sized');
    const parts = [await part(upload, 1, '12345')];
    const refusal = await refusalOf(complete(upload, parts, { MpuObjectSize: 6 }));
    expect(refusal).toMatchObject({ name: 'InvalidRequest' });
    await complete(upload, parts, { MpuObjectSize: 5 });
  });
});

describe('UploadPartCopy', () => {
  const CopySource = `${Bucket}/${encodeURIComponent('source ü')}`;

  beforeAll(async () => {
    const Body = Buffer.concat([FIVE, Buffer.from('0123456789')]);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'source ü', Body }));
  });

  const copy = (upload: Begun, PartNumber: number, more: Record<string, unknown> = {}) =>
    s3.send(new UploadPartCopyCommand({ ...upload, PartNumber, CopySource, ...more }));

  it('makes parts of an object, of all of it or of ranges', async () => {
    const upload = await begin('copied');
    const whole = await copy(upload, 1);
    const { length } = FIVE;
    const some = await copy(upload, 2, { CopySourceRange: `bytes=${length + 3}-${length + 5}` });
    expect(some.CopyPartResult).toMatchObject({
      ETag: `"${md5('345').toString('hex')}"`,
      LastModified: expect.any(Date),
    });
    await complete(
      upload,
      [whole, some].map(({ CopyPartResult }, at) => ({
        PartNumber: at + 1,
        ...(CopyPartResult?.ETag ? { ETag: CopyPartResult.ETag } : {}),
      })),
    );
    expect(`${(await bytesOf('copied')).subarray(-8)}`).toBe('56789345');
    // And of an object that has parts itself.
    const again = await begin('copied again');
    const range = {
      CopySource: `${Bucket}/copied`,
      CopySourceRange: `bytes=${length + 8}-${length + 11}`,
    };
    const { CopyPartResult } = await copy(again, 1, range);
    await complete(again, [{ PartNumber: 1, ETag: CopyPartResult?.ETag }]);
    expect(`${await bytesOf('copied again')}`).toBe('8934');
  });

  it('has the checksum of its upload', async () => {
    const upload = await begin('copied sums', { ChecksumAlgorithm: 'SHA256' });
    const { CopyPartResult } = await copy(upload, 1, { CopySourceRange: 'bytes=0-3' });
    const sum = createHash('sha256').update('five').digest();
    expect(CopyPartResult?.ChecksumSHA256).toBe(sum.toString('base64'));
  });

  it.each([
    ['bytes=0-', 'InvalidArgument'],
    ['bytes=5-4', 'InvalidArgument'],
    ['bytes=-5', 'InvalidArgument'],
    ['bytes=0-99999999', 'InvalidArgument'],
  ])('refuses the range %s', async (CopySourceRange, name) => {
    const upload = await begin('bad range');
    expect(await refusalOf(copy(upload, 1, { CopySourceRange }))).toMatchObject({ name });
  });

  it('copies under conditions', async () => {
    const upload = await begin('copied if');
    const { ETag } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'source ü' }));
    const past = new Date('2015-01-01');
    for (const condition of [
      { CopySourceIfMatch: '"other"' },
      { CopySourceIfNoneMatch: ETag },
      { CopySourceIfUnmodifiedSince: past },
    ]) {
      expect(await refusalOf(copy(upload, 1, condition))).toMatchObject({
        name: 'PreconditionFailed',
        $metadata: { httpStatusCode: 412 },
      });
    }
    await copy(upload, 1, { CopySourceIfMatch: ETag, CopySourceIfUnmodifiedSince: past });
    await copy(upload, 2, { CopySourceIfNoneMatch: '"other"', CopySourceIfModifiedSince: past });
  });

  it('finds no source where there is none', async () => {
    const upload = await begin('no source');
    const absent = copy(upload, 1, { CopySource: `${Bucket}/absent` });
    expect(await refusalOf(absent)).toMatchObject({ name: 'NoSuchKey' });
  });
});

describe('parts of an object', () => {
  const Key = 'in parts';
  const bodies = [FIVE, FIVE.subarray(1), Buffer.from('last')];
  const sizes = [5 * MIB, 5 * MIB, 4];

  beforeAll(async () => {
    const upload = await begin(Key);
    const parts: CompletedPart[] = [];
    // The second one is as large as the first, but begins with another byte.
    for (const [at, body] of bodies.entries()) {
      const whole = at === 1 ? Buffer.concat([body, Buffer.from('!')]) : body;
      parts.push(await part(upload, 3 * at + 1, whole));
    }
    await complete(upload, parts);
  });

  it('are told and given by their numbers', async () => {
    for (const [at, PartNumber] of [1, 4, 7].entries()) {
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key, PartNumber }));
      expect(head).toMatchObject({ PartsCount: 3, ContentLength: sizes[at] });
      const got = await s3.send(new GetObjectCommand({ Bucket, Key, PartNumber }));
      expect(got).toMatchObject({ PartsCount: 3, ContentLength: sizes[at] });
      const start = at * 5 * MIB;
      expect(got.ContentRange).toBe(
        `bytes ${start}-${start + (sizes[at] ?? 0) - 1}/${10 * MIB + 4}`,
      );
      const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
      expect(bytes.length).toBe(sizes[at]);
      expect(bytes.subarray(0, 4).toString()).toBe(['five', 'ive ', 'last'][at]);
    }
    const refusal = await refusalOf(
      s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 10_000 })),
    );
    expect(refusal).toMatchObject({
      name: 'InvalidPartNumber',
      $metadata: { httpStatusCode: 416 },
    });
  });

  it('of an object in one piece are that piece', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'one piece', Body: 'whole' }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'one piece', PartNumber: 1 }));
    expect([got.PartsCount, await got.Body?.transformToString()]).toEqual([undefined, 'whole']);
  });
});
