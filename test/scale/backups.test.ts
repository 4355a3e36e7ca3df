import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackup } from '../../server/backup/backup-folder.ts';
import { openPostgresStore } from '../../server/drivers/postgres/postgres-store.ts';
import { RESTORED_AHEAD } from '../../shared/limits.ts';
import {
  createHistory,
  type ExpectedState,
  expectedAt,
  expectServed,
  runWriter,
} from '../backups/written-history.ts';
import { cliFor, runCli } from '../cli/run-cli.ts';
import { freshSeed } from '../faults/random.ts';
import { makeFolder } from '../support/make-folder.ts';
import { createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Backends, type StoreSettings, startBackends } from './cluster.ts';

/** Backups of several nodes: what all of them wrote until one number, restored to any kind of store. */

const WRITERS = 8;
const seed = freshSeed();

let backends: Backends;
let settings: StoreSettings;
let folder: string;
let backup: string;
let sequence: number;
let expected: ExpectedState;

beforeAll(async () => {
  backends = await startBackends();
  settings = await backends.settings();
  folder = await makeFolder();
  backup = join(folder, 'backup');
  const [one, other] = [await startServer({ env: settings }), await startServer({ env: settings })];
  const history = createHistory();
  let isStopped = false;
  const writing = Array.from({ length: WRITERS }, (_, writer) =>
    runWriter({
      urls: [one.url, other.url],
      writer,
      seed,
      history,
      isStopped: () => isStopped,
    }),
  );
  while (history.puts.size < WRITERS * 4) await new Promise(setImmediate);
  const asked = history.acknowledged;
  const { code, stderr } = await cliFor(other.url, other.password)(['backup', backup]);
  expect([code, stderr]).toEqual([0, '']);
  isStopped = true;
  await Promise.all(writing);
  await Promise.all([one.stop(), other.stop()]);

  sequence = (await openBackup(backup)).manifest.sequence;
  expect(sequence).toBeGreaterThanOrEqual(asked);
  const store = await openPostgresStore({
    url: settings.STORE,
    changesKeep: 1_000_000,
    now: Date.now,
    onIdleError: () => {},
  });
  expected = await expectedAt(store, history, sequence);
  await store.close();
});

afterAll(async () => {
  await backends.stop();
  await rm(folder, { recursive: true, force: true });
});

async function expectRestored(server: TestServer): Promise<void> {
  await expectServed(server.url, expected);
  const answer = await createRest(server.url)('POST', '/data/after', {});
  expect(Number(answer.headers.get('etag')?.slice(1, -1))).toBeGreaterThan(
    sequence + RESTORED_AHEAD,
  );
}

describe(`a backup of two nodes under load (seed ${seed})`, () => {
  it('has precisely the keys and versions of its number', async () => {
    const versions = new Map<string, number>();
    for await (const page of (await openBackup(backup)).entries()) {
      for (const { key, version } of page) versions.set(key, version);
    }
    expect(versions).toEqual(expected.versions);
  });

  it('restores to another PostgreSQL and S3, which have to be empty', async () => {
    const target = { ...(await backends.settings()), MASTER_KEY: settings['MASTER_KEY'] ?? '' };
    const restored = await runCli(['restore', backup], { env: target });
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    expect(restored.stdout).toContain('in MASTER_KEY');
    const node = await startServer({ env: target });
    await expectRestored(node);
    await node.stop();
    const again = await runCli(['restore', backup], { env: target });
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is not empty')]);
  });

  it('is refused where the S3 bucket has blobs in it, and the database stays empty', async () => {
    const [used, fresh] = [settings, await backends.settings()];
    const env = { ...fresh, BLOBS: used['BLOBS'] ?? '' };
    const { code, stderr } = await runCli(['restore', backup], { env });
    expect([code, stderr]).toEqual([1, expect.stringContaining('There are blobs')]);
    const node = await startServer({ env: fresh });
    expect((await createRest(node.url)('GET', '/data')).json).toEqual([]);
    await node.stop();
  });

  it('restores to an embedded store, whose backup restores to PostgreSQL', async () => {
    const embedded = join(folder, 'embedded');
    const args = ['--data-dir', join(embedded, 'data')];
    const restored = await runCli(['restore', backup, ...args]);
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    const second = join(folder, 'second');
    const copied = await runCli(['backup', second, ...args]);
    expect([copied.code, copied.stderr]).toEqual([0, '']);
    const MASTER_KEY = settings['MASTER_KEY'] ?? '';
    const server = await startServer({ folder: embedded, env: { MASTER_KEY } });
    await expectRestored(server);
    await server.stop();
    const target = { ...(await backends.settings()), MASTER_KEY };
    expect((await runCli(['restore', second], { env: target })).code).toBe(0);
    const node = await startServer({ env: target });
    await expectRestored(node);
    await node.stop();
  });
});

describe('several nodes', () => {
  it('keep blobs for the backup of one, make one at a time, and one of them the scheduled ones', async () => {
    const own = await backends.settings();
    const backups = join(folder, 'scheduled');
    const env = { ...own, BACKUP_DIR: backups };
    const one = await startServer({ env: own });
    const other = await startServer({ env: own });
    const SIZE = 1_000_000;
    const OBJECTS = 16;
    for (let i = 0; i < OBJECTS; i += 1) {
      await createRest(one.url)('PUT', `/uploads/o${i}`, randomBytes(SIZE));
    }
    const headers = { authorization: `Basic ${btoa(`admin:${one.password}`)}` };
    const answer = await fetch(`${one.url}/api/backup`, { headers });
    expect((await fetch(`${other.url}/api/backup`, { headers })).status).toBe(409);
    for (let i = 0; i < OBJECTS; i += 1) await createRest(other.url)('DELETE', `/uploads/o${i}`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.length).toBeGreaterThan(OBJECTS * SIZE);
    expect(bytes.includes('FAILED')).toBe(false);
    expect(bytes.includes('manifest.json')).toBe(true);
    await Promise.all([one.stop(), other.stop()]);

    const nodes = [await startServer({ env }), await startServer({ env })];
    const made = () => nodes.flatMap((node) => node.log().match(/"msg":"backed up"/g) ?? []).length;
    await expect.poll(made).toBe(1);
    await Promise.all(nodes.map((node) => node.stop()));
    // Another node finds that it is not due.
    const late = await startServer({ env });
    await createRest(late.url)('GET', '/data');
    await late.stop();
    expect(late.log()).not.toContain('backed up');
    expect(made()).toBe(1);
  });
});
