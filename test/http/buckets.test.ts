import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { sendS3 } from '../support/s3-client.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';

/** `/api/buckets`: buckets for those without an access key at hand. */

const BUCKETS = '/api/buckets';

let server: S3Server;
let admin: Rest;

beforeAll(async () => {
  server = await startS3Server();
  ({ admin } = server);
});

afterAll(() => server.stop());

async function names(rest: Rest): Promise<string[]> {
  const { status, json } = await rest('GET', BUCKETS);
  expect(status).toBe(200);
  return (json as { name: string }[]).map(({ name }) => name);
}

async function member(name: string, ...prefixes: string[]): Promise<Rest> {
  const grants = prefixes.map((prefix) => ({ prefix, access: 'write' }));
  await admin('PUT', `/api/users/${name}`, { password: 'p', role: 'member', grants });
  return createRest(server.url, name, 'p');
}

describe('PUT', () => {
  it('makes a bucket, and changes it', async () => {
    const made = await admin('PUT', `${BUCKETS}/made`, {});
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      name: 'made',
      acl: 'private',
      createdAt: expect.stringMatching(/Z$/),
    });
    const changed = await admin('PUT', `${BUCKETS}/made`, { acl: 'public-read' });
    expect(changed.status).toBe(200);
    expect(changed.json).toEqual({ ...(made.json as object), acl: 'public-read' });
    expect((await sendS3(server.url, { method: 'HEAD', path: '/made' })).status).toBe(200);
    const same = await admin('PUT', `${BUCKETS}/made`, {});
    expect(same.json).toEqual(changed.json);
    await admin('PUT', `${BUCKETS}/made`, { acl: 'private' });
    expect((await sendS3(server.url, { method: 'HEAD', path: '/made' })).status).toBe(403);
  });

  it('keeps the objects of a bucket that it changes', async () => {
    await admin('PUT', `${BUCKETS}/kept`, {});
    await server.uploadSigned({ bucket: 'kept', fields: { key: 'k' } }, { file: 'x' });
    await admin('PUT', `${BUCKETS}/kept`, { acl: 'public-read-write' });
    expect((await server.read('kept', 'k')).text).toBe('x');
    expectError(await admin('DELETE', `${BUCKETS}/kept`), 409);
  });

  it.each([
    'data',
    'api',
    'submit-files',
    'console',
    'socket.io',
    'favicon.ico',
    'robots.txt',
    'metrics',
  ])('refuses the reserved name %s', async (name) => {
    expectError(await admin('PUT', `${BUCKETS}/${name}`, {}), 400);
    expect(await names(admin)).not.toContain(name);
  });

  it.each([
    '',
    'ab',
    'Capital',
    'under_score',
    'b'.repeat(64),
    '-ab',
    'ab-',
    '.ab',
    'a..b',
    '192.168.0.1',
    'xn--ab',
    'ab-s3alias',
    'ab--ol-s3',
    'a%2Fb',
    'a%20b',
    '%C3%BCber',
    '%00',
    '%zz',
  ])('refuses the name %j', async (name) => {
    const answer = await sendRequest(server.url, {
      method: 'PUT',
      path: `${BUCKETS}/${name}`,
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect([400, 404]).toContain(answer.status);
    expectError(answer, answer.status);
  });

  it.each(['abc', 'b'.repeat(63), 'a.b-c.d', '0ab', 'ctr-jwvj-live'])(
    'takes the name %s',
    async (name) => {
      expect((await admin('PUT', `${BUCKETS}/${name}`, {})).status).toBe(201);
      expect((await admin('DELETE', `${BUCKETS}/${name}`)).status).toBe(204);
    },
  );

  it.each<[string, unknown]>([
    ['an unknown ACL', { acl: 'all' }],
    ['null', { acl: null }],
    ['another member', { colour: 'red' }],
    ['a list', []],
    ['no JSON', '{'],
  ])('refuses %s', async (_name, body) => {
    expectError(await admin('PUT', `${BUCKETS}/refused`, body), 400);
    expect(await names(admin)).not.toContain('refused');
  });

  it('many at once make one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => admin('PUT', `${BUCKETS}/at-once`, { acl: 'private' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(7).fill(200), 201]);
  });
});

describe('DELETE', () => {
  it('removes an empty bucket', async () => {
    await admin('PUT', `${BUCKETS}/removed`, {});
    expect((await admin('DELETE', `${BUCKETS}/removed`)).status).toBe(204);
    expectError(await admin('DELETE', `${BUCKETS}/removed`), 404);
    expect(await names(admin)).not.toContain('removed');
  });

  it('is 409 for one with objects, until they are deleted', async () => {
    await admin('PUT', `${BUCKETS}/filled`, {});
    for (const key of ['a', 'b']) {
      await server.uploadSigned({ bucket: 'filled', fields: { key } }, { file: 'x' });
    }
    for (const key of ['a', 'b']) {
      expectError(await admin('DELETE', `${BUCKETS}/filled`), 409);
      await admin('DELETE', `/filled/${key}`);
    }
    expect((await admin('DELETE', `${BUCKETS}/filled`)).status).toBe(204);
  });

  it('is not fooled by buckets whose names begin alike', async () => {
    for (const name of ['alike', 'alike-more', 'alike.more'])
      await admin('PUT', `${BUCKETS}/${name}`, {});
    for (const bucket of ['alike-more', 'alike.more']) {
      await server.uploadSigned({ bucket, fields: { key: 'k' } }, { file: 'x' });
    }
    expect((await admin('DELETE', `${BUCKETS}/alike`)).status).toBe(204);
    expect((await server.read('alike-more', 'k')).text).toBe('x');
  });
});

describe('members', () => {
  it('see the buckets that their grants cover something of', async () => {
    for (const name of ['one', 'one-more', 'two']) await admin('PUT', `${BUCKETS}/${name}`, {});
    expect(await names(await member('m1', 'one/'))).toEqual(['one']);
    expect(await names(await member('m2', 'one/a/b', 'two/x'))).toEqual(['one', 'two']);
    expect(await names(await member('m3', 'one'))).toEqual(['one', 'one-more']);
    expect(await names(await member('m4', 'data/', 'uploads/'))).toEqual(['uploads']);
    expect(await names(await member('m5'))).toEqual([]);
    const all = await names(await member('m6', ''));
    expect(all).toEqual(expect.arrayContaining(['one', 'one-more', 'two', 'uploads']));
    expect(all).toEqual(all.toSorted());
  });

  it('change none', async () => {
    const rest = await member('m7', '', 'one/');
    expectError(await rest('PUT', `${BUCKETS}/mine`, {}), 403);
    expectError(await rest('PUT', `${BUCKETS}/one`, { acl: 'public-read-write' }), 403);
    expectError(await rest('DELETE', `${BUCKETS}/one`), 403);
    expectError(await rest('DELETE', `${BUCKETS}/absent`), 403);
    expect(await names(admin)).toContain('one');
  });
});

describe('the routes', () => {
  it('need credentials, and are nobody’s from foreign pages', async () => {
    for (const [method, path] of [
      ['GET', BUCKETS],
      ['PUT', `${BUCKETS}/evil`],
      ['DELETE', `${BUCKETS}/one`],
    ] as const) {
      const body = method === 'PUT' ? { body: '{}' } : {};
      expectError(await sendRequest(server.url, { method, path, credentials: null, ...body }), 401);
      const headers = { origin: 'https://evil.example', 'content-type': 'application/json' };
      expectError(await sendRequest(server.url, { method, path, headers, ...body }), 403);
    }
    expect(await names(admin)).not.toContain('evil');
    expect(await names(admin)).toContain('one');
  });
});
