import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Plain requests for documents go past Koa, others through it: nobody may see which. */

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer({ env: { CORS_ORIGINS: 'https://app.example' } });
  rest = createRest(server.url);
});

afterAll(() => server.stop());

/** Makes Koa look at the request, and changes nothing about its answer. */
const viaKoa = { 'sec-fetch-site': 'same-origin' };

type Headers = Record<string, string>;
type Step = readonly [method: string, path: string, body?: string | undefined, headers?: Headers];

const patchTypes = { 'content-type': 'application/json-patch+json' };
const requests: readonly Step[] = [
  ['POST', '/data/KEY', '{"a":1.0, "é":"\u2028"}'],
  ['POST', '/data/KEY', '{"a":2}'],
  ['POST', '/data/KEY/empty'],
  ['POST', '/data/', '{}'],
  ['POST', '/data/KEY-no-json', '{'],
  ['POST', '/data/KEY-scalar', '1'],
  ['POST', '/data/KEY-large', `{"a":"${'x'.repeat(1_048_576)}"}`],
  ['POST', '/data/KEY-type', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }],
  ['POST', '/data/KEY-coded', '{}', { 'content-encoding': 'gzip' }],
  ['POST', '/data/KEY-%zz', '{}'],
  ['POST', '/data/x%2f..%2fKEY', '{}'],
  ['GET', '/data/KEY'],
  ['GET', '/data/KEY?ignored=1'],
  ['HEAD', '/data/KEY'],
  ['HEAD', '/data/KEY-none'],
  ['GET', '/data/KEY-none'],
  ['GET', '/data/KEY', undefined, { 'if-match': '"0"' }],
  ['GET', '/data/KEY', undefined, { 'if-none-match': '*' }],
  ['GET', '/data/KEY', undefined, { 'if-match': 'unquoted' }],
  ['GET', '/data/KEY', undefined, { authorization: '' }],
  ['GET', '/data/KEY', undefined, { authorization: 'Basic ????' }],
  ['GET', '/data/KEY', undefined, { authorization: 'Basic gICAgA==' }],
  ['PUT', '/data/KEY', '{"b":[]}'],
  ['PUT', '/data/KEY-none', '{}'],
  ['PUT', '/data/KEY-put', '{}', { 'if-none-match': '*' }],
  ['PATCH', '/data/KEY', '{"c":null}'],
  ['PATCH', '/data/KEY', '[{"op":"remove","path":"/c"}]', patchTypes],
  ['PATCH', '/data/KEY', '{}', { 'content-type': 'text/plain' }],
  ['GET', '/data?prefix=KEY&limit=2'],
  ['GET', '/data?prefix=KEY&limit=2', undefined, { accept: 'application/x-ndjson' }],
  ['GET', '/data?prefix=KEY&limit=2', undefined, { accept: 'text/html, application/json;q=0.9' }],
  ['GET', '/data?prefix=KEY&limit=0'],
  ['GET', '/data?prefix=KEY&limit=%zz'],
  ['HEAD', '/data?prefix=KEY&limit=2'],
  ['GET', '/data?prefix=KEY'],
  ['DELETE', '/data/KEY', undefined, { 'if-match': '"0"' }],
  ['DELETE', '/data/KEY'],
  ['DELETE', '/data/KEY'],
  ['OPTIONS', '/data/KEY'],
  ['LINK', '/data/KEY'],
];

const CHANGING = ['date', 'x-request-id', 'x-keystow-revision'];

/** Without what differs between any two answers: ids, times, and numbers of writes. */
function comparable({ status, headers, text }: RestAnswer, key: string): unknown {
  const neutral = (part: string) => part.replaceAll(key, 'KEY').replace(/\\?"\d+\\?"/g, 'ETAG');
  const names = [...headers.keys()].filter((name) => CHANGING.includes(name));
  const kept = [...headers].filter(([name]) => !CHANGING.includes(name));
  return {
    status,
    names,
    kept: kept.map(([name, value]) => [name, neutral(value)]),
    text: neutral(text),
  };
}

test('both ways answer alike, to the header', async () => {
  for (const [method, path, body, headers] of requests) {
    // Two keys of one length, so that the lengths of answers are comparable.
    const send = (key: string, more: Headers) =>
      rest(method, path.replace('KEY', key), body, { ...headers, ...more });
    const plain = comparable(await send('first-key', {}), 'first-key');
    const koa = comparable(await send('other-key', viaKoa), 'other-key');
    expect(plain, `${method} ${path} ${JSON.stringify(headers)}`).toEqual(koa);
  }
});

test('both tell the request id that the log has, and forbid sniffing', async () => {
  for (const headers of [{}, viaKoa]) {
    const answer = await rest('GET', '/data/none', undefined, headers);
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f]+-[0-9a-z]+$/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  }
});
