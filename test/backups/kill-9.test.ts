import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackup } from '../../server/backup/backup-folder.ts';
import { cliFor, runCli, spawnCli } from '../cli/run-cli.ts';
import { blobFiles } from '../support/blob-files.ts';
import { makeFolder } from '../support/make-folder.ts';
import { createRest } from '../support/rest.ts';
import { startServer } from '../support/server.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';

/** `kill -9` of a server that is backed up, of one that makes a backup, and of a restore. */

const OBJECTS = 30;
const SIZE = 2_000_000;
const DOCUMENTS = 300;

let folder: string;
let server: ServerProcess;

beforeAll(async () => {
  folder = await makeFolder();
  server = await startProcess({ folder });
  const rest = createRest(server.url);
  for (let i = 0; i < DOCUMENTS; i += 1) await rest('POST', `/data/d${i}`, { i });
  for (let i = 0; i < OBJECTS; i += 1) await rest('PUT', `/uploads/o${i}`, randomBytes(SIZE));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Once some blobs are written, or `whole` is there already. */
async function waitForBlobs(path: string, whole = ''): Promise<void> {
  while (countIn(path) < 3 && !existsSync(whole)) await new Promise(setImmediate);
}

function countIn(path: string): number {
  try {
    return readdirSync(path).length;
  } catch {
    return 0;
  }
}

function client(args: readonly string[]) {
  return spawnCli(args, { env: { KEYSTOW_URL: server.url, KEYSTOW_PASSWORD: server.password } });
}

describe('kill -9', () => {
  it('of the server: the command says so, and leaves nothing that looks like a backup', async () => {
    const target = join(folder, 'broken-off');
    let code: unknown;
    let stderr = '';
    // A backup that is faster than its kill is made once more.
    do {
      await rm(target, { recursive: true, force: true });
      const child = client(['backup', target]);
      child.stderr.on('data', (text) => {
        stderr += text;
      });
      const closed = once(child, 'close');
      await waitForBlobs(join(`${target}.partial`, 'blobs'), target);
      await server.kill();
      [code] = await closed;
      if (code === 0) await (await openBackup(target)).verify();
      server = await startProcess({ folder });
    } while (code === 0);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^keystow: .*\n$/);
    expect([existsSync(target), existsSync(`${target}.partial`)]).toEqual([false, false]);
    const again = await cliFor(server.url, server.password)(['backup', target]);
    expect([again.code, again.stderr]).toEqual([0, '']);
  });

  it('of the command: the next one clears away what it left', async () => {
    const target = join(folder, 'killed-command');
    do {
      await rm(target, { recursive: true, force: true });
      const child = client(['backup', target]);
      const closed = once(child, 'close');
      await waitForBlobs(join(`${target}.partial`, 'blobs'), target);
      child.kill('SIGKILL');
      await closed;
    } while (existsSync(target));
    expect([existsSync(target), existsSync(`${target}.partial`)]).toEqual([false, true]);
    const cli = cliFor(server.url, server.password);
    // Until the server has noticed that its reader is gone.
    await expect.poll(async () => (await cli(['backup', target])).code).toBe(0);
    expect(existsSync(`${target}.partial`)).toBe(false);
  });

  it('of a server that makes its own: the next start removes the part, and makes a whole one', async () => {
    const backups = join(folder, 'backups');
    const isPart = (name: string): boolean => name.endsWith('.partial');
    let found: string[];
    do {
      await rm(backups, { recursive: true, force: true });
      await server.stop({ keep: true });
      server = await startProcess({ folder, env: { BACKUP_DIR: backups } });
      let name: string | undefined;
      while (name === undefined) [name] = await readdir(backups).catch(() => []);
      const whole = join(backups, name.replace('.partial', ''));
      await waitForBlobs(join(`${whole}.partial`, 'blobs'), whole);
      await server.kill();
      found = await readdir(backups);
    } while (!found.every(isPart));
    expect(found).toHaveLength(1);
    server = await startProcess({ folder, env: { BACKUP_DIR: backups } });
    await expect
      .poll(async () => (await readdir(backups)).filter((name) => !isPart(name)).length)
      .toBe(1);
    const [name = '', ...others] = await readdir(backups);
    expect(others).toEqual([]);
    await (await openBackup(join(backups, name))).verify();
  });

  it('of a restore: what it left is not served, and the same command goes on', async () => {
    const backup = join(folder, 'for-restore');
    expect((await cliFor(server.url, server.password)(['backup', backup])).code).toBe(0);
    const restored = await makeFolder();
    const target = join(restored, 'data');
    let signal: unknown;
    do {
      await rm(target, { recursive: true, force: true });
      const child = spawnCli(['restore', backup, '--data-dir', target]);
      const closed = once(child, 'close');
      await waitForBlobs(join(target, 'blobs'));
      child.kill('SIGKILL');
      [, signal] = await closed;
    } while (signal !== 'SIGKILL');
    await cp(join(folder, 'data/master.key'), join(target, 'master.key'));
    await expect(startServer({ folder: restored })).rejects.toThrow(
      'is being copied into this one',
    );
    const { code, stdout, stderr } = await runCli(['restore', backup, '--data-dir', target]);
    expect([code, stderr, stdout]).toEqual([0, '', expect.stringContaining('compared both')]);
    const copy = await startServer({ folder: restored });
    const [one, other] = [createRest(copy.url), createRest(server.url)];
    const lines = { accept: 'application/x-ndjson' };
    expect((await one('GET', '/data', undefined, lines)).text).toBe(
      (await other('GET', '/data', undefined, lines)).text,
    );
    expect((await blobFiles(copy.dataDir)).sort()).toEqual(
      (await blobFiles(server.dataDir)).sort(),
    );
    await copy.stop();
  });
});
