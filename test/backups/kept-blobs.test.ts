import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackup } from '../../server/backup/backup-folder.ts';
import { writeBackup } from '../../server/backup/backup-writer.ts';
import { unpackTar } from '../../server/backup/tar.ts';
import { blobFiles } from '../support/blob-files.ts';
import { makeFolder } from '../support/make-folder.ts';
import { basic, createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Objects that are deleted and replaced while a backup is read: it has the bytes of its moment. */

/** More than the buffers of two sockets hold. */
const OBJECTS = 24;
const SIZE = 1_000_000;

let server: TestServer;
let rest: Rest;
let folder: string;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
  folder = await makeFolder();
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

function begin(): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: basic('admin', server.password) };
    request(`${server.url}/api/backup`, { headers }, resolve).on('error', reject).end();
  });
}

async function putAll(): Promise<void> {
  for (let number = 0; number < OBJECTS; number += 1) {
    const { status } = await rest('PUT', `/uploads/o${number}`, randomBytes(SIZE));
    expect(status).toBe(200);
  }
}

describe('while a backup is read', () => {
  it('blobs stay that nothing refers to any more, and go after it', async () => {
    await putAll();
    const answer = await begin();
    expect(answer.statusCode).toBe(200);
    for (let number = 0; number < OBJECTS; number += 1) {
      const method = number % 2 ? 'DELETE' : 'PUT';
      await rest(method, `/uploads/o${number}`, number % 2 ? undefined : 'replaced');
    }
    expect(await blobFiles(server.dataDir)).toHaveLength(OBJECTS);
    const second = await rest('GET', '/api/backup');
    expect([second.status, second.json]).toEqual([
      409,
      { error: 'A backup is under way: try again when it is done.' },
    ]);
    const backup = await writeBackup(unpackTar(answer), join(folder, 'first'));
    expect(backup.manifest.blobs).toBe(OBJECTS);
    await expect.poll(() => blobFiles(server.dataDir)).toEqual([]);
  });

  it('a client that goes away leaves nothing behind, and the next backup may begin', async () => {
    await putAll();
    const answer = await begin();
    await rest('DELETE', '/uploads/o1');
    answer.destroy();
    await expect.poll(() => blobFiles(server.dataDir)).toHaveLength(OBJECTS - 1);
    const backup = await writeBackup(unpackTar(await begin()), join(folder, 'second'));
    expect(backup.manifest.blobs).toBe(OBJECTS - 1);
  });

  it('a blob that is gone is an error that names the object, never a hole', async () => {
    await rest('PUT', '/uploads/one-more', randomBytes(SIZE));
    const [id = ''] = await blobFiles(server.dataDir);
    await rm(join(server.dataDir, 'blobs', id.slice(0, 2), id));
    const target = join(folder, 'third');
    await expect(writeBackup(unpackTar(await begin()), target)).rejects.toThrow(
      /There is no blob [0-9a-f]{32}\. object\/uploads\/o\S+ refers to it/,
    );
    await expect(openBackup(target)).rejects.toThrow('is not a whole backup');
  });
});
