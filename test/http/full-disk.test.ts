import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { blobFiles } from '../faults/blob-files.ts';
import { openRaw } from '../support/raw-http.ts';
import { basic, createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Less space than MIN_FREE_BYTES: writes are refused, reads and deletions go on, `?ready` is red. */

const LIMIT = 1_000_000;
const PLENTY = 100 * LIMIT;
const LARGE = 200_000;

let server: TestServer;
let rest: Rest;
let free: number;

async function start(atFirst: number, folder?: string): Promise<void> {
  free = atFirst;
  server = await startServer({
    env: { MIN_FREE_BYTES: String(LIMIT) },
    freeBytes: async () => free,
    ...(folder === undefined ? {} : { folder }),
  });
  rest = createRest(server.url);
}

async function ready(): Promise<number> {
  return (await fetch(`${server.url}/api/health?ready`)).status;
}

/** The disk is looked at every second. */
async function untilReady(status: 200 | 503): Promise<void> {
  await vi.waitFor(async () => expect(await ready()).toBe(status), { timeout: 30_000 });
}

async function fill(): Promise<void> {
  await rest('POST', '/data/kept', '{"a":1}');
  await rest('POST', '/data/doomed', '{}');
  expect((await rest('PUT', '/uploads/large', randomBytes(LARGE))).status).toBe(200);
  expect((await rest('PUT', '/uploads/small', 'bytes')).status).toBe(200);
  free = LIMIT - 1;
  await untilReady(503);
}

describe('while the disk is nearly full', () => {
  beforeAll(async () => {
    await start(PLENTY);
    expect(await ready()).toBe(200);
    await fill();
  });
  afterAll(() => server.stop());

  it('`?ready` is red and says why; liveness is not', async () => {
    const answer = await fetch(`${server.url}/api/health?ready`);
    expect(await answer.json()).toEqual({
      error: 'The disk is nearly full: writes are refused until some of it is free.',
    });
    expect((await fetch(`${server.url}/api/health`)).status).toBe(200);
    const metrics = await rest('GET', '/api/metrics');
    expect(metrics.text).toContain('\nkeystow_ready 0\n');
    expect(metrics.text).toContain(`\nkeystow_disk_free_bytes ${LIMIT - 1}\n`);
    expect(server.log()).toContain('"the disk is nearly full');
  });

  it('writes are answered 507, and nothing of them is stored', async () => {
    const files = blobFiles(server.dataDir);
    for (const [method, path] of [
      ['POST', '/data/new'],
      ['PUT', '/data/kept'],
      ['PATCH', '/data/kept'],
      ['PUT', '/api/buckets/other'],
    ] as const) {
      const answer = await rest(method, path, '{}');
      expect([answer.status, Object.keys(Object(answer.json))], path).toEqual([507, ['error']]);
    }
    for (const bytes of ['a few', randomBytes(LARGE)]) {
      for (const key of ['new', 'large']) {
        const answer = await rest('PUT', `/uploads/${key}`, bytes);
        expect(answer.status).toBe(507);
        expect(answer.text).toContain('<Code>InsufficientStorage</Code>');
      }
    }
    expect(blobFiles(server.dataDir)).toEqual(files);
    expect((await rest('GET', '/data/new')).status).toBe(404);
    expect((await rest('GET', '/uploads/new')).status).toBe(404);
  });

  it('reads go on, and what was acknowledged is there', async () => {
    expect((await rest('GET', '/data/kept')).text).toBe('{"a":1}');
    expect((await rest('GET', '/data')).json).toEqual(['doomed', 'kept']);
    expect((await rest('GET', '/uploads/large')).text).not.toBe('');
    expect((await rest('GET', '/api/changes')).status).toBe(200);
  });

  it('deletions go on, which make space, until there is next to none', async () => {
    expect((await rest('DELETE', '/data/doomed')).status).toBe(204);
    expect((await rest('DELETE', '/uploads/large')).status).toBe(204);
    await expect.poll(() => blobFiles(server.dataDir)).toEqual([]);
    expect((await rest('DELETE', '/uploads/small')).status).toBe(204);
    free = LIMIT / 2 - 1;
    await expect
      .poll(async () => (await rest('GET', '/api/metrics')).text)
      .toContain(`keystow_disk_free_bytes ${free}`);
    expect((await rest('DELETE', '/data/kept')).status).toBe(507);
  });
});

describe('a server of its own', () => {
  afterEach(() => server.stop());

  it('an upload that is under way is cut off, and leaves nothing', async () => {
    await start(PLENTY);
    await rest('POST', '/data/kept', '{}');
    const connection = await openRaw(server.url);
    connection.send(
      `PUT /uploads/cut-off HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${2 * LARGE}\r\n` +
        `Authorization: ${basic('admin', server.password)}\r\n\r\n`,
    );
    connection.send(randomBytes(LARGE));
    await expect.poll(() => blobFiles(server.dataDir).length).toBe(1);
    free = 0;
    await untilReady(503);
    connection.send(randomBytes(LARGE));
    expect((await connection.answer()).status).toBe(507);
    connection.destroy();
    expect(blobFiles(server.dataDir)).toEqual([]);
  });

  it('writes go on without a restart once there is space, and some more than the limit', async () => {
    await start(PLENTY);
    await fill();
    free = LIMIT;
    const looks = async (): Promise<string> => (await rest('GET', '/api/metrics')).text;
    await expect.poll(looks).toContain(`keystow_disk_free_bytes ${LIMIT}`);
    expect(await ready()).toBe(503);
    free = 2 * LIMIT;
    await untilReady(200);
    expect((await rest('PUT', '/data/kept', '{"a":2}')).status).toBe(200);
    expect((await rest('PUT', '/uploads/large', randomBytes(LARGE))).status).toBe(200);
  });

  it('a server whose disk is nearly full starts, and reads', async () => {
    await start(PLENTY);
    await rest('POST', '/data/kept', '{}');
    const { folder } = server;
    await server.stop({ keep: true });
    await start(0, folder);
    expect(await ready()).toBe(503);
    expect((await rest('GET', '/data/kept')).status).toBe(200);
    expect((await rest('PUT', '/data/kept', '[]')).status).toBe(507);
  });

  it('MIN_FREE_BYTES=0 refuses nothing', async () => {
    server = await startServer({ env: { MIN_FREE_BYTES: '0' }, freeBytes: async () => 0 });
    rest = createRest(server.url);
    expect((await rest('POST', '/data/a', '{}')).status).toBe(201);
    expect(await ready()).toBe(200);
  });
});

/** The server's own, as Node loads them: an error is known by its class. */
async function loadBuilt(): Promise<
  Pick<typeof import('../../server/open-stores.ts'), 'openStore'> &
    Pick<typeof import('../../shared/errors.ts'), 'KeystowError'>
> {
  const { openStore } = await import(resolve('dist/server/open-stores.js'));
  const { KeystowError } = await import(resolve('dist/shared/errors.js'));
  return { openStore, KeystowError };
}

describe('a store that has failed', () => {
  afterEach(() => server.stop());

  it('makes `?ready` red until a restart, while reads go on', async () => {
    let hasFailed = false;
    let fail = (): void => {};
    const { openStore, KeystowError } = await loadBuilt();
    server = await startServer({
      async openStore(config, log, hooks) {
        const store = await openStore(config, log, hooks);
        fail = () => {
          hasFailed = true;
          hooks?.onFailed?.();
        };
        const refusal = new KeystowError('unavailable', 'Writing to the disk failed.');
        return {
          ...store,
          commit: (checks, mutations) =>
            hasFailed ? Promise.reject(refusal) : store.commit(checks, mutations),
        };
      },
    });
    rest = createRest(server.url);
    await rest('POST', '/data/kept', '{}');
    expect(await ready()).toBe(200);
    fail();
    const answer = await fetch(`${server.url}/api/health?ready`);
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { error: 'A write failed: writes are refused until a restart, reads go on.' },
    ]);
    expect((await rest('GET', '/data/kept')).status).toBe(200);
  });

  it('that meets a full disk for one write only is red for a while', async () => {
    let isFull = false;
    const { openStore, KeystowError } = await loadBuilt();
    server = await startServer({
      async openStore(config, log, hooks) {
        const store = await openStore(config, log, hooks);
        const refusal = new KeystowError('disk-full', 'The disk of the database is full.');
        return {
          ...store,
          commit: (checks, mutations) =>
            isFull ? Promise.reject(refusal) : store.commit(checks, mutations),
        };
      },
    });
    rest = createRest(server.url);
    isFull = true;
    expect((await rest('POST', '/data/a', '{}')).status).toBe(507);
    expect(await ready()).toBe(503);
  });
});
