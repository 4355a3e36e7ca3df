import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scalarTexts } from '../json/json-texts.ts';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** The stored text comes back as it was sent, or is refused whole. */

const LIMIT = 1_048_576;

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

const space = fc.stringMatching(/^[ \t\n\r]{0,3}$/);
const names = fc.oneof(
  fc.constantFrom('"a"', '"a"', '"\\u0061"', '"__proto__"', '"constructor"', '""', '"1"', '"\\/"'),
  fc.string({ maxLength: 5 }).map((name) => JSON.stringify(name)),
);
/** Objects and arrays as texts, with white space, odd scalars and repeated names. */
const texts = fc.letrec<{ node: string; compound: string }>((tie) => ({
  node: fc.oneof({ maxDepth: 5, depthIdentifier: 'text' }, scalarTexts, tie('compound')),
  compound: fc.oneof(
    fc
      .array(fc.tuple(space, tie('node'), space), { maxLength: 5, depthIdentifier: 'text' })
      .map((elements) => `[${elements.map((parts) => parts.join('')).join(',')}]`),
    fc
      .array(fc.tuple(space, names, space, space, tie('node'), space), {
        maxLength: 5,
        depthIdentifier: 'text',
      })
      .map((members) => {
        const parts = members.map(
          ([a, name, b, c, value, d]) => `${a}${name}${b}:${c}${value}${d}`,
        );
        return `{${parts.join(',')}}`;
      }),
  ),
})).compound;

/** Brackets of both kinds inside one another. */
function nested(depth: number, isObject: (level: number) => boolean): string {
  let text = '';
  for (let level = 0; level < depth; level += 1) {
    const inner = level === 0 ? '' : text;
    text = isObject(level) ? (inner === '' ? '{}' : `{"a": ${inner}}`) : `[${inner}\n]`;
  }
  return text;
}

describe('the text', () => {
  it('comes back byte for byte, whatever JSON.parse accepts as an object or array', async () => {
    await rest('POST', '/data/text', '{}');
    await fc.assert(
      fc.asyncProperty(space, texts, space, async (before, compound, after) => {
        const text = before + compound + after;
        JSON.parse(text);
        const answer = await rest('PUT', '/data/text', text);
        expect([answer.status, answer.text]).toEqual([200, text]);
        const read = await rest('GET', '/data/text');
        expect(read.text).toBe(text);
        expect(read.headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
      }),
      { numRuns: 150 },
    );
  });

  it('comes back at any depth up to 1,000', async () => {
    await rest('POST', '/data/depth', '{}');
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.constantFrom(999, 1_000)),
        fc.integer({ min: 1, max: 4 }),
        async (depth, turn) => {
          const text = nested(depth, (level) => level % turn === 0);
          expect((await rest('PUT', '/data/depth', text)).status).toBe(200);
          expect((await rest('GET', '/data/depth')).text).toBe(text);
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([
    ['key order', '{"b":1,"a":2,"10":3,"9":4}'],
    ['number text', '[1.0,1.10,1E+2,-0,-0.0,1e400,0.1e-999]'],
    ['integers over 2^53', '{"id":9007199254740993,"more":123456789012345678901234567890}'],
    ['__proto__', '{"__proto__":{"a":1},"constructor":{"prototype":2}}'],
    ['repeated names', '{"a":1,"a":2,"\\u0061":3}'],
    ['escapes', '["\\u0041","\\/","\\ud800","\\uDFFF\\uD83D\\uDE00","\\b\\f\\n\\r\\t\\"\\\\"]'],
    ['raw characters', '["\u007f\u2028\u2029\ufffd\ufeff\uffff😀"]'],
    ['white space', '\r\n\t {\r\n\t "a" \t:\r[ ]\n} \n\n'],
    ['NUL as an escape', '{"\\u0000":"\\u0000"}'],
  ])('keeps %s', async (name, text) => {
    const key = encodeURIComponent(name);
    expect((await rest('POST', `/data/kept-${key}`, text)).text).toBe(text);
    expect((await rest('GET', `/data/kept-${key}`)).text).toBe(text);
  });
});

describe('a body that is no document', () => {
  const bytes = (...parts: (string | number)[]) =>
    Buffer.concat(
      parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))),
    );

  it.each<[string, string | Buffer]>([
    ['a number', '1'],
    ['a string', '"text"'],
    ['true', 'true'],
    ['null', 'null'],
    ['white space', ' \n'],
    ['a bare word', 'sgdgsdjhgsjdskgd'],
    ['NaN', '[NaN]'],
    ['a hole', '[1,,2]'],
    ['a trailing comma', '{"a":1,}'],
    ['single quotes', "{'a':1}"],
    ['a bare name', '{a:1}'],
    ['a comment', '{} // comment'],
    ['two documents', '{}{}'],
    ['a leading zero', '[01]'],
    ['a lonely point', '[1.]'],
    ['a control character in a string', '["\u0001"]'],
    ['a line end in a string', '["\n"]'],
    ['a bad escape', '["\\x41"]'],
    ['an unfinished escape', '["\\u00"]'],
    ['a missing end', '{"a":[1,2'],
    ['NUL at the end', '{}\0'],
    ['a no-break space', '\u00a0{}'],
    ['a vertical tab', '\v{}'],
    ['a BOM', '\ufeff{}'],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le')],
    ['a stray byte', bytes('{"a":"', 0xff, '"}')],
    ['a cut-off character', bytes('{"a":"', 0xc3, '"}')],
    ['an overlong slash', bytes('["', 0xc0, 0xaf, '"]')],
    ['a surrogate in UTF-8', bytes('["', 0xed, 0xa0, 0x80, '"]')],
    ['a character past U+10FFFF', bytes('["', 0xf4, 0x90, 0x80, 0x80, '"]')],
    ['depth 1,001 of arrays', '['.repeat(1_001) + ']'.repeat(1_001)],
    ['depth 1,001 of objects', `${'{"a":'.repeat(1_000)}{}${'}'.repeat(1_000)}`],
    ['depth 100,000', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['depth without end', '{"a":'.repeat(100_000)],
  ])('is 400 with a sentence, and nothing is stored: %s', async (_name, body) => {
    await rest('PUT', '/data/kept', '{"kept":1}', { 'if-none-match': '*' });
    expectError(await rest('POST', '/data/refused', body), 400);
    expectError(await rest('PUT', '/data/refused', body, { 'if-none-match': '*' }), 400);
    expectError(await rest('PUT', '/data/kept', body), 400);
    expectError(await rest('GET', '/data/refused'), 404);
    expect((await rest('GET', '/data/kept')).text).toBe('{"kept":1}');
  });

  it('is not confused with one whose deep brackets stand in a string', async () => {
    const text = `{"a":"${'['.repeat(2_000)}","b":"\\"${'{'.repeat(2_000)}"}`;
    expect((await rest('POST', '/data/brackets', text)).text).toBe(text);
  });
});

describe('MAX_DOCUMENT_BYTES', () => {
  /** A document of so many bytes, some of them in characters of two. */
  const documentOf = (bytes: number) => {
    const text = `{"a":"${'ä'.repeat(100_000)}`;
    return Buffer.from(`${text}${'x'.repeat(bytes - Buffer.byteLength(text) - 2)}"}`);
  };
  const inParts = (body: Buffer) => {
    const parts: Buffer[] = [];
    for (let at = 0; at < body.length; at += 65_000) parts.push(body.subarray(at, at + 65_000));
    return parts;
  };

  it.each([
    ['with Content-Length', (body: Buffer) => body],
    ['chunked', inParts],
  ])('is 1 MiB: a body of so many bytes is stored, one more is 413, %s', async (name, framed) => {
    const path = `/data/large-${encodeURIComponent(name)}`;
    const exact = documentOf(LIMIT);
    expect(exact.byteLength).toBe(LIMIT);
    const larger = framed(documentOf(LIMIT + 1));
    const send = (method: string, body: Buffer | Buffer[]) =>
      sendRequest(server.url, { method, path, body });
    expectError(await send('POST', larger), 413, /1048576/);
    expectError(await send('GET', Buffer.alloc(0)), 404);
    expect((await send('POST', framed(exact))).status).toBe(201);
    expect((await rest('GET', path)).text).toBe(exact.toString());
    expectError(await send('PUT', larger), 413, /1048576/);
    expectError(await send('PATCH', larger), 413, /1048576/);
    expect((await rest('GET', path)).text).toBe(exact.toString());
  });
});

describe('the content type', () => {
  it.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json ;  charset=utf8',
  ])('may be %s', async (type) => {
    const key = encodeURIComponent(type);
    const headers = { 'content-type': type };
    expect((await rest('POST', `/data/type-${key}`, '{}', headers)).status).toBe(201);
    expect((await rest('PUT', `/data/type-${key}`, '[]', headers)).status).toBe(200);
  });

  it('may be absent', async () => {
    const untyped = (method: string) =>
      sendRequest(server.url, { method, path: '/data/untyped', body: '{"a":1}' });
    expect((await untyped('POST')).status).toBe(201);
    expect((await untyped('PUT')).status).toBe(200);
  });

  it.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/jsonp',
    'application/ld+json',
    'application/json, text/plain',
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-16',
    'json',
    '*/*',
  ])('may not be %s: 415, and nothing is stored', async (type) => {
    await rest('PUT', '/data/kept', '{"kept":1}', { 'if-none-match': '*' });
    const headers = { 'content-type': type };
    expectError(await rest('POST', '/data/refused', '{}', headers), 415);
    expectError(await rest('POST', '/data/refused', '', headers), 415);
    expectError(await rest('PUT', '/data/kept', '{}', headers), 415);
    expectError(await rest('GET', '/data/refused'), 404);
    expect((await rest('GET', '/data/kept')).text).toBe('{"kept":1}');
  });

  it.each(['gzip', 'deflate', 'br', 'x'])('with Content-Encoding: %s is 415', async (encoding) => {
    const headers = { 'content-encoding': encoding };
    expectError(await rest('POST', '/data/refused', '{}', headers), 415, /Content-Encoding/);
    expectError(await rest('GET', '/data/refused'), 404);
  });
});
