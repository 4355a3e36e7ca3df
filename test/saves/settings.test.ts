import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';

/** `saves`, `savePrefix` and `keepVersions` of `PUT /api/buckets/:bucket`. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => server.stop());

const put = (name: string, body: unknown) => server.admin('PUT', `/api/buckets/${name}`, body);

it('are those of a new bucket, and stay until they are changed', async () => {
  const made = await put('made', { saves: true, savePrefix: 'p', keepVersions: 3 });
  expect(made.status).toBe(201);
  expect(made.json).toEqual({
    name: 'made',
    acl: 'private',
    createdAt: expect.stringMatching(/Z$/),
    saves: true,
    savePrefix: 'p',
    keepVersions: 3,
  });
  for (const body of [{}, { acl: 'private' }, { saves: true }]) {
    const same = await put('made', body);
    expect([same.status, same.json]).toEqual([200, made.json]);
  }
  const listed = (await server.admin('GET', '/api/buckets')).json;
  expect(listed).toContainEqual(made.json);

  const changed = await put('made', { savePrefix: 'q/ü', keepVersions: 99_999 });
  expect(changed.json).toMatchObject({ saves: true, savePrefix: 'q/ü', keepVersions: 99_999 });
  const back = await put('made', { saves: false, savePrefix: null, keepVersions: null });
  expect(Object.keys(back.json as object)).toEqual(['name', 'acl', 'createdAt']);
});

it('are not those of other buckets', async () => {
  expect(Object.keys((await put('plain', {})).json as object)).toEqual([
    'name',
    'acl',
    'createdAt',
  ]);
});

describe('are refused', () => {
  it.each([
    [{ saves: 'yes' }],
    [{ saves: 1 }],
    [{ saves: null }],
    [{ savePrefix: '' }],
    [{ savePrefix: 7 }],
    [{ savePrefix: 'a\0b' }],
    [{ savePrefix: 'p'.repeat(513) }],
    ['{"savePrefix": "\\ud800"}'],
    [{ keepVersions: 0 }],
    [{ keepVersions: -1 }],
    [{ keepVersions: 1.5 }],
    [{ keepVersions: '3' }],
    [{ keepVersions: 100_000 }],
    [{ keep: 3 }],
  ])('as %j', async (body) => {
    expectError(await put('refused', body), 400);
    expect((await server.admin('DELETE', '/api/buckets/refused')).status).toBe(404);
  });
});
