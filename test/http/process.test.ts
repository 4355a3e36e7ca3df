import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { some } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { basic, createRest } from '../support/rest.ts';
import { startServer } from '../support/server.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { startRefused } from '../support/start-refused.ts';

/** Start: the settings, the first admin, and what is refused. */

let server: ServerProcess;
let folder: string;

beforeAll(async () => {
  server = await startProcess();
  folder = await makeFolder();
  await writeFile(join(folder, 'file'), 'password from a file\n');
  await mkdir(join(folder, 'directory'));
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function isUser(url: string, name: string, password: string): Promise<boolean> {
  const answer = await createRest(url, name, password)('GET', '/api/users');
  expect([200, 401]).toContain(answer.status);
  return answer.status === 200;
}

describe('a server that is ready', () => {
  it('says so in one line on stdout', () => {
    expect(server.lines).toEqual([`keystow listening on ${server.url}`]);
  });

  it('answers GET /api/health without credentials, and with wrong ones', async () => {
    for (const headers of [{}, { authorization: basic('admin', 'wrong') }]) {
      const answer = await fetch(`${server.url}/api/health`, { headers });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(await answer.json()).toMatchObject({ status: 'ok' });
    }
  });

  it.each([
    ['curl', '*/*'],
    ['nothing', undefined],
    ['JSON', 'application/json'],
    ['JSON before HTML', 'application/json, text/html;q=0.5'],
  ])('tells who asks GET / for %s its name and version', async (_name, accept) => {
    const answer = await fetch(`${server.url}/`, { headers: accept ? { accept } : {} });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      name: 'keystow',
      version: expect.stringMatching(/^\d+\./),
    });
  });

  it('sends a browser from GET / to the console', async () => {
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
    const answer = await fetch(`${server.url}/`, { headers: { accept }, redirect: 'manual' });
    expect(answer.status).toBeGreaterThanOrEqual(301);
    expect(answer.status).toBeLessThanOrEqual(308);
    expect(answer.headers.get('location')).toBe('/console');
  });
});

describe('the first admin', () => {
  it('gets a generated password, printed once', async () => {
    const first = await startProcess({ env: { ADMIN_PASSWORD: '' } });
    const printed = first.lines.filter((line) => line.includes('password'));
    expect(printed).toHaveLength(1);
    const password = /password (\S+)/.exec(printed[0] ?? '')?.[1] ?? '';
    expect(password.length).toBeGreaterThanOrEqual(16);
    expect(await isUser(first.url, 'admin', password)).toBe(true);
    expect(await isUser(first.url, 'admin', '')).toBe(false);
    expect(await isUser(first.url, 'admin', 'admin')).toBe(false);
    expect(first.log()).not.toContain(password);
    await first.stop({ keep: true });

    const second = await startProcess({ env: { ADMIN_PASSWORD: '' }, folder: first.folder });
    expect(second.lines).toEqual([`keystow listening on ${second.url}`]);
    expect(await isUser(second.url, 'admin', password)).toBe(true);
    await second.stop();
  });

  it('gets no printed password where one is given', () => {
    expect(server.lines.join('\n')).not.toContain('password');
    expect(server.lines.join('\n') + server.log()).not.toContain(server.password);
  });
});

describe('ADMIN_PASSWORD', () => {
  it('is applied at every start: the way back in', async () => {
    const first = await startServer();
    const rest = createRest(first.url);
    const admin = { role: 'admin', grants: [] };
    await rest('PUT', '/api/users/other', { ...admin, password: 'other' });
    await rest('PUT', '/api/users/admin', { ...admin, password: 'forgotten' });
    const other = createRest(first.url, 'other', 'other');
    await other('PUT', '/api/users/admin', { role: 'member', grants: [] });
    await first.stop({ keep: true });

    // Another password and another role meanwhile.
    const second = await startServer({ folder: first.folder });
    expect(await isUser(second.url, 'admin', second.password)).toBe(true);
    expect(await isUser(second.url, 'admin', 'forgotten')).toBe(false);
    expect(await isUser(second.url, 'other', 'other')).toBe(true);
    await createRest(second.url, 'other', 'other')('DELETE', '/api/users/admin');
    await second.stop({ keep: true });

    // Deleted meanwhile, and a new password.
    const env = { ADMIN_PASSWORD: 'renewed' };
    const third = await startServer({ folder: first.folder, env });
    expect(await isUser(third.url, 'admin', 'renewed')).toBe(true);
    expect(await isUser(third.url, 'admin', third.password)).toBe(false);
    await third.stop({ keep: true });

    // Not given: what was stored stays, and nobody else is made.
    const fourth = await startProcess({ folder: first.folder, env: { ADMIN_PASSWORD: '' } });
    expect(fourth.lines).toEqual([`keystow listening on ${fourth.url}`]);
    expect(await isUser(fourth.url, 'admin', 'renewed')).toBe(true);
    await fourth.stop();
  });

  it('comes from a file too, without its last line end', async () => {
    const file = join(folder, 'file');
    const env = { ADMIN_PASSWORD: '', ADMIN_PASSWORD_FILE: file, ADMIN_USER: 'root' };
    const one = await startServer({ env });
    expect(await isUser(one.url, 'root', 'password from a file')).toBe(true);
    expect(await isUser(one.url, 'admin', 'password from a file')).toBe(false);
    await one.stop();
  });
});

describe('flags', () => {
  it('have the names of the variables, and win over them', async () => {
    const flagged = await startProcess({
      args: ['--max-document-bytes', '20', '--admin-user=flagged', '--data-dir', 'elsewhere'],
      env: { MAX_DOCUMENT_BYTES: '1000', DATA_DIR: '/dev/null/nowhere' },
    });
    const rest = createRest(flagged.url, 'flagged');
    expect((await rest('POST', '/data/a', '{}')).status).toBe(201);
    expect((await rest('POST', '/data/b', `{}${' '.repeat(19)}`)).status).toBe(413);
    await flagged.stop();
  });

  it.each(['ADMIN_PASSWORD', 'TLS_PASSPHRASE'])(
    'do not take the secret %s, and do not repeat it',
    async (name) => {
      const flag = `--${name.toLowerCase().replaceAll('_', '-')}`;
      const env = { DATA_DIR: join(folder, 'data') };
      for (const args of [[flag, 'hush-hush'], [`${flag}=hush-hush`]]) {
        const refused = await startRefused(env, args);
        expect(refused.code).toBeGreaterThan(0);
        expect(refused.stderr).toMatch(new RegExp(`${flag}|${name}`));
        expect(refused.stdout + refused.stderr).not.toContain('hush-hush');
      }
    },
  );

  it('that do not exist are refused', async () => {
    for (const args of [['--prot', '1'], ['--port'], ['--tls-', 'on']]) {
      const refused = await startRefused({ DATA_DIR: join(folder, 'data') }, args);
      expect(refused.code).toBeGreaterThan(0);
      expect(refused.stderr).toContain(args[0]);
    }
  });
});

describe('refused with one line that says which and why, exit 1:', () => {
  it.each<[string, Record<string, string>, RegExp]>(
    some(
      [
        ['a port that is no number', { PORT: 'abc' }, /PORT .*abc/],
        ['a port past 65535', { PORT: '65536' }, /PORT .*65536/],
        ['an address that is none', { HOST: '256.256.256.256' }, /256\.256\.256\.256/],
        ['TLS that is neither on nor off', { TLS: 'yes' }, /TLS .*on or off/],
        ['an unknown store', { STORE: 'mongodb://u:hush-hush@h/d' }, /STORE/],
        [
          'a limit that is no number',
          { MAX_DOCUMENT_BYTES: '1 MiB' },
          /MAX_DOCUMENT_BYTES .*1 MiB/,
        ],
        ['a change log that keeps nothing', { CHANGES_KEEP: 'all' }, /CHANGES_KEEP/],
        ['an origin that is none', { CORS_ORIGINS: 'https://a.example, b' }, /CORS_ORIGINS .*"b"/],
        ['an unknown level of logs', { LOG_LEVEL: 'loud' }, /LOG_LEVEL/],
        ['an admin whom nobody could be', { ADMIN_USER: 'a:b' }, /ADMIN_USER/],
        ['a password of 73 bytes', { ADMIN_PASSWORD: 'p'.repeat(73) }, /ADMIN_PASSWORD .*72/],
        [
          'a secret given twice',
          { ADMIN_PASSWORD: 'x', ADMIN_PASSWORD_FILE: '/dev/null' },
          /ADMIN_PASSWORD_FILE/,
        ],
        [
          'a secret file that is not there',
          { ADMIN_PASSWORD_FILE: '/nowhere/secret' },
          /ADMIN_PASSWORD_FILE .*\/nowhere\/secret/,
        ],
        ['a data directory that cannot be', { DATA_DIR: '/dev/null/data' }, /\/dev\/null\/data/],
      ],
      6,
    ),
  )('%s', async (_name, env, message) => {
    const refused = await startRefused({ DATA_DIR: join(folder, 'data'), ...env });
    expect(refused.code, refused.stderr).toBe(1);
    expect(refused.stderr).toMatch(/^keystow: [^\n]+\n$/);
    expect(refused.stderr).toMatch(message);
    expect(refused.stdout + refused.stderr).not.toContain('hush-hush');
    expect(refused.stdout).not.toContain('listening');
  });

  it('a port in use', async () => {
    const { port } = new URL(server.url);
    for (const name of ['PORT', 'HTTP_PORT']) {
      const env = { DATA_DIR: join(folder, name), ADMIN_PASSWORD: 'x', [name]: port };
      const refused = await startRefused(env);
      expect(refused.code, refused.stderr).toBe(1);
      expect(refused.stderr).toMatch(/^keystow: [^\n]+\n$/);
      expect(refused.stderr).toContain(port);
      expect(refused.stderr).toMatch(new RegExp(`\\b${name}\\b`));
    }
  });

  it('a data directory in use, which stays as it is', async () => {
    const refused = await startRefused({ DATA_DIR: server.dataDir, ADMIN_PASSWORD: 'x' });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^keystow: [^\n]+\n$/);
    expect(refused.stderr).toContain(server.dataDir);
    expect((await createRest(server.url)('POST', '/data/still', '{}')).status).toBe(201);
  });
});
