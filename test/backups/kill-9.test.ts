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

/** Once some blobs are written. */
async function waitForBlobs(path: string): Promise<void> {
  while (!existsSync(path) || readdirSync(path).length < 3) await new Promise(setImmediate);
}

function client(args: readonly string[]) {
  return spawnCli(args, { env: { KEYSTOW_URL: server.url, KEYSTOW_PASSWORD: server.password } });
}

describe('kill -9', () => {
  it('of the server: the command says so, and leaves nothing that looks like a backup', async () => {
    const target = join(folder, 'broken-off');
    const child = client(['backup', target]);
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const closed = once(child, 'close');
    await waitForBlobs(join(`${target}.partial`, 'blobs'));
    await server.kill();
    expect((await closed)[0]).toBe(3);
    expect(stderr).toMatch(/^keystow: .*\n$/);
    expect([existsSync(target), existsSync(`${target}.partial`)]).toEqual([false, false]);
    server = await startProcess({ folder });
    const again = await cliFor(server.url, server.password)(['backup', target]);
    expect([again.code, again.stderr]).toEqual([0, '']);
  });

  it('of the command: the next one clears away what it left', async () => {
    const target = join(folder, 'killed-command');
    const child = client(['backup', target]);
    const closed = once(child, 'close');
    await waitForBlobs(join(`${target}.partial`, 'blobs'));
    child.kill('SIGKILL');
    await closed;
    expect([existsSync(target), existsSync(`${target}.partial`)]).toEqual([false, true]);
    const cli = cliFor(server.url, server.password);
    // Until the server has noticed that its reader is gone.
    await expect
      .poll(async () => (await cli(['backup', target])).code, { timeout: 20_000 })
      .toBe(0);
    expect(existsSync(`${target}.partial`)).toBe(false);
  });

  it('of a server that makes its own: the next start removes the part, and makes a whole one', async () => {
    const backups = join(folder, 'backups');
    await server.stop({ keep: true });
    server = await startProcess({ folder, env: { BACKUP_DIR: backups } });
    const partial = async (): Promise<string | undefined> =>
      (await readdir(backups).catch(() => [])).find((name) => name.endsWith('.partial'));
    let part: string | undefined;
    while (part === undefined) part = await partial();
    await waitForBlobs(join(backups, part, 'blobs'));
    await server.kill();
    expect(await readdir(backups)).toEqual([part]);
    server = await startProcess({ folder, env: { BACKUP_DIR: backups } });
    await expect
      .poll(
        async () => (await readdir(backups)).filter((name) => !name.endsWith('.partial')).length,
        {
          timeout: 20_000,
        },
      )
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
    const child = spawnCli(['restore', backup, '--data-dir', target]);
    const closed = once(child, 'close');
    await waitForBlobs(join(target, 'blobs'));
    child.kill('SIGKILL');
    await closed;
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
