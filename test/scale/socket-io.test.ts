import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { admin, type Client, connect, createClient, request } from '../socket/client.ts';
import { isLongRun } from '../support/long-runs.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startProcess } from '../support/server-process.ts';
import { startTcpProxy, type TcpProxyOptions } from '../support/tcp-proxy.ts';
import { type Backends, startBackends } from './cluster.ts';

/** Socket.IO through a balancer with two nodes behind it: what docs/scaling.md says of it. */

let backends: Backends;
let env: Record<string, string>;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  backends = await startBackends();
  env = await backends.settings();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

afterAll(() => backends?.stop());

async function startNode(): Promise<TestServer> {
  const node = await startServer({ env });
  let stopped: Promise<unknown> | undefined;
  const stop = (): Promise<unknown> => {
    stopped ??= node.stop();
    return stopped;
  };
  cleanups.push(stop);
  return { ...node, stop };
}

/** The URL of a balancer that passes connections on, and knows nothing of HTTP. */
async function balance(
  nodes: readonly TestServer[],
  options: Omit<TcpProxyOptions, 'ports'> = {},
): Promise<string> {
  const ports = nodes.map(({ url }) => Number(new URL(url).port));
  const balancer = await startTcpProxy({ ports, ...options });
  cleanups.push(() => balancer.stop());
  return `http://127.0.0.1:${balancer.port}`;
}

type Options = Parameters<typeof createClient>[1];

async function open(url: string, options: Options = {}): Promise<Client> {
  const client = await connect(url, { auth: admin, ...options });
  cleanups.push(() => client.close());
  return client;
}

/** Whether a node has served a request for a path. */
function served(node: TestServer, path: string): boolean {
  return node.log().includes(JSON.stringify(path));
}

describe.runIf(isLongRun)('with transports: ["websocket"]', () => {
  it('clients need no sticky sessions, and see what those of other nodes write', async () => {
    const nodes = [await startNode(), await startNode()];
    const url = await balance(nodes);
    const clients = [await open(url), await open(url), await open(url), await open(url)];
    for (const [i, client] of clients.entries()) {
      const path = `/data/websocket/${i}`;
      expect(await request(client, 'POST', path, { i })).toMatchObject({ status: 201 });
      expect(nodes.map((node) => served(node, path))).toEqual([i % 2 === 0, i % 2 === 1]);
      for (const reader of clients) {
        expect(await request(reader, 'GET', path)).toMatchObject({ status: 200, data: { i } });
      }
    }
  });

  it('a client goes on by itself with another node when its own is stopped', async () => {
    const nodes = [await startNode(), await startNode()] as const;
    const url = await balance(nodes);
    const client = await open(url, { reconnection: true, reconnectionDelay: 10 });
    await request(client, 'POST', '/data/stopped', { n: 1 });
    expect(served(nodes[0], '/data/stopped')).toBe(true);
    const again = new Promise((resolve) => client.once('connect', () => resolve('again')));
    await nodes[0].stop();
    expect(await again).toBe('again');
    expect(await request(client, 'GET', '/data/stopped')).toMatchObject({ data: { n: 1 } });
    expect(served(nodes[1], '/data/stopped')).toBe(true);
  });

  it('a client goes on by itself with another node when its own is killed', async () => {
    const node = await startProcess({ env });
    cleanups.push(() => node.stop());
    const other = await startNode();
    const url = await balance([node, other]);
    const client = await open(url, { reconnection: true, reconnectionDelay: 10 });
    expect(await request(client, 'POST', '/data/killed', { n: 1 })).toMatchObject({ status: 201 });
    expect(served(other, '/data/killed')).toBe(false);
    const again = new Promise((resolve) => client.once('connect', () => resolve('again')));
    await node.kill();
    expect(await again).toBe('again');
    expect(await request(client, 'GET', '/data/killed')).toMatchObject({ data: { n: 1 } });
  });
});

describe.runIf(isLongRun)('with long polling, as clients begin unless told', () => {
  const transports = ['polling', 'websocket'];

  it('a client does not get through a balancer that is not sticky', async () => {
    const url = await balance([await startNode(), await startNode()]);
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await expect(open(url, { transports })).rejects.toThrow(/^xhr (poll|post) error$/);
    }
  });

  it('a session is known to the node alone that opened it', async () => {
    const nodes = [await startNode(), await startNode()] as const;
    const query = '/socket.io/?EIO=4&transport=polling';
    const opened = await (await fetch(nodes[0].url + query)).text();
    const { sid } = JSON.parse(opened.slice(1));
    const answer = await fetch(`${nodes[1].url}${query}&sid=${sid}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 1, message: 'Session ID unknown' });
  });

  it('a client gets through a sticky one, is upgraded, and moves when its node is stopped', async () => {
    const nodes = [await startNode(), await startNode()] as const;
    const url = await balance(nodes, { isSticky: true });
    const clients = await Promise.all(
      ['127.0.0.2', '127.0.0.3'].map((localAddress) => {
        const client = createClient(url, {
          transports,
          localAddress,
          auth: admin,
          reconnection: true,
          reconnectionDelay: 10,
        });
        cleanups.push(() => client.close());
        return client;
      }),
    );
    const upgraded = clients.map(
      ({ io }) => new Promise((resolve) => io.engine.once('upgrade', resolve)),
    );
    await Promise.all(upgraded);
    for (const [i, client] of clients.entries()) {
      const path = `/data/sticky/${i}`;
      expect(await request(client, 'POST', path, { i })).toMatchObject({ status: 201 });
    }
    expect(nodes.map((node) => served(node, '/data/sticky/0')).sort()).toEqual([false, true]);
    expect(nodes.map((node) => served(node, '/data/sticky/1'))).toEqual(
      nodes.map((node) => !served(node, '/data/sticky/0')),
    );

    const moved = Promise.race(
      clients.map(
        (client) => new Promise<Client>((ok) => client.once('connect', () => ok(client))),
      ),
    );
    await nodes[0].stop();
    const client = await moved;
    expect(await request(client, 'GET', '/data/sticky/0')).toMatchObject({ data: { i: 0 } });
  });
});
