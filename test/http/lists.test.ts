import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import { createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

const LINES = 'application/x-ndjson';

let server: TestServer;
let rest: Rest;

/** In byte order of their UTF-8, which is not that of JavaScript: U+FFFF comes before U+10000. */
const ordered = [
  'A',
  'B',
  'a',
  'a/',
  'a/1',
  'a/10',
  'a/2',
  'a0',
  'b c&d=e+f',
  'z',
  'é',
  '\uffff',
  '😀',
];
const many = Array.from({ length: 2_500 }, (_, index) => `many/${String(index).padStart(4, '0')}`);

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
  for (const key of ordered.toReversed()) {
    await rest('POST', `/data/${encodeURIComponent(key)}`, `{"key": ${JSON.stringify(key)}}`);
  }
  const headers = { 'content-type': 'application/json' };
  await Promise.all(
    many.map(async (key) => {
      const request = { method: 'POST', path: `/data/${key}`, headers, body: '{}' };
      expect((await sendRequest(server.url, request)).status).toBe(201);
    }),
  );
});

afterAll(() => server.stop());

function nextOf(answer: RestAnswer): string | undefined {
  const link = answer.headers.get('link');
  if (link === null) return undefined;
  const target = /^<([^>]+)>; rel="next"$/.exec(link)?.[1];
  expect(target, link).toBeDefined();
  return target;
}

/** All pages from here on, by their links. */
async function follow(path: string, headers: Record<string, string> = {}): Promise<string[]> {
  const texts: string[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer = await rest('GET', next, undefined, headers);
    expect(answer.status).toBe(200);
    texts.push(answer.text);
    const target = nextOf(answer);
    next = target && new URL(target, server.url + next).href.slice(server.url.length);
  }
  return texts;
}

function linesOf(text: string): { key: string; etag: string; value: unknown }[] {
  if (text !== '') expect(text.endsWith('\n')).toBe(true);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

describe('GET /data', () => {
  it('gives all keys in byte order, without a link', async () => {
    const answer = await rest('GET', '/data');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('link')).toBeNull();
    const expected = [...ordered, ...many].sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    expect(answer.json).toEqual(expected);
  });

  it('answers HEAD without a body', async () => {
    const answer = await rest('HEAD', '/data?limit=1');
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it.each([
    ['prefix=a', ['a', 'a/', 'a/1', 'a/10', 'a/2', 'a0']],
    ['prefix=a%2F', ['a/', 'a/1', 'a/10', 'a/2']],
    ['prefix=a/1', ['a/1', 'a/10']],
    ['prefix=%C3%A9', ['é']],
    ['prefix=b+c%26d', ['b c&d=e+f']],
    ['prefix=b%20c%26d%3De%2Bf', ['b c&d=e+f']],
    ['prefix=nothing', []],
    ['prefix=A&after=A', []],
    ['prefix=A&after=', ['A']],
    ['prefix=a/&after=a/1', ['a/10', 'a/2']],
    ['prefix=a/&after=a/15', ['a/2']],
    ['prefix=a/&after=0', ['a/', 'a/1', 'a/10', 'a/2']],
    ['prefix=a/&after=b', []],
    ['after=z', ['é', '\uffff', '😀']],
    ['after=%EF%BF%BF', ['😀']],
    ['after=%F0%9F%98%80', []],
    ['prefix=a&limit=10000', ['a', 'a/', 'a/1', 'a/10', 'a/2', 'a0']],
    ['prefix=a&limit=2', ['a', 'a/']],
    ['prefix=a&after=a/1&limit=2', ['a/10', 'a/2']],
  ])('with %s', async (query, expected) => {
    expect((await rest('GET', `/data?${query}`)).json).toEqual(expected);
  });

  it.each([
    '0',
    '10001',
    '-1',
    '1.5',
    '1e2',
    '',
    'ten',
    ' 1',
    '0x10',
    '99999999999999999999',
    'NaN',
  ])('with limit=%s is 400', async (limit) => {
    expectError(await rest('GET', `/data?limit=${encodeURIComponent(limit)}`), 400, /limit.*10000/);
  });

  it.each(['prefix=%zz', 'after=%', 'prefix=%C3', 'limit=%31%'])(
    'with a malformed escape in %s is 400',
    async (query) => expectError(await rest('GET', `/data?${query}`), 400),
  );

  it('takes limits of 1 and of 10,000', async () => {
    expect((await rest('GET', '/data?limit=1')).json).toEqual(['A']);
    expect((await rest('GET', '/data?limit=10000')).json).toHaveLength(
      ordered.length + many.length,
    );
  });
});

describe('a page', () => {
  it('links to the next one until the last; together they are the whole list', async () => {
    for (const [query, size] of [
      ['limit=1000', 3],
      ['prefix=many/&limit=500', 5],
      ['prefix=many/&limit=2499', 2],
    ] as const) {
      const pages = await follow(`/data?${query}`);
      expect(pages, query).toHaveLength(size);
      const whole = await rest('GET', `/data?${query.replace(/&?limit=\d+/, '')}`);
      expect(pages.flatMap((page) => JSON.parse(page))).toEqual(whole.json);
    }
  });

  it('has no link where nothing follows, even when it is full', async () => {
    for (const query of ['prefix=many/&limit=2500', 'prefix=a/&limit=4', 'prefix=no&limit=1']) {
      expect(nextOf(await rest('GET', `/data?${query}`)), query).toBeUndefined();
    }
  });

  it('goes on after keys of any kind', async () => {
    const first = await rest('GET', '/data?prefix=b&limit=1&after=a0');
    expect([first.json, nextOf(first)]).toEqual([['b c&d=e+f'], undefined]);
    const next = nextOf(await rest('GET', '/data?limit=1&after=a0')) ?? '';
    expect((await rest('GET', next)).json).toEqual(['many/0000']);
    const tail = await follow('/data?limit=1&after=many%2F2499');
    expect(tail.map((page) => JSON.parse(page)[0])).toEqual(['z', 'é', '\uffff', '😀']);
  });
});

describe('Accept: application/x-ndjson', () => {
  it('gives a line with key, ETag and value for each document', async () => {
    const answer = await rest('GET', '/data?prefix=a', undefined, { accept: LINES });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/x-ndjson\b/);
    const lines = linesOf(answer.text);
    expect(lines.map(({ key }) => key)).toEqual(['a', 'a/', 'a/1', 'a/10', 'a/2', 'a0']);
    for (const line of lines) {
      expect(Object.keys(line)).toEqual(['key', 'etag', 'value']);
      const read = await rest('GET', `/data/${encodeURIComponent(line.key)}`);
      expect(line.etag).toBe(read.headers.get('etag'));
      expect(line.value).toEqual(read.json);
    }
  });

  it('gives values as lossless as a line can: only line ends between tokens are spaces', async () => {
    const text = '{"a": 1.0,\r\n\t"__proto__": 9007199254740993,\n"a": "\\n\\u0041",  "e":1E+2}';
    const { headers } = await rest('POST', '/data/lossless', text);
    const answer = await rest('GET', '/data?prefix=lossless', undefined, { accept: LINES });
    const value = text.replaceAll(/[\r\n]/g, ' ');
    expect(answer.text).toBe(
      `{"key":"lossless","etag":${JSON.stringify(headers.get('etag'))},"value":${value}}\n`,
    );
    await rest('DELETE', '/data/lossless');
  });

  it('is empty where there is nothing', async () => {
    const answer = await rest('GET', '/data?prefix=no', undefined, { accept: LINES });
    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  it('pages too', async () => {
    const pages = await follow('/data?prefix=many/&limit=900', { accept: LINES });
    expect(pages.map((page) => linesOf(page).length)).toEqual([900, 900, 700]);
    expect(pages.flatMap((page) => linesOf(page).map(({ key }) => key))).toEqual(many);
    const refused = await rest('GET', '/data?limit=0', undefined, { accept: LINES });
    expectError(refused, 400);
  });

  it.each([
    [`${LINES}, */*;q=0.1`, true],
    [`application/json;q=0.5, ${LINES}`, true],
    [`${LINES};q=0.1, application/json`, false],
    [`${LINES};q=0`, false],
    ['*/*', false],
    ['application/*', false],
    ['text/html', false],
  ])('as %s: lines %s', async (accept, isLines) => {
    const answer = await rest('GET', '/data?prefix=A', undefined, { accept });
    expect(answer.status).toBe(200);
    expect(answer.text).toEqual(
      isLines ? expect.stringMatching(/^\{"key":"A","etag":"[^\n]+\n$/) : '["A"]',
    );
  });
});
