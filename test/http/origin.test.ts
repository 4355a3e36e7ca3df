import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import type { RestAnswer } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** A browser sends Basic credentials by itself: what pages of other origins may do. */

const APP = 'https://app.example';

let closed: TestServer;
let open: TestServer;

beforeAll(async () => {
  [closed, open] = await Promise.all([
    startServer(),
    startServer({ env: { CORS_ORIGINS: `${APP}, http://localhost:5173` } }),
  ]);
});

afterAll(() => Promise.all([closed.stop(), open.stop()]));

const requests = [
  ['GET', '/data'],
  ['HEAD', '/data'],
  ['GET', '/data/absent'],
  ['POST', '/data/csrf'],
  ['PUT', '/data/csrf'],
  ['PATCH', '/data/csrf'],
  ['DELETE', '/data/csrf'],
  ['GET', '/api/users'],
  ['PUT', '/api/users/csrf'],
  ['DELETE', '/api/users/admin'],
  ['GET', '/api/nothing'],
  ['GET', '/data/%zz'],
] as const;

async function expectForbidden(server: TestServer, headers: Record<string, string>) {
  for (const [method, path] of requests) {
    for (const credentials of [null, { username: 'admin', password: server.password }]) {
      const body = '{"role":"admin","grants":[],"password":"x"}';
      const answer = await sendRequest(server.url, { method, path, headers, credentials, body });
      if (method === 'HEAD') expect(answer.status).toBe(403);
      else expectError(answer, 403, /origin/i);
      // Before anything else: no challenge, at which the browser would ask for a password.
      expect(answer.headers.get('www-authenticate')).toBeNull();
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  }
  const keys = await sendRequest(server.url, { path: '/data' });
  expect(keys.text).toBe('[]');
}

describe('without CORS_ORIGINS', () => {
  it.each([
    'https://evil.example',
    'http://localhost:1',
    'http://localhost.evil.example',
    'http://evil.example:{port}',
    'http://127.0.0.1.evil.example:{port}',
    'http://127.0.0.1',
    'null',
    'file://',
    'chrome-extension://abcdef',
    'garbage',
  ])('refuses the origin %s with 403 before anything else', async (origin) => {
    const { port } = new URL(closed.url);
    await expectForbidden(closed, { origin: origin.replace('{port}', port) });
  });

  it('refuses Sec-Fetch-Site: cross-site, whatever the Origin', async () => {
    await expectForbidden(closed, { 'sec-fetch-site': 'cross-site' });
    await expectForbidden(closed, { 'sec-fetch-site': 'cross-site', origin: closed.url });
  });

  it('refuses the preflight of a foreign page', async () => {
    const answer = await preflight(closed, APP, 'PUT');
    expectError(answer, 403);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('serves its own pages, however they name it', async () => {
    const { port } = new URL(closed.url);
    for (const [host, origin] of [
      [`127.0.0.1:${port}`, closed.url],
      [`localhost:${port}`, `http://localhost:${port}`],
      [`Keystow.Example:${port}`, `http://keystow.example:${port}`],
      ['keystow.example', 'http://keystow.example'],
      ['keystow.example:80', 'http://keystow.example'],
      // Behind a proxy that ends TLS.
      ['keystow.example', 'https://keystow.example'],
      [`[::1]:${port}`, `http://[::1]:${port}`],
    ] as const) {
      for (const site of ['same-origin', 'none', undefined]) {
        const headers = { host, origin, ...(site && { 'sec-fetch-site': site }) };
        const answer = await sendRequest(closed.url, { path: '/data', headers });
        expect(answer.status, origin).toBe(200);
      }
    }
  });

  it('serves who sends neither header, and what the user typed in', async () => {
    expect((await sendRequest(closed.url, { path: '/data' })).status).toBe(200);
    const headers = { 'sec-fetch-site': 'none' };
    expect((await sendRequest(closed.url, { path: '/data', headers })).status).toBe(200);
  });

  it('does not believe X-Forwarded-Host', async () => {
    const headers = { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' };
    expectError(await sendRequest(closed.url, { path: '/data', headers }), 403);
  });
});

function preflight(server: TestServer, origin: string, method: string): Promise<RestAnswer> {
  return sendRequest(server.url, {
    method: 'OPTIONS',
    path: '/data/a',
    credentials: null,
    headers: {
      origin,
      'sec-fetch-site': 'cross-site',
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type,if-match',
    },
  });
}

describe('with CORS_ORIGINS', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('answers the preflight of %s', async (method) => {
    const answer = await preflight(open, APP, method);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(APP);
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect(answer.headers.get('access-control-allow-methods')?.split(/, ?/)).toContain(method);
    expect(answer.headers.get('access-control-allow-headers')?.toLowerCase().split(/, ?/)).toEqual(
      expect.arrayContaining(['authorization', 'content-type', 'if-match']),
    );
    expect(answer.headers.get('vary')).toMatch(/origin/i);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  const cross = { origin: APP, 'sec-fetch-site': 'cross-site' };

  it('lets the pages of the origin do and read everything', async () => {
    const body = '{"a":1}';
    const send = (method: string, path: string, sent?: string) =>
      sendRequest(open.url, { method, path, headers: cross, ...(sent && { body: sent }) });
    const answers = [
      await send('POST', '/data/a', body),
      await send('GET', '/data/a'),
      await send('PUT', '/data/a', body),
      await send('GET', '/data?limit=1'),
      await send('GET', '/api/users'),
      await send('DELETE', '/data/a'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 200, 200, 204]);
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBe(APP);
      expect(headers.get('access-control-allow-credentials')).toBe('true');
      const exposed = headers.get('access-control-expose-headers')?.toLowerCase().split(/, ?/);
      expect(exposed).toEqual(expect.arrayContaining(['etag', 'location', 'link']));
    }
  });

  it('lets them read errors too', async () => {
    for (const [path, credentials, status] of [
      ['/data/absent', { username: 'admin', password: open.password }, 404],
      ['/data/absent', null, 401],
      ['/api/nothing', null, 404],
      ['/data?limit=0', { username: 'admin', password: open.password }, 400],
    ] as const) {
      const answer = await sendRequest(open.url, { path, credentials, headers: cross });
      expectError(answer, status);
      expect(answer.headers.get('access-control-allow-origin')).toBe(APP);
    }
  });

  it('names the second origin where that one asks', async () => {
    const headers = { origin: 'http://localhost:5173' };
    const answer = await sendRequest(open.url, { path: '/data', headers });
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
  });

  it('tells caches that answers differ by origin', async () => {
    for (const headers of [cross, {}] as Record<string, string>[]) {
      for (const path of ['/data', '/data/absent', '/api/users']) {
        const answer = await sendRequest(open.url, { path, headers });
        expect(answer.headers.get('vary'), path).toMatch(/\borigin\b/i);
      }
    }
  });

  it.each([
    'https://evil.example',
    'http://app.example',
    'https://app.example:8443',
    'https://app.example.evil.example',
    'https://xapp.example',
    'null',
  ])('refuses the other origin %s as before', async (origin) => {
    await expectForbidden(open, { origin });
    expectError(await preflight(open, origin, 'PUT'), 403);
  });

  it('refuses a cross-site request without an Origin', async () => {
    await expectForbidden(open, { 'sec-fetch-site': 'cross-site' });
  });
});
