import { Agent } from 'node:http';
import {
  DeleteBucketCorsCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  PutBucketAclCommand,
  PutBucketCorsCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from '../support/server.ts';
import { BUCKET, keys, startS3Server } from './s3-server.ts';

/** ACLs, tags and CORS rules through the AWS SDK, with the bucket in the path and in the Host. */

const EVERYBODY = 'http://acs.amazonaws.com/groups/global/AllUsers';
const Bucket = BUCKET;

let server: TestServer;

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => server.stop());

describe.each([
  ['the path', true],
  ['the Host', false],
])('with the bucket in %s', (_where, forcePathStyle) => {
  const Key = `settings/größe ${forcePathStyle}`;
  let s3: S3Client;

  beforeAll(async () => {
    // Not every system resolves names below localhost.
    const httpAgent = new Agent({
      keepAlive: true,
      lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    s3 = new S3Client({
      region: 'us-east-1',
      endpoint: server.url.replace('127.0.0.1', 'localhost'),
      forcePathStyle,
      credentials: keys,
      maxAttempts: 1,
      requestHandler: { httpAgent },
    });
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'bytes', Tagging: 'from=put' }));
  });

  afterAll(() => s3.destroy());

  async function codeOf(sent: Promise<unknown>): Promise<[string, number | undefined]> {
    const error: unknown = await sent.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof S3ServiceException)) throw new Error(`Not refused: ${error}`);
    expect(error.$metadata.requestId).toMatch(/./);
    return [error.name, error.$metadata.httpStatusCode];
  }

  it('ACLs of a bucket', async () => {
    await s3.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read' }));
    const { Grants, Owner } = await s3.send(new GetBucketAclCommand({ Bucket }));
    expect(Grants).toEqual([
      { Grantee: { ...Owner, Type: 'CanonicalUser' }, Permission: 'FULL_CONTROL' },
      { Grantee: { Type: 'Group', URI: EVERYBODY }, Permission: 'READ' },
    ]);
    await s3.send(
      new PutBucketAclCommand({
        Bucket,
        AccessControlPolicy: { Owner, Grants: Grants?.slice(0, 1) },
      }),
    );
    expect((await s3.send(new GetBucketAclCommand({ Bucket }))).Grants).toHaveLength(1);
    const grant = new PutBucketAclCommand({ Bucket, GrantRead: `uri="${EVERYBODY}"` });
    expect(await codeOf(s3.send(grant))).toEqual(['NotImplemented', 501]);
  });

  it('ACLs of an object', async () => {
    const url = `${server.url}/${Bucket}/${encodeURIComponent(Key)}`;
    expect((await fetch(url)).status).toBe(403);
    await s3.send(new PutObjectAclCommand({ Bucket, Key, ACL: 'public-read' }));
    expect(await (await fetch(url)).text()).toBe('bytes');
    const { Grants, Owner } = await s3.send(new GetObjectAclCommand({ Bucket, Key }));
    expect(Grants).toHaveLength(2);
    const AccessControlPolicy = { Owner, Grants: Grants?.slice(0, 1) };
    await s3.send(new PutObjectAclCommand({ Bucket, Key, AccessControlPolicy }));
    expect((await fetch(url)).status).toBe(403);
    const absent = new GetObjectAclCommand({ Bucket, Key: 'absent' });
    expect(await codeOf(s3.send(absent))).toEqual(['NoSuchKey', 404]);
  });

  it('tags', async () => {
    const tags = async () => (await s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet;
    expect(await tags()).toEqual([{ Key: 'from', Value: 'put' }]);
    const TagSet = [
      { Key: 'a', Value: '1' },
      { Key: 'größe', Value: '' },
    ];
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }));
    expect(await tags()).toEqual(TagSet);
    expect((await s3.send(new GetObjectCommand({ Bucket, Key }))).TagCount).toBe(2);
    const same = { TagSet: [...TagSet, ...TagSet] };
    const twice = new PutObjectTaggingCommand({ Bucket, Key, Tagging: same });
    expect(await codeOf(s3.send(twice))).toEqual(['InvalidTag', 400]);
    await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key }));
    expect(await tags()).toEqual([]);
  });

  it('CORS rules', async () => {
    const none = new GetBucketCorsCommand({ Bucket });
    expect(await codeOf(s3.send(none))).toEqual(['NoSuchCORSConfiguration', 404]);
    const CORSRules = [
      {
        ID: 'app',
        AllowedOrigins: ['https://*.example'],
        AllowedMethods: ['GET', 'PUT'],
        AllowedHeaders: ['*'],
        ExposeHeaders: ['ETag'],
        MaxAgeSeconds: 60,
      },
      { AllowedOrigins: ['*'], AllowedMethods: ['HEAD'] },
    ];
    await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    expect((await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toEqual(CORSRules);
    const empty = new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [] } });
    expect(await codeOf(s3.send(empty))).toEqual(['MalformedXML', 400]);
    await s3.send(new DeleteBucketCorsCommand({ Bucket }));
    expect(await codeOf(s3.send(new GetBucketCorsCommand({ Bucket })))).toEqual([
      'NoSuchCORSConfiguration',
      404,
    ]);
  });
});
