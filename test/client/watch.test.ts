import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeystowClient, KeystowClientError, WatchItem } from '../../shared/client/index.ts';
import { freePort } from '../support/free-port.ts';
import { runs } from '../support/long-runs.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { clientOver, TRANSPORTS } from './both-transports.ts';

/** The watch of the client: each change once and in order, whatever becomes of its connections. */

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

const WAIT = { timeout: 20_000, interval: 20 };

/** The next so many items; it must have them. */
async function take(watch: AsyncIterator<WatchItem>, count: number): Promise<WatchItem[]> {
  const items: WatchItem[] = [];
  while (items.length < count) {
    const { value, done } = await watch.next();
    if (done) throw new Error(`The watch ended after ${items.length} items.`);
    items.push(value);
  }
  return items;
}

function urlsOf(items: readonly WatchItem[]): string[] {
  return items.map((item) => ('url' in item ? `${item.type} ${item.url}` : item.type));
}

describe.each(TRANSPORTS)('a watch over %s', (transport) => {
  let client: KeystowClient;
  let at: string;

  beforeAll(() => {
    client = clientOver(transport, server.url);
    at = `watch-${transport}/`;
  });

  afterAll(() => client.close());

  it('begins now, and tells of each change with its number', async () => {
    await client.documents.create(`${at}before`);
    const watch = client.watch({ prefix: `/data/${at}` });
    const [begin] = await take(watch, 1);
    const { etag } = await client.documents.create(`${at}a`, { n: 1 });
    await rest('POST', '/data/elsewhere', {});
    await rest('DELETE', '/data/elsewhere');
    await client.documents.delete(`${at}a`);
    const [made, gone] = await take(watch, 2);
    const seq = Number(etag.slice(1, -1));
    expect(begin).toEqual({ type: 'begin', seq: seq - 1 });
    expect(made).toEqual({
      type: 'put',
      seq,
      url: `/data/${encodeURIComponent(at.slice(0, -1))}/a`,
      etag,
      at: expect.stringMatching(/^\d{4}-/),
    });
    expect(gone).toMatchObject({ type: 'delete', seq: seq + 3 });
    await watch.return();
  });

  it('goes on from a number, and is of one document alone', async () => {
    const key = `${at}one ü`;
    const url = `/data/${encodeURIComponent(key)}`;
    const { etag } = await client.documents.create(key);
    await client.documents.create(`${key}-longer`);
    await client.documents.replace(key, { n: 1 });
    const since = Number(etag.slice(1, -1)) - 1;
    const watch = client.watch({ url, since });
    expect((await take(watch, 2)).map(({ seq }) => seq)).toEqual([since + 1, since + 3]);
    await watch.return();
  });

  it('has the changes of a batch in its order', async () => {
    const watch = client.watch({ prefix: `/data/${at}batch/` });
    await take(watch, 1);
    const keys = Array.from({ length: 50 }, (_, n) => `${at}batch/${50 - n}`);
    const results = await client.documents.batch(keys.map((key) => ({ type: 'create', key })));
    const seqs = (await take(watch, 50)).map(({ seq }) => `"${seq}"`);
    expect(seqs).toEqual(results.map(({ etag }) => etag));
    await watch.return();
  });

  it('ends with its signal, and with its client', async () => {
    const ending = new AbortController();
    const watch = client.watch({ signal: ending.signal });
    await take(watch, 1);
    const next = watch.next();
    ending.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    const other = clientOver(transport, server.url);
    const ended = other.watch();
    await take(ended, 1);
    const last = ended.next();
    other.close();
    expect(await last).toEqual({ done: true, value: undefined });
  });

  it('is refused where trying again is of no use', async () => {
    const credentials = { username: 'admin', password: 'wrong' };
    const stranger = clientOver(transport, server.url, { credentials });
    await expect(take(stranger.watch(), 1)).rejects.toMatchObject({ code: 'unauthenticated' });
    stranger.close();
  });

  it('is cut off where its user is deleted', async () => {
    const username = `watcher-${transport}`;
    await rest('PUT', `/api/users/${username}`, {
      role: 'member',
      password: 'p',
      grants: [{ prefix: `data/${at}`, access: 'read' }],
    });
    const member = clientOver(transport, server.url, { credentials: { username, password: 'p' } });
    const watch = member.watch();
    await take(watch, 1);
    await rest('POST', '/data/hidden');
    await rest('POST', `/data/${encodeURIComponent(at)}seen`);
    expect(urlsOf(await take(watch, 1))).toEqual([expect.stringContaining('seen')]);
    const next = watch.next();
    await rest('DELETE', `/api/users/${username}`);
    await expect(next).rejects.toMatchObject({ code: 'unauthenticated' });
    member.close();
  });

  it('lets a caller be slow', async () => {
    const watch = client.watch({ prefix: `/data/${at}slow/` });
    await take(watch, 1);
    const keys = Array.from({ length: 3_000 }, (_, n) => `${at}slow/${n}`);
    for (let n = 0; n < keys.length; n += 500) {
      const changes = keys.slice(n, n + 500).map((key) => ({ type: 'create' as const, key }));
      await client.documents.batch(changes);
    }
    const seen = urlsOf(await take(watch, keys.length)).map((url) => url.split('/').at(-1));
    expect(seen).toEqual(keys.map((_, n) => String(n)));
    await watch.return();
  });
});

describe.each(TRANSPORTS)('a watch over %s whose connection is lost', (transport) => {
  let proxy: TcpProxy;
  let client: KeystowClient;

  beforeAll(async () => {
    proxy = await startTcpProxy({ ports: [Number(new URL(server.url).port)] });
    client = clientOver(transport, `http://127.0.0.1:${proxy.port}`);
  });

  afterAll(async () => {
    client.close();
    await proxy.stop();
  });

  it('misses nothing, and tells nothing twice', async () => {
    const prefix = `cut-${transport}`;
    const lost: KeystowClientError[] = [];
    let connections = 0;
    const watch = client.watch({
      prefix: `/data/${prefix}/`,
      onRetry: (error) => lost.push(error),
      onConnect: () => {
        connections += 1;
      },
    });
    await take(watch, 1);
    const count = runs(120, 500);
    const writing = (async () => {
      const seqs: number[] = [];
      for (let n = 0; n < count; n += 1) {
        const { headers } = await rest('POST', `/data/${prefix}/${n}`, { n });
        seqs.push(Number(headers.get('etag')?.slice(1, -1)));
      }
      return seqs;
    })();
    const seen: WatchItem[] = [];
    const reading = (async () => {
      while (seen.length < count) seen.push(...(await take(watch, 1)));
    })();
    for (let cut = 1; cut <= 3; cut += 1) {
      await expect.poll(() => seen.length, WAIT).toBeGreaterThan((count * cut) / 5);
      // Who has everything already asks for no connection, nor misses one.
      const isDone = () => seen.length === count;
      await expect.poll(() => connections > lost.length || isDone(), WAIT).toBe(true);
      const before = lost.length;
      proxy.cut();
      const isNoticed = () => lost.length > before || isDone();
      await expect.poll(isNoticed, WAIT).toBe(true);
      proxy.restore();
    }
    await reading;
    expect(lost.length).toBeGreaterThan(0);
    expect(seen.map(({ seq }) => seq)).toEqual(await writing);
    for (const { code } of lost) expect(['network', 'timeout', 'unavailable']).toContain(code);
    await watch.return();
  });
});

describe.each(TRANSPORTS)('a watch over %s of a server that starts anew', (transport) => {
  it('goes on; where the log has lost what it needs, it says so', async () => {
    const env = { PORT: String(await freePort()), CHANGES_KEEP: '20' };
    let restarted = await startServer({ env });
    const { folder, url } = restarted;
    const client = clientOver(transport, url);
    const own = createRest(url);
    let connections = 0;
    const onConnect = (): void => {
      connections += 1;
    };
    const watch = client.watch({ onConnect });
    await take(watch, 1);
    expect(connections).toBe(1);
    await own('POST', '/data/1');
    expect(urlsOf(await take(watch, 1))).toEqual(['put /data/1']);

    await restarted.stop({ keep: true });
    restarted = await startServer({ env, folder });
    const afterwards = take(watch, 1);
    // Before there is anything to tell.
    await expect.poll(() => connections, WAIT).toBe(2);
    await own('POST', '/data/2');
    expect(urlsOf(await afterwards)).toEqual(['put /data/2']);
    await watch.return();

    for (let n = 0; n < 100; n += 1) await own('PUT', '/data/1', { n });
    const late = client.watch({ since: 3 });
    const [resync] = await take(late, 1);
    const head = Number((await own('GET', '/data/1')).headers.get('etag')?.slice(1, -1));
    expect(resync).toEqual({ type: 'resync', seq: head });
    await own('POST', '/data/3');
    expect(urlsOf(await take(late, 1))).toEqual(['put /data/3']);
    await late.return();

    const early = client.watch({ since: head + 1_000 });
    expect(await take(early, 1)).toEqual([{ type: 'resync', seq: head + 1 }]);
    await early.return();
    client.close();
    await restarted.stop();
  });
});
