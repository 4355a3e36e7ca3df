import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { sendS3 } from '../support/s3-client.ts';
import { AS_ADMIN, md5Hex } from '../support/s3-server.ts';
import {
  contentOf,
  keyOf,
  LARGE,
  PREFIX,
  type SaveServer,
  SLOT,
  startSaveServer,
} from './save-server.ts';

/** The versions of a slot: their list, and their bytes. */

const BUCKET = 'saves';
const BASE = `/api/saves/${BUCKET}/${SLOT}`;
const NOW = Date.UTC(2026, 5, 1, 12, 0, 0, 500);
const large = Buffer.from(Array.from({ length: 3 * LARGE }, (_, at) => (at * 31) % 251));

let server: SaveServer;

beforeAll(async () => {
  server = await startSaveServer({}, { now: () => NOW });
  await server.makeSaves(BUCKET);
  await server.saveAll(BUCKET, 8, 9);
  const form = { bucket: BUCKET, fields: { key: keyOf(10), 'Content-Type': 'text/html' } };
  expect((await server.uploadSigned(form, { file: large })).status).toBe(204);
  await server.saveAll(BUCKET, 11, 12);
  await server.admin('DELETE', `/${BUCKET}/${keyOf(9)}`);
});

afterAll(() => server.stop());

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  sendS3(server.url, { method, path: `${BASE}${path}`, headers: { ...AS_ADMIN, ...headers } });

it('lists those that are kept, the oldest first', async () => {
  const { json } = await server.admin('GET', BASE);
  const entry = (version: number, bytes: string | Buffer) => ({
    version,
    key: keyOf(version),
    size: Buffer.byteLength(bytes),
    etag: `"${md5Hex(bytes)}"`,
    time: new Date(NOW).toISOString(),
  });
  expect(json).toEqual([
    entry(8, contentOf(8)),
    entry(10, large),
    entry(11, contentOf(11)),
    entry(12, contentOf(12)),
  ]);
});

it('takes its number padded or not, and the prefix and n of another place', async () => {
  await server.save(BUCKET, keyOf(3, { slot: '42', n: 7, prefix: 'q&a/ü' }), 'there');
  const query = '?n=7&prefix=q%26a/%C3%BC';
  for (const slot of ['42', '042', '00000000042']) {
    expect(await server.versions(BUCKET, slot, query)).toEqual([3]);
    const found = await server.admin('GET', `/api/saves/${BUCKET}/${slot}/latest${query}`);
    expect(found.text).toBe('there');
  }
  expectError(await server.admin('GET', `/api/saves/${BUCKET}/42`), 404, /00000000042/);
  expectError(await server.admin('GET', `/api/saves/${BUCKET}/42/latest`), 404, /00000000042/);
  const named = await server.admin('GET', `${BASE}?prefix=${PREFIX}&n=1`);
  expect(named.json).toHaveLength(4);
});

describe('the bytes', () => {
  it.each([
    ['/latest', contentOf(12)],
    ['/12', contentOf(12)],
    ['/00012', contentOf(12)],
    ['/8', contentOf(8)],
    ['/10', large],
  ])('of %s', async (path, bytes) => {
    const found = await get(path);
    expect(found.status).toBe(200);
    expect(found.bytes.equals(Buffer.from(bytes))).toBe(true);
    expect(Object.fromEntries(found.headers)).toMatchObject({
      etag: `"${md5Hex(bytes)}"`,
      'content-length': String(Buffer.byteLength(bytes)),
      'last-modified': new Date(NOW).toUTCString(),
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    });
    const head = await get(path, {}, 'HEAD');
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
    for (const name of ['etag', 'content-length', 'content-type', 'last-modified']) {
      expect(head.headers.get(name)).toBe(found.headers.get(name));
    }
  });

  it('have the type that they were saved with', async () => {
    expect((await get('/10')).headers.get('content-type')).toBe('text/html');
    expect((await get('/latest')).headers.get('content-type')).toBe('binary/octet-stream');
  });

  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=65530-65545', 65_530, 65_545],
    ['bytes=196000-', 196_000, large.length - 1],
    ['bytes=-7', large.length - 7, large.length - 1],
  ])('in the range %s', async (range, start, end) => {
    const part = await get('/10', { range });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes ${start}-${end}/${large.length}`);
    expect(part.bytes.equals(large.subarray(start, end + 1))).toBe(true);
  });

  it('outside of which there is nothing', async () => {
    const answer = await server.admin('GET', `${BASE}/latest`, undefined, { range: 'bytes=99-' });
    expectError(answer, 416);
  });

  it('are not sent to who has them', async () => {
    const etag = (await get('/latest')).headers.get('etag') ?? '';
    const same = await get('/latest', { 'if-none-match': etag });
    expect([same.status, same.bytes.length]).toEqual([304, 0]);
    expect((await get('/8', { 'if-none-match': etag })).status).toBe(200);
    const failed = await server.admin('GET', `${BASE}/8`, undefined, { 'if-match': etag });
    expectError(failed, 412);
  });

  it.each(['/7', '/9', '/13', '/0', '/99999'])('are not there of %s', async (path) => {
    expectError(await server.admin('GET', BASE + path), 404, /version \d+\.$/);
  });
});
