import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import {
  AS_ADMIN,
  FORM_TYPE,
  formBody,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import type { KeyPair } from '../support/sign-form.ts';
import { md5Base64, type SendSigned, signedRequests } from '../support/signed-requests.ts';

/** PutBucketCors, GetBucketCors, DeleteBucketCors, and what pages of other origins may read. */

const APP = 'https://app.example';
const RULES = `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <CORSRule>
    <ID>app</ID>
    <AllowedOrigin>${APP}</AllowedOrigin>
    <AllowedOrigin>https://*.apps.example</AllowedOrigin>
    <AllowedMethod>PUT</AllowedMethod><AllowedMethod>POST</AllowedMethod><AllowedMethod>DELETE</AllowedMethod>
    <AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader>
    <MaxAgeSeconds>600</MaxAgeSeconds>
    <ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-request-id</ExposeHeader>
  </CORSRule>
  <CORSRule>
    <AllowedOrigin>*</AllowedOrigin>
    <AllowedMethod>GET</AllowedMethod>
  </CORSRule>
</CORSConfiguration>`;
const VARY = ['Origin', 'Access-Control-Request-Headers', 'Access-Control-Request-Method'];

let server: S3Server;
let send: SendSigned;

beforeAll(async () => {
  server = await startS3Server();
  send = signedRequests(server);
  await server.makeBucket('files');
  await server.makeBucket('open', 'public-read-write');
  await send('PUT', '/files/public', { headers: { 'x-amz-acl': 'public-read' }, body: 'public' });
});

afterAll(() => server.stop());

async function putRules(bucket = 'files', body = RULES): Promise<void> {
  const answer = await send('PUT', `/${bucket}?cors`, { body });
  expect([answer.status, answer.text]).toEqual([200, '']);
}

async function dropRules(bucket = 'files'): Promise<void> {
  expect((await send('DELETE', `/${bucket}?cors`)).status).toBe(204);
}

function preflight(path: string, headers: Record<string, string>): Promise<S3Answer> {
  return sendS3(server.url, { method: 'OPTIONS', path, headers });
}

function asks(origin: string, method: string, requested?: string): Record<string, string> {
  return {
    origin,
    'access-control-request-method': method,
    ...(requested === undefined ? {} : { 'access-control-request-headers': requested }),
  };
}

/** What the answer says of CORS, without `access-control-`. */
function allowed({ headers }: S3Answer): Record<string, string> {
  const pairs = [...headers].filter(([name]) => name.startsWith('access-control-'));
  return Object.fromEntries(pairs.map(([name, value]) => [name.slice(15), value]));
}

function varyOf({ headers }: S3Answer): string[] {
  return (headers.get('vary') ?? '').split(/, */).filter((name) => name !== '');
}

describe('rules', () => {
  it('are put, shown, replaced and taken away', async () => {
    expectS3Error(await send('GET', '/files?cors'), 404, 'NoSuchCORSConfiguration', {
      BucketName: 'files',
    });
    await putRules();
    const shown = await send('GET', '/files?cors');
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'application/xml']);
    const plain = (xml: string) => xml.replaceAll(/>\s+</g, '><').replace(/^<\?xml.*?\?>\s*/, '');
    expect(plain(shown.text)).toBe(plain(RULES));
    const body =
      '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule></CORSConfiguration>';
    await putRules('files', body);
    expect((await send('GET', '/files?cors')).text).toContain(body.slice(19, -20));
    await dropRules();
    expectS3Error(await send('GET', '/files?cors'), 404, 'NoSuchCORSConfiguration');
    // There are none any more: the same success.
    await dropRules();
  });

  it('stay as they were where others cannot be kept', async () => {
    await putRules();
    const rule = (members: string) => ({
      body: `<CORSConfiguration><CORSRule>${members}</CORSRule></CORSConfiguration>`,
    });
    const some = '<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>';
    for (const [options, code] of [
      [{}, 'MalformedXML'],
      [{ body: '<CORSConfiguration/>' }, 'MalformedXML'],
      [{ body: '<Tagging/>' }, 'MalformedXML'],
      [rule(''), 'MalformedXML'],
      [rule('<AllowedOrigin>*</AllowedOrigin>'), 'MalformedXML'],
      [rule(`${some}<Other/>`), 'MalformedXML'],
      [rule(`${some}<MaxAgeSeconds>soon</MaxAgeSeconds>`), 'MalformedXML'],
      [rule(`${some}<AllowedMethod>PATCH</AllowedMethod>`), 'InvalidRequest'],
      [rule(`${some}<AllowedOrigin>https://*.*.example</AllowedOrigin>`), 'InvalidRequest'],
      [rule(`${some}<ExposeHeader>x-*</ExposeHeader>`), 'InvalidRequest'],
      [
        {
          body: `<CORSConfiguration>${`<CORSRule>${some}</CORSRule>`.repeat(101)}</CORSConfiguration>`,
        },
        'InvalidRequest',
      ],
    ] as const) {
      expectS3ErrorWithRules(await send('PUT', '/files?cors', options), 400, code);
    }
    const headers = { 'content-md5': md5Base64('other') };
    expectS3ErrorWithRules(
      await send('PUT', '/files?cors', { headers, body: RULES }),
      400,
      'BadDigest',
    );
    expect((await send('GET', '/files?cors')).text).toContain('<ID>app</ID>');
    const right = { 'content-md5': md5Base64(RULES) };
    expect((await send('PUT', '/files?cors', { headers: right, body: RULES })).status).toBe(200);
    await dropRules();
  });

  it('are for admins', async () => {
    const member: KeyPair = await server.makeMember('maria', [
      { prefix: 'files', access: 'write' },
    ]);
    await putRules();
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const body = method === 'PUT' ? { body: RULES } : {};
      expectS3ErrorWithRules(
        await send(method, '/files?cors', { pair: member, ...body }),
        403,
        'AccessDenied',
      );
      const anonymous = await sendS3(server.url, { method, path: '/files?cors', ...body });
      expectS3ErrorWithRules(anonymous, 403, 'AccessDenied');
    }
    expect((await send('GET', '/files?cors')).text).toContain('<ID>app</ID>');
    await dropRules();
    expect((await sendS3(server.url, { path: '/files?cors', headers: AS_ADMIN })).status).toBe(404);
  });

  it('are no business of the JSON settings, which leave them as they are', async () => {
    await putRules();
    await server.makeBucket('files', 'public-read');
    await send('PUT', '/files?acl', { headers: { 'x-amz-acl': 'private' } });
    expect((await send('GET', '/files?cors')).text).toContain('<ID>app</ID>');
    await dropRules();
  });

  it('are gone with their bucket', async () => {
    await server.makeBucket('short-lived');
    await putRules('short-lived');
    await send('DELETE', '/short-lived');
    await server.makeBucket('short-lived');
    expectS3Error(await send('GET', '/short-lived?cors'), 404, 'NoSuchCORSConfiguration');
  });
});

/** Of a bucket with rules: what comes without an Origin has nothing of CORS. */
function expectS3ErrorWithRules(answer: S3Answer, status: number, code: string): void {
  expect([answer.status, answer.xml['Code']], answer.text).toEqual([status, code]);
  expect(answer.headers.get('content-type')).toBe('application/xml');
  expect(answer.xml['RequestId']).toBe(answer.headers.get('x-amz-request-id'));
  expect(allowed(answer)).toEqual({});
}

describe('a preflight to a bucket with rules', () => {
  beforeEach(() => putRules());

  it.each([APP, 'https://a.apps.example'])('allows what a rule allows to %s', async (origin) => {
    for (const path of ['/files', '/files/', '/files/any/key', '/files?uploads']) {
      const headers = asks(origin, 'PUT', 'X-Amz-Acl, content-type,x-amz-meta-a');
      const answer = await preflight(path, headers);
      expect([answer.status, answer.text]).toEqual([200, '']);
      expect(allowed(answer)).toEqual({
        'allow-origin': origin,
        'allow-methods': 'PUT, POST, DELETE',
        'allow-headers': 'x-amz-acl, content-type, x-amz-meta-a',
        'expose-headers': 'ETag, x-amz-request-id',
        'max-age': '600',
      });
      expect(varyOf(answer)).toEqual(expect.arrayContaining(VARY));
      expect(answer.headers.get('x-amz-request-id')).toMatch(/./);
    }
  });

  it('allows to all what a rule allows to all', async () => {
    const answer = await preflight('/files/k', asks('https://any.example', 'GET'));
    expect(answer.status).toBe(200);
    expect(allowed(answer)).toEqual({ 'allow-origin': '*', 'allow-methods': 'GET' });
  });

  it.each<[string, Record<string, string>]>([
    ['another origin', asks('https://evil.example', 'PUT')],
    ['a longer origin', asks(`${APP}.evil.example`, 'PUT')],
    ['another scheme', asks(APP.replace('https', 'http'), 'PUT')],
    ['the bare wildcard', asks('https://apps.example', 'PUT')],
    ['the origin null', asks('null', 'PUT')],
    ['another method', asks(APP, 'HEAD')],
    ['a method that no rule can have', asks(APP, 'PATCH')],
    ['another header', asks(APP, 'PUT', 'x-amz-acl, authorization')],
    ['a header with a rule that has none', asks('https://any.example', 'GET', 'range')],
  ])('refuses %s, and allows nothing', async (_name, headers) => {
    for (const path of ['/files', '/files/k']) {
      const answer = await preflight(path, headers);
      expect(allowed(answer)).toEqual({});
      expectS3ErrorWithRules(answer, 403, 'AccessForbidden');
      expect(answer.xml['Message']).toContain('CORSResponse: This CORS request is not allowed.');
      expect(varyOf(answer)).toEqual(expect.arrayContaining(VARY));
    }
  });

  it('says what is missing', async () => {
    const none = await preflight('/files', { 'access-control-request-method': 'PUT' });
    expectS3ErrorWithRules(none, 400, 'BadRequest');
    expect(none.xml['Message']).toMatch(/Origin/);
    const half = await preflight('/files', { origin: APP });
    expectS3ErrorWithRules(half, 400, 'BadRequest');
    expect(half.xml['Message']).toMatch(/Access-Control-Request-Method/);
  });

  it('is for everybody: a signature or a grant changes nothing', async () => {
    for (const headers of [AS_ADMIN, { authorization: 'AWS nobody:nothing' }]) {
      const answer = await preflight('/files/k', { ...asks(APP, 'PUT'), ...headers });
      expect([answer.status, allowed(answer)['allow-origin']]).toEqual([200, APP]);
    }
  });

  it('on the bucket’s own Host, too', async () => {
    const host = { host: 'files.localhost' };
    const answer = await preflight('/k', { ...host, ...asks(APP, 'PUT') });
    expect([answer.status, allowed(answer)['allow-origin']]).toEqual([200, APP]);
    const refused = await preflight('/data/k', { ...host, ...asks('https://evil.example', 'PUT') });
    expectS3ErrorWithRules(refused, 403, 'AccessForbidden');
  });
});

describe('an answer of a bucket with rules', () => {
  beforeEach(() => putRules());

  it('may be read by the pages that a rule names', async () => {
    const answer = await send('PUT', '/files/k', { headers: { origin: APP }, body: 'x' });
    expect(answer.status).toBe(200);
    expect(allowed(answer)).toEqual({
      'allow-origin': APP,
      'allow-methods': 'PUT, POST, DELETE',
      'expose-headers': 'ETag, x-amz-request-id',
      'max-age': '600',
    });
    expect(varyOf(answer)).toContain('Origin');
    const read = await sendS3(server.url, {
      path: '/files/public',
      headers: { origin: 'https://any.example' },
    });
    expect([read.status, read.text]).toEqual([200, 'public']);
    expect(allowed(read)).toEqual({ 'allow-origin': '*', 'allow-methods': 'GET' });
  });

  it('is given to others as well, but not to their pages', async () => {
    for (const headers of [{ origin: 'https://evil.example' }, {}]) {
      const answer = await sendS3(server.url, { method: 'HEAD', path: '/files/public', headers });
      expect(answer.status).toBe(200);
      expect(allowed(answer)).toEqual({});
      expect(varyOf(answer)).toContain('Origin');
    }
    // Who may write is not for CORS to say.
    const headers = { origin: 'https://evil.example' };
    const answer = await send('PUT', '/files/k', { headers, body: 'written' });
    expect([answer.status, allowed(answer)]).toEqual([200, {}]);
    expect((await server.read('files', 'k')).text).toBe('written');
  });

  it('that is an error may be read as well, and no more', async () => {
    for (const [path, status] of [
      ['/files/absent', 403],
      ['/files?policy', 501],
      ['/files?acl&cors', 400],
      ['/files/k?X-Amz-Algorithm=AWS4-HMAC-SHA256', 400],
    ] as const) {
      const error = (origin: string) =>
        sendS3(server.url, { method: 'DELETE', path, headers: { origin } });
      const own = await error(APP);
      expect([own.status, allowed(own)['allow-origin']]).toEqual([status, APP]);
      const other = await error('https://evil.example');
      expect([other.status, allowed(other)]).toEqual([status, {}]);
    }
  });

  it('on the bucket’s own Host, too', async () => {
    const read = (origin: string) =>
      sendS3(server.url, { path: '/public', headers: { host: 'files.localhost', origin } });
    expect(allowed(await read('https://any.example'))).toEqual({
      'allow-origin': '*',
      'allow-methods': 'GET',
    });
    const put = await send('PUT', '/k', {
      host: 'files.localhost',
      headers: { origin: APP },
      body: 'x',
    });
    expect([put.status, allowed(put)['allow-origin']]).toEqual([200, APP]);
  });

  it.each(['/open', '/'])('to a form sent to %s is by its rules', async (path) => {
    await putRules('open');
    for (const [origin, expected] of [
      [APP, APP],
      ['https://evil.example', undefined],
    ] as const) {
      const form = (key: string) =>
        sendS3(server.url, {
          method: 'POST',
          path,
          headers: { 'content-type': FORM_TYPE, origin },
          body: formBody(
            [
              ['bucket', 'open'],
              ['key', key],
            ],
            'x',
          ),
        });
      const sent = await form('k');
      expect([sent.status, allowed(sent)['allow-origin']]).toEqual([204, expected]);
      const wrong = await form('k'.repeat(1_025));
      expect([wrong.xml['Code'], allowed(wrong)['allow-origin']]).toEqual([
        'KeyTooLongError',
        expected,
      ]);
    }
    await dropRules('open');
  });

  it('never lets a page send credentials', async () => {
    for (const origin of [APP, 'https://any.example', `http://${server.host}`]) {
      for (const answer of [
        await preflight('/files/k', asks(origin, 'GET')),
        await sendS3(server.url, { path: '/files/public', headers: { origin, ...AS_ADMIN } }),
      ]) {
        expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
      }
    }
    const headers = { origin: APP, ...AS_ADMIN };
    const answer = await sendS3(server.url, { method: 'DELETE', path: '/files/public', headers });
    expect(answer.status).toBe(403);
    expect((await server.read('files', 'public')).status).toBe(200);
  });
});

describe('without rules', () => {
  beforeAll(() => dropRules());

  it.each(['/files', '/files/k', '/no-such-bucket/k', '/'])(
    'a preflight to %s allows all, without credentials',
    async (path) => {
      const answer = await preflight(path, asks('https://any.example', 'PUT', 'x-amz-acl, a'));
      expect([answer.status, answer.text]).toEqual([200, '']);
      expect(allowed(answer)).toEqual({
        'allow-origin': '*',
        'allow-methods': 'GET, HEAD, POST, PUT, DELETE',
        'allow-headers': 'x-amz-acl, a',
        'expose-headers': '*',
        'max-age': '3000',
      });
      expect(varyOf(answer)).toContain('Access-Control-Request-Headers');
    },
  );

  it('every answer may be read by every page', async () => {
    for (const headers of [{ origin: 'https://any.example' }, {}]) {
      for (const path of ['/files/public', '/files/absent', '/no-such-bucket', '/files?policy']) {
        expect(allowed(await sendS3(server.url, { path, headers }))).toEqual({
          'allow-origin': '*',
          'expose-headers': '*',
        });
      }
    }
  });

  it('any OPTIONS is answered, and does nothing', async () => {
    for (const [path, headers] of [
      ['/files/public', {}],
      ['/files?cors', AS_ADMIN],
      ['/files/public?uploads', { origin: 'null' }],
      ['/', {}],
    ] as const) {
      const answer = await preflight(path, headers);
      expect([path, answer.status, answer.text]).toEqual([path, 200, '']);
    }
    expect((await server.read('files', 'public')).text).toBe('public');
  });
});
