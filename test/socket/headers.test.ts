import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { type Client, connect, request } from './client.ts';

let server: TestServer;
let client: Client;
beforeAll(async () => {
  server = await startServer();
  client = await connect(server.url);
  await request(client, 'POST', '/data/here', { a: 1 });
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

describe('headers of an envelope', () => {
  it.each([
    ['origin', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['host', { host: 'bucket.localhost', 'x-forwarded-host': 'bucket.localhost' }],
    ['content-length', { 'content-length': '1', 'transfer-encoding': 'chunked' }],
    ['content-encoding', { 'content-encoding': 'gzip' }],
    ['expect', { expect: '100-continue' }],
    ['method overrides', { 'x-http-method-override': 'DELETE', 'x-method-override': 'DELETE' }],
    ['range', { range: 'bytes=0-1' }],
    ['connection', { connection: 'Upgrade', upgrade: 'websocket' }],
    ['made up', { 'x-made-up': 'yes', '': 'no name', 'a b': '\r\nc: d', if: 'x' }],
  ])('do not count when they are about %s', async (_name, headers) => {
    const put = await request(client, 'PUT', '/data/here', { a: 2 }, headers);
    expect(put).toMatchObject({ status: 200, data: { a: 2 } });
    expect(await request(client, 'GET', '/data/here', undefined, headers)).toMatchObject({
      status: 200,
      data: { a: 2 },
    });
  });

  it('are answered below 500 whatever their values', async () => {
    for (const value of [
      7,
      null,
      true,
      ['application/json'],
      { a: 1 },
      '\0',
      '\r\n',
      'ÿ',
      '\ud800',
    ])
      for (const name of ['content-type', 'accept', 'if-match', 'if-none-match', 'if-range']) {
        const { status } = await request(client, 'PUT', '/data/here', {}, { [name]: value });
        expect(status, `${name}: ${JSON.stringify(value)}`).toBeLessThan(500);
      }
  });

  it('are answered below 500 on every route whatever is accepted', async () => {
    for (const accept of ['text/html', 'text/plain', 'image/png', '*/*', 'nonsense', '']) {
      for (const url of ['/', '/api/health', '/api/users', '/data', '/data/here', '/console']) {
        const { status } = await request(client, 'GET', url, undefined, { accept });
        expect(status, `${accept} ${url}`).toBeLessThan(500);
      }
    }
  });

  it('may be malformed preconditions: 400', async () => {
    for (const name of ['if-match', 'if-none-match']) {
      const refused = await request(client, 'PUT', '/data/here', {}, { [name]: 'no quotes' });
      expect(refused).toMatchObject({ status: 400, data: { error: expect.any(String) } });
    }
  });
});
