import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { openRaw, rawRequest } from '../support/raw-http.ts';
import { basic, createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** HTTP itself: what is broken, unusual or cut off. */

let server: TestServer;
let rest: Rest;
let common: string;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
  await rest('POST', '/data/there', '{"a":1}');
  common = `Host: localhost\r\nAuthorization: ${basic('admin', server.password)}\r\n`;
});

afterAll(() => server.stop());

/** A request with host and credentials. */
function head(line: string, ...headers: string[]): string {
  const lines = headers.map((header) => `${header}\r\n`).join('');
  return `${line} HTTP/1.1\r\n${common}${lines}\r\n`;
}

function expectRequestId(answer: RestAnswer): void {
  expect(answer.headers.get('x-request-id')).toMatch(/\S/);
}

async function expectStillServing(): Promise<void> {
  expect((await rest('GET', '/data/there')).text).toBe('{"a":1}');
}

describe('what is not HTTP', () => {
  it.each<[string, string]>([
    ['words', 'hello world\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['binary', '\x00\x01\x02\x03\xff\xfe\r\n\r\n'],
    ['an unknown method', 'BREW /data HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a lower-case method', 'get /data HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['no path', 'GET HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a path without a slash', 'GET data HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another protocol', 'GET /data SPDY/3\r\nHost: a\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a header without a colon', 'GET /data HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n'],
    ['a space before a colon', 'GET /data HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['a folded header', 'GET /data HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n'],
    ['NUL in a header', 'GET /data HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n'],
    ['no Host', 'GET /data HTTP/1.1\r\n\r\n'],
    ['a length that is no number', 'POST /data/a HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n'],
    ['a negative length', 'POST /data/a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'],
    [
      'two lengths',
      'POST /data/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    ],
    [
      'a length and chunks',
      'POST /data/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    [
      'a coding that is not chunked',
      'POST /data/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n',
    ],
  ])('is 400 with a sentence, and the connection ends: %s', async (_name, data) => {
    const connection = await openRaw(server.url);
    connection.send(data);
    const answer = await connection.answer();
    expectError(answer, 400, /HTTP|Host/);
    expect(answer.headers.get('connection')).toBe('close');
    expect(await connection.closed).toBe('');
    await expectStillServing();
  });

  it('as a chunk is 400 too, and nothing is stored', async () => {
    for (const chunk of ['zz\r\n{}\r\n0\r\n\r\n', '2\r\n{}xx\r\n0\r\n\r\n', '-2\r\n{}\r\n']) {
      const connection = await openRaw(server.url);
      connection.send(`${head('POST /data/chunk', 'Transfer-Encoding: chunked')}${chunk}`);
      expectError(await connection.answer(), 400);
      await connection.closed;
    }
    expectError(await rest('GET', '/data/chunk'), 404);
  });

  it('as an expectation is 417, as JSON', async () => {
    const answer = await rawRequest(
      server.url,
      `${head('POST /data/banana', 'Expect: banana', 'Content-Length: 2')}{}`,
    );
    expectError(answer, 417);
    expectError(await rest('GET', '/data/banana'), 404);
  });
});

describe('headers that are too large', () => {
  it.each([
    ['one', () => head('GET /data', `X-Large: ${'x'.repeat(20_000)}`)],
    ['many', () => head('GET /data', ...Array.from({ length: 3_000 }, (_, n) => `X-${n}: x`))],
    ['credentials', () => head('GET /data', `Authorization: Basic ${'A'.repeat(20_000)}`)],
    ['an URL', () => head(`GET /data/${'x'.repeat(20_000)}`)],
    ['no end', () => `GET / HTTP/1.1\r\n${'x'.repeat(20_000)}`],
  ])('are 431 with a sentence: %s', async (_name, data) => {
    const connection = await openRaw(server.url);
    connection.send(data());
    const answer = await connection.answer();
    expectError(answer, 431, /16 KiB/);
    await connection.closed;
    await expectStillServing();
  });
});

describe('an upgrade that nobody offers', () => {
  const upgrade = (to: string) =>
    head('GET /data/there', 'Connection: Upgrade, close', `Upgrade: ${to}`);

  it('to HTTP/2 is ignored (RFC 9110, 7.8): Java and curl --http2 ask for it at first', async () => {
    const answer = await rawRequest(server.url, upgrade('h2c'));
    expect([answer.status, answer.text]).toEqual([200, '{"a":1}']);
  });

  it('to a WebSocket elsewhere than at Socket.IO is answered, not dropped', async () => {
    const answer = await rawRequest(server.url, upgrade('websocket'));
    expect(answer.status).toBeGreaterThanOrEqual(200);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('an odd request that is HTTP all the same', () => {
  it.each<[string, () => string, number]>([
    ['version 1.0', () => `GET /data/there HTTP/1.0\r\n${common}\r\n`, 200],
    ['the absolute form', () => head('GET http://localhost/data/there'), 200],
    ['the absolute form without a path', () => head('GET http://localhost'), 200],
    ['empty lines before', () => `\r\n\r\n${head('GET /data/there')}`, 200],
    ['a GET with a body', () => `${head('GET /data/there', 'Content-Length: 2')}{}`, 200],
    ['a DELETE with a body', () => `${head('DELETE /data/absent', 'Content-Length: 2')}{}`, 404],
    [
      'chunk extensions and trailers',
      () =>
        `${head('POST /data/odd', 'Transfer-Encoding: chunked')}1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n`,
      201,
    ],
    ['no length at all', () => head('POST /data/odd-empty'), 201],
    ['OPTIONS *', () => head('OPTIONS *'), 200],
  ])('%s', async (_name, data, status) => {
    const answer = await rawRequest(server.url, data());
    expect(answer.status, answer.text).toBe(status);
    expectRequestId(answer);
    if (status >= 400) expectError(answer, status);
  });
});

describe('reserved paths', () => {
  it.each([
    '/api',
    '/api/',
    '/api/nothing',
    '/api/health/deeper',
    '/api/healthy',
    '/submit-files/x',
    '/console/nothing.js',
    '/favicon.ico',
    '/robots.txt',
    '/metrics',
    '/socket.io/nothing',
  ])('%s is 404 with JSON', async (path) => {
    const answer = await rest('GET', path);
    if (path.startsWith('/socket.io/')) expect([400, 404]).toContain(answer.status);
    else expectError(answer, 404);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each(['/data-x', '/data.json', '/Data/there', '/data%2Fthere'])(
    '%s is no reserved path but a bucket that is not there',
    async (path) => {
      const answer = await rest('GET', path);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('content-type')).toBe('application/xml');
      expect(answer.text).toContain('<Code>NoSuchBucket</Code>');
    },
  );

  it.each([
    ['POST', '/data', ['GET', 'HEAD']],
    ['PUT', '/data', ['GET', 'HEAD']],
    ['PATCH', '/data', ['GET', 'HEAD']],
    ['DELETE', '/data', ['GET', 'HEAD']],
    ['POST', '/api/health', ['GET', 'HEAD']],
    ['DELETE', '/api/health', ['GET', 'HEAD']],
    ['PROPFIND', '/data/there', ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']],
    ['LOCK', '/data/there', ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']],
    ['TRACE', '/data/there', ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']],
  ])('%s %s is 405 with Allow', async (method, path, allowed) => {
    const answer = await rawRequest(server.url, head(`${method} ${path}`, 'Content-Length: 0'));
    expectError(answer, 405, new RegExp(method));
    const allow = answer.headers.get('allow')?.split(', ').sort();
    expect(allow?.filter((name) => name !== 'OPTIONS')).toEqual(allowed.toSorted());
  });
});

describe('every answer', () => {
  it('has a request id of its own and nosniff', async () => {
    const answers = [
      await rest('GET', '/'),
      await rest('GET', '/', undefined, { accept: 'text/html' }),
      await rest('GET', '/api/health'),
      await rest('GET', '/data'),
      await rest('GET', '/data', undefined, { accept: 'application/x-ndjson' }),
      await rest('GET', '/data/there'),
      await rest('HEAD', '/data/there'),
      await rest('GET', '/data/there', undefined, { 'if-none-match': '*' }),
      await rest('PUT', '/data/there', '{"a":1}'),
      await rest('PUT', '/data/there', '{'),
      await rest('POST', '/data/there', '{}'),
      await rest('DELETE', '/data/absent'),
      await rest('OPTIONS', '/data/there'),
      await rest('GET', '/nothing'),
      await rest('POST', '/data'),
      await rest('GET', '/data', undefined, { origin: 'https://evil.example' }),
      await createRest(server.url, 'nobody')('GET', '/data'),
      await rest('GET', '/socket.io/?EIO=4&transport=polling'),
      await rest('GET', '/socket.io/?EIO=4&transport=smoke'),
    ];
    for (const [index, { headers, status }] of answers.entries()) {
      expect(headers.get('x-content-type-options'), `${index}: ${status}`).toBe('nosniff');
    }
    // Socket.IO's own answers are many to one request of its client.
    const ids = answers.slice(0, -2).map(({ headers }) => headers.get('x-request-id'));
    expect(ids).not.toContain(null);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the answer to what is not HTTP', () => {
  it('has a request id, to be found in the log', async () => {
    for (const data of ['hello world\r\n\r\n', head('GET /', `X: ${'x'.repeat(20_000)}`)]) {
      const answer = await rawRequest(server.url, data);
      const id = answer.headers.get('x-request-id');
      expect(id, `${answer.status}`).toMatch(/\S/);
    }
  });
});

describe('an error', () => {
  it('names no file, no stack and no secret', async () => {
    const answers = await Promise.all([
      rest('GET', '/data/%zz'),
      rest('POST', '/data/x', '{'),
      rest('PUT', '/api/users/x', '{'),
      rest('PUT', '/api/users/x', '[[[['),
      rest('PATCH', '/data/there', '[{"op":"add"}]', {
        'content-type': 'application/json-patch+json',
      }),
      rest('GET', `/data?prefix=${'x'.repeat(4_000)}&after=${'y'.repeat(4_000)}`),
      rest('GET', '/data?prefix=%00&after=%00'),
      createRest(server.url, 'admin', 'guess what')('GET', '/data'),
    ]);
    for (const { text, status } of answers) {
      expect(status).toBeLessThan(500);
      expect(text).not.toMatch(/node_modules|\bat .*:\d+:\d+|file:\/\/|dist\/|guess what/);
    }
    expect(server.log()).not.toContain('"level":50');
  });
});
