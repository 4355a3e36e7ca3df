import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error, sendS3 } from '../support/s3-client.ts';
import {
  AS_ADMIN,
  asBasic,
  FORM_TYPE,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import type { Pairs } from '../support/sign-form.ts';

/** Forms without a policy: anonymous ones, and those with Basic credentials. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server({ CORS_ORIGINS: 'https://app.example' });
  for (const acl of ['private', 'public-read', 'authenticated-read', 'public-read-write']) {
    await server.makeBucket(acl, acl);
  }
  await server.makeMember('maria', [
    { prefix: 'private/maria/', access: 'write' },
    { prefix: 'private/read/', access: 'read' },
  ]);
});

afterAll(() => server.stop());

function upload(
  bucket: string,
  key: string,
  headers: Record<string, string> = {},
  more: Pairs = [],
) {
  return server.upload({ path: `/${bucket}`, pairs: [['key', key], ...more], file: 'x', headers });
}

describe('an anonymous form', () => {
  it.each(['private', 'public-read', 'authenticated-read'])(
    'is refused by a bucket that is %s',
    async (bucket) => {
      expectS3Error(await upload(bucket, 'k'), 403, 'AccessDenied', { Message: 'Access Denied' });
      await server.expectEmptyBucket(bucket);
      await server.makeBucket(bucket, bucket);
    },
  );

  it('is stored in one that is public-read-write, private unless it says more', async () => {
    expect((await upload('public-read-write', 'quiet')).status).toBe(204);
    expect((await upload('public-read-write', 'loud', {}, [['acl', 'public-read']])).status).toBe(
      204,
    );
    expect((await sendS3(server.url, { path: '/public-read-write/loud' })).text).toBe('x');
    expectS3Error(
      await sendS3(server.url, { path: '/public-read-write/quiet' }),
      403,
      'AccessDenied',
    );
  });

  it('may name its bucket in a field', async () => {
    const answer = await server.upload({
      pairs: [
        ['bucket', 'public-read-write'],
        ['key', 'fielded'],
      ],
      file: 'x',
    });
    expect(answer.status, answer.text).toBe(204);
  });

  it('needs no conditions for its fields', async () => {
    const more: Pairs = [
      ['submit', 'Send'],
      ['success_action_status', '201'],
    ];
    expect((await upload('public-read-write', 'more', {}, more)).status).toBe(201);
  });

  it('is not mended by an empty policy', async () => {
    const answer = await upload('public-read-write', 'k', {}, [['policy', '']]);
    expect([400, 403]).toContain(answer.status);
    await server.expectAbsent('public-read-write', 'k');
  });
});

describe('a form with Basic credentials', () => {
  it('is stored where the grants allow it', async () => {
    expect((await upload('private', 'k', AS_ADMIN)).status).toBe(204);
    expect((await upload('private', 'maria/k', asBasic('maria'))).status).toBe(204);
    expectS3Error(await upload('private', 'read/k', asBasic('maria')), 403, 'AccessDenied');
    expectS3Error(await upload('private', 'other', asBasic('maria')), 403, 'AccessDenied');
    await server.expectAbsent('private', 'read/k');
    await server.expectAbsent('private', 'other');
  });

  it.each([
    ['a wrong password', asBasic('admin', 'wrong')],
    ['an unknown user', asBasic('nobody')],
  ])('is refused with %s, also where all may write', async (_name, headers) => {
    const answer = await sendS3(server.url, {
      method: 'POST',
      path: '/public-read-write',
      headers: { ...headers, 'content-type': FORM_TYPE },
      localAddress: '127.0.0.9',
      body: '--keystow-test-boundary\r\nContent-Disposition: form-data; name="key"\r\n\r\nwrong\r\n--keystow-test-boundary\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--keystow-test-boundary--\r\n',
    });
    expectS3Error(answer, 401, 'AccessDenied');
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="keystow", charset="UTF-8"');
    await server.expectAbsent('public-read-write', 'wrong');
  });

  it.each<[string, Record<string, string>]>([
    ['a foreign origin', { origin: 'https://evil.example' }],
    ['the origin null', { origin: 'null' }],
    ['the same host on another port', { origin: 'http://127.0.0.1:1' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
  ])('does not count from a page of %s', async (_name, headers) => {
    const answer = await upload('private', 'foreign', { ...AS_ADMIN, ...headers });
    expectS3Error(answer, 403, 'AccessDenied');
    await server.expectAbsent('private', 'foreign');
  });

  it.each<[string, () => Record<string, string>]>([
    ['of this server', () => ({ origin: server.url })],
    ['in CORS_ORIGINS', () => ({ origin: 'https://app.example', 'sec-fetch-site': 'cross-site' })],
  ])('counts from a page %s', async (_name, headers) => {
    const answer = await upload('private', 'own', { ...AS_ADMIN, ...headers() });
    expect(answer.status, answer.text).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('does not mend a wrong signature', async () => {
    const answer = await upload('private', 'mended', AS_ADMIN, [
      ['policy', 'e30='],
      ['AWSAccessKeyId', 'AKIDADMIN00000000001'],
      ['signature', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
    ]);
    expectS3Error(answer, 403, 'SignatureDoesNotMatch');
    await server.expectAbsent('private', 'mended');
  });
});
