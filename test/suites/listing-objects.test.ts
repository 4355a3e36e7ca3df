import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error } from '../support/s3-client.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { ask, done, textsOf } from './ask.ts';

/** ListObjects and ListObjectsV2 over the buckets that compatibility suites list. */

let server: S3Server;

const NESTED = ['asdf', 'boo/bar', 'boo/baz/xyzzy', 'cquux/bla', 'cquux/thud'];
const UNDER = ['_obj1_', '_under1/bar', '_under1/baz/xyzzy', '_under2/bla', '_under2/thud'];
const ODD = ['b%ar', 'b.az', 'c ab', 'foo'];
const ENCODED = ['asdf+b', 'foo+1/bar', 'foo/bar/xyzzy', 'quux ab/thud'];

beforeAll(async () => {
  server = await startS3Server();
  for (const [bucket, keys] of Object.entries({
    nested: NESTED,
    under: UNDER,
    odd: ODD,
    encoded: ENCODED,
  })) {
    await server.makeBucket(bucket);
    for (const key of keys) {
      await done(server, { method: 'PUT', path: `/${bucket}/${encodeURIComponent(key)}` });
    }
  }
});

afterAll(() => server.stop());

function list(bucket: string, query: Record<string, string>) {
  const sent = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return ask(server, { path: `/${bucket}?${sent.join('&')}` });
}

async function listed(bucket: string, query: Record<string, string>) {
  const answer = await list(bucket, query);
  expect(answer.status, answer.text).toBe(200);
  const [, ...prefixes] = answer.text.split('<CommonPrefixes><Prefix>');
  return {
    answer,
    keys: textsOf(answer, 'Key'),
    prefixes: prefixes.map((rest) => rest.slice(0, rest.indexOf('<'))),
    isTruncated: answer.xml['IsTruncated'] === 'true',
  };
}

describe('a page of a list', () => {
  it.each<[string, string, string, number, string[], string[], string | undefined]>([
    ['nested', '', '', 1, ['asdf'], [], 'asdf'],
    ['nested', '', 'asdf', 1, [], ['boo/'], 'boo/'],
    ['nested', '', 'boo/', 1, [], ['cquux/'], undefined],
    ['nested', '', 'boo/bar', 1, [], ['cquux/'], undefined],
    ['nested', '', '', 2, ['asdf'], ['boo/'], 'boo/'],
    ['nested', '', 'boo/', 2, [], ['cquux/'], undefined],
    ['nested', 'boo/', '', 1, ['boo/bar'], [], 'boo/bar'],
    ['nested', 'boo/', 'boo/bar', 1, [], ['boo/baz/'], undefined],
    ['nested', 'boo/', '', 2, ['boo/bar'], ['boo/baz/'], undefined],
    ['under', '', '', 1, ['_obj1_'], [], '_obj1_'],
    ['under', '', '_obj1_', 1, [], ['_under1/'], '_under1/'],
    ['under', '', '_under1/', 1, [], ['_under2/'], undefined],
    ['under', '_under1/', '', 1, ['_under1/bar'], [], '_under1/bar'],
    ['under', '_under1/', '_under1/bar', 1, [], ['_under1/baz/'], undefined],
  ])('of %s under %j after %j, %i long, is that of S3', async (...row) => {
    const [bucket, prefix, after, limit, keys, prefixes, next] = row;
    const query = { delimiter: '/', prefix, 'max-keys': String(limit) };
    const v1 = await listed(bucket, { ...query, marker: after });
    const v2 = await listed(bucket, { ...query, 'list-type': '2', 'start-after': after });
    for (const page of [v1, v2]) {
      expect(page).toMatchObject({ keys, prefixes, isTruncated: next !== undefined });
    }
    expect(v1.answer.xml['NextMarker']).toBe(next);
    expect(v2.answer.xml['KeyCount']).toBe(String(keys.length + prefixes.length));
    expect('NextContinuationToken' in v2.answer.xml).toBe(next !== undefined);
  });

  it.each<[string, string[], string[]]>([
    ['a', ['foo'], ['b%a', 'b.a', 'c a']],
    ['%', ['b.az', 'c ab', 'foo'], ['b%']],
    ['.', ['b%ar', 'c ab', 'foo'], ['b.']],
    [' ', ['b%ar', 'b.az', 'foo'], ['c ']],
    ['\n', ODD, []],
    ['/', ODD, []],
    ['oo', ['b%ar', 'b.az', 'c ab'], ['foo']],
  ])('is cut at any delimiter: %j', async (delimiter, keys, prefixes) => {
    for (const type of ['1', '2']) {
      expect(await listed('odd', { 'list-type': type, delimiter })).toMatchObject({
        keys,
        prefixes,
      });
    }
  });

  it.each([
    ['', ODD],
    ['\n', ODD],
    ['blah', ['c ab', 'foo']],
    ['b.az', ['c ab', 'foo']],
    ['zzz', []],
  ])('begins after any marker: %j', async (marker, keys) => {
    expect((await listed('odd', { marker })).keys).toEqual(keys);
    const page = await listed('odd', { 'list-type': '2', 'start-after': marker });
    expect(page.keys).toEqual(keys);
  });

  it('has names percent-encoded where that was asked for, but their slashes', async () => {
    for (const type of ['1', '2']) {
      const page = await listed('encoded', {
        'list-type': type,
        delimiter: '/',
        'encoding-type': 'url',
      });
      expect(page).toMatchObject({
        keys: ['asdf%2Bb'],
        prefixes: ['foo%2B1/', 'foo/', 'quux%20ab/'],
      });
      expect(page.answer.xml).toMatchObject({ EncodingType: 'url', Delimiter: '/' });
    }
  });

  it('says a delimiter only where there was one, and owners only to who asks', async () => {
    const plain = await listed('odd', { 'list-type': '2', delimiter: '' });
    expect(plain.answer.text).not.toMatch(/<Delimiter>|<Owner>|<StartAfter>|<EncodingType>/);
    const owned = await listed('odd', { 'list-type': '2', 'fetch-owner': 'true' });
    expect(textsOf(owned.answer, 'DisplayName')).toHaveLength(ODD.length);
    expect(textsOf((await listed('odd', {})).answer, 'DisplayName')).toHaveLength(ODD.length);
  });

  it('goes on after its token, whatever else was said', async () => {
    const first = await listed('odd', { 'list-type': '2', 'max-keys': '2' });
    const token = first.answer.xml['NextContinuationToken'] ?? '';
    const second = await listed('odd', {
      'list-type': '2',
      'start-after': 'b%ar',
      'continuation-token': token,
    });
    expect(second.keys).toEqual(['c ab', 'foo']);
    expect(second.answer.xml).toMatchObject({ ContinuationToken: token, StartAfter: 'b%ar' });
  });

  it('has at most 1,000 keys, and may have none', async () => {
    expect((await listed('odd', { 'max-keys': '5000' })).answer.xml['MaxKeys']).toBe('1000');
    for (const type of ['1', '2']) {
      const none = await listed('odd', { 'list-type': type, 'max-keys': '0' });
      expect(none).toMatchObject({ keys: [], isTruncated: false });
    }
  });
});

it.each([
  { 'max-keys': 'blah' },
  { 'max-keys': '-1' },
  { 'max-keys': '2147483648' },
  { 'encoding-type': 'base64' },
  { 'list-type': '3' },
  { 'list-type': '2', 'continuation-token': '' },
  { 'list-type': '2', 'continuation-token': '?' },
])('a list that cannot be is refused: %j', async (query) => {
  expectS3Error(await list('odd', query), 400, 'InvalidArgument');
});

describe('ListMultipartUploads', () => {
  it('lists the uploads under a prefix as objects are listed', async () => {
    await server.makeBucket('begun');
    for (const key of ['a/1', 'a/2', 'b', 'c/d/e']) {
      await done(server, { method: 'POST', path: `/begun/${key}?uploads` });
    }
    expect(await listed('begun', { uploads: '', delimiter: '/' })).toMatchObject({
      keys: ['b'],
      prefixes: ['a/', 'c/'],
    });
    expect((await listed('begun', { uploads: '', prefix: 'a/' })).keys).toEqual(['a/1', 'a/2']);
    const first = await listed('begun', { uploads: '', 'max-uploads': '3' });
    expect(first).toMatchObject({ keys: ['a/1', 'a/2', 'b'], isTruncated: true });
    const { NextKeyMarker = '', NextUploadIdMarker = '' } = first.answer.xml;
    const second = await listed('begun', {
      uploads: '',
      'key-marker': NextKeyMarker,
      'upload-id-marker': NextUploadIdMarker,
    });
    expect(second).toMatchObject({ keys: ['c/d/e'], isTruncated: false });
  });
});
