import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { admin, ask, connect } from './client.ts';

let server: TestServer;
let rest: Rest;
beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});
afterAll(() => server.stop());

const numbers = (length: number): number[] => Array.from({ length }, (_, at) => at);

describe('many clients at once', () => {
  it('50 of them make 20 documents each: all acknowledged, all there over REST', async () => {
    const clients = await Promise.all(numbers(50).map(() => connect(server.url, { auth: admin })));
    const keys = clients.flatMap((_, at) => numbers(20).map((count) => `many/${at}/${count}`));
    const created = await Promise.all(
      keys.map((key, at) => {
        const client = clients[at % clients.length];
        if (!client) throw new Error('No client.');
        return ask(client, { method: 'POST', url: `/data/${key}`, data: { key }, id: key });
      }),
    );
    for (const client of clients) client.disconnect();
    for (const [at, key] of keys.entries())
      expect(created[at]).toMatchObject({ status: 201, id: key, data: { key } });
    const etags = created.map(({ headers }) => headers?.etag);
    expect(new Set(etags).size).toBe(1_000);

    const exported = await rest('GET', '/data?prefix=many/', undefined, {
      accept: 'application/x-ndjson',
    });
    const lines = exported.text.trim().split('\n').sort();
    const expected = keys.map((key, at) =>
      JSON.stringify({ key, etag: etags[at], value: { key } }),
    );
    expect(lines).toEqual(expected.sort());
  });

  it('creates one key once, whoever is first: over sockets and REST', async () => {
    const clients = await Promise.all(numbers(10).map(() => connect(server.url, { auth: admin })));
    const overSockets = numbers(100).map(async (at) => {
      const client = clients[at % clients.length];
      if (!client) throw new Error('No client.');
      return (await ask(client, { method: 'POST', url: '/data/one', data: { at } })).status;
    });
    const overHttp = numbers(50).map(
      async (at) => (await rest('POST', '/data/one', JSON.stringify({ at: -at }))).status,
    );
    const statuses = await Promise.all([...overSockets, ...overHttp]);
    for (const client of clients) client.disconnect();
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 406)).toHaveLength(149);
  });

  it('loses no PATCH of one document', async () => {
    const clients = await Promise.all(numbers(10).map(() => connect(server.url, { auth: admin })));
    await rest('POST', '/data/patched', '{}');
    const patched = await Promise.all(
      numbers(300).map((at) => {
        const client = clients[at % clients.length];
        if (!client) throw new Error('No client.');
        return ask(client, { method: 'PATCH', url: '/data/patched', data: { [`m${at}`]: at } });
      }),
    );
    for (const client of clients) client.disconnect();
    expect(patched.every(({ status }) => status === 200)).toBe(true);
    const expected = Object.fromEntries(numbers(300).map((at) => [`m${at}`, at]));
    expect((await rest('GET', '/data/patched')).json).toEqual(expected);
  });
});
