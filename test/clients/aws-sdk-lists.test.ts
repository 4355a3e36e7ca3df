import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  type ListObjectsCommandOutput,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  paginateListParts,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestServer } from '../support/server.ts';
import { BUCKET, keys, startS3Server } from './s3-server.ts';

/** S3's lists as the AWS SDK asks for them and reads them. */

const Bucket = BUCKET;
// What XML 1.1 would need, what a query has to escape, and more than a page of them.
const AWKWARD = ['a b+c&d=%2F', 'line\nend\r', 'photos/\u{10ffff}', 'photos/\uffff', '😀'];
const KEYS = [
  ...AWKWARD,
  ...Array.from({ length: 30 }, (_, n) => `photos/2026/${n % 3}/${n}.jpg`),
].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));

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
  await Promise.all(KEYS.map((Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))));
});

afterAll(async () => {
  s3.destroy();
  await server.stop();
});

const decode = (text = ''): string => decodeURIComponent(text);

it('paginateListObjectsV2 goes through all keys, whatever the size of a page', async () => {
  for (const pageSize of [1, 7, 35, 1_000]) {
    const found: string[] = [];
    let pages = 0;
    const input = { Bucket, EncodingType: 'url' } as const;
    for await (const page of paginateListObjectsV2({ client: s3, pageSize }, input)) {
      found.push(...(page.Contents ?? []).map(({ Key }) => decode(Key)));
      expect(page.KeyCount).toBe(page.Contents?.length ?? 0);
      expect(page.MaxKeys).toBe(pageSize);
      pages += 1;
    }
    expect(found).toEqual(KEYS);
    expect(pages).toBe(Math.ceil(KEYS.length / pageSize));
  }
});

it('paginateListObjectsV2 goes through folders', async () => {
  const folders: string[] = [];
  const input = { Bucket, Prefix: 'photos/2026/', Delimiter: '/' };
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 1 }, input)) {
    expect(page.Contents).toBeUndefined();
    folders.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? ''));
  }
  expect(folders).toEqual(['photos/2026/0/', 'photos/2026/1/', 'photos/2026/2/']);
});

it('ListObjectsV2 tells what it was asked, and owners if it was', async () => {
  const StartAfter = 'photos/2026/2/';
  const asked = { Bucket, Prefix: 'photos/', Delimiter: '!', StartAfter, MaxKeys: 2 };
  const page = await s3.send(new ListObjectsV2Command({ ...asked, FetchOwner: true }));
  expect(page).toMatchObject({
    ...{ Name: Bucket, Prefix: 'photos/', Delimiter: '!', StartAfter, MaxKeys: 2 },
    ...{ KeyCount: 2, IsTruncated: true, NextContinuationToken: expect.stringMatching(/^\S+$/) },
  });
  expect(page.Contents?.[0]).toEqual({
    Key: 'photos/2026/2/11.jpg',
    ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
    LastModified: expect.any(Date),
    Size: 20,
    StorageClass: 'STANDARD',
    ChecksumAlgorithm: ['CRC32'],
    ChecksumType: 'FULL_OBJECT',
    Owner: { ID: expect.stringMatching(/^\w{64}$/), DisplayName: 'keystow' },
  });
});

it('ListObjects goes on from the last key, or from NextMarker where there are folders', async () => {
  const first = await s3.send(new ListObjectsCommand({ Bucket, MaxKeys: 3, EncodingType: 'url' }));
  expect(first).toMatchObject({ IsTruncated: true, MaxKeys: 3 });
  expect(first.NextMarker).toBeUndefined();
  const Marker = decode(first.Contents?.at(-1)?.Key);
  const rest = await s3.send(new ListObjectsCommand({ Bucket, Marker, EncodingType: 'url' }));
  expect(
    [...(first.Contents ?? []), ...(rest.Contents ?? [])].map(({ Key }) => decode(Key)),
  ).toEqual(KEYS);

  const seen: string[] = [];
  let marker: string | undefined = 'a';
  while (marker !== undefined) {
    const page: ListObjectsCommandOutput = await s3.send(
      new ListObjectsCommand({
        Bucket,
        Prefix: 'photos/2026/',
        Delimiter: '/',
        MaxKeys: 1,
        Marker: marker,
      }),
    );
    seen.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? ''));
    marker = page.NextMarker;
  }
  expect(seen).toEqual(['photos/2026/0/', 'photos/2026/1/', 'photos/2026/2/']);
});

it('ListObjectVersions has the null version of each object', async () => {
  const {
    Versions = [],
    DeleteMarkers,
    IsTruncated,
  } = await s3.send(new ListObjectVersionsCommand({ Bucket, EncodingType: 'url' }));
  expect([Versions.map(({ Key }) => decode(Key)), DeleteMarkers, IsTruncated]).toEqual([
    ...[KEYS, undefined, false],
  ]);
  for (const version of Versions)
    expect(version).toMatchObject({ VersionId: 'null', IsLatest: true });

  const page = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 1 }));
  expect(page).toMatchObject({ NextKeyMarker: KEYS[0], NextVersionIdMarker: 'null' });
  const next = await s3.send(
    new ListObjectVersionsCommand({
      Bucket,
      MaxKeys: 1,
      KeyMarker: page.NextKeyMarker,
      VersionIdMarker: page.NextVersionIdMarker,
      EncodingType: 'url',
    }),
  );
  expect(decode(next.Versions?.[0]?.Key)).toBe(KEYS[1]);
});

it('ListMultipartUploads and ListParts tell what is under way', async () => {
  const begun: [string, string][] = [];
  for (const Key of ['up/b', 'up/a', 'up/c/1', 'up/a', 'up/c/2']) {
    const ChecksumAlgorithm = 'CRC32C';
    const { UploadId = '' } = await s3.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm }),
    );
    begun.push([Key, UploadId]);
  }
  const inOrder = [1, 3, 0, 2, 4].map((at) => begun[at]);
  const found: unknown[] = [];
  let markers: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const page = await s3.send(
      new ListMultipartUploadsCommand({ Bucket, MaxUploads: 2, Prefix: 'up/', ...markers }),
    );
    found.push(...(page.Uploads ?? []).map(({ Key, UploadId }) => [Key, UploadId]));
    expect(page.Uploads?.[0]).toMatchObject({
      Initiated: expect.any(Date),
      StorageClass: 'STANDARD',
      ChecksumAlgorithm: 'CRC32C',
      ChecksumType: 'COMPOSITE',
      Owner: { DisplayName: 'keystow' },
      Initiator: { DisplayName: 'keystow' },
    });
    if (!page.IsTruncated) break;
    markers = {
      KeyMarker: page.NextKeyMarker ?? '',
      UploadIdMarker: page.NextUploadIdMarker ?? '',
    };
  }
  expect(found).toEqual(inOrder);
  const folders = await s3.send(
    new ListMultipartUploadsCommand({ Bucket, Prefix: 'up/', Delimiter: '/' }),
  );
  expect(folders.CommonPrefixes).toEqual([{ Prefix: 'up/c/' }]);
  expect(folders.Uploads?.map(({ Key }) => Key)).toEqual(['up/a', 'up/a', 'up/b']);

  const [Key = '', UploadId = ''] = begun[0] ?? [];
  for (const PartNumber of [10_000, 7, 1, 3]) {
    const Body = `part ${PartNumber}`;
    await s3.send(
      new UploadPartCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber,
        Body,
        ChecksumAlgorithm: 'CRC32C',
      }),
    );
  }
  const parts: unknown[] = [];
  for await (const page of paginateListParts(
    { client: s3, pageSize: 3 },
    { Bucket, Key, UploadId },
  )) {
    expect(page).toMatchObject({ Key, UploadId, ChecksumType: 'COMPOSITE', MaxParts: 3 });
    parts.push(...(page.Parts ?? []));
  }
  expect(parts).toEqual(
    [1, 3, 7, 10_000].map((PartNumber) => ({
      PartNumber,
      ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
      Size: `part ${PartNumber}`.length,
      LastModified: expect.any(Date),
      ChecksumCRC32C: expect.stringMatching(/^[\w+/]{6}==$/),
    })),
  );
});
