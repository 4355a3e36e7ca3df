import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { openRaw } from '../support/raw-http.ts';
import { basic, createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Bodies on their way: announced, refused, cut off, in line with others. */

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
  await rest('POST', '/data/there', '{"a":1}');
});

afterAll(() => server.stop());

function head(line: string, ...headers: string[]): string {
  const credentials = `Authorization: ${basic('admin', server.password)}`;
  return [`${line} HTTP/1.1`, 'Host: localhost', credentials, ...headers, '', ''].join('\r\n');
}

describe('Expect: 100-continue', () => {
  const expecting = (line: string, length: number, ...headers: string[]) =>
    head(line, 'Expect: 100-continue', `Content-Length: ${length}`, ...headers);

  it.each([
    ['POST', '/data/expected', '{"a":2}', 201],
    ['PUT', '/data/there', '{"a":1}', 200],
    ['PATCH', '/data/there', '{"a":1}', 200],
    ['PUT', '/api/users/expected', '{"role":"member","grants":[],"password":"x"}', 201],
  ])('is answered before the body of %s %s is sent', async (method, path, body, status) => {
    const connection = await openRaw(server.url);
    connection.send(expecting(`${method} ${path}`, body.length));
    expect((await connection.answer()).status).toBe(100);
    connection.send(body);
    expect((await connection.answer()).status).toBe(status);
    connection.destroy();
  });

  it.each<[string, () => string, number]>([
    ['too large', () => expecting('POST /data/x', 2_000_000), 413],
    ['too large for a user', () => expecting('PUT /api/users/x', 2_000_000), 413],
    ['of a wrong type', () => expecting('POST /data/x', 2, 'Content-Type: text/plain'), 415],
    ['for a path that is none', () => expecting('POST /api/nothing', 2), 404],
    ['by a method that is none', () => expecting('POST /data', 2), 405],
    [
      'without credentials',
      () => 'POST /data/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
      401,
    ],
    ['from elsewhere', () => expecting('POST /data/x', 2, 'Origin: https://evil.example'), 403],
  ])('is refused at once where the body is %s', async (_name, data, status) => {
    const connection = await openRaw(server.url);
    connection.send(data());
    // The first answer is the last one: no 100 before.
    expectError(await connection.answer(), status);
    connection.destroy();
    expectError(await rest('GET', '/data/x'), 404);
  });

  it('of a client that does not wait is no trouble', async () => {
    const connection = await openRaw(server.url);
    connection.send(`${expecting('POST /data/impatient', 2)}{}`);
    const first = await connection.answer();
    const last = first.status === 100 ? await connection.answer() : first;
    expect(last.status).toBe(201);
    connection.destroy();
  });

  it('is ignored in HTTP/1.0, which has no 100 (RFC 9110, 10.1.1)', async () => {
    const connection = await openRaw(server.url);
    connection.send(`${expecting('POST /data/old', 2).replace('HTTP/1.1', 'HTTP/1.0')}{}`);
    expect((await connection.answer()).status).toBe(201);
    connection.destroy();
  });
});

describe('a body that breaks off', () => {
  it.each<[string, string[], string]>([
    ['with a length', ['Content-Length: 10'], '{}'],
    ['with a length, and is JSON so far', ['Content-Length: 3'], '{}'],
    ['in chunks', ['Transfer-Encoding: chunked'], '2\r\n{}\r\n'],
    ['within a chunk', ['Transfer-Encoding: chunked'], '5\r\n{}'],
  ])('stores nothing: %s', async (_name, headers, body) => {
    for (const part of ['end', 'destroy'] as const) {
      for (const line of ['POST /data/broken', 'PUT /data/there', 'PATCH /data/there']) {
        const connection = await openRaw(server.url);
        connection.send(head(line, ...headers) + body);
        // Answered after what was sent above, so that has arrived.
        await rest('GET', '/api/health');
        connection[part]();
        expect(await connection.closed).not.toMatch(/^HTTP\/1\.1 [235]/);
      }
    }
    expectError(await rest('GET', '/data/broken'), 404);
    expect((await rest('GET', '/data/there')).text).toBe('{"a":1}');
  });
});

describe('a connection', () => {
  it('is usable after a refused body, whose rest is not taken for a request', async () => {
    const connection = await openRaw(server.url);
    const large = `["${'x'.repeat(1_200_000)}"]`;
    const refused: [string, string[], string, number][] = [
      ['POST /data/x', [], large, 413],
      ['POST /data/x', ['Content-Type: text/plain'], large, 415],
      ['POST /data/there', [], '{"b":2}', 406],
      ['PUT /data/absent', [], '{"b":2}', 404],
      ['POST /data/x', [], '{', 400],
      ['POST /api/nothing', [], large, 404],
      ['DELETE /data', [], '{"b":2}', 405],
      ['PUT /api/users/x', [], large, 413],
    ];
    for (const [line, headers, body, status] of refused) {
      connection.send(head(line, `Content-Length: ${body.length}`, ...headers) + body);
      expectError(await connection.answer(), status);
      connection.send(head('GET /data/there'));
      expect((await connection.answer()).text).toBe('{"a":1}');
    }
    connection.destroy();
  });

  it('is usable after a refused body in chunks', async () => {
    const connection = await openRaw(server.url);
    const chunk = `${(70_000).toString(16)}\r\n${'x'.repeat(70_000)}\r\n`;
    connection.send(head('POST /data/x', 'Transfer-Encoding: chunked'));
    for (let count = 0; count < 20; count += 1) connection.send(chunk);
    connection.send(`0\r\n\r\n${head('GET /data/there')}`);
    expectError(await connection.answer(), 413);
    expect((await connection.answer()).text).toBe('{"a":1}');
    connection.destroy();
  });

  it('that pours on after a refusal is cut off in the end', async () => {
    const connection = await openRaw(server.url);
    connection.send(head('POST /data/x', 'Transfer-Encoding: chunked'));
    const mebibyte = Buffer.from(`100000\r\n${'x'.repeat(1_048_576)}\r\n`);
    let isClosed = false;
    void connection.closed.then(() => {
      isClosed = true;
    });
    for (let count = 0; count < 200 && !isClosed; count += 1) {
      connection.send(mebibyte);
      await rest('GET', '/api/health');
    }
    expect(await connection.closed).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('answers pipelined requests in their order', async () => {
    const connection = await openRaw(server.url);
    connection.send(
      head('GET /data/there') +
        `${head('POST /data/line', 'Content-Length: 7')}{"n":1}` +
        `${head('POST /data/line', 'Content-Length: 2')}{}` +
        `${head('PUT /data/line', 'Content-Length: 1')}{` +
        head('HEAD /data/absent') +
        head('DELETE /data/absent') +
        head('GET /api/health'),
    );
    const statuses: number[] = [];
    for (const toHead of [false, false, false, false, true, false, false]) {
      statuses.push((await connection.answer({ toHead })).status);
    }
    expect(statuses).toEqual([200, 201, 406, 400, 404, 404, 200]);
    connection.destroy();
  });

  it('is kept alive, and closed where the client asks', async () => {
    const connection = await openRaw(server.url);
    for (let times = 0; times < 3; times += 1) {
      connection.send(head('GET /data/there'));
      const answer = await connection.answer();
      expect(answer.headers.get('connection')).toBe('keep-alive');
      // Longer than the 60 s of what makes no progress: load balancers close first.
      expect(answer.headers.get('keep-alive')).toMatch(/timeout=\d{2,}/);
    }
    connection.send(head('GET /data/there', 'Connection: close'));
    expect((await connection.answer()).headers.get('connection')).toBe('close');
    expect(await connection.closed).toBe('');
  });
});
