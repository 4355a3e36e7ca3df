import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, type Client, createClient, request } from '../socket/client.ts';
import { sendRequest } from '../support/http-request.ts';
import { isLongRun } from '../support/long-runs.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { headersV4 } from '../support/sign-request.ts';
import { type Balancer, startHaproxy, startNginx } from './balancers.ts';
import { type Backends, startBackends } from './cluster.ts';

/** What docs/scaling.md promises of its set-ups. In long runs alone, since Debian's packages are needed. */

const PAIR = { accessKeyId: 'AKIDADMIN00000000001', secretAccessKey: 'admin-secret-of-all-nodes' };

describe.runIf(isLongRun).each([
  // Its cookie is for clients that keep cookies.
  { name: 'haproxy', start: startHaproxy, sticky: { withCredentials: true } },
  { name: 'nginx', start: startNginx, sticky: {} },
])('behind $name', ({ start, sticky }) => {
  let backends: Backends;
  let nodes: [TestServer, TestServer, TestServer];
  let balancer: Balancer;
  let url: string;
  const clients: Client[] = [];

  beforeAll(async () => {
    backends = await startBackends();
    const env = {
      ...(await backends.settings()),
      ACCESS_KEY_ID: PAIR.accessKeyId,
      SECRET_ACCESS_KEY: PAIR.secretAccessKey,
      TRUST_PROXY: 'on',
      S3_DOMAINS: 'saves.example',
    };
    nodes = await Promise.all([startServer({ env }), startServer({ env }), startServer({ env })]);
    balancer = await start(nodes.map((node) => new URL(node.url).host));
    url = balancer.url;
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await balancer?.stop();
    await nodes?.[1].stop();
    await nodes?.[2].stop();
    await backends?.stop();
  });

  async function open(options: Parameters<typeof createClient>[1]): Promise<Client> {
    const client = createClient(url, { auth: admin, reconnectionDelay: 10, ...options });
    clients.push(client);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', resolve).once('connect_error', reject);
    });
    return client;
  }

  /** Write without a pause, each over a new connection. */
  function startWriters() {
    let isOver = false;
    const counts = [0, 0, 0, 0];
    const seen = new Set<unknown>();
    const write = async (writer: number): Promise<void> => {
      for (; !isOver; counts[writer] = (counts[writer] ?? 0) + 1) {
        const post = {
          method: 'POST',
          path: `/data/busy/${writer}-${counts[writer]}`,
          headers: { 'content-type': 'application/json' },
          body: '{}',
          localAddress: `127.0.${writer}.3`,
        };
        const { status } = await sendRequest(url, post).catch((error) => ({ status: error }));
        seen.add(status);
      }
    };
    const all = Promise.all([...counts.keys()].map(write));
    return {
      seen: () => [...seen],
      /** Resolves once each has had so many more answers. */
      async go(answers: number): Promise<void> {
        const before = [...counts];
        await expect
          .poll(() => Math.min(...counts.map((count, i) => count - (before[i] ?? 0))))
          .toBeGreaterThanOrEqual(answers);
      },
      stop(): Promise<unknown> {
        isOver = true;
        return all;
      },
    };
  }

  it('objects far larger than a proxy’s default come through whole', async () => {
    const body = randomBytes(20_000_000);
    const put = await sendRequest(url, { method: 'PUT', path: '/uploads/large', body });
    expect(put.status).toBe(200);
    const { headers } = await sendRequest(url, { path: '/uploads/large', method: 'HEAD' });
    expect([headers.get('content-length'), headers.get('etag')]).toEqual([
      '20000000',
      put.headers.get('etag'),
    ]);
  });

  it('an upload reaches the node as it is sent: a refused one is answered before its end', async () => {
    const { hostname: host, port } = new URL(url);
    const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.write(
      `PUT /uploads/refused HTTP/1.1\r\nHost: ${host}:${port}\r\nContent-Length: 100000000\r\n\r\nx`,
    );
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 403 /);
    socket.destroy();
  });

  it('signatures hold, also of headers with an underscore and of paths that need escapes', async () => {
    const path = '/uploads/a%20b%2F%2Fc/%C3%A9+~';
    const { host } = new URL(url);
    const headers = { 'x-amz-meta-some_name': 'kept' };
    const signed = { pair: PAIR, path, host };
    const put = await sendRequest(url, {
      method: 'PUT',
      path,
      credentials: null,
      headers: headersV4({ ...signed, method: 'PUT', headers, body: 'signed' }),
      body: 'signed',
    });
    expect(put.status, put.text).toBe(200);
    const got = await sendRequest(url, { path, credentials: null, headers: headersV4(signed) });
    expect([got.text, got.headers.get('x-amz-meta-some_name')]).toEqual(['signed', 'kept']);
  });

  it('a bucket’s own host name leads to it', async () => {
    await sendRequest(url, { method: 'PUT', path: '/uploads/by-host', body: 'by host' });
    const headers = { host: 'uploads.saves.example' };
    expect((await sendRequest(url, { path: '/by-host', headers })).text).toBe('by host');
  });

  it('answers name what the client called, whatever it claims to be forwarded for', async () => {
    const { json } = await sendRequest(url, {
      method: 'POST',
      path: '/api/v2/s3/create_signed_url',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-host': 'elsewhere.example',
        'x-forwarded-proto': 'http',
      },
      body: '{}',
    });
    expect(json).toMatchObject({ data: { url: `${url}/uploads` } });
  });

  it('the nodes know clients by their own addresses', async () => {
    const { headers } = await sendRequest(url, {
      path: '/data',
      headers: { 'x-forwarded-for': '203.0.113.5' },
      localAddress: '127.0.0.9',
    });
    const id = headers.get('x-request-id') ?? 'none';
    const line = (): string | undefined =>
      nodes
        .flatMap((node) => node.log().split('\n'))
        .find((found) => found.includes(JSON.stringify(id)));
    await expect.poll(line).toContain('"address":"127.0.0.9"');
  });

  it.each([
    { transports: ['websocket'] },
    { transports: ['polling', 'websocket'], ...sticky },
    { transports: ['polling'], ...sticky },
  ])('clients of Socket.IO get through with %o', async (options) => {
    for (let i = 0; i < 6; i += 1) {
      const client = await open({ ...options, localAddress: `127.0.${i}.2` });
      const path = `/data/${options.transports.join('-')}/${i}`;
      expect(await request(client, 'POST', path, { i })).toMatchObject({ status: 201 });
      if (options.transports.length === 2) {
        await expect.poll(() => client.io.engine.transport.name).toBe('websocket');
      }
      expect(await request(client, 'GET', path)).toMatchObject({ data: { i } });
      client.close();
    }
  });

  it('nobody misses a node that is taken out first, and its websockets go on elsewhere', async () => {
    const sockets = await Promise.all(
      [1, 2, 3, 4].map((i) =>
        open({ transports: ['websocket'], reconnection: true, localAddress: `127.0.${i}.2` }),
      ),
    );
    const writers = startWriters();
    try {
      await writers.go(20);
      await balancer.takeOutFirst();
      // What was under way is answered.
      await writers.go(1);
      await nodes[0].stop();
      await writers.go(20);
    } finally {
      await writers.stop();
    }
    expect(writers.seen()).toEqual([201]);
    for (const socket of sockets) {
      expect(await request(socket, 'GET', '/api/health')).toMatchObject({ status: 200 });
    }
  });
});
