import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, connect } from '../socket/client.ts';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import { rawRequest } from '../support/raw-http.ts';
import { expectS3Error, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, AS_ADMIN, type S3Server, startS3Server } from '../support/s3-server.ts';
import { headersV2 } from '../support/sign-request.ts';
import { type SendSigned, signedRequests } from '../support/signed-requests.ts';

/** Paths that Keystow keeps for itself are never S3's, whatever a request looks like. */

const RESERVED = [
  'data',
  'api',
  'submit-files',
  'console',
  'socket.io',
  'favicon.ico',
  'robots.txt',
  'metrics',
];

let server: S3Server;
let send: SendSigned;

beforeAll(async () => {
  server = await startS3Server();
  send = signedRequests(server);
  await server.makeBucket('files');
});

afterAll(() => server.stop());

describe.each(RESERVED)('/%s', (name) => {
  it('is no bucket, with a signature and any query', async () => {
    for (const [method, path, options] of [
      ['PUT', `/${name}`, {}],
      ['GET', `/${name}?list-type=2`, {}],
      ['PUT', `/${name}?acl`, { headers: { 'x-amz-acl': 'public-read-write' } }],
      ['PUT', `/${name}?cors`, { body: '<CORSConfiguration/>' }],
      ['POST', `/${name}?delete`, { body: '<Delete/>' }],
      ['PUT', `/${name}/k`, { body: '{}' }],
      ['GET', `/${name}/k?tagging`, {}],
      ['POST', `/${name}/k?uploads`, {}],
      ['DELETE', `/${name}`, {}],
    ] as const) {
      const answer = await send(method, path, options);
      const isPage = path.startsWith('/console?') && method === 'GET';
      const isRefused = answer.status < 200 || answer.status > 299;
      expect([method, path, isRefused]).toEqual([method, path, !isPage]);
      expect(answer.headers.get('x-amz-request-id')).toBeNull();
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect(answer.text).not.toContain('<Error>');
    }
    const list = await send('GET', '/');
    expect(list.text).not.toContain(`<Name>${name}</Name>`);
  });

  it('has no CORS of S3', async () => {
    for (const path of [`/${name}`, `/${name}/k`, `/${name}?cors`]) {
      const answer = await sendS3(server.url, {
        method: 'OPTIONS',
        path,
        headers: { origin: 'https://any.example', 'access-control-request-method': 'PUT' },
      });
      expect([path, answer.headers.get('access-control-allow-origin')]).toEqual([path, null]);
      expect(answer.headers.get('x-amz-request-id')).toBeNull();
    }
  });

  it('is not made as a bucket, nor copied from, by its own Host', async () => {
    // On a bucket's own Host there is nothing but S3.
    const host = `${name}.localhost`;
    const made = await send('PUT', '/', { host });
    expect([409, 400]).toContain(made.status);
    expectS3Error(
      made,
      made.status,
      made.status === 409 ? 'BucketAlreadyExists' : 'InvalidBucketName',
    );
    expectS3Error(await send('PUT', '/k', { host, body: 'x' }), 404, 'NoSuchBucket');
    const headers = { 'x-amz-copy-source': `/${name}/k` };
    expectS3Error(await send('PUT', '/files/k', { headers }), 404, 'NoSuchBucket');
  });
});

describe('on a bucket’s own Host', () => {
  it.each(RESERVED)('%s is a key', async (name) => {
    const host = 'files.localhost';
    const answer = await send('PUT', `/${name}`, { host, body: `of ${name}` });
    expect(answer.status, answer.text).toBe(200);
    expect((await send('GET', `/files/${name}`)).text).toBe(`of ${name}`);
    expect((await send('DELETE', `/${name}`, { host })).status).toBe(204);
  });
});

describe('the bridge', () => {
  it('is served beside S3, and S3 is not served by it', async () => {
    const client = await connect(server.url);
    try {
      const auth = { username: 'admin', password: server.password };
      await send('PUT', '/files/k', { body: 'kept' });
      const made = await ask(client, { auth, method: 'POST', url: '/data/files', data: { a: 1 } });
      expect(made.status).toBe(201);
      for (const [method, url] of [
        ['GET', '/files/k'],
        ['PUT', '/files/k'],
        ['DELETE', '/files/k'],
        ['GET', '/files?acl'],
        ['PUT', '/bridged'],
        ['DELETE', '/files'],
        ['OPTIONS', '/files/k'],
      ]) {
        expect([method, url, (await ask(client, { auth, method, url })).status]).toEqual([
          method,
          url,
          404,
        ]);
      }
      expect((await send('GET', '/files/k')).text).toBe('kept');
      expect((await send('HEAD', '/bridged')).status).toBe(404);
    } finally {
      client.close();
    }
  });

  it('takes its path from a signed request, too', async () => {
    const answer = await send('GET', '/socket.io/?EIO=4&transport=polling');
    expect([answer.status, answer.text.slice(0, 2)]).toEqual([200, '0{']);
    expect(answer.headers.get('x-amz-request-id')).toBeNull();
  });
});

describe('the root', () => {
  it('is S3’s for who signs, and tells others what this is', async () => {
    const v2 = headersV2({ pair: ADMIN_KEY, path: '/', host: server.host });
    for (const answer of [
      await send('GET', '/'),
      await sendS3(server.url, { path: '/', headers: v2 }),
    ]) {
      expect(answer.text).toContain('<ListAllMyBucketsResult');
    }
    for (const headers of [{}, AS_ADMIN]) {
      const answer = await sendS3(server.url, { path: '/', headers });
      expect(JSON.parse(answer.text)).toMatchObject({ name: 'keystow' });
    }
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      expectS3Error(await send(method, '/'), 405, 'MethodNotAllowed');
    }
  });
});

describe('OPTIONS', () => {
  it.each(['/', '/files', '/files/k', '/no-such-bucket', '/Upper/k', '//', '/files//'])(
    '%s is answered without credentials',
    async (path) => {
      const answer = await sendS3(server.url, { method: 'OPTIONS', path });
      expect([answer.status, answer.text]).toEqual([200, '']);
    },
  );

  it('of a path that cannot be read is an error', async () => {
    expectS3Error(
      await sendS3(server.url, { method: 'OPTIONS', path: '/files/%zz' }),
      400,
      'InvalidURI',
    );
  });

  it('* is answered', async () => {
    const answer = await rawRequest(
      server.url,
      `OPTIONS * HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer.status).toBeLessThan(500);
  });

  it('of a JSON route says what it takes', async () => {
    const answer = await sendRequest(server.url, {
      method: 'OPTIONS',
      path: '/api/objects/files',
      credentials: null,
    });
    expect([answer.status, answer.headers.get('allow')]).toEqual([200, 'HEAD, GET']);
    const foreign = await sendRequest(server.url, {
      method: 'OPTIONS',
      path: '/api/presign',
      credentials: null,
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expectError(foreign, 403, /origin/i);
  });
});
