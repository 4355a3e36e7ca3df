import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Client, connect, request } from './client.ts';

let server: TestServer;
let rest: Rest;
let client: Client;
beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
  client = await connect(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

describe('lists through envelopes', () => {
  it('lists keys: all, by prefix, and in pages with a link', async () => {
    for (const key of ['list/a', 'list/b', 'list/é', 'list/c'])
      await rest('POST', `/data/${key}`, '{}');
    const all = await rest('GET', '/data');
    expect(await request(client, 'GET', '/data')).toMatchObject({ status: 200, data: all.json });
    expect(await request(client, 'GET', '/data?prefix=list/')).toMatchObject({
      status: 200,
      data: ['list/a', 'list/b', 'list/c', 'list/é'],
    });
    const page = await request(client, 'GET', '/data?prefix=list/&limit=2');
    expect(page).toMatchObject({ status: 200, data: ['list/a', 'list/b'] });
    const { headers } = await rest('GET', '/data?prefix=list/&limit=2');
    expect(page.headers?.link).toBe(headers.get('link'));
    const next = /<([^>]+)>/.exec(page.headers?.link ?? '')?.[1] ?? '';
    expect(await request(client, 'GET', next)).toMatchObject({ data: ['list/c', 'list/é'] });
    expect(await request(client, 'GET', '/data?prefix=none/')).toMatchObject({ data: [] });
    expect(await request(client, 'GET', '/data?limit=10001')).toMatchObject({ status: 400 });
  });

  it('refuses NDJSON: that is for HTTP', async () => {
    const answer = await request(client, 'GET', '/data', undefined, {
      accept: 'application/x-ndjson',
    });
    expect(answer).toMatchObject({ status: 406, data: { error: expect.any(String) } });
  });

  it('says that a list is too long for a message', async () => {
    // Each key has 512 bytes, six times as many in JSON.
    const keys = Array.from(
      { length: 3_000 },
      (_, at) => `long/${String(at).padStart(4, '0')}${'\x01'.repeat(503)}`,
    );
    for (let at = 0; at < keys.length; at += 500) {
      const create = (key: string) => request(client, 'POST', `/data/${encodeURIComponent(key)}`);
      const created = await Promise.all(keys.slice(at, at + 500).map(create));
      expect(created.every(({ status }) => status === 201)).toBe(true);
    }
    const answer = await request(client, 'GET', '/data?prefix=long/');
    expect(answer).toMatchObject({ data: { error: expect.stringContaining('limit') } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    const page = await request(client, 'GET', '/data?prefix=long/&limit=1000');
    expect(page).toMatchObject({ status: 200, data: keys.slice(0, 1000) });
  });
});
