import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLongRun } from '../support/long-runs.ts';
import { expectModestMemory, keys, startToolServer, type ToolServer } from './tool-server.ts';

/** Debian's restic, as docs/s3-clients.md sets it up. */

describe.runIf(isLongRun)('restic', () => {
  let server: ToolServer;

  beforeAll(async () => {
    server = await startToolServer('restic', {
      versionArgs: ['version'],
      env: {
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        RESTIC_PASSWORD: 'of the backup',
      },
    });
  });

  afterAll(() => server?.stop());

  function restic(...args: string[]): Promise<string> {
    return server.run(['--repo', `s3:${server.url}/backups/restic`, ...args]);
  }

  async function snapshots(): Promise<{ short_id: string }[]> {
    return JSON.parse(await restic('snapshots', '--json'));
  }

  /** The summary of a backup. */
  async function backup(): Promise<Record<string, number>> {
    const lines = (await restic('backup', '--json', 'tree')).trim().split('\n');
    return JSON.parse(lines.at(-1) ?? '');
  }

  it('backs up, checks, restores and forgets', async () => {
    const hashes = await server.writeTree('tree');
    const count = Object.keys(hashes).length;
    await restic('init');
    expect(await backup()).toMatchObject({ files_new: count, total_files_processed: count });
    expect(await restic('check', '--read-data')).toContain('no errors were found');

    const second = await backup();
    expect(second).toMatchObject({ files_new: 0, files_changed: 0, files_unmodified: count });
    expect(second['data_added']).toBe(0);
    const [first] = await snapshots();
    await restic('restore', first?.short_id ?? '', '--target', 'restored');
    expect(await server.readTree('restored/tree')).toEqual(hashes);

    await rm(server.path('tree/large'), { recursive: true });
    await server.write('tree/names/a+b', 'changed');
    expect(await backup()).toMatchObject({ files_new: 0, files_changed: 1 });
    const forgotten = await restic('forget', '--keep-last', '1', '--prune');
    expect(forgotten).toContain('2 snapshots have been removed');
    expect(await snapshots()).toHaveLength(1);
    expect(await restic('check', '--read-data')).toContain('no errors were found');
    await restic('restore', 'latest', '--target', 'restored again');
    expect(await server.readTree('restored again/tree')).toEqual(await server.readTree('tree'));
  });

  it('backs up 200 MB', async () => {
    await server.writeLarge('large/large.bin');
    const repository = ['--repo', `s3:${server.url}/large-backup`];
    await server.run([...repository, 'init']);
    await server.peakMemory();
    await server.run([...repository, 'backup', '--quiet', 'large']);
    await server.run([...repository, 'restore', 'latest', '--target', 'large restored']);
    await expectModestMemory(server, 'restic');
    expect(await server.readTree('large restored/large')).toEqual(await server.readTree('large'));
  });

  it('refuses a wrong password', async () => {
    const repository = ['--repo', `s3:${server.url}/guarded`];
    await server.run([...repository, 'init']);
    const refused = await server.try([...repository, 'snapshots'], {
      env: { RESTIC_PASSWORD: 'another' },
    });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('wrong password');
  });

  it('trusts the certificate that it is given', async () => {
    const repository = ['--repo', `s3:${server.tlsUrl}/over-tls`, '--cacert', server.certificate];
    await server.run([...repository, 'init']);
    expect(JSON.parse(await server.run([...repository, 'snapshots', '--json']))).toEqual([]);
  });
});
