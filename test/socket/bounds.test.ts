import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createRest, type Rest } from '../support/rest.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { admin, answers, ask, type Client, connect, request } from './client.ts';
import { joinPolling } from './raw-polling.ts';
import { joinWebsocket } from './raw-websocket.ts';

const MAX_DOCUMENT_BYTES = 4_096;
const MAX_MESSAGE_BYTES = 2 * MAX_DOCUMENT_BYTES + 65_536;
const MAX_OUTSTANDING = 1_024;

/** Answers of this document are 65,000 bytes and a little. */
const LARGE = { text: 'x'.repeat(65_000) };
const GET_LARGE = `42${JSON.stringify(['http message', { auth: admin, method: 'GET', url: '/data/large' }])}`;

let small: ServerProcess;
let server: ServerProcess;
let rest: Rest;
const clients: Client[] = [];
beforeAll(async () => {
  [small, server] = await Promise.all([
    startProcess({
      env: { MAX_DOCUMENT_BYTES: String(MAX_DOCUMENT_BYTES), BCRYPT_COST: '10' },
    }),
    startProcess({ env: { BCRYPT_COST: '10' } }),
  ]);
  rest = createRest(server.url);
  expect((await rest('POST', '/data/large', JSON.stringify(LARGE))).status).toBe(201);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});
afterAll(() => Promise.all([small.stop(), server.stop()]));

async function open(url: string, auth?: typeof admin): Promise<Client> {
  const client = await connect(url, auth ? { auth } : {});
  clients.push(client);
  return client;
}

/** A Socket.IO packet of exactly so many bytes, that would create a document. */
function packetOf(bytes: number, key: string): string {
  const members = { auth: admin, method: 'POST', url: `/data/${key}`, data: {}, more: '' };
  const length = `42${JSON.stringify(['http message', members])}`.length;
  return `42${JSON.stringify(['http message', { ...members, more: 'x'.repeat(bytes - length) }])}`;
}

describe('one message', () => {
  it('has at most twice MAX_DOCUMENT_BYTES and 64 KiB over a websocket', async () => {
    const witness = await open(small.url);
    const raw = await joinWebsocket(small.url);
    raw.send(packetOf(MAX_MESSAGE_BYTES, 'fits'));
    expect(await raw.message('42')).toContain('"status":201');
    raw.send(packetOf(MAX_MESSAGE_BYTES + 1, 'over'));
    // RFC 6455, 7.4.1: 1009 is a message too big to process.
    expect(await raw.closed).toBe(1009);
    expect(await request(witness, 'GET', '/data/over')).toMatchObject({ status: 404 });
  });

  it('has at most as much over polling', async () => {
    const witness = await open(small.url);
    const raw = await joinPolling(small.url);
    expect(await raw.post(packetOf(MAX_MESSAGE_BYTES, 'polled'))).toBe(200);
    expect((await raw.poll()).packets.join()).toContain('"status":201');
    expect(await raw.post(packetOf(MAX_MESSAGE_BYTES + 1, 'over'))).toBe(413);
    await raw.close();
    expect(await request(witness, 'GET', '/data/over')).toMatchObject({ status: 404 });
  });

  it('is large enough for the largest document as text, every character of it escaped', async () => {
    const client = await open(small.url);
    const text = `["${'\\\\'.repeat((MAX_DOCUMENT_BYTES - 4) / 2)}"]`;
    expect(text).toHaveLength(MAX_DOCUMENT_BYTES);
    const headers = { 'content-type': 'application/json', accept: 'text/plain' };
    expect(await request(client, 'POST', '/data/escaped', text, headers)).toMatchObject({
      status: 201,
      data: text,
    });
  });
});

describe('1,024 envelopes outstanding on one socket', () => {
  it('are served, and the rest is answered 429 at once', async () => {
    const [keeper, witness] = [await open(server.url, admin), await open(server.url, admin)];
    expect(await ask(witness, { method: 'GET', url: '/data/large' })).toMatchObject({
      status: 200,
    });
    const member = { username: 'flood', password: 'flood-password' };
    const grants = [{ prefix: 'data/flood/', access: 'write' }];
    const put = (name: string) =>
      ask(keeper, {
        method: 'PUT',
        url: `/api/users/${name}`,
        data: { role: 'member', grants, password: member.password },
      });
    await put(member.username);
    const flooding = await open(server.url, member);
    // These passwords are hashed before the flood's own is verified: until then none is answered.
    const hashes = Array.from({ length: 20 }, (_, at) => put(`queue-${at}`));
    await ask(keeper, { method: 'GET', url: '/api/health' });

    const count = MAX_OUTSTANDING + 476;
    const all = answers(flooding, count);
    const refused = answers(flooding, 476);
    for (let id = 0; id < count; id += 1)
      flooding.emit('http message', { method: 'POST', url: `/data/flood/${id}`, data: {}, id });

    for (const { status, statusText, data, id, method, url } of await refused) {
      expect({ status, statusText, method, url }).toEqual({
        status: 429,
        statusText: 'Too Many Requests',
        method: 'POST',
        url: `/data/flood/${id}`,
      });
      expect(id).toBeGreaterThanOrEqual(MAX_OUTSTANDING);
      expect(data).toEqual({ error: expect.any(String) });
    }
    expect(await ask(witness, { method: 'GET', url: '/data/large' })).toMatchObject({
      status: 200,
    });

    const seen = await all;
    expect(new Set(seen.map(({ id }) => id)).size).toBe(count);
    expect(seen.filter(({ status }) => status === 201)).toHaveLength(MAX_OUTSTANDING);
    expect(await ask(flooding, { method: 'GET', url: '/data' })).toMatchObject({
      status: 200,
      data: { length: MAX_OUTSTANDING },
    });
    await Promise.all(hashes);
  });
});

describe('8 MiB of unsent answers', () => {
  it('close a websocket that does not read, while others are served', async () => {
    const witness = await open(server.url, admin);
    const raw = await joinWebsocket(server.url);
    raw.tcp.pause();
    // 39 MB: more than the kernel's buffers and 8 MiB hold.
    for (let sent = 0; sent < 600; sent += 1) raw.send(GET_LARGE);
    for (let asked = 0; asked < 50; asked += 1)
      expect(await ask(witness, { method: 'GET', url: '/data/large' })).toMatchObject({
        status: 200,
        data: LARGE,
      });
    raw.tcp.resume();
    await raw.closed;
    expect(raw.messages.length).toBeLessThan(600);
  });

  it('close a polling client that does not poll', async () => {
    const raw = await joinPolling(server.url);
    expect(await raw.post(...Array.from({ length: 140 }, () => GET_LARGE))).toBe(200);
    // A no-op takes no answers away: it only says whether the session is still there.
    let noops = 0;
    while ((await raw.post('6')) === 200) noops += 1;
    expect(noops).toBeLessThan(2_000);
    expect((await raw.poll()).status).toBe(400);
    expect((await rest('GET', '/data/large')).status).toBe(200);
  });

  it('are not reached by 7.8 MB, which a slow client still gets', async () => {
    const raw = await joinPolling(server.url);
    expect(await raw.post(...Array.from({ length: 119 }, () => GET_LARGE))).toBe(200);
    for (let asked = 0; asked < 20; asked += 1) await rest('GET', '/data/large');
    let received = 0;
    while (received < 119) {
      const { status, packets } = await raw.poll();
      expect(status).toBe(200);
      for (const packet of packets) if (packet.includes('"status":200')) received += 1;
    }
    await raw.close();
  });

  it('are not there while a client reads: it gets as much as it asks for', async () => {
    const client = await open(server.url, admin);
    for (let wave = 0; wave < 15; wave += 1) {
      const wanted = Array.from({ length: 10 }, () => request(client, 'GET', '/data/large'));
      for (const answer of await Promise.all(wanted)) expect(answer.data).toEqual(LARGE);
    }
  });
});
