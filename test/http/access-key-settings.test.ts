import { randomBytes } from 'node:crypto';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../server/config.ts';
import { PASSWORD } from '../support/environment.ts';
import { some } from '../support/long-runs.ts';
import { createRest } from '../support/rest.ts';
import { sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY } from '../support/s3-server.ts';
import { startServer } from '../support/server.ts';
import { startProcess } from '../support/server-process.ts';
import { headersV4 } from '../support/sign-request.ts';
import { startRefused } from '../support/start-refused.ts';

/** Access keys and buckets that the settings ask for, and the key that encrypts secrets. */

let folder: string;
let dataDir: string;
let base: Record<string, string>;
let firstKey: string;

/** Whether a pair signs for the server. */
async function signs(url: string, pair: typeof ADMIN_KEY): Promise<boolean> {
  const { host } = new URL(url);
  const answer = await sendS3(url, { path: '/', headers: headersV4({ pair, path: '/', host }) });
  expect([200, 403], answer.text).toContain(answer.status);
  return answer.status === 200;
}

beforeAll(async () => {
  const server = await startServer({
    env: {
      ACCESS_KEY_ID: ADMIN_KEY.accessKeyId,
      SECRET_ACCESS_KEY: ADMIN_KEY.secretAccessKey,
      UPLOAD_BUCKET: 'forms',
      SUBMIT_BUCKET: 'forms',
    },
  });
  ({ folder, dataDir } = server);
  expect(await signs(server.url, ADMIN_KEY)).toBe(true);
  const admin = createRest(server.url);
  expect((await admin('GET', '/api/buckets')).json).toMatchObject([
    { name: 'forms', acl: 'private' },
  ]);
  await admin('PUT', '/api/users/maria', { password: 'p', role: 'member', grants: [] });
  await admin('POST', '/api/access-keys', { user: 'maria', accessKeyId: 'AKIDOFMARIA' });
  await server.stop({ keep: true });
  firstKey = await readFile(join(dataDir, 'master.key'), 'utf8');
  base = { DATA_DIR: dataDir, ADMIN_PASSWORD: PASSWORD, BCRYPT_COST: '4' };
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function expectRefused(env: Record<string, string>, says: RegExp): Promise<void> {
  const { code, stderr, stdout } = await startRefused({ ...base, ...env });
  expect(code, stderr + stdout).toBe(1);
  expect(stderr).toMatch(says);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  for (const secret of Object.values({ ...env, firstKey })) {
    if (secret.length > 15 && !secret.startsWith('/')) expect(stderr).not.toContain(secret.trim());
  }
}

describe('the master key', () => {
  it('is made at first start, for its owner alone', async () => {
    expect((await stat(join(dataDir, 'master.key'))).mode & 0o777).toBe(0o600);
    expect(Buffer.from(firstKey, 'base64')).toHaveLength(32);
  });

  it('that is another one: exit 1', async () => {
    await expectRefused({ MASTER_KEY: randomBytes(32).toString('base64') }, /MASTER_KEY/);
  });

  it('that is no key: exit 1', async () => {
    await expectRefused({ MASTER_KEY: 'a passphrase of mine, not a key' }, /MASTER_KEY/);
  });

  it('whose file is lost, another, or unreadable: exit 1, and no new one is made', async () => {
    const path = join(dataDir, 'master.key');
    await rm(path);
    await expectRefused({}, /master\.key/);
    await expect(stat(path)).rejects.toThrow('ENOENT');
    await writeFile(path, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    await expectRefused({}, /master\.key/);
    await writeFile(path, firstKey);
    await chmod(path, 0o600);
  });

  it('may be given in MASTER_KEY, in hex too, when its file is lost', async () => {
    await rm(join(dataDir, 'master.key'));
    const key = Buffer.from(firstKey, 'base64').toString('hex');
    const server = await startProcess({ folder, env: { MASTER_KEY: key } });
    expect(await signs(server.url, ADMIN_KEY)).toBe(true);
    await expect(stat(join(dataDir, 'master.key'))).rejects.toThrow('ENOENT');
    expect(server.log() + server.lines.join('')).not.toContain(key);
    await server.stop({ keep: true });
    await writeFile(join(dataDir, 'master.key'), firstKey, { mode: 0o600 });
  });
});

describe('ACCESS_KEY_ID and SECRET_ACCESS_KEY', () => {
  it('come together', async () => {
    const secret = 'a-secret-without-its-id';
    await expectRefused({ SECRET_ACCESS_KEY: secret }, /ACCESS_KEY_ID/);
    for (const env of [{ SECRET_ACCESS_KEY: secret }, { ACCESS_KEY_ID: 'AKIDALONE' }]) {
      expect(() => parseConfig({}, env)).toThrow(/ACCESS_KEY_ID and SECRET_ACCESS_KEY/);
    }
  });

  it('of another user: exit 1', async () => {
    const env = { ACCESS_KEY_ID: 'AKIDOFMARIA', SECRET_ACCESS_KEY: 'another-secret-for-it' };
    await expectRefused(env, /ACCESS_KEY_ID.*AKIDOFMARIA/);
  });

  it('that no access key can be: exit 1', async () => {
    const env = { ACCESS_KEY_ID: 'AKID/SLASHED', SECRET_ACCESS_KEY: 'a-secret-that-is-fine' };
    await expectRefused(env, /ACCESS_KEY_ID/);
    await expectRefused(
      { ACCESS_KEY_ID: 'AKIDFINE', SECRET_ACCESS_KEY: 'short' },
      /SECRET_ACCESS_KEY/,
    );
  });

  it('a new secret, from a file, is in force, and the old one out', async () => {
    const pair = { ...ADMIN_KEY, secretAccessKey: 'the-new-secret-of-the-admin' };
    const file = join(folder, 'secret');
    await writeFile(file, `${pair.secretAccessKey}\n`);
    const env = { ACCESS_KEY_ID: pair.accessKeyId, SECRET_ACCESS_KEY_FILE: file };
    const server = await startServer({ folder, env });
    expect(await signs(server.url, pair)).toBe(true);
    expect(await signs(server.url, ADMIN_KEY)).toBe(false);
    await server.stop({ keep: true });
  });
});

describe('other settings that cannot be', () => {
  it('are told, with exit 1', async () => {
    await expectRefused({ UPLOAD_BUCKET: 'data' }, /UPLOAD_BUCKET/);
  });

  it.each(
    some(
      [
        ['PUBLIC_URL', 'saves.example'],
        ['PUBLIC_URL', 'ftp://saves.example'],
        ['PUBLIC_URL', 'https://user:password@saves.example'],
        ['S3_DOMAINS', 'localhost,*.example'],
        ['S3_DOMAINS', 'https://s3.example'],
        ['REGION', 'us east'],
        ['MAX_UPLOAD_BYTES', '5 GiB'],
        ['MAX_UPLOAD_BYTES', '0'],
        ['TRUST_PROXY', 'yes'],
      ],
      4,
    ),
  )('%s=%s', (name, value) => {
    expect(() => parseConfig({}, { [name]: value })).toThrow(new RegExp(name));
  });
});
