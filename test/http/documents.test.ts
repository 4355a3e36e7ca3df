import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** The rows of section 3, one by one. */

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

function sequenceOf(etag: string | null): number {
  return Number(/^"(\d+)"$/.exec(etag ?? '')?.[1]);
}

describe('GET /data', () => {
  it('is an empty array while nothing is stored', async () => {
    const answer = await rest('GET', '/data');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.text).toBe('[]');
  });
});

describe('POST /data/:key', () => {
  it('stores the document and answers 201 with it, its place and its ETag', async () => {
    const answer = await rest('POST', '/data/created', '{"a": 1}');
    expect(answer.status).toBe(201);
    expect(answer.text).toBe('{"a": 1}');
    expect(answer.headers.get('location')).toBe('/data/created');
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(sequenceOf(answer.headers.get('etag'))).toBeGreaterThan(0);

    const read = await rest('GET', '/data/created');
    expect(read.text).toBe('{"a": 1}');
    expect(read.headers.get('etag')).toBe(answer.headers.get('etag'));
  });

  it('stores an array', async () => {
    expect((await rest('POST', '/data/array', '[1,[2]]')).status).toBe(201);
    expect((await rest('GET', '/data/array')).text).toBe('[1,[2]]');
  });

  it('takes an empty body for {}, with and without a content type', async () => {
    for (const [key, headers] of [
      ['empty-1', {}],
      ['empty-2', { 'content-type': 'application/json' }],
    ] as const) {
      const answer = await rest('POST', `/data/${key}`, undefined, headers);
      expect(answer.status).toBe(201);
      expect(answer.text).toBe('{}');
      expect((await rest('GET', `/data/${key}`)).text).toBe('{}');
    }
  });

  it('answers 406 where the key exists and leaves the document alone', async () => {
    const { headers } = await rest('POST', '/data/taken', '{"first":true}');
    for (const body of ['{"second":true}', '[]', '', '{"first":true}']) {
      expectError(await rest('POST', '/data/taken', body), 406, 'taken already exists.');
    }
    const read = await rest('GET', '/data/taken');
    expect(read.text).toBe('{"first":true}');
    expect(read.headers.get('etag')).toBe(headers.get('etag'));
  });

  it('answers 400 to what is not JSON and stores nothing', async () => {
    expectError(await rest('POST', '/data/broken', '{"a":'), 400);
    expectError(await rest('GET', '/data/broken'), 404, 'broken not found.');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', '0'])(
    'takes %s for an ordinary key',
    async (key) => {
      expectError(await rest('GET', `/data/${key}`), 404, `${key} not found.`);
      expect((await rest('POST', `/data/${key}`, '{"own":1}')).status).toBe(201);
      expect((await rest('GET', `/data/${key}`)).text).toBe('{"own":1}');
      expectError(await rest('POST', `/data/${key}`, '{}'), 406, `${key} already exists.`);
    },
  );
});

describe('GET and HEAD /data/:key', () => {
  it('answers 404 where there is nothing', async () => {
    expectError(await rest('GET', '/data/nothing'), 404, 'nothing not found.');
    expectError(await rest('GET', '/data/a%22b%0A'), 404, 'a"b\n not found.');
  });

  it('answers HEAD as GET, without a body', async () => {
    await rest('POST', '/data/headed', '{"size":"of seventeen"}');
    const get = await rest('GET', '/data/headed');
    const head = await rest('HEAD', '/data/headed');
    expect(head.status).toBe(200);
    expect(head.text).toBe('');
    expect(get.headers.get('content-length')).toBe('23');
    for (const name of ['etag', 'content-type', 'content-length', 'x-content-type-options']) {
      expect(head.headers.get(name), name).toBe(get.headers.get(name));
    }
    const missing = await rest('HEAD', '/data/headless');
    expect([missing.status, missing.text]).toEqual([404, '']);
  });

  it('does not take a query for a part of the key', async () => {
    await rest('POST', '/data/plain?a=b', '{"query":0}');
    expect((await rest('GET', '/data/plain?limit=0&after=%zz')).text).toBe('{"query":0}');
  });
});

describe('PUT /data/:key', () => {
  it('replaces the document, answers 200 with the new one and changes the ETag', async () => {
    const created = await rest('POST', '/data/replaced', '{"a":1,"b":2}');
    const answer = await rest('PUT', '/data/replaced', '[ 3 ]');
    expect([answer.status, answer.text]).toEqual([200, '[ 3 ]']);
    expect(sequenceOf(answer.headers.get('etag'))).toBeGreaterThan(
      sequenceOf(created.headers.get('etag')),
    );
    const read = await rest('GET', '/data/replaced');
    expect([read.text, read.headers.get('etag')]).toEqual(['[ 3 ]', answer.headers.get('etag')]);
  });

  it('answers 404 where the key is absent, and creates nothing', async () => {
    expectError(await rest('PUT', '/data/unborn', '{}'), 404, 'unborn not found.');
    expectError(await rest('GET', '/data/unborn'), 404);
  });

  it('creates with If-None-Match: *, 201', async () => {
    const answer = await rest('PUT', '/data/put-new', '{"a":1}', { 'if-none-match': '*' });
    expect([answer.status, answer.text]).toEqual([201, '{"a":1}']);
    expect((await rest('GET', '/data/put-new')).headers.get('etag')).toBe(
      answer.headers.get('etag'),
    );
  });

  it.each(['', ' ', '3', '"text"', 'null', '{]'])('answers 400 to the body %j', async (body) => {
    await rest('PUT', '/data/kept', '{"kept":1}', { 'if-none-match': '*' });
    expectError(await rest('PUT', '/data/kept', body), 400);
    expect((await rest('GET', '/data/kept')).text).toBe('{"kept":1}');
  });
});

describe('DELETE /data/:key', () => {
  it('answers 204 without a body, once', async () => {
    await rest('POST', '/data/doomed', '{}');
    const answer = await rest('DELETE', '/data/doomed');
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(answer.headers.get('content-length')).toBeNull();
    expect(answer.headers.get('content-type')).toBeNull();
    expectError(await rest('GET', '/data/doomed'), 404, 'doomed not found.');
    expectError(await rest('DELETE', '/data/doomed'), 404, 'doomed not found.');
    expect((await rest('GET', '/data')).json).not.toContain('doomed');
  });
});

describe('the ETag', () => {
  it('is the number of the last write: every write takes the next one, deletions too', async () => {
    const first = await rest('POST', '/data/counted', '{"same":1}');
    const start = sequenceOf(first.headers.get('etag'));
    const replaced = await rest('PUT', '/data/counted', '{"same":1}');
    const patched = await rest('PATCH', '/data/counted', '{"same":1}');
    await rest('DELETE', '/data/counted');
    const again = await rest('POST', '/data/counted', '{"same":1}');
    const other = await rest('POST', '/data/counted-too', '{}');
    expect(
      [first, replaced, patched, again, other].map(({ headers }) => headers.get('etag')),
    ).toEqual([0, 1, 2, 4, 5].map((step) => `"${start + step}"`));
  });

  it('is not spent on a write that is refused, nor on a read', async () => {
    const before = await rest('POST', '/data/spent-1', '{}');
    await rest('POST', '/data/spent-1', '{}');
    await rest('POST', '/data/spent-2', '{');
    await rest('PUT', '/data/spent-2', '{}');
    await rest('PUT', '/data/spent-1', '{}', { 'if-match': '"0"' });
    await rest('GET', '/data/spent-1');
    const after = await rest('POST', '/data/spent-2', '{}');
    expect(sequenceOf(after.headers.get('etag'))).toBe(sequenceOf(before.headers.get('etag')) + 1);
  });
});
