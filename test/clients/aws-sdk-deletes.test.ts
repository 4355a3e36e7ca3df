import { createHash } from 'node:crypto';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  type ObjectIdentifier,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRest } from '../support/rest.ts';
import type { TestServer } from '../support/server.ts';
import { BUCKET, startS3Server } from './s3-server.ts';
import { codeOf, createSdkClient } from './sdk-client.ts';

/** DeleteObject and DeleteObjects with the AWS SDK. */

const TEXT = 'short-lived';
const ETAG = `"${createHash('md5').update(TEXT).digest('hex')}"`;

let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startS3Server();
  s3 = createSdkClient(server.url);
});

afterAll(async () => {
  s3.destroy();
  await server.stop();
});

async function put(...keys: string[]): Promise<void> {
  await Promise.all(
    keys.map((Key) => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: TEXT }))),
  );
}

function remove(Objects: ObjectIdentifier[], Quiet?: boolean, client = s3) {
  return client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects, Quiet } }));
}

async function isThere(Key: string): Promise<boolean> {
  const [code] = await s3
    .send(new HeadObjectCommand({ Bucket: BUCKET, Key }))
    .then(() => [undefined])
    .catch(() => codeOf(s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key }))));
  expect([undefined, 'NotFound']).toContain(code);
  return code === undefined;
}

async function expectThere(expected: Readonly<Record<string, boolean>>): Promise<void> {
  for (const [key, there] of Object.entries(expected)) {
    expect([key, await isThere(key)]).toEqual([key, there]);
  }
}

describe('DeleteObject', () => {
  it('relies on the ETag, if the client says so', async () => {
    await put('one');
    const object = { Bucket: BUCKET, Key: 'one' };
    const other = s3.send(new DeleteObjectCommand({ ...object, IfMatch: '"other"' }));
    expect(await codeOf(other)).toEqual(['PreconditionFailed', 412]);
    await expectThere({ one: true });
    await s3.send(new DeleteObjectCommand({ ...object, IfMatch: ETAG }));
    await expectThere({ one: false });
    for (const IfMatch of [ETAG, '*']) {
      const again = s3.send(new DeleteObjectCommand({ ...object, IfMatch }));
      expect(await codeOf(again)).toEqual(['NoSuchKey', 404]);
    }
    await put('one');
    await s3.send(new DeleteObjectCommand({ ...object, IfMatch: '*' }));
    await expectThere({ one: false });
  });

  it('never deletes under a condition that it does not know', async () => {
    await put('two');
    const object = { Bucket: BUCKET, Key: 'two' };
    for (const condition of [
      { IfMatchSize: TEXT.length },
      { IfMatchLastModifiedTime: new Date('2015-01-01') },
    ]) {
      const sent = s3.send(new DeleteObjectCommand({ ...object, ...condition }));
      expect(await codeOf(sent)).toEqual(['NotImplemented', 501]);
    }
    const version = s3.send(new DeleteObjectCommand({ ...object, VersionId: 'abc' }));
    expect(await codeOf(version)).toEqual(['NoSuchVersion', 404]);
    await expectThere({ two: true });
    await s3.send(new DeleteObjectCommand({ ...object, VersionId: 'null' }));
    await expectThere({ two: false });
  });

  it('deletes for one of many that rely on the same ETag', async () => {
    await put('raced');
    const all = Array.from({ length: 20 }, () =>
      s3
        .send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'raced', IfMatch: ETAG }))
        .then(({ $metadata }) => $metadata.httpStatusCode)
        .catch((error) => error.$metadata.httpStatusCode),
    );
    const statuses = await Promise.all(all);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => status === 404)).toHaveLength(19);
  });
});

describe('DeleteObjects', () => {
  it('deletes what is there, and says so of what is not', async () => {
    const keys = ['a', 'a b+c&d=e%2f?#.txt', 'ü/日本/😀', '<a>&"\'', 'double//slash/', '/leading'];
    await put(...keys, 'stays');
    const Objects = [...keys, 'absent'].map((Key) => ({ Key }));
    const { Deleted = [], Errors } = await remove(Objects);
    expect(Deleted.map(({ Key }) => Key)).toEqual([...keys, 'absent']);
    expect(Errors).toBeUndefined();
    await expectThere({ ...Object.fromEntries(keys.map((key) => [key, false])), stays: true });
  });

  it('quietly tells only what failed', async () => {
    await put('quiet', 'changed');
    const { Deleted, Errors } = await remove(
      [{ Key: 'quiet' }, { Key: 'absent' }, { Key: 'changed', ETag: '"other"' }],
      true,
    );
    expect(Deleted).toBeUndefined();
    expect(Errors).toEqual([
      { Key: 'changed', Code: 'PreconditionFailed', Message: expect.stringMatching(/./) },
    ]);
    await expectThere({ quiet: false, changed: true });
  });

  it('judges each key by itself', async () => {
    await put('etag', 'other', 'version', 'null', 'sized', 'dated');
    const { Deleted = [], Errors = [] } = await remove([
      { Key: 'etag', ETag: ETAG },
      { Key: 'other', ETag: '"other"' },
      { Key: 'gone', ETag: ETAG },
      { Key: 'version', VersionId: 'abc' },
      { Key: 'null', VersionId: 'null' },
      { Key: 'k'.repeat(1_025) },
      { Key: 'sized', Size: TEXT.length },
      { Key: 'dated', LastModifiedTime: new Date() },
    ]);
    expect(Deleted.map(({ Key }) => Key)).toEqual(['etag', 'null']);
    expect(Errors.map(({ Key = '', Code }) => [Key.slice(0, 9), Code])).toEqual([
      ['other', 'PreconditionFailed'],
      ['gone', 'NoSuchKey'],
      ['version', 'NoSuchVersion'],
      ['kkkkkkkkk', 'KeyTooLongError'],
      ['sized', 'NotImplemented'],
      ['dated', 'NotImplemented'],
    ]);
    await expectThere({ etag: false, other: true, version: true, null: false });
    await expectThere({ sized: true, dated: true });
  });

  it('deletes nothing that the caller may not write', async () => {
    const rest = createRest(server.url);
    const grants = [
      { prefix: `${BUCKET}/mine/`, access: 'write' },
      { prefix: `${BUCKET}/shown/`, access: 'read' },
    ];
    await rest('PUT', '/api/users/member', { password: 'p', role: 'member', grants });
    const { json } = await rest('POST', '/api/access-keys', { user: 'member' });
    const credentials = json as { accessKeyId: string; secretAccessKey: string };
    const member = createSdkClient(server.url, { credentials });
    await put('mine/a', 'shown/a', 'theirs');
    const keys = ['mine/a', 'shown/a', 'theirs', 'absent'];
    const { Deleted = [], Errors = [] } = await remove(
      keys.map((Key) => ({ Key })),
      false,
      member,
    );
    member.destroy();
    expect(Deleted.map(({ Key }) => Key)).toEqual(['mine/a']);
    expect(Errors.map(({ Key, Code }) => [Key, Code])).toEqual([
      ['shown/a', 'AccessDenied'],
      ['theirs', 'AccessDenied'],
      ['absent', 'AccessDenied'],
    ]);
    await expectThere({ 'mine/a': false, 'shown/a': true, theirs: true });
  });

  it('takes 1,000 keys and refuses 1,001', async () => {
    await put('many/7', 'many/999', 'many/1000');
    const Objects = Array.from({ length: 1_001 }, (_, n) => ({ Key: `many/${n}` }));
    expect(await codeOf(remove(Objects))).toEqual(['MalformedXML', 400]);
    await expectThere({ 'many/7': true });
    const { Deleted = [] } = await remove(Objects.slice(0, 1_000));
    expect(Deleted).toHaveLength(1_000);
    await expectThere({ 'many/7': false, 'many/999': false, 'many/1000': true });
  });

  it('takes a key twice', async () => {
    await put('twice');
    const { Deleted = [], Errors } = await remove([{ Key: 'twice' }, { Key: 'twice' }]);
    expect([Deleted.length, Errors]).toEqual([2, undefined]);
    await expectThere({ twice: false });
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'takes its body with a checksum of %s',
    async (ChecksumAlgorithm) => {
      await put('checked');
      const Delete = { Objects: [{ Key: 'checked' }] };
      await s3.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete, ChecksumAlgorithm }));
      await expectThere({ checked: false });
    },
  );
});
