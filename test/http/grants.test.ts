import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Members see and do what their grants allow, matched against `data/KEY`. */

let server: TestServer;
let admin: Rest;

const stored = ['pub', 'pub/1', 'pub/2', 'pub/own/3', 'public', 'sec/4', 'z'];

beforeAll(async () => {
  server = await startServer();
  admin = createRest(server.url);
  await admin('PUT', '/api/users/member', { role: 'member', password: 'p', grants: [] });
  for (const key of stored) await admin('POST', `/data/${key}`, JSON.stringify({ key }));
});

afterAll(() => server.stop());

type Grant = readonly [prefix: string, access: 'read' | 'write'];

/** The one member of this file, with other grants: a new one would cost a password. */
async function memberWith(...grants: readonly Grant[]): Promise<Rest> {
  const input = { role: 'member', grants: grants.map(([prefix, access]) => ({ prefix, access })) };
  expect((await admin('PUT', '/api/users/member', input)).status).toBe(200);
  return createRest(server.url, 'member', 'p');
}

/** Every write to the key, as a table of method and body. */
const writes = [
  ['POST', '{}'],
  ['PUT', '{}'],
  ['PATCH', '{}'],
  ['DELETE', undefined],
] as const;

describe('a grant to read', () => {
  it('allows GET and HEAD of what it covers', async () => {
    const reader = await memberWith(['data/pub/', 'read']);
    expect((await reader('GET', '/data/pub/1')).text).toBe('{"key":"pub/1"}');
    expect((await reader('HEAD', '/data/pub/own/3')).status).toBe(200);
    expectError(await reader('GET', '/data/pub/none'), 404, 'pub/none not found.');
  });

  it('allows no write: 403 whether or not the key exists', async () => {
    const reader = await memberWith(['data/pub/', 'read']);
    for (const [method, body] of writes) {
      for (const key of ['pub/1', 'pub/none']) {
        expectError(await reader(method, `/data/${key}`, body), 403);
      }
    }
    expectError(await reader('PUT', '/data/pub/none', '{}', { 'if-none-match': '*' }), 403);
    expect((await admin('GET', '/data/pub/1')).text).toBe('{"key":"pub/1"}');
    expectError(await admin('GET', '/data/pub/none'), 404);
  });

  it('allows nothing that it does not cover, in the same words whether or not it exists', async () => {
    const reader = await memberWith(['data/pub/', 'read']);
    // Without the slash, pub is not below pub/.
    for (const key of ['pub', 'public', 'sec/4', 'z', 'none', 'data/pub/1']) {
      expectError(await reader('GET', `/data/${key}`), 403);
      expect((await reader('HEAD', `/data/${key}`)).status).toBe(403);
    }
    const [there, absent] = [await reader('GET', '/data/z'), await reader('GET', '/data/y')];
    expect(there.text.replaceAll('data/z', 'data/y')).toBe(absent.text);
    const preconditions = { 'if-none-match': '*' };
    expectError(await reader('GET', '/data/z', undefined, preconditions), 403);
  });
});

describe('a grant to write', () => {
  it('allows all methods, reading too', async () => {
    const writer = await memberWith(['data/mine/', 'write']);
    const statuses = [
      await writer('POST', '/data/mine/1', '{"a":1}'),
      await writer('GET', '/data/mine/1'),
      await writer('PUT', '/data/mine/1', '{"a":2}'),
      await writer('PATCH', '/data/mine/1', '{"b":3}'),
      await writer('DELETE', '/data/mine/1'),
    ].map(({ status }) => status);
    expect(statuses).toEqual([201, 200, 200, 200, 204]);
  });

  it('covers nothing else', async () => {
    const writer = await memberWith(['data/mine/', 'write']);
    for (const [method, body] of writes) {
      for (const key of ['mine', 'z', 'none', 'pub/1']) {
        expectError(await writer(method, `/data/${key}`, body), 403);
      }
    }
  });

  it('is not widened by a reading grant around it, nor narrowed by one inside', async () => {
    const mixed = await memberWith(
      ['data/', 'read'],
      ['data/mix/', 'write'],
      ['data/mix/ed/', 'read'],
    );
    expect((await mixed('POST', '/data/mix/ed/1', '{}')).status).toBe(201);
    expect((await mixed('DELETE', '/data/mix/ed/1')).status).toBe(204);
    expect((await mixed('GET', '/data/z')).status).toBe(200);
    expectError(await mixed('PUT', '/data/z', '{}'), 403);
  });
});

describe('the prefix of a grant', () => {
  it.each<[string, Grant, string[]]>([
    ['all of data', ['data/', 'read'], stored],
    ['everything', ['', 'read'], stored],
    ['part of the word data', ['da', 'read'], stored],
    ['part of a key', ['data/pub', 'read'], stored.slice(0, 5)],
    ['one whole key', ['data/z', 'read'], ['z']],
    ['a bucket', ['uploads/', 'write'], []],
    ['a key without data/', ['pub/', 'write'], []],
    ['what does not exist', ['data/none/', 'write'], []],
  ])('may be %s', async (_name, grant, expected) => {
    const member = await memberWith(grant);
    expect((await member('GET', '/data')).json).toEqual(expected);
    for (const key of stored) {
      const status = expected.includes(key) ? 200 : 403;
      expect((await member('GET', `/data/${key}`)).status, key).toBe(status);
    }
  });
});

describe('lists and exports', () => {
  const lines = { accept: 'application/x-ndjson' };

  it('show only what the grants cover, in byte order and once', async () => {
    const member = await memberWith(
      ['data/sec/', 'write'],
      ['data/pub/', 'read'],
      ['data/pub/own/', 'write'],
      ['data/pub/1', 'read'],
    );
    const covered = ['pub/1', 'pub/2', 'pub/own/3', 'sec/4'];
    expect((await member('GET', '/data')).json).toEqual(covered);
    expect((await member('GET', '/data?limit=10000')).json).toEqual(covered);
    for (const query of ['', '?limit=100']) {
      const { text } = await member('GET', `/data${query}`, undefined, lines);
      const keys = text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).key);
      expect(keys).toEqual(covered);
    }
  });

  it('combine with prefix, after and limit, and link on', async () => {
    const member = await memberWith(
      ['data/pub/', 'read'],
      ['data/sec/', 'read'],
      ['data/z', 'read'],
    );
    const keysOf = async (query: string) => (await member('GET', `/data?${query}`)).json;
    expect(await keysOf('prefix=p')).toEqual(['pub/1', 'pub/2', 'pub/own/3']);
    expect(await keysOf('prefix=pub/own')).toEqual(['pub/own/3']);
    expect(await keysOf('prefix=publ')).toEqual([]);
    expect(await keysOf('prefix=sec/4')).toEqual(['sec/4']);
    expect(await keysOf('after=pub/2')).toEqual(['pub/own/3', 'sec/4', 'z']);
    expect(await keysOf('after=sec/4&limit=1')).toEqual(['z']);

    const seen: unknown[] = [];
    let next: string | undefined = '/data?limit=2';
    while (next !== undefined) {
      const answer = await member('GET', next);
      seen.push(answer.json);
      next = /^<(.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual([['pub/1', 'pub/2'], ['pub/own/3', 'sec/4'], ['z']]);
  });

  it('are empty without any grant, not forbidden', async () => {
    const nobody = await memberWith();
    expect((await nobody('GET', '/data')).text).toBe('[]');
    const exported = await nobody('GET', '/data', undefined, lines);
    expect([exported.status, exported.text]).toEqual([200, '']);
    expectError(await nobody('GET', '/data/z'), 403);
  });
});

describe('a change of grants', () => {
  it('counts from the next request on', async () => {
    const member = await memberWith(['data/', 'write']);
    expect((await member('GET', '/data/z')).status).toBe(200);
    const path = '/api/users/member';
    const grants = [{ prefix: 'data/', access: 'read' }];
    await admin('PUT', path, { role: 'member', grants });
    expect((await member('GET', '/data/z')).status).toBe(200);
    expectError(await member('PUT', '/data/z', '{}'), 403);
    await admin('PUT', path, { role: 'member', grants: [] });
    expectError(await member('GET', '/data/z'), 403);
    await admin('PUT', path, { role: 'admin', grants: [] });
    expect((await member('GET', '/api/users')).status).toBe(200);
    await admin('DELETE', path);
    expectError(await member('GET', '/data/z'), 401);
  });
});
