import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAnswers, parseRefusal, post, put } from '../support/batch.ts';
import { expectError } from '../support/expect-error.ts';
import { createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** `POST /api/batch`: several documents, all or nothing. */

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer({ env: { MAX_DOCUMENT_BYTES: '200000' } });
  rest = createRest(server.url);
});

afterAll(() => server.stop());

const batch = (members: unknown): Promise<RestAnswer> => rest('POST', '/api/batch', members);

async function sequence(): Promise<number> {
  return Number((await rest('GET', '/data?limit=1')).headers.get('x-keystow-revision'));
}

/** Nothing was written by what `work` does. */
async function expectNothingStored(work: () => Promise<unknown>): Promise<void> {
  const before = await sequence();
  await work();
  expect(await sequence()).toBe(before);
}

describe('a batch', () => {
  it('creates, replaces, patches and deletes, with consecutive numbers', async () => {
    await batch([post('a/old', { n: 1 }), post('a/patch', { n: 1.5, keep: true }), post('a/gone')]);
    const before = await sequence();
    const { status, json, headers } = await batch([
      post('a/new', { n: 3 }),
      put('a/old', { n: 2 }),
      { url: '/data/a%2Fpatch', method: 'patch', data: { n: 2 } },
      { url: '/data/a/gone', method: 'DELETE' },
      put('a/made ü', [], { 'If-None-Match': '*' }),
    ]);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(parseAnswers(json)).toEqual([
      {
        method: 'POST',
        url: '/data/a/new',
        status: 201,
        statusText: 'Created',
        headers: { etag: `"${before + 1}"`, location: '/data/a/new' },
        data: { n: 3 },
      },
      {
        method: 'PUT',
        url: '/data/a/old',
        status: 200,
        statusText: 'OK',
        headers: { etag: `"${before + 2}"` },
        data: { n: 2 },
      },
      {
        method: 'PATCH',
        url: '/data/a%2Fpatch',
        status: 200,
        statusText: 'OK',
        headers: { etag: `"${before + 3}"` },
        data: { n: 2, keep: true },
      },
      { method: 'DELETE', url: '/data/a/gone', status: 204, statusText: 'No Content' },
      {
        method: 'PUT',
        url: '/data/a/made ü',
        status: 201,
        statusText: 'Created',
        headers: { etag: `"${before + 5}"`, location: '/data/a/made%20%C3%BC' },
        data: [],
      },
    ]);
    expect(await sequence()).toBe(before + 5);
    expect((await rest('GET', '/data?prefix=a/')).json).toEqual([
      'a/made ü',
      'a/new',
      'a/old',
      'a/patch',
    ]);
    expect((await rest('GET', '/data/a/new')).headers.get('etag')).toBe(`"${before + 1}"`);
  });

  it('knows the three formats of a patch by the content type of the member', async () => {
    await batch(['m', 'r', 'j'].map((key) => post(`patch/${key}`, { a: { b: 1, c: 2 } })));
    const patch = (key: string, type: string, data: unknown) => ({
      url: `/data/patch/${key}`,
      method: 'PATCH',
      data,
      headers: { 'Content-Type': type },
    });
    const { json } = await batch([
      patch('m', 'application/json; charset=utf-8', { a: { b: null } }),
      patch('r', 'application/merge-patch+json', { a: { b: null } }),
      patch('j', 'application/json-patch+json', [{ op: 'move', from: '/a/b', path: '/d' }]),
    ]);
    expect(parseAnswers(json).map(({ data }) => data)).toEqual([
      { a: { b: null } },
      { a: { c: 2 } },
      { a: { c: 2 }, d: 1 },
    ]);
  });

  it('stores the text of each member as it was sent, and answers with it', async () => {
    const texts = [
      '{ "b" : 1.0, "a":1e2,\n"10":1,"2":12345678901234567890 }',
      '{"__proto__":{"a":-0},"twice":1,"twice":2}',
      '[ "\\u0041\\/", "},{", "\\ud800" ]',
    ];
    const members = texts.map(
      (text, n) => `{"url":"/data/text/${n}","data": ${text},"method":"POST"}`,
    );
    const { status, text } = await batch(`[${members.join(' ,\n')}]`);
    expect(status, text).toBe(200);
    for (const [n, stored] of texts.entries()) {
      expect((await rest('GET', `/data/text/${n}`)).text).toBe(stored);
      expect(text).toContain(`"data":${stored}}`);
    }
    const patched = await batch('[{"url":"/data/text/0","method":"PATCH","data":{"b":2.50}}]');
    expect(patched.text).toContain('{"b":2.50,"a":1e2,"10":1,"2":12345678901234567890}');
  });

  it('takes and gives text in strings, as envelopes do', async () => {
    const text = '{ "n": 1.0 }';
    const headers = { 'content-type': 'application/json', accept: 'text/plain' };
    const { json } = await batch([{ url: '/data/string', method: 'POST', data: text, headers }]);
    expect(parseAnswers(json)[0]?.data).toBe(text);
    expect((await rest('GET', '/data/string')).text).toBe(text);
  });

  it('creates an empty document without data, and does nothing without members', async () => {
    expect((await batch([post('empty')])).status).toBe(200);
    expect((await rest('GET', '/data/empty')).text).toBe('{}');
    await expectNothingStored(async () => {
      expect(await batch([])).toMatchObject({ status: 200, text: '[]' });
    });
  });

  it('may have 1,000 members', async () => {
    const members = Array.from({ length: 1_000 }, (_, n) => post(`many/${n}`, { n }));
    const answers = parseAnswers((await batch(members)).json);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await rest('GET', '/data?prefix=many/').then(({ json }) => json)).toHaveLength(1_000);
    const deletions = members.map(({ url }) => ({ url, method: 'DELETE' }));
    expect((await batch(deletions)).status).toBe(200);
    expect((await rest('GET', '/data?prefix=many/')).json).toEqual([]);
  });

  it('holds to the preconditions of each member', async () => {
    await batch([post('pre/a', {}), post('pre/b', {})]);
    const etagOf = async (key: string) =>
      (await rest('GET', `/data/${key}`)).headers.get('etag') ?? '';
    const [a, b] = [await etagOf('pre/a'), await etagOf('pre/b')];
    const ok = await batch([
      put('pre/a', { n: 1 }, { 'if-match': a }),
      put('pre/b', { n: 1 }, { 'if-none-match': '"1"' }),
    ]);
    expect(ok.status).toBe(200);
    const refused = await batch([
      put('pre/a', { n: 2 }, { 'if-match': await etagOf('pre/a') }),
      put('pre/b', { n: 2 }, { 'if-match': b }),
    ]);
    expect(refused.status).toBe(409);
    expect(parseRefusal(refused.json).answers).toEqual([
      {
        index: 1,
        method: 'PUT',
        url: '/data/pre/b',
        status: 412,
        statusText: 'Precondition Failed',
        headers: { etag: await etagOf('pre/b') },
        data: { error: expect.stringMatching(/ETag/) },
      },
    ]);
    expect((await rest('GET', '/data/pre/a')).json).toEqual({ n: 1 });
  });
});

describe('a batch with members that fail', () => {
  it('stores nothing, and tells of each as it would fail alone', async () => {
    await batch([post('fail/there', { list: [] }), post('fail/array', [])]);
    await expectNothingStored(async () => {
      const { status, json } = await batch([
        post('fail/fine', {}),
        post('fail/there', {}),
        put('fail/none', {}),
        { url: '/data/fail/none2', method: 'DELETE' },
        { url: '/data/fail/array', method: 'PATCH', data: { a: 1 } },
        put('fail/scalar', 1),
        put('fail/no-data', undefined),
        put('fail/type', {}, { 'content-type': 'text/plain' }),
        put('fail/tag', {}, { 'if-match': 'bare' }),
        post('fail/large', { text: 'x'.repeat(200_000) }),
        post('fail/deep', JSON.parse('['.repeat(1_001) + ']'.repeat(1_001))),
      ]);
      expect(status).toBe(409);
      const { error, answers } = parseRefusal(json);
      expect(error).toContain('10 of 11 members');
      expect(answers.map(({ index, status }) => [index, status])).toEqual([
        [1, 406],
        [2, 404],
        [3, 404],
        [4, 409],
        [5, 400],
        [6, 400],
        [7, 415],
        [8, 400],
        [9, 413],
        [10, 400],
      ]);
      expect(answers[0]).toMatchObject({ method: 'POST', url: '/data/fail/there' });
      expect(answers[0]?.data.error).toBe('fail/there already exists.');
    });
    expectError(await rest('GET', '/data/fail/fine'), 404);
  });

  it('tells of what a grant lacks as a 403 of the member', async () => {
    await rest('PUT', '/api/users/member', {
      role: 'member',
      password: 'p',
      grants: [
        { prefix: 'data/mine/', access: 'write' },
        { prefix: 'data/read/', access: 'read' },
      ],
    });
    const member = createRest(server.url, 'member', 'p');
    expect((await member('POST', '/api/batch', [post('mine/1'), post('mine/2')])).status).toBe(200);
    await expectNothingStored(async () => {
      const members = [post('mine/3'), post('read/1'), { url: '/data/a/new', method: 'DELETE' }];
      const { status, json } = await member('POST', '/api/batch', members);
      expect(status).toBe(409);
      const { answers } = parseRefusal(json);
      expect(answers.map(({ index, status }) => [index, status])).toEqual([
        [1, 403],
        [2, 403],
      ]);
    });
  });

  it('is refused as a whole without credentials', async () => {
    const answer = await fetch(`${server.url}/api/batch`, { method: 'POST', body: '[]' });
    expect(answer.status).toBe(401);
  });
});

describe('what is no batch', () => {
  it.each<[string, unknown, number, RegExp]>([
    ['nothing', '', 400, /array/],
    ['half an array', '[{"url":', 400, /array/],
    ['an array that ends as an object', '[{"url":"/data/a","method":"POST"}}', 400, /array/],
    ['two arrays', '[][]', 400, /array/],
    ['no JSON', '[{"url":"/data/a",]', 400, /array/],
    ['an element that is no JSON', '[{"url":/data/a}]', 400, /member 0 .* not valid JSON/],
    ['an empty element', '[{"url":"/data/a","method":"POST"},]', 400, /member 1 .* JSON/],
    ['no array', '{}', 400, /array/],
    ['a string', '"[]"', 400, /array/],
    ['invalid UTF-8', Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), 400, /UTF-8/],
    ['an element that is no object', [post('x'), 1], 400, /member 1/],
    ['a member that is misspelt', [{ ...post('x'), header: {} }], 400, /member 0/],
    ['no url', [{ method: 'POST' }], 400, /url of member 0/],
    ['a url of something else', [{ url: '/api/users', method: 'POST' }], 400, /url/],
    ['a whole URL', [{ url: 'http://x/data/a', method: 'POST' }], 400, /url/],
    ['the list of keys', [{ url: '/data', method: 'POST' }], 400, /url/],
    ['an empty key', [{ url: '/data/', method: 'POST' }], 400, /key/],
    ['a key with NUL', [{ url: '/data/a%00', method: 'POST' }], 400, /key/],
    ['a key that is too long', [post('k'.repeat(513))], 400, /key/],
    ['a malformed escape', [post('%zz')], 400, /escape/],
    ['a lone surrogate in a url', '[{"url":"/data/\\ud800","method":"POST"}]', 400, /url/],
    ['no method', [{ url: '/data/x' }], 400, /method of member 0/],
    ['reading', [{ url: '/data/x', method: 'GET' }], 400, /POST, PUT, PATCH, DELETE/],
    ['headers that are none', [{ ...post('x'), headers: ['if-match'] }], 400, /headers/],
    ['a header that is no string', [{ ...post('x'), headers: { 'if-match': 7 } }], 400, /if-match/],
    ['one key twice', [post('a/b'), post('x'), put('a%2Fb', {})], 400, /members 0 and 2/],
    ['1,001 members', Array.from({ length: 1_001 }, (_, n) => post(`x${n}`)), 413, /1000/],
  ])('%s is refused as a whole', async (_name, body, status, message) => {
    await expectNothingStored(async () => expectError(await batch(body), status, message));
  });

  it('another content type is refused', async () => {
    const headers = { 'content-type': 'text/plain' };
    expectError(await rest('POST', '/api/batch', '[]', headers), 415);
  });

  it('another method is a 405', async () => {
    const answer = await rest('GET', '/api/batch');
    expectError(answer, 405);
    expect(answer.headers.get('allow')).toBe('POST');
  });
});

describe('the bytes of a batch', () => {
  const MIB = 1_048_576;
  const large = { text: 'x'.repeat(180_000) };

  it('are at most 16 MiB as sent', async () => {
    const text = JSON.stringify(Array.from({ length: 90 }, (_, n) => post(`large/${n}`, large)));
    const spaced = text + ' '.repeat(16 * MIB - text.length);
    expect((await batch(spaced)).status).toBe(200);
    expectError(await batch(`${spaced} `), 413, /16777216/);
  });

  it('are at most 16 MiB as stored', async () => {
    const more = Array.from({ length: 10 }, (_, n) => post(`large/${90 + n}`, large));
    expect((await batch(more)).status).toBe(200);
    const patches = Array.from({ length: 100 }, (_, n) => ({
      url: `/data/large/${n}`,
      method: 'PATCH',
      data: { patched: true },
    }));
    await expectNothingStored(async () => expectError(await batch(patches), 413, /16777216/));
    expect((await batch(patches.slice(0, 50))).status).toBe(200);
  });
});
