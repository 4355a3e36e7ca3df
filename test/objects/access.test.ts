import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import {
  ADMIN_KEY,
  AS_ADMIN,
  asBasic,
  pathOf,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import { amzDateOf, type KeyPair } from '../support/sign-form.ts';
import {
  headersV2,
  headersV4,
  presignV2,
  presignV4,
  type ToSign,
} from '../support/sign-request.ts';

/** Who may read and delete what: signatures in header and query, Basic, ACLs and grants. */

let server: S3Server;
let member: KeyPair;
let reader: KeyPair;

beforeAll(async () => {
  server = await startS3Server({ LOG_LEVEL: 'trace' });
  await server.makeBucket('listed', 'public-read');
  await server.makeBucket('listed-by-users', 'authenticated-read');
  await server.makeBucket('written-by-all', 'public-read-write');
  member = await server.makeMember('maria', [{ prefix: 'uploads/maria/', access: 'write' }]);
  reader = await server.makeMember('rhea', [{ prefix: 'uploads/maria/', access: 'read' }]);
  for (const acl of [
    'private',
    'public-read',
    'public-read-write',
    'authenticated-read',
    'bucket-owner-read',
    'bucket-owner-full-control',
    'aws-exec-read',
  ]) {
    await put(acl, acl);
    await put(`maria/${acl}`, acl);
  }
  await put('k ü/+?', 'public-read', 'listed');
});

afterAll(() => server.stop());

async function put(key: string, acl = 'private', bucket = 'uploads'): Promise<void> {
  const answer = await server.uploadSigned({ bucket, fields: { key, acl } }, { file: 'bytes' });
  expect(answer.status, answer.text).toBe(204);
}

type Way = 'V4 header' | 'V4 URL' | 'V2 header' | 'V2 URL';
const WAYS: readonly Way[] = ['V4 header', 'V4 URL', 'V2 header', 'V2 URL'];

function send(
  way: Way,
  pair: KeyPair,
  path: string,
  method = 'GET',
  more: Partial<ToSign> = {},
): Promise<S3Answer> {
  const request = { pair, path, method, host: server.host, ...more };
  const { host } = request;
  switch (way) {
    case 'V4 header':
      return sendS3(server.url, { method, path, headers: headersV4(request) });
    case 'V4 URL':
      return sendS3(server.url, { method, path: presignV4(request), headers: { host } });
    case 'V2 header':
      return sendS3(server.url, { method, path, headers: headersV2(request) });
    case 'V2 URL':
      return sendS3(server.url, { method, path: presignV2(request), headers: { host } });
  }
}

describe.each(WAYS)('signed with a %s', (way) => {
  it('the admin reads, heads and deletes', async () => {
    await put('own k/ü+');
    const path = pathOf('uploads', 'own k/ü+');
    const head = await send(way, ADMIN_KEY, path, 'HEAD');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '5']);
    const answer = await send(way, ADMIN_KEY, path);
    expect([answer.status, answer.text]).toEqual([200, 'bytes']);
    expect((await send(way, ADMIN_KEY, path, 'DELETE')).status).toBe(204);
    await server.expectAbsent('uploads', 'own k/ü+');
  });

  it('by Host the bucket is signed as well', async () => {
    const host = 'uploads.localhost';
    const request = { pair: ADMIN_KEY, path: '/private', host };
    const resource = '/uploads/private';
    const answer = await sendS3(
      server.url,
      {
        'V4 header': { path: '/private', headers: headersV4(request) },
        'V4 URL': { path: presignV4(request), headers: { host } },
        'V2 header': { path: '/private', headers: headersV2(request, resource) },
        'V2 URL': { path: presignV2(request, resource), headers: { host } },
      }[way],
    );
    expect([answer.status, answer.text]).toEqual([200, 'bytes']);
  });

  it('a member reads what its grants cover, and what ACLs open to users', async () => {
    for (const [key, pair, status] of [
      ['maria/private', member, 200],
      ['maria/private', reader, 200],
      ['private', member, 403],
      ['bucket-owner-read', member, 403],
      ['bucket-owner-full-control', member, 403],
      ['aws-exec-read', member, 403],
      ['authenticated-read', member, 200],
      ['public-read', member, 200],
    ] as const) {
      const answer = await send(way, pair, pathOf('uploads', key));
      expect([key, answer.status]).toEqual([key, status]);
      if (status === 403) expectS3Error(answer, 403, 'AccessDenied', { Message: 'Access Denied' });
    }
  });

  it('a member deletes only what it may write', async () => {
    await put('maria/deleted');
    const path = pathOf('uploads', 'maria/deleted');
    expectS3Error(await send(way, reader, path, 'DELETE'), 403, 'AccessDenied');
    expectS3Error(await send(way, member, '/uploads/private', 'DELETE'), 403, 'AccessDenied');
    expectS3Error(
      await send(way, member, '/uploads/public-read-write', 'DELETE'),
      403,
      'AccessDenied',
    );
    expect((await server.read('uploads', 'maria/deleted')).status).toBe(200);
    expect((await send(way, member, path, 'DELETE')).status).toBe(204);
    await server.expectAbsent('uploads', 'maria/deleted');
  });

  it('a wrong secret is told what to sign, also of what all may read', async () => {
    const pair = { ...ADMIN_KEY, secretAccessKey: 'wrong secret' };
    for (const key of ['private', 'public-read', 'absent']) {
      expectS3Error(await send(way, pair, pathOf('uploads', key)), 403, 'SignatureDoesNotMatch', {
        AWSAccessKeyId: ADMIN_KEY.accessKeyId,
        StringToSign: expect.stringMatching(/\S/),
        StringToSignBytes: expect.stringMatching(/^[\da-f]{2}( [\da-f]{2})+$/),
        SignatureProvided: expect.stringMatching(/\S/),
      });
    }
  });

  it('an unknown access key is refused', async () => {
    const pair = { ...ADMIN_KEY, accessKeyId: 'AKIDNOBODY0000000000' };
    expectS3Error(await send(way, pair, '/uploads/public-read'), 403, 'InvalidAccessKeyId', {
      AWSAccessKeyId: 'AKIDNOBODY0000000000',
    });
  });

  it('is over with its user, and with its key, at once', async () => {
    for (const what of ['user', 'key']) {
      const pair = await server.makeMember('brief', [{ prefix: 'uploads/maria/', access: 'read' }]);
      expect((await send(way, pair, '/uploads/maria%2Fprivate')).status).toBe(200);
      const path = what === 'user' ? '/api/users/brief' : `/api/access-keys/${pair.accessKeyId}`;
      expect((await server.admin('DELETE', path)).status).toBe(204);
      expectS3Error(await send(way, pair, '/uploads/maria%2Fprivate'), 403, 'InvalidAccessKeyId');
    }
  });

  it('is over in time', async () => {
    const time = Date.now() - 3_600_000;
    const isUrl = way.endsWith('URL');
    const answer = await send(way, ADMIN_KEY, '/uploads/private', 'GET', { time });
    expectS3Error(answer, 403, isUrl ? 'AccessDenied' : 'RequestTimeTooSkewed', {
      Message: isUrl
        ? 'Request has expired'
        : 'The difference between the request time and the current time is too large.',
    });
  });

  it('is good for its method alone', async () => {
    const request = { pair: ADMIN_KEY, path: '/uploads/private', host: server.host };
    const answer = await sendS3(server.url, {
      method: 'DELETE',
      ...{
        'V4 header': { path: request.path, headers: headersV4(request) },
        'V4 URL': { path: presignV4(request) },
        'V2 header': { path: request.path, headers: headersV2(request) },
        'V2 URL': { path: presignV2(request) },
      }[way],
    });
    expectS3Error(answer, 403, 'SignatureDoesNotMatch');
    expect((await server.read('uploads', 'private')).status).toBe(200);
  });

  it('is never in the log, nor is the secret', async () => {
    const request = { pair: ADMIN_KEY, path: '/uploads/private', host: server.host };
    const url = way === 'V4 URL' ? presignV4(request) : presignV2(request);
    const headers = way === 'V4 header' ? headersV4(request) : headersV2(request);
    const signature = way.endsWith('URL')
      ? new URL(url, 'http://x').searchParams.get(
          way === 'V4 URL' ? 'X-Amz-Signature' : 'Signature',
        )
      : headers['authorization']?.split(/Signature=|:/).at(-1);
    const answer = await sendS3(
      server.url,
      way.endsWith('URL') ? { path: url } : { path: request.path, headers },
    );
    expect(answer.status).toBe(200);
    const id = answer.headers.get('x-amz-request-id') ?? '';
    await expect.poll(() => server.log()).toContain(`"id":"${id}"`);
    expect(signature?.length).toBeGreaterThan(20);
    expect(server.log()).not.toContain(signature);
    expect(server.log()).not.toContain(encodeURIComponent(signature ?? ''));
    expect(server.log()).not.toContain(ADMIN_KEY.secretAccessKey);
  });
});

describe('signatures of version 4', () => {
  it('take any region', async () => {
    for (const region of ['eu-central-1', 'auto', 'x']) {
      expect(
        (await send('V4 header', ADMIN_KEY, '/uploads/private', 'GET', { region })).status,
      ).toBe(200);
      expect((await send('V4 URL', ADMIN_KEY, '/uploads/private', 'GET', { region })).status).toBe(
        200,
      );
    }
  });

  it('in an URL are dated neither ahead nor for more than a week', async () => {
    const early = await send('V4 URL', ADMIN_KEY, '/uploads/private', 'GET', {
      time: Date.now() + 3_600_000,
    });
    expectS3Error(early, 403, 'AccessDenied', { Message: 'Request is not yet valid' });
    const long = await send('V4 URL', ADMIN_KEY, '/uploads/private', 'GET', { expires: 604_801 });
    expectS3Error(long, 400, 'AuthorizationQueryParametersError');
  });

  it('in an URL cover its query', async () => {
    const url = presignV4({ pair: ADMIN_KEY, path: '/uploads/private', host: server.host });
    const answer = await sendS3(server.url, { path: `${url}&response-content-type=text/html` });
    expectS3Error(answer, 403, 'SignatureDoesNotMatch');
    const again = await sendS3(server.url, { path: url.replace('Expires=60', 'Expires=600') });
    expectS3Error(again, 403, 'SignatureDoesNotMatch');
  });

  it('cover every x-amz- header', async () => {
    const headers = headersV4({ pair: ADMIN_KEY, path: '/uploads/private', host: server.host });
    const answer = await sendS3(server.url, {
      path: '/uploads/private',
      headers: { ...headers, 'x-amz-meta-a': 'b' },
    });
    expectS3Error(answer, 403, 'AccessDenied', { HeadersNotSigned: 'x-amz-meta-a' });
  });

  it('cover the host', async () => {
    const headers = headersV4({ pair: ADMIN_KEY, path: '/uploads/private', host: 'elsewhere' });
    const answer = await sendS3(server.url, {
      path: '/uploads/private',
      headers: { ...headers, host: server.host },
    });
    expectS3Error(answer, 403, 'SignatureDoesNotMatch');
  });

  it.each([
    'AWS4-HMAC-SHA256',
    'AWS4-HMAC-SHA256 Credential=a',
    'AWS',
    'AWS a',
    'AWS a:b:c',
    'AWS :',
    'Bearer token',
    'AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request, SignedHeaders=host, Signature=x',
  ])('malformed as %s are told so', async (authorization) => {
    const headers = { authorization, 'x-amz-date': amzDateOf(Date.now()) };
    const answer = await sendS3(server.url, { path: '/uploads/public-read', headers });
    expect([400, 403]).toContain(answer.status);
    expectS3Error(answer, answer.status, answer.xml['Code'] ?? '');
  });

  it('are one at a time', async () => {
    const path = presignV4({ pair: ADMIN_KEY, path: '/uploads/private', host: server.host });
    const headers = headersV2({ pair: ADMIN_KEY, path: '/uploads/private', host: server.host });
    expectS3Error(await sendS3(server.url, { path, headers }), 400, 'InvalidArgument');
    // A browser may add Basic credentials to a link.
    expect((await sendS3(server.url, { path, headers: asBasic('admin', 'wrong') })).status).toBe(
      200,
    );
  });
});

describe('anonymous', () => {
  it.each([
    ['public-read', 200],
    ['public-read-write', 200],
    ['private', 403],
    ['authenticated-read', 403],
    ['bucket-owner-read', 403],
    ['bucket-owner-full-control', 403],
    ['aws-exec-read', 403],
  ])('an object that is %s: %i', async (key, status) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await sendS3(server.url, { method, path: `/uploads/${key}` });
      expect(answer.status).toBe(status);
    }
    const answer = await sendS3(server.url, { method: 'DELETE', path: `/uploads/${key}` });
    expectS3Error(answer, 403, 'AccessDenied');
    expect((await server.read('uploads', key)).text).toBe('bytes');
  });

  it('deletes where all may write', async () => {
    await put('k', 'private', 'written-by-all');
    const path = '/written-by-all/k';
    expectS3Error(await sendS3(server.url, { path }), 403, 'AccessDenied');
    expect((await sendS3(server.url, { method: 'DELETE', path })).status).toBe(204);
  });

  it('is told that a bucket is not there', async () => {
    expectS3Error(await sendS3(server.url, { path: '/nowhere/k' }), 404, 'NoSuchBucket', {
      Message: 'The specified bucket does not exist',
      BucketName: 'nowhere',
    });
  });
});

describe('that an object is not there', () => {
  it.each<[string, string, Record<string, () => Record<string, string>>, number]>([
    ['strangers', 'uploads', { anonymous: () => ({}) }, 403],
    ['strangers, of a public list', 'listed', { anonymous: () => ({}) }, 404],
    ['strangers, of a list for users', 'listed-by-users', { anonymous: () => ({}) }, 403],
    ['users, of a list for users', 'listed-by-users', { basic: () => asBasic('maria') }, 404],
    ['the admin', 'uploads', { basic: () => AS_ADMIN }, 404],
    ['a member outside of its grants', 'uploads', { basic: () => asBasic('maria') }, 403],
  ])('is told or not told to %s', async (_name, bucket, callers, status) => {
    for (const headers of Object.values(callers)) {
      const answer = await sendS3(server.url, { path: `/${bucket}/absent`, headers: headers() });
      expectS3Error(answer, status, status === 404 ? 'NoSuchKey' : 'AccessDenied');
    }
  });

  it('is told to a member within its grants', async () => {
    for (const name of ['maria', 'rhea']) {
      const answer = await sendS3(server.url, {
        path: '/uploads/maria/absent',
        headers: asBasic(name),
      });
      expectS3Error(answer, 404, 'NoSuchKey', { Key: 'maria/absent' });
    }
  });
});

describe('Basic credentials', () => {
  it('read and delete as the grants allow', async () => {
    await put('maria/basic');
    const path = '/uploads/maria/basic';
    expect((await sendS3(server.url, { path, headers: asBasic('rhea') })).text).toBe('bytes');
    const refused = await sendS3(server.url, { method: 'DELETE', path, headers: asBasic('rhea') });
    expectS3Error(refused, 403, 'AccessDenied');
    const removed = await sendS3(server.url, { method: 'DELETE', path, headers: asBasic('maria') });
    expect(removed.status).toBe(204);
  });

  it('that are wrong are challenged', async () => {
    const answer = await sendS3(server.url, {
      path: '/uploads/public-read',
      headers: asBasic('admin', 'wrong'),
      localAddress: '127.0.0.8',
    });
    expectS3Error(answer, 401, 'AccessDenied');
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="keystow", charset="UTF-8"');
  });

  it.each<[string, Record<string, string>]>([
    ['a foreign origin', { origin: 'https://evil.example' }],
    ['the origin null', { origin: 'null' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
  ])('do not count from a page of %s', async (_name, from) => {
    for (const method of ['GET', 'DELETE', 'HEAD']) {
      const headers = { ...AS_ADMIN, ...from };
      const answer = await sendS3(server.url, { method, path: '/uploads/private', headers });
      expect(answer.status).toBe(403);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    }
    const bucket = await sendS3(server.url, {
      method: 'DELETE',
      path: '/listed',
      headers: { ...AS_ADMIN, ...from },
    });
    expectS3Error(bucket, 403, 'AccessDenied');
    expect((await server.read('uploads', 'private')).status).toBe(200);
  });

  it('signatures count from everywhere', async () => {
    const request = { pair: ADMIN_KEY, path: '/uploads/private', host: server.host };
    const headers = { ...headersV4(request), origin: 'https://evil.example' };
    expect((await sendS3(server.url, { path: request.path, headers })).status).toBe(200);
  });
});
