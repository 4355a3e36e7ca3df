import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, connect, request } from '../socket/client.ts';
import { contentOf, keyOf, type SaveServer, SLOT, startSaveServer } from './save-server.ts';

/** Saves through Socket.IO: all but the bytes. */

const BASE = `/api/saves/saves/${SLOT}`;
let server: SaveServer;
let client: Client;

beforeAll(async () => {
  server = await startSaveServer();
  await server.makeSaves('saves');
  await server.saveAll('saves', 6, 7);
  client = await connect(server.url);
});

afterAll(async () => {
  client.close();
  await server.stop();
});

it('lists slots and versions as HTTP does', async () => {
  for (const path of ['/api/saves/saves', '/api/saves/saves?limit=1&after=5', BASE]) {
    const answer = await request(client, 'GET', path);
    expect([answer.status, answer.data]).toEqual([200, (await server.admin('GET', path)).json]);
  }
});

it('hands out the form for the next version', async () => {
  const answer = await request(client, 'POST', BASE, { size: 5 });
  expect(answer).toMatchObject({
    status: 200,
    data: { version: 8, key: keyOf(8), url: `${server.url}/saves`, fields: { acl: 'private' } },
  });
  const { fields } = answer.data as { fields: Record<string, string> };
  const stored = await server.upload({
    path: '/saves',
    pairs: Object.entries(fields),
    file: 'eight',
  });
  expect(stored.status, stored.text).toBe(204);
});

it('restores', async () => {
  const answer = await request(client, 'POST', `${BASE}/restore`, { version: 6 });
  expect(answer).toMatchObject({ status: 201, data: { version: 9 } });
  expect((await server.read('saves', keyOf(9))).text).toBe(contentOf(6));
});

it.each(['/latest', '/6', '/00006'])('has no bytes: %s is for HTTP', async (path) => {
  for (const method of ['GET', 'HEAD']) {
    const answer = await request(client, method, BASE + path);
    expect(answer.status).toBe(406);
  }
  const { data } = await request(client, 'GET', BASE + path);
  expect(data).toEqual({ error: 'The bytes of a save are for HTTP: GET them there.' });
});

it.each([
  ['GET', '/api/saves/absent', 404],
  ['GET', '/api/saves/saves/x', 400],
  ['GET', '/api/saves/saves?limit=0', 400],
  ['GET', '/api/saves/saves/4', 404],
  ['POST', `${BASE}/restore`, 400],
])('%s %s is a %i', async (method, path, status) => {
  const answer = await request(client, method, path);
  expect(answer).toMatchObject({ status, data: { error: expect.stringMatching(/\w \w/) } });
});
