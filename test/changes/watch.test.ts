import connectOld from 'socket.io-client-2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MAX_FEEDS_PER_SOCKET } from '../../shared/limits.ts';
import { admin, type Client, connect } from '../socket/client.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { head, MEMBER_PASSWORD, makeMember, urls } from './feed-server.ts';
import { begun, createWatcher, type Watcher } from './watcher.ts';

/** Socket.IO's `watch`, `change`, `unwatch` and `unwatched`. */

let server: TestServer;
let rest: Rest;
let writes = 0;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  server = await startServer({ env: { SOCKET_EIO3: 'on' } });
  rest = createRest(server.url);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

afterAll(() => server.stop());

async function open(options: Parameters<typeof connect>[1] = { auth: admin }): Promise<Client> {
  const client = await connect(server.url, options);
  cleanups.push(() => client.close());
  return client;
}

async function openWatcher(options?: Parameters<typeof connect>[1]): Promise<Watcher> {
  return createWatcher(await open(options));
}

async function write(prefix = 'watched'): Promise<string> {
  writes += 1;
  const path = `/data/${prefix}/${writes}`;
  expect((await rest('POST', path, {})).status).toBe(201);
  return path;
}

describe('a watch', () => {
  it.each(['websocket', 'polling'])(
    'tells each change once, in order, over %s',
    async (transport) => {
      const since = await head(rest);
      const before = await write();
      const watcher = await openWatcher({ auth: admin, transports: [transport], upgrade: false });
      const { watch, since: from } = begun(await watcher.watch({ since }));
      expect(from).toBe(since);
      const after = [await write(), await write(), await write()];
      await watcher.until(() => watcher.told.length === 4);
      expect(urls(watcher.changes(watch))).toEqual([before, ...after]);
      expect(watcher.told[0]?.change).toEqual({
        seq: since + 1,
        type: 'put',
        url: before,
        etag: `"${since + 1}"`,
        at: expect.any(String),
      });
    },
  );

  it('begins now without a number, and says where that is', async () => {
    await write();
    const watcher = await openWatcher();
    const now = await head(rest);
    expect(begun(await watcher.watch({})).since).toBe(now);
    const path = await write();
    await watcher.until(() => watcher.told.length > 0);
    expect(urls(watcher.told.map(({ change }) => change))).toEqual([path]);
  });

  it('takes auth of its own, of the handshake, and refuses none and wrong ones', async () => {
    const own = await openWatcher({});
    expect((await own.watch({ auth: admin })).status).toBe(200);
    expect((await own.watch({})).status).toBe(401);
    expect(await own.watch({ auth: { ...admin, password: 'wrong' } })).toMatchObject({
      status: 401,
      statusText: 'Unauthorized',
      data: { error: expect.any(String) },
    });
    expect((await (await openWatcher()).watch({})).status).toBe(200);
  });

  it('has a prefix, with or without a slash before it', async () => {
    const watcher = await openWatcher();
    for (const prefix of ['/data/pre', 'data/pre', '/data/other', '/uploads/']) {
      await watcher.watch({ prefix });
    }
    const path = await write('pre');
    await rest('PUT', '/uploads/object', Buffer.from('x'));
    await watcher.until(() => watcher.told.length === 3);
    expect(urls(watcher.changes(1))).toEqual([path]);
    expect(urls(watcher.changes(2))).toEqual([path]);
    expect(watcher.changes(3)).toEqual([]);
    expect(urls(watcher.changes(4))).toEqual(['/uploads/object']);
  });

  it('has one url, encoded as changes are, and nothing that only begins so', async () => {
    const watcher = await openWatcher();
    const { watch } = begun(await watcher.watch({ url: '/data/one%20%C3%BC' }));
    const all = begun(await watcher.watch({ prefix: '/data/one' })).watch;
    for (const key of ['one%20%C3%BC!', 'one%20%C3%BC', 'one'])
      await rest('POST', `/data/${key}`, {});
    await watcher.until(() => watcher.changes(all).length === 3);
    expect(urls(watcher.changes(watch))).toEqual(['/data/one%20%C3%BC']);
  });

  it('is one of many on a socket, up to a bound', async () => {
    const watcher = await openWatcher();
    const answers = await Promise.all(
      Array.from({ length: MAX_FEEDS_PER_SOCKET }, () => watcher.watch({})),
    );
    const ids = answers.map((answer) => begun(answer).watch);
    expect(new Set(ids).size).toBe(MAX_FEEDS_PER_SOCKET);
    expect(await watcher.watch({})).toMatchObject({
      status: 429,
      data: { error: expect.stringContaining(String(MAX_FEEDS_PER_SOCKET)) },
    });
    const path = await write();
    await watcher.until(() => watcher.told.length === MAX_FEEDS_PER_SOCKET);
    for (const id of ids) expect(urls(watcher.changes(id))).toEqual([path]);
    await watcher.unwatch(ids[0]);
    expect((await watcher.watch({})).status).toBe(200);
  });

  it('ends with unwatch: one of them, or all', async () => {
    const watcher = await openWatcher();
    const [first, second, third] = [
      begun(await watcher.watch({})).watch,
      begun(await watcher.watch({})).watch,
      begun(await watcher.watch({})).watch,
    ];
    expect(await watcher.unwatch(first)).toEqual({ status: 200, statusText: 'OK', data: {} });
    await write();
    await watcher.until(() => watcher.told.length === 2);
    expect(watcher.told.map(({ watch }) => watch).sort()).toEqual([second, third]);
    await watcher.unwatch();
    await write();
    // A later watch is told: what was before it would have come first.
    const last = begun(await watcher.watch({})).watch;
    const path = await write();
    await watcher.until(() => watcher.told.length === 3);
    expect(urls(watcher.changes(last))).toEqual([path]);
    expect(watcher.unwatched).toEqual([]);
  });

  it('is answered although it is ended before it has begun', async () => {
    const watcher = await openWatcher();
    const answer = watcher.watch({ since: 0 });
    await watcher.unwatch();
    begun(await answer);
    const other = begun(await watcher.watch({ url: '/data/none' })).watch;
    expect(other).toBe(2);
    expect(watcher.told).toEqual([]);
  });

  it('ends with its socket', async () => {
    const client = await open();
    const watcher = createWatcher(client);
    for (let i = 0; i < MAX_FEEDS_PER_SOCKET; i += 1) await watcher.watch({});
    client.disconnect().connect();
    await new Promise<void>((resolve) => client.once('connect', resolve));
    expect((await createWatcher(client).watch({})).status).toBe(200);
  });

  it('works without an acknowledgement', async () => {
    const client = await open();
    const watcher = createWatcher(client);
    const since = await head(rest);
    Reflect.apply(client.emit, client, ['watch', { since }]);
    const path = await write();
    await watcher.until(() => watcher.told.length === 1);
    expect(watcher.told).toMatchObject([{ watch: 1, change: { url: path } }]);
    Reflect.apply(client.emit, client, ['watch', { since: -1 }]);
    expect((await watcher.watch({})).status).toBe(200);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', '/data'],
    ['a number', 5],
    ['a list', []],
    ['a negative number', { since: -1 }],
    ['a fraction', { since: 1.5 }],
    ['a number as text', { since: '1' }],
    ['null for a number', { since: null }],
    ['a prefix and an url', { prefix: '/a', url: '/a' }],
    ['a prefix that is no text', { prefix: 5 }],
    ['a prefix that is too long', { prefix: 'x'.repeat(20_000) }],
    ['a lone surrogate', { prefix: '\ud800' }],
    ['a malformed escape', { url: '/data/%' }],
  ])('refuses %s with 400', async (_, request) => {
    const watcher = await openWatcher();
    expect(await watcher.watch(request)).toEqual({
      status: 400,
      statusText: 'Bad Request',
      data: { error: expect.any(String) },
    });
  });

  it('from a number that is too new: 410 with the oldest', async () => {
    const watcher = await openWatcher();
    const since = (await head(rest)) + 1;
    expect(await watcher.watch({ since })).toMatchObject({ status: 410, data: { oldest: 0 } });
  });
});

describe("a member's watch", () => {
  const auth = { username: 'watcher', password: MEMBER_PASSWORD };

  it('tells what may be read, from the change on that its grants are', async () => {
    const member = await makeMember(server.url, 'watcher', 'data/a/');
    const watcher = await openWatcher({ auth });
    const { watch } = begun(await watcher.watch({}));
    const first = await write('a');
    await watcher.until(() => watcher.told.length === 1);
    await member.grant('data/b/');
    await write('a');
    const second = await write('b');
    await watcher.until(() => watcher.told.length === 2);
    expect(urls(watcher.changes(watch))).toEqual([first, second]);
  });

  it('of one url that it may not read: 403', async () => {
    await makeMember(server.url, 'watcher', 'data/a/');
    const watcher = await openWatcher({ auth });
    expect(await watcher.watch({ url: '/data/b' })).toMatchObject({ status: 403 });
  });

  it.each([
    ['its password is changed', 'PUT', { role: 'member', password: 'another one' }],
    ['its user is removed', 'DELETE', undefined],
  ])('ends when %s, with a reason', async (_, method, body) => {
    await makeMember(server.url, 'watcher', 'data/');
    const watcher = await openWatcher({ auth });
    const { watch } = begun(await watcher.watch({}));
    await rest(method, '/api/users/watcher', body);
    await write();
    await watcher.until(() => watcher.unwatched.length > 0);
    expect(watcher.unwatched).toEqual([{ watch, status: 401, error: expect.any(String) }]);
    expect(watcher.told).toEqual([]);
  });
});

describe('a client of Socket.IO 2', () => {
  it('is told, too', async () => {
    const client = connectOld(server.url, { transports: ['websocket'], forceNew: true });
    cleanups.push(() => client.close());
    const since = await head(rest);
    const answer = new Promise((resolve) => {
      client.emit('watch', { auth: admin, since }, resolve);
    });
    const told = new Promise((resolve) => {
      client.once('change', resolve);
    });
    const path = await write();
    expect(await answer).toEqual({ status: 200, statusText: 'OK', data: { watch: 1, since } });
    expect(await told).toMatchObject({ url: path, seq: since + 1 });
  });
});
