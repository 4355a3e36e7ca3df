import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, spawnCli } from '../cli/run-cli.ts';
import { isLongRun } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { createRest } from '../support/rest.ts';
import { startServer } from '../support/server.ts';
import { type Backends, startBackends } from './cluster.ts';

/** `keystow migrate`: what an embedded store holds is there on the nodes, to the byte and the ETag. */

const KEY = {
  accessKeyId: 'AKIDADMIN00000000001',
  secretAccessKey: 'secret-of-the-embedded-store',
};
const KEY_ENV = { ACCESS_KEY_ID: KEY.accessKeyId, SECRET_ACCESS_KEY: KEY.secretAccessKey };
const DOCUMENTS = 1_200;
const AT_ONCE = 60;

let backends: Backends;
let folder: string;
const small = randomBytes(1_000);
const large = randomBytes(300_000);
const parts = randomBytes(6_000_000);
let etags: Map<string, string | null>;

beforeAll(async () => {
  backends = await startBackends();
  folder = await makeFolder();
  const server = await startServer({ folder, env: KEY_ENV });
  const rest = createRest(server.url);
  await rest('PUT', '/api/users/mia', {
    password: 'mia-password',
    role: 'member',
    grants: [{ prefix: 'data/', access: 'read' }],
  });
  for (let first = 0; first < DOCUMENTS; first += AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, i) => first + i);
    await Promise.all(numbers.map((i) => rest('POST', `/data/d${i}`, { i, text: '1.0' })));
  }
  await rest('DELETE', '/data/d7');
  const client = s3(server.url);
  for (const [Key, Body] of [
    ['small', small],
    ['large', large],
    ['empty', Buffer.alloc(0)],
  ] as const) {
    await new Upload({ client, params: { Bucket: 'uploads', Key, Body } }).done();
  }
  await new Upload({ client, params: { Bucket: 'uploads', Key: 'parts', Body: parts } }).done();
  etags = await etagsOf(server.url);
  await server.stop({ keep: true });
});

afterAll(() => backends?.stop());

function s3(endpoint: string): S3Client {
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: KEY });
}

async function etagsOf(url: string): Promise<Map<string, string | null>> {
  const rest = createRest(url);
  const { text } = await rest('GET', '/data', undefined, { accept: 'application/x-ndjson' });
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => [JSON.parse(line).key, line]));
}

function migrate(settings: Record<string, string>, args: readonly string[] = []) {
  return runCli(['migrate', '--from', join(folder, 'data'), ...args], { env: settings });
}

/** Killed once it has written something; the database is asked, since the process says nothing. */
/** False where it was done before it could be killed. */
async function killMigration(settings: Record<string, string>): Promise<boolean> {
  const child = spawnCli(['migrate', '--from', join(folder, 'data')], { env: settings });
  const closed = once(child, 'close');
  const database = new pg.Client({ connectionString: settings['STORE'] });
  await database.connect();
  const isUnderWay = async (): Promise<boolean> => {
    const { rows } = await database.query(
      "select 1 from pg_tables where tablename = 'keystow_entries'",
    );
    if (rows.length === 0) return false;
    const entries = await database.query('select 1 from keystow_entries limit 2');
    return entries.rows.length === 2;
  };
  while (!(await isUnderWay())) await new Promise(setImmediate);
  child.kill('SIGKILL');
  await closed;
  const { rows } = await database.query(
    "select 1 from keystow_entries where key = 'meta/migration'::bytea",
  );
  await database.end();
  return rows.length > 0;
}

async function withMasterKey(settings: Record<string, string>): Promise<Record<string, string>> {
  const key = await readFile(join(folder, 'data/master.key'), 'utf8');
  return { ...settings, MASTER_KEY: key.trim() };
}

async function expectMoved(settings: Record<string, string>): Promise<void> {
  const node = await startServer({ env: await withMasterKey(settings) });
  try {
    expect(await etagsOf(node.url)).toEqual(etags);
    const asMia = createRest(node.url, 'mia', 'mia-password');
    expect((await asMia('GET', '/data/d1')).status).toBe(200);
    expect((await asMia('PUT', '/data/d1', {})).status).toBe(403);
    for (const [Key, bytes] of [
      ['small', small],
      ['large', large],
      ['empty', Buffer.alloc(0)],
      ['parts', parts],
    ] as const) {
      const { Body } = await s3(node.url).send(new GetObjectCommand({ Bucket: 'uploads', Key }));
      const read = Buffer.from((await Body?.transformToByteArray()) ?? []);
      expect(read.equals(bytes)).toBe(true);
    }
    // No number is given twice: those that the embedded store gave are all behind.
    const { headers } = await createRest(node.url)('POST', '/data/new', {});
    expect(Number(headers.get('etag')?.slice(1, -1))).toBeGreaterThan(DOCUMENTS + 2);
  } finally {
    await node.stop();
  }
}

describe('keystow migrate', () => {
  it('moves documents, users, keys, buckets and objects, and says how much it compared', async () => {
    const settings = await backends.settings();
    const { code, stdout, stderr } = await migrate(settings);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^migrated \d+ entries and 3 blobs of 6300000 bytes, and compared both$/m,
    );
    await expectMoved(settings);
    // A second time there is something in it.
    const again = await migrate(settings);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is not empty')]);
  });

  it.runIf(isLongRun)(
    'goes on where it was killed; until it is done no node serves the store',
    async () => {
      let settings = await backends.settings();
      while (!(await killMigration(settings))) settings = await backends.settings();
      const env = await withMasterKey(settings);
      await expect(startServer({ env })).rejects.toThrow('is being copied into this one');
      const { code, stdout } = await migrate(settings);
      expect([code, stdout]).toEqual([0, expect.stringContaining('compared both')]);
      await expectMoved(settings);
    },
  );

  it('does not take a password from the command line, nor another kind of store', async () => {
    const flag = await migrate({}, ['--to', 'postgres://me:secret@127.0.0.1/x']);
    expect([flag.code, flag.stderr]).toEqual([2, expect.stringContaining('PGPASSWORD')]);
    expect(flag.stderr).not.toContain('secret');
    expect((await migrate({}, ['--to', 'level'])).code).toBe(2);
  });

  it('says in a line that the database cannot be reached', async () => {
    const { code, stderr } = await migrate({ STORE: 'postgres://me:secret@127.0.0.1:1/x' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^keystow: .*cannot be reached.*\n$/);
    expect(stderr).not.toContain('secret');
  });
});
