import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { type SendSigned, signedRequests } from '../support/signed-requests.ts';

/** PutObjectTagging, GetObjectTagging, DeleteObjectTagging, and tags that come with the object. */

const PATH = '/files/tagged';

let server: S3Server;
let send: SendSigned;

beforeAll(async () => {
  server = await startS3Server();
  send = signedRequests(server);
  await server.makeBucket('files');
});

afterAll(() => server.stop());

beforeEach(async () => {
  const headers = { 'x-amz-tagging': 'first=1' };
  expect((await send('PUT', PATH, { headers, body: 'bytes' })).status).toBe(200);
});

function tagging(tags: readonly (readonly [string, string])[]): string {
  const set = tags.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`);
  return `<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>${set.join('')}</TagSet></Tagging>`;
}

function numbered(count: number): [string, string][] {
  return Array.from({ length: count }, (_, at) => [`k${at}`, `v${at}`]);
}

function put(tags: readonly (readonly [string, string])[]): Promise<S3Answer> {
  return send('PUT', `${PATH}?tagging`, { body: tagging(tags) });
}

async function tagsOf(path = PATH): Promise<string[]> {
  const answer = await send('GET', `${path}?tagging`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/xml']);
  expect(answer.text).toContain(
    '<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>',
  );
  return [...answer.text.matchAll(/<Tag><Key>(.*?)<\/Key><Value>(.*?)<\/Value><\/Tag>/g)].map(
    ([, key, value]) => `${key}=${value}`,
  );
}

async function countOf(path = PATH): Promise<string | null> {
  const [get, head] = [await send('GET', path), await send('HEAD', path)];
  expect(head.headers.get('x-amz-tagging-count')).toBe(get.headers.get('x-amz-tagging-count'));
  return get.headers.get('x-amz-tagging-count');
}

describe('tags of an object', () => {
  it('are replaced as a whole, counted, and taken away', async () => {
    expect(await tagsOf()).toEqual(['first=1']);
    expect(await countOf()).toBe('1');
    const answer = await put([
      ['second', '2'],
      ['größe', 'ü &amp; +-=._:/@ 字'.replace('&amp; ', '')],
      ['empty', ''],
    ]);
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(await tagsOf()).toEqual(['second=2', 'größe=ü +-=._:/@ 字', 'empty=']);
    expect(await countOf()).toBe('3');
    const removed = await send('DELETE', `${PATH}?tagging`);
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect(await tagsOf()).toEqual([]);
    expect(await countOf()).toBeNull();
    expect((await send('DELETE', `${PATH}?tagging`)).status).toBe(204);
  });

  it('none at all is a set, too', async () => {
    expect((await put([])).status).toBe(200);
    expect(await tagsOf()).toEqual([]);
  });

  it('leave bytes, time, ACL and metadata as they are', async () => {
    const headers = { 'x-amz-acl': 'public-read', 'x-amz-meta-a': 'b' };
    await send('PUT', PATH, { headers, body: 'bytes' });
    const before = await sendS3(server.url, { path: PATH });
    await put([['k', 'v']]);
    const after = await sendS3(server.url, { path: PATH });
    expect(after.text).toBe('bytes');
    for (const name of ['etag', 'last-modified', 'x-amz-meta-a']) {
      expect(after.headers.get(name)).toBe(before.headers.get(name));
    }
  });

  it('are gone with the object that had them', async () => {
    await send('PUT', PATH, { body: 'new' });
    expect(await tagsOf()).toEqual([]);
  });

  it('come with PutObject', async () => {
    const headers = { 'x-amz-tagging': 'a=1&b=x%20y&c=x+y&d=%C3%BC&e' };
    await send('PUT', PATH, { headers, body: 'bytes' });
    expect(await tagsOf()).toEqual(['a=1', 'b=x y', 'c=x y', 'd=ü', 'e=']);
    expect(await countOf()).toBe('5');
    await send('PUT', PATH, { headers: { 'x-amz-tagging': '' }, body: 'bytes' });
    expect(await tagsOf()).toEqual([]);
  });

  it('come with a copy, or are its own', async () => {
    const source = { 'x-amz-copy-source': PATH };
    await send('PUT', '/files/copy', { headers: source });
    expect(await tagsOf('/files/copy')).toEqual(['first=1']);
    await send('PUT', '/files/copy', {
      headers: { ...source, 'x-amz-tagging-directive': 'REPLACE', 'x-amz-tagging': 'own=1' },
    });
    expect(await tagsOf('/files/copy')).toEqual(['own=1']);
  });

  it('come with an upload in parts', async () => {
    const headers = { 'x-amz-tagging': 'parts=1' };
    const { xml } = await send('POST', '/files/parts?uploads', { headers });
    const upload = `/files/parts?uploadId=${xml['UploadId']}`;
    const { headers: part } = await send('PUT', `${upload}&partNumber=1`, { body: 'part' });
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.get('etag')}</ETag></Part></CompleteMultipartUpload>`;
    expect((await send('POST', upload, { body })).status).toBe(200);
    expect(await tagsOf('/files/parts')).toEqual(['parts=1']);
  });

  it('are ten at most, of so many characters', async () => {
    expect((await put(numbered(10))).status).toBe(200);
    expect(await countOf()).toBe('10');
    const long: [string, string][] = [['ü'.repeat(128), '字'.repeat(256)]];
    expect((await put(long)).status).toBe(200);
    expect(await tagsOf()).toEqual([`${'ü'.repeat(128)}=${'字'.repeat(256)}`]);
  });

  it.each<[string, [string, string][], string]>([
    ['eleven', numbered(11), 'BadRequest'],
    ['a key of 129 characters', [['k'.repeat(129), 'v']], 'InvalidTag'],
    ['a value of 257 characters', [['k', 'v'.repeat(257)]], 'InvalidTag'],
    ['an empty key', [['', 'v']], 'InvalidTag'],
    [
      'one key twice',
      [
        ['k', '1'],
        ['k', '2'],
      ],
      'InvalidTag',
    ],
    ['another character', [['k', 'a&amp;b']], 'InvalidTag'],
  ])('%s: refused, and the tags stay', async (_name, tags, code) => {
    expectS3Error(await put(tags), 400, code);
    expect(await tagsOf()).toEqual(['first=1']);
    if (_name === 'an empty key') return;
    const header = tags.map(([key, value]) => `${key}=${value.replace('&amp;', '%26')}`).join('&');
    const answer = await send('PUT', PATH, { headers: { 'x-amz-tagging': header }, body: 'new' });
    expectS3Error(answer, 400, code === 'InvalidTag' && tags.length > 1 ? 'InvalidArgument' : code);
    expect((await send('GET', PATH)).text).toBe('bytes');
    expect(await tagsOf()).toEqual(['first=1']);
  });

  it.each(['%zz=1', '%ff=1'])('x-amz-tagging: %s is no query', async (header) => {
    const answer = await send('PUT', PATH, { headers: { 'x-amz-tagging': header }, body: 'new' });
    expectS3Error(answer, 400, 'InvalidArgument', { ArgumentName: 'x-amz-tagging' });
    expect((await send('GET', PATH)).text).toBe('bytes');
  });

  it('of no object there are none', async () => {
    expectS3Error(await send('GET', '/files/absent?tagging'), 404, 'NoSuchKey', { Key: 'absent' });
    const body = tagging([]);
    expectS3Error(await send('PUT', '/files/absent?tagging', { body }), 404, 'NoSuchKey');
    expectS3Error(await send('DELETE', '/files/absent?tagging'), 404, 'NoSuchKey');
    await server.expectAbsent('files', 'absent');
  });

  it('of a version that never was there are none', async () => {
    const path = `${PATH}?tagging&versionId=3sL4kqtJlcpXroDTDmJ`;
    expectS3Error(await send('GET', path), 404, 'NoSuchVersion');
    expectS3Error(await send('PUT', path, { body: tagging([]) }), 404, 'NoSuchVersion');
    expectS3Error(await send('DELETE', path), 404, 'NoSuchVersion');
    expect(await tagsOf()).toEqual(['first=1']);
    expect((await send('DELETE', `${PATH}?tagging&versionId=null`)).status).toBe(204);
  });
});
