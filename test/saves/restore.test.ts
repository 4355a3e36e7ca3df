import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { createRest } from '../support/rest.ts';
import { md5Hex } from '../support/s3-server.ts';
import { contentOf, keyOf, LARGE, type SaveServer, SLOT, startSaveServer } from './save-server.ts';

/** `POST …/restore`: an old version becomes the newest one under a new number. */

let server: SaveServer;
let bucket = '';
let made = 0;

beforeAll(async () => {
  server = await startSaveServer();
});

beforeEach(async () => {
  made += 1;
  bucket = `saves-${made}`;
  await server.makeSaves(bucket);
});

afterAll(() => server.stop());

const restore = (body: unknown, rest = server.admin) =>
  rest('POST', `/api/saves/${bucket}/${SLOT}/restore`, body);

const read = async (version: number): Promise<Buffer> =>
  (await server.read(bucket, keyOf(version))).bytes;

it.each([
  ['small', 'the old one'],
  ['empty', ''],
  ['large', Buffer.from(Array.from({ length: 5 * LARGE }, (_, at) => (at * 31) % 251))],
])('makes an old version the newest: %s', async (_name, file) => {
  await server.save(bucket, keyOf(3), file);
  await server.saveAll(bucket, 4, 5);
  const answer = await restore({ version: 3 });
  expect(answer.status, answer.text).toBe(201);
  expect(answer.json).toEqual({
    version: 6,
    key: keyOf(6),
    size: Buffer.byteLength(file),
    etag: `"${md5Hex(file)}"`,
    time: expect.stringMatching(/Z$/),
  });
  expect(await server.versions(bucket)).toEqual([3, 4, 5, 6]);
  expect((await read(6)).equals(Buffer.from(file))).toBe(true);
  // Each has bytes of its own.
  await server.admin('DELETE', `/${bucket}/${keyOf(3)}`);
  expect((await read(6)).equals(Buffer.from(file))).toBe(true);
  await server.saveAll(bucket, 7, 7);
});

it('keeps what was said of the old one', async () => {
  const headers = {
    'Content-Type': 'application/x-save',
    'Cache-Control': 'max-age=5',
    'x-amz-meta-level': '9',
    acl: 'public-read',
  };
  const form = { bucket, fields: { key: keyOf(1), ...headers } };
  expect((await server.uploadSigned(form, { file: 'x' })).status).toBe(204);
  expect((await restore({ version: 1 })).status).toBe(201);
  const found = await server.read(bucket, keyOf(2));
  expect(Object.fromEntries(found.headers)).toMatchObject({
    'content-type': 'application/x-save',
    'cache-control': 'max-age=5',
    'x-amz-meta-level': '9',
  });
});

it('takes the newest, and one that was restored', async () => {
  await server.saveAll(bucket, 1, 2);
  expect((await restore({ version: 2 })).json).toMatchObject({ version: 3 });
  expect((await restore({ version: 3 })).json).toMatchObject({ version: 4 });
  expect((await read(4)).toString()).toBe(contentOf(2));
});

it('does not find a version that was never there, was deleted or pruned', async () => {
  expectError(await restore({ version: 1 }), 404);
  await server.saveAll(bucket, 1, 4);
  await server.admin('DELETE', `/${bucket}/${keyOf(4)}`);
  await server.makeSaves(bucket, { keepVersions: 2 });
  await server.saveAll(bucket, 5, 5);
  for (const version of [1, 2, 4, 6]) {
    expectError(await restore({ version }), 404, `The slot ${SLOT} has no version ${version}.`);
  }
  expect(await server.versions(bucket)).toEqual([3, 5]);
});

it('has no number after the last', async () => {
  await server.saveAll(bucket, 99_999, 99_999);
  expectError(await restore({ version: 99_999 }), 409);
});

it.each([
  [{}],
  [{ version: '1' }],
  [{ version: -1 }],
  [{ version: 1.5 }],
  [{ version: 100_000 }],
  [{ version: 1, to: 2 }],
  [[]],
  ['{'],
  [''],
])('is refused with 400 for %j', async (body) => {
  await server.saveAll(bucket, 1, 1);
  expectError(await restore(body), 400);
  expect(await server.versions(bucket)).toEqual([1]);
});

it('is for who may write the slot', async () => {
  await server.saveAll(bucket, 1, 1);
  const prefix = `${bucket}/${keyOf(1).slice(0, -5)}`;
  for (const [name, access, status] of [
    ['reader', 'read', 403],
    ['writer', 'write', 201],
  ] as const) {
    await server.makeMember(name, [{ prefix, access }]);
    const rest = createRest(server.url, name, `${name}-password`);
    expect((await restore({ version: 1 }, rest)).status).toBe(status);
  }
});

it('at once with others, and with uploads: every number is given once', async () => {
  await server.save(bucket, keyOf(1), Buffer.alloc(LARGE, 'a'));
  await server.saveAll(bucket, 2, 3);
  let saved = 0;
  const upload = async (worker: number): Promise<void> => {
    for (let left = 8; left > 0; ) {
      const { json } = await server.admin('POST', `/api/saves/${bucket}/${SLOT}`, {});
      const { key } = json as { key: string };
      const { status, text } = await server.save(bucket, key, `${worker}-${left}`);
      expect([204, 403], text).toContain(status);
      if (status !== 204) continue;
      left -= 1;
      saved += 1;
    }
  };
  const restored: { version: number; etag: string }[] = [];
  const restoreAll = async (version: number): Promise<void> => {
    for (let left = 8; left > 0; left -= 1) {
      const answer = await restore({ version });
      expect(answer.status, answer.text).toBe(201);
      restored.push(answer.json as { version: number; etag: string });
    }
  };
  await Promise.all([
    upload(1),
    upload(2),
    restoreAll(1),
    restoreAll(1),
    restoreAll(2),
    restoreAll(3),
  ]);
  const versions = await server.versions(bucket);
  expect(versions).toEqual(versions.map((_, at) => at + 1));
  expect(new Set(restored.map(({ version }) => version)).size).toBe(restored.length);
  expect(versions).toHaveLength(3 + saved + restored.length);
  for (const { version, etag } of restored) expect(etag).toBe(`"${md5Hex(await read(version))}"`);
});
