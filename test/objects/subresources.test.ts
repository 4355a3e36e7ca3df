import * as sdk from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, AS_ADMIN, type S3Server, startS3Server } from '../support/s3-server.ts';
import type { KeyPair } from '../support/sign-form.ts';
import { type SendSigned, signedRequests } from '../support/signed-requests.ts';

/** Operations that a query names: what is not offered is never taken for what is. */

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'];

/** What is offered, by its method and parameter. */
const OFFERED = {
  '/files': new Set([
    'GET acl',
    'PUT acl',
    'GET cors',
    'PUT cors',
    'DELETE cors',
    'POST delete',
    'GET location',
    'GET uploads',
    'GET versioning',
    'GET versions',
  ]),
  '/files/kept': new Set([
    'GET acl',
    'PUT acl',
    'GET tagging',
    'PUT tagging',
    'DELETE tagging',
    'POST uploads',
    'GET uploadId',
    'PUT uploadId',
    'POST uploadId',
    'DELETE uploadId',
  ]),
};

/** Those that S3 has, whether the SDK still knows them or not. */
const SUBRESOURCES = [
  'accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory',
  'legal-hold lifecycle location logging metrics notification object-lock ownershipControls policy',
  'policyStatus publicAccessBlock replication requestPayment restore retention select tagging torrent',
  'uploadId uploads versioning versions website',
].flatMap((line) => line.split(' '));

let server: S3Server;
let send: SendSigned;
let stranger: KeyPair;

beforeAll(async () => {
  server = await startS3Server();
  send = signedRequests(server);
  stranger = await server.makeMember('stefan', [{ prefix: 'elsewhere/', access: 'write' }]);
  await server.makeBucket('files');
  const headers = { 'x-amz-tagging': 'a=b' };
  await send('PUT', '/files/kept', { headers, body: 'kept' });
});

afterAll(() => server.stop());

/** All there is to see of the bucket and its object. */
async function state(): Promise<string> {
  const answers = [
    await send('GET', '/files/kept'),
    await send('GET', '/files/kept?acl'),
    await send('GET', '/files/kept?tagging'),
    await send('GET', '/files?acl'),
    await send('GET', '/files?versioning'),
    await send('GET', '/files?uploads'),
    await send('GET', '/files?list-type=2'),
  ];
  const { headers } = answers[0] ?? {};
  return [headers?.get('etag'), headers?.get('last-modified'), ...answers.map(({ text }) => text)]
    .join('\n')
    .replaceAll(/<(RequestId|HostId)>[^<]*/g, '');
}

function expectNotImplemented(answer: S3Answer, method: string): void {
  if (method !== 'HEAD') expectS3Error(answer, 501, 'NotImplemented');
  else expect([answer.status, answer.text]).toEqual([501, '']);
}

/** The method, parameters and bucket or key of each call that the SDK has. */
const SDK_CALLS = Object.values(sdk).flatMap((schema: unknown) => {
  if (!Array.isArray(schema) || schema[0] !== 9) return [];
  const [method, path] = schema[3].http as [string, string];
  const [before = '', query = ''] = path.split('?');
  if (before !== '/' && before !== '/{Key+}') return [];
  const [parameter = ''] = query.split('&');
  if (parameter === '' || parameter.includes('=')) return [];
  return [{ name: String(schema[2]), method, isKey: before !== '/', parameter, query }];
});

describe.each(['/files', '/files/kept'] as const)('%s', (path) => {
  it.each(SUBRESOURCES)('?%s is answered NotImplemented where it is not offered', async (name) => {
    const before = await state();
    for (const method of METHODS.filter((other) => !OFFERED[path].has(`${other} ${name}`))) {
      for (const body of method === 'PUT' || method === 'POST' ? ['', '<Any/>'] : [undefined]) {
        const sent = body === undefined ? {} : { body };
        for (const query of [name, `x-id=a&${name}=b`]) {
          const answer = await send(method, `${path}?${query}`, sent);
          if (OFFERED['/files'].has(`${method} ${name}`)) {
            // Of buckets: there is a key too many.
            expectS3Error(answer, 400, 'InvalidRequest');
          } else expectNotImplemented(answer, method);
        }
      }
    }
    expect(await state()).toBe(before);
  });

  it('says so to anybody, and does nothing for anybody', async () => {
    const before = await state();
    for (const method of METHODS) {
      const policy = `${path}?policy`;
      expectNotImplemented(await send(method, policy, { pair: stranger }), method);
      expectNotImplemented(await sendS3(server.url, { method, path: policy }), method);
      expectNotImplemented(
        await sendS3(server.url, { method, path: policy, headers: AS_ADMIN }),
        method,
      );
    }
    expect(await state()).toBe(before);
  });

  it('takes one at a time', async () => {
    const before = await state();
    for (const method of METHODS) {
      for (const query of ['acl&tagging', 'tagging&acl', 'acl=&policy&tagging=1']) {
        const answer = await send(method, `${path}?${query}`);
        expect(answer.status).toBe(400);
        if (method === 'HEAD') continue;
        expectS3Error(answer, 400, 'InvalidArgument', {
          Message: `Conflicting query string parameters: ${query.includes('policy') ? 'acl, policy, tagging' : 'acl, tagging'}`,
          ArgumentName: 'ResourceType',
          ArgumentValue: 'acl',
        });
      }
    }
    expect(await state()).toBe(before);
  });

  it('knows them as they are written', async () => {
    expect((await send('HEAD', `${path}?ACL&Policy&x-id=HeadObject`)).status).toBe(200);
  });
});

it('knows every call of the AWS SDK, offered or not', async () => {
  expect(SDK_CALLS.length).toBeGreaterThan(70);
  const before = await state();
  for (const { name, method, isKey, parameter, query } of SDK_CALLS) {
    const path = isKey ? '/files/kept' : '/files';
    if (OFFERED[path].has(`${method} ${parameter}`)) continue;
    const answer = await send(method, `${path}?${query}`);
    expect([name, answer.status, answer.xml['Code']]).toEqual([name, 501, 'NotImplemented']);
  }
  expect(await state()).toBe(before);
});

describe('through the AWS SDK', () => {
  let s3: sdk.S3Client;

  beforeAll(() => {
    s3 = new sdk.S3Client({
      region: 'us-east-1',
      endpoint: server.url,
      forcePathStyle: true,
      credentials: ADMIN_KEY,
      maxAttempts: 1,
    });
  });

  afterAll(() => s3.destroy());

  const Bucket = 'files';

  it('a bucket lies where it is, and was never given versions', async () => {
    const location = await s3.send(new sdk.GetBucketLocationCommand({ Bucket }));
    // S3 has no name for us-east-1.
    expect(location.LocationConstraint || 'us-east-1').toBe('us-east-1');
    const versioning = await s3.send(new sdk.GetBucketVersioningCommand({ Bucket }));
    expect([versioning.Status, versioning.MFADelete]).toEqual([undefined, undefined]);
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'PutBucketVersioning',
      () =>
        s3.send(
          new sdk.PutBucketVersioningCommand({
            Bucket,
            VersioningConfiguration: { Status: 'Enabled' },
          }),
        ),
    ],
    ['PutBucketPolicy', () => s3.send(new sdk.PutBucketPolicyCommand({ Bucket, Policy: '{}' }))],
    ['GetBucketPolicy', () => s3.send(new sdk.GetBucketPolicyCommand({ Bucket }))],
    [
      'GetBucketLifecycle',
      () => s3.send(new sdk.GetBucketLifecycleConfigurationCommand({ Bucket })),
    ],
    ['GetBucketEncryption', () => s3.send(new sdk.GetBucketEncryptionCommand({ Bucket }))],
    ['GetPublicAccessBlock', () => s3.send(new sdk.GetPublicAccessBlockCommand({ Bucket }))],
    ['GetBucketTagging', () => s3.send(new sdk.GetBucketTaggingCommand({ Bucket }))],
    ['DeleteBucketTagging', () => s3.send(new sdk.DeleteBucketTaggingCommand({ Bucket }))],
    [
      'GetObjectAttributes',
      () =>
        s3.send(
          new sdk.GetObjectAttributesCommand({ Bucket, Key: 'kept', ObjectAttributes: ['ETag'] }),
        ),
    ],
    ['GetObjectTorrent', () => s3.send(new sdk.GetObjectTorrentCommand({ Bucket, Key: 'kept' }))],
    ['RestoreObject', () => s3.send(new sdk.RestoreObjectCommand({ Bucket, Key: 'kept' }))],
    [
      'PutObjectLegalHold',
      () =>
        s3.send(
          new sdk.PutObjectLegalHoldCommand({ Bucket, Key: 'kept', LegalHold: { Status: 'ON' } }),
        ),
    ],
    [
      'SelectObjectContent',
      () =>
        s3.send(
          new sdk.SelectObjectContentCommand({
            Bucket,
            Key: 'kept',
            Expression: 'SELECT * FROM S3Object',
            ExpressionType: 'SQL',
            InputSerialization: { CSV: {} },
            OutputSerialization: { CSV: {} },
          }),
        ),
    ],
    [
      'RenameObject',
      () =>
        s3.send(
          new sdk.RenameObjectCommand({ Bucket, Key: 'renamed', RenameSource: 'files/kept' }),
        ),
    ],
  ])('%s throws NotImplemented', async (_name, call) => {
    const before = await state();
    await expect(call()).rejects.toMatchObject({
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501, requestId: expect.any(String) },
    });
    expect(await state()).toBe(before);
  });
});
