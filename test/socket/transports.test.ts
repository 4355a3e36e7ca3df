import io2 from 'socket.io-client-2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { admin, ask, type Client, connect, createClient, request, toAnswer } from './client.ts';

/** TLS and plain HTTP side by side, and clients of 2020 let in. */
let both: TestServer;
/** What a server does unless told otherwise, but for TLS. */
let plain: TestServer;
const clients: { close(): unknown }[] = [];
beforeAll(async () => {
  [both, plain] = await Promise.all([
    startServer({ env: { TLS: 'on', HTTP_PORT: '0', SOCKET_EIO3: 'on' } }),
    startServer(),
  ]);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(() => Promise.all([both.stop(), plain.stop()]));

async function open(url: string, options: Parameters<typeof connect>[1] = {}): Promise<Client> {
  const client = await connect(url, options);
  clients.push(client);
  return client;
}

describe('the bridge', () => {
  it.each(['websocket', 'polling'])('serves %s on the port of each listener', async (transport) => {
    for (const url of [both.tlsUrl, both.url]) {
      const client = await open(url, { transports: [transport] });
      expect(client.io.engine.transport.name).toBe(transport);
      const path = `/data/${transport}-${new URL(url).protocol}`;
      const document = { text: 'é𝄞', long: 'x'.repeat(500_000) };
      expect(await request(client, 'POST', path, document)).toMatchObject({
        status: 201,
        data: document,
      });
      const { json } = await createRest(both.url)('GET', path);
      expect(json).toEqual(document);
    }
  });

  it('keeps all answers while polling is upgraded to a websocket', async () => {
    const client = createClient(plain.url, {
      transports: ['polling', 'websocket'],
      auth: admin,
    });
    clients.push(client);
    expect(client.io.engine.transport.name).toBe('polling');
    const upgraded = new Promise((resolve) => client.io.engine.once('upgrade', resolve));
    const create = (at: number) =>
      ask(client, { method: 'POST', url: `/data/upgrade/${at}`, data: { at } });
    const asked = Array.from({ length: 50 }, (_, at) => create(at));
    client.io.engine.once('upgrading', () => {
      for (let at = 50; at < 75; at += 1) asked.push(create(at));
    });
    await upgraded;
    for (let at = 75; at < 100; at += 1) asked.push(create(at));
    expect(client.io.engine.transport.name).toBe('websocket');
    expect((await Promise.all(asked)).every(({ status }) => status === 201)).toBe(true);
    expect(await request(client, 'GET', '/data?prefix=upgrade/&limit=100')).toMatchObject({
      data: { length: 100 },
    });
  });

  it('lives in the default namespace and at the default path', async () => {
    expect(await (await fetch(`${plain.url}/socket.io/?EIO=4&transport=polling`)).text()).toMatch(
      /^0\{"sid":/,
    );
    await expect(open(`${plain.url}/admin`)).rejects.toThrow('Invalid namespace');
    const elsewhere = await fetch(`${plain.url}/socket/?EIO=4&transport=polling`);
    expect(elsewhere.ok).toBe(false);
  });

  it('marks its answers over HTTP as nosniff, refusals too', async () => {
    for (const query of ['?EIO=4&transport=polling', '?EIO=4&transport=pigeon']) {
      const answer = await fetch(`${plain.url}/socket.io/${query}`);
      expect(answer.headers.get('x-content-type-options'), query).toBe('nosniff');
    }
  });

  it('answers one client alone', async () => {
    const [asking, listening] = [await open(plain.url), await open(plain.url)];
    const heard: unknown[] = [];
    listening.onAny((...event) => heard.push(event));
    expect(await request(asking, 'GET', '/data')).toMatchObject({ status: 200 });
    expect(await ask(listening, { method: 'GET', url: '/api/health' })).toMatchObject({
      status: 200,
    });
    expect(heard).toHaveLength(1);
  });
});

describe('socket.io-client 2', () => {
  it.each(['websocket', 'polling'])('is served over %s with SOCKET_EIO3=on', async (transport) => {
    const client = io2(both.tlsUrl, {
      transports: [transport],
      forceNew: true,
      reconnection: false,
      rejectUnauthorized: false,
      // Node 22 has a WebSocket of its own, which knows no rejectUnauthorized.
      forceNode: true,
    });
    clients.push(client);
    const onEvent: unknown[] = [];
    client.on('http message', (answer) => onEvent.push(answer));
    const askIt = (envelope: unknown) =>
      new Promise<unknown>((resolve, reject) => {
        client.once('disconnect', reject).once('connect_error', reject);
        client.emit('http message', envelope, resolve);
      }).then(toAnswer);
    const url = `/data/of-2020-${transport}`;
    const created = await askIt({ auth: admin, method: 'POST', url, data: { ä: 1 }, id: [1] });
    expect(created).toMatchObject({ url, status: 201, data: { ä: 1 }, id: [1] });
    expect(await askIt({ auth: admin, method: 'GET', url })).toMatchObject({ data: { ä: 1 } });
    expect(await askIt({ method: 'GET', url })).toMatchObject({ status: 401 });
    expect(await askIt('no envelope')).toMatchObject({ status: 400 });
    expect(onEvent).toHaveLength(4);
    expect((await createRest(both.url)('GET', url)).json).toEqual({ ä: 1 });
  });

  it('is refused unless SOCKET_EIO3 is on', async () => {
    for (const transport of ['websocket', 'polling']) {
      const client = io2(plain.url, {
        transports: [transport],
        forceNew: true,
        reconnection: false,
      });
      clients.push(client);
      const event = await new Promise((resolve) => {
        client.once('connect', () => resolve('connect'));
        client.once('connect_error', () => resolve('connect_error'));
      });
      expect(event, transport).toBe('connect_error');
    }
    const handshake = await fetch(`${plain.url}/socket.io/?EIO=3&transport=polling`);
    expect(handshake.status).toBe(400);
  });
});
