import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, connect } from '../socket/client.ts';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import { createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { md5Hex, type S3Server, startS3Server } from '../support/s3-server.ts';
import { signedRequests } from '../support/signed-requests.ts';

/** `GET /api/objects/:bucket`: what lies in a bucket, as JSON. */

/** In byte order. */
const KEYS = [
  'a',
  'a b',
  'b/1',
  'b/2',
  'b/c/3',
  'c+d',
  'maria/1',
  'maria/2',
  'ü/字',
  '\u{ffff}',
  '🎮',
];

interface List {
  objects: { key: string }[];
  prefixes: string[];
  next?: string;
}

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
  await server.makeBucket('files');
  await server.makeBucket('empty', 'public-read');
  for (const key of KEYS) {
    await server.uploadSigned({ bucket: 'files', fields: { key } }, { file: `of ${key}` });
  }
  await server.makeMember('maria', [
    { prefix: 'files/maria/', access: 'write' },
    { prefix: 'files/b/2', access: 'read' },
  ]);
  await server.makeMember('stefan', [{ prefix: 'elsewhere/', access: 'write' }]);
});

afterAll(() => server.stop());

function as(name: string): Rest {
  return createRest(server.url, name, `${name}-password`);
}

async function list(query = '', rest = server.admin): Promise<List> {
  const answer = await rest('GET', `/api/objects/files${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json as List;
}

async function keys(query = '', rest = server.admin): Promise<string[]> {
  return (await list(query, rest)).objects.map(({ key }) => key);
}

function nextLink(answer: RestAnswer): string | undefined {
  return /^<([^>]*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
}

describe('a list of objects', () => {
  it('says of each what S3’s HeadObject says', async () => {
    const headers = {
      'content-type': 'text/plain; charset=utf-8',
      'x-amz-acl': 'public-read',
      'x-amz-meta-secret': 's',
    };
    const send = signedRequests(server);
    await server.makeBucket('described');
    const before = Date.now();
    await send('PUT', '/described/plain', { headers, body: 'größe' });
    await server.uploadSigned({ bucket: 'described', fields: { key: 'bare' } }, { file: '' });
    const answer = await server.admin('GET', '/api/objects/described');
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('link')).toBeNull();
    expect(answer.json).toEqual({
      objects: [
        { key: 'bare', size: 0, etag: `"${md5Hex('')}"`, time: expect.any(String), acl: 'private' },
        {
          key: 'plain',
          size: 7,
          etag: `"${md5Hex('größe')}"`,
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          contentType: 'text/plain; charset=utf-8',
          acl: 'public-read',
        },
      ],
      prefixes: [],
    });
    const { objects } = answer.json as { objects: { time: string }[] };
    const time = Date.parse(objects[1]?.time ?? '');
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  it('is whole, in byte order, and follows what is written and deleted', async () => {
    expect(await keys()).toEqual(KEYS);
    await server.uploadSigned({ bucket: 'files', fields: { key: 'new' } }, { file: 'x' });
    expect(await keys('?prefix=n')).toEqual(['new']);
    await signedRequests(server)('DELETE', '/files/new');
    expect(await keys('?prefix=n')).toEqual([]);
  });

  it.each<[string, string[], string[]]>([
    ['?prefix=b/', ['b/1', 'b/2', 'b/c/3'], []],
    ['?prefix=a', ['a', 'a b'], []],
    ['?prefix=a+', ['a b'], []],
    ['?prefix=c%2B', ['c+d'], []],
    ['?prefix=%C3%BC%2F', ['ü/字'], []],
    ['?prefix=absent', [], []],
    ['?prefix=', KEYS, []],
    ['?delimiter=', KEYS, []],
    ['?delimiter=/', ['a', 'a b', 'c+d', '\u{ffff}', '🎮'], ['b/', 'maria/', 'ü/']],
    ['?delimiter=/&prefix=b/', ['b/1', 'b/2'], ['b/c/']],
    ['?delimiter=/&prefix=b', [], ['b/']],
    ['?delimiter=aria/', KEYS.filter((key) => !key.startsWith('maria')), ['maria/']],
    ['?after=b/2', KEYS.slice(4), []],
    ['?after=b', KEYS.slice(2), []],
    ['?after=%F0%9F%8E%AE', [], []],
    ['?delimiter=/&after=b/', ['c+d', '\u{ffff}', '🎮'], ['maria/', 'ü/']],
    ['?delimiter=/&after=b/1', ['c+d', '\u{ffff}', '🎮'], ['maria/', 'ü/']],
    ['?prefix=b/&after=a', ['b/1', 'b/2', 'b/c/3'], []],
    ['?prefix=b/&after=c', [], []],
    ['?after=&unknown=1', KEYS, []],
  ])('%s', async (query, expected, prefixes) => {
    const page = await list(query);
    expect(page.objects.map(({ key }) => key)).toEqual(expected);
    expect(page.prefixes).toEqual(prefixes);
    expect(page.next).toBeUndefined();
  });

  it.each([1, 2, 3, 7, 10, 11, 1_000])(
    'comes in pages of %i, by link and by cursor',
    async (limit) => {
      for (const query of ['', 'delimiter=%2F&', 'prefix=b%2F&', 'prefix=b%2F&delimiter=%2F&']) {
        const whole = await list(`?${query}`);
        const all = [...whole.objects.map(({ key }) => key), ...whole.prefixes].sort();
        const seen: string[] = [];
        let path: string | undefined = `/api/objects/files?${query}limit=${limit}`;
        while (path !== undefined) {
          const answer = await server.admin('GET', path);
          expect(answer.status, answer.text).toBe(200);
          const page = answer.json as List;
          const size = page.objects.length + page.prefixes.length;
          seen.push(...page.objects.map(({ key }) => key), ...page.prefixes);
          path = nextLink(answer);
          expect(path === undefined).toBe(page.next === undefined);
          if (page.next !== undefined) {
            expect(size).toBe(limit);
            const url = new URL(path ?? '', server.url);
            expect(url.searchParams.get('after')).toBe(page.next);
            expect(url.searchParams.get('limit')).toBe(String(limit));
          }
        }
        expect(seen.sort()).toEqual(all);
      }
    },
  );

  it('of an empty bucket is empty', async () => {
    expect((await server.admin('GET', '/api/objects/empty')).json).toEqual({
      objects: [],
      prefixes: [],
    });
  });
});

describe('a member', () => {
  it('sees what its grants cover, and nothing else', async () => {
    expect(await keys('', as('maria'))).toEqual(['b/2', 'maria/1', 'maria/2']);
    expect(await keys('?prefix=maria/1', as('maria'))).toEqual(['maria/1']);
    expect(await list('?delimiter=/', as('maria'))).toEqual({
      objects: [],
      prefixes: ['b/', 'maria/'],
    });
    expect(await keys('?limit=1', as('maria'))).toEqual(['b/2']);
    expect(await keys('?limit=1&after=b/2', as('maria'))).toEqual(['maria/1']);
  });

  it('is refused where they cover nothing, whether or not it is there', async () => {
    for (const path of ['/api/objects/files?prefix=c', '/api/objects/no-such-bucket']) {
      expectError(await as('maria')('GET', path), 403, /grant/);
    }
    expectError(await as('stefan')('GET', '/api/objects/files'), 403);
    expectError(await as('stefan')('GET', '/api/objects/no-such-bucket'), 403);
  });

  it('sees no more once a grant is taken away', async () => {
    await server.makeMember('brief', [{ prefix: 'files/b/', access: 'read' }]);
    expect(await keys('', as('brief'))).toEqual(['b/1', 'b/2', 'b/c/3']);
    await server.admin('PUT', '/api/users/brief', { role: 'member', grants: [] });
    expectError(await as('brief')('GET', '/api/objects/files'), 403);
    await server.admin('DELETE', '/api/users/brief');
    expectError(await as('brief')('GET', '/api/objects/files'), 401);
  });
});

describe('refuses', () => {
  it('a bucket that is not there', async () => {
    for (const name of [
      'no-such-bucket',
      'Upper',
      '..',
      '%2F',
      '%00',
      'files%2Fa',
      'a'.repeat(99),
    ]) {
      const answer = await sendRequest(server.url, { path: `/api/objects/${name}` });
      expectError(answer, 404);
    }
  });

  it.each([
    '?limit=0',
    '?limit=1001',
    '?limit=-1',
    '?limit=1.5',
    '?limit=many',
    '?limit=',
    '?prefix=%zz',
    '?after=%ff',
  ])('%s with 400', async (query) => {
    expectError(await server.admin('GET', `/api/objects/files${query}`), 400);
  });

  it('who has no credentials, pages of other origins and other methods', async () => {
    const path = '/api/objects/files';
    expectError(await sendRequest(server.url, { path, credentials: null }), 401);
    expectError(
      await sendRequest(server.url, { path, headers: { origin: 'https://evil.example' } }),
      403,
      /origin/i,
    );
    for (const method of ['PUT', 'POST', 'DELETE']) {
      const answer = await sendRequest(server.url, { method, path });
      expectError(answer, 405);
      expect(answer.headers.get('allow')).toBe('HEAD, GET');
    }
    expectError(await sendRequest(server.url, { path: `${path}/a` }), 404);
    expectError(await sendRequest(server.url, { path: '/api/objects/' }), 404);
  });
});

describe('over Socket.IO', () => {
  it('is the same', async () => {
    const client = await connect(server.url);
    try {
      const auth = { username: 'admin', password: server.password };
      const url = '/api/objects/files?prefix=b/&delimiter=/&limit=1';
      const answer = await ask(client, { auth, method: 'GET', url });
      expect([answer.status, answer.data]).toEqual([
        200,
        {
          objects: [expect.objectContaining({ key: 'b/1', size: 6 })],
          prefixes: [],
          next: 'b/1',
        },
      ]);
      expect(answer.headers?.link).toBe(
        '</api/objects/files?prefix=b%2F&delimiter=%2F&limit=1&after=b%2F1>; rel="next"',
      );
      const member = { username: 'stefan', password: 'stefan-password' };
      expect((await ask(client, { auth: member, method: 'GET', url })).status).toBe(403);
      const absent = await ask(client, { auth, method: 'GET', url: '/api/objects/absent' });
      expect(absent.status).toBe(404);
      // Objects themselves are for HTTP.
      expect((await ask(client, { auth, method: 'GET', url: '/files/a' })).status).toBe(404);
      expect((await ask(client, { auth, method: 'DELETE', url: '/files/a' })).status).toBe(404);
      expect((await server.read('files', 'a')).text).toBe('of a');
    } finally {
      client.close();
    }
  });
});
