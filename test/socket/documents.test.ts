import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Client, connect, request } from './client.ts';

let server: TestServer;
let rest: Rest;
let client: Client;
beforeAll(async () => {
  server = await startServer({ env: { MAX_DOCUMENT_BYTES: '4096' } });
  rest = createRest(server.url);
  client = await connect(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

/** Stores a document over REST and gives its ETag. */
async function seed(key: string, document: unknown): Promise<string> {
  const created = await rest('POST', `/data/${key}`, JSON.stringify(document));
  expect(created.status).toBe(201);
  return created.headers.get('etag') ?? '';
}

async function stored(key: string): Promise<string> {
  return (await rest('GET', `/data/${key}`)).text;
}

describe('documents through envelopes', () => {
  it('creates, and what it created is there over REST', async () => {
    const created = await request(client, 'POST', '/data/create', { b: 1, a: [true, null] });
    expect(created).toMatchObject({ status: 201, data: { b: 1, a: [true, null] } });
    expect(await stored('create')).toBe('{"b":1,"a":[true,null]}');
    const again = await request(client, 'POST', '/data/create', {});
    expect(again).toMatchObject({ status: 406, data: { error: 'create already exists.' } });
    expect(await stored('create')).toBe('{"b":1,"a":[true,null]}');
  });

  it('creates an array, and {} where there is no data', async () => {
    expect(await request(client, 'POST', '/data/array', [1, 2])).toMatchObject({
      status: 201,
      data: [1, 2],
    });
    expect(await request(client, 'POST', '/data/empty')).toMatchObject({ status: 201, data: {} });
    expect(await stored('empty')).toBe('{}');
  });

  it.each([
    ['a text', 'sgdgsdjhgsjdskgd'],
    ['a text that is JSON, for want of a content type', '{"a":1}'],
    ['a number', 7],
    ['true', true],
    ['null', null],
  ])('refuses %s as a document', async (_name, data) => {
    const refused = await request(client, 'POST', '/data/scalar', data);
    expect(refused).toMatchObject({ status: 400, data: { error: expect.any(String) } });
    expect((await rest('GET', '/data/scalar')).status).toBe(404);
  });

  it('reads, and says what is not there', async () => {
    const etag = await seed('read', { a: 1 });
    expect(await request(client, 'GET', '/data/read')).toEqual({
      method: 'GET',
      url: '/data/read',
      status: 200,
      statusText: 'OK',
      data: { a: 1 },
      headers: { etag },
    });
    expect(await request(client, 'GET', '/data/unread')).toMatchObject({
      status: 404,
      data: { error: 'unread not found.' },
    });
  });

  it('replaces', async () => {
    const before = await seed('put', { a: 1 });
    const replaced = await request(client, 'PUT', '/data/put', { b: 2 });
    expect(replaced).toMatchObject({ status: 200, data: { b: 2 } });
    expect(Number(replaced.headers?.etag?.slice(1, -1))).toBeGreaterThan(
      Number(before.slice(1, -1)),
    );
    expect(await stored('put')).toBe('{"b":2}');
    expect(await request(client, 'PUT', '/data/not-there', {})).toMatchObject({ status: 404 });
    expect(await request(client, 'PUT', '/data/put')).toMatchObject({ status: 400 });
    expect(await stored('put')).toBe('{"b":2}');
  });

  it('creates with PUT and if-none-match: *', async () => {
    const headers = { 'if-none-match': '*' };
    const created = await request(client, 'PUT', '/data/put-new', { a: 1 }, headers);
    expect(created).toMatchObject({ status: 201, data: { a: 1 } });
    const again = await request(client, 'PUT', '/data/put-new', { a: 2 }, headers);
    expect(again).toMatchObject({ status: 412 });
    expect(await stored('put-new')).toBe('{"a":1}');
  });

  it('deletes', async () => {
    await seed('delete', {});
    expect(await request(client, 'DELETE', '/data/delete')).toMatchObject({ status: 204 });
    expect((await rest('GET', '/data/delete')).status).toBe(404);
    expect(await request(client, 'DELETE', '/data/delete')).toMatchObject({ status: 404 });
  });

  it('takes every key that REST takes', async () => {
    for (const key of ['é', '%2F', 'a/b/../c', '日本語', 'x'.repeat(512), '%00x', '?']) {
      const path = `/data/${encodeURIComponent(key)}`;
      expect(await request(client, 'POST', path, { key }), key).toMatchObject({ status: 201 });
      expect((await rest('GET', path)).json, key).toEqual({ key });
    }
    // As typed, not escaped: what a client should have escaped is understood all the same.
    expect(await request(client, 'GET', '/data/日本語')).toMatchObject({ data: { key: '日本語' } });
    for (const path of [
      '/data/',
      '/data/%00',
      '/data/%zz',
      '/data/%ff',
      `/data/${'x'.repeat(513)}`,
    ])
      expect(await request(client, 'POST', path, {}), path).toMatchObject({ status: 400 });
  });
});

describe('PATCH through envelopes goes by the content type', () => {
  it('sets top-level members with application/json, and without a type', async () => {
    await seed('members', { a: { x: 1 }, b: 2 });
    const json = { 'content-type': 'application/json' };
    expect(
      await request(client, 'PATCH', '/data/members', { a: { y: 1 }, c: null }, json),
    ).toMatchObject({ status: 200, data: { a: { y: 1 }, b: 2, c: null } });
    expect(await request(client, 'PATCH', '/data/members', { d: 4 })).toMatchObject({
      status: 200,
      data: { a: { y: 1 }, b: 2, c: null, d: 4 },
    });
  });

  it('merges with application/merge-patch+json', async () => {
    await seed('merge', { a: { x: 1, y: 2 }, b: 2 });
    const type = { 'content-type': 'application/merge-patch+json' };
    const patch = { a: { x: null, z: 3 }, b: null };
    expect(await request(client, 'PATCH', '/data/merge', patch, type)).toMatchObject({
      status: 200,
      data: { a: { y: 2, z: 3 } },
    });
    expect(await stored('merge')).toBe('{"a":{"y":2,"z":3}}');
  });

  it('patches with application/json-patch+json: 409 where a test or path fails', async () => {
    await seed('patch', { a: [1, 2] });
    const type = { 'content-type': 'application/json-patch+json' };
    const add = [{ op: 'add', path: '/a/1', value: 9 }];
    expect(await request(client, 'PATCH', '/data/patch', add, type)).toMatchObject({
      status: 200,
      data: { a: [1, 9, 2] },
    });
    for (const operation of [
      { op: 'test', path: '/a/0', value: 2 },
      { op: 'remove', path: '/nowhere' },
    ]) {
      const failed = await request(client, 'PATCH', '/data/patch', [operation], type);
      expect(failed).toMatchObject({ status: 409, data: { error: expect.any(String) } });
    }
    expect(await stored('patch')).toBe('{"a":[1,9,2]}');
  });

  it('answers 404, 400 and 415 like REST', async () => {
    await seed('patch-errors', { a: 1 });
    expect(await request(client, 'PATCH', '/data/patchless', {})).toMatchObject({ status: 404 });
    expect(await request(client, 'PATCH', '/data/patch-errors')).toMatchObject({ status: 400 });
    for (const method of ['PATCH', 'POST', 'PUT']) {
      const refused = await request(client, method, '/data/patch-errors', '{}', {
        'content-type': 'text/plain',
      });
      expect(refused, method).toMatchObject({ status: 415, data: { error: expect.any(String) } });
    }
    expect(await stored('patch-errors')).toBe('{"a":1}');
  });
});

describe('preconditions through envelopes', () => {
  it('holds if-match on every method that writes', async () => {
    const etag = await seed('if-match', { a: 1 });
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const refused = await request(
        client,
        method,
        '/data/if-match',
        { a: 2 },
        {
          'if-match': '"1000000"',
        },
      );
      expect(refused, method).toMatchObject({ status: 412, data: { error: expect.any(String) } });
    }
    expect(await stored('if-match')).toBe('{"a":1}');
    const put = await request(client, 'PUT', '/data/if-match', { a: 2 }, { 'if-match': etag });
    expect(put).toMatchObject({ status: 200 });
    const stale = await request(client, 'PUT', '/data/if-match', { a: 3 }, { 'if-match': etag });
    expect(stale).toMatchObject({ status: 412 });
    const fresh = { 'if-match': put.headers?.etag ?? '' };
    expect(await request(client, 'DELETE', '/data/if-match', undefined, fresh)).toMatchObject({
      status: 204,
    });
  });

  it('says 404 and 406 before 412', async () => {
    await seed('taken', {});
    const headers = { 'if-match': '"1000000"' };
    expect(await request(client, 'PUT', '/data/none', {}, headers)).toMatchObject({ status: 404 });
    expect(await request(client, 'DELETE', '/data/none', undefined, headers)).toMatchObject({
      status: 404,
    });
    expect(await request(client, 'POST', '/data/taken', {}, headers)).toMatchObject({
      status: 406,
    });
  });

  it('holds both on GET', async () => {
    const etag = await seed('if-get', {});
    const get = (headers: Record<string, string>) =>
      request(client, 'GET', '/data/if-get', undefined, headers);
    expect(await get({ 'if-none-match': etag })).toMatchObject({ status: 304 });
    expect(await get({ 'if-none-match': '"1000000"' })).toMatchObject({ status: 200 });
    expect(await get({ 'if-match': etag })).toMatchObject({ status: 200 });
    expect(await get({ 'if-match': '"1000000"' })).toMatchObject({ status: 412 });
  });

  it('takes the names of headers in any case', async () => {
    const etag = await seed('case', {});
    const got = await request(client, 'GET', '/data/case', undefined, { 'If-None-Match': etag });
    expect(got).toMatchObject({ status: 304 });
    const put = await request(client, 'PUT', '/data/case', {}, { 'Content-Type': 'text/plain' });
    expect(put).toMatchObject({ status: 415 });
  });
});

describe('limits through envelopes', () => {
  it('answers 413 to a document over MAX_DOCUMENT_BYTES, and stores nothing', async () => {
    const fits = { a: 'x'.repeat(4096 - '{"a":""}'.length) };
    expect(await request(client, 'POST', '/data/fits', fits)).toMatchObject({ status: 201 });
    const over = { a: `${fits.a}x` };
    expect(await request(client, 'POST', '/data/over', over)).toMatchObject({
      status: 413,
      data: { error: expect.any(String) },
    });
    expect((await rest('GET', '/data/over')).status).toBe(404);
    const text = JSON.stringify(over);
    const asText = { 'content-type': 'application/json' };
    expect(await request(client, 'PUT', '/data/fits', text, asText)).toMatchObject({ status: 413 });
  });

  it('answers 405 to a method that the path lacks and 404 to an unknown path', async () => {
    for (const [method, path, status] of [
      ['POST', '/data', 405],
      ['DELETE', '/data', 405],
      ['PATCH', '/api/users/admin', 405],
      ['POST', '/api/health', 405],
      ['GET', '/api/nothing', 404],
      ['GET', '/data-base', 404],
      ['PROPFIND', '/data/any', 405],
      ['PROPFIND', '/api/nothing', 404],
    ] as const) {
      const answer = await request(client, method, path);
      expect(answer, `${method} ${path}`).toMatchObject({
        status,
        data: { error: expect.not.stringContaining('undefined') },
      });
    }
  });
});
