import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBackup } from '../../server/backup/backup-folder.ts';
import { makeFolder } from '../support/make-folder.ts';
import { type Metrics, parseMetrics } from '../support/metrics-text.ts';
import { createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startRefused } from '../support/start-refused.ts';

/** BACKUP_DIR, BACKUP_EVERY and BACKUP_KEEP. */

const HOUR = 3_600_000;

let folder: string;
let backups: string;
let now: number;
let server: TestServer | undefined;

beforeEach(async () => {
  folder = await makeFolder();
  backups = join(folder, 'backups');
  now = Date.parse('2026-03-01T09:30:00Z');
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function start(env: Record<string, string> = {}): Promise<TestServer> {
  await server?.stop({ keep: true });
  server = await startServer({
    folder,
    now: () => now,
    env: { BACKUP_DIR: backups, ...env },
  });
  return server;
}

async function names(): Promise<string[]> {
  return (await readdir(backups).catch(() => [])).sort();
}

async function metrics(): Promise<Metrics> {
  return parseMetrics((await createRest(server?.url ?? '')('GET', '/api/metrics')).text);
}

/** What the log said of backups. */
function said(message: string): number {
  return (server?.log() ?? '').split('\n').filter((line) => line.includes(`"msg":"${message}"`))
    .length;
}

describe('scheduled backups', () => {
  it('are made at the first start, and then when the time has come, also over restarts', async () => {
    await start();
    await expect.poll(() => said('backed up')).toBe(1);
    expect(await names()).toEqual(['keystow-2026-03-01T09-30-00.000Z']);
    const seen = await metrics();
    expect(seen.sum('keystow_backup_last_success_timestamp_seconds')).toBe(now / 1_000);
    expect(seen.sum('keystow_backup_failures_total')).toBe(0);
    now += 23 * HOUR;
    await start();
    await createRest(server?.url ?? '')('POST', '/data/later', { later: true });
    await start();
    expect(said('backed up')).toBe(0);
    now += HOUR;
    await start();
    await expect.poll(() => said('backed up')).toBe(1);
    const [, second = ''] = await names();
    expect(second).toBe('keystow-2026-03-02T09-30-00.000Z');
    const { manifest, verify } = await openBackup(join(backups, second));
    await verify();
    expect([manifest.documents, manifest.takenAt]).toEqual([1, '2026-03-02T09:30:00.000Z']);
  });

  it('go on while the server runs, and the oldest go once a newer one is whole', async () => {
    // The clock is the real one: each has a name of its own.
    server = await startServer({
      folder,
      env: { BACKUP_DIR: backups, BACKUP_EVERY: '1s', BACKUP_KEEP: '2' },
    });
    await expect.poll(() => said('backed up')).toBeGreaterThan(2);
    await server.stop({ keep: true });
    server = undefined;
    const kept = await names();
    expect(kept).toHaveLength(2);
    for (const name of kept) await (await openBackup(join(backups, name))).verify();
  });

  it('share the files of blobs with the one before, which may go', async () => {
    const rest = createRest((await start({ BACKUP_KEEP: '1' })).url);
    await rest('PUT', '/uploads/large', randomBytes(100_000));
    await expect.poll(() => said('backed up')).toBe(1);
    const inodes: number[] = [];
    for (const day of [1, 2]) {
      now += 24 * HOUR;
      await start({ BACKUP_KEEP: '1' });
      await expect.poll(() => said('backed up')).toBe(1);
      await expect.poll(names).toHaveLength(1);
      const [name = ''] = await names();
      expect(name).toContain(`2026-03-0${1 + day}`);
      const all = await readdir(join(backups, name, 'blobs'), { recursive: true });
      const blob = all.find((path) => path.length > 30) ?? '';
      inodes.push((await stat(join(backups, name, 'blobs', blob))).ino);
    }
    expect(inodes[0]).toBe(inodes[1]);
  });

  it('write a blob anew that is damaged in the one before', async () => {
    const bytes = randomBytes(100_000);
    const rest = createRest((await start()).url);
    await rest('PUT', '/uploads/large', bytes);
    now += 24 * HOUR;
    await start();
    await expect.poll(() => said('backed up')).toBe(1);
    const [first = '', damaged = first] = await names();
    const all = await readdir(join(backups, damaged, 'blobs'), { recursive: true });
    const path = join('blobs', all.find((name) => name.length > 30) ?? '');
    await writeFile(join(backups, damaged, path), randomBytes(100_000));
    now += 24 * HOUR;
    await start();
    await expect.poll(() => said('backed up')).toBe(1);
    const newest = (await names()).at(-1) ?? '';
    expect((await readFile(join(backups, newest, path))).equals(bytes)).toBe(true);
  });

  it('that fail are logged, leave nothing that looks whole, and keep nobody from working', async () => {
    await writeFile(backups, 'a file, not a folder');
    await start();
    await expect.poll(() => said('a scheduled backup failed')).toBe(1);
    expect(server?.log()).toContain('EEXIST');
    const answer = await createRest(server?.url ?? '')('POST', '/data/a', {});
    expect(answer.status).toBe(201);
    const seen = await metrics();
    expect(seen.sum('keystow_backup_failures_total')).toBe(1);
    expect(seen.sum('keystow_backup_last_success_timestamp_seconds')).toBe(0);
  });

  it('stop before they fill the disk, which may be that of the data', async () => {
    await start({ MIN_FREE_BYTES: String(2 ** 50) });
    await expect.poll(() => said('a scheduled backup failed')).toBe(1);
    expect(server?.log()).toContain('would leave too little space on its disk');
    expect(await names()).toEqual([]);
  });

  it('remove what a killed one left, and nothing else', async () => {
    const stale = join(backups, 'keystow-2026-02-28T09-30-00.000Z.partial');
    const mine = join(backups, 'mine.partial');
    for (const path of [stale, mine]) await mkdir(join(path, 'entries'), { recursive: true });
    await start();
    await expect.poll(() => said('backed up')).toBe(1);
    expect(await names()).toEqual(['keystow-2026-03-01T09-30-00.000Z', 'mine.partial']);
  });

  it.each([
    ['BACKUP_EVERY', '24'],
    ['BACKUP_EVERY', '0h'],
    ['BACKUP_KEEP', '0'],
  ])('refuse %s=%s at the start', async (name, value) => {
    const { code, stderr } = await startRefused({ DATA_DIR: join(folder, 'data'), [name]: value });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^keystow: ${name} is a .*\n$`)),
    ]);
  });
});
