import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import type { RestAnswer } from '../support/rest.ts';
import { createRest } from '../support/rest.ts';
import { expectS3Error } from '../support/s3-client.ts';
import { ADMIN_KEY } from '../support/s3-server.ts';
import { keyOf, type SaveServer, SLOT, startSaveServer } from './save-server.ts';

/** `POST /api/saves/:bucket/:slot`: the signed form for the next version. */

let server: SaveServer;
let now = Date.UTC(2026, 0, 31, 23, 59, 30);
let bucket = '';
let made = 0;

beforeAll(async () => {
  server = await startSaveServer({}, { now: () => now });
});

beforeEach(async () => {
  made += 1;
  bucket = `saves-${made}`;
  await server.makeSaves(bucket);
});

afterAll(() => server.stop());

interface Handed {
  readonly slot: string;
  readonly version: number;
  readonly key: string;
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

const ask = (body?: unknown, slot = SLOT, query = ''): Promise<RestAnswer> =>
  server.admin('POST', `/api/saves/${bucket}/${slot}${query}`, body);

async function handOut(body?: unknown, slot?: string, query?: string): Promise<Handed> {
  const { status, text, json } = await ask(body, slot, query);
  expect(status, text).toBe(200);
  return json as Handed;
}

function submit({ url, fields }: Handed, file: string | Buffer) {
  return server.upload({ path: new URL(url).pathname, pairs: Object.entries(fields), file });
}

function policyOf({ fields }: Handed): { expiration: string; conditions: unknown[] } {
  return JSON.parse(Buffer.from(fields['policy'] ?? '', 'base64').toString());
}

it('is of version 2, private, for exactly the key of the first version', async () => {
  const form = await handOut();
  expect(form).toEqual({
    slot: SLOT,
    version: 1,
    key: keyOf(1),
    url: `${server.url}/${bucket}`,
    fields: {
      key: keyOf(1),
      acl: 'private',
      AWSAccessKeyId: ADMIN_KEY.accessKeyId,
      policy: expect.any(String),
      signature: expect.any(String),
    },
  });
  expect(policyOf(form).conditions).toEqual([
    { bucket },
    { acl: 'private' },
    ['eq', '$key', keyOf(1)],
  ]);
  const stored = await submit(form, 'bytes');
  expect([stored.status, stored.text]).toEqual([204, '']);
  expect((await server.read(bucket, keyOf(1))).text).toBe('bytes');
});

it('is for the next version, again and again, until that is stored', async () => {
  await server.saveAll(bucket, 41, 41);
  const first = await handOut({});
  const second = await handOut({});
  expect([first.version, second.version]).toEqual([42, 42]);
  expect((await submit(first, 'won')).status).toBe(204);
  expectS3Error(await submit(second, 'lost'), 403, 'AccessDenied');
  expect((await submit(second, 'won')).status).toBe(204);
  expect((await handOut()).version).toBe(43);
});

it.each([
  ['v2', ['AWSAccessKeyId', 'signature']],
  ['v4', ['x-amz-credential', 'x-amz-signature']],
])('of version %s pins the size', async (signatureVersion, names) => {
  const form = await handOut({ size: 5, signatureVersion });
  expect(Object.keys(form.fields)).toEqual(expect.arrayContaining(['key', 'acl', ...names]));
  expect(policyOf(form).conditions).toContainEqual(['content-length-range', 5, 5]);
  expectS3Error(await submit(form, 'four'), 403, 'EntityTooSmall');
  expectS3Error(await submit(form, 'sixsix'), 403, 'EntityTooLarge');
  expect((await submit(form, 'fives')).status).toBe(204);
});

it.each([0, 300_000])('takes a save of %i bytes, and no other', async (size) => {
  const form = await handOut({ size, signatureVersion: 'v4' });
  expectS3Error(await submit(form, Buffer.alloc(size + 1)), 403, 'EntityTooLarge');
  expect((await submit(form, Buffer.alloc(size))).status).toBe(204);
});

it.each(['v2', 'v4'])('of version %s lives 15 minutes', async (signatureVersion) => {
  const form = await handOut({ signatureVersion });
  expect(Date.parse(policyOf(form).expiration)).toBe(Math.floor(now / 1_000) * 1_000 + 900_000);
  now += 899_000;
  expect((await submit(form, 'in time')).status).toBe(204);
  now += 1_000;
  expectS3Error(await submit(form, 'in time'), 403, 'AccessDenied', {
    Message: 'Invalid according to Policy: Policy expired.',
  });
});

it('cannot be bent to another key or acl', async () => {
  const form = await handOut();
  for (const change of [{ key: keyOf(2) }, { acl: 'public-read' }, { 'x-amz-meta-a': 'b' }]) {
    const bent = { ...form, fields: { ...form.fields, ...change } };
    expectS3Error(await submit(bent, 'x'), 403, 'AccessDenied');
  }
  await server.expectEmptyBucket(bucket);
});

it('is of the prefix and the n that are asked for, its slot padded', async () => {
  const form = await handOut({}, '7', '?prefix=other%2Fgame&n=3');
  expect(form).toMatchObject({
    slot: '00000000007',
    key: keyOf(1, { prefix: 'other/game', n: 3, slot: '7' }),
  });
  expect((await submit(form, 'x')).status).toBe(204);
  expect(await server.versions(bucket, '7', '?prefix=other%2Fgame&n=3')).toEqual([1]);
  expect((await handOut({}, '00000000007')).version).toBe(1);
});

it('is none after the last version', async () => {
  await server.saveAll(bucket, 99_999, 99_999);
  expectError(await ask(), 409, /99999/);
});

describe('is refused', () => {
  it.each([
    [{ size: -1 }],
    [{ size: 1.5 }],
    [{ size: '5' }],
    [{ size: 2 ** 53 }],
    [{ signatureVersion: 'v3' }],
    [{ version: 7 }],
    [[]],
    ['[1]'],
    ['{'],
  ])('with 400 for %j', async (body) => {
    expectError(await ask(body), 400);
  });

  it('to those who may not write the slot', async () => {
    const prefix = `${bucket}/${keyOf(1).slice(0, -5)}`;
    await server.makeMember('reader', [{ prefix, access: 'read' }]);
    await server.makeMember('writer', [{ prefix, access: 'write' }]);
    const path = `/api/saves/${bucket}/${SLOT}`;
    const asReader = createRest(server.url, 'reader', 'reader-password');
    const asWriter = createRest(server.url, 'writer', 'writer-password');
    expectError(await asReader('POST', path, {}), 403);
    expectError(await asWriter('POST', `/api/saves/${bucket}/1`, {}), 403);
    expectError(await createRest(server.url, 'writer', 'no')('POST', path, {}), 401);
    const { status, json } = await asWriter('POST', path, {});
    expect(status).toBe(200);
    const form = json as Handed;
    expect(form.fields['AWSAccessKeyId']).not.toBe(ADMIN_KEY.accessKeyId);
    expect((await submit(form, 'x')).status).toBe(204);
  });
});
