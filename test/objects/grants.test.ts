import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import { AS_ADMIN, asBasic, type S3Server, startS3Server } from '../support/s3-server.ts';
import type { KeyPair } from '../support/sign-form.ts';
import { md5Base64, type SendSigned, signedRequests } from '../support/signed-requests.ts';

/** Every call of S3, by who may do it: users with a grant to write the key, to read it, and without. */

const TAGS = '<Tagging><TagSet/></Tagging>';
const RULES =
  '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>';
const KEY = 'd/k';

interface Call {
  readonly name: string;
  readonly method: string;
  /** `UPLOAD` is the id of an upload of the key. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The grant that it takes. */
  readonly access: 'read' | 'write' | 'admin';
  /** Where the key does not matter: AccessDenied is within the answer, key by key. */
  readonly isPerKey?: boolean;
}

const CALLS: readonly Call[] = [
  { name: 'GetObject', method: 'GET', path: `/files/${KEY}`, access: 'read' },
  { name: 'HeadObject', method: 'HEAD', path: `/files/${KEY}`, access: 'read' },
  { name: 'GetObjectAcl', method: 'GET', path: `/files/${KEY}?acl`, access: 'read' },
  { name: 'GetObjectTagging', method: 'GET', path: `/files/${KEY}?tagging`, access: 'read' },
  { name: 'ListObjects', method: 'GET', path: '/files?prefix=d%2F', access: 'read' },
  { name: 'ListObjectsV2', method: 'GET', path: '/files?list-type=2&prefix=d%2F', access: 'read' },
  {
    name: 'ListObjectVersions',
    method: 'GET',
    path: '/files?versions&prefix=d%2F',
    access: 'read',
  },
  {
    name: 'ListMultipartUploads',
    method: 'GET',
    path: '/files?uploads&prefix=d%2F',
    access: 'read',
  },
  { name: 'HeadBucket', method: 'HEAD', path: '/files', access: 'read' },
  { name: 'GetBucketLocation', method: 'GET', path: '/files?location', access: 'read' },
  { name: 'GetBucketVersioning', method: 'GET', path: '/files?versioning', access: 'read' },
  { name: 'PutObject', method: 'PUT', path: `/files/${KEY}`, body: 'new', access: 'write' },
  {
    name: 'CopyObject',
    method: 'PUT',
    path: `/files/${KEY}`,
    headers: { 'x-amz-copy-source': '/files/d/source' },
    access: 'write',
  },
  { name: 'DeleteObject', method: 'DELETE', path: `/files/${KEY}`, access: 'write' },
  {
    name: 'PutObjectAcl',
    method: 'PUT',
    path: `/files/${KEY}?acl`,
    headers: { 'x-amz-acl': 'public-read' },
    access: 'write',
  },
  {
    name: 'PutObjectTagging',
    method: 'PUT',
    path: `/files/${KEY}?tagging`,
    body: TAGS,
    access: 'write',
  },
  { name: 'DeleteObjectTagging', method: 'DELETE', path: `/files/${KEY}?tagging`, access: 'write' },
  { name: 'CreateMultipartUpload', method: 'POST', path: `/files/${KEY}?uploads`, access: 'write' },
  {
    name: 'UploadPart',
    method: 'PUT',
    path: `/files/${KEY}?partNumber=2&uploadId=UPLOAD`,
    body: 'part',
    access: 'write',
  },
  {
    name: 'UploadPartCopy',
    method: 'PUT',
    path: `/files/${KEY}?partNumber=2&uploadId=UPLOAD`,
    headers: { 'x-amz-copy-source': '/files/d/source' },
    access: 'write',
  },
  { name: 'ListParts', method: 'GET', path: `/files/${KEY}?uploadId=UPLOAD`, access: 'write' },
  {
    name: 'CompleteMultipartUpload',
    method: 'POST',
    path: `/files/${KEY}?uploadId=UPLOAD`,
    body: '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"e10adc3949ba59abbe56e057f20f883e"</ETag></Part></CompleteMultipartUpload>',
    access: 'write',
  },
  {
    name: 'AbortMultipartUpload',
    method: 'DELETE',
    path: `/files/${KEY}?uploadId=UPLOAD`,
    access: 'write',
  },
  {
    name: 'DeleteObjects',
    method: 'POST',
    path: '/files?delete',
    body: `<Delete><Object><Key>${KEY}</Key></Object></Delete>`,
    access: 'write',
    isPerKey: true,
  },
  { name: 'CreateBucket', method: 'PUT', path: '/created', access: 'admin' },
  { name: 'DeleteBucket', method: 'DELETE', path: '/files', access: 'admin' },
  { name: 'GetBucketAcl', method: 'GET', path: '/files?acl', access: 'admin' },
  {
    name: 'PutBucketAcl',
    method: 'PUT',
    path: '/files?acl',
    headers: { 'x-amz-acl': 'public-read-write' },
    access: 'admin',
  },
  { name: 'GetBucketCors', method: 'GET', path: '/files?cors', access: 'admin' },
  { name: 'PutBucketCors', method: 'PUT', path: '/files?cors', body: RULES, access: 'admin' },
  { name: 'DeleteBucketCors', method: 'DELETE', path: '/files?cors', access: 'admin' },
];

let server: S3Server;
let send: SendSigned;
let upload = '';
const pairs = new Map<string, KeyPair>();

beforeAll(async () => {
  server = await startS3Server();
  send = signedRequests(server);
  await server.makeBucket('files');
  for (const [name, grants] of [
    ['writer', [{ prefix: 'files/d/', access: 'write' }]],
    ['reader', [{ prefix: 'files/d/', access: 'read' }]],
    ['neighbour', [{ prefix: 'files/dd/', access: 'write' }]],
    ['stranger', []],
  ] as const) {
    pairs.set(name, await server.makeMember(name, grants));
  }
  await send('PUT', '/files/d/source', { body: 'source' });
});

afterAll(() => server.stop());

/** The key as it was at first, and an upload of it with a part. */
async function prepare(): Promise<string> {
  await send('PUT', `/files/${KEY}`, { headers: { 'x-amz-tagging': 'a=b' }, body: 'stored' });
  upload = (await send('POST', `/files/${KEY}?uploads`)).xml['UploadId'] ?? '';
  await send('PUT', `/files/${KEY}?partNumber=1&uploadId=${upload}`, { body: '123456' });
  return state();
}

function pairOf(name: string): KeyPair {
  const pair = pairs.get(name);
  if (!pair) throw new Error(`There is no ${name}.`);
  return pair;
}

function headersOf({ headers = {}, isPerKey, body = '' }: Call): Record<string, string> {
  return isPerKey ? { ...headers, 'content-md5': md5Base64(body) } : headers;
}

function run(call: Call, pair: KeyPair): Promise<S3Answer> {
  const { method, path, body } = call;
  const options = { pair, headers: headersOf(call), ...(body === undefined ? {} : { body }) };
  return send(method, path.replace('UPLOAD', upload), options);
}

/** With Basic credentials, or none. */
function runUnsigned(call: Call, authorization: Record<string, string>): Promise<S3Answer> {
  const { method, path, body } = call;
  return sendS3(server.url, {
    method,
    path: path.replace('UPLOAD', upload),
    headers: { ...headersOf(call), ...authorization },
    ...(body === undefined ? {} : { body }),
  });
}

async function state(): Promise<string> {
  const answers = [
    await send('GET', `/files/${KEY}`),
    await send('GET', `/files/${KEY}?acl`),
    await send('GET', `/files/${KEY}?tagging`),
    await send('GET', `/files/${KEY}?uploadId=${upload}`),
    await send('GET', '/files?acl'),
    await send('GET', '/files?uploads'),
    await send('GET', '/files?list-type=2'),
  ];
  return answers.map(({ status, text }) => `${status} ${text}`).join('\n');
}

function expectDenied(call: Call, answer: S3Answer, code = 'AccessDenied'): void {
  if (call.method === 'HEAD') {
    expect([call.name, answer.status, answer.text]).toEqual([call.name, 403, '']);
  } else if (call.isPerKey && code === 'AccessDenied') {
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(`<Error><Key>${KEY}</Key><Code>AccessDenied</Code>`);
  } else expectS3Error(answer, 403, code);
}

function expectAllowed(call: Call, answer: S3Answer): void {
  expect([200, 204], `${call.name}: ${answer.text}`).toContain(answer.status);
  expect(answer.text).not.toContain('<Error>');
}

describe.each(CALLS)('$name', (call) => {
  const { access } = call;

  it(`is for ${access === 'admin' ? 'admins' : `who may ${access}`}`, async () => {
    const before = await prepare();
    const may = access === 'admin' ? [] : access === 'read' ? ['reader', 'writer'] : ['writer'];
    const isOfBucket = /^(HeadBucket|GetBucketLocation|GetBucketVersioning)$/.test(call.name);
    const mayBesides = isOfBucket ? ['neighbour'] : [];
    for (const name of pairs.keys()) {
      if (may.includes(name) || mayBesides.includes(name)) continue;
      expectDenied(call, await run(call, pairOf(name)));
      expectDenied(call, await runUnsigned(call, asBasic(name)));
    }
    expectDenied(call, await runUnsigned(call, {}));
    const forged = { ...pairOf('writer'), secretAccessKey: 'not the secret' };
    expectDenied(call, await run(call, forged), 'SignatureDoesNotMatch');
    expect(await state()).toBe(before);
    for (const name of [...may, ...mayBesides]) expectAllowed(call, await run(call, pairOf(name)));
  });

  it('ends with the grant, the access key and the user, at once', async () => {
    const grants = [{ prefix: 'files/d/', access: 'write' as const }];
    const pair = await server.makeMember('brief', grants);
    await server.admin('PUT', '/api/users/brief', { role: 'admin', grants: [] });
    const before = await prepare();
    await server.admin('PUT', '/api/users/brief', { role: 'member', grants: [] });
    expectDenied(call, await run(call, pair));
    await server.admin('PUT', '/api/users/brief', { role: 'admin', grants: [] });
    await server.admin('DELETE', `/api/access-keys/${pair.accessKeyId}`);
    expectDenied(call, await run(call, pair), 'InvalidAccessKeyId');
    const other = await server.admin('POST', '/api/access-keys', { user: 'brief' });
    await server.admin('DELETE', '/api/users/brief');
    expectDenied(call, await run(call, other.json as KeyPair), 'InvalidAccessKeyId');
    expect(await state()).toBe(before);
  });

  it('says that a bucket is not there', async () => {
    if (call.name === 'CreateBucket') return;
    const elsewhere = { ...call, path: call.path.replace('/files', '/no-such-bucket') };
    const answers = [await runUnsigned(elsewhere, AS_ADMIN)];
    // What cannot be deleted is not looked for.
    if (call.name !== 'DeleteBucket') {
      answers.push(await runUnsigned(elsewhere, {}), await run(elsewhere, pairOf('writer')));
    }
    for (const answer of answers) {
      if (call.method === 'HEAD') expect([answer.status, answer.text]).toEqual([404, '']);
      else expectS3Error(answer, 404, 'NoSuchBucket', { BucketName: 'no-such-bucket' });
    }
  });
});

describe('a copy', () => {
  it.each([
    ['a source that it may not read', 'writer', '/files/dd/secret'],
    ['a source in a bucket without a grant', 'writer', '/hidden/secret'],
    ['a source that is not there and that it may not list', 'writer', '/hidden/absent'],
  ])('is refused of %s', async (_name, name, source) => {
    await prepare();
    await server.makeBucket('hidden');
    await send('PUT', '/files/dd/secret', { body: 'secret' });
    await send('PUT', '/hidden/secret', { body: 'secret' });
    const options = { pair: pairOf(name), headers: { 'x-amz-copy-source': source } };
    expectS3Error(await send('PUT', `/files/${KEY}`, options), 403, 'AccessDenied');
    const part = `/files/${KEY}?partNumber=2&uploadId=${upload}`;
    expectS3Error(await send('PUT', part, options), 403, 'AccessDenied');
    expect((await server.read('files', KEY)).text).toBe('stored');
  });

  it('of what all may read is for who may write', async () => {
    await prepare();
    await send('PUT', '/files/dd/open', { headers: { 'x-amz-acl': 'public-read' }, body: 'open' });
    const headers = { 'x-amz-copy-source': '/files/dd/open' };
    const answer = await send('PUT', `/files/${KEY}`, { pair: pairOf('writer'), headers });
    expect(answer.status, answer.text).toBe(200);
    expect((await server.read('files', KEY)).text).toBe('open');
  });
});
