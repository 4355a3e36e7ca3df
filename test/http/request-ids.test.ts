import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { blobFiles } from '../faults/blob-files.ts';
import { createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What goes wrong after a request has its answer is logged under the request's id. */

const LARGE = 100_000;
const WARNING = "bytes that are nobody's were not removed";

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

/** The bytes that were stored last cannot be removed any more: a folder has their name. */
async function spoilBlob(work: () => Promise<RestAnswer>): Promise<RestAnswer> {
  const before = new Set(blobFiles(server.dataDir));
  const answer = await work();
  const [added = ''] = blobFiles(server.dataDir).filter((file) => !before.has(file));
  const path = join(server.dataDir, 'blobs', added);
  await rm(path);
  await mkdir(path);
  return answer;
}

async function expectWarned(answer: RestAnswer): Promise<void> {
  const id = answer.headers.get('x-request-id');
  expect(id).not.toBeNull();
  const warnings = (): unknown[] =>
    server
      .log()
      .split('\n')
      .filter((line) => line.includes(WARNING))
      .map((line) => JSON.parse(line))
      .filter((line) => line.id === id);
  await expect.poll(warnings).toHaveLength(1);
}

it('of an object that is deleted, or replaced', async () => {
  await spoilBlob(() => rest('PUT', '/uploads/a', randomBytes(LARGE)));
  const replaced = await spoilBlob(() => rest('PUT', '/uploads/a', randomBytes(LARGE)));
  expect(replaced.status).toBe(200);
  await expectWarned(replaced);
  const deleted = await rest('DELETE', '/uploads/a');
  expect(deleted.status).toBe(204);
  await expectWarned(deleted);
});

it('of a part that is replaced', async () => {
  const { text } = await rest('POST', '/uploads/parts?uploads');
  const id = /<UploadId>(.+)<\/UploadId>/.exec(text)?.[1];
  const path = `/uploads/parts?partNumber=1&uploadId=${id}`;
  await spoilBlob(() => rest('PUT', path, randomBytes(LARGE)));
  const replaced = await rest('PUT', path, 'other');
  expect(replaced.status).toBe(200);
  await expectWarned(replaced);
});

it('of an old version that is pruned', async () => {
  await rest('PUT', '/api/buckets/pruned', { saves: true, savePrefix: 'p', keepVersions: 1 });
  const key = (version: number): string => `/pruned/p/ds/1/data/00000000001-0000${version}`;
  const first = await spoilBlob(() => rest('PUT', key(1), randomBytes(LARGE)));
  expect(first.status).toBe(200);
  const second = await rest('PUT', key(2), 'bytes');
  expect(second.status).toBe(200);
  await expectWarned(second);
});
