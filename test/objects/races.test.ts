import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendS3 } from '../support/s3-client.ts';
import {
  ADMIN_KEY,
  AS_ADMIN,
  FORM_TYPE,
  formBody,
  md5Hex,
  pathOf,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import { signForm } from '../support/sign-form.ts';

/** What happens to one object, or one bucket, at the same time. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => server.stop());

function upload(bucket: string, key: string, file: Buffer | string) {
  return server.uploadSigned({ bucket, fields: { key } }, { file });
}

it('a bucket is never removed with an object in it that was acknowledged', async () => {
  const seen = new Set<string>();
  for (let round = 0; round < 25; round += 1) {
    const bucket = `racing-${round % 4}`;
    await server.makeBucket(bucket);
    const uploads = [0, 1, 2].map((n) =>
      upload(bucket, `k${n}`, round % 5 === 0 ? Buffer.alloc(70_000) : 'x'),
    );
    const removals = [0, 1].map(() => server.admin('DELETE', `/api/buckets/${bucket}`));
    const stored = (await Promise.all(uploads)).map(({ status }) => status);
    const removed = (await Promise.all(removals)).map(({ status }) => status);
    for (const status of stored) expect([204, 404]).toContain(status);
    for (const status of removed) expect([204, 404, 409]).toContain(status);
    seen.add(`${stored.includes(204)} ${removed.includes(204)}`);
    if (stored.includes(204)) expect([round, removed.includes(204)]).toEqual([round, false]);
    for (const [n, status] of stored.entries()) {
      const { status: found } = await server.read(bucket, `k${n}`);
      expect([round, n, found]).toEqual([round, n, status === 204 ? 200 : 404]);
      if (status === 204) await server.admin('DELETE', `/${bucket}/k${n}`);
    }
    if (!removed.includes(204))
      expect((await server.admin('DELETE', `/api/buckets/${bucket}`)).status).toBe(204);
  }
  expect(seen.size).toBeGreaterThan(0);
  await expect.poll(() => server.blobs()).toEqual([]);
});

it('uploads that come while buckets are removed and made again go into one that is there', async () => {
  const stop = { now: false };
  const shuffle = async (): Promise<void> => {
    while (!stop.now) {
      const { status } = await server.admin('DELETE', '/api/buckets/shuffled');
      expect([204, 404, 409]).toContain(status);
      const made = await server.admin('PUT', '/api/buckets/shuffled', { acl: 'private' });
      expect([200, 201]).toContain(made.status);
    }
  };
  const use = async (worker: number): Promise<void> => {
    for (let round = 0; round < 8; round += 1) {
      const key = `${worker}-${round}`;
      const { status } = await upload('shuffled', key, key);
      expect([204, 404]).toContain(status);
      if (status !== 204) continue;
      expect((await server.read('shuffled', key)).text).toBe(key);
      const path = pathOf('shuffled', key);
      expect((await sendS3(server.url, { method: 'DELETE', path, headers: AS_ADMIN })).status).toBe(
        204,
      );
    }
  };
  const shuffling = shuffle();
  await Promise.all([use(1), use(2), use(3)]).finally(() => {
    stop.now = true;
  });
  await shuffling;
});

it.each([
  ['small', [10, 65_536]],
  ['large', [65_537, 300_000]],
  ['small and large', [10, 200_000]],
])('readers see whole objects while they are overwritten and deleted: %s', async (name, sizes) => {
  const key = `whole ${name}`;
  const path = pathOf('uploads', key);
  const files = sizes.flatMap((size) => ['a', 'b'].map((fill) => Buffer.alloc(size, fill)));
  const stop = { now: false };
  const reads = { whole: 0, absent: 0 };
  const read = async (): Promise<void> => {
    while (!stop.now) {
      const answer = await sendS3(server.url, { path, headers: AS_ADMIN });
      expect([200, 404], answer.text.slice(0, 300)).toContain(answer.status);
      if (answer.status === 404) reads.absent += 1;
      else {
        expect(answer.headers.get('etag')).toBe(`"${md5Hex(answer.bytes)}"`);
        reads.whole += 1;
      }
    }
  };
  const write = async (): Promise<void> => {
    // Until there was enough to read: how often they come is the machine's affair.
    for (let round = 0; round < 4 || reads.whole < 6; round += 1) {
      for (const file of files.slice(round % 2)) {
        const pairs = signForm({ pair: ADMIN_KEY, bucket: 'uploads', fields: { key } });
        const answer = await sendS3(server.url, {
          method: 'POST',
          path: '/uploads',
          headers: { 'content-type': FORM_TYPE },
          body: formBody(pairs, file),
        });
        expect(answer.status, answer.text).toBe(204);
      }
      const removed = await sendS3(server.url, { method: 'DELETE', path, headers: AS_ADMIN });
      expect(removed.status).toBe(204);
    }
  };
  const reading = Promise.all([read(), read()]);
  await Promise.all([write(), write()]).finally(() => {
    stop.now = true;
  });
  await reading;
  await sendS3(server.url, { method: 'DELETE', path, headers: AS_ADMIN });
  await expect.poll(() => server.blobs()).toEqual([]);
});

it('the last write wins: what was acknowledged last, alone, is there', async () => {
  const all = Array.from({ length: 12 }, (_, at) =>
    upload('uploads', 'last', Buffer.alloc(at % 2 ? 10 : 70_000, `${at}`)),
  );
  for (const { status } of await Promise.all(all)) expect(status).toBe(204);
  const found = await server.read('uploads', 'last');
  expect(found.headers.get('etag')).toBe(`"${md5Hex(found.bytes)}"`);
  expect((await upload('uploads', 'last', 'the last')).status).toBe(204);
  expect((await server.read('uploads', 'last')).text).toBe('the last');
  await expect.poll(() => server.blobs()).toEqual([]);
});
