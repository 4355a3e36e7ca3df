import { randomBytes } from 'node:crypto';
import { rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { blobFiles } from './blob-files.ts';
import { createUploadClient, type UploadClient } from './upload-client.ts';
import { ACCESS_KEY } from './upload-form.ts';

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
  expect(performance.now() - begin).toBeLessThan(5_000);
  expect(await client.remove('damaged')).toMatchObject({ status: 204 });
});

it('answers 500 where the file is gone', async () => {
  rmSync(await storeOne());
  expect(await client.read('damaged')).toMatchObject({ status: 500 });
  expect(await client.remove('damaged')).toMatchObject({ status: 204 });
});
