import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD } from '../support/environment.ts';
import { parseMetrics } from '../support/metrics-text.ts';
import { basic, createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type EventStream, openStream, type StreamOptions } from './event-stream.ts';
import { head, MEMBER_PASSWORD, makeMember, urls } from './feed-server.ts';

/** `GET /api/changes` with `Accept: text/event-stream`. */

const HEARTBEAT_MS = 150;

let server: TestServer;
let rest: Rest;
let writes = 0;
const streams: EventStream[] = [];

beforeAll(async () => {
  server = await startServer({ heartbeatMs: HEARTBEAT_MS });
  rest = createRest(server.url);
});

afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
});

afterAll(() => server.stop());

async function open(options: StreamOptions = {}): Promise<EventStream> {
  const stream = await openStream(server.url, options);
  streams.push(stream);
  return stream;
}

async function write(prefix = 'streamed'): Promise<string> {
  writes += 1;
  const path = `/data/${prefix}/${writes}`;
  expect((await rest('POST', path, {})).status).toBe(201);
  return path;
}

describe('a stream', () => {
  it('begins at once, is told not to be kept or buffered, and has each change', async () => {
    const since = await head(rest);
    const first = await write();
    const stream = await open({ query: `?since=${since}` });
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      'content-type': expect.stringMatching(/^text\/event-stream/),
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    const second = await write();
    await stream.until(() => stream.changes.length === 2);
    expect(urls(stream.changes)).toEqual([first, second]);
    const told = stream.events.filter(({ event }) => event === 'change');
    expect(told.map(({ id }) => id)).toEqual([String(since + 1), String(since + 2)]);
    expect(JSON.parse(told[0]?.data ?? '')).toEqual({
      seq: since + 1,
      type: 'put',
      url: first,
      etag: `"${since + 1}"`,
      at: expect.any(String),
    });
  });

  it('has what comes from now on where no number is given', async () => {
    await write();
    const stream = await open();
    const path = await write();
    await stream.until(() => stream.changes.length > 0);
    expect(urls(stream.changes)).toEqual([path]);
  });

  it('goes on from Last-Event-ID, which the url has an older number than', async () => {
    const since = await head(rest);
    const first = await write();
    const stream = await open({ query: `?since=${since}` });
    await stream.until(() => stream.changes.length === 1);
    expect(urls(stream.changes)).toEqual([first]);
    stream.close();
    const missed = await write();
    const again = await open({ query: `?since=${since}`, lastEventId: stream.lastId ?? '' });
    await again.until(() => again.changes.length === 1);
    expect(urls(again.changes)).toEqual([missed]);
    // EventSource sends none before it has one; a client may send it empty.
    const anew = await open({ query: `?since=${since}`, lastEventId: '' });
    await anew.until(() => anew.changes.length === 2);
  });

  it('says that it is there, and where, while nothing is to be told', async () => {
    const member = await makeMember(server.url, 'listener', 'data/mine/');
    const stream = await open({ username: member.name, password: MEMBER_PASSWORD });
    await write('hidden');
    await write('hidden');
    const now = await head(rest);
    await stream.until(() => stream.lastId === String(now));
    const count = stream.events.length;
    await stream.until(() => stream.events.length >= count + 2);
    expect(stream.changes).toEqual([]);
    expect(stream.events.slice(count).every(({ id, data }) => id === String(now) && !data)).toBe(
      true,
    );
  });

  it('has what its user may read alone, from the change on that its grants are', async () => {
    const member = await makeMember(server.url, 'reader', 'data/a/');
    const stream = await open({ username: member.name, password: MEMBER_PASSWORD });
    const isAtHead = async (): Promise<void> => {
      const now = String(await head(rest));
      await stream.until(() => stream.lastId === now);
    };
    const first = await write('a');
    await write('b');
    await isAtHead();
    await member.grant('data/b/');
    await write('a');
    const second = await write('b');
    await isAtHead();
    await member.grant('data/a/', 'data/b/');
    const third = await write('a');
    await isAtHead();
    await member.grant();
    await write('a');
    await isAtHead();
    expect(urls(stream.changes)).toEqual([first, second, third]);
  });

  it.each([
    ['its password is changed', 'PUT', { role: 'member', password: 'another one' }],
    ['its user is removed', 'DELETE', undefined],
  ])('ends when %s, and says so', async (_, method, body) => {
    const member = await makeMember(server.url, 'leaver', 'data/');
    const stream = await open({ username: member.name, password: MEMBER_PASSWORD });
    const path = await write();
    await stream.until(() => stream.changes.length === 1);
    await rest(method, '/api/users/leaver', body);
    const hidden = await write();
    await stream.ended;
    expect(urls(stream.changes)).toEqual([path]);
    expect(urls(stream.changes)).not.toContain(hidden);
    const last = stream.events.at(-1);
    expect(last?.event).toBe('end');
    expect(JSON.parse(last?.data ?? '')).toEqual({ status: 401, error: expect.any(String) });
    // It does not move the number to go on from.
    expect(last?.id).toBeUndefined();
  });

  it('is an answer of its own where its number is too new', async () => {
    const stream = await open({ lastEventId: String((await head(rest)) + 1) });
    await stream.ended;
    expect(stream.status).toBe(410);
    expect(stream.headers['content-type']).toMatch(/^application\/json/);
    expect(JSON.parse(stream.body)).toEqual({ error: expect.any(String), oldest: 0 });
  });

  it.each([
    [{ lastEventId: 'x' }, 400],
    [{ query: '?since=x' }, 400],
    [{ password: 'wrong' }, 401],
  ])('%j: %i', async (options, status) => {
    const stream = await open(options);
    await stream.ended;
    expect(stream.status).toBe(status);
    expect(JSON.parse(stream.body)).toEqual({ error: expect.any(String) });
  });

  it('HEAD has its headers and ends', async () => {
    const answer = await fetch(`${server.url}/api/changes`, {
      method: 'HEAD',
      headers: { accept: 'text/event-stream', authorization: basic('admin', PASSWORD) },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(await answer.text()).toBe('');
  });

  it('is logged once it is over', async () => {
    const stream = await open({ query: '?prefix=logged' });
    stream.close();
    await expect.poll(() => server.log()).toMatch(/"path":"\/api\/changes".*"cutOff":true/);
    expect(server.log()).not.toMatch(/"level":[456]0/);
  });

  it('leaves nothing behind where its client goes before it has begun', async () => {
    const { hostname, port } = new URL(server.url);
    const request = (accept: string) =>
      `GET /api/changes?wait=55 HTTP/1.1\r\nHost: ${hostname}\r\nAccept: ${accept}\r\n` +
      `Authorization: ${basic('admin', PASSWORD)}\r\n\r\n`;
    for (let i = 0; i < 60; i += 1) {
      const tcp = connect({ host: hostname, port: Number(port) }).on('error', () => {});
      tcp.write(request(i % 3 === 0 ? 'application/json' : 'text/event-stream'));
      await once(tcp, 'connect');
      // At another moment of its way each time.
      for (let turn = 0; turn < i % 12; turn += 1) await new Promise(setImmediate);
      tcp.resetAndDestroy();
    }
    await expect
      .poll(async () => parseMetrics((await rest('GET', '/api/metrics')).text).sum('keystow_feeds'))
      .toBe(0);
    expect(server.log()).not.toMatch(/"level":[456]0/);
  });
});
