import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, connect, request } from '../socket/client.ts';
import { expectError } from '../support/expect-error.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { changesOf, head, makeMember, urls } from './feed-server.ts';

/** `GET /api/changes` as JSON. */

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

describe('a page', () => {
  it('has every acknowledged write once, in order, with its number and time', async () => {
    const since = await head(rest);
    const before = Date.now();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => rest('POST', `/data/all/${i}`, { i })),
    );
    const expected = answers
      .map(({ headers }, i) => ({ etag: headers.get('etag') ?? '', url: `/data/all/${i}` }))
      .sort((a, b) => Number(a.etag.slice(1, -1)) - Number(b.etag.slice(1, -1)));
    const { changes, next } = await changesOf(rest, `?since=${since}`);
    expect(changes.map(({ etag, url }) => ({ etag, url }))).toEqual(expected);
    expect(changes.map(({ seq }) => `"${seq}"`)).toEqual(expected.map(({ etag }) => etag));
    expect(next).toBe(changes.at(-1)?.seq);
    for (const { type, at } of changes) {
      expect(type).toBe('put');
      expect(Date.parse(at)).toBeGreaterThanOrEqual(before);
      expect(at).toBe(new Date(at).toISOString());
    }
  });

  it('has patches, replacements and deletions, the latter without an ETag', async () => {
    const since = await head(rest);
    await rest('POST', '/data/life', {});
    await rest('PATCH', '/data/life', { a: 1 });
    await rest('PUT', '/data/life', { b: 1 });
    await rest('DELETE', '/data/life');
    const { changes } = await changesOf(rest, `?since=${since}`);
    expect(changes.map(({ type }) => type)).toEqual(['put', 'put', 'put', 'delete']);
    expect(changes.map((change) => 'etag' in change)).toEqual([true, true, true, false]);
    expect(changes.map(({ seq }) => seq)).toEqual([1, 2, 3, 4].map((n) => since + n));
  });

  it('has objects, with the ETag that S3 gives, unless they were changed again', async () => {
    const since = await head(rest);
    const upload = (key: string, bytes: string) =>
      rest('PUT', `/uploads/${key}`, Buffer.from(bytes));
    await upload('one', 'first');
    const second = await upload('one', 'second');
    const other = await upload('large', 'x'.repeat(70_000));
    await rest('DELETE', '/uploads/large');
    const { changes } = await changesOf(rest, `?since=${since}`);
    expect(changes.map(({ type, url, etag }) => [type, url, etag])).toEqual([
      ['put', '/uploads/one', undefined],
      ['put', '/uploads/one', second.headers.get('etag')],
      ['put', '/uploads/large', undefined],
      ['delete', '/uploads/large', undefined],
    ]);
    expect(other.status).toBe(200);
    // While it is there, with the ETag that it has.
    const again = await upload('large', 'y'.repeat(70_000));
    const last = await changesOf(rest, `?since=${changes.at(-1)?.seq}`);
    expect(last.changes.map(({ etag }) => etag)).toEqual([again.headers.get('etag')]);
  });

  it('has nothing of users, keys, buckets and other inner things, and goes past them', async () => {
    const since = await head(rest);
    await makeMember(server.url, 'inner');
    await rest('POST', '/api/access-keys', {});
    await rest('PUT', '/api/buckets/inner', {});
    await rest('POST', '/data/inner', {});
    const { changes, next } = await changesOf(rest, `?since=${since}`);
    expect(urls(changes)).toEqual(['/data/inner']);
    expect(next).toBe(await head(rest));
    expect(next).toBeGreaterThan(since + 4);
  });

  it.each([
    ['a b/ü', '/data/a%20b/%C3%BC'],
    ['100%', '/data/100%25'],
    ['a?b#c', '/data/a%3Fb%23c'],
    ['x/../y', '/data/x%2F..%2Fy'],
  ])('encodes the key %j so that its url can be read', async (key, url) => {
    const since = await head(rest);
    const made = await rest('POST', `/data/${encodeURIComponent(key).replaceAll('.', '%2E')}`, {});
    expect(made.status).toBe(201);
    const { changes } = await changesOf(rest, `?since=${since}`);
    expect(urls(changes)).toEqual([url]);
    expect((await rest('GET', changes[0]?.url ?? '')).status).toBe(200);
  });

  it('goes by `limit` and `next`, without gaps or repetitions', async () => {
    const since = await head(rest);
    for (let i = 0; i < 7; i += 1) await rest('POST', `/data/paged/${i}`, {});
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let cursor = since; ; ) {
      const { changes, next } = await changesOf(rest, `?since=${cursor}&limit=3`);
      sizes.push(changes.length);
      if (changes.length === 0) break;
      seen.push(...urls(changes));
      cursor = next;
    }
    expect(sizes).toEqual([3, 3, 1, 0]);
    expect(seen).toEqual(Array.from({ length: 7 }, (_, i) => `/data/paged/${i}`));
  });

  it('has 100 changes unless told, and begins with the oldest without `since`', async () => {
    const before = await changesOf(rest);
    expect(await changesOf(rest, '?since=0')).toEqual(before);
    await Promise.all(Array.from({ length: 120 }, (_, i) => rest('POST', `/data/many/${i}`, {})));
    const { changes } = await changesOf(rest);
    expect(changes).toHaveLength(100);
  });

  it.each(['data/pre', '/data/pre'])('has what begins with the prefix %s', async (prefix) => {
    const since = await head(rest);
    await rest('PUT', '/data/pre/1', {}, { 'if-none-match': '*' });
    await rest('PUT', '/data/other', {}, { 'if-none-match': '*' });
    await rest('PUT', '/data/prefixed', {}, { 'if-none-match': '*' });
    await rest('PUT', '/uploads/data/pre', Buffer.from('x'));
    const query = `?since=${since}&prefix=${encodeURIComponent(prefix)}`;
    const { changes, next } = await changesOf(rest, query);
    expect(urls(changes)).toEqual(['/data/pre/1', '/data/prefixed']);
    expect(next).toBe(await head(rest));
    for (const key of ['pre/1', 'other', 'prefixed']) await rest('DELETE', `/data/${key}`);
  });

  it('takes the prefix of keys as they are, not as they are encoded', async () => {
    const since = await head(rest);
    await rest('POST', '/data/ä%20b/1', {});
    const prefix = encodeURIComponent('/data/ä b/');
    expect((await changesOf(rest, `?since=${since}&prefix=${prefix}`)).changes).toHaveLength(1);
  });

  it('is told not to be kept', async () => {
    const { headers } = await rest('GET', '/api/changes');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('vary')).toContain('Accept');
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('HEAD has the headers alone', async () => {
    const { status, headers, text } = await rest('HEAD', '/api/changes');
    expect([status, text]).toEqual([200, '']);
    expect(Number(headers.get('content-length'))).toBeGreaterThan(2);
  });

  it('comes through an envelope, too', async () => {
    const since = await head(rest);
    await rest('POST', '/data/enveloped', {});
    const client = await connect(server.url, { auth: admin });
    const answer = await request(client, 'GET', `/api/changes?since=${since}`);
    const stream = await request(client, 'GET', '/api/changes', undefined, {
      accept: 'text/event-stream',
    });
    client.close();
    expect(answer).toMatchObject({
      status: 200,
      data: { changes: [{ url: '/data/enveloped' }], next: since + 1 },
    });
    expect(stream).toMatchObject({ status: 406 });
  });

  it('is logged as any request', async () => {
    await rest('GET', '/api/changes?since=0&limit=1');
    await expect.poll(() => server.log()).toMatch(/"path":"\/api\/changes","status":200/);
  });
});

describe('what is refused', () => {
  it.each([
    '?since=-1',
    '?since=x',
    '?since=',
    '?since=1.5',
    '?since=9007199254740993',
    '?since=99999999999999999999',
    '?limit=0',
    '?limit=1001',
    '?limit=x',
    '?wait=-1',
    '?wait=56',
    '?wait=1.5',
    '?wait=',
  ])('%s: 400', async (query) => {
    expectError(await rest('GET', `/api/changes${query}`), 400);
  });

  it('a number after the last one: 410, with the oldest that works', async () => {
    const answer = await rest('GET', `/api/changes?since=${(await head(rest)) + 1}`);
    expect(answer.status).toBe(410);
    expect(answer.json).toMatchObject({ oldest: 0, error: expect.stringContaining('0') });
  });

  it('nobody without credentials', async () => {
    expectError(await createRest(server.url, 'admin', 'wrong')('GET', '/api/changes'), 401);
  });

  it('other methods: 405', async () => {
    const answer = await rest('POST', '/api/changes', {});
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('HEAD, GET');
  });
});

describe('a log that was trimmed', () => {
  it('is 410 before `oldest` and complete from there on', async () => {
    const env = { CHANGES_KEEP: '20' };
    const first = await startServer({ env });
    for (let i = 0; i < 30; i += 1) await createRest(first.url)('POST', `/data/old/${i}`, {});
    await first.stop({ keep: true });
    // LevelDB keeps what its log files have until it is opened again.
    const trimmed = await startServer({ env, folder: first.folder });
    try {
      const ask = createRest(trimmed.url);
      for (let i = 0; i < 18; i += 1) await ask('POST', `/data/new/${i}`, {});
      const refused = await ask('GET', '/api/changes?since=0');
      expect(refused.status).toBe(410);
      const { oldest }: { oldest: number } = JSON.parse(refused.text);
      expect(oldest).toBe((await head(ask)) - 20);
      expect((await ask('GET', `/api/changes?since=${oldest - 1}`)).status).toBe(410);
      const { changes, next } = await changesOf(ask, `?since=${oldest}`);
      expect(urls(changes)).toEqual([
        '/data/old/28',
        '/data/old/29',
        ...Array.from({ length: 18 }, (_, i) => `/data/new/${i}`),
      ]);
      expect(next).toBe(await head(ask));
      // Without a number: from the oldest on.
      expect((await changesOf(ask)).changes).toEqual(changes);
    } finally {
      await trimmed.stop();
    }
  });
});
