import { randomBytes } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BackupError } from '../../server/backup/backup-error.ts';
import { openBackup } from '../../server/backup/backup-folder.ts';
import { type CliResult, cliFor, runCli } from '../cli/run-cli.ts';
import { runs } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { createRest } from '../support/rest.ts';
import { startServer } from '../support/server.ts';

/** What is not as it was written, or not empty, is refused, with a sentence and before anything is changed. */

const ENTRIES = 'entries/000001.ndjson';

let folder: string;
let whole: string;
let blob: string;
let copy: string;

beforeAll(async () => {
  folder = await makeFolder();
  whole = join(folder, 'whole');
  const server = await startServer({ folder });
  const rest = createRest(server.url);
  await rest('POST', '/data/a', { a: 1 });
  await rest('POST', '/data/b', '{"é":"\\ud83d\\ude00"}');
  await rest('PUT', '/uploads/large', randomBytes(100_000));
  await rest('PUT', '/uploads/small', randomBytes(100));
  expect((await cliFor(server.url, server.password)(['backup', whole])).code).toBe(0);
  await server.stop({ keep: true });
  const names = await readdir(join(whole, 'blobs'), { recursive: true });
  blob = join('blobs', names.find((name) => name.length > 30) ?? '');
});
beforeEach(async () => {
  copy = join(folder, 'copy');
  await cp(whole, copy, { recursive: true });
});
afterEach(() => rm(copy, { recursive: true }));
afterAll(() => rm(folder, { recursive: true }));

async function check(): Promise<void> {
  await (await openBackup(copy)).verify();
}

async function edit(name: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  await writeFile(join(copy, name), change(await readFile(join(copy, name))));
}

function restore(from: string, to: string): Promise<CliResult> {
  return runCli(['restore', from, '--data-dir', to]);
}

describe('a damaged backup', () => {
  it('is told from a whole one', check);

  it.each(['manifest.json', 'SHA256SUMS', ENTRIES, 'the blob'])(
    'of which one byte of %s is another one is refused, whichever it is',
    async (which) => {
      const name = which === 'the blob' ? blob : which;
      const bytes = await readFile(join(whole, name));
      const count = Math.min(bytes.length, runs(60, 300));
      for (let at = 0; at < count; at += 1) {
        const place = Math.floor((at * bytes.length) / count);
        const flipped = Buffer.from(bytes);
        flipped[place] = (bytes[place] ?? 0) ^ (1 << (at % 8));
        await writeFile(join(copy, name), flipped);
        await expect(check(), `byte ${place}`).rejects.toThrow(BackupError);
      }
    },
  );

  it.each(['manifest.json', 'SHA256SUMS', ENTRIES, 'the blob'])(
    'that lacks %s is refused',
    async (which) => {
      await rm(join(copy, which === 'the blob' ? blob : which));
      await expect(check()).rejects.toThrow(/is missing|it has no/);
    },
  );

  it.each(['manifest.json', 'SHA256SUMS', ENTRIES, 'the blob'])(
    'of which the end of %s is missing is refused',
    async (which) => {
      await edit(which === 'the blob' ? blob : which, (bytes) => bytes.subarray(0, -1));
      await expect(check()).rejects.toThrow(BackupError);
    },
  );

  it('whose list of checksums lacks a line is refused', async () => {
    await edit('SHA256SUMS', (bytes) => bytes.subarray(bytes.indexOf('\n') + 1));
    await expect(check()).rejects.toThrow('says entries');
  });

  it('is refused by the command in one sentence, and nothing is made of it', async () => {
    await edit(blob, (bytes) => Buffer.concat([bytes.subarray(1), Buffer.from('x')]));
    const target = join(folder, 'of-damaged');
    const { code, stderr } = await restore(copy, target);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^keystow: The backup \S+ is damaged: blobs\/\S+, the bytes of object\/uploads\/large, .* Use another backup\.\n$/,
    );
    await expect(readdir(target)).rejects.toThrow('ENOENT');
    const checked = await runCli(['restore', copy, '--check']);
    expect([checked.code, checked.stderr]).toEqual([1, stderr]);
  });

  it('of a newer format is refused with the version that reads it', async () => {
    const { createHash } = await import('node:crypto');
    const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    const before = await readFile(join(copy, 'manifest.json'));
    const newer = Buffer.from(
      before.toString().replace('"formatVersion": 1', '"formatVersion": 2'),
    );
    await writeFile(join(copy, 'manifest.json'), newer);
    await edit('SHA256SUMS', (b) => Buffer.from(b.toString().replace(sum(before), sum(newer))));
    await expect(check()).rejects.toThrow('made by a newer Keystow');
  });
});

describe('what a backup is restored into', () => {
  it('has to be empty: the data directory of a server stays as it is', async () => {
    const target = join(folder, 'data');
    const before = await readdir(target);
    const { code, stderr } = await restore(whole, target);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is not empty')]);
    expect(await readdir(target)).toEqual(before);
    const server = await startServer({ folder });
    expect((await createRest(server.url)('GET', '/data/a')).text).toBe('{"a":1}');
    await server.stop({ keep: true });
  });

  it.each(['a-file-of-mine', 'blobs/ab'])('is refused where %s is in it', async (name) => {
    const target = join(folder, 'foreign');
    await mkdir(join(target, name), { recursive: true });
    await writeFile(join(target, name, 'file'), 'mine');
    const { code, stderr } = await restore(whole, target);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/: name an? (data|empty)/)]);
    expect((await readFile(join(target, name, 'file'))).toString()).toBe('mine');
    await rm(target, { recursive: true });
  });

  it('is refused while a server has it open', async () => {
    const inUse = await makeFolder();
    const server = await startServer({ folder: inUse });
    const { code, stderr } = await restore(whole, join(inUse, 'data'));
    expect([code, stderr]).toEqual([1, expect.stringContaining('is in use by process')]);
    await server.stop();
  });

  it('may have the master key in it, without which the restored server says what is missing', async () => {
    const restored = join(folder, 'with-key');
    const target = join(restored, 'data');
    await mkdir(target, { recursive: true });
    const key = await readFile(join(folder, 'data/master.key'));
    await writeFile(join(target, 'master.key'), key);
    expect((await restore(whole, target)).code).toBe(0);
    const server = await startServer({ folder: restored });
    expect((await createRest(server.url)('GET', '/data/b')).text).toBe('{"é":"\\ud83d\\ude00"}');
    await server.stop({ keep: true });
    await rm(join(target, 'master.key'));
    await expect(startServer({ folder: restored })).rejects.toThrow('master.key is missing');
  });

  it('keeps no clear text of the secrets: only the sealed ones of the store', async () => {
    const entries = await readFile(join(whole, ENTRIES));
    const key = (await readFile(join(folder, 'data/master.key'))).toString().trim();
    expect(entries.includes('meta/master-key')).toBe(true);
    expect(entries.includes(key)).toBe(false);
  });
});

describe('where a backup is written', () => {
  it('has to be a folder that is empty or not there', async () => {
    const server = await startServer();
    const cli = cliFor(server.url, server.password);
    const before = await readFile(join(whole, 'manifest.json'));
    const refused = await cli(['backup', whole]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is not empty')]);
    expect(await readFile(join(whole, 'manifest.json'))).toEqual(before);
    await mkdir(join(folder, 'empty'));
    expect((await cli(['backup', join(folder, 'empty')])).code).toBe(0);
    await server.stop();
  });

  it('only admins may have it, over HTTP', async () => {
    const server = await startServer();
    const rest = createRest(server.url);
    const grants = [{ prefix: '', access: 'write' }];
    await rest('PUT', '/api/users/mia', { password: 'mia-password', role: 'member', grants });
    const mia = await createRest(server.url, 'mia', 'mia-password')('GET', '/api/backup');
    expect([mia.status, mia.json]).toEqual([403, { error: expect.any(String) }]);
    const head = await rest('HEAD', '/api/backup');
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'application/x-tar']);
    await server.stop();
  });
});
