import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRaw } from '../support/raw-http.ts';
import { expectS3Error, readMembers, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, AS_ADMIN, type S3Server, startS3Server } from '../support/s3-server.ts';
import { presignV4 } from '../support/sign-request.ts';

/** Where a form goes: the Host, the path, a field or the policy, and what its Location then is. */

let server: S3Server;
const PUBLIC = 'https://saves.localhost';

beforeAll(async () => {
  server = await startS3Server({
    S3_DOMAINS: 'localhost,s3.example,a.s3.example',
    PUBLIC_URL: `${PUBLIC}/`,
    TRUST_PROXY: 'on',
    REGION: 'eu-test-1',
    UPLOAD_BUCKET: 'incoming.of-all',
    SUBMIT_BUCKET: 'submitted',
  });
  await server.makeBucket('here');
  await server.makeBucket('there');
});

afterAll(() => server.stop());

function upload(path: string, host: string, fields: Record<string, string> = {}, bucket = 'here') {
  return server.uploadSigned(
    { bucket, fields: { key: 'k', success_action_status: '201', ...fields } },
    { path, file: 'bytes', headers: { host } },
  );
}

describe('the bucket', () => {
  it.each([
    ['the Host', '/', 'here.localhost', {}],
    ['the Host and a port', '/', 'here.localhost:6375', {}],
    ['the Host in capitals', '/', 'HERE.LocalHost', {}],
    ['the Host of another domain', '/', 'here.s3.example', {}],
    ['the Host of the longest domain', '/', 'here.a.s3.example', {}],
    ['the path', '/here', 'localhost', {}],
    ['the path with a slash', '/here/', 'localhost', {}],
    ['the path on a domain', '/here', 's3.example', {}],
    ['the path on a host of no domain', '/here', 'here.elsewhere.example', {}],
    ['the form field', '/', 'localhost', { bucket: 'here' }],
    ['the policy', '/', 'localhost', {}],
    ['the Host over a form field', '/', 'here.localhost', { bucket: 'here' }],
  ])('is that of %s', async (_name, path, host, fields) => {
    const answer = await upload(path, host, fields);
    expect(answer.status, answer.text).toBe(201);
    expect(answer.xml).toMatchObject({ Bucket: 'here', Key: 'k' });
    expect((await server.read('here', 'k')).text).toBe('bytes');
    await server.admin('DELETE', '/here/k');
  });

  it.each([
    ['the path', '/there', 'localhost', 'here'],
    ['the Host', '/', 'there.localhost', 'here'],
  ])(
    'of %s wins over the form field and the policy, which then do not fit',
    async (_n, path, host, bucket) => {
      expectS3Error(await upload(path, host, { bucket }), 403, 'AccessDenied', {
        Message: 'Invalid according to Policy: Policy Condition failed: ["eq", "$bucket", "here"]',
      });
      await server.expectEmptyBucket('here');
      await server.expectEmptyBucket('there');
    },
  );

  it('of a form field must be the policy’s', async () => {
    const answer = await server.uploadSigned(
      {
        bucket: 'here',
        fields: { key: 'k', bucket: 'there' },
        conditions: [{ bucket: 'here' }, { key: 'k' }],
      },
      { file: 'x' },
    );
    expectS3Error(answer, 403, 'AccessDenied');
    await server.expectEmptyBucket('there');
  });

  it.each([
    ['nowhere', 404, 'NoSuchBucket'],
    ['BAD_NAME', 404, 'NoSuchBucket'],
  ])('%s is told as S3 does', async (bucket, status, code) => {
    expectS3Error(await upload(`/${bucket}`, 'localhost', {}, bucket), status, code);
  });

  it('is needed: an anonymous form for / does not say one', async () => {
    const answer = await server.upload({ pairs: [['key', 'k']], file: 'x' });
    expect(answer.status).toBe(400);
    expectS3Error(answer, 400, 'InvalidArgument');
  });

  it('is never an object: a form goes to the bucket alone', async () => {
    expectS3Error(await upload('/here/k', 'localhost'), 405, 'MethodNotAllowed');
    await server.expectEmptyBucket('here');
  });
});

describe('Location', () => {
  it.each([
    ['by path', '/here', 'localhost'],
    ['by Host', '/', 'here.localhost'],
  ])('begins with PUBLIC_URL, and names the bucket: %s', async (_name, path, host) => {
    const answer = await upload(path, host, { key: 'a b/ü' });
    // Nobody said that the bucket has a name below PUBLIC_URL: the path has it.
    expect(answer.headers.get('location')).toBe(`${PUBLIC}/here/a%20b%2F%C3%BC`);
    expect(answer.xml['Location']).toBe(`${PUBLIC}/here/a%20b%2F%C3%BC`);
    await server.admin('DELETE', '/here/a%20b%2F%C3%BC');
  });
});

describe('the host of PUBLIC_URL', () => {
  it.each(['saves.localhost', 'SAVES.localhost', 'saves.localhost:443'])(
    'is never a bucket: %s',
    async (host) => {
      const health = await sendS3(server.url, { path: '/api/health', headers: { host } });
      expect(health.status, health.text).toBe(200);
      const answer = await upload('/here', host);
      expect(answer.status, answer.text).toBe(201);
      await server.admin('DELETE', '/here/k');
    },
  );
});

describe('on a Host of a bucket only S3 exists', () => {
  const host = 'here.localhost';

  it.each([
    '/api/health',
    '/data',
    '/data/k',
    '/api/users',
    '/console',
    '/favicon.ico',
    '/metrics',
    '/submit-files',
  ])('%s is an object', async (path) => {
    const answer = await sendS3(server.url, { path, headers: { host, ...AS_ADMIN } });
    expectS3Error(answer, 404, 'NoSuchKey', { Key: path.slice(1) });
  });

  it('/socket.io/ too, whatever its query', async () => {
    const path = '/socket.io/?EIO=4&transport=polling';
    const answer = await sendS3(server.url, { path, headers: { host, ...AS_ADMIN } });
    expectS3Error(answer, 404, 'NoSuchKey', { Key: 'socket.io/' });
  });

  it('keys that are reserved segments elsewhere can be stored and read', async () => {
    for (const key of ['api/health', 'data/k', 'socket.io/x', 'robots.txt']) {
      const stored = await upload('/', host, { key });
      expect(stored.status, stored.text).toBe(201);
      const read = await sendS3(server.url, { path: `/${key}`, headers: { host, ...AS_ADMIN } });
      expect(read.text).toBe('bytes');
      const removed = await sendS3(server.url, {
        method: 'DELETE',
        path: `/${key}`,
        headers: { host, ...AS_ADMIN },
      });
      expect(removed.status).toBe(204);
    }
    await server.expectEmptyBucket('here');
  });

  it('GET / is the bucket', async () => {
    const answer = await sendS3(server.url, { path: '/', headers: { host, accept: 'text/html' } });
    expectS3Error(answer, 403, 'AccessDenied');
    const head = await sendS3(server.url, {
      method: 'HEAD',
      path: '/',
      headers: { host, ...AS_ADMIN },
    });
    expect(head.status).toBe(200);
    expect(head.headers.get('x-amz-bucket-region')).toBe('eu-test-1');
  });

  it('a reserved name is no bucket there either', async () => {
    for (const name of ['data', 'api', 'console']) {
      const answer = await sendS3(server.url, {
        method: 'PUT',
        path: '/',
        headers: { host: `${name}.localhost`, ...AS_ADMIN },
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect((await server.admin('GET', '/data')).status).toBe(200);
    }
  });
});

describe('TRUST_PROXY=on', () => {
  it('X-Forwarded-Host names the bucket', async () => {
    const answer = await server.uploadSigned(
      { bucket: 'here', fields: { key: 'k' } },
      { file: 'x', headers: { host: '127.0.0.1', 'x-forwarded-host': 'here.s3.example' } },
    );
    expect(answer.status, answer.text).toBe(204);
    await server.admin('DELETE', '/here/k');
  });

  it('X-Forwarded-Host is what clients signed', async () => {
    await upload('/here', 'localhost');
    const path = presignV4({ pair: ADMIN_KEY, path: '/here/k', host: 'public.example' });
    const answer = await sendS3(server.url, {
      path,
      headers: { host: '127.0.0.1:1234', 'x-forwarded-host': 'public.example' },
    });
    expect(answer.status, answer.text.slice(0, 300)).toBe(200);
    await server.admin('DELETE', '/here/k');
  });
});

describe('UPLOAD_BUCKET and SUBMIT_BUCKET', () => {
  it('are there from the start', async () => {
    const { json } = await server.admin('GET', '/api/buckets');
    const names = (json as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['incoming.of-all', 'submitted']));
    expect(names).not.toContain('uploads');
  });
});

describe('HTTP', () => {
  it('an absolute request target names the path', async () => {
    const raw = await openRaw(server.url);
    raw.send('GET http://localhost/here/absent HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const answer = await raw.answer();
    raw.destroy();
    expect(readMembers(answer.text)).toMatchObject({ Code: 'AccessDenied' });
  });
});
