import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CorsRule, corsHeaders } from '../../server/s3/cors-rules.ts';

const vary = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';

function rule(parts: Partial<CorsRule> = {}): CorsRule {
  return {
    allowedOrigins: ['*'],
    allowedMethods: ['GET'],
    allowedHeaders: [],
    exposeHeaders: [],
    ...parts,
  };
}

function request(origin: string, method = 'GET', ...requestHeaders: string[]) {
  return { origin, method, requestHeaders };
}

/** The origin that is let in. */
function allowed(allowedOrigins: string[], origin: string): string | undefined {
  return corsHeaders([rule({ allowedOrigins })], request(origin))?.['Access-Control-Allow-Origin'];
}

function allowsHeaders(allowedHeaders: string[], ...headers: string[]): boolean {
  return (
    corsHeaders([rule({ allowedHeaders })], request('http://a', 'GET', ...headers)) !== undefined
  );
}

describe('corsHeaders', () => {
  test('says what the rule says', () => {
    expect(corsHeaders([rule()], request('http://a'))).toEqual({
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Methods': 'GET',
      Vary: vary,
    });
    const full = rule({
      id: 'one',
      allowedOrigins: ['http://a'],
      allowedMethods: ['GET', 'PUT'],
      allowedHeaders: ['*'],
      exposeHeaders: ['ETag', 'x-amz-request-id'],
      maxAgeSeconds: 0,
    });
    expect(corsHeaders([full], request('http://a', 'PUT', 'Content-Type', 'X-B'))).toEqual({
      'Access-Control-Allow-Origin': 'http://a',
      'Access-Control-Allow-Methods': 'GET, PUT',
      'Access-Control-Allow-Headers': 'content-type, x-b',
      'Access-Control-Expose-Headers': 'ETag, x-amz-request-id',
      'Access-Control-Max-Age': '0',
      Vary: vary,
    });
  });

  test.each([
    [['http://a'], 'http://a', 'http://a'],
    [['http://a'], 'http://A', undefined],
    [['http://a'], 'https://a', undefined],
    [['http://a'], 'http://a:80', undefined],
    [['*'], 'http://a', '*'],
    [['*'], 'null', '*'],
    [['null'], 'null', 'null'],
    [['http://a', '*'], 'http://a', 'http://a'],
    [['http://a', '*'], 'http://b', '*'],
    [['http://*'], 'http://b', 'http://b'],
    [['http://*.b.c'], 'http://a.b.c', 'http://a.b.c'],
    [['http://*.b.c'], 'http://.b.c', 'http://.b.c'],
    [['http://*.b.c'], 'http://b.c', undefined],
    [['http://*.b.c'], 'http://a.bxc', undefined],
    [['http://*.b.c'], 'http://a.b.c.evil', undefined],
    [['aa*aa'], 'aaa', undefined],
    [['aa*aa'], 'aaaa', 'aaaa'],
    [['http://.*'], 'http://abc', undefined],
  ])('the origins %j, asked by %j, give %j', (origins, origin, expected) => {
    expect(allowed(origins, origin)).toBe(expected);
  });

  test.each([
    [[], [], true],
    [[], ['x-a'], false],
    [['*'], ['x-a', 'content-type'], true],
    [['X-A'], ['x-a'], true],
    [['x-a'], ['X-A'], true],
    [['x-a'], ['x-a', 'x-b'], false],
    [['x-amz-*', 'content-type'], ['Content-Type', 'X-Amz-Date', 'x-amz-'], true],
    [['x-amz-*'], ['x-amz'], false],
    [['*-length'], ['content-length'], true],
    [['*'], ['a b'], false],
    [['*'], [''], false],
    [['*'], ['a\r\nSet-Cookie: b'], false],
  ])('the headers %j, asked for %j: %j', (patterns, headers, expected) => {
    expect(allowsHeaders(patterns, ...headers)).toBe(expected);
  });

  test('takes the first rule that matches in everything', () => {
    const rules = [
      rule({ allowedOrigins: ['http://a'], maxAgeSeconds: 1 }),
      rule({ allowedMethods: ['PUT'], maxAgeSeconds: 2 }),
      rule({ allowedMethods: ['PUT', 'GET'], allowedHeaders: ['x-a'], maxAgeSeconds: 3 }),
      rule({ maxAgeSeconds: 4 }),
    ];
    const maxAge = (origin: string, method: string, ...headers: string[]) =>
      corsHeaders(rules, request(origin, method, ...headers))?.['Access-Control-Max-Age'];
    expect(maxAge('http://a', 'GET')).toBe('1');
    expect(maxAge('http://a', 'GET', 'x-a')).toBe('3');
    expect(maxAge('http://b', 'PUT')).toBe('2');
    expect(maxAge('http://b', 'PUT', 'x-a')).toBe('3');
    expect(maxAge('http://b', 'GET')).toBe('3');
    expect(maxAge('http://b', 'GET', 'x-b')).toBeUndefined();
    expect(maxAge('http://b', 'get')).toBeUndefined();
    expect(maxAge('http://b', 'DELETE')).toBeUndefined();
    expect(corsHeaders([], request('http://a'))).toBeUndefined();
  });

  test.each(['', 'http://a\r\nx: y', 'http://a\u0000', 'http://é', 'http://日', 'a b'])(
    'gives nothing to the origin %j',
    (origin) => {
      expect(allowed(['*', 'http*', origin], origin)).toBeUndefined();
    },
  );

  test('never has credentials or what a header cannot have', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aB*-: \r\n\u0000é日'), maxLength: 4 });
    const texts = fc.array(fc.oneof(text, fc.constant('*'), fc.constant('x*')), { maxLength: 3 });
    fc.assert(
      fc.property(texts, texts, text, texts, (allowedOrigins, allowedHeaders, origin, asked) => {
        const rules = [rule({ allowedOrigins, allowedHeaders })];
        const headers = corsHeaders(rules, request(origin, 'GET', ...asked)) ?? {};
        expect(Object.keys(headers).join()).not.toMatch(/credentials/i);
        expect(Object.values(headers).join('')).toMatch(/^[ -~]*$/);
      }),
    );
  });

  test('a wildcard matches what begins and ends as the pattern does', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 6 });
    fc.assert(
      fc.property(text, text, text, (head, middle, tail) => {
        const origin = `h${head}${middle}${tail}`;
        expect(allowed([`h${head}*${tail}`], origin)).toBe(origin);
      }),
    );
  });
});
