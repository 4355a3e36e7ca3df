import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PASSWORD } from '../support/environment.ts';
import { some } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { createRest } from '../support/rest.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { startRefused } from '../support/start-refused.ts';
import { snapshotFolder } from './folder-snapshot.ts';

/** A data directory that a server must not use: one line, exit 1, and nothing is touched. */

const running: ServerProcess[] = [];
let folder = '';
let dataDir = '';
let marker = '';

beforeAll(async () => {
  folder = await makeFolder();
  dataDir = join(folder, 'data');
  marker = join(dataDir, 'format');
  const server = await start();
  expect((await createRest(server.url)('POST', '/data/kept', '{"a":1}')).status).toBe(201);
  expect(await server.stop({ keep: true })).toBe(0);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.kill()));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function start(): Promise<ServerProcess> {
  const server = await startProcess({ folder });
  running.push(server);
  return server;
}

async function expectKept(server: ServerProcess): Promise<void> {
  expect((await createRest(server.url)('GET', '/data/kept')).text).toBe('{"a":1}');
}

async function expectUntouchedRefusal(reason: RegExp): Promise<void> {
  const before = snapshotFolder(dataDir);
  const { code, stderr } = await startRefused({ DATA_DIR: dataDir, ADMIN_PASSWORD: PASSWORD });
  expect(code).toBe(1);
  expect(stderr).toMatch(reason);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(snapshotFolder(dataDir)).toEqual(before);
}

describe('with an unfit format marker', () => {
  beforeEach(() => rm(marker));
  afterEach(async () => {
    await rm(marker, { recursive: true, force: true });
    await writeFile(marker, '1\n');
  });

  afterAll(async () => {
    const server = await start();
    await expectKept(server);
    await server.stop({ keep: true });
  });

  it('of a newer version, it is left as it is', async () => {
    await writeFile(marker, '999\n');
    await expectUntouchedRefusal(/newer version of Keystow \(format 999/);
  });

  it.each(some(['one\n', '', '0\n', '1.5\n'], 1))(
    'that reads %j, it is left as it is',
    async (text) => {
      await writeFile(marker, text);
      await expectUntouchedRefusal(/format marker .* is unreadable/);
    },
  );

  it('that is absent beside a database, it is left as it is', async () => {
    await expectUntouchedRefusal(/no format marker/);
  });

  it('that is a folder, it is left as it is', async () => {
    await mkdir(marker);
    await expectUntouchedRefusal(/EISDIR/);
  });
});

describe('in use', () => {
  it('it is left as it is, and its owner goes on', async () => {
    const owner = await start();
    await expectUntouchedRefusal(/is in use by process \d+/);
    const rest = createRest(owner.url);
    expect((await rest('POST', '/data/more', '{}')).status).toBe(201);
    await expectUntouchedRefusal(/is in use by process \d+/);
    expect(await owner.stop({ keep: true })).toBe(0);
  });

  it('it goes to one of two that start at once', async () => {
    const results = await Promise.allSettled([start(), start()]);
    const [refused, ...others] = results.flatMap((result) =>
      result.status === 'rejected' ? [String(result.reason)] : [],
    );
    expect(others).toEqual([]);
    expect(refused).toMatch(/ended with 1: keystow: .* is in use by .+/);
    for (const server of running) await expectKept(server);
  });

  it('by a process that was killed, it is free', async () => {
    await (await start()).kill();
    await expectKept(await start());
  });
});
