import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import {
  ADMIN_KEY,
  AS_ADMIN,
  asBasic,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import type { KeyPair } from '../support/sign-form.ts';
import { headersV2, headersV4 } from '../support/sign-request.ts';

/** Buckets by S3's own calls: ListBuckets, CreateBucket, HeadBucket, DeleteBucket. */

let server: S3Server;
let member: KeyPair;

beforeAll(async () => {
  server = await startS3Server();
  member = await server.makeMember('maria', [{ prefix: 'uploads/maria/', access: 'write' }]);
  await server.makeBucket('public', 'public-read');
});

afterAll(() => server.stop());

function send(
  method: string,
  path: string,
  options: { pair?: KeyPair; headers?: Record<string, string>; body?: string } = {},
): Promise<S3Answer> {
  const { pair = ADMIN_KEY, body } = options;
  const request = {
    pair,
    method,
    path,
    host: server.host,
    ...(options.headers ? { headers: options.headers } : {}),
    ...(body === undefined ? {} : { body }),
  };
  return sendS3(server.url, {
    method,
    path,
    headers: headersV4(request),
    ...(body === undefined ? {} : { body }),
  });
}

describe('ListBuckets', () => {
  it('lists all to the admin, signed in every way', async () => {
    const v2 = headersV2({ pair: ADMIN_KEY, path: '/', host: server.host });
    for (const answer of [
      await send('GET', '/'),
      await sendS3(server.url, { path: '/', headers: v2 }),
    ]) {
      expect(answer.status, answer.text).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/xml');
      const names = [...answer.text.matchAll(/<Bucket><Name>([^<]+)<\/Name><CreationDate>\d{4}-/g)];
      expect(names.map(([, name]) => name)).toEqual(['public', 'submissions', 'uploads']);
      expect(answer.text).toContain(
        '<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
      );
    }
  });

  it('lists to a member what its grants cover', async () => {
    const answer = await send('GET', '/', { pair: member });
    expect([...answer.text.matchAll(/<Name>([^<]+)/g)].map(([, name]) => name)).toEqual([
      'uploads',
    ]);
  });

  it('is only for signed requests: others see what GET / is', async () => {
    const answer = await sendS3(server.url, { path: '/' });
    expect(JSON.parse(answer.text)).toMatchObject({ name: 'keystow' });
    const wrong = await send('GET', '/', {
      pair: { ...ADMIN_KEY, secretAccessKey: 'wrong secret' },
    });
    expectS3Error(wrong, 403, 'SignatureDoesNotMatch');
  });
});

describe('CreateBucket', () => {
  it('makes a bucket, once', async () => {
    const answer = await send('PUT', '/made');
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers.get('location')).toBe('/made');
    expectS3Error(await send('PUT', '/made'), 409, 'BucketAlreadyOwnedByYou', {
      BucketName: 'made',
    });
    expect((await send('HEAD', '/made')).status).toBe(200);
  });

  it('with an ACL, a configuration, Basic credentials', async () => {
    expect((await send('PUT', '/opened', { headers: { 'x-amz-acl': 'public-read' } })).status).toBe(
      200,
    );
    expect((await sendS3(server.url, { method: 'HEAD', path: '/opened' })).status).toBe(200);
    const body =
      '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>';
    expect((await send('PUT', '/configured', { body })).status).toBe(200);
    const basic = await sendS3(server.url, { method: 'PUT', path: '/by-basic', headers: AS_ADMIN });
    expect(basic.status, basic.text).toBe(200);
  });

  it.each([
    ['ab', 400, 'InvalidBucketName'],
    ['Capital', 400, 'InvalidBucketName'],
    ['under_score', 400, 'InvalidBucketName'],
    ['192.168.0.1', 400, 'InvalidBucketName'],
    ['a..b', 400, 'InvalidBucketName'],
    ['-ab', 400, 'InvalidBucketName'],
    ['xn--ab', 400, 'InvalidBucketName'],
    ['b'.repeat(64), 400, 'InvalidBucketName'],
    ['%C3%BCber', 400, 'InvalidBucketName'],
  ])('refuses the name %s', async (name, status, code) => {
    expectS3Error(await send('PUT', `/${name}`), status, code);
  });

  it('refuses an unknown ACL, other XML, another hash, and settings that it does not have', async () => {
    expectS3Error(
      await send('PUT', '/refused', { headers: { 'x-amz-acl': 'all' } }),
      400,
      'InvalidArgument',
    );
    expectS3Error(await send('PUT', '/refused', { body: '<Other/>' }), 400, 'MalformedXML');
    expectS3Error(await send('PUT', '/refused', { body: 'no XML' }), 400, 'MalformedXML');
    expectS3Error(
      await send('PUT', '/refused', { headers: { 'x-amz-grant-read': 'id=1' } }),
      501,
      'NotImplemented',
    );
    for (const headers of [
      { 'x-amz-bucket-object-lock-enabled': 'true' },
      { 'x-amz-object-ownership': 'BucketOwnerEnforced' },
    ]) {
      expectS3Error(await send('PUT', '/refused', { headers }), 501, 'NotImplemented');
    }
    for (const member of [
      '<Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags>',
      '<Bucket><Type>Directory</Type></Bucket>',
    ]) {
      const body = `<CreateBucketConfiguration>${member}</CreateBucketConfiguration>`;
      expectS3Error(await send('PUT', '/refused', { body }), 501, 'NotImplemented');
    }
    const headers = headersV4({
      pair: ADMIN_KEY,
      method: 'PUT',
      path: '/refused',
      host: server.host,
    });
    const answer = await sendS3(server.url, {
      method: 'PUT',
      path: '/refused',
      headers,
      body: '<CreateBucketConfiguration/>',
    });
    expectS3Error(answer, 400, 'XAmzContentSHA256Mismatch');
    expect((await send('HEAD', '/refused')).status).toBe(404);
  });

  it('is for admins', async () => {
    expectS3Error(await send('PUT', '/maria', { pair: member }), 403, 'AccessDenied');
    expectS3Error(await sendS3(server.url, { method: 'PUT', path: '/maria' }), 403, 'AccessDenied');
    expect((await send('HEAD', '/maria')).status).toBe(404);
  });
});

describe('HeadBucket', () => {
  it.each<[string, string, () => Record<string, string>, number]>([
    ['the admin', '/uploads', () => AS_ADMIN, 200],
    ['a member with a grant in it', '/uploads', () => asBasic('maria'), 200],
    ['a member without one', '/submissions', () => asBasic('maria'), 403],
    ['strangers', '/uploads', () => ({}), 403],
    ['strangers, of a public list', '/public', () => ({}), 200],
    ['strangers, of none', '/nowhere', () => ({}), 404],
  ])('for %s', async (_name, path, headers, status) => {
    const answer = await sendS3(server.url, { method: 'HEAD', path, headers: headers() });
    expect([answer.status, answer.text]).toEqual([status, '']);
    if (status === 200) expect(answer.headers.get('x-amz-bucket-region')).toBe('us-east-1');
    expect(answer.headers.get('x-amz-request-id')).toMatch(/./);
  });
});

describe('DeleteBucket', () => {
  it('removes an empty bucket, and no other', async () => {
    await server.makeBucket('removed');
    await server.uploadSigned({ bucket: 'removed', fields: { key: 'k' } }, { file: 'x' });
    expectS3Error(await send('DELETE', '/removed'), 409, 'BucketNotEmpty', {
      BucketName: 'removed',
    });
    expect((await server.read('removed', 'k')).text).toBe('x');
    await send('DELETE', '/removed/k');
    const answer = await send('DELETE', '/removed');
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    expectS3Error(await send('DELETE', '/removed'), 404, 'NoSuchBucket');
    expectS3Error(await send('GET', '/removed/k'), 404, 'NoSuchBucket');
  });

  it('is for admins', async () => {
    expectS3Error(await send('DELETE', '/submissions', { pair: member }), 403, 'AccessDenied');
    expectS3Error(
      await sendS3(server.url, { method: 'DELETE', path: '/submissions' }),
      403,
      'AccessDenied',
    );
    expect((await send('HEAD', '/submissions')).status).toBe(200);
  });
});

describe('other methods', () => {
  it.each(['PATCH', 'PROPFIND'])('%s is not allowed', async (method) => {
    for (const path of ['/', '/public', '/public/k']) {
      const answer = await sendS3(server.url, { method, path, headers: AS_ADMIN });
      expectS3Error(answer, 405, 'MethodNotAllowed', { Method: method });
      expect(answer.headers.get('allow')).toContain('GET');
    }
  });
});
