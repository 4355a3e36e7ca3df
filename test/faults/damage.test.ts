import { execFile } from 'node:child_process';
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD } from '../support/environment.ts';
import { some } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { startServer } from '../support/server.ts';
import { binary, startProcess } from '../support/server-process.ts';
import { startRefused } from '../support/start-refused.ts';
import { createRandom, freshSeed, intBetween } from './random.ts';
import { createRestClient } from './rest-client.ts';
import { pathOf, takeSurvey } from './survey.ts';

/**
 * LevelDB opens silently without what a damaged block of its log held. Keystow must notice, refuse
 * to go on, and still give what is left.
 */

const DOCUMENTS = 2_000;
const CONNECTIONS = 32;
const BLOCK_BYTES = 32_768;
const seed = freshSeed();
const random = createRandom(seed);
/** Lines of an export, by key. */
const lines = new Map<string, string>();
const folders: string[] = [];
let original = '';

async function newFolder(): Promise<string> {
  const folder = await makeFolder();
  folders.push(folder);
  return folder;
}

beforeAll(async () => {
  original = await newFolder();
  const env = { LOG_LEVEL: 'warn' };
  // The admin's own write comes to lie in a table, so that the log has only documents.
  await (await startServer({ folder: original, env })).stop({ keep: true });
  const server = await startProcess({ folder: original, env });
  const client = createRestClient(server.url, CONNECTIONS);
  await Promise.all(
    Array.from({ length: DOCUMENTS }, async (_, index) => {
      const key = `doc/${String(index).padStart(4, '0')}`;
      const body = JSON.stringify({ key, filling: 'x'.repeat(intBetween(random, 100, 200)) });
      const answer = await client.send({ method: 'POST', path: pathOf(key), body });
      if (answer?.status !== 201) throw new Error(`${answer?.status} ${answer?.text}`);
      lines.set(key, `{"key":"${key}","etag":"\\"${answer.etag}\\"","value":${body}}`);
    }),
  );
  client.close();
  await server.kill();
});

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A copy of the killed server's data, and the path of its only log file with anything in it. */
async function copyStore(): Promise<{
  folder: string;
  dataDir: string;
  log: string;
  bytes: Buffer;
}> {
  const folder = await newFolder();
  const dataDir = join(folder, 'data');
  await cp(join(original, 'data'), dataDir, { recursive: true, preserveTimestamps: true });
  const names = (await readdir(join(dataDir, 'level'))).filter((name) => /^\d+\.log$/.test(name));
  expect(names).toHaveLength(1);
  const log = join(dataDir, 'level', names[0] ?? '');
  return { folder, dataDir, log, bytes: await readFile(log) };
}

interface Exported {
  readonly code: number;
  readonly lines: string[];
  readonly stderr: string;
}

function exportFrom(dataDir: string): Promise<Exported> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [binary, 'export', '--data-dir', dataDir],
      { maxBuffer: 2 ** 26, env: { PATH: process.env['PATH'] ?? '' } },
      (error, stdout, stderr) => {
        const code = error ? Number(error.code ?? -1) : 0;
        resolve({ code, lines: stdout.split('\n').slice(0, -1), stderr });
      },
    );
  });
}

async function expectRefusal(dataDir: string): Promise<number> {
  const { code, stderr } = await startRefused({ DATA_DIR: dataDir, ADMIN_PASSWORD: PASSWORD });
  expect(code).toBe(1);
  return lostAsTold(stderr);
}

/** The same once more, without a process: the number of writes that it calls lost. */
async function expectRefusedAgain(folder: string): Promise<number> {
  const outcome: unknown = await startServer({ folder }).catch((error: unknown) => error);
  if (!(outcome instanceof Error)) throw new Error('The damaged data was opened.');
  return lostAsTold(outcome.message);
}

function lostAsTold(message: string): number {
  expect(message.trimEnd().split('\n')).toHaveLength(1);
  expect(message).toContain('export --data-dir');
  const lost = Number(/has lost (\d+) acknowledged write/.exec(message)?.[1]);
  expect(lost).toBeGreaterThan(0);
  return lost;
}

describe(`a killed server's log (seed ${seed})`, () => {
  it('opens whole where nothing was damaged', async () => {
    const { folder } = await copyStore();
    const server = await startProcess({ folder });
    const survey = await takeSurvey(server.url, []);
    expect(survey.lines).toEqual([...lines].sort().map(([, line]) => line));
    expect(await server.stop({ keep: true })).toBe(0);
  });

  it.each(
    some<[string, (size: number) => number]>(
      [
        ['the first block', () => intBetween(random, 0, BLOCK_BYTES - 1)],
        ['the first half', (size) => intBetween(random, 0, Math.floor(size / 2))],
        [
          'the last block',
          (size) => intBetween(random, size - ((size - 1) % BLOCK_BYTES) - 1, size - 1),
        ],
        ['its last byte', (size) => size - 1],
      ],
      1,
    ),
  )('with one byte flipped in %s is refused, and exported', async (_name, choose) => {
    const { folder, log, bytes } = await copyStore();
    const at = choose(bytes.length);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x55, at);
    await writeFile(log, bytes);
    await expectRefusedAndExported(folder, `byte ${at} of ${bytes.length}`);
  });

  it('without its last 100 bytes is refused, and exported', async () => {
    const { folder, log, bytes } = await copyStore();
    await truncate(log, bytes.length - 100);
    await expectRefusedAndExported(folder, 'the end');
  });

  it('that is gone is refused, and what is in tables exported', async () => {
    const { dataDir, log } = await copyStore();
    await rm(log);
    const lost = await expectRefusal(dataDir);
    expect(lost).toBe(DOCUMENTS);
    const exported = await exportFrom(dataDir);
    expect(exported).toMatchObject({ code: 0, lines: [] });
  });
});

async function expectRefusedAndExported(folder: string, damage: string): Promise<void> {
  const dataDir = join(folder, 'data');
  const lost = await expectRefusal(dataDir);
  // The first opening has made the engine drop what was damaged: the loss must show even so.
  expect(await expectRefusedAgain(folder), damage).toBe(lost);

  const exported = await exportFrom(dataDir);
  expect(exported.code, exported.stderr).toBe(0);
  expect(exported.stderr).toContain('has lost');
  expect(exported.lines, damage).toHaveLength(DOCUMENTS - lost);
  const whole = new Set(lines.values());
  expect(exported.lines.filter((line) => !whole.has(line))).toEqual([]);

  expect(await expectRefusedAgain(folder), damage).toBe(lost);
}
