import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { type HttpRequest, sendRequest } from '../support/http-request.ts';
import { openRaw } from '../support/raw-http.ts';
import { basic, type RestAnswer } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What is a key, and how it stands in an URL. Paths go as they are written: fetch would mend them. */

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.stop());

function send(method: string, path: string, body?: string): Promise<RestAnswer> {
  const request: HttpRequest = { method, path, ...(body === undefined ? {} : { body }) };
  return sendRequest(server.url, request);
}

/** Every byte as an escape. */
function escapeAll(key: string): string {
  return [...Buffer.from(key)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

async function keysUnder(prefix: string): Promise<unknown> {
  return (await send('GET', `/data?prefix=${encodeURIComponent(prefix)}`)).json;
}

describe('a key', () => {
  const keys = fc
    .oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
      fc.string({ unit: fc.constantFrom('a', '.', '/', '%', ' ', '+', '?', '#', '\\', ':', '"') }),
      fc.string({ unit: 'grapheme', minLength: 100, maxLength: 500 }),
    )
    .map((key) => key.replaceAll('\0', ''))
    .filter((key) => key !== '' && key.isWellFormed() && Buffer.byteLength(key) <= 512);

  it('round-trips whatever it is, escaped as much as one likes', async () => {
    await fc.assert(
      fc.asyncProperty(keys, async (key) => {
        const document = JSON.stringify({ key });
        const path = `/data/${encodeURIComponent(key)}`;
        const created = await send('POST', path, document);
        expect([created.status, created.text]).toEqual([201, document]);
        expect((await send('GET', `/data/${escapeAll(key)}`)).text).toBe(document);
        expect(await keysUnder(key)).toContain(key);
        expectError(await send('POST', path, '{}'), 406, `${key} already exists.`);
        expect((await send('DELETE', path)).status).toBe(204);
        expectError(await send('GET', path), 404, `${key} not found.`);
      }),
      { numRuns: 60 },
    );
  });

  it('is all that follows /data/: a/b and a%2Fb are one', async () => {
    expect((await send('POST', '/data/deep/er/key', '{"n":1}')).status).toBe(201);
    for (const path of ['/data/deep%2Fer%2fkey', '/data/deep/er%2Fkey', '/data/%64eep/er/key']) {
      expect((await send('GET', path)).text, path).toBe('{"n":1}');
      expectError(await send('POST', path, '{}'), 406, 'deep/er/key already exists.');
    }
    expect(await keysUnder('deep')).toEqual(['deep/er/key']);
  });

  it.each([
    '.',
    '..',
    'up/../down',
    'up/./down',
    '/',
    '//',
    'twice//slashed',
    'ends/',
    '/begins',
    'api/health',
  ])('is not a path to be tidied: %s', async (key) => {
    expect((await send('POST', `/data/${key}`, '{"raw":1}')).status).toBe(201);
    expect((await send('GET', `/data/${escapeAll(key)}`)).text).toBe('{"raw":1}');
    expect(await keysUnder(key)).toContain(key);
  });

  it.each(['loc/../ation', 'loc/./ation', 'l?o=c#a', 'l%6Fc', 'l o+c', 'é/😀', '//loc', 'l\r\noc'])(
    'stands in Location such that a browser finds it: %j',
    async (key) => {
      const answer = await send('POST', `/data/${encodeURIComponent(key)}`, '{"found":1}');
      const { pathname, search, hash } = new URL(
        answer.headers.get('location') ?? '',
        `${server.url}/data/${encodeURIComponent(key)}`,
      );
      expect([search, hash]).toEqual(['', '']);
      expect((await send('GET', pathname)).text).toBe('{"found":1}');
    },
  );

  it('is decoded once: no double decoding, and a plus is a plus', async () => {
    for (const [path, key] of [
      ['once%2541', 'once%41'],
      ['once%252F', 'once%2F'],
      ['once+1', 'once+1'],
      ['once%201', 'once 1'],
      ['once%3Fa%23b', 'once?a#b'],
    ] as const) {
      const answer = await send('POST', `/data/${path}`, '{}');
      expect(answer.status).toBe(201);
      expect(await keysUnder(key)).toEqual([key]);
    }
  });

  it('is what its bytes are: neither case nor Unicode form is folded', async () => {
    const alike = ['Åse', 'åse', 'A\u030ase', '\u212bse'];
    for (const key of alike) {
      expect((await send('POST', `/data/form-${encodeURIComponent(key)}`, '{}')).status).toBe(201);
    }
    expect(await keysUnder('form-')).toHaveLength(alike.length);
  });
});

describe('1 to 512 bytes of UTF-8', () => {
  it.each([
    ['letters', 'k'.repeat(512)],
    ['umlauts', 'ä'.repeat(256)],
    ['emoji', '😀'.repeat(128)],
    ['slashes', '/'.repeat(512)],
  ])('512 bytes of %s are a key, 513 are 400', async (_name, key) => {
    const path = `/data/${encodeURIComponent(key)}`;
    expect((await send('POST', path, '{}')).status).toBe(201);
    expect((await send('GET', path)).text).toBe('{}');
    for (const method of ['POST', 'PUT', 'PATCH', 'GET', 'DELETE']) {
      const body = ['GET', 'DELETE'].includes(method) ? undefined : '{}';
      expectError(await send(method, `${path}k`, body), 400, /512 bytes/);
    }
  });

  it.each(['POST', 'PUT', 'PATCH', 'GET', 'DELETE'])(
    '%s /data/ names no key: 400',
    async (method) => {
      expectError(
        await send(method, '/data/', ['GET', 'DELETE'].includes(method) ? undefined : '{}'),
        400,
        /512 bytes/,
      );
    },
  );

  it('none of them is NUL', async () => {
    for (const path of ['/data/%00', '/data/a%00', '/data/%00a', '/data/a%00b']) {
      expectError(await send('POST', path, '{}'), 400, /NUL/);
      expectError(await send('GET', path), 400, /NUL/);
    }
  });
});

describe('a malformed escape', () => {
  it.each([
    '%',
    'a%',
    '%4',
    '%zz',
    '%4G',
    '%u0041',
    // Cut off, continued wrongly, overlong, a surrogate, past U+10FFFF, no UTF-8 at all.
    '%C3',
    '%C3%28',
    '%C0%80',
    '%E0%80%AF',
    '%ED%A0%80',
    '%F4%90%80%80',
    '%FF',
    'ok/%80',
  ])('%s is 400 on every method and stores nothing', async (escaped) => {
    const before = (await send('GET', '/data?limit=10000')).text;
    for (const method of ['POST', 'PUT', 'PATCH', 'GET', 'DELETE']) {
      const body = ['GET', 'DELETE'].includes(method) ? undefined : '{}';
      expectError(await send(method, `/data/${escaped}`, body), 400, /escape/);
    }
    expect((await send('GET', '/data?limit=10000')).text).toBe(before);
  });
});

describe('bytes that a client should have escaped', () => {
  // RFC 9112 lets a server refuse them (3: 400); if it takes them, then for what they are.
  it.each([
    ['UTF-8', Buffer.from('raw-ü'), 'raw-ü'],
    ['no UTF-8', Buffer.from([0x72, 0x61, 0x77, 0x2d, 0xff]), undefined],
    ['a space', Buffer.from('raw- x'), undefined],
    ['a tab', Buffer.from('raw-\tx'), undefined],
    ['NUL', Buffer.from('raw-\0x'), undefined],
  ])('%s: refused, or the very key', async (_name, bytes, key) => {
    const connection = await openRaw(server.url);
    connection.send('POST /data/');
    connection.send(bytes);
    connection.send(
      ` HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${basic('admin', server.password)}\r\n` +
        'Content-Length: 2\r\nConnection: close\r\n\r\n{}',
    );
    const answer = await connection.answer();
    connection.destroy();
    if (answer.status === 201 && key !== undefined) {
      expect(await keysUnder('raw-')).toEqual([key]);
    } else {
      expectError(answer, 400);
      expect(await keysUnder('raw-')).toEqual([]);
    }
  });
});
