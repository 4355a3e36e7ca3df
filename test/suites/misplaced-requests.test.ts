import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error } from '../support/s3-client.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { amzDateOf } from '../support/sign-form.ts';
import { ask, done } from './ask.ts';

/** Requests that are nearly another operation: none of them does something that nobody asked for. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
  await done(server, { method: 'PUT', path: '/uploads/there', body: 'kept' });
});

afterAll(() => server.stop());

describe('an operation of buckets', () => {
  it.each(['uploads', 'versions', 'cors', 'location', 'versioning'])(
    'does not take a key: GET ?%s',
    async (subresource) => {
      const answer = await ask(server, { path: `/uploads/there?${subresource}` });
      expectS3Error(answer, 400, 'InvalidRequest', {
        Message: `Key is not expected for the GET method ?${subresource} subresource`,
      });
    },
  );
});

describe('what Keystow does not offer', () => {
  it.each([
    ['GET', '/uploads?policy'],
    ['PUT', '/uploads?policy'],
    ['DELETE', '/uploads?policy'],
    ['GET', '/uploads?policyStatus'],
    ['GET', '/uploads?lifecycle'],
    ['PUT', '/uploads?lifecycle'],
    ['PUT', '/uploads?versioning'],
    ['GET', '/uploads?object-lock'],
    ['PUT', '/uploads?object-lock'],
    ['GET', '/uploads?ownershipControls'],
    ['PUT', '/uploads?ownershipControls'],
    ['PUT', '/uploads?logging'],
    ['PUT', '/uploads?notification'],
    ['PUT', '/uploads?website'],
    ['PUT', '/uploads?tagging'],
    ['PUT', '/uploads?encryption'],
    ['PUT', '/uploads?replication'],
    ['PUT', '/uploads?publicAccessBlock'],
    ['PUT', '/uploads?requestPayment'],
    ['PUT', '/uploads?accelerate'],
    ['PUT', '/uploads?analytics&id=a'],
    ['PUT', '/uploads?inventory&id=a'],
    ['PUT', '/uploads?metrics&id=a'],
    ['PUT', '/uploads?intelligent-tiering&id=a'],
    ['PUT', '/uploads/there?retention'],
    ['PUT', '/uploads/there?legal-hold'],
    ['POST', '/uploads/there?restore'],
    ['POST', '/uploads/there?select&select-type=2'],
    ['PUT', '/uploads/there?renameObject'],
    ['GET', '/uploads/there?torrent'],
  ])('is said to be missing, and the object stays: %s %s', async (method, path) => {
    expectS3Error(await ask(server, { method, path }), 501, 'NotImplemented');
    expect((await done(server, { path: '/uploads/there' })).text).toBe('kept');
  });

  it.each([
    'x-amz-server-side-encryption-customer-algorithm',
    'x-amz-object-lock-mode',
    'x-amz-grant-read',
    'x-amz-website-redirect-location',
    'x-amz-write-offset-bytes',
  ])('is not passed over in a header: %s', async (header) => {
    const answer = await ask(server, {
      method: 'PUT',
      path: '/uploads/there',
      headers: { [header]: '1' },
      body: 'replaced',
    });
    expectS3Error(answer, 501, 'NotImplemented');
    expect((await done(server, { path: '/uploads/there' })).text).toBe('kept');
  });

  it.each(['<Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags>', '<Location/>', '<Bucket/>'])(
    'is not passed over when a bucket is made: %s',
    async (members) => {
      const answer = await ask(server, {
        method: 'PUT',
        path: '/wanted',
        body: `<CreateBucketConfiguration>${members}</CreateBucketConfiguration>`,
      });
      expectS3Error(answer, 501, 'NotImplemented');
      expectS3Error(await ask(server, { path: '/wanted' }), 404, 'NoSuchBucket');
    },
  );
});

describe('a part', () => {
  it('without its upload does not become the object', async () => {
    const path = '/uploads/there?partNumber=1';
    const answer = await ask(server, { method: 'PUT', path, body: 'part' });
    expectS3Error(answer, 400, 'InvalidArgument', { ArgumentName: 'partNumber' });
    expect((await done(server, { path: '/uploads/there' })).text).toBe('kept');
  });

  it.each(['0', '-3', '10001', 'x', ''])(
    'has a number, whether or not there is an object: %j',
    async (number) => {
      for (const key of ['there', 'nowhere']) {
        const answer = await ask(server, { path: `/uploads/${key}?partNumber=${number}` });
        expectS3Error(answer, 400, 'InvalidArgument', { ArgumentName: 'partNumber' });
      }
    },
  );
});

describe('a copy source', () => {
  it.each([
    ['GET', '/uploads/there'],
    ['DELETE', '/uploads/there'],
    ['PUT', '/another-bucket'],
    ['POST', '/uploads/there?uploads'],
  ])('is only for copies: %s %s', async (method, path) => {
    const headers = { 'x-amz-copy-source': '/uploads/there' };
    const answer = await ask(server, { method, path, headers });
    expectS3Error(answer, 400, 'InvalidArgument', { ArgumentName: 'x-amz-copy-source' });
    expect((await done(server, { path: '/uploads/there' })).text).toBe('kept');
  });

  it.each([
    'uploads',
    '/uploads/',
    '',
    '%',
    'uploads/%ZZ',
    'uploads/%C3%',
    '192.168.1.1/there',
    'my-buc@k/there',
    'Uploads/there',
  ])('names a bucket and a key: %j', async (source) => {
    const headers = { 'x-amz-copy-source': source };
    for (const path of ['/uploads/copy', '/uploads/copy?partNumber=1&uploadId=1']) {
      const answer = await ask(server, { method: 'PUT', path, headers });
      expectS3Error(answer, 400, 'InvalidArgument', { ArgumentName: 'x-amz-copy-source' });
    }
    await server.expectAbsent('uploads', 'copy');
  });

  it('of an upload without checksums gives its parts none', async () => {
    const headers = { 'x-amz-checksum-crc32': 'NSRBwg==' };
    await done(server, { method: 'PUT', path: '/uploads/checked', headers, body: 'abc' });
    const started = await done(server, { method: 'POST', path: '/uploads/copied?uploads' });
    const path = `/uploads/copied?partNumber=1&uploadId=${started.xml['UploadId']}`;
    const copied = await done(server, {
      method: 'PUT',
      path,
      headers: { 'x-amz-copy-source': '/uploads/checked' },
    });
    expect(copied.text).toContain('<ETag>');
    expect(copied.text).not.toContain('Checksum');
  });
});

describe('conditions of a write', () => {
  it.each([[{ 'if-match': '"a"', 'if-none-match': '*' }], [{ 'if-none-match': '"a"' }]] as const)(
    'that S3 does not have are refused: %j',
    async (headers) => {
      const answer = await ask(server, {
        method: 'PUT',
        path: '/uploads/there',
        headers,
        body: 'x',
      });
      expectS3Error(answer, 501, 'NotImplemented');
      expect((await done(server, { path: '/uploads/there' })).text).toBe('kept');
    },
  );
});

describe('an Authorization header', () => {
  it.each(['Bearer abc', 'AWS HAHAHA', 'AWS4-HMAC-SHA256 HAHAHA', 'HAHAHA', 'AWS4-HMAC-SHA256'])(
    'that cannot be one is a bad request: %s',
    async (authorization) => {
      const answer = await ask(server, {
        method: 'PUT',
        path: '/uploads/unsigned',
        headers: { authorization, 'x-amz-date': amzDateOf(Date.now()) },
        pair: null,
      });
      expect([answer.status, answer.xml['Code']], answer.text).toEqual([
        400,
        expect.stringMatching(/^(InvalidArgument|AuthorizationHeaderMalformed)$/),
      ]);
    },
  );

  it('that is empty is none', async () => {
    const headers = { authorization: '' };
    const answer = await ask(server, { method: 'PUT', path: '/uploads/x', headers, pair: null });
    expectS3Error(answer, 403, 'AccessDenied');
  });
});
