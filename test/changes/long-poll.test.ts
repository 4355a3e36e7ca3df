import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_WAIT_SECONDS } from '../../shared/limits.ts';
import { type Client, connect } from '../socket/client.ts';
import { PASSWORD } from '../support/environment.ts';
import { basic, createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { changesOf, head, makeMember, urls } from './feed-server.ts';

/** `GET /api/changes?wait=`. */

let server: TestServer;
let rest: Rest;
let writes = 0;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

async function write(prefix = 'polled'): Promise<string> {
  writes += 1;
  const path = `/data/${prefix}/${writes}`;
  expect((await rest('POST', path, {})).status).toBe(201);
  return path;
}

/** How often a request for changes was answered, or broken off. */
function served(text = '"path":"/api/changes"'): number {
  return server
    .log()
    .split('\n')
    .filter((line) => line.includes(text)).length;
}

describe('a long poll', () => {
  it('answers at once where there is something', async () => {
    const since = await head(rest);
    const path = await write();
    const start = performance.now();
    expect(
      urls((await changesOf(rest, `?since=${since}&wait=${MAX_WAIT_SECONDS}`)).changes),
    ).toEqual([path]);
    // Else it comes when the waiting is over.
    expect(performance.now() - start).toBeLessThan((MAX_WAIT_SECONDS * 1_000) / 2);
  });

  it('answers with the first change that comes', async () => {
    const since = await head(rest);
    const polls = [1, 2, 3].map(() => changesOf(rest, `?since=${since}&wait=55`));
    const path = await write();
    for (const page of await Promise.all(polls)) {
      expect(urls(page.changes)).toEqual([path]);
      expect(page.next).toBe(since + 1);
    }
  });

  it('answers with an empty page once its time is over', async () => {
    const since = await head(rest);
    const start = performance.now();
    expect(await changesOf(rest, `?since=${since}&wait=1`)).toEqual({ changes: [], next: since });
    expect(performance.now() - start).toBeGreaterThan(990);
  });

  it('does not wait with wait=0', async () => {
    const since = await head(rest);
    expect(await changesOf(rest, `?since=${since}&wait=0`)).toEqual({ changes: [], next: since });
  });

  it('is not answered by what its user may not read, but goes past it', async () => {
    const member = await makeMember(server.url, 'poller', 'data/mine/');
    const since = await head(rest);
    const poll = changesOf(member.rest, `?since=${since}&wait=55`);
    await write('hidden');
    await write('hidden');
    const path = await write('mine');
    const { changes, next } = await poll;
    expect(urls(changes)).toEqual([path]);
    expect(next).toBe(since + 3);
    await write('hidden');
    const empty = await changesOf(member.rest, `?since=${next}&wait=0`);
    expect(empty).toEqual({ changes: [], next: since + 4 });
  });

  it('is not answered by what its prefix leaves out, but goes past it', async () => {
    const since = await head(rest);
    const poll = changesOf(rest, `?since=${since}&wait=55&prefix=/data/wanted/`);
    await write('unwanted');
    const path = await write('wanted');
    expect(urls((await poll).changes)).toEqual([path]);
  });

  it('ends with its client', async () => {
    const before = served('"cutOff":true');
    const sent = request(`${server.url}/api/changes?since=${await head(rest)}&wait=55`, {
      agent: false,
      headers: { authorization: basic('admin', PASSWORD) },
    });
    sent.on('error', () => {}).end();
    // It waits: a later request was answered meanwhile.
    await changesOf(rest, '?limit=1');
    sent.destroy();
    await expect.poll(() => served('"cutOff":true')).toBe(before + 1);
  });

  it('of an envelope ends with its socket', async () => {
    const since = await head(rest);
    const client = await connect(server.url);
    const url = `/api/changes?since=${since}&wait=55`;
    client.emit('http message', {
      auth: { username: 'admin', password: PASSWORD },
      method: 'GET',
      url,
    });
    await answered(client);
    const before = served('"via":"socket","method":"GET","path":"/api/changes"');
    client.close();
    await expect
      .poll(() => served('"via":"socket","method":"GET","path":"/api/changes"'))
      .toBe(before + 1);
  });

  it('of an envelope is answered as any other', async () => {
    const since = await head(rest);
    const client = await connect(server.url);
    const answer = new Promise((resolve) => {
      client.emit(
        'http message',
        {
          auth: { username: 'admin', password: PASSWORD },
          method: 'GET',
          url: `/api/changes?since=${since}&wait=55`,
        },
        resolve,
      );
    });
    const path = await write();
    expect(await answer).toMatchObject({ status: 200, data: { changes: [{ url: path }] } });
    client.close();
  });

  it.each([
    [
      'changed password',
      (name: string) => rest('PUT', `/api/users/${name}`, { role: 'member', password: 'another' }),
    ],
    ['removed user', (name: string) => rest('DELETE', `/api/users/${name}`)],
  ])('ends at a %s with 401', async (_, end) => {
    const member = await makeMember(server.url, 'ending', 'data/');
    const since = await head(rest);
    // Its password is verified: the poll waits once it has arrived.
    await changesOf(member.rest);
    const poll = member.rest('GET', `/api/changes?since=${since}&wait=55`);
    await fetch(`${server.url}/api/health`);
    await end(member.name);
    const { status, text } = await poll;
    expect(status).toBe(401);
    expect(JSON.parse(text)).toEqual({ error: expect.stringContaining('ending') });
  });
});

/** One more round trip: what was sent before has arrived. */
async function answered(client: Client): Promise<void> {
  await new Promise((resolve) => {
    client.emit('http message', { method: 'GET', url: '/api/health' }, resolve);
  });
}
