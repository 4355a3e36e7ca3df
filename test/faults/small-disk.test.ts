import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { blobFiles } from './blob-files.ts';
import { canMount, makeSmallDisk, type SmallDisk } from './tmpfs.ts';

/**
 * A disk that is really full. Where no file system can be mounted these tests are skipped; what the server
 * makes of less space than it wants is in test/http/full-disk.test.ts, without any.
 */

const MEBIBYTE = 1_048_576;

let disk: SmallDisk | undefined;
let server: ServerProcess | undefined;

afterEach(async () => {
  if (server?.child.exitCode === null) await server.kill();
  await disk?.remove();
});

async function start(env: Record<string, string>): Promise<Rest> {
  if (!disk) throw new Error('There is no disk.');
  server = await startProcess({
    folder: disk.path,
    env: { DATA_DIR: join(disk.path, 'data'), LOG_LEVEL: 'fatal', ...env },
  });
  return createRest(server.url);
}

async function ready(rest: Rest): Promise<RestAnswer> {
  return rest('GET', '/api/health?ready');
}

/** Writes documents, several at a time, until one is refused: the numbers of those that were not. */
async function fillWithDocuments(rest: Rest): Promise<{ stored: number[]; refused: RestAnswer }> {
  const stored: number[] = [];
  for (let first = 0; first < 2_000; first += 8) {
    const numbers = Array.from({ length: 8 }, (_, i) => first + i);
    const answers = await Promise.all(numbers.map((n) => rest('POST', `/data/${n}`, textOf(n))));
    numbers.forEach((n, at) => {
      if (answers[at]?.status === 201) stored.push(n);
    });
    const refused = answers.find(({ status }) => status !== 201);
    if (refused) return { stored, refused };
  }
  throw new Error('The disk was never full.');
}

/** LevelDB compresses: what is to fill a disk has to be random, and yet known. */
function textOf(n: number): string {
  let state = n + 1;
  const chars = Array.from({ length: 32_768 }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state % 64) + 48;
  });
  return JSON.stringify([String.fromCharCode(...chars)]);
}

async function expectStored(rest: Rest, stored: readonly number[]): Promise<void> {
  for (const n of stored) {
    const { status, text } = await rest('GET', `/data/${n}`);
    expect([n, status, text === textOf(n)]).toEqual([n, 200, true]);
  }
}

describe.skipIf(!canMount)('on a small disk', () => {
  it('below MIN_FREE_BYTES writes end and begin again, without a restart', async () => {
    disk = await makeSmallDisk(16);
    const rest = await start({ MIN_FREE_BYTES: String(6 * MEBIBYTE) });
    expect((await ready(rest)).status).toBe(200);
    const large = randomBytes(4 * MEBIBYTE);
    expect((await rest('PUT', '/uploads/large', large)).status).toBe(200);
    const { stored, refused } = await fillWithDocuments(rest);
    expect(refused.status).toBe(507);
    expect((await ready(rest)).status).toBe(503);
    await expectStored(rest, stored);

    expect((await rest('DELETE', '/uploads/large')).status).toBe(204);
    await expect.poll(async () => (await ready(rest)).status).toBe(200);
    expect((await rest('POST', '/data/again', '{}')).status).toBe(201);
    expect(await server?.stop({ keep: true })).toBe(0);
    await expectStored(await start({}), stored);
  });

  it('an upload that does not fit leaves nothing, and the next one may', async () => {
    disk = await makeSmallDisk(12);
    const rest = await start({ MIN_FREE_BYTES: '0' });
    const answer = await rest('PUT', '/uploads/large', randomBytes(16 * MEBIBYTE));
    expect(answer.status).toBe(507);
    expect(answer.text).toContain('<Code>InsufficientStorage</Code>');
    expect(blobFiles(join(disk.path, 'data'))).toEqual([]);
    expect((await ready(rest)).json).toEqual({
      error: 'A write failed a moment ago: the log tells why.',
    });
    expect((await rest('PUT', '/uploads/fits', randomBytes(MEBIBYTE))).status).toBe(200);
    expect((await rest('POST', '/data/fits', '{}')).status).toBe(201);
  });

  it('where LevelDB meets the full disk, writes end until a restart, and nothing is lost', async () => {
    disk = await makeSmallDisk(10);
    const rest = await start({ MIN_FREE_BYTES: '0' });
    const { stored, refused } = await fillWithDocuments(rest);
    expect(stored.length).toBeGreaterThan(50);
    expect(refused.status).toBe(507);
    expect(Object.keys(Object(refused.json))).toEqual(['error']);
    expect(refused.text).not.toContain(disk.path);
    expect((await ready(rest)).json).toEqual({
      error: 'A write failed: writes are refused until a restart, reads go on.',
    });
    await expectStored(rest, stored);
    disk.resize(64);
    expect((await rest('POST', '/data/later', '{}')).status).toBe(507);

    await server?.kill();
    const again = await start({});
    await expectStored(again, stored);
    expect((await again('POST', '/data/later', '{}')).status).toBe(507);
    expect((await ready(again)).status).toBe(503);
    await server?.kill();
    const healthy = await start({ MIN_FREE_BYTES: '0' });
    expect((await healthy('POST', '/data/later', '{}')).status).toBe(201);
    expect((await ready(healthy)).status).toBe(200);
  });
});
