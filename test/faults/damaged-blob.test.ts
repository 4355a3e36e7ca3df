import { randomBytes } from 'node:crypto';
import { rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MIN_PART_BYTES } from '../../shared/limits.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { blobDigests, blobFiles } from './blob-files.ts';
import { partState } from './multipart-ledger.ts';
import { completeXml } from './multipart-worker.ts';
import { untilServer } from './until.ts';
import { createUploadClient, GIVE_UP_MS, type UploadClient } from './upload-client.ts';
import { ACCESS_KEY, objectPath } from './upload-form.ts';

/** A file of an object is not what it was: its reader is told, and soon. */

const SIZE = 100_000;
let server: ServerProcess;
let client: UploadClient;
beforeAll(async () => {
  server = await startProcess({ env: ACCESS_KEY });
  client = createUploadClient(server.url, 1);
});
afterAll(async () => {
  client.close();
  await server.stop();
});

async function storeOne(): Promise<string> {
  const before = blobFiles(server.dataDir);
  expect(await client.upload('damaged', randomBytes(SIZE))).toMatchObject({ status: 201 });
  const [file = ''] = blobFiles(server.dataDir).filter((name) => !before.includes(name));
  return join(server.dataDir, 'blobs', file);
}

it.each([SIZE - 1, 1, 0])('breaks off an object of which %i bytes are left', async (left) => {
  truncateSync(await storeOne(), left);
  const begin = performance.now();
  const answer = await client.read('damaged');
  expect(answer?.status === 200 && answer.isWhole).toBe(false);
  // Not only when either side has waited long enough.
  expect(performance.now() - begin).toBeLessThan(GIVE_UP_MS);
  expect(await client.remove('damaged')).toMatchObject({ status: 204 });
});

it.each([SIZE - 1, 0])(
  'breaks off one in parts, of one of which %i bytes are left',
  async (left) => {
    const path = objectPath('damaged');
    const begun = await client.call('POST', `${path}?uploads`);
    const id = /<UploadId>(\w+)</.exec(begun?.text ?? '')?.[1];
    const parts = [randomBytes(MIN_PART_BYTES), randomBytes(SIZE)];
    for (const [at, bytes] of parts.entries()) {
      const sent = await client.call('PUT', `${path}?uploadId=${id}&partNumber=${at + 1}`, bytes);
      expect(sent?.status).toBe(200);
    }
    const states = parts.map((bytes, at) => [at + 1, partState(bytes)] as const);
    const done = await client.call(
      'POST',
      `${path}?uploadId=${id}`,
      Buffer.from(completeXml(states)),
    );
    expect(done?.status, done?.text).toBe(200);
    const last = [...blobDigests(server.dataDir)].find(([, md5]) => md5 === states[1]?.[1].md5);
    truncateSync(join(server.dataDir, 'blobs', last?.[0] ?? ''), left);
    const begin = performance.now();
    const answer = await client.read('damaged');
    expect([answer?.status, answer?.isWhole]).toEqual([200, false]);
    expect(performance.now() - begin).toBeLessThan(GIVE_UP_MS);
    expect(await client.remove('damaged')).toMatchObject({ status: 204 });
    await untilServer(
      server.url,
      () => blobFiles(server.dataDir),
      (files) => files.length === 0,
    );
  },
);

it('answers 500 where the file is gone', async () => {
  rmSync(await storeOne());
  expect(await client.read('damaged')).toMatchObject({ status: 500 });
  expect(await client.remove('damaged')).toMatchObject({ status: 204 });
});
