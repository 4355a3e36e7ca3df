import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackup } from '../../server/backup/backup-folder.ts';
import { openLevelStoreReadOnly } from '../../server/drivers/level/level-store.ts';
import { RESTORED_AHEAD } from '../../shared/limits.ts';
import { cliFor, runCli } from '../cli/run-cli.ts';
import { freshSeed } from '../faults/random.ts';
import { isLongRun, runs } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { createRest } from '../support/rest.ts';
import { startServer } from '../support/server.ts';
import { createHistory, expectedAt, expectServed, runWriter } from './written-history.ts';

/** Backups that are taken while 20 writers write: each is precisely the state of its number. */

const WRITERS = 20;
const BACKUPS = runs(2, 6);
const seed = freshSeed();

const history = createHistory();
let folder: string;
/** The number that was acknowledged before each backup was asked for. */
const asked: number[] = [];

beforeAll(async () => {
  folder = await makeFolder();
  const server = await startServer({ folder });
  const cli = cliFor(server.url, server.password);
  let isStopped = false;
  const writing = Array.from({ length: WRITERS }, (_, writer) =>
    runWriter({ urls: [server.url], writer, seed, history, isStopped: () => isStopped }),
  );
  while (history.puts.size < WRITERS * 4) await new Promise(setImmediate);
  for (let number = 0; number < BACKUPS; number += 1) {
    asked.push(history.acknowledged);
    const { code, stderr } = await cli(['backup', join(folder, `backup-${number}`)]);
    expect([code, stderr]).toEqual([0, '']);
  }
  isStopped = true;
  await Promise.all(writing);
  await server.stop({ keep: true });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe(`backups under load (seed ${seed})`, () => {
  it.each(Array.from({ length: BACKUPS }, (_, number) => number))(
    'backup %i restores to the documents and objects of its number, to the byte and the version',
    async (number) => {
      const { manifest, entries } = await openBackup(join(folder, `backup-${number}`));
      expect(manifest.sequence).toBeGreaterThanOrEqual(asked[number] ?? 0);
      const source = await openLevelStoreReadOnly(join(folder, 'data'), (message) => {
        throw new Error(message);
      });
      const expected = await expectedAt(source, history, manifest.sequence);
      await source.close();
      const versions = new Map<string, number>();
      for await (const page of entries())
        for (const { key, version } of page) versions.set(key, version);
      expect(versions).toEqual(expected.versions);

      const restored = join(folder, `restored-${number}`);
      const target = join(restored, 'data');
      const { code, stderr } = await runCli([
        'restore',
        join(folder, `backup-${number}`),
        '--data-dir',
        target,
      ]);
      expect([code, stderr]).toEqual([0, '']);
      await writeFile(join(target, 'master.key'), await readFile(join(folder, 'data/master.key')), {
        mode: 0o600,
      });
      const server = await startServer({ folder: restored });
      await expectServed(server.url, expected);
      // The numbers go on where no client has ever been.
      const answer = await createRest(server.url)('POST', '/data/after', {});
      const etag = Number(answer.headers.get('etag')?.slice(1, -1));
      expect(etag).toBeGreaterThan(manifest.sequence + RESTORED_AHEAD);
      await server.stop();
    },
    isLongRun ? 300_000 : 60_000,
  );
});
