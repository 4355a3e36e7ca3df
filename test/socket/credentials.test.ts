import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD } from '../support/environment.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { admin, ask, type Client, connect, request } from './client.ts';

const HEALTH = { method: 'GET', url: '/api/health' };
const LIST = { method: 'GET', url: '/data' };

let server: TestServer;
let rest: Rest;
const clients: Client[] = [];
beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});
afterAll(() => server.stop());

async function open(options: Parameters<typeof connect>[1] = {}): Promise<Client> {
  const client = await connect(server.url, options);
  clients.push(client);
  return client;
}

async function putUser(name: string, input: unknown): Promise<void> {
  expect((await rest('PUT', `/api/users/${name}`, JSON.stringify(input))).status).toBeLessThan(300);
}

describe('credentials', () => {
  it('are taken from the envelope', async () => {
    const client = await open();
    expect(await ask(client, { ...LIST, auth: admin })).toMatchObject({ status: 200 });
  });

  it('are taken from the handshake, over both transports', async () => {
    for (const transport of ['websocket', 'polling']) {
      const client = await open({ auth: admin, transports: [transport] });
      expect(await ask(client, LIST)).toMatchObject({ status: 200 });
    }
  });

  it('are 401 where there are none, and not needed for /api/health', async () => {
    const client = await open();
    for (const url of ['/data', '/data/any', '/api/users']) {
      expect(await ask(client, { method: 'GET', url })).toMatchObject({
        status: 401,
        statusText: 'Unauthorized',
        data: { error: expect.any(String) },
      });
    }
    expect(await ask(client, HEALTH)).toMatchObject({ status: 200, data: { status: 'ok' } });
  });

  it('are 401 where they are wrong or no credentials at all', async () => {
    const client = await open();
    for (const auth of [
      { username: 'admin', password: 'wrong' },
      { username: 'nobody', password: PASSWORD },
      { username: 'admin' },
      { password: PASSWORD },
      { username: ['admin'], password: PASSWORD },
      { username: 'admin', password: { toString: PASSWORD } },
      [admin.username, admin.password],
      'admin:correct horse',
      7,
    ]) {
      const refused = await ask(client, { ...LIST, auth });
      expect(refused, JSON.stringify(auth)).toMatchObject({
        status: 401,
        data: { error: expect.any(String) },
      });
    }
  });

  it('say the same of a wrong password and of an unknown user', async () => {
    const client = await open();
    const wrong = await ask(client, { ...LIST, auth: { username: 'admin', password: 'no' } });
    const unknown = await ask(client, { ...LIST, auth: { username: 'none', password: 'no' } });
    expect(wrong).toEqual(unknown);
  });

  it('of the envelope win over those of the handshake', async () => {
    await putUser('hand', { role: 'member', grants: [], password: 'hand-password' });
    const asMember = await open({ auth: { username: 'hand', password: 'hand-password' } });
    expect(await ask(asMember, { method: 'GET', url: '/api/users' })).toMatchObject({
      status: 403,
    });
    expect(await ask(asMember, { method: 'GET', url: '/api/users', auth: admin })).toMatchObject({
      status: 200,
    });
    const asAdmin = await open({ auth: admin });
    const wrong = { username: 'hand', password: 'not this' };
    expect(await ask(asAdmin, { ...LIST, auth: wrong })).toMatchObject({ status: 401 });
    expect(await ask(asAdmin, LIST)).toMatchObject({ status: 200 });
  });

  it('that are wrong in the handshake are 401 with each envelope, not a refused connection', async () => {
    const client = await open({ auth: { username: 'admin', password: 'handshake' } });
    expect(await ask(client, LIST)).toMatchObject({ status: 401 });
    expect(await ask(client, { ...LIST, auth: admin })).toMatchObject({ status: 200 });
    expect(await ask(client, HEALTH)).toMatchObject({ status: 200 });
  });

  it('are not taken from headers, of the envelope or of the handshake', async () => {
    const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`;
    const client = await open({ extraHeaders: { authorization } });
    expect(await ask(client, { ...LIST, headers: { authorization } })).toMatchObject({
      status: 401,
    });
  });

  it('of a changed or deleted user are out at once on an open socket', async () => {
    const member = { role: 'member', grants: [{ prefix: 'data/', access: 'write' }] };
    await putUser('mallory', { ...member, password: 'first' });
    const first = { username: 'mallory', password: 'first' };
    const inEnvelope = await open();
    const inHandshake = await open({ auth: first });
    const both = async (): Promise<number[]> => [
      (await ask(inEnvelope, { ...LIST, auth: first })).status,
      (await ask(inHandshake, LIST)).status,
    ];
    expect(await both()).toEqual([200, 200]);
    await putUser('mallory', { ...member, password: 'second' });
    expect(await both()).toEqual([401, 401]);
    const second = { username: 'mallory', password: 'second' };
    expect(await ask(inEnvelope, { ...LIST, auth: second })).toMatchObject({ status: 200 });
    await putUser('mallory', { role: 'member', grants: [] });
    const write = { auth: second, method: 'POST', url: '/data/mallory' };
    expect(await ask(inEnvelope, write)).toMatchObject({ status: 403 });
    expect((await rest('DELETE', '/api/users/mallory')).status).toBe(204);
    expect(await ask(inEnvelope, { ...LIST, auth: second })).toMatchObject({ status: 401 });
  });
});

describe('failed attempts over a socket', () => {
  it('count for the address of the socket and the user, with 429 and retry-after', async () => {
    const elsewhere = await open();
    const attacker = await open({
      localAddress: '127.0.0.21',
      extraHeaders: { 'x-forwarded-for': '10.0.0.1' },
    });
    const guess = (password: string, username = 'admin') =>
      ask(attacker, {
        ...LIST,
        auth: { username, password },
        headers: { 'x-forwarded-for': `10.0.0.${password.length}` },
      });
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 20 && statuses.at(-1) !== 429; attempt += 1)
      statuses.push((await guess('x'.repeat(attempt + 1))).status);
    expect(statuses.slice(0, 3)).toEqual([401, 401, 401]);
    const refused = await guess('again');
    expect(refused).toMatchObject({ status: 429, statusText: 'Too Many Requests' });
    expect(Number(refused.headers?.['retry-after'])).toBeGreaterThan(0);
    // A new socket from there is no way round it; for others, and for other users, nothing changed.
    const second = await open({ localAddress: '127.0.0.21' });
    const wrong = { username: 'admin', password: 'still wrong' };
    expect(await ask(second, { ...LIST, auth: wrong })).toMatchObject({ status: 429 });
    expect((await guess('other user', 'somebody')).status).toBe(401);
    expect(await ask(elsewhere, { ...LIST, auth: wrong })).toMatchObject({ status: 401 });
    expect(await ask(elsewhere, { ...LIST, auth: admin })).toMatchObject({ status: 200 });
  });

  it('count together with those over HTTP', async () => {
    const client = await open();
    const victim = { username: 'victim', password: 'over the socket' };
    for (let attempt = 0; attempt < 20; attempt += 1)
      await ask(client, { ...LIST, auth: { ...victim, password: `${attempt}` } });
    const overHttp = await createRest(server.url, 'victim', 'over HTTP')('GET', '/data');
    expect(overHttp.status).toBe(429);
    expect((await rest('GET', '/data')).status).toBe(200);
  });
});

describe('user routes and grants through envelopes', () => {
  it('lists, makes, changes and deletes users', async () => {
    const client = await open();
    const input = { role: 'member', grants: [{ prefix: 'data/a/', access: 'read' }] };
    const url = '/api/users/alice';
    const made = await request(client, 'PUT', url, { ...input, password: 'alice-password' });
    expect(made.status).toBeLessThan(300);
    const listed = await request(client, 'GET', '/api/users');
    expect(listed).toMatchObject({ status: 200 });
    expect(JSON.stringify(listed.data)).not.toContain('password');
    expect(listed.data).toEqual((await rest('GET', '/api/users')).json);
    expect(listed.data).toContainEqual({ name: 'alice', ...input });
    expect(await request(client, 'PUT', url, { ...input, role: 'admin' })).toMatchObject({
      status: 200,
    });
    expect(await request(client, 'DELETE', url)).toMatchObject({ status: 204 });
    expect(await request(client, 'DELETE', url)).toMatchObject({ status: 404 });
  });

  it('takes their input as text too, and says what is wrong with it', async () => {
    const client = await open();
    const json = { 'content-type': 'application/json' };
    const text = '{"role":"member","grants":[],"password":"bob-password"}';
    expect((await request(client, 'PUT', '/api/users/bob', text, json)).status).toBeLessThan(300);
    for (const [data, headers, status] of [
      ['{"role":', json, 400],
      [{ role: 'king', grants: [] }, undefined, 400],
      [{ role: 'member', grants: [], password: 'x'.repeat(73) }, undefined, 400],
      [undefined, undefined, 400],
      [{ role: 'member', grants: [] }, { 'content-type': 'text/plain' }, 415],
    ] as const) {
      const refused = await request(client, 'PUT', '/api/users/bob', data, headers);
      expect(refused, JSON.stringify(data)).toMatchObject({
        status,
        data: { error: expect.any(String) },
      });
    }
    expect(await request(client, 'DELETE', '/api/users/admin')).toMatchObject({ status: 409 });
  });

  it('holds a member to its grants', async () => {
    await putUser('carol', {
      role: 'member',
      password: 'carol-password',
      grants: [
        { prefix: 'data/team/', access: 'write' },
        { prefix: 'data/news/', access: 'read' },
      ],
    });
    for (const key of ['news/1', 'secret/1']) await rest('POST', `/data/${key}`, '{"a":1}');
    const client = await open({ auth: { username: 'carol', password: 'carol-password' } });
    const status = async (method: string, url: string, data?: unknown): Promise<number> =>
      (await ask(client, { method, url, ...(data === undefined ? {} : { data }) })).status;
    expect(await status('POST', '/data/team/1', {})).toBe(201);
    expect(await status('PATCH', '/data/team/1', { a: 1 })).toBe(200);
    expect(await status('GET', '/data/news/1')).toBe(200);
    expect(await status('PUT', '/data/news/1', {})).toBe(403);
    expect(await status('DELETE', '/data/news/1')).toBe(403);
    expect(await status('GET', '/data/secret/1')).toBe(403);
    expect(await status('GET', '/data/secret/absent')).toBe(403);
    expect(await status('GET', '/api/users')).toBe(403);
    expect(await status('PUT', '/api/users/carol', { role: 'admin', grants: [] })).toBe(403);
    expect(await ask(client, LIST)).toMatchObject({ data: ['news/1', 'team/1'] });
  });
});

describe('the log', () => {
  it('names each envelope and its user, but no password and no body', async () => {
    const client = await open();
    const data = { secret: 'of the document' };
    const url = '/data/logged?token=of-the-query';
    await request(client, 'POST', url, data, { 'content-type': 'application/json' });
    await ask(client, { ...LIST, auth: { username: 'admin', password: 'mistyped' } });
    expect(server.log()).toContain('/data/logged');
    for (const secret of [
      PASSWORD,
      'mistyped',
      'of the document',
      'of-the-query',
      'alice-password',
    ])
      expect(server.log(), secret).not.toContain(secret);
  });
});
