import { createHash } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { blobFiles } from '../support/blob-files.ts';
import type { TestServer } from '../support/server.ts';
import { BUCKET, startS3Server } from './s3-server.ts';
import { codeOf, createSdkClient, readText } from './sdk-client.ts';

/** Conditional writes with the AWS SDK: locks and counters that people build on objects. */

let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startS3Server();
  s3 = createSdkClient(server.url);
});

afterAll(async () => {
  s3.destroy();
  await server.stop();
});

function put(
  Key: string,
  Body: string | Buffer,
  condition: { IfMatch?: string; IfNoneMatch?: string },
) {
  return s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...condition }));
}

function etagOf(body: string): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

/** How many succeeded; all others were told that the condition did not hold. */
async function winners(sent: readonly Promise<unknown>[]): Promise<number[]> {
  const results = await Promise.allSettled(sent);
  const won = results.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []));
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason.name).toBe('PreconditionFailed');
  }
  return won;
}

it('If-None-Match: * creates, and never replaces', async () => {
  await put('created', 'first', { IfNoneMatch: '*' });
  expect(await codeOf(put('created', 'second', { IfNoneMatch: '*' }))).toEqual([
    'PreconditionFailed',
    412,
  ]);
  expect(await readText(s3, 'created')).toBe('first');
  const other = put('created', 'second', { IfNoneMatch: etagOf('other') });
  expect(await codeOf(other)).toEqual(['NotImplemented', 501]);
  expect(await readText(s3, 'created')).toBe('first');
});

it('If-Match replaces what it names, and creates nothing', async () => {
  expect(await codeOf(put('matched', 'x', { IfMatch: etagOf('x') }))).toEqual(['NoSuchKey', 404]);
  await put('matched', 'first', {});
  const other = put('matched', 'second', { IfMatch: etagOf('other') });
  expect(await codeOf(other)).toEqual(['PreconditionFailed', 412]);
  expect(await readText(s3, 'matched')).toBe('first');
  await put('matched', 'second', { IfMatch: etagOf('first') });
  expect(await readText(s3, 'matched')).toBe('second');
});

it.each([
  ['small', 100],
  ['large', 70_000],
])('of 20 that create at once, one does: %s', async (Key, size) => {
  const before = await blobFiles(server.dataDir);
  const bodies = Array.from({ length: 20 }, (_, n) => Buffer.alloc(size, `body ${n} `).toString());
  const won = await winners(bodies.map((body) => put(Key, body, { IfNoneMatch: '*' })));
  expect(won).toHaveLength(1);
  expect(await readText(s3, Key)).toBe(bodies[won[0] ?? -1]);
  // What the others sent is gone.
  const left = (await blobFiles(server.dataDir)).filter((name) => !before.includes(name));
  expect(left).toHaveLength(size > 65_536 ? 1 : 0);
});

it('of 20 that replace the same at once, one does', async () => {
  await put('raced', 'start', {});
  const sent = Array.from({ length: 20 }, (_, n) =>
    put('raced', `by ${n}`, { IfMatch: etagOf('start') }),
  );
  const won = await winners(sent);
  expect(won).toHaveLength(1);
  expect(await readText(s3, 'raced')).toBe(`by ${won[0]}`);
});
