import { inspect } from 'node:util';
import fc from 'fast-check';
import { admin } from './client.ts';

/** What is emitted as `http message`, and whether an acknowledgement is asked for. */
export interface Emission {
  readonly args: readonly unknown[];
  readonly hasAck: boolean;
}

/** As deep as the client's own JSON.stringify goes: deeper ones are written by hand. */
const deep = fc
  .tuple(fc.constantFrom(10, 999, 1_001, 1_500), fc.boolean())
  .map(([levels, isArray]) =>
    JSON.parse(
      isArray
        ? '['.repeat(levels) + ']'.repeat(levels)
        : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`,
    ),
  );
const binary = fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes));
const hostile = fc
  .constantFrom(
    '{"__proto__":{"isAdmin":true}}',
    '{"__proto__":null,"constructor":{"prototype":{}}}',
    '{"toString":1,"valueOf":2,"toJSON":3,"hasOwnProperty":4,"then":5}',
    '{"_placeholder":true,"num":0}',
    '{"type":"Buffer","data":[1,2,3]}',
    '{"length":1e9}',
  )
  .map((text) => JSON.parse(text));
const absurdText = fc.oneof(
  { weight: 12, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 12,
    arbitrary: fc.constantFrom(
      '',
      '\0',
      '\ud800',
      '\udc00/',
      '\r\n\r\nGET / HTTP/1.1',
      '__proto__',
      'constructor',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('x'.repeat(17_000), '𝄞'.repeat(600), '%'.repeat(600)),
  },
);
const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 24, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  { weight: 6, arbitrary: absurdText },
  { weight: 4, arbitrary: hostile },
  { weight: 2, arbitrary: binary },
  { weight: 1, arbitrary: deep },
  {
    weight: 1,
    arbitrary: fc.constantFrom(undefined, Number.NaN, Number.POSITIVE_INFINITY, -0),
  },
);

const url = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('/data', '/data/a', '/data/b', '/', '/api/users') },
  { weight: 2, arbitrary: absurdText },
  { weight: 3, arbitrary: absurdText.map((text) => `/data/${text}`) },
  { weight: 2, arbitrary: absurdText.map((text) => `/data?limit=${text}&prefix=${text}&${text}`) },
  { weight: 1, arbitrary: absurdText.map((text) => `/api/users/${text}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '*',
      '//',
      '//evil.example/data/a',
      'http://localhost/data/a',
      'https://[',
      '/data/../../etc/passwd',
      '/data/%',
      '/data/%zz',
      '/data/%ff%fe',
      '/data/%00',
      '/data/a#b',
      '/data/a?b#c?d',
      '/data\\a',
      '/socket.io/?EIO=4&transport=polling',
      '/console',
      '/favicon.ico',
      '/some-bucket/some-key',
    ),
  },
  { weight: 2, arbitrary: anything },
);
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'get', 'pOsT'),
  },
  { weight: 2, arbitrary: absurdText },
  { weight: 1, arbitrary: anything },
);
const auth = fc.oneof(
  { weight: 4, arbitrary: fc.constant(admin) },
  { weight: 1, arbitrary: fc.constantFrom({ username: 'admin', password: 'wrong' }, {}, null) },
  { weight: 1, arbitrary: fc.record({ username: fc.constant('admin'), password: fc.nat() }) },
  { weight: 1, arbitrary: anything.filter((value) => typeof value !== 'object') },
);
const headers = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.dictionary(
      fc.constantFrom('content-type', 'accept', 'If-Match', 'if-none-match', 'if-x', '__proto__'),
      fc.oneof(
        fc.constantFrom(
          'application/json',
          'application/merge-patch+json',
          'application/json-patch+json',
          'application/json; charset=latin1',
          'text/plain',
          'text/html',
          'application/x-ndjson',
          '*',
          '"1"',
          'W/"1", "2"',
        ),
        absurdText,
        anything,
      ),
      { maxKeys: 4 },
    ),
  },
  { weight: 1, arbitrary: anything },
);

const envelope = fc.oneof(
  { weight: 4, arbitrary: anything },
  {
    weight: 20,
    arbitrary: fc.record(
      { auth, url, method, data: anything, headers, id: anything, extra: anything },
      { requiredKeys: [] },
    ),
  },
  {
    weight: 10,
    arbitrary: fc.record(
      { auth, url, method, data: anything, headers, id: anything },
      { requiredKeys: ['auth', 'url', 'method'] },
    ),
  },
);

const noop = (): void => {};
export const emission: fc.Arbitrary<Emission> = fc
  .tuple(
    fc.oneof(
      { weight: 20, arbitrary: envelope.map((value) => [value]) },
      { weight: 1, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.tuple(envelope, anything, anything) },
      { weight: 1, arbitrary: envelope.map((value) => [noop, value]) },
      { weight: 1, arbitrary: envelope.map((value) => [[noop, { value, noop }], value]) },
    ),
    fc.boolean(),
  )
  .map(([args, hasAck]) => ({
    args,
    hasAck,
  }));

/** For a report: the deepest would overflow the stack of JSON.stringify. */
export function showArgs(args: readonly unknown[] | undefined): string {
  return inspect(args, { depth: 6, maxStringLength: 100, breakLength: Number.POSITIVE_INFINITY });
}
