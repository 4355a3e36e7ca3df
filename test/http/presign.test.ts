import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, connect } from '../socket/client.ts';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import { rawRequest } from '../support/raw-http.ts';
import { createRest } from '../support/rest.ts';
import { AS_ADMIN, type S3Server, startS3Server } from '../support/s3-server.ts';

/** `POST /api/presign`: a URL with which anybody does one thing to one object, for a while. */

let now = Date.now();
let server: S3Server;

beforeAll(async () => {
  server = await startS3Server({}, { now: () => now });
  await server.makeBucket('files');
  await server.uploadSigned({ bucket: 'files', fields: { key: 'a' } }, { file: 'content of a' });
  await server.makeMember('maria', [
    { prefix: 'files/maria/', access: 'write' },
    { prefix: 'files/shared/', access: 'read' },
  ]);
});

afterAll(() => server.stop());

interface Wanted {
  method: string;
  bucket?: string;
  key: string;
  expiresIn?: number;
}

async function presign(wanted: Wanted, rest = server.admin): Promise<string> {
  const answer = await rest('POST', '/api/presign', { bucket: 'files', ...wanted });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(Object.keys(answer.json as object)).toEqual(['url']);
  return (answer.json as { url: string }).url;
}

function as(name: string) {
  return createRest(server.url, name, `${name}-password`);
}

async function codeOf(answer: Response): Promise<[number, string | undefined]> {
  return [answer.status, /<Code>(.*)<\/Code>/.exec(await answer.text())?.[1]];
}

describe('a presigned URL', () => {
  it('does what it is for, with fetch and nothing else', async () => {
    const put = await presign({ method: 'PUT', key: 'made' });
    expect((await fetch(put, { method: 'PUT', body: 'bytes' })).status).toBe(200);
    const get = await fetch(await presign({ method: 'GET', key: 'made' }));
    expect([get.status, await get.text()]).toEqual([200, 'bytes']);
    const head = await fetch(await presign({ method: 'HEAD', key: 'made' }), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '5']);
    const remove = await presign({ method: 'DELETE', key: 'made' });
    expect((await fetch(remove, { method: 'DELETE' })).status).toBe(204);
    await server.expectAbsent('files', 'made');
  });

  it('is for one method and one key', async () => {
    await server.uploadSigned({ bucket: 'files', fields: { key: 'b' } }, { file: 'content of b' });
    const refused = [403, 'SignatureDoesNotMatch'];
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const url = await presign({ method, key: 'a' });
      for (const other of ['GET', 'PUT', 'DELETE']) {
        if (other !== method)
          expect(await codeOf(await fetch(url, { method: other }))).toEqual(refused);
      }
      const elsewhere = url.replace('/files/a?', '/files/b?');
      expect(await codeOf(await fetch(elsewhere, { method }))).toEqual(refused);
      expect(await codeOf(await fetch(`${url}&tagging`, { method }))).toEqual(refused);
      const longer = url.replace('Expires=3600', 'Expires=36000');
      expect(await codeOf(await fetch(longer, { method }))).toEqual(refused);
    }
    expect((await server.read('files', 'a')).text).toBe('content of a');
    expect((await server.read('files', 'b')).text).toBe('content of b');
  });

  it.each([
    [undefined, 3_600],
    [1, 1],
    [604_800, 604_800],
  ])('asked for %s seconds works for %i', async (expiresIn, seconds) => {
    const wanted = { method: 'GET', key: 'a', ...(expiresIn === undefined ? {} : { expiresIn }) };
    const began = Math.floor(now / 1_000) * 1_000;
    const url = await presign(wanted);
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe(String(seconds));
    try {
      now = began + seconds * 1_000;
      expect((await fetch(url)).status).toBe(200);
      now += 1_000;
      const answer = await fetch(url);
      const text = await answer.text();
      expect([answer.status, text]).toEqual([403, expect.stringContaining('Request has expired')]);
    } finally {
      now = began;
    }
  });

  it.each([
    'a b',
    'a+b',
    'a%2Fb',
    'ü/字/🎮',
    '/leading',
    'a//b',
    'trailing/',
    'a?b=c&d#e',
    'a\\b',
    '!*\'();:@&=$,[]{}|^`~"<>',
    'line\nend',
    '../above',
    'a/../b',
    'a/./b',
    'a/..',
    './a',
    '...',
    '%2e%2e/x',
    'ü'.repeat(512),
    'data',
    'k?X-Amz-Signature=0',
  ])('names the key %j', async (key) => {
    const put = await presign({ method: 'PUT', key });
    expect((await fetch(put, { method: 'PUT', body: `of ${key}` })).status).toBe(200);
    const stored = await server.read('files', key);
    expect([stored.status, stored.text]).toEqual([200, `of ${key}`]);
    const get = await presign({ method: 'GET', key });
    expect(await (await fetch(get)).text()).toBe(`of ${key}`);
    const remove = await presign({ method: 'DELETE', key });
    expect((await fetch(remove, { method: 'DELETE' })).status).toBe(204);
  });

  it.each(['.', '..'])('cannot name the key %s, which no URL can', async (key) => {
    const answer = await server.admin('POST', '/api/presign', {
      method: 'GET',
      bucket: 'files',
      key,
    });
    expectError(answer, 400, /No URL/);
  });
});

describe('the caller’s grants', () => {
  it.each<[string, string, number]>([
    ['PUT', 'maria/k', 200],
    ['GET', 'maria/k', 200],
    ['HEAD', 'maria/k', 200],
    ['DELETE', 'maria/k', 200],
    ['GET', 'shared/k', 200],
    ['HEAD', 'shared/k', 200],
    ['PUT', 'shared/k', 403],
    ['DELETE', 'shared/k', 403],
    ['GET', 'a', 403],
    ['PUT', 'maria', 403],
  ])('%s %s: %i', async (method, key, status) => {
    const answer = await as('maria')('POST', '/api/presign', { method, bucket: 'files', key });
    if (status === 403) return expectError(answer, 403, /grant/);
    expect(answer.status).toBe(200);
  });

  it('cover a bucket that is not there as if it were', async () => {
    const wanted = { method: 'GET', bucket: 'no-such-bucket', key: 'k' };
    expectError(await as('maria')('POST', '/api/presign', wanted), 403);
    expectError(await server.admin('POST', '/api/presign', wanted), 404, /no-such-bucket/);
  });

  it('that are taken away take the URL with them, as does the end of key or user', async () => {
    const grants = [{ prefix: 'files/brief/', access: 'write' as const }];
    for (const end of ['grants', 'key', 'user'] as const) {
      const pair = await server.makeMember('brief', grants);
      const put = await presign({ method: 'PUT', key: 'brief/k' }, as('brief'));
      const get = await presign({ method: 'GET', key: 'brief/k' }, as('brief'));
      expect((await fetch(put, { method: 'PUT', body: 'x' })).status).toBe(200);
      expect((await fetch(get)).status).toBe(200);
      const { status } = await (
        {
          grants: () => server.admin('PUT', '/api/users/brief', { role: 'member', grants: [] }),
          key: () => server.admin('DELETE', `/api/access-keys/${pair.accessKeyId}`),
          user: () => server.admin('DELETE', '/api/users/brief'),
        } as const
      )[end]();
      expect([200, 204]).toContain(status);
      const code = end === 'grants' ? 'AccessDenied' : 'InvalidAccessKeyId';
      expect(await codeOf(await fetch(get))).toEqual([403, code]);
      expect(await codeOf(await fetch(put, { method: 'PUT', body: 'y' }))).toEqual([403, code]);
      expect((await server.read('files', 'brief/k')).text).toBe('x');
      if (end !== 'user') await server.admin('DELETE', '/api/users/brief');
    }
  });

  it('a user without an access key is given one', async () => {
    await server.admin('PUT', '/api/users/keyless', {
      password: 'keyless-password',
      role: 'member',
      grants: [{ prefix: 'files/', access: 'read' }],
    });
    expect((await fetch(await presign({ method: 'GET', key: 'a' }, as('keyless')))).status).toBe(
      200,
    );
    await presign({ method: 'GET', key: 'a' }, as('keyless'));
    expect((await as('keyless')('GET', '/api/access-keys')).json).toHaveLength(1);
  });
});

describe('refuses', () => {
  const right = { method: 'GET', bucket: 'files', key: 'k' };

  it.each<[string, unknown]>([
    ['no body', undefined],
    ['an array', [right]],
    ['no method', { bucket: 'files', key: 'k' }],
    ['another method', { ...right, method: 'POST' }],
    ['a method in lower case', { ...right, method: 'get' }],
    ['no bucket', { method: 'GET', key: 'k' }],
    ['no key', { method: 'GET', bucket: 'files' }],
    ['an empty key', { ...right, key: '' }],
    ['a key that is too long', { ...right, key: 'ü'.repeat(513) }],
    ['NUL in a key', { ...right, key: 'a\0' }],
    ['half a character', { ...right, key: '\ud800' }],
    ['no time', { ...right, expiresIn: 0 }],
    ['a negative time', { ...right, expiresIn: -1 }],
    ['more than a week', { ...right, expiresIn: 604_801 }],
    ['half a second', { ...right, expiresIn: 1.5 }],
    ['a time as text', { ...right, expiresIn: '60' }],
    ['something else', { ...right, expires: 60 }],
  ])('%s with 400', async (_name, body) => {
    expectError(await server.admin('POST', '/api/presign', body), 400);
  });

  it('who has no credentials, pages of other origins and other methods', async () => {
    const send = (options: object) =>
      sendRequest(server.url, {
        method: 'POST',
        path: '/api/presign',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(right),
        ...options,
      });
    expectError(await send({ credentials: null }), 401);
    const headers = { 'content-type': 'application/json', origin: 'https://evil.example' };
    expectError(await send({ headers }), 403, /origin/i);
    const get = await send({ method: 'GET' });
    expectError(get, 405);
    expect(get.headers.get('allow')).toBe('POST');
  });

  it('a request that does not say what it calls the server', async () => {
    const body = JSON.stringify(right);
    const answer = await rawRequest(
      server.url,
      `POST /api/presign HTTP/1.0\r\nAuthorization: ${AS_ADMIN.authorization}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expectError(answer, 400, /Host/);
  });
});

describe('over Socket.IO', () => {
  it('is the same', async () => {
    const client = await connect(server.url);
    try {
      const sign = (username: string, password: string, data: object) =>
        ask(client, {
          auth: { username, password },
          method: 'POST',
          url: '/api/presign',
          data,
        });
      const wanted = { method: 'GET', bucket: 'files', key: 'a' };
      const signed = await sign('admin', server.password, wanted);
      expect(signed.status).toBe(200);
      const { url } = signed.data as { url: string };
      expect(url).toMatch(`${server.url}/files/a?`);
      expect(await (await fetch(url)).text()).toBe('content of a');
      expect((await sign('maria', 'maria-password', wanted)).status).toBe(403);
      expect((await sign('admin', server.password, { ...wanted, key: '' })).status).toBe(400);
    } finally {
      client.close();
    }
  });
});

describe('behind a proxy', () => {
  /** Hands on what it gets, as it is asked to. */
  async function startProxy(
    target: () => string,
    change: (incoming: IncomingMessage) => { path: string; headers: Record<string, string> },
  ): Promise<{ url: string; proxy: Server }> {
    const proxy = createServer((incoming, outgoing) => {
      const { path, headers } = change(incoming);
      const { hostname, port } = new URL(target());
      const { method = 'GET' } = incoming;
      const handed = request(
        { hostname, port, method, path, headers: { ...incoming.headers, ...headers } },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        },
      );
      incoming.pipe(handed);
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    const { port } = proxy.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, proxy };
  }

  async function roundTrip(behind: S3Server, signAt: string, base: string): Promise<void> {
    const rest = createRest(signAt);
    const made = await behind.admin('PUT', '/api/buckets/files', {});
    expect([200, 201]).toContain(made.status);
    for (const key of ['k', 'ü b/../c']) {
      const url = async (method: string): Promise<string> => {
        const answer = await rest('POST', '/api/presign', { method, bucket: 'files', key });
        const { url: signed } = answer.json as { url: string };
        expect(signed.startsWith(`${base}/files/`), signed).toBe(true);
        return signed;
      };
      expect((await fetch(await url('PUT'), { method: 'PUT', body: 'bytes' })).status).toBe(200);
      expect(await (await fetch(await url('GET'))).text()).toBe('bytes');
    }
  }

  it.each(['', '/store', '/a/b c'])(
    'PUBLIC_URL with the path %j, which it takes off',
    async (path) => {
      let target = '';
      const sentPath = new URL(`http://x${path}`).pathname.replace(/\/$/, '');
      const { url, proxy } = await startProxy(
        () => target,
        ({ url: asked = '' }) => ({ path: asked.slice(sentPath.length), headers: {} }),
      );
      const behind = await startS3Server({ PUBLIC_URL: url + path });
      target = behind.url;
      await roundTrip(behind, behind.url, url + sentPath);
      proxy.close();
      await behind.stop();
    },
  );

  it('X-Forwarded-Host and -Proto with TRUST_PROXY', async () => {
    let target = '';
    let own = '';
    const { url, proxy } = await startProxy(
      () => target,
      ({ url: path = '' }) => ({
        path,
        headers: {
          host: 'inside.example',
          'x-forwarded-host': own,
          'x-forwarded-proto': 'http',
          'x-forwarded-for': '192.0.2.1',
        },
      }),
    );
    own = new URL(url).host;
    const behind = await startS3Server({ TRUST_PROXY: 'on' });
    target = behind.url;
    await roundTrip(behind, url, url);
    proxy.close();
    await behind.stop();
  });
});
