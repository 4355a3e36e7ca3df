import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openRaw, type RawConnection } from '../support/raw-http.ts';
import type { RestAnswer } from '../support/rest.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { blobFiles } from './blob-files.ts';
import { canAttach, type DiskFault, injectFault } from './disk-fault.ts';
import { untilServer } from './until.ts';
import { createUploadClient, md5Of } from './upload-client.ts';
import { ACCESS_KEY, uploadForm } from './upload-form.ts';

/** Calls on the files of an upload fail: it is refused, leaves nothing, and the server goes on. */

const SIZE = 600_000;
/** Enough of the form that the server has begun to write the file. */
const SENT_FIRST = 300_000;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(): Promise<ServerProcess> {
  const server = await startProcess({ env: ACCESS_KEY });
  cleanups.push(async () => {
    await server.kill();
    await rm(server.folder, { recursive: true, force: true });
  });
  return server;
}

/** An upload whose file is half written. */
async function beginUpload(server: ServerProcess, key: string) {
  const form = uploadForm(key, randomBytes(SIZE));
  const connection: RawConnection = await openRaw(server.url);
  cleanups.push(async () => connection.destroy());
  const head = Object.entries(form.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  connection.send(`POST ${form.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${head.join('')}\r\n`);
  connection.send(form.body.subarray(0, SENT_FIRST));
  const look = (): string[] =>
    blobFiles(server.dataDir).filter((file) => file.startsWith('incoming/'));
  const [file = ''] = await untilServer(server.url, look, ({ length }) => length === 1);
  const temporary = join(server.dataDir, 'blobs', file);
  const name = file.slice('incoming/'.length);
  return {
    temporary,
    folder: join(dirname(dirname(temporary)), name.slice(0, 2)),
    finish(): Promise<RestAnswer> {
      connection.send(form.body.subarray(SENT_FIRST));
      return connection.answer();
    },
  };
}

function expectRefused(answer: RestAnswer, status: 503 | 507): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/xml');
  const code = status === 507 ? 'InsufficientStorage' : 'ServiceUnavailable';
  expect(answer.text).toContain(`<Error><Code>${code}</Code>`);
  // Nothing of the server's own: no path, no name of a call.
  expect(answer.text).not.toMatch(/\/blobs|EIO|ENOSPC/);
}

type Upload = Awaited<ReturnType<typeof beginUpload>>;
const onFile = ({ temporary }: Upload): string => temporary;
const onFolder = ({ folder }: Upload): string => folder;

describe.skipIf(!canAttach)('with strace attached', () => {
  it.each([
    ['write,writev', 'ENOSPC', 507, onFile],
    ['write,writev', 'EDQUOT', 507, onFile],
    ['write,writev', 'EIO', 503, onFile],
    ['fsync', 'ENOSPC', 507, onFile],
    ['fsync', 'EIO', 503, onFile],
    ['rename', 'EIO', 503, onFile],
    ['mkdir', 'ENOSPC', 507, onFolder],
    ['fsync', 'EIO', 503, onFolder],
  ] as const)('refuses an upload where %s fails with %s (%i)', async (call, error, status, on) => {
    const server = await start();
    const upload = await beginUpload(server, 'faulty');
    const end = await injectFault(server.child.pid ?? 0, { call, error, paths: [on(upload)] });
    const answer = await upload.finish();
    await end();
    expectRefused(answer, status);

    const client = createUploadClient(server.url, 1);
    expect(await client.read('faulty')).toMatchObject({ status: 404 });
    expect(blobFiles(server.dataDir)).toEqual([]);
    const bytes = randomBytes(SIZE);
    expect(await client.upload('faulty', bytes)).toMatchObject({ status: 201 });
    expect(await client.read('faulty')).toMatchObject({ status: 200, md5: md5Of(bytes) });
    client.close();
  });

  it('keeps the object that an upload was to replace', async () => {
    const server = await start();
    const client = createUploadClient(server.url, 1);
    const bytes = randomBytes(SIZE);
    expect(await client.upload('kept', bytes)).toMatchObject({ status: 201 });
    const files = blobFiles(server.dataDir);
    const upload = await beginUpload(server, 'kept');
    const fault: DiskFault = { call: 'write,writev', error: 'ENOSPC', paths: [upload.temporary] };
    const end = await injectFault(server.child.pid ?? 0, fault);
    expectRefused(await upload.finish(), 507);
    await end();
    expect(await client.read('kept')).toMatchObject({ status: 200, md5: md5Of(bytes) });
    expect(blobFiles(server.dataDir)).toEqual(files);
    client.close();
  });

  it('stores nothing where the entry cannot be synced, nor after that', async () => {
    const server = await start();
    const upload = await beginUpload(server, 'unlogged');
    const end = await injectFault(server.child.pid ?? 0, {
      call: 'fdatasync',
      error: 'EIO',
      paths: logFiles(server),
    });
    expectRefused(await upload.finish(), 503);
    await end();
    // Nobody knows what the log will show after a restart: the bytes stay until then.
    const files = blobFiles(server.dataDir);
    expect(files).toHaveLength(1);

    const client = createUploadClient(server.url, 1);
    for (const size of [100, SIZE]) {
      expect(await client.upload('later', randomBytes(size))).toMatchObject({ status: 503 });
    }
    expect(blobFiles(server.dataDir)).toEqual(files);
    for (const key of ['unlogged', 'later']) {
      expect(await client.read(key)).toMatchObject({ status: 404 });
    }
    client.close();

    await server.kill();
    const restarted = await startProcess({ folder: server.folder, env: ACCESS_KEY });
    cleanups.push(() => restarted.stop({ keep: true }));
    const again = createUploadClient(restarted.url, 1);
    const answer = await again.read('unlogged');
    // The log was written after all, only not synced: then the object is there, whole.
    expect(blobFiles(restarted.dataDir)).toEqual(answer?.status === 200 ? files : []);
    if (answer?.status === 200) expect(answer).toMatchObject({ size: SIZE, md5: answer.etag });
    expect(await again.upload('later', randomBytes(SIZE))).toMatchObject({ status: 201 });
    again.close();
  });
});

function logFiles({ dataDir }: ServerProcess): string[] {
  const folder = join(dataDir, 'level');
  const names = readdirSync(folder).filter((name) => name.endsWith('.log'));
  return names.map((name) => join(folder, name));
}
