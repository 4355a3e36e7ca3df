import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import {
  AS_ADMIN,
  asBasic,
  md5Hex,
  pathOf,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import { LISTS, type ListName, listAll } from './list-pages.ts';

/** What S3's lists say, what they refuse, and what members and strangers see of a bucket. */

const KEYS = ['a', 'b/1', 'b/2', 'b/c/3', 'd/e/4', 'd/f/5', 'g&<\u0001', 'h'];

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
  await server.makeBucket('answers');
  for (const key of KEYS) {
    const path = pathOf('answers', key);
    const answer = await sendS3(server.url, { method: 'PUT', path, headers: AS_ADMIN, body: key });
    expect(answer.status).toBe(200);
  }
});

afterAll(() => server.stop());

function list(query: string, headers: Record<string, string> = AS_ADMIN): Promise<S3Answer> {
  return sendS3(server.url, { path: `/answers?${query}`, headers });
}

/** Children of the root, and of what the root has, each once: `Contents/Key`. */
function elementNames(xml: string): string[] {
  const path: string[] = [];
  const names = new Set<string>();
  for (const [, close, name = ''] of xml.matchAll(/<(\/?)(\w+)[^>]*>/g)) {
    if (close) path.pop();
    else {
      path.push(name);
      names.add(path.slice(1).join('/'));
    }
  }
  names.delete('');
  return [...names].sort();
}

const OBJECT = ['ETag', 'Key', 'LastModified', 'Owner', 'Owner/DisplayName', 'Owner/ID', 'Size'];
const inside = (name: string, members: readonly string[]) => [
  name,
  ...members.map((member) => `${name}/${member}`),
];

describe('have the elements of S3', () => {
  const common = ['CommonPrefixes', 'CommonPrefixes/Prefix', 'Delimiter', 'EncodingType'];
  const frame = [...common, 'IsTruncated', 'Prefix'];

  it.each([
    [
      'ListObjects',
      'delimiter=/&max-keys=2',
      [
        'Marker',
        'MaxKeys',
        'Name',
        'NextMarker',
        ...inside('Contents', [...OBJECT, 'StorageClass']),
      ],
    ],
    [
      'ListObjectsV2',
      'list-type=2&delimiter=/&max-keys=2&start-after=%21&fetch-owner=true',
      [
        ...['KeyCount', 'MaxKeys', 'Name', 'NextContinuationToken', 'StartAfter'],
        ...inside('Contents', [...OBJECT, 'StorageClass']),
      ],
    ],
    [
      'ListObjectVersions',
      'versions&delimiter=/&max-keys=2',
      [
        ...['KeyMarker', 'MaxKeys', 'Name', 'NextKeyMarker', 'VersionIdMarker'],
        ...inside('Version', [...OBJECT, 'StorageClass', 'IsLatest', 'VersionId']),
      ],
    ],
  ])('%s', async (_name, query, members) => {
    const { text } = await list(`${query}&encoding-type=url`);
    expect(elementNames(text)).toEqual([...frame, ...members].sort());
  });

  it('ListObjectsV2 tells owners only to who asks for them', async () => {
    expect((await list('list-type=2')).text).not.toContain('<Owner>');
    expect((await list('list-type=2&fetch-owner=false')).text).not.toContain('<Owner>');
    expect((await list('list-type=2&fetch-owner=true')).text).toContain('<Owner>');
  });

  it('with each object as it is', async () => {
    const { xml } = await list('list-type=2&prefix=h');
    expect(xml).toMatchObject({
      Key: 'h',
      ETag: `"${md5Hex('h')}"`,
      Size: '1',
      StorageClass: 'STANDARD',
      LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      KeyCount: '1',
      IsTruncated: 'false',
      Name: 'answers',
    });
  });

  it('versions are the null version of what is there, and go on behind a version', async () => {
    const { xml } = await list('versions&max-keys=1');
    expect(xml).toMatchObject({
      VersionId: 'null',
      IsLatest: 'true',
      NextKeyMarker: 'a',
      NextVersionIdMarker: 'null',
    });
    const next = await list('versions&max-keys=1&key-marker=a&version-id-marker=null');
    expect(next.xml).toMatchObject({ Key: 'b/1', KeyMarker: 'a', VersionIdMarker: 'null' });
  });
});

describe('names that XML cannot hold', () => {
  it('come back right with encoding-type=url', async () => {
    const { xml } = await list('list-type=2&prefix=g%26&encoding-type=url');
    expect(xml).toMatchObject({ Key: 'g%26%3C%01', Prefix: 'g%26', EncodingType: 'url' });
  });

  it('are escaped without it', async () => {
    const { text } = await list('list-type=2&prefix=g%26');
    expect(text).toContain('<Key>g&amp;&lt;&#x1;</Key>');
    expect(text).toContain('<Prefix>g&amp;</Prefix>');
  });
});

describe('limits and markers', () => {
  it.each(LISTS)('%s of no keys at all is not truncated', async (name) => {
    const [page, ...others] = await listAll(server.url, 'answers', name, { limit: 0 });
    expect([page?.entries, page?.isTruncated, others]).toEqual([[], false, []]);
    expect(page?.xml['MaxKeys']).toBe('0');
  });

  it('more than 1,000 is 1,000', async () => {
    for (const limit of ['1001', '2147483647']) {
      expect((await list(`max-keys=${limit}`)).xml).toMatchObject({ MaxKeys: '1000' });
    }
  });

  it.each([
    ['max-keys=-1', 'max-keys', '-1'],
    ['max-keys=x', 'max-keys', 'x'],
    ['max-keys=1.5', 'max-keys', '1.5'],
    ['max-keys=2147483648', 'max-keys', '2147483648'],
    ['versions&max-keys=-1', 'max-keys', '-1'],
    ['uploads&max-uploads=-1', 'max-uploads', '-1'],
    ['list-type=3', 'list-type', '3'],
    ['list-type=two', 'list-type', 'two'],
    ['list-type=2&continuation-token=%21%21', 'continuation-token', '!!'],
    ['list-type=2&continuation-token=YQ%3D%3D', 'continuation-token', 'YQ=='],
    ['list-type=2&continuation-token=_w', 'continuation-token', '_w'],
    ['list-type=2&continuation-token=', 'continuation-token', ''],
    ['encoding-type=base64', 'encoding-type', 'base64'],
    ['versions&version-id-marker=null', 'version-id-marker', 'null'],
  ])('%s is InvalidArgument', async (query, ArgumentName, ArgumentValue) => {
    expectS3Error(await list(query), 400, 'InvalidArgument', { ArgumentName, ArgumentValue });
  });

  it.each(LISTS)(
    '%s goes on behind a common prefix that the marker is or lies in',
    async (name) => {
      for (const after of ['b/', 'b/1', 'b/0', 'b/zzz']) {
        const [page] = await listAll(server.url, 'answers', name, {
          delimiter: '/',
          after,
          limit: 1,
        });
        expect([after, page?.entries]).toEqual([after, [{ name: 'd/', isCommonPrefix: true }]]);
      }
      // What sorts before it does not hide it.
      const [page] = await listAll(server.url, 'answers', name, {
        delimiter: '/',
        after: 'b',
        limit: 1,
      });
      expect(page?.entries).toEqual([{ name: 'b/', isCommonPrefix: true }]);
    },
  );

  it('a continuation token is echoed, and counts more than start-after', async () => {
    const first = await list('list-type=2&max-keys=3');
    const token = first.xml['NextContinuationToken'] ?? '';
    expect(token).not.toBe('');
    const { xml, text } = await list(
      `list-type=2&max-keys=1&start-after=h&continuation-token=${encodeURIComponent(token)}`,
    );
    expect([xml['ContinuationToken'], xml['Key']]).toEqual([token, 'b/c/3']);
    expect(text).toContain('<IsTruncated>true</IsTruncated>');
  });

  it('a bucket that is not there', async () => {
    for (const query of ['', 'list-type=2', 'versions', 'uploads']) {
      const answer = await sendS3(server.url, {
        path: `/no-such-bucket?${query}`,
        headers: AS_ADMIN,
      });
      expectS3Error(answer, 404, 'NoSuchBucket', { BucketName: 'no-such-bucket' });
    }
  });
});

describe('members see what their grants cover', () => {
  const seen = async (
    member: string,
    name: ListName,
    call: { prefix?: string; delimiter?: string; limit?: number },
  ): Promise<string[]> => {
    const pages = await listAll(server.url, 'answers', name, call, asBasic(member));
    return pages.flatMap(({ entries }) => entries.map((entry) => entry.name));
  };

  beforeAll(async () => {
    await server.makeMember('several', [
      { prefix: 'answers/d/f', access: 'read' },
      { prefix: 'answers/b/1', access: 'read' },
      { prefix: 'answers/b/', access: 'write' },
      { prefix: 'answers/d/e', access: 'read' },
      { prefix: 'other-bucket/', access: 'read' },
    ]);
    await server.makeMember('elsewhere', [{ prefix: 'answers-2/', access: 'write' }]);
  });

  it.each(LISTS)('%s', async (name) => {
    for (const limit of [1, 2, 1_000]) {
      expect(await seen('several', name, { limit })).toEqual([
        ...['b/1', 'b/2', 'b/c/3', 'd/e/4', 'd/f/5'],
      ]);
      // A common prefix of several grants comes once.
      expect(await seen('several', name, { limit, delimiter: '/' })).toEqual(['b/', 'd/']);
      expect(await seen('several', name, { limit, prefix: 'd/', delimiter: '/' })).toEqual([
        ...['d/e/', 'd/f/'],
      ]);
      expect(await seen('several', name, { limit, prefix: 'b/1' })).toEqual(['b/1']);
    }
  });

  it('and nothing else', async () => {
    for (const query of ['', 'list-type=2', 'versions', 'uploads']) {
      for (const who of [asBasic('elsewhere'), {}]) {
        expectS3Error(await list(query, who), 403, 'AccessDenied');
      }
      expectS3Error(await list(`${query}&prefix=h`, asBasic('several')), 403, 'AccessDenied');
    }
  });

  it('everybody where the bucket says so', async () => {
    await server.makeBucket('public-list', 'public-read');
    const answer = await sendS3(server.url, { path: '/public-list?list-type=2' });
    expect([answer.status, answer.xml['KeyCount']]).toEqual([200, '0']);
  });
});
